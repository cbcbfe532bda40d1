"""The numbers of messages follow the batches: what a batch brings, and what is missing since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypervision.batch import Batch, Number
from hypervision.errors import TemporaryStoreError
from hypervision.sequences import RUNS, Came, Gap, Run, Track, advance
from hypervision.store import sequences as store
from hypervision.store.connection import Connection
from hypervision.store.sequences import Known, Move
from hypervision.topics import parse

_MOST_SEQ = 2**63
_LONGEST_BOOT = 64


class Numbering:
    """How far the counters of the Things of one writer have come; costs nothing for messages without a number."""

    def __init__(self) -> None:
        # By topic, which names domain and Thing.
        self._known: dict[str, Known] = {}
        self._pending: dict[str, Known] = {}
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
        came: dict[str, list[Number]] = {}
        topics = batch.topics
        for number in batch.numbers:
            if not dropped or number[0] not in dropped:
                came.setdefault(topics[number[0]], []).append(number)
        self._load(connection, [topic for topic in came if topic not in self._known])
        try:
            self._store(connection, came)
        except TemporaryStoreError:
            for topic in came:
                self._known.pop(topic, None)
            raise

    def noted(self) -> None:
        """The batch is committed."""
        self._known.update(self._pending)
        self._pending = {}

    def _load(self, connection: Connection, topics: Sequence[str]) -> None:
        counters = {topic: (place.domain, place.thing) for topic in topics if (place := parse(topic)) is not None}
        if counters:
            found = store.load(connection, list(counters.values()))
            self._known.update({topic: found[counter] for topic, counter in counters.items() if counter in found})

    def _store(self, connection: Connection, came: Mapping[str, list[Number]]) -> None:
        straight: dict[str, Run] = {}
        careful: dict[str, list[Came]] = {}
        pending: dict[str, Known] = {}
        for topic, numbers in came.items():
            known = self._known.get(topic)
            if known is None:
                continue  # of a stranger
            runs = known.runs
            run = _straight(runs[-1], numbers) if runs else None
            if run is not None:
                straight[topic] = run
                pending[topic] = Known(known.thing_id, known.domain, (*runs[:-1], run))
            elif found := [one for number in numbers if (one := _came(number)) is not None]:
                careful[topic] = found
        gaps = store.gaps(connection, [near for topic, found in careful.items() for near in self._near(topic, found)])
        kept: dict[str, list[Run]] = {topic: [] for topic in careful}
        moves: list[tuple[str, Move]] = []
        over: list[int] = []
        for topic, found in careful.items():
            known = self._known[topic]
            tracks = advance(known.runs, gaps, found)
            over += [track.run.sequence_id for track in tracks[:-RUNS] if track.run.sequence_id]
            for track in tracks[-RUNS:]:
                move = _move(known, track, gaps)
                if move is None:
                    kept[topic].append(track.run)
                else:
                    moves.append((topic, move))
        if not straight and not moves:
            return
        stored = store.write(connection, list(straight.values()), [move for _, move in moves], over=over)
        for (topic, _), run in zip(moves, stored, strict=True):
            kept[topic].append(run)
        for topic, runs_now in kept.items():
            pending[topic] = self._known[topic]._replace(runs=tuple(sorted(runs_now, key=_age)))
        self._pending = pending

    def _near(self, topic: str, came: Sequence[Came]) -> list[tuple[int, int, int]]:
        low, high = min(one.seq for one in came), max(one.seq for one in came)
        return [(run.sequence_id, low, high) for run in self._known[topic].runs]


def _age(run: Run) -> int:
    return run.last_us


def _straight(run: Run, numbers: Sequence[Number]) -> Run | None:
    """A run after messages that came one after the other; None when something is out of the ordinary."""
    boot, first_seq, seq, first_us, at, key, version = run
    for _message, its_boot, its_seq, time_us, _assumed in numbers:
        seq += 1
        if its_seq != seq or time_us < at or (its_boot != boot and str(its_boot) != boot):
            return None
        at = time_us
    return Run(boot, first_seq, seq, first_us, at, key, version + 1)


def _move(known: Known, track: Track, gaps: Mapping[int, Sequence[Gap]]) -> Move | None:
    """What is to be stored of a run; None when nothing is new."""
    run = track.run
    before, after = set(gaps.get(run.sequence_id, ())), set(track.gaps)
    if run in known.runs and before == after:
        return None
    return Move(
        known.thing_id,
        known.domain,
        run._replace(version=run.version + 1),
        tuple(sorted(before - after)),
        tuple(sorted(after - before)),
    )


def _came(number: Number) -> Came | None:
    """What a decoder noted, if it is a number; a message with a time of its own is not refused for a wrong one."""
    _message, boot, seq, time_us, assumed = number
    # True is an int in Python, and no number of a message.
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
