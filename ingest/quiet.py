"""Log lines at most so often: whatever is wrong thousands of times a second is said once, with its number."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

_EVERY: Final = 10.0
_MOST_KINDS: Final = 1_000


class Quiet:
    """A logger that says each kind of line once in ten seconds.

    Parameters
    ----------
    name : str
        Of the logger.
    """

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}

    def warning(self, text: str, *values: object) -> None:
        """Warn, unless this text was said a moment ago."""
        now = time.monotonic()
        with self._lock:
            at, left_out = self._said.get(text, (-_EVERY, 0))
            if now - at < _EVERY:
                self._said[text] = (at, left_out + 1)
                return
            if len(self._said) >= _MOST_KINDS:
                self._said.clear()
            self._said[text] = (now, 0)
        more = f" (and {left_out} times before)" if left_out else ""
        self._log.warning(text + "%s", *values, more)
