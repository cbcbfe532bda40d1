"""How the parts of the platform itself do: from what is known of them to numbers that rules judge. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from hypervision import flowing
from hypervision.alarms import Alarm
from hypervision.collecting import FORGOTTEN, Seen, service
from hypervision.progress import Progress
from hypervision.pulse import PATIENCE
from hypervision.rules import Limit

DISK: Final = "disk"
BROKER: Final = "broker"
BACKUP: Final = "backup"
COMPUTED: Final = "computed"
"""Where the beat of `analyse` tells how long ago it last finished a computation [s]."""
FAILING: Final = "failing"
"""Where it tells how many series are left alone for a while because their model failed."""
UNSEEN_US: Final = 30_000_000
"""After a longer time in which nobody looked, delays are counted anew [us]."""
# What besides the collectors lasts, and what tells that it does. `watch` cannot judge itself: the screens do.
_LASTING: Final = {"analyse": "analysis_state", "http": "server_state"}
NAMED: Final = (DISK, BROKER, BACKUP, *_LASTING)
"""Parts that have words for people; a collector, or the folder of a disk, is its own name."""


class Beaten(NamedTuple):
    """A writer as its last beat tells of it; `age` is that of the beat [s]."""

    name: str
    age: float
    retired: bool
    link: str | None
    in_flight: int
    stored: int
    duplicate: int
    rejected: int
    detail: Mapping[str, Any] | None


class Measure(NamedTuple):
    """One property of a part of the platform; `value` is None where nothing can be known of it now."""

    part: str
    property: str
    value: float | None


def of_writers(writers: Sequence[Beaten], progress: Mapping[str, Progress], *, now: datetime) -> list[Measure]:
    """Measure collectors, the broker as they see it, the server and the models.

    Parameters
    ----------
    progress : mapping of str to Progress
        What is known of each writer's work after this look.

    Returns
    -------
    list of Measure
        Of parts in service alone: what was retired, or not heard of for a day, has none.

    Notes
    -----
    Each fault is told once. Of a collector that stopped nothing else is known; the broker is judged by those at work.
    """
    known = service((Seen(w.name, w.age, w.retired) for w in writers), patience=flowing.PATIENCE)
    at_work = [writer for writer in writers if writer.name in known.at_work]
    found = [Measure(name, "collector_state", 1.0) for name in known.at_work]
    stopped = [*known.stopped, *(part.writer for part in known.untaken)]
    for name in dict.fromkeys(stopped):
        found += [Measure(name, "collector_state", 0.0), Measure(name, "held_for", None)]
    for writer in at_work:
        held = (now - progress[writer.name].since).total_seconds() if writer.in_flight else 0.0
        found.append(Measure(writer.name, "held_for", max(held, 0.0)))
    links = {writer.link for writer in at_work if writer.link}
    if links:
        found.append(Measure(BROKER, "broker_link", float(links == {"connected"})))
    elif known.at_work or known.stopped:
        found.append(Measure(BROKER, "broker_link", None))
    for writer in writers:
        if writer.name in _LASTING and writer.age <= FORGOTTEN and not writer.retired:
            working = writer.age <= PATIENCE
            found.append(Measure(writer.name, _LASTING[writer.name], float(working)))
            if writer.name == "analyse":
                found += _of_models(writer, working=working)
    return found


def _of_models(writer: Beaten, *, working: bool) -> list[Measure]:
    told = writer.detail if working and writer.detail is not None else {}
    computed, failing = _number(told.get(COMPUTED)), _number(told.get(FAILING))
    return [
        Measure(writer.name, "analysis_age", None if computed is None else computed / 60),
        Measure(writer.name, "detectors_failing", failing),
    ]


def of_disks(used: Mapping[str, float | None]) -> list[Measure]:
    """Measure disks, by their part [%]."""
    return [Measure(part, "disk_used", value) for part, value in used.items()]


def of_backup(last: datetime | None, *, now: datetime) -> list[Measure]:
    """Measure the last backup; where none was ever noted, nobody is to wait for one."""
    return [] if last is None else [Measure(BACKUP, "backup_age", max((now - last).total_seconds(), 0.0) / 3600)]


def judge(kind: str, held: Limit, value: float) -> tuple[bool, bool]:
    """Whether a number violates a limit, and whether it is clear of it.

    Examples
    --------
    >>> judge("high", Limit(90.0, 2.0, True), 89.0), judge("state_equals", Limit(0.0, 0.0, True), 0.0)
    ((False, False), (True, False))
    """
    limit, deadband, enabled = held
    if not enabled:
        return False, True
    if kind == "high":
        return value > limit, value <= limit - deadband
    if kind == "low":
        return value < limit, value >= limit + deadband
    return value == limit, value != limit


def seen_again(alarm: Alarm, now_us: int) -> Alarm:
    """A condition when somebody looks at it again: a delay that ran while nobody looked is counted anew.

    The same where the clock was set back by as much; what happens now is then not older than what happened.

    Examples
    --------
    >>> seen_again(Alarm("pending", "NORM", 0, 0), 60_000_000).phase
    'normal'
    >>> seen_again(Alarm("pending", "NORM", 0, 50_000_000), 60_000_000).phase
    'pending'
    """
    if abs(now_us - alarm.last_us) <= UNSEEN_US:
        return alarm
    known = replace(alarm, last_us=min(alarm.last_us, now_us), since_us=min(alarm.since_us, now_us))
    if alarm.phase not in ("pending", "returning"):
        return known
    return replace(known, phase="normal" if alarm.phase == "pending" else "active", since_us=now_us)


def _number(given: object) -> float | None:
    return None if isinstance(given, bool) or not isinstance(given, int | float) else float(given)
