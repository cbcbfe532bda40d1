"""What the broker itself refused, counted from its log: such messages never reach a collector."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

# An MQTT client's line: `… [ERR] ADDRESS - mid:31 - "client id" - what happened`. The client id is the sender's
# own text (quoted by Go's %q), so what happened is read behind it.
_LINE = re.compile(r"\[ERR\] \S+ - mid:\d+(?: - \"(?:[^\"\\]|\\.)*\")? - (?P<what>.*)")
_STORAGE = re.compile(
    r"\[(?:ERR|WRN)\].*(?:insufficient (?:storage )?resources|no space left|JetStream out of)", re.IGNORECASE
)
# Its own line: process, date, time, level; those of clients have an address there.
_STORE_FAILED = re.compile(r"\[\d+\] \S+ \S+ \[(?:ERR|WRN)\] JetStream (?:failed to store|out of)", re.IGNORECASE)
# Wording of NATS server 2.15; the first match wins. The second line of a refused log-in ("unable to connect") is
# not counted again.
_REASONS: tuple[tuple[str, str], ...] = (
    ("unable to connect", ""),
    ("Publish Violation", "publish_denied"),
    ("Subscription Violation", "subscription_denied"),
    ("authentication error", "log_in_refused"),
    ("Authentication Timeout", "log_in_refused"),
    ("maximum payload exceeded", "payload_too_large"),
    ("not supported for MQTT topics", "topic_refused"),
    ("invalid character in client ID", "client_id_refused"),
    ("unacceptable protocol version", "protocol_refused"),
    ("must connect to the Websocket port", "protocol_refused"),
    ("first packet should be a CONNECT", "protocol_refused"),
)


def classify(line: str) -> str | None:
    """Name what one line of the log says was refused.

    Returns
    -------
    str or None
        `publish_denied`, `subscription_denied`, `log_in_refused`, `payload_too_large`, `topic_refused`,
        `client_id_refused`, `protocol_refused`, `storage_refused`, or `malformed` for anything else a client
        did wrong; None when nothing was refused.

    Examples
    --------
    >>> classify('[7] 2026/11/23 01:20:21.3 [ERR] 127.0.0.1:4 - mid:31 - "d" - Publish Violation - Subject "a.b"')
    'publish_denied'
    >>> classify('[7] 2026/11/23 01:20:19.5 [INF] Server is ready') is None
    True
    """
    if _STORAGE.search(line):
        return "storage_refused"
    found = _LINE.search(line)
    if found is None:
        return None
    what = found["what"]
    return next((reason or None for text, reason in _REASONS if text in what), "malformed")


def store_failed(line: str) -> str | None:
    """Name the broker's own failure to store a message; no text of a client is taken for it.

    Examples
    --------
    >>> store_failed("[7] 2026/11/23 06:05:32.6 [ERR] JetStream failed to store a msg on stream 'C > M': write …")
    'store_failed'
    >>> store_failed('[7] 2026/11/23 06:05:32.6 [ERR] 127.0.0.1:4 - mid:3 - "JetStream failed to store" - EOF') is None
    True
    """
    return "store_failed" if _STORE_FAILED.match(line) else None


def count(lines: Iterable[str], tell: Callable[[str], str | None] = classify) -> Counter[str]:
    """Count the refusals in some lines, by reason."""
    return Counter(reason for line in lines if (reason := tell(line)) is not None)


@dataclass(slots=True)
class LogReader:
    """Reads what was added to the broker's log since the last call.

    Parameters
    ----------
    path : Path
        `DATA_DIR/logs/broker.log`; it need not exist.
    from_end : bool
        Whether what stands there at the first call is skipped, because an earlier process counted it.
    tell : callable
        Names what one line says, or None.
    """

    path: Path
    from_end: bool = True
    tell: Callable[[str], str | None] = classify
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
        return count((line.decode("utf-8", "replace") for line in lines), self.tell)

    def _was_rotated(self) -> bool:
        if self._stream is None:
            return False
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        opened = os.fstat(self._stream.fileno())
        return (now.st_dev, now.st_ino) != (opened.st_dev, opened.st_ino) or now.st_size < self._stream.tell()
