"""Watches a start until everything answers, and says so step by step."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from hypervision.services.plan import log_file


@dataclass(slots=True)
class Step:
    """One thing that must answer.

    Parameters
    ----------
    key : str
        Of its phrase.
    log : str
        Name of the log file that tells why it does not.
    answers : callable
        Looks once; quick.
    values : dict
        Of its phrase.
    needs : tuple of str
        Logs of what it waits for itself: they tell why where its own says nothing.
    """

    key: str
    log: str
    answers: Callable[[], bool]
    values: dict[str, object] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def http_ok(port: int, path: str, *, host: str = "127.0.0.1", seconds: float = 3.0) -> bool:
    """Tell whether a GET on this machine is answered with 200."""
    connection = HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def history_done(path: Path) -> float | None:
    """Read how much of the town's history is generated.

    Returns
    -------
    float or None
        0 to 1; None when nothing says so.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        return float(found["done"]) if found.get("step") == "history" else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def last_line(path: Path) -> str:
    """Read the last line of a log that says something; empty when there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 4096))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def watch(
    steps: Sequence[Step],
    *,
    data_dir: Path,
    say: Callable[..., None],
    stopped: threading.Event,
    pause: float = 0.1,
    remind: float = 15.0,
) -> bool:
    """Wait for every step and say each one as it comes.

    Parameters
    ----------
    steps : sequence of Step
        In the order they are expected; they are looked at together.
    say : callable
        `say(key, **values)` prints one phrase.
    stopped : threading.Event
        Ends the wait.
    pause, remind : float
        [s] between looks, and between reminders of what is missing.

    Returns
    -------
    bool
        Whether everything answers; False when it was stopped before.
    """
    waiting = list(steps)
    shown = -1
    reminded = time.monotonic()
    while waiting and not stopped.is_set():
        done = history_done(data_dir / "run" / "progress.json")
        percent = -1 if done is None else int(done * 100)
        # Tens only: a line for each percent would bury the rest.
        if percent >= 0 and percent // 10 != shown // 10:
            shown = percent
            say("history", percent=percent)
            reminded = time.monotonic()
        for step in list(waiting):
            if not step.answers():
                # What comes later needs what comes first; asking it would only cost time.
                break
            waiting.remove(step)
            say(step.key, **step.values)
            reminded = time.monotonic()
        if waiting and time.monotonic() - reminded > remind:
            reminded = time.monotonic()
            say("still_waiting", names=", ".join(step.log for step in waiting))
            logs = (waiting[0].log, *waiting[0].needs)
            said = ((name, line) for name in logs if (line := last_line(log_file(data_dir, name))))
            for name, line in itertools.islice(said, 1):
                say("last_line", name=name, line=line)
        if waiting:
            stopped.wait(pause)
    return not stopped.is_set()
