"""The report says what went wrong, what was skipped and how long each kind took."""

from __future__ import annotations

from dataclasses import replace

from ingest.bench.faults.campaign import Done, Order, Result
from ingest.bench.faults.report import markdown
from ingest.bench.faults.schedule import Step
from ingest.bench.faults.verdict import Findings, Sample, health

ORDER = Order(seed=7, faults=2, seconds=60.0, messages=100)


def done(kind: str, new: float | None, *, wrong: str = "") -> Done:
    return Done(Step(kind, 0.0, 1.0, 1), 0.0, new, None, "a note", wrong)


FINE = Result(
    ORDER,
    began=0.0,
    ended=90.0,
    done=[done("kill collect", 2.0), done("kill collect", 4.0), done("poison", 0.5)],
    skipped={"disk full": "no root"},
    findings=[Findings("main", 100, 90, 150)],
    health=health(
        [Sample(1.0, {"received": 2, "stored": 1, "duplicate": 0, "rejected": 1, "in_flight": 0}, memory=99)]
    ),
    reasons=[("bad_json", False, 12)],
    gaps=[("database", 2, 0)],
    unsettled="",
)


def test_report_of_a_sound_campaign() -> None:
    text = markdown(FINE, command="scripts/faults.py --seed 7", machine="2 cores")
    assert "**3 faults, 100 messages: 0 lost, 0 doubled, 0 invented, 0 misfiled.\nPassed.**" in text
    assert "| kill collect | 2 | 3.0 | 4.0 | - | - | a note |" in text
    assert "- **disk full**: no root" in text
    assert "bad_json 12" in text
    assert "database 2 (0 missing)" in text
    assert "## Wrong" not in text
    assert FINE.wrong == []


def test_report_names_each_violation() -> None:
    broken = health(
        [Sample(1.0, {"received": 3, "stored": 1, "duplicate": 0, "rejected": 1, "in_flight": 0}, memory=999)]
    )
    bad = replace(
        FINE,
        done=[done("kill broker", None, wrong="nothing new is stored")],
        findings=[Findings("main", 100, 90, 150, lost=3, examples=("lost 4.0",))],
        health=broken,
        unsettled="not settled",
    )
    text = markdown(bad, command="x", machine="2 cores")
    assert "FAILED" in text
    for part in ("fault 1 (kill broker): nothing new", "main: lost 4.0", "do not add up", "not settled", "999 MB"):
        assert part in text.split("## Wrong")[1], part
