"""Database errors of this process, counted by class."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

# SQLSTATE (PostgreSQL, appendix A) to the class that a person looks for: whole states first, then their classes.
_STATES: Final = {
    "40001": "serialization",
    "40P01": "deadlock",
    "53100": "disk_full",
    "53200": "out_of_memory",
    "53300": "too_many_connections",
    "55P03": "lock_timeout",
    "57014": "statement_timeout",
    "25006": "read_only",
}
_CLASSES: Final = {
    "08": "connection",
    "22": "data",
    "23": "constraint",
    "25": "transaction_state",
    "28": "authorization",
    "40": "rollback",
    "42": "syntax_or_access",
    "53": "resources",
    "55": "object_state",
    "57": "shutdown",
    "58": "system",
    "XX": "internal",
}


def class_of(sqlstate: str | None) -> str:
    """The class of a failure; one without SQLSTATE is a broken or refused connection.

    Examples
    --------
    >>> class_of("40P01"), class_of("57P01"), class_of(None), class_of("0A000")
    ('deadlock', 'shutdown', 'connection', 'other')
    """
    if not sqlstate:
        return "connection"
    return _STATES.get(sqlstate) or _CLASSES.get(sqlstate[:2], "other")


class Failures:
    """How often the database has failed this process, by class."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, sqlstate: str | None) -> None:
        """Count one."""
        with self._lock:
            self._counts[class_of(sqlstate)] += 1

    def counts(self) -> dict[str, int]:
        """All of them since the start of the process."""
        with self._lock:
            return dict(self._counts)


FAILURES: Final = Failures()
"""Of this process: every error passes the one function that decides whether it is temporary."""
