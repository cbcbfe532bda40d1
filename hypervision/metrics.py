"""What a process tells Prometheus: counters, histograms and lengths of queues, counted per batch.

They travel with the beat of each writer (`hv.writer_snapshot.detail`) to the one address that tells all of them,
`/metrics` of `serve`. Counters begin at zero with their process, as Prometheus expects.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from hypervision.store.failures import FAILURES

_log = logging.getLogger(__name__)

KEY: Final = "metrics"
"""Where the figures stand in the detail of a beat."""
# More label values than any list of reasons has: beyond it somebody makes them up.
_MOST_LABELS: Final = 60

_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of every writer.

    Attributes
    ----------
    help : str
        One sentence.
    label : str
        Beside `writer`; empty when there is none.
    edges : tuple of float
        Upper bounds of a histogram's buckets, which are part of the metric: other ones are another metric.
    """

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    label: str = ""
    edges: tuple[float, ...] = ()


FAMILIES: Final[Mapping[str, Family]] = {
    "readings": Family("counter", "Readings committed as new observations"),
    "readings_late": Family("counter", "Readings committed that were late: stored, but never a live alarm"),
    "rejects": Family("counter", "Messages and single values refused, by reason", "reason"),
    "alarm_transitions": Family("counter", "Alarm transitions written"),
    "database_errors": Family("counter", "Errors of the database, by class of SQLSTATE", "class"),
    "reconnects": Family("counter", "Connections made anew after the first, to broker or database", "to"),
    "detector_runs": Family("counter", "Rounds of the models over all their series"),
    "detector_scores": Family("counter", "Scores of models stored"),
    "batch_messages": Family(
        "histogram", "Messages in a committed batch", edges=(1, 10, 50, 100, 500, 1000, 2000, 5000, 10000, 20000, 30000)
    ),
    "commit_seconds": Family(
        "histogram",
        "Time of one transaction from its begin to the answer of its commit",
        edges=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    ),
    "phenomenon_lag_seconds": Family(
        "histogram", "From the phenomenon time of a reading to its commit, imports left out", edges=_SECONDS
    ),
    "receipt_lag_seconds": Family(
        "histogram", "From the receipt of a message to its commit, imports left out", edges=_SECONDS[:10]
    ),
    "detector_run_seconds": Family(
        "histogram", "Time of one round of the models", edges=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
    ),
    "queue_length": Family("gauge", "What waits in a queue of the process", "queue"),
    "things_rate_limited": Family("gauge", "Things of which a message was refused for its rate in the last minute"),
    "detector_lag_seconds": Family("gauge", "Most that a model lags behind the newest reading of its series"),
    "rollup_age_seconds": Family("gauge", "Since the roll-ups were last brought up to date"),
    "clock_ahead_seconds": Family("gauge", "By how much a process's clock is ahead of the database's; 0 within 2 s"),
}


class Histogram:
    """Counts between fixed bounds; the last bucket has none."""

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = np.array(edges, np.float64)
        self._counts = np.zeros(len(edges) + 1, np.int64)
        self._sum = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        """Count values; one equal to a bound lies below it, as Prometheus has it."""
        self._counts += np.bincount(np.searchsorted(self._edges, values), minlength=len(self._counts))
        self._sum += float(values.sum())

    def told(self) -> list[float]:
        """The sum of all values, then the count of each bucket."""
        return [round(self._sum, 6), *self._counts.tolist()]


class Metrics:
    """The figures of one process; counted from any thread.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.count("rejects", 2, label="malformed")
    >>> metrics.observe("batch_messages", [3.0, 10.0])
    >>> told = metrics.told()
    >>> told["rejects"], told["batch_messages"][:4]
    ({'malformed': 2}, [13.0, 0, 2, 0])
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, dict[str, int]] = {}
        self._histograms: dict[str, Histogram] = {}
        self._gauges: dict[tuple[str, str], Callable[[], float]] = {}
        self._broken: set[tuple[str, str]] = set()

    def count(self, name: str, number: int = 1, *, label: str = "") -> None:
        """Add to a counter."""
        with self._lock:
            counts = self._counters.setdefault(name, {})
            known = label in counts or len(counts) < _MOST_LABELS
            key = label if known else "other"
            counts[key] = counts.get(key, 0) + number

    def observe(self, name: str, values: Iterable[float] | NDArray[np.float64]) -> None:
        """Add values to a histogram."""
        array = np.asarray(values, np.float64)
        with self._lock:
            histogram = self._histograms.get(name)
            if histogram is None:
                histogram = self._histograms[name] = Histogram(FAMILIES[name].edges)
            histogram.add(array)

    def gauge(self, name: str, read: Callable[[], float], *, label: str = "") -> None:
        """Ask this for the value of a gauge at each beat."""
        self._gauges[name, label] = read

    def told(self) -> dict[str, Any]:
        """All figures of this moment, as JSON takes them: a number, numbers by label, or a histogram's list.

        A gauge that cannot be read is left out, and the log says so once.
        """
        told: dict[str, Any] = {}
        with self._lock:
            for name, counts in self._counters.items():
                told[name] = dict(counts) if FAMILIES[name].label else counts[""]
            told.update({name: histogram.told() for name, histogram in self._histograms.items()})
        if failed := FAILURES.counts():
            told["database_errors"] = failed
        for (name, label), read in list(self._gauges.items()):
            try:
                value = read()
                if not math.isfinite(value):
                    raise ValueError(f"{value} is no figure")  # noqa: TRY301
            except Exception:  # noqa: BLE001  (whatever it is, the beat and the other figures go on)
                if (name, label) not in self._broken:
                    self._broken.add((name, label))
                    _log.exception("the figure %s cannot be read and is left out", f"{name} {label}".rstrip())
                continue
            if label:
                told.setdefault(name, {})[label] = value
            else:
                told[name] = value
        return told


def build() -> dict[str, str]:
    """What runs here: the version of the platform and of Python."""
    return {"version": version("hypervision"), "python": ".".join(map(str, sys.version_info[:3]))}
