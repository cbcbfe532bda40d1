"""The stages of `bench ingest` in their order; each fills in its figures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hypervision.bars import Figure, shown
from hypervision.errors import HypervisionError
from ingest.bench.backlog import Backlog, backlog
from ingest.bench.delay import Delay, delay
from ingest.bench.figures import BARS
from ingest.bench.ground import Ground
from ingest.bench.makes import PROBE_EVERY, PROBES
from ingest.bench.mosquitto import mosquitto
from ingest.bench.runs import READINGS, WIDE_TOPICS, Drain, bare, drain, together, together_bare

STAGES: Final = {
    "drain": ("drain", "cpu"),
    "mosquitto": ("mosquitto",),
    "together": ("together",),
    "wide": ("wide",),
    "delay": ("p50", "p99"),
    "looping": ("looping",),
    "backlog": ("backlog", "flat"),
}
"""The figures of every stage."""
LOOPING_RATE: Final = 5_000.0
"""Messages a second of the device in a loop."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes
    ----------
    messages, topics, rounds : int
        Of a drain, Things that send, runs of every stage.
    rate, seconds : float
        Of the steady runs.
    outage : float
        How long the database is thought to be away [s].
    """

    messages: int = 200_000
    topics: int = 20_000
    rounds: int = 3
    rate: float = 1_200.0
    seconds: float = 15.0
    outage: float = 600.0

    @property
    def planned(self) -> int:
        """How many messages all stages together publish at most."""
        drains = self.rounds * 5 * self.messages
        waiting = self.rounds * int(self.rate * (self.outage + 130))
        return drains + waiting + self.rounds * 2 * int(self.rate * self.seconds) + 2 * self.topics


@dataclass(slots=True)
class Course:
    """What is measured, and what was found.

    Parameters
    ----------
    say : callable
        Told every run.
    mosquitto : Path, optional
        Its program, where there is one.

    Attributes
    ----------
    raw : dict
        Everything measured, by stage.
    """

    sizes: Sizes
    say: Callable[[str], None]
    mosquitto: Path | None
    stages: Sequence[str] = tuple(STAGES)
    figures: dict[str, Figure] = field(default_factory=lambda: {bar.key: Figure(bar) for bar in BARS})
    raw: dict[str, Any] = field(default_factory=dict)

    def run(self, ground: Ground) -> None:
        """Measure every stage; one that fails is said, and the others go on."""
        self._warm(ground)
        for name in self.stages:
            try:
                getattr(self, f"_{name}")(ground)
            except (HypervisionError, OSError, subprocess.TimeoutExpired) as error:
                self._missing(name, (str(error).splitlines() or [type(error).__name__])[0][:300])
                self._clear(ground)

    @staticmethod
    def _clear(ground: Ground) -> None:
        """Leave nothing of a stage that failed to the next one."""
        place = ground.place
        collector, database = place.roles.get("collect"), place.roles.get("database")
        if collector is not None and collector.running:
            # Stopped, it says so; killed, its last words would be taken for those of the next one.
            try:
                collector.stop(seconds=20.0)
            except subprocess.TimeoutExpired:
                collector.kill()
        if database is not None and not database.running:
            place.start("database")
        ground.rest()

    def _missing(self, name: str, why: str) -> None:
        self.say(f"NOT MEASURED: {name}: {why}")
        for key in STAGES[name]:
            self.figures[key].why_not = why

    def _warm(self, ground: Ground) -> None:
        """Register the Things; nothing of it counts."""
        ground.make_sessions()
        ground.fill("probe", PROBE_EVERY * PROBES)
        ground.fill("loop", 1)
        drain(ground, self.sizes.topics)
        if {"drain", "mosquitto", "together"} & set(self.stages):
            bare(ground, self.sizes.topics)
        if "wide" in self.stages:
            drain(ground, WIDE_TOPICS, kind="wide")
            bare(ground, WIDE_TOPICS, kind="wide")

    def _drain(self, ground: Ground) -> None:
        for _ in range(self.sizes.rounds):
            other, own = self._pair("drain", ground, lambda g: bare(g, self.sizes.messages), self._own)
            self._add("drain", own.rate, other.rate)
            self._add("cpu", own.cpu_per_million, other.cpu_per_million)

    def _mosquitto(self, ground: Ground) -> None:
        if self.mosquitto is None:
            self._missing("mosquitto", "Mosquitto is not installed on this machine")
            return
        with mosquitto(self.mosquitto) as url:
            ground.place.use_broker(url)
            try:
                ground.make_sessions()
                for _ in range(self.sizes.rounds):
                    other, own = self._pair("mosquitto", ground, lambda g: bare(g, self.sizes.messages), self._own)
                    self._add("mosquitto", own.rate, other.rate)
            finally:
                ground.place.use_broker(None)

    def _together(self, ground: Ground) -> None:
        n = self.sizes.messages
        for _ in range(self.sizes.rounds):
            other, own = self._pair("together", ground, lambda g: together_bare(g, n), lambda g: together(g, n))
            self._add("together", own.rate, other.rate)

    def _wide(self, ground: Ground) -> None:
        n = self.sizes.messages // 4
        for _ in range(self.sizes.rounds):
            other, own = self._pair(
                "wide", ground, lambda g: bare(g, n, kind="wide"), lambda g: drain(g, n, kind="wide")
            )
            self._add("wide", own.rate * READINGS["wide"], other.rate * READINGS["wide"])

    def _delay(self, ground: Ground) -> None:
        for _ in range(self.sizes.rounds):
            self._calm(ground)

    def _looping(self, ground: Ground) -> None:
        sizes = self.sizes
        for turn in range(sizes.rounds):
            calm = self.raw.get("delay", [])
            quiet = calm[turn]["p99"] if turn < len(calm) else self._calm(ground).p99
            found = delay(ground, rate=sizes.rate, seconds=sizes.seconds, looping=LOOPING_RATE)
            self._note("looping", found)
            self._add("looping", found.p99 / quiet)

    def _backlog(self, ground: Ground) -> None:
        if not ground.place.owns_database:
            self._missing("backlog", "a database of one's own is not stopped")
            return
        sizes = self.sizes
        for _ in range(sizes.rounds):
            found = backlog(ground, int(sizes.rate * sizes.outage), rate=sizes.rate)
            self._note("backlog", found)
            self._add("backlog", found.factor)
            self._add("flat", max(0.0, found.away - found.early))

    def _own(self, ground: Ground) -> Drain:
        return drain(ground, self.sizes.messages)

    def _calm(self, ground: Ground) -> Delay:
        found = delay(ground, rate=self.sizes.rate, seconds=self.sizes.seconds)
        self._note("delay", found)
        self._add("p50", 1e3 * found.p50)
        self._add("p99", 1e3 * found.p99)
        return found

    def _pair(
        self, name: str, ground: Ground, others: Callable[[Ground], Drain], ours: Callable[[Ground], Drain]
    ) -> tuple[Drain, Drain]:
        """The bare path and the platform, one after the other."""
        other = others(ground)
        self._note(f"{name}, bare path", other)
        own = ours(ground)
        self._note(name, own)
        return other, own

    def _add(self, key: str, own: float, other: float | None = None) -> None:
        self.figures[key].values.append(own)
        if other is not None:
            self.figures[key].bare.append(other)

    def _note(self, name: str, found: Drain | Delay | Backlog) -> None:
        self.raw.setdefault(name, []).append(asdict(found))
        self.say(line(name, found))
        memory = self.figures["memory"]
        if isinstance(found, Drain):
            if name.endswith("bare path"):
                memory.bare = [max([found.memory, *memory.bare])]
                return
            seen = found.memory
        else:
            seen = found.memory if isinstance(found, Delay) else max(found.early, found.away, found.after)
        memory.values = [max([seen, *memory.values])]


def line(name: str, found: Drain | Delay | Backlog) -> str:
    """One run on one line.

    Examples
    --------
    >>> line("drain", Drain(1000, 2, 2500.0, {"taker": 1.25}, 99.6))
    'drain                   2,500 messages/s, 2 readings each; CPU s: taker 1.2; memory 100 MB'
    """
    if isinstance(found, Drain):
        cpu = ", ".join(f"{verb} {seconds:.1f}" for verb, seconds in found.cpu.items())
        said = f"{shown(found.rate, 0):>8} messages/s, {found.readings} readings each; CPU s: {cpu}"
        return f"{name:<21}{said}; memory {found.memory:.0f} MB"
    if isinstance(found, Delay):
        beside = f" beside {found.looping:,.0f}/s of one device" if found.looping else ""
        return (
            f"{name:<21}p50 {1e3 * found.p50:.0f} ms, p99 {1e3 * found.p99:.0f} ms at {found.rate:,.0f}/s{beside}; "
            f"{found.probes} probes, {found.lost} lost; CPU {found.cpu:.2f} s/s; memory {found.memory:.0f} MB"
        )
    return (
        f"{name:<21}{found.messages:,} messages in {found.seconds:.1f} s, {found.factor:.1f} times real time; "
        f"{found.lost} lost; memory {found.early:.0f}, {found.away:.0f}, {found.after:.0f} MB"
    )
