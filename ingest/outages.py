"""When a part of the platform itself was away: known gaps, told to the store once they are over."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from hypervision.clock import to_us
from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.stepping import BACKLOG
from hypervision.store.collectors import enlist
from hypervision.store.outages import Cause, Outage, last_beat, put, since
from ingest.quiet import Quiet

_quiet = Quiet(__name__)

SHORTEST: Final = timedelta(seconds=5)
"""What is over sooner is no outage: a restart takes that long."""


class Outages:
    """What this collector has noticed; noted from any thread, written from the one that commits.

    Parameters
    ----------
    intake : Intake
        The way to the store.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._waiting: deque[Outage] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, cause: Cause, began: datetime, ended: datetime) -> None:
        """Note an outage that is over; a short one is none."""
        if ended - began > SHORTEST:
            self._intake.excuse(to_us(began), to_us(ended))
            self._waiting.append(Outage(cause, began, ended))

    def note_own(self, *, lasting: bool = True) -> None:
        """Note how long no collector of this name gave a sign of life; call it before the first beat.

        Parameters
        ----------
        lasting : bool
            Whether it stays: one that was out of service was not missed, and is in service from here on.
        """
        now = self._intake.clock.now()
        try:
            with self._intake.between() as connection:
                silence = last_beat(connection, self._intake.name)
                if lasting:
                    enlist(connection, self._intake.name)
                # A backlog may still be under way.
                for outage in since(connection, now - BACKLOG):
                    self._intake.excuse(to_us(outage.began), to_us(outage.ended))
        except TemporaryStoreError as error:
            _quiet.warning("how long no collector ran is not known: %s", error)
            return
        if silence is not None:
            self.note("collector", *silence)

    def write(self) -> None:
        """Write what is noted, in a transaction of its own; a database that is away gets it later."""
        while self._waiting:
            outage = self._waiting[0]
            try:
                with self._intake.between() as connection:
                    put(connection, self._intake.name, outage)
            except TemporaryStoreError as error:
                _quiet.warning("an outage waits to be written: %s", error)
                return
            except StoreError as error:
                _quiet.warning("an outage cannot be written: %s", error)
            self._waiting.popleft()
