"""`hypervision publish`: one reading, sent as a device would send it."""

from __future__ import annotations

import argparse
import json
import queue
import re
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hypervision import topics
from hypervision.domains import Catalogue, catalogue_of
from hypervision.endpoints import complete
from hypervision.errors import HypervisionError, ServiceError, StoreError, UsageError
from hypervision.settings import Settings
from hypervision.store.connection import url_of
from hypervision.store.lookup import Fate, Lookup, Place, Sent
from ingest.session import Address

_QUANTITY: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)\s*")
_PATIENCE: Final = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--domain", metavar="D", help="water, lighting, …; only where the property leaves it open")
    parser.add_argument("thing", metavar="THING", help="code of the Thing: letters, digits and . _ : -")
    parser.add_argument("values", metavar="PROPERTY=VALUE", nargs="+", help="for example flow=3.2 or pressure=310kPa")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Send one message and say what became of it.

    Returns
    -------
    int
        0 when it was acknowledged and nothing of it refused, 2 when a property stands there twice.
    """
    read = [value_of(text) for text in options.values]
    values = dict(read)
    if len(values) < len(read):
        names = [name for name, _ in read]
        twice = next(name for name in values if names.count(name) > 1)
        print(f"hypervision publish: {twice!r} is given twice: one message has one value of it", file=sys.stderr)  # noqa: T201
        return 2
    settings = complete(settings)
    address = Address.of(settings)
    if topics.THING.fullmatch(options.thing) is None:
        raise UsageError(
            f"{options.thing!r} is no code of a Thing", remedy="use 1 to 64 letters, digits, '.', '_', ':' or '-'"
        )
    catalogue = catalogue_of(settings)
    if options.domain and options.domain not in catalogue:
        raise UsageError(f"there is no domain {options.domain!r}", remedy=f"use one of {', '.join(catalogue)}")
    with ExitStack() as stack:
        lookup = _lookup(settings, stack)
        place = None if lookup is None else lookup.place_of(options.thing)
        domain = options.domain or choose(catalogue, options.thing, list(values), place, ask=_ask)
        message = _message(domain, options.thing, values, now=datetime.now(UTC))
        send(address, message.topic, message.payload)
        print(f"sent {message.payload.decode()} to {message.topic}: the broker has it")  # noqa: T201
        if lookup is None:
            return 0
        fate = _wait_for_fate(lookup, message)
        print(_sentence(fate))  # noqa: T201
        return 0 if fate.stored and not fate.refused else 1


def _message(domain: str, thing: str, values: dict[str, object], *, now: datetime) -> Sent:
    # Devices send milliseconds; so the instant found in the database is the one that was sent.
    at = now - timedelta(microseconds=now.microsecond % 1000)
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payload = json.dumps({"time": stamp} | values, ensure_ascii=False).encode()
    return Sent(domain, thing, at, topics.up(domain, thing), payload, now)


def value_of(text: str) -> tuple[str, object]:
    """Read `PROPERTY=VALUE`.

    Raises
    ------
    UsageError
        There is no `=`.

    Examples
    --------
    >>> value_of("flow=3.2"), value_of("pressure=310kPa"), value_of("lamp_state=fault"), value_of("door=true")
    (('flow', 3.2), ('pressure', {'value': 310, 'unit': 'kPa'}), ('lamp_state', 'fault'), ('door', True))
    """
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise UsageError(f"{text!r} is no reading", remedy="write PROPERTY=VALUE, for example flow=3.2")
    name = name.strip()
    if value.strip().lower() in ("true", "false"):
        return name, value.strip().lower() == "true"
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return name, value.strip()
    digits, unit = match.groups()
    number: float = int(digits) if re.fullmatch(r"[+-]?\d{1,18}", digits) else float(digits)
    return name, {"value": number, "unit": unit} if unit else number


def choose(
    catalogue: Catalogue,
    thing: str,
    names: Sequence[str],
    place: Place | None,
    *,
    ask: Callable[[str, Sequence[str]], str],
) -> str:
    """The domain of a reading, asked for only where Thing and properties leave it open.

    Parameters
    ----------
    place : Place or None
        Where the Thing is registered.
    ask : callable
        `(thing, domains) -> domain`.

    Raises
    ------
    UsageError
        No domain has all these properties.
    """
    fitting = [
        domain.code
        for domain in catalogue.values()
        if all(name in domain.properties and not domain.properties[name].derived for name in names)
    ]
    if not fitting:
        known = "; ".join(
            f"{domain.code}: {', '.join(p.name for p in domain.properties.values() if not p.derived)}"
            for domain in catalogue.values()
        )
        raise UsageError(f"no domain has the properties {', '.join(names)}", remedy=f"there are {known}")
    if len(fitting) > 1 and place is not None:
        used = [d for d in fitting if all((d, name) in place.datastreams for name in names)]
        if len(used) == 1:
            return used[0]
        if place.domain in fitting:
            return place.domain
    return fitting[0] if len(fitting) == 1 else ask(thing, fitting)


def _ask(thing: str, domains: Sequence[str]) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"the domain of {thing} is open", remedy=f"give --domain with one of {', '.join(domains)}")
    while True:
        answer = input(f"Domain of {thing} ({', '.join(domains)}): ").strip()
        if answer in domains:
            return answer


def send(address: Address, topic: str, payload: bytes) -> None:
    """Publish one message at QoS 1 and wait for the broker's acknowledgement.

    Raises
    ------
    ServiceError
        The broker is away, refuses the log-in, or does not acknowledge.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    if address.user:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set_context(ssl.create_default_context())
    # Empty is good. Whichever comes first tells why: a broker that refuses closes the connection as well.
    client.on_connect = lambda _c, _d, _f, reason, _p: answers.put(str(reason) if reason.is_failure else "")
    client.on_publish = lambda *_: answers.put("")
    client.on_disconnect = lambda _c, _d, _f, reason, _p: answers.put(f"it closed the connection: {reason}")
    try:
        client.connect(address.host, address.port, keepalive=30)
    except OSError as error:
        raise ServiceError(
            f"no broker answers at {address} ({error})", remedy="start the platform with `hypervision up`"
        ) from None
    client.loop_start()
    try:
        deadline = time.monotonic() + _PATIENCE
        why = _answer(answers, deadline)
        if not why:
            client.publish(topic, payload, qos=1)
            why = _answer(answers, deadline)
        if why:
            raise ServiceError(
                f"the broker at {address} did not take the message ({why})",
                remedy="check user, password and rights in HYPERVISION_MQTT_URL",
            )
        client.disconnect()
    finally:
        client.loop_stop()


def _answer(answers: queue.SimpleQueue[str], deadline: float) -> str:
    try:
        return answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        return f"no acknowledgement within {_PATIENCE:g} s"


def _lookup(settings: Settings, stack: ExitStack) -> Lookup | None:
    """The database, where it is known and answers: without it the message is sent all the same."""
    try:
        return stack.enter_context(Lookup(url_of(settings)))
    except HypervisionError:
        return None


def _wait_for_fate(lookup: Lookup, message: Sent) -> Fate:
    deadline = time.monotonic() + _PATIENCE
    fate = Fate(frozenset(), ())
    with suppress(StoreError):
        while not fate.known and time.monotonic() < deadline:
            time.sleep(0.05)
            fate = lookup.fate_of(message)
    return fate


def _sentence(fate: Fate) -> str:
    parts = []
    if fate.stored:
        parts.append(f"stored: {', '.join(sorted(fate.stored))}")
    if fate.refused:
        parts.append(f"refused: {' | '.join(fate.refused)}")
    return "; ".join(parts) or f"not stored within {_PATIENCE:g} s: is a collector running?"
