"""Playing a simulation against the clock, slice by slice, message by message."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hypervision.errors import UsageError
from hypervision.pulse import Pulse
from simulators.localtime import SECOND_US
from simulators.pace import Pace
from simulators.publisher import Publisher
from simulators.simulation import Outgoing, Simulation
from simulators.truth import rfc3339

_SLICE_US = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Playback:
    """How simulated time runs.

    Attributes
    ----------
    start_us : int
        The first simulated instant [us].
    wall_us : int
        The real instant at which it is played [us].
    speed : float
        Simulated seconds per real second.
    end_us : int or None
        The simulated instant before which the run ends [us]; None for ever.
    """

    start_us: int
    wall_us: int
    speed: float
    end_us: int | None

    def due_in(self, sim_us: int, wall_us: int) -> float:
        """Seconds until a simulated instant is due, negative when it has passed."""
        return ((sim_us - self.start_us) / self.speed - (wall_us - self.wall_us)) / SECOND_US


def ending_now(wall_us: int, *, duration_us: int, speed: float) -> Playback:
    """A run faster than real time: it starts in the past and ends when its own time reaches the clock.

    Examples
    --------
    >>> run = ending_now(1_000_000_000, duration_us=600_000_000, speed=10.0)
    >>> run.start_us, run.end_us  # 60 s of playing: it ends 60 s from now, having begun 600 s before that
    (460000000, 1060000000)
    """
    end_us = wall_us + round(duration_us / speed)
    # Whole seconds, and rather late than ahead of the clock.
    start_us = (end_us - duration_us) // SECOND_US * SECOND_US
    return Playback(start_us, wall_us, speed, start_us + duration_us)


def from_start(wall_us: int, *, start_us: int, duration_us: int | None, speed: float) -> Playback:
    """A run that begins at a simulated instant of one's choice.

    Raises
    ------
    UsageError
        It would run ahead of the clock: no device can send what is still to come.
    """
    if start_us > wall_us:
        raise UsageError(f"--start {rfc3339(start_us)} is still to come", remedy="give a time in the past")
    if speed > 1.0:
        # Simulated time gains speed - 1 seconds a second until it has caught up.
        reach_us = round((wall_us - start_us) * speed / (speed - 1.0))
        if duration_us is None:
            duration_us = reach_us
        elif duration_us > reach_us:
            raise UsageError(
                f"--duration {duration_us / SECOND_US:g} from --start {rfc3339(start_us)} runs ahead of the clock",
                remedy=f"give {reach_us // SECOND_US} or less, or an earlier start",
            )
    return Playback(start_us, wall_us, speed, None if duration_us is None else start_us + duration_us)


def play(
    simulation: Simulation,
    publisher: Publisher,
    playback: Playback,
    pace: Pace,
    *,
    clock_us: Callable[[], int],
    stop: threading.Event,
    pulse: Pulse | None = None,
) -> int:
    """Publish every message when it is due, until the end or until `stop`.

    Parameters
    ----------
    pulse : Pulse, optional
        Told that the run goes on.

    Returns
    -------
    int
        How many messages were published.
    """
    pulse = Pulse() if pulse is None else pulse
    waiting: list[tuple[int, int, Outgoing]] = []
    number = published = 0
    slice_us = round(_SLICE_US * min(max(playback.speed, 1.0), 60.0))
    position = playback.start_us
    while not stop.is_set():
        finished = playback.end_us is not None and position >= playback.end_us
        if finished and not waiting:
            break
        if not finished:
            until = position + slice_us if playback.end_us is None else min(position + slice_us, playback.end_us)
            for message in simulation.messages(position, until, pace):
                heapq.heappush(waiting, (message.sent_us, number, message))
                number += 1
            position = until
        # What is sent before the next slice begins can have no predecessor in it; what is held back waits.
        while waiting and (finished or waiting[0][0] < position) and not stop.is_set():
            sent_us, _, message = waiting[0]
            pause = playback.due_in(sent_us, clock_us())
            if pause > 0 and pulse.rest(stop, pause):
                break
            pulse.check()
            pulse.here()
            heapq.heappop(waiting)
            publisher.publish(message.topic, message.payload, stop)
            published += 1
        if not finished:
            # Nothing to send is no reason to run ahead of time: the next slice is made a second before it begins.
            pause = playback.due_in(position, clock_us()) - 1.0
            if pause > 0:
                pulse.rest(stop, pause)
            pulse.here()
    return published
