"""The numbers of messages follow the batches: what a batch brings, and what is missing since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypervision.batch import Batch, Number
from hypervision.errors import TemporaryStoreError
from hypervision.sequences import RUNS, Came, Gap, Run, Track, advance
from hypervision.store import sequences as store
from hypervision.store.connection import Connection
from hypervision.store.sequences import Counter, Known, Move
from hypervision.topics import parse

_MOST_SEQ = 2**63
_LONGEST_BOOT = 64


class Numbering:
    """How far the counters of the Things of one writer have come; costs nothing for messages without a number."""

    def __init__(self) -> None:
        self._known: dict[Counter, Known] = {}
        self._counters: dict[str, Counter] = {}
        self._pending: dict[Counter, Known] = {}
        self._connection: Connection | None = None

    def take(self, connection: Connection, batch: Batch, dropped: set[int]) -> None:
        """Note the numbers of a batch in its own transaction; `noted` follows the commit.

        Parameters
        ----------
        dropped : set of int
            Messages that were stored before: their times of receipt would look like a restart.

        Raises
        ------
        TemporaryStoreError
            Another process has taken messages of the same device meanwhile: try the batch again.
        """
        self._pending = {}
        if connection is not self._connection:
            # What became of the last transaction over a lost connection is for the database to say.
            self._connection, self._known = connection, {}
        if not batch.numbers:
            return
        came = self._came(batch, dropped)
        self._load(connection, [counter for counter in came if counter not in self._known])
        try:
            self._store(connection, {counter: found for counter, found in came.items() if counter in self._known})
        except TemporaryStoreError:
            for counter in came:
                self._known.pop(counter, None)
            raise

    def noted(self) -> None:
        """The batch is committed."""
        self._known.update(self._pending)
        self._pending = {}

    def _came(self, batch: Batch, dropped: set[int]) -> dict[Counter, list[Came]]:
        found: dict[Counter, list[Came]] = {}
        counters, names = self._counters, batch.topics
        for number in batch.numbers:
            message = number[0]
            came = _came(number)
            if came is None or message in dropped:
                continue
            topic = names[message]
            counter = counters.get(topic) or self._counter(topic)
            if counter is not None:
                found.setdefault(counter, []).append(came)
        return found

    def _counter(self, topic: str) -> Counter | None:
        place = parse(topic)
        if place is None:
            return None
        if len(self._counters) > 200_000:
            self._counters.clear()
        counter = self._counters[topic] = (place.domain, place.thing)
        return counter

    def _load(self, connection: Connection, counters: Sequence[Counter]) -> None:
        if counters:
            self._known.update(store.load(connection, counters))

    def _store(self, connection: Connection, came: Mapping[Counter, list[Came]]) -> None:
        moves: list[Move] = []
        of: list[Counter] = []
        careful: dict[Counter, list[Came]] = {}
        for counter, found in came.items():
            known = self._known[counter]
            run = _straight(known.runs, found)
            if run is None:
                careful[counter] = found
            else:
                moves.append(Move(known.thing_id, counter[0], known.runs[-1], run))
                of.append(counter)
        over: list[int] = []
        kept: dict[Counter, list[Run]] = {counter: list(self._known[counter].runs[:-1]) for counter in of}
        if careful:
            gaps = store.gaps(
                connection, [one for counter, found in careful.items() for one in self._near(counter, found)]
            )
            for counter, found in careful.items():
                known = self._known[counter]
                tracks = advance(known.runs, gaps, found)
                kept[counter] = []
                for i, track in enumerate(tracks):
                    if i < len(tracks) - RUNS:
                        over += [track.run.sequence_id] if track.run.sequence_id else []
                    elif (move := _move(known, counter[0], track, gaps)) is None:
                        kept[counter].append(track.run)
                    else:
                        moves.append(move)
                        of.append(counter)
        if not moves:
            return
        for counter, run in zip(of, store.write(connection, moves, over=over), strict=True):
            kept[counter].append(run)
        self._pending = {
            counter: Known(self._known[counter].thing_id, tuple(sorted(runs, key=lambda run: run.last_us)))
            for counter, runs in kept.items()
        }

    def _near(self, counter: Counter, came: Sequence[Came]) -> list[tuple[int, int, int]]:
        low, high = min(one.seq for one in came), max(one.seq for one in came)
        return [(run.sequence_id, low, high) for run in self._known[counter].runs]


def _straight(runs: Sequence[Run], came: Sequence[Came]) -> Run | None:
    """The newest run after messages that came one after the other; None when something is out of the ordinary."""
    if not runs:
        return None
    last = run = runs[-1]
    seq, at = run.last_seq, run.last_us
    for one in came:
        seq += 1
        if one.seq != seq or one.boot != run.boot or one.time_us < at:
            return None
        at = one.time_us
    return replace(last, last_seq=seq, last_us=at)


def _move(known: Known, domain: str, track: Track, gaps: Mapping[int, Sequence[Gap]]) -> Move | None:
    run = track.run
    was = next((one for one in known.runs if run.sequence_id and one.sequence_id == run.sequence_id), None)
    before, after = set(gaps.get(run.sequence_id, ())), set(track.gaps)
    if was == run and before == after:
        return None
    return Move(known.thing_id, domain, was, run, tuple(sorted(before - after)), tuple(sorted(after - before)))


def _came(number: Number) -> Came | None:
    """What a decoder noted, if it is a number; a message with a time of its own is not refused for a wrong one."""
    _message, boot, seq, time_us, assumed = number
    if type(seq) is not int or not 0 <= seq < _MOST_SEQ:
        return None
    if type(boot) is not str:
        if type(boot) is not int or not 0 <= boot < _MOST_SEQ:
            return None
        boot = str(boot)
    elif boot:
        if len(boot) > _LONGEST_BOOT:
            return None
        boot = boot.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return Came(boot, seq, time_us, assumed)
