"""Counters and histograms of a process."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hypervision.metrics import FAMILIES, Metrics
from hypervision.store.failures import Failures, class_of


def test_histogram_counts_a_value_on_a_bound_below_it_and_everything_once() -> None:
    metrics = Metrics()
    edges = FAMILIES["receipt_lag_seconds"].edges
    metrics.observe("receipt_lag_seconds", np.array([-1.0, 0.1, 0.11, 300.0, 301.0, 1e9]))
    total, *counts = metrics.told()["receipt_lag_seconds"]
    assert total == pytest.approx(1e9 + 600.21)
    assert dict(zip((*edges, "inf"), counts, strict=True)) == {
        **dict.fromkeys(edges, 0),
        0.1: 2,
        0.25: 1,
        300.0: 1,
        "inf": 2,
    }


def test_what_is_told_is_small_json_whatever_was_counted() -> None:
    metrics = Metrics()
    for name, family in FAMILIES.items():
        if family.kind == "histogram":
            metrics.observe(name, np.linspace(0, 1e5, 5000))
        elif family.kind == "counter":
            metrics.count(name, 10**9, label="somewhere" if family.label else "")
        else:
            metrics.gauge(name, lambda: 1.5, label="held" if family.label else "")
    assert len(json.dumps(metrics.told())) < 2_000


def test_gauge_that_cannot_be_read_is_told_once_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()

    def broken() -> float:
        raise RuntimeError("deque mutated during iteration")

    metrics.gauge("queue_length", broken, label="held")
    metrics.gauge("queue_length", lambda: 3, label="assembly")
    metrics.gauge("detector_lag_seconds", lambda: float("nan"))
    metrics.gauge("rollup_age_seconds", lambda: 1.5)
    for _ in range(3):
        # Errors of the database are counted by the process: other tests may have met some.
        told = {name: figure for name, figure in metrics.told().items() if name != "database_errors"}
        assert told == {"queue_length": {"assembly": 3}, "rollup_age_seconds": 1.5}
    assert [record.getMessage() for record in caplog.records] == [
        "the figure queue_length held cannot be read and is left out",
        "the figure detector_lag_seconds cannot be read and is left out",
    ]
    assert "deque mutated" in caplog.text


def test_labels_that_somebody_makes_up_end_in_one() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.count("rejects", label=f"reason-{number}")
    told = metrics.told()["rejects"]
    assert len(told) <= 61
    assert sum(told.values()) == 1000


def test_names_follow_the_rules_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming/: base units as suffix, no `total` before the exposition adds it."""
    for name, family in FAMILIES.items():
        assert family.help[0].isupper(), name
        assert not name.endswith("_total"), name
        assert list(family.edges) == sorted(set(family.edges)), name
        if family.kind == "histogram":
            assert name.endswith(("_seconds", "_messages")), name


@pytest.mark.parametrize(
    ("state", "name"),
    [(None, "connection"), ("", "connection"), ("08006", "connection"), ("40P01", "deadlock"), ("40001", "serialization"),
     ("53100", "disk_full"), ("53300", "too_many_connections"), ("55P03", "lock_timeout"), ("57014", "statement_timeout"),
     ("57P01", "shutdown"), ("25006", "read_only"), ("23505", "constraint"), ("0A000", "other")],
)  # fmt: skip
def test_class_of_a_database_error(state: str | None, name: str) -> None:
    assert class_of(state) == name


def test_failures_are_counted_by_class() -> None:
    failures = Failures()
    for state in ("40P01", "40P01", None):
        failures.note(state)
    assert failures.counts() == {"deadlock": 2, "connection": 1}
