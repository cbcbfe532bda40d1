"""The supervisor: starts every part as a child of this process, restarts what dies, stops in order.

`supervisor` (supervisord) is run inside the process of `up`, with a configuration written for this start, in the
foreground, without its control socket.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from hypervision.services.guard import YIELD_VARIABLE

# supervisord waits one second longer after each failed start, without end; a part of a control room that has
# failed for an hour must still come back within seconds of its cause going away.
_LONGEST_WAIT = 5.0
# Without these two nothing comes in; a try costs a fraction of a second of processor time.
_SERVICES = ("database", "broker")
_LONGEST_WAIT_OF_SERVICES = 1.5

# A service that has ended by itself so often before it answered once will not answer; about 4 s.
_TRIES = 3

# supervisord looks at its children and signals once a second; a restart and a stop can be faster.
_LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """One child of `up`.

    Parameters
    ----------
    name : str
        Of its log file and in messages.
    arguments : sequence of str
        The verb and its options.
    level : int
        Levels start in rising order and stop in falling order, each level only when the one above is gone.
    once : bool
        Runs to its end and is started again only when it failed.
    patience : int
        [s] from the wish to stop to the kill.
    give_way : int
        How much it gives way to the others when the processor is short (nice(2), 0 to 19).
    environment : dict
        Added to the environment of `up`.
    """

    name: str
    arguments: Sequence[str]
    level: int = 50
    once: bool = False
    patience: int = 8
    give_way: int = 0
    environment: dict[str, str] = field(default_factory=dict)


def configuration(programs: Sequence[Program], *, python: str, uid: int | None = None) -> str:
    """Write supervisord's configuration; paths are relative to the data directory.

    Parameters
    ----------
    programs : sequence of Program
        What to run.
    python : str
        The interpreter.
    uid : int, optional
        Our own user id when we are root: it says that staying root is meant.

    Examples
    --------
    >>> print(configuration([Program("watch", ["watch"])], python="/p/python").split("[program:watch]")[1].split()[0])
    command=/p/python
    """
    lines = ["[supervisord]", "nodaemon=true", "silent=true", "nocleanup=true", "loglevel=info"]
    lines += ["logfile=logs/supervisor.log", "logfile_maxbytes=2MB", "logfile_backups=2"]
    lines += ["pidfile=run/up.pid", "childlogdir=logs", "minfds=1024", "minprocs=1"]
    if uid is not None:
        lines.append(f"user={uid}")
    for level in sorted({program.level for program in programs}):
        members = [program.name for program in programs if program.level == level]
        lines += ["", f"[group:level{level}]", f"programs={','.join(members)}", f"priority={level}"]
    for program in programs:
        command = shlex.join([python, "-m", "hypervision", *program.arguments]).replace("%", "%%")
        lines += [
            "",
            f"[program:{program.name}]",
            f"command={command}",
            f"autorestart={'unexpected' if program.once else 'true'}",
            f"startsecs={0 if program.once else 1}",
            "exitcodes=0",
            "startretries=1000000000",
            f"stopwaitsecs={program.patience}",
            "stopsignal=TERM",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile=logs/{_log_name(program.name)}.log",
            "stdout_logfile_maxbytes=5MB",
            "stdout_logfile_backups=3",
        ]
        environment = dict(program.environment)
        if program.give_way:
            environment[YIELD_VARIABLE] = str(program.give_way)
        if environment:
            pairs = (f'{key}="{value}"'.replace("%", "%%") for key, value in environment.items())
            lines.append(f"environment={','.join(pairs)}")
    return "\n".join(lines) + "\n"


def _log_name(program: str) -> str:
    # logs/broker.log is the broker's own, from which refusals are counted.
    return "broker-guard" if program == "broker" else program


class _Options(ServerOptions):  # type: ignore[misc]
    """Reaps only the children that the supervisor started itself: others of this process have own waiters."""

    def __init__(self) -> None:
        super().__init__()
        poll = self.poller.poll
        self.poller.poll = lambda timeout: poll(min(timeout, _LOOK_EVERY))

    def waitpid(self) -> tuple[int | None, int | None]:
        for pid in list(self.pidhistory):
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except OSError as error:
                if error.errno == errno.ECHILD:
                    return pid, 0
                continue
            if found:
                return found, status
        return None, None


class _Supervisor(Supervisor):  # type: ignore[misc]
    """Bounds the wait before a restart, and stops when the terminal closes."""

    def __init__(self, options: Any, stopping: Callable[[], None], hopeless: Callable[[str], bool]) -> None:
        super().__init__(options)
        self._say_stopping = stopping
        self._said = False
        self._hopeless = hopeless
        self._ends: dict[str, set[float]] = {}
        self.given_up = ""

    def runforever(self) -> None:
        # The loop waits before its first look; the children need not.
        for group in sorted(self.process_groups.values()):
            group.transition()
        super().runforever()

    def tick(self, now: float | None = None) -> None:
        super().tick(now)
        instant = time.time()
        for group in self.process_groups.values():
            for process in group.processes.values():
                if process.get_state() == ProcessStates.BACKOFF:
                    service = process.config.name in _SERVICES
                    longest = _LONGEST_WAIT_OF_SERVICES if service else _LONGEST_WAIT
                    process.delay = min(process.delay, instant + longest)
                if process.laststop:
                    self._note_end(process.config.name, process.laststop)

    def _note_end(self, name: str, at: float) -> None:
        ends = self._ends.setdefault(name, set())
        if self.options.mood != SupervisorStates.RUNNING or at in ends:
            return
        ends.add(at)
        if len(ends) >= _TRIES and self._hopeless(name):
            self.given_up = name
            self.options.mood = SupervisorStates.SHUTDOWN
            self._tell_stopping()

    def handle_signal(self) -> None:
        super().handle_signal()
        # SIGHUP means "reload" to supervisord; here it means that the terminal was closed.
        if self.options.mood == SupervisorStates.RESTARTING:
            self.options.mood = SupervisorStates.SHUTDOWN
        if self.options.mood == SupervisorStates.SHUTDOWN:
            self._tell_stopping()

    def _tell_stopping(self) -> None:
        if not self._said:
            self._said = True
            self._say_stopping()


def run(
    programs: Sequence[Program],
    data_dir: Path,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None],
    hopeless: Callable[[str], bool],
) -> str:
    """Run the programs until this process is asked to stop; all are gone then.

    Parameters
    ----------
    programs : sequence of Program
        What to run.
    data_dir : Path
        Becomes the working directory; `run/` and `logs/` lie in it.
    ready : callable
        Called once just before the first child starts.
    stopping : callable
        Called once when the wish to stop arrives.
    hopeless : callable
        Asked with the name of a program that has ended by itself three times: whether to stop everything for it
        instead of starting it again.

    Returns
    -------
    str
        The program that everything was stopped for; empty after a wish to stop.
    """
    uid = os.getuid() if os.getuid() == 0 else None
    path = data_dir / "run" / "supervisord.conf"
    path.write_text(configuration(programs, python=sys.executable, uid=uid), "utf-8")
    os.chdir(data_dir)
    options = _Options()
    options.realize(["-n", "-s", "-c", str(path)])
    options.first = True
    options.test = False
    supervisor = _Supervisor(options, stopping, hopeless)
    ready()
    try:
        supervisor.main()
    except ExitNow:
        pass
    finally:
        options.close_logger()
    return supervisor.given_up
