"""The platform's own MQTT topics: `urban/v1/{domain}/{thing}/{up|status|down|ack}`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

THING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
PREFIX: Final = "urban/v1"
# The keys of a message with readings that name no property.
RESERVED: Final = frozenset(("time", "seq", "boot"))


class Topic(NamedTuple):
    """A topic taken apart."""

    domain: str
    thing: str
    leaf: str


def parse(topic: str) -> Topic | None:
    """Take a topic apart; None when it is not one of ours.

    Examples
    --------
    >>> parse("urban/v1/water/pump-1/up")
    Topic(domain='water', thing='pump-1', leaf='up')
    >>> parse("urban/v1/water/../up") is None
    True
    """
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "urban" or parts[1] != "v1" or not THING.fullmatch(parts[3]):
        return None
    return Topic(parts[2], parts[3], parts[4])


def thing_of(topic: str) -> str:
    """The Thing of a topic, empty when it is not one of ours."""
    found = parse(topic)
    return "" if found is None else found.thing


def up(domain: str, thing: str) -> str:
    """Where a device publishes its readings."""
    return f"{PREFIX}/{domain}/{thing}/up"
