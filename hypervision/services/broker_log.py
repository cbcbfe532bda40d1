"""What the broker itself refused, counted from its log: such messages never reach a collector."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_MARK = re.compile(r"\[(?:ERR|WRN)\]")
# Wording of NATS server 2.15; first match wins. The second line of a refused log-in ("unable to connect") is
# not counted again.
_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("", re.compile(r"unable to connect: authentication error")),
    ("publish_denied", re.compile(r"Publish Violation")),
    ("subscription_denied", re.compile(r"Subscription Violation")),
    ("log_in_refused", re.compile(r"authentication error|Authentication Timeout|Authorization Violation")),
    ("payload_too_large", re.compile(r"maximum payload exceeded")),
    ("topic_refused", re.compile(r"not supported for MQTT topics|topic|invalid subject", re.IGNORECASE)),
    (
        "storage_refused",
        re.compile(r"insufficient (?:storage )?resources|no space left|JetStream.*(?:disabled|out of)", re.IGNORECASE),
    ),
    ("malformed", re.compile(r"\bmid:\d+\b")),
)


def classify(line: str) -> str | None:
    """Name what one line of the log says was refused.

    Returns
    -------
    str or None
        `publish_denied`, `subscription_denied`, `log_in_refused`, `payload_too_large`, `topic_refused`,
        `storage_refused` or `malformed`; None when nothing was refused.

    Examples
    --------
    >>> classify('[7] 2026/11/23 01:20:21.3 [ERR] 127.0.0.1:4 - mid:31 - "d" - Publish Violation - Subject "a.b"')
    'publish_denied'
    >>> classify('[7] 2026/11/23 01:20:19.5 [INF] Server is ready') is None
    True
    """
    if _MARK.search(line) is None:
        return None
    for reason, pattern in _REASONS:
        if pattern.search(line):
            return reason or None
    return None


def count(lines: Iterable[str]) -> Counter[str]:
    """Count the refusals in some lines, by reason."""
    return Counter(reason for line in lines if (reason := classify(line)) is not None)


@dataclass(slots=True)
class LogReader:
    """Reads what was added to the broker's log since the last call.

    Parameters
    ----------
    path : Path
        `DATA_DIR/logs/broker.log`; it need not exist.
    from_end : bool
        Whether what stands there at the first call is skipped, because an earlier process counted it.
    """

    path: Path
    from_end: bool = True
    _stream: BinaryIO | None = field(default=None, repr=False)
    _rest: bytes = field(default=b"", repr=False)

    def read(self) -> Counter[str]:
        """Count the refusals since the last call; whole lines only."""
        counted: Counter[str] = Counter()
        if self._stream is None:
            self._open()
        if self._stream is None:
            return counted
        counted += self._drain()
        if self._was_rotated():
            # The open file is the one renamed aside: read to its end above, now the new one from its start.
            self.close()
            self.from_end = False
            self._open()
            counted += self._drain()
        return counted

    def close(self) -> None:
        """Close the log."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._rest = None, b""

    def _open(self) -> None:
        try:
            self._stream = self.path.open("rb")
        except FileNotFoundError:
            # What appears later is new.
            self.from_end = False
            return
        if self.from_end:
            self._stream.seek(0, 2)
        self.from_end = False

    def _drain(self) -> Counter[str]:
        if self._stream is None:
            return Counter()
        *lines, self._rest = (self._rest + self._stream.read()).split(b"\n")
        return count(line.decode("utf-8", "replace") for line in lines)

    def _was_rotated(self) -> bool:
        if self._stream is None:
            return False
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        opened = os.fstat(self._stream.fileno())
        return (now.st_dev, now.st_ino) != (opened.st_dev, opened.st_ino) or now.st_size < self._stream.tell()
