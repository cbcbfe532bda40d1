"""CPU seconds and memory of process trees."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and all it started."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU time that a process tree has used [s]."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        # Of children that ended, too: a database's server process per connection, for one.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(pid: int) -> float:
    """Memory of a process tree, shared pages in proportion where the system tells [MB]."""
    total = 0
    for process in tree(pid):
        try:
            full = process.memory_full_info()
        except psutil.Error:
            continue
        # Linux knows the proportional share; macOS what is not shared at all.
        total += getattr(full, "pss", 0) or full.uss
    return total / 1e6


class Watch:
    """Follows the peak memory of a process tree, as long as it is entered.

    Attributes
    ----------
    peak : float
        [MB]
    """

    def __init__(self, pid: int, *, every: float = 0.5) -> None:
        self._pid = pid
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.peak = max(self.peak, memory(self._pid))
            if self._stop.wait(self._every):
                return
