"""Whether a writer that holds messages settles any: one definition for health, screens and the platform's alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

# A batch is committed within a second or two; a collector that holds messages for so long is stuck [s].
STUCK_AFTER: Final = 30.0


class Counted(Protocol):
    """A writer with its counters of one instant; None before its first beat."""

    @property
    def name(self) -> str:
        """Which writer."""

    @property
    def stored(self) -> int | None:
        """Messages with a new row."""

    @property
    def duplicate(self) -> int | None:
        """Messages that were known."""

    @property
    def rejected(self) -> int | None:
        """Messages that were refused."""

    @property
    def in_flight(self) -> int | None:
        """Messages that it holds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages a writer has settled, and since when it holds others without settling any."""

    settled: int
    since: datetime


def progressed(before: Mapping[str, Progress], writers: Iterable[Counted], *, now: datetime) -> dict[str, Progress]:
    """What is known of each writer's work after another look.

    Parameters
    ----------
    before : mapping
        After the look before; empty after an outage of the database, during which nobody could commit.

    Returns
    -------
    dict
        The instant moves on whenever stored + duplicate + rejected changed, or nothing was in flight.
    """
    found = {}
    for writer in writers:
        settled = (writer.stored or 0) + (writer.duplicate or 0) + (writer.rejected or 0)
        last = before.get(writer.name)
        stands = last is not None and last.settled == settled and bool(writer.in_flight)
        found[writer.name] = last if last is not None and stands else Progress(settled, now)
    return found
