"""Taking rejected messages out of the quarantine when they are old: a bounded number at a time, with an audit line.

What is counted stays: the counters of `/api/health` live with the writers, the alarm of a Thing that talks too much
looks at the last minutes, and a redelivery is known again among the newest rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hypervision.store import audit, clocks, rejected
from hypervision.store.connection import Connection
from hypervision.store.retention import BY_AGE

_EVERY: Final = timedelta(days=1)
YOUNGEST: Final = timedelta(days=1)
"""Nothing younger is purged: who repeats a delivery, rings or waits for an admission must still find it."""
STEP: Final = 2_000
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class Purged:
    """Rows that went, and the messages or values they stood for."""

    rows: int
    count: int


class Purge:
    """One purge, in steps; each step commits, and says in the journal how far it has come.

    Parameters
    ----------
    before : datetime
        What was received before this instant goes.
    actor : str
        Who answers for it.
    """

    def __init__(self, *, before: datetime, actor: str, reason: str | None = None) -> None:
        self.done = Purged(0, 0)
        self._before = before
        self._actor = actor
        self._reason = reason
        self._journal: int | None = None

    def step(self, connection: Connection, *, now: datetime) -> bool:
        """Remove the oldest rows; whether there may be more. Commits."""
        rows, count = rejected.purge(connection, before=self._before, reason=self._reason, limit=STEP)
        done = Purged(self.done.rows + rows, self.done.count + count)
        journal = self._journal
        if rows:
            told = {"rows": done.rows, "count": done.count}
            if journal is None:
                what = {"before": self._before.isoformat(), "reason": self._reason}
                if self._actor != BY_AGE:
                    # How far it has come is the journal's; that it was begun, and by whom, is told once.
                    audit.note(connection, "rejected.purge", kind="rejected", ident="", actor=self._actor, after=what)
                detail = {**what, **told}
                journal = rejected.note(connection, "rejected_purged", actor=self._actor, detail=detail, now=now)
            else:
                rejected.note_on(connection, journal, told)
        connection.commit()
        self.done, self._journal = done, journal
        return rows == STEP


def purge(
    connection: Connection,
    *,
    older_than: timedelta,
    actor: str,
    clock: Callable[[], datetime],
    reason: str | None = None,
) -> Purged:
    """Remove everything that is older, in steps.

    Parameters
    ----------
    older_than : timedelta
        By time of receipt; `YOUNGEST` at least.
    """
    work = Purge(before=clock() - max(older_than, YOUNGEST), actor=actor, reason=reason)
    while work.step(connection, now=clock()):
        continue
    return work.done


class Daily:
    """The purge that `watch` makes once a day, a step at a time so that its timers do not wait.

    Parameters
    ----------
    keep_days : int
        0: never.
    """

    def __init__(self, keep_days: int) -> None:
        self._keep = timedelta(days=keep_days)
        self._due: datetime | None = None
        self._work: Purge | None = None

    def due(self, now: datetime) -> bool:
        """Whether there is something to do."""
        # A clock that was set back must not put it off.
        return bool(self._keep) and (self._due is None or abs(self._due - now) > _EVERY or now >= self._due)

    def step(self, connection: Connection, *, now: datetime) -> None:
        """Remove the next of what is too old."""
        if self._work is None:
            # What goes is gone: no clock that is ahead makes anything old.
            self._work = Purge(before=clocks.known_time(connection, now) - self._keep, actor=BY_AGE)
        if not self._work.step(connection, now=now):
            self._work, self._due = None, now + _EVERY
