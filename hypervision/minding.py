"""`watch` minds the platform's own parts: it measures them, and steps their alarms as those of the town."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hypervision import parts, weighing
from hypervision.clock import EPOCH
from hypervision.domains.catalogue import PLATFORM
from hypervision.parts import UNSEEN_US, Measure
from hypervision.progress import Progress, progressed
from hypervision.settings import Settings
from hypervision.stepping import Stepper
from hypervision.store import parts as store
from hypervision.store.alarms import Case
from hypervision.store.connection import Connection
from hypervision.store.writer import Writer
from hypervision.weighing import Weighed

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
    """Step the alarms of the platform by what was measured; see `hypervision.weighing.step`."""
    number = store.numbers(writer.connection, {measure.part for measure in measures})
    weighed = [Weighed(number[one.part], None, one.property, one.value) for one in measures]
    return weighing.step(writer, stepper, weighed, kind="system", domain=PLATFORM, now=now)
