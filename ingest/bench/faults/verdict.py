"""The verdict: acknowledged ⊆ stored ⊆ attempted, nothing twice, nothing misfiled, counters that always add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.bench.faults.ledger import Account

SLOTS: Final = 2
"""Readings of one message at most."""
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of the database as columns, shape (n,) each: which message, which of its readings, where and when."""

    number: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]
    thing: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Findings:
    """What became of the messages of one lane.

    Attributes
    ----------
    lost, doubled, invented, misfiled : int
        Readings that were answered for and are not there; that are there twice; that nobody sent; with
        another Thing or time than they were sent with.
    examples : tuple of str
        Some of them.
    """

    lane: str
    attempted: int
    acknowledged: int
    stored: int
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    misfiled: int = 0
    examples: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.invented or self.misfiled)


def compare(lane: str, account: Account, stored: Stored, *, refused: npt.NDArray[np.int64] | None = None) -> Findings:
    """Compare a ledger with what the database holds.

    Parameters
    ----------
    lane : str
        For the report.
    account : Account
        The ledger.
    stored : Stored
        All rows of the lane's Things.
    refused : ndarray of int64, optional
        Numbers of the messages found among the rejected ones, each as often as it is there; needed when the lane has
        messages that must be refused. A refusal may come twice, for it makes no reading.
    """
    n = len(account)
    known = (stored.number >= 0) & (stored.number < n) & (stored.slot >= 0) & (stored.slot < SLOTS)
    key = stored.number[known] * SLOTS + stored.slot[known]
    count = np.bincount(key, minlength=n * SLOTS).reshape(n, SLOTS)
    wanted = np.arange(SLOTS) < account.readings[:, None]
    lost = wanted & account.acknowledged[:, None] & (count == 0)
    extra = ~wanted & (count > 0)
    number = stored.number[known]
    sent_us = account.time_us[number]
    wrong = (account.thing[number] != stored.thing[known]) | ((sent_us != 0) & (sent_us != stored.time_us[known]))
    examples = [f"lost {i}.{slot}" for i, slot in np.argwhere(lost)[:_EXAMPLES]]
    examples += [f"doubled {i}.{slot}" for i, slot in np.argwhere(count > 1)[:_EXAMPLES]]
    examples += [
        f"invented {i}" for i in [*stored.number[~known][:_EXAMPLES], *np.flatnonzero(extra.any(1))[:_EXAMPLES]]
    ]
    examples += [f"misfiled {i}" for i in number[wrong][:_EXAMPLES]]
    missing = invented = 0
    if refused is not None:
        due = account.readings == 0
        inside = refused[(refused >= 0) & (refused < n)]
        found = np.bincount(inside, minlength=n) > 0
        gone = due & account.acknowledged & ~found
        astray = ~due & found
        missing, invented = int(gone.sum()), int(astray.sum()) + len(refused) - len(inside)
        examples += [f"lost refusal {i}" for i in np.flatnonzero(gone)[:_EXAMPLES]]
        examples += [f"refused without reason {i}" for i in np.flatnonzero(astray)[:_EXAMPLES]]
    return Findings(
        lane,
        attempted=n,
        acknowledged=int(account.acknowledged.sum()),
        stored=len(stored.number),
        lost=int(lost.sum()) + missing,
        doubled=int((count[wanted] - 1).clip(0).sum()),
        invented=int((~known).sum() + extra.sum()) + invented,
        misfiled=int(wrong.sum()),
        examples=tuple(examples),
    )


def alarms(wanted: set[int], raised: Mapping[int, int]) -> Findings:
    """Compare the failures that were answered for with how often an alarm was raised for each."""
    missed, twice = sorted(wanted - raised.keys()), sorted(n for n, times in raised.items() if times > 1)
    examples = [f"no alarm {n}" for n in missed[:_EXAMPLES]] + [f"{raised[n]} alarms {n}" for n in twice[:_EXAMPLES]]
    return Findings(
        "alarms", len(wanted), len(wanted), len(raised), lost=len(missed), doubled=len(twice), examples=tuple(examples)
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the platform.

    Attributes
    ----------
    at : float
        When [s since the Unix epoch].
    counters : mapping
        The five of `/api/health`; empty when it did not answer.
    failing : tuple of str
        Parts named as failing.
    memory : float
        Of the collector [MB]; 0 when there was none.
    """

    at: float
    counters: Mapping[str, int]
    failing: tuple[str, ...] = ()
    memory: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the samples show.

    Attributes
    ----------
    broken : tuple of str
        Samples whose counters do not add up or went back.
    early, late, peak : float
        Memory of the collector [MB]: median of the first and of the last quarter, and the greatest.
    """

    samples: int
    answered: int
    broken: tuple[str, ...]
    early: float
    late: float
    peak: float


def health(samples: Sequence[Sample]) -> Health:
    """Judge the samples: received is the sum of the other four in each, and what is committed never falls."""
    broken: list[str] = []
    before: Mapping[str, int] = {}
    for sample in samples:
        c = sample.counters
        if not c:
            continue
        if c["received"] != c["stored"] + c["duplicate"] + c["rejected"] + c["in_flight"] or min(c.values()) < 0:
            broken.append(f"{sample.at:.0f}: {dict(c)} do not add up")
        fallen = [key for key in ("stored", "duplicate", "rejected") if c[key] < before.get(key, 0)]
        if fallen:
            broken.append(f"{sample.at:.0f}: {', '.join(fallen)} went back from {dict(before)} to {dict(c)}")
        before = c
    memory = [sample.memory for sample in samples if sample.memory]
    quarter = max(1, len(memory) // 4)
    return Health(
        samples=len(samples),
        answered=sum(1 for sample in samples if sample.counters),
        broken=tuple(broken),
        early=float(np.median(memory[:quarter])) if memory else 0.0,
        late=float(np.median(memory[-quarter:])) if memory else 0.0,
        peak=max(memory, default=0.0),
    )


def recovered(acknowledged: Mapping[int, float], stored: set[int], *, since: float) -> tuple[bool, bool]:
    """Whether a message answered since an instant is stored, and whether all that were answered before it are.

    Parameters
    ----------
    acknowledged : mapping
        Number and time of the answer [s].
    stored : set of int
        Numbers found.
    since : float
        The instant [s].
    """
    new = any(at >= since and number in stored for number, at in acknowledged.items())
    old = all(number in stored for number, at in acknowledged.items() if at < since)
    return new, old
