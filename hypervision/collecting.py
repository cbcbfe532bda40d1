"""Which collectors are in service: one definition for health, screens and timers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from hypervision.partitions import WRITER, Partition, missing

FORGOTTEN: Final = 86_400.0
"""What was silent for so long was taken out of service; a collector only when another one works [s]."""


class Seen(NamedTuple):
    """A writer as the database knows it; `age` is that of its last beat [s]."""

    name: str
    age: float
    retired: bool


@dataclass(frozen=True, slots=True)
class Service:
    """The collectors in service.

    Attributes
    ----------
    at_work : tuple of str
        Those that beat.
    stopped : tuple of str
        Those that do not and are missed, the longest silent first.
    untaken : tuple of Partition
        Of every whole of which one part is at work, the parts of which no collector is in service.
    """

    at_work: tuple[str, ...]
    stopped: tuple[str, ...]
    untaken: tuple[Partition, ...]


def service(writers: Iterable[Seen], *, patience: float) -> Service:
    """Tell which collectors are in service.

    Parameters
    ----------
    writers : iterable of Seen
        Others than collectors are left out.
    patience : float
        A collector whose last beat is older does not beat [s].

    Notes
    -----
    Out of service is a collector that was retired and does not beat, and one that was silent for a day while another
    works: it was left behind by a change of their number without `--retire`. A part of the messages that such a one
    took alone is untaken, not forgotten.

    Examples
    --------
    >>> left = [Seen("collector-1/1", 90_000.0, False), Seen("collector-1/2", 0.5, False)]
    >>> service(left, patience=3.0).stopped
    ()
    >>> [str(part) for part in service(left, patience=3.0).untaken]
    ['2/2']
    >>> service(left[:1], patience=3.0).stopped
    ('collector-1/1',)
    """
    collectors = [writer for writer in writers if writer.name.startswith(WRITER)]
    at_work = tuple(writer.name for writer in collectors if writer.age <= patience)
    silent = [writer for writer in collectors if writer.age > patience and not writer.retired]
    missed = [writer for writer in silent if not (at_work and writer.age > FORGOTTEN)]
    stopped = tuple(writer.name for writer in sorted(missed, key=lambda writer: -writer.age))
    return Service(at_work, stopped, tuple(missing(at_work, stopped)))
