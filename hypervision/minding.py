"""`watch` minds the platform's own parts: it measures them, and steps their alarms as those of the town."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hypervision import parts
from hypervision.alarms import Reading, apply
from hypervision.clock import EPOCH, to_us
from hypervision.domains.catalogue import PLATFORM
from hypervision.evaluation import delays
from hypervision.parts import UNSEEN_US, Measure
from hypervision.progress import Progress, progressed
from hypervision.rules import Rule
from hypervision.settings import Settings
from hypervision.stepping import NOBODY, Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import parts as store
from hypervision.store.alarms import Case, Source
from hypervision.store.connection import Connection
from hypervision.store.writer import Writer

_log = logging.getLogger(__name__)
_UNSEEN: Final = timedelta(microseconds=UNSEEN_US)


class Minding:
    """What an installation knows of its own parts from one look to the next.

    Parameters
    ----------
    settings : Settings
        The data directory, the folder of the backups and `platform.disks` say whose disks are looked at.
    """

    def __init__(self, settings: Settings) -> None:
        self._folders = folders(settings)
        self._progress: Mapping[str, Progress] = {}
        self._looked = EPOCH
        self._unread: set[str] = set()

    def step(self, writer: Writer, stepper: Stepper, *, now: datetime) -> tuple[list[Case], int]:
        """Step the alarms of the platform.

        Returns
        -------
        cases : list of Case
            The conditions that were locked.
        steps : int
            Transitions written.
        """
        return step(writer, stepper, self.look(writer.connection, now=now), now=now)

    def look(self, connection: Connection, *, now: datetime) -> list[Measure]:
        """Measure every part now."""
        if not timedelta(0) <= now - self._looked <= _UNSEEN:
            # Nobody looked, or nobody could: what stood still meanwhile may have moved and stopped again.
            self._progress = {}
        self._looked = now
        writers = store.beaten(connection)
        self._progress = progressed(self._progress, writers, now=now)
        return [
            *parts.of_writers(writers, self._progress, now=now),
            *parts.of_disks(self._used()),
            *parts.of_backup(store.last_backup(connection), now=now),
        ]

    def _used(self) -> dict[str, float | None]:
        """How full the disks are [%]; two folders of one disk are one part."""
        found: dict[str, float | None] = {}
        seen: set[int] = set()
        for part, folder in self._folders.items():
            try:
                device = folder.stat().st_dev
                if device in seen:
                    continue
                disk = shutil.disk_usage(folder)
            except OSError as error:
                if part not in self._unread:
                    _log.warning("how full the disk of %s is cannot be told: %s", folder, error)
                    self._unread.add(part)
                found[part] = None
                continue
            seen.add(device)
            self._unread.discard(part)
            # As `df` counts: without what is kept back for root.
            found[part] = 100.0 * disk.used / max(disk.used + disk.free, 1)
        return found


def folders(settings: Settings) -> dict[str, Path]:
    """The folders whose disks are looked at, by the part that they are.

    Examples
    --------
    >>> from hypervision.settings import load
    >>> list(folders(load({"HYPERVISION_PLATFORM__DISKS": "/srv/db"}, overrides={"data_dir": "/d"})))
    ['disk', 'disk /srv/db']
    """
    more = [Path(each.strip()) for each in settings.platform.disks.split(",") if each.strip()]
    if settings.backup.folder is not None:
        more.append(settings.backup.folder)
    return {parts.DISK: settings.data_dir, **{f"{parts.DISK} {folder}": folder for folder in more}}


def step(writer: Writer, stepper: Stepper, measures: Sequence[Measure], *, now: datetime) -> tuple[list[Case], int]:
    """Step the alarms of the platform by what was measured.

    Parameters
    ----------
    measures : sequence of Measure
        A part that nothing was measured of is out of service: what stands of it returns. One of which nothing can be
        known now stays as it is.
    """
    rules = [rule for rule in stepper.evaluator.rules.rules if rule.domain == PLATFORM and rule.enabled]
    by_id = {rule.rule_id: rule for rule in rules}
    now_us = to_us(now)
    every = alarm_store.standing(writer.connection)
    standing = [source for source in every if source.kind == "system" and source.rule_id in by_id]
    judged = [
        (rule, measure, parts.judge(rule.kind, stepper.evaluator.held(rule, NOBODY, now_us), measure.value))
        for rule in rules
        for measure in measures
        if measure.property == rule.property and measure.value is not None
    ]
    wanted = {measure.part for _, measure, (violates, _) in judged if violates}
    if not wanted and not standing:
        return [], 0
    number = store.numbers(writer.connection, wanted)
    events: dict[Source, Reading] = {}
    for rule, measure, (violates, clears) in judged:
        source = Source("system", number.get(measure.part, 0), rule.rule_id)
        if violates or source in standing:
            assert measure.value is not None
            events[source] = Reading(now_us, violates, clears, measure.value)
    known = {(number.get(measure.part, 0), measure.property) for measure in measures}
    for source in standing:
        if (source.source_id, by_id[source.rule_id].property) not in known:
            events[source] = Reading(now_us, violates=False, clears=True, value=0.0)
    found: dict[Source, tuple[Rule, int | None]] = {source: (by_id[source.rule_id], None) for source in events}
    cases = alarm_store.lock(writer.connection, found)
    for case in cases:
        event = events[case.source]
        alarm = parts.seen_again(case.alarm, now_us)
        event = event._replace(at_us=max(now_us, alarm.last_us))
        case.alarm, case.steps = apply(alarm, event, delays(by_id[case.source.rule_id]))
    return cases, stepper.write(cases, found, writer.connection, now=now)
