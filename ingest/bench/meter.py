"""CPU seconds and memory of process trees."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import numpy as np
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
    return sum(_memory(process) for process in tree(pid))


def _memory(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0.0
    # Linux knows the proportional share; macOS what is not shared at all.
    return float(getattr(full, "pss", 0) or full.uss) / 1e6


class Watch:
    """Follows memory and CPU time of one process without children, as long as it is entered.

    Attributes
    ----------
    memory : list of (float, float)
        Samples: wall clock [s] and memory [MB].
    """

    # CPU time is cheap to ask for and tells the moment when the first message came; memory is dear.
    _TICK = 0.05
    _MEMORY_EVERY = 10

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._cpu: list[tuple[float, float]] = []
        self.memory: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak(self) -> float:
        """The most memory seen [MB]; 0 when nothing was."""
        return max((size for _, size in self.memory), default=0.0)

    def cpu_between(self, first: float, last: float) -> float:
        """CPU time used between two instants of the wall clock [s]; 0 when nothing was seen."""
        if not self._cpu:
            return 0.0
        at, used = np.array(self._cpu).T
        start, end = np.interp([first, last], at, used)
        return float(end - start)

    def _run(self) -> None:
        turn = 0
        try:
            process = psutil.Process(self._pid)
            while True:
                times = process.cpu_times()
                self._cpu.append((time.time(), times.user + times.system))
                if turn % self._MEMORY_EVERY == 0:
                    self.memory.append((time.time(), _memory(process)))
                turn += 1
                if self._stop.wait(self._TICK):
                    return
        except psutil.Error:
            return
