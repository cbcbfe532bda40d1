"""One campaign: a platform, a load, a schedule of faults, and the verdict."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypervision.errors import HypervisionError
from hypervision.store.bench import Gauge
from ingest.bench.faults import devices, disk, network, processes, storage
from ingest.bench.faults.catalogue import Fault
from ingest.bench.faults.judge import judge, settle
from ingest.bench.faults.scene import Scene
from ingest.bench.faults.schedule import Step, schedule
from ingest.bench.faults.town import Town
from ingest.bench.faults.verdict import Findings, Health, health

_log = logging.getLogger(__name__)

FAULTS: Final[Sequence[Fault]] = (*processes.FAULTS, *network.FAULTS, *storage.FAULTS, *devices.FAULTS)
# Above this a collector is not bounded any more [MB].
_MEMORY: Final = 450.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to run.

    Parameters
    ----------
    faults : int
        How many at most.
    seconds : float
        After so long no further fault begins [s].
    messages : int
        How many the load shall have at least; after the faults it goes on, faster, until it has.
    scale : float
        1 for the numbers of the full schedule in each fault.
    longest : float
        Bounds how long a fault lasts [s].
    kinds : sequence of str
        Only these; all by default.
    """

    seed: int
    faults: int
    seconds: float
    messages: int
    scale: float = 1.0
    longest: float = 600.0
    pauses: tuple[float, float] = (0.5, 4.0)
    kinds: Sequence[str] = ()
    settings: Mapping[str, str] | None = None
    lamp_every: int = 500


@dataclass(frozen=True, slots=True)
class Done:
    """One fault as it went.

    Attributes
    ----------
    new, old : float or None
        Until the first new reading was stored, until the last old one was [s]; None when not waited for.
    wrong : str
        Empty when nothing was.
    """

    step: Step
    at: float
    new: float | None
    old: float | None
    note: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Result:
    """A campaign's outcome."""

    order: Order
    began: float
    ended: float
    done: Sequence[Done]
    skipped: Mapping[str, str]
    findings: Sequence[Findings]
    health: Health
    reasons: Sequence[tuple[str, bool, int]]
    gaps: Sequence[tuple[str, int, int]]
    unsettled: str

    @property
    def wrong(self) -> list[str]:
        """Everything that must not be."""
        said = [
            f"fault {number} ({each.step.kind}): {each.wrong}" for number, each in enumerate(self.done, 1) if each.wrong
        ]
        said += [f"{each.lane}: {', '.join(each.examples)}" for each in self.findings if not each.passed]
        said += [f"counters at {text}" for text in self.health.broken[:10]]
        said += [self.unsettled] if self.unsettled else []
        if self.health.peak > _MEMORY:
            said.append(f"the collector took {self.health.peak:.0f} MB")
        return said


def run(order: Order, *, say: Callable[[str], object] = _log.info) -> Result:
    """Run a campaign; everything it starts is ended, also after an error or Ctrl-C."""
    wanted = [fault for fault in FAULTS if not order.kinds or fault.span.kind in order.kinds]
    skipped = {fault.span.kind: why for fault in wanted if (why := fault.missing())}
    possible = {fault.span.kind: fault for fault in wanted if fault.span.kind not in skipped}
    steps = schedule(
        [fault.span for fault in possible.values()], faults=order.faults, seed=order.seed, pauses=order.pauses
    )
    with ExitStack() as stack:
        where = Path(tempfile.mkdtemp(prefix="hv-faults-"))
        mounted = any(fault.missing is disk.missing for fault in possible.values())
        if mounted:
            stack.callback(disk.release, where)
            disk.prepare(where)
        town = Town(where=where, settings=order.settings)
        if mounted:
            town.prepare()
            disk.prepare_log(where)
        stack.enter_context(town)
        if mounted:
            town.trouble.keep_log_small()
        scene = Scene(
            town,
            rate=order.messages / max(order.seconds, 1.0),
            scale=order.scale,
            ack_wait=town.settings.broker.ack_wait,
            lamp_every=order.lamp_every,
        )
        stack.callback(shutil.rmtree, scene.folder, ignore_errors=True)
        began = time.time()
        done: list[Done] = []
        try:
            scene.open()
            scene.recovery(began, whole=True)
            for step in steps:
                if time.time() - began > order.seconds:
                    break
                done.append(_one(scene, possible[step.kind], step, longest=order.longest))
                say(line(len(done), done[-1]))
            _top_up(scene, order.messages)
        finally:
            scene.close()
        unsettled = settle(scene, seconds=300)
        findings = judge(scene)
        with Gauge(town.database_url) as gauge:
            reasons, gaps = gauge.reasons(), gauge.gaps()
        return Result(
            order, began, time.time(), done, skipped, findings, health(scene.samples), reasons, gaps, unsettled
        )


def _one(scene: Scene, fault: Fault, step: Step, *, longest: float) -> Done:
    """Do one fault and wait for the recovery; after every second one the next does not wait for the redelivery."""
    time.sleep(step.pause)
    at = time.time()
    bounded = Step(step.kind, min(step.seconds, longest), step.pause, step.draw)
    new: float | None = None
    old: float | None = None
    note = wrong = ""
    try:
        deed = fault.act(scene, bounded)
        note, wrong = deed.note, deed.wrong
        new, old = scene.recovery(deed.since, whole=step.draw % 4 < 2)
    except HypervisionError as error:
        wrong = f"{wrong} {error.what}".strip()
        _log.error("%s: %s", step.kind, error)
    return Done(bounded, at, new, old, note, wrong)


def _top_up(scene: Scene, messages: int) -> None:
    """Let the load go on until it has its number."""
    load = scene.publishers[0]
    load.rest()
    load.rate = None
    if load.book.attempted < messages:
        scene.burst(load.book.lane, messages - load.book.attempted, seconds=1800)


def line(number: int, done: Done) -> str:
    """One fault on one line."""
    new = "" if done.new is None else f"new after {done.new:.1f} s"
    old = "" if done.old is None else f", all after {done.old:.1f} s"
    told = f" ({done.note})" if done.note else ""
    return f"{number:4d}  {done.step.kind:<28}{new}{old}{told}{'  WRONG: ' + done.wrong if done.wrong else ''}"
