"""The platform's own format: `urban/v1/{domain}/{thing}/up` with a JSON object, an array of them, or SenML.

This is the hot path of a collector: a reading of a plain number costs one dictionary look-up and five appends.
Whatever is not an object with a time in bounds goes the careful way of `ingest.decoders.message`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

import orjson

from hypervision.batch import Draft
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds
from hypervision.quality import GOOD
from hypervision.topics import RESERVED
from ingest.decoders import times
from ingest.decoders.message import Message
from ingest.decoders.routes import Routes
from ingest.decoders.values import RefusedError

_ROUTES: Final[WeakKeyDictionary[StreamTable, Routes]] = WeakKeyDictionary()
_LONGEST_TOPIC: Final = 1024


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
    routes = _ROUTES.get(streams)
    if routes is None:
        routes = _ROUTES.setdefault(streams, Routes(streams))
    known, loads, parse_time = routes.known, orjson.loads, times.parse
    add_topic, add_payload, add_received = draft.topics.append, draft.payloads.append, draft.received_us.append
    message, slots = draft.message, draft.slot
    add_message, add_slot, add_time = message.append, slots.append, draft.time_us.append
    add_result, add_quality, add_number = draft.result.append, draft.quality.append, draft.numbers.append
    earliest_us, latest_us = bounds.earliest_us, received_us + bounds.future_us
    m = len(draft.topics) - 1
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
            time_us = parse_time(item.pop("time"))
            if not earliest_us <= time_us <= latest_us:
                raise ValueError  # noqa: TRY301  (the careful way says what is wrong)
        except (ValueError, AttributeError, KeyError, TypeError):
            Message(m, route=route, routes=routes, received_us=received_us, draft=draft, bounds=bounds).decode()
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
