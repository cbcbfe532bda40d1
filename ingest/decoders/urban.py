"""The platform's own format: `urban/v1/{domain}/{thing}/up` with a JSON object, an array of them, or SenML.

This is the hot path of a collector: a reading of a plain number costs one dictionary look-up and five appends.
Whatever is not an object with a time in bounds goes the careful way of `ingest.decoders.message`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from hypervision.batch import Draft
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds
from hypervision.quality import GOOD
from hypervision.topics import RESERVED
from ingest.decoders import times
from ingest.decoders.message import Message
from ingest.decoders.routes import Route, Routes
from ingest.decoders.values import RefusedError

_LONGEST_TOPIC: Final = 1024
# From so many values on, columns are extended and not appended to.
_MANY: Final = 4
_NUMBERS: Final = frozenset((int, float))


def decode(
    topics: Sequence[str],
    payloads: Sequence[bytes],
    *,
    received_us: int,
    draft: Draft,
    streams: StreamTable,
    bounds: Bounds,
) -> None:
    """Append every message and its readings or refusals; see `hypervision.decoding.Decoder`."""
    routes = streams.beside(Routes)
    known, loads, parse_time = routes.known, orjson.loads, times.parse
    add_topic, add_payload, add_received = draft.topics.append, draft.payloads.append, draft.received_us.append
    message, slots = draft.message, draft.slot
    add_message, add_slot, add_time = message.append, slots.append, draft.time_us.append
    add_result, add_quality, add_number = draft.result.append, draft.quality.append, draft.numbers.append
    earliest_us, latest_us = bounds.earliest_us, received_us + bounds.future_us
    within = earliest_us, latest_us
    m, items, many = len(draft.topics) - 1, _items, _values
    for topic, payload in zip(topics, payloads, strict=True):
        m += 1
        add_topic(topic)
        add_payload(payload)
        add_received(received_us)
        route = known.get(topic)
        if route is None:
            try:
                route = routes.make(topic)
            except RefusedError as error:
                # PostgreSQL's text holds no NUL, and of a hostile topic the beginning is enough.
                draft.topics[m] = topic[:_LONGEST_TOPIC].replace("\0", "\\0")
                draft.refuse(m, error.reason, str(error))
                continue
        try:
            item = loads(payload)
            if type(item) is list and items(m, item, route, draft, within):
                continue
            time_us = parse_time(item.pop("time"))
            if not earliest_us <= time_us <= latest_us:
                raise ValueError  # noqa: TRY301  (the careful way says what is wrong)
        except (ValueError, AttributeError, KeyError, TypeError):
            Message(m, route=route, routes=routes, received_us=received_us, draft=draft, bounds=bounds).decode()
            continue
        if len(item) >= _MANY and many(m, item, time_us, route, draft):
            continue
        plain = route.plain
        before = len(slots)
        others = None
        for name, value in item.items():
            slot = plain.get(name)
            if slot is not None and (type(value) is float or type(value) is int):
                add_message(m)
                add_slot(slot)
                add_time(time_us)
                add_result(value)
                add_quality(GOOD)
            elif name not in RESERVED:
                target = route.targets.get(name)
                if target is not None and type(value) is int and value in target.meaning.numbers:
                    add_message(m)
                    add_slot(target.slot)
                    add_time(time_us)
                    add_result(value)
                    add_quality(GOOD)
                elif others is None:
                    others = {name: value}
                else:
                    others[name] = value
            elif name == "seq":
                add_number((m, item.get("boot", ""), value, time_us, False))
        if others is not None or len(slots) == before:
            careful = Message(m, route=route, routes=routes, received_us=received_us, draft=draft, bounds=bounds)
            careful.values(others or {}, time_us, GOOD)
            careful.finish()


def _items(m: int, items: list[Any], route: Route, draft: Draft, within: tuple[int, int]) -> bool:
    """Take an array of objects, each with a time in bounds and plain numbers; False, with nothing taken, else."""
    earliest_us, latest_us = within
    before, numbers = len(draft.slot), len(draft.numbers)
    try:
        for item in items:
            time_us = times.parse(item.pop("time"))
            if not (earliest_us <= time_us <= latest_us and _values(m, item, time_us, route, draft)):
                break
        else:
            if len(draft.slot) > before:
                return True
    except (ValueError, AttributeError, KeyError, TypeError):
        # One that is none of these: all of it goes the careful way, which says what is wrong.
        pass
    for column in (draft.message, draft.slot, draft.time_us, draft.result, draft.quality):
        del column[before:]
    del draft.numbers[numbers:]
    return False


def _values(m: int, item: dict[str, Any], time_us: int, route: Route, draft: Draft) -> bool:
    """Take the values of an object whose time is taken off; False, with nothing taken, where one is no plain number.

    The object itself stays as it was.
    """
    number = None
    if "seq" in item:
        number = (m, item.get("boot", ""), item["seq"], time_us, False)
        item = {name: value for name, value in item.items() if name not in RESERVED}
    shape = tuple(item)
    slots = route.shapes.get(shape)
    if slots is None:
        slots = route.shape(shape)
    if not slots or not _NUMBERS.issuperset(map(type, item.values())):
        return False
    n = len(slots)
    draft.message.extend([m] * n)
    draft.slot.extend(slots)
    draft.time_us.extend([time_us] * n)
    draft.result.extend(item.values())
    draft.quality.extend([GOOD] * n)
    if number is not None:
        draft.numbers.append(number)
    return True
