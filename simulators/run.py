"""A whole run of simulated devices: register, make up the past, then publish."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypervision import endpoints
from hypervision.clock import to_us
from hypervision.errors import SettingError, TemporaryStoreError, UsageError
from hypervision.intake import Intake
from hypervision.settings import Settings
from simulators import anchor, history, live, truth
from simulators.localtime import DAY_US, SECOND_US
from simulators.noise import key_of
from simulators.presence import presence
from simulators.publisher import Publisher
from simulators.scenario import Scenario, load
from simulators.simulation import Simulation

log = logging.getLogger(__name__)

WRITER = "simulate"
_FAST_DURATION_S = 3_600.0
# Together with seconds since 1970 it stays below 2**53, which every JSON reader keeps exact.
_SEEDS = 2**20
# A demo that was away for longer leaves a hole that the screen shows.
_LONGEST_HOLE_DAYS = 60.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of `simulate`.

    Attributes
    ----------
    scenario : str
        File or name.
    seed, things : int or None
        Instead of the scenario's.
    truth : Path or None
        Where to write what is wrong.
    speed : float
        Simulated seconds per real second.
    duration_s : float or None
        Simulated time [s].
    history_days : float or None
        Past to make up [d]; None: what the scenario says in a demo, else nothing.
    prefix : str
        Stands before the code of every Thing.
    start_us : int or None
        First simulated instant [us]; None: now, or so long ago that a fast run ends now.
    """

    scenario: str
    seed: int | None = None
    truth: Path | None = None
    speed: float = 1.0
    duration_s: float | None = None
    things: int | None = None
    history_days: float | None = None
    prefix: str = ""
    start_us: int | None = None


def run(wishes: Wishes, settings: Settings, *, clock: Callable[[], datetime], stop: threading.Event) -> int:
    """Simulate until the end or until `stop`.

    Returns
    -------
    int
        How many messages were published.

    Raises
    ------
    HypervisionError
        The scenario is wrong, or broker or database cannot be reached.
    """
    settings = endpoints.complete(settings)
    if settings.mqtt_url is None:
        raise SettingError(
            "no broker is known (setting 'mqtt_url' is not set)",
            remedy="start hypervision demo, or give HYPERVISION_MQTT_URL",
        )
    now_us = to_us(clock())
    playback = _playback(wishes, now_us)
    begun_us, seed = playback.start_us, wishes.seed
    if settings.demo:
        begun_us, seed = anchor.keep(settings.data_dir, scenario=wishes.scenario, seed=seed, now_us=begun_us)
    scenario = load(wishes.scenario, anchor_us=begun_us, seed=seed, things=wishes.things)
    days = _history_days(wishes, settings, scenario)
    origin_us = min(begun_us - round(max(days, scenario.history_days) * DAY_US), playback.start_us) - DAY_US
    simulation = Simulation(
        scenario,
        origin_us=origin_us,
        horizon_us=now_us + 2 * DAY_US,
        boot=_boot(scenario.seed, playback.start_us),
        prefix=wishes.prefix,
        cache=settings.data_dir / "run" / "hydraulics.npz" if settings.demo else None,
    )
    simulation.prepare()
    if wishes.truth is not None:
        truth.write(wishes.truth, simulation.truths())
    if days:
        live_us = _past(simulation, scenario, settings, days, first=begun_us, clock=clock, stop=stop)
        if playback.end_us is None:
            playback = live.Playback(live_us, live_us, 1.0, None)
    if stop.is_set():
        return 0
    log.info("simulated time begins: --seed %d --start %s", scenario.seed, truth.rfc3339(playback.start_us))
    with Publisher(settings.mqtt_url.get_secret_value()) as publisher, presence(settings) as pulse:
        publisher.wait_connected(stop)
        publisher.status(simulation.published_things(), True, stop)
        published = live.play(
            simulation, publisher, playback, scenario.live, clock_us=lambda: to_us(clock()), stop=stop, pulse=pulse
        )
        publisher.status(simulation.published_things(), False, threading.Event())
        publisher.flush(seconds=2.0 if stop.is_set() else 30.0)
    return published


def _playback(wishes: Wishes, now_us: int) -> live.Playback:
    duration_us = None if wishes.duration_s is None else round(wishes.duration_s * SECOND_US)
    if wishes.start_us is not None:
        return live.from_start(now_us, start_us=wishes.start_us, duration_us=duration_us, speed=wishes.speed)
    # Whole seconds: a run can be told again from its first line.
    now_us = now_us // SECOND_US * SECOND_US
    if wishes.speed > 1.0:
        fast_us = duration_us or round(_FAST_DURATION_S * SECOND_US)
        return live.ending_now(now_us, duration_us=fast_us, speed=wishes.speed)
    return live.Playback(now_us, now_us, wishes.speed, None if duration_us is None else now_us + duration_us)


def _boot(seed: int, start_us: int) -> int:
    """The devices' restart counter: higher for each later start, and another for each seed."""
    return start_us // SECOND_US * _SEEDS + key_of(seed, "boot") % _SEEDS


def _history_days(wishes: Wishes, settings: Settings, scenario: Scenario) -> float:
    days = scenario.history_days if settings.demo and wishes.start_us is None else 0.0
    if wishes.history_days is not None:
        days = max(wishes.history_days, 0.0)
    if days and wishes.start_us is not None:
        raise UsageError("--history ends now, so it cannot go with --start", remedy="leave one of them out")
    return days


def _past(
    simulation: Simulation,
    scenario: Scenario,
    settings: Settings,
    days: float,
    *,
    first: int,
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> int:
    """Register the town and write its past; returns when live readings begin [us]."""
    history.write_map(settings.data_dir)
    # Simulated devices are let in whatever the registration of real ones.
    open_settings = settings.model_copy(update={"registration": "open"})
    reach = max(days, min((to_us(clock()) - first) / DAY_US + days, _LONGEST_HOLE_DAYS))
    with Intake.open(open_settings, writer=WRITER) as intake:

        def progress(done: float) -> None:
            history.write_progress(settings.data_dir, done)
            # While this writer beats, nothing is judged silent: the town's past is not complete yet.
            with contextlib.suppress(TemporaryStoreError):
                intake.beat()

        progress(0.0)
        # The town is as old as its history.
        history.register(intake, simulation.town, now=clock() - timedelta(days=days), prefix=simulation.prefix)
        return history.fill(
            intake,
            simulation,
            days=max(days, reach),
            pace=scenario.history,
            clock=clock,
            stop=stop,
            progress=progress,
        )
