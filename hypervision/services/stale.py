"""What an earlier start left behind: which process is ours, and stopping it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from hypervision.errors import ServiceError
from hypervision.services.secrets import write_private


@dataclass(frozen=True, slots=True)
class Record:
    """A service's process and its guard's, each with its start time [s since the Unix epoch].

    A process id alone is reused by the system; with its start time it names one process for ever.
    """

    pid: int
    created: float
    guard: int
    guard_created: float

    @classmethod
    def of(cls, pid: int) -> Record:
        """Describe a child of this process."""
        try:
            created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0
        own = psutil.Process()
        return cls(pid, created, own.pid, own.create_time())

    def write(self, path: Path) -> None:
        """Keep the record for the next start."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """Read a kept record; None when there is none or it was cut short."""
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def alive(pid: int, created: float) -> psutil.Process | None:
    """Find the very process that was recorded, not another with its number."""
    try:
        process = psutil.Process(pid)
        # Start times are read at a resolution of 10 ms; a reused number differs by far more.
        if abs(process.create_time() - created) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.Error:
        return None
    return process


def clear(
    path: Path, *, name: str, ours: Callable[[psutil.Process], bool], hurry: signal.Signals, wait: float = 12.0
) -> None:
    """Stop what an earlier guard left running when it was killed itself.

    Parameters
    ----------
    path : Path
        The record of the service.
    name : str
        The service, for the error.
    ours : callable
        Looks at a live process's command line: is it our service in our data directory?
    hurry : signal
        What stops it at once without loss.
    wait : float
        [s] to wait for another guard that is just stopping.

    Raises
    ------
    ServiceError
        Another guard holds the service and does not go.
    """
    record = Record.read(path)
    if record is None:
        return
    deadline = time.monotonic() + wait
    while (
        record.guard != os.getpid()
        and alive(record.guard, record.guard_created) is not None
        and alive(record.pid, record.created) is not None
    ):
        if time.monotonic() > deadline:
            raise ServiceError(
                f"{name} already runs as process {record.pid} (from {path})",
                remedy="stop the other `hypervision` first, or use another --data-dir",
            )
        time.sleep(0.1)
    process = alive(record.pid, record.created)
    if process is not None and _safely(ours, process):
        end(process, hurry)
    path.unlink(missing_ok=True)


def end(process: psutil.Process, hurry: signal.Signals) -> None:
    """Stop a process that is not our child: first by `hurry`, after 5 s by force."""
    for number in (hurry, signal.SIGKILL):
        try:
            process.send_signal(number)
            process.wait(timeout=5.0)
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            pass
        return


def _safely(ours: Callable[[psutil.Process], bool], process: psutil.Process) -> bool:
    try:
        return ours(process)
    except psutil.Error:
        return False
