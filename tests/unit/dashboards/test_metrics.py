"""The exposition: valid, complete, bounded, whatever a writer published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from dashboards.limits import Periods
from dashboards.metrics import of_messages, of_parts, of_town, of_writers
from dashboards.town import Town
from hypervision.metrics import FAMILIES, Metrics
from hypervision.store.screens import WriterRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
COLLECTOR = WriterRow(1, "collector-1/1", 1, 1, NOW, 0.5, 6, 3, 1, 1, 1, "connected", {})


def exposed(town: Town) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    class Families(Collector):
        def collect(self) -> Any:
            yield from of_messages(town)
            yield from of_writers(town, database_errors={"deadlock": 2})
            yield from of_parts(town, now=NOW)
            yield from of_town(town, now=NOW, periods=Periods())

    registry = CollectorRegistry()
    registry.register(Families())
    text = generate_latest(registry).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type != "unknown", family.name
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def town(detail: dict[str, Any] | None) -> Town:
    return Town(proved_at=NOW, writers=(replace(COLLECTOR, detail=detail),))


def test_every_family_of_a_writer_is_told_with_its_type() -> None:
    metrics = Metrics()
    for name, family in FAMILIES.items():
        if family.kind == "histogram":
            metrics.observe(name, [0.3, 7.0, 1e7])
        elif family.kind == "counter":
            metrics.count(name, 4, label="somewhere" if family.label else "")
        else:
            metrics.gauge(name, lambda: 1.5, label="held" if family.label else "")
    found = exposed(town({"metrics": metrics.told()}))
    who = (("writer", "collector-1/1"),)
    assert found["hypervision_readings_total", who] == 4
    assert found["hypervision_rejects_total", (("reason", "somewhere"), *who)] == 4
    assert found["hypervision_queue_length", (("queue", "held"), *who)] == 1.5
    assert found["hypervision_phenomenon_lag_seconds_bucket", (("le", "0.5"), *who)] == 1
    assert found["hypervision_phenomenon_lag_seconds_bucket", (("le", "10.0"), *who)] == 2
    assert found["hypervision_phenomenon_lag_seconds_bucket", (("le", "+Inf"), *who)] == 3
    assert found["hypervision_phenomenon_lag_seconds_count", who] == 3
    assert found["hypervision_database_errors_total", (("class", "deadlock"), ("writer", "http"))] == 2
    names = {name for name, _ in found}
    for name, family in FAMILIES.items():
        suffix = {"counter": "_total", "gauge": "", "histogram": "_bucket"}[family.kind]
        assert f"hypervision_{name}{suffix}" in names


def test_messages_of_a_writer_add_up() -> None:
    found = exposed(town({}))
    outcomes = {
        dict(labels)["outcome"]: n for (name, labels), n in found.items() if name == "hypervision_messages_total"
    }
    flying = found["hypervision_messages_in_flight", (("writer", "collector-1/1"),)]
    assert outcomes["received"] == outcomes["stored"] + outcomes["duplicate"] + outcomes["rejected"] + flying == 6


def test_what_ran_once_and_ended_is_no_part_that_is_down() -> None:
    ended = replace(COLLECTOR, name="import", beat_age=30.0)
    found = exposed(Town(proved_at=NOW, writers=(replace(COLLECTOR, beat_age=30.0), ended)))
    assert found["hypervision_part_up", (("part", "collector-1/1"),)] == 0
    assert ("hypervision_part_up", (("part", "import"),)) not in found


@pytest.mark.parametrize(
    "detail",
    [None, {}, {"metrics": None}, {"metrics": {"no_such": 1, "readings": "many", "rejects": 3, "queue_length": []}},
     {"metrics": {"batch_messages": [1, 2, 3]}}],
)  # fmt: skip
def test_what_another_version_published_does_no_harm(detail: dict[str, Any] | None) -> None:
    assert ("hypervision_part_up", (("part", "collector-1/1"),)) in exposed(town(detail))
