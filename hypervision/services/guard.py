"""Nothing outlives `up`: each child watches a pipe whose only other end `up` holds.

A supervisor ends its children when it is asked to stop, but none can do so when it is itself killed with -9.
The kernel then closes its end of the pipe, every child reads the end of its standard input, and goes.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hypervision.services.stale import Record
from hypervision.services.unprivileged import Account

VARIABLE = "HYPERVISION_GUARD"
# How much this process gives way to others that want the processor (nice(2), 0 to 19).
YIELD_VARIABLE = "HYPERVISION_YIELD"

_log = logging.getLogger(__name__)
_parent_gone = threading.Event()
_held: list[IO[str]] = []
# Seconds from the parent's death to our own, whatever our signal handler does; a service guard needs longer.
_grace = [5.0]
_ASK_EVERY: Final = 1.0


def arm(environ: MutableMapping[str, str]) -> bool:
    """Watch standard input when `up` asked for it by the environment.

    Its variables are removed: they are meant for this process, not for its children.

    Returns
    -------
    bool
        Whether the watch was set up.
    """
    give_way = environ.pop(YIELD_VARIABLE, "")
    if environ.pop(VARIABLE, "") != "stdin":
        return False
    if give_way:
        os.nice(int(give_way))
    hold_lock(environ.get("HYPERVISION_DATA_DIR", ""))
    threading.Thread(target=_watch, name="guard", daemon=True).start()
    return True


def hold_lock(data_dir: str) -> None:
    """Keep a shared lock while this process lives, so that the next `up` can wait for its end."""
    path = Path(data_dir) / "run" / "children.lock"
    if not data_dir or not path.parent.is_dir():
        return
    stream = path.open("a", encoding="utf-8")
    fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    _held.append(stream)


def _watch() -> None:
    while True:
        try:
            if os.read(0, 4096) == b"":
                break
        except InterruptedError:
            continue
        except OSError:
            break
    _parent_gone.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_grace[0])
    os._exit(1)


@dataclass(frozen=True, slots=True)
class Service:
    """A foreign program run under guard.

    Parameters
    ----------
    name : str
        For messages.
    argv : sequence of str
        Its command line.
    record : Path
        Where its process is written down for the next start.
    stop : signal
        Asks it to stop in order.
    hurry : signal
        Makes it stop at once without losing what it has promised.
    patience : float
        [s] from `stop` to `hurry` when the parent is well.
    """

    name: str
    argv: Sequence[str]
    record: Path
    stop: signal.Signals = signal.SIGTERM
    hurry: signal.Signals = signal.SIGKILL
    patience: float = 20.0
    account: Account | None = None
    cwd: Path | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start the program and write its process down."""
        account = self.account
        process = subprocess.Popen(
            list(self.argv),
            stdin=subprocess.DEVNULL,
            cwd=self.cwd,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        Record.of(process.pid).write(self.record)
        return process

    def run(self, *, ill: Callable[[], str] = str) -> int:
        """Start the program, pass on the wish to stop, wait for its end.

        Parameters
        ----------
        ill : callable
            Asked every second: what is wrong with the program that only a restart mends; empty when nothing is.

        Returns
        -------
        int
            0 when it was asked to stop, else 1.
        """
        # Longer than the stop of a service whose parent is gone, shorter than the promised 10 s.
        _grace[0] = 9.0
        wish = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: wish.set())
        process = self.start()
        wrong, asked = "", time.monotonic()
        try:
            while not wish.wait(0.05) and process.poll() is None and not wrong:
                if time.monotonic() - asked >= _ASK_EVERY:
                    wrong, asked = ill(), time.monotonic()
            if wish.is_set() or wrong:
                self.end(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self.record.unlink(missing_ok=True)
        if wish.is_set():
            return 0
        if wrong:
            _log.error("%s is started again: %s", self.name, wrong)
            return 1
        _log.error("%s ended by itself with code %s", self.name, process.returncode)
        return 1

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Stop a started program: in order, then in a hurry, then by force."""
        patience = min(self.patience, 4.0) if _parent_gone.is_set() else self.patience
        for number, seconds in ((self.stop, patience), (self.hurry, 3.0)):
            if process.poll() is None:
                process.send_signal(number)
            deadline = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < deadline:
                # The parent can die while we wait: then there is less time.
                if _parent_gone.is_set():
                    deadline = min(deadline, time.monotonic() + 4.0)
                time.sleep(0.02)
        if process.poll() is None:
            process.kill()
            process.wait()
