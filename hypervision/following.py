"""Following what other writers commit: the rules in force, busy conditions, newest values."""

from __future__ import annotations

import numpy as np

from hypervision import quality
from hypervision.datastreams import NEVER, StreamTable
from hypervision.evaluation import Evaluator
from hypervision.store import alarms as alarm_store
from hypervision.store import rules as rule_store
from hypervision.store.writer import Mark, Writer


class Follower:
    """Keeps a process's caches abreast of the database, inside its own transactions."""

    def __init__(self, streams: StreamTable, evaluator: Evaluator) -> None:
        self._streams = streams
        self._evaluator = evaluator
        self._marks: dict[int, Mark] = {}

    def start(self, writer: Writer) -> None:
        """Take everything anew, on a new connection."""
        self._marks = writer.marks()
        self._evaluator.use_rules(rule_store.load(writer.connection))
        self._load_busy(writer)

    def follow(self, writer: Writer) -> rule_store.Held:
        """Hold the rules until the commit, and take over what others have committed meanwhile.

        Returns
        -------
        Held
            The version of the rules, and the epoch of the roll-ups, which is held as well.
        """
        held = rule_store.hold(writer.connection)
        if held.rules != self._evaluator.rules.version:
            self._evaluator.use_rules(rule_store.load(writer.connection))
        marks = writer.marks()
        moved = marks.keys() != self._marks.keys()
        for writer_id, mark in marks.items():
            before = self._marks.get(writer_id, Mark(0, 0))
            moved |= mark.alarm_no != before.alarm_no
            if mark.commit_no != before.commit_no:
                self._take_newest(writer.latest_since(writer_id, before.commit_no))
        if moved:
            self._load_busy(writer)
        self._marks = marks
        self._evaluator.refresh()
        return held

    def _load_busy(self, writer: Writer) -> None:
        busy = alarm_store.busy(writer.connection)
        self._evaluator.use_busy(
            {(s.source_id, s.rule_id): phase for s, phase in busy.items() if s.kind == "datastream"}
        )

    def _take_newest(self, rows: list[tuple[int, int, float, int]]) -> None:
        if not rows:
            return
        streams = self._streams
        mine = {int(d): s for s, d in enumerate(streams.datastream_id[: len(streams)]) if d >= 0}
        for datastream_id, time_us, result, grade in rows:
            slot = mine.get(datastream_id)
            if slot is None:
                continue
            if time_us > streams.newest_us[slot]:
                streams.newest_us[slot] = time_us
            elif time_us == streams.newest_us[slot]:
                # Known, and written once more: it, or a reading before it, was corrected.
                usable = grade == quality.CORRECTED or grade > quality.OUT_OF_RANGE
                self._evaluator.know(slot, time_us if usable else NEVER, result if usable else np.nan)
