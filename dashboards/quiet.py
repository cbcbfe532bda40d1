"""Log lines that anybody can cause without a log-in are written at most so often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

_MOST_KINDS: Final = 50


class SeldomFilter(logging.Filter):
    """Lets each kind of line through once in a while, with the number of those left out since.

    Parameters
    ----------
    every : float
        The time between two lines of a kind [s]. A kind is the text before its values are filled in.
    clock : callable
        Monotonic time [s].
    """

    def __init__(self, *, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every, self._clock = every, clock
        self._said: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        now, kind = self._clock(), str(record.msg)
        if kind not in self._said and len(self._said) >= _MOST_KINDS:
            # Text that is different each time: all of it is one kind.
            kind = ""
        if now - self._said.get(kind, -self._every) < self._every:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        self._said[kind] = now
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            # Without arguments nothing is filled in: a per cent sign stays one.
            record.msg, record.args = f"{record.getMessage()} (and {left_out} times before)", None
        return True
