"""What became of one message, and where a Thing belongs: for `publish`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hypervision.store.connection import Connected, mapped
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Thing is registered.

    Attributes
    ----------
    domain : str
        Its own domain.
    datastreams : frozenset of (domain, property)
        What it has sent so far.
    """

    domain: str
    datastreams: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was published.

    Attributes
    ----------
    at : datetime
        Its phenomenon time.
    since : datetime
        When it was sent.
    """

    domain: str
    thing: str
    at: datetime
    topic: str
    payload: bytes
    since: datetime


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message.

    Attributes
    ----------
    stored : frozenset of str
        Properties that have an observation at its time.
    refused : tuple of str
        A sentence per refusal.
    """

    stored: frozenset[str]
    refused: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether anything became of it yet."""
        return bool(self.stored or self.refused)


class Lookup(Connected):
    """A connection that answers these questions; a context manager."""

    def __init__(self, url: str) -> None:
        super().__init__(url, application="publish", autocommit=True)

    def place_of(self, thing: str) -> Place | None:
        """Where a Thing is registered; None when it is not."""
        with mapped():
            rows = self._connection.execute(query("domains_of_thing"), {"thing": thing}).fetchall()
        if not rows:
            return None
        return Place(rows[0][0], frozenset((row[1], row[2]) for row in rows if row[1] is not None))

    def fate_of(self, message: Sent) -> Fate:
        """What became of a message."""
        values = {
            "domain": message.domain,
            "thing": message.thing,
            "at": message.at,
            "topic": message.topic,
            "payload": message.payload,
            "since": message.since,
        }
        with mapped():
            stored = self._connection.execute(query("stored_at"), values).fetchall()
            refused = self._connection.execute(query("rejected_since"), values).fetchall()
        return Fate(frozenset(row[0] for row in stored), tuple(f"{row[0]}: {row[1]}" for row in refused))
