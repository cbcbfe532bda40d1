"""Faults of processes: killed, stopped, asked to end, at the worst moment; and their clocks, which jump."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import partial
from typing import Final

import psutil

from hypervision.pulse import NAMED_WITHIN
from ingest.bench.faults.catalogue import Fault
from ingest.bench.faults.scene import Deed, Scene
from ingest.bench.faults.schedule import Span, Step

# What the health page calls a part.
_NAMES: Final = {
    "collect": "collector",
    "watch": "watch",
    "serve": "serve",
    "analyse": "analyse",
    "database": "database",
    "broker": "broker",
}


def kill(part: str, scene: Scene, _step: Step) -> Deed:
    """Kill -9; `up` starts it again."""
    # What a guard holds goes with it, a moment later.
    held = scene.town.part(part.removeprefix("guard:")) if part.startswith("guard:") else None
    (process, *_) = scene.town.signal(part, signal.SIGKILL)
    since = time.time()
    with suppress(psutil.TimeoutExpired):
        process.wait(5)
    if held is not None:
        gone = scene.wait(lambda: not _lives(held), seconds=20, what=f"the end of what {part} held")
        return Deed(time.time(), f"what it held was gone after {gone:.1f} s")
    if part in ("watch", "serve", "analyse"):
        ready = scene.wait(
            lambda: scene.town.health().get("status") == "ready" and scene.town.part(part) is not None,
            seconds=90,
            what=f"the return of {part}",
        )
        return Deed(since, f"health page ready again after {ready:.1f} s")
    return Deed(since)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(scene: Scene, _step: Step) -> Deed:
    """Ask the collector to stop under load: it must be gone within 10 s, and `up` starts it again."""
    (process, *_) = scene.town.signal("collect", signal.SIGTERM)
    since = time.time()
    with suppress(psutil.TimeoutExpired):
        process.wait(20)
    took = time.time() - since
    return Deed(since, f"ended in {took:.1f} s", "" if took <= 10 else f"a collector takes {took:.0f} s to stop")


def freeze(part: str, scene: Scene, step: Step) -> Deed:
    """SIGSTOP and what it has started, then SIGCONT."""
    began = time.time()
    stopped = scene.town.signal(part, signal.SIGSTOP)
    time.sleep(step.seconds)
    for process in stopped:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGCONT)
    since = time.time()
    if part not in _NAMES:
        return Deed(since, f"{step.seconds:.0f} s")
    named = scene.named(_NAMES[part], since=began)
    late = named is None or named > NAMED_WITHIN
    wrong = f"{part}, stopped for {step.seconds:.0f} s, was not named in time" if late and _lasts(step) else ""
    told = f"named after {named:.1f} s" if named is not None else "not named"
    return Deed(since, f"{step.seconds:.0f} s, {told}", wrong)


def _lasts(step: Step) -> bool:
    """Whether a stop is longer than the page may take to name it."""
    return step.seconds > NAMED_WITHIN


def before_acknowledging(scene: Scene, _step: Step) -> Deed:
    """Commit, but let no acknowledgement reach the broker; then kill the collector: all of it comes again."""
    before = scene.committed()
    scene.town.mqtt.hold(down=False)
    try:
        deadline = time.monotonic() + 8
        while scene.committed() <= before and time.monotonic() < deadline:
            time.sleep(0.1)
        committed = scene.committed() - before
        scene.town.signal("collect", signal.SIGKILL)
        since = time.time()
    finally:
        scene.town.mqtt.sever()
        scene.town.mqtt.release()
    return Deed(since, f"{max(committed, 0)} messages committed and not acknowledged")


def backend(scene: Scene, _step: Step) -> Deed:
    """Kill the collector's own server process: the whole database restarts itself."""
    pid = scene.town.trouble.backend("collector-")
    since = time.time()
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return Deed(since, "" if pid else "the collector had no session")


def everything(scene: Scene, _step: Step) -> Deed:
    """Kill `up` with -9: all it started goes; then start it anew."""
    since = time.time()
    scene.town.kill_all()
    return Deed(since, "started anew")


_JUMPS: Final = (4 * 86_400.0, -3 * 3600.0, 400 * 86_400.0, -700 * 86_400.0)
_NOTICED: Final = "the clock of this process is"


def clock(part: str, scene: Scene, step: Step) -> Deed:
    """Set the wall clock of one process days ahead or hours behind under load, and right again."""
    jump = _JUMPS[step.draw % len(_JUMPS)]
    before = scene.said(part, _NOTICED)
    scene.town.clocks[part].set(jump)
    try:
        took = scene.wait(lambda: scene.said(part, _NOTICED) > before, seconds=60, what=f"{part}: a word on its clock")
        time.sleep(step.seconds)
    finally:
        scene.town.clocks[part].set(0.0)
    return Deed(time.time(), f"{jump / 3600:+,.0f} h for {took + step.seconds:.0f} s, told after {took:.1f} s")


FAULTS: Final = [
    *(Fault(Span(f"kill {part}", weight=weight), partial(kill, part)) for part, weight in
      (("collect", 3), ("database", 2), ("broker", 2), ("watch", 1), ("serve", 1), ("analyse", 1),
       ("guard:database", 1), ("guard:broker", 1))),
    Fault(Span("kill up"), everything),
    Fault(Span("kill backend"), backend),
    Fault(Span("end collect"), end),
    Fault(Span("kill before acknowledging", weight=3), before_acknowledging),
    *(Fault(Span(f"stop {part}", 4, 22), partial(freeze, part)) for part in
      ("collect", "watch", "serve", "analyse", "database", "broker")),
    *(Fault(Span(f"clock of {part}", 2, 12), partial(clock, part)) for part in ("collect", "watch")),
]  # fmt: skip
