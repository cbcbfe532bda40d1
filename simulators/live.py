"""Playing a simulation against the clock, slice by slice, message by message."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass

from simulators.localtime import SECOND_US
from simulators.pace import Pace
from simulators.publisher import Publisher
from simulators.simulation import Outgoing, Simulation

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
    return Playback(end_us - duration_us, wall_us, speed, end_us)


def play(
    simulation: Simulation,
    publisher: Publisher,
    playback: Playback,
    pace: Pace,
    *,
    clock_us: Callable[[], int],
    stop: threading.Event,
) -> int:
    """Publish every message when it is due, until the end or until `stop`.

    Returns
    -------
    int
        How many messages were published.
    """
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
            if pause > 0 and stop.wait(pause):
                break
            heapq.heappop(waiting)
            publisher.publish(message.topic, message.payload, stop)
            published += 1
        if not finished:
            # Nothing to send is no reason to run ahead of time: the next slice is made a second before it begins.
            pause = playback.due_in(position, clock_us()) - 1.0
            if pause > 0:
                stop.wait(pause)
    return published
