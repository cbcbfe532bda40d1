"""The figures of `bench ingest`: medians, verdicts, tables; nothing is measured here."""

from __future__ import annotations

import argparse
import json

import pytest

from hypervision.bars import Bar, Figure, bound
from hypervision.services.machine import Machine
from ingest.bench import table
from ingest.bench.backlog import FLAT_MB, Backlog
from ingest.bench.course import STAGES, Course, Sizes, line
from ingest.bench.figures import BARS
from ingest.bench.report import command_of, configure, notes, sizes_of
from ingest.bench.rig import Rig, version
from ingest.bench.runs import Drain

MACHINE = Rig(Machine("EPYC", 2, 23.6, "Linux 6 x86_64", "3.11.7"), "18.6", "2.15.1", "", "abcdef1234")
HIGH = Bar("drain", "drain", "messages/s", 31_000, 45_000)
LOW = Bar("cpu", "CPU", "s", 14, 4, 1, low=True)


@pytest.mark.parametrize(
    ("bar", "values", "verdict"),
    [
        (HIGH, [50_000, 45_000, 10], "aim"),
        (HIGH, [44_999], "reached"),
        (HIGH, [30_999, 31_000], "missed"),
        (HIGH, [31_000], "reached"),
        (LOW, [4.0], "aim"),
        (LOW, [3.0, 4.1, 99.0], "reached"),
        (LOW, [14.1], "missed"),
        (HIGH, [], "not measured"),
        (Bar("x", "x", "s", 2, None, low=True), [2.0], "reached"),
        (Bar("x", "x", "s", 8), [7.9], "missed"),
    ],
)
def test_verdict_is_that_of_the_median(bar: Bar, values: list[float], verdict: str) -> None:
    assert Figure(bar, values).verdict == verdict


def test_median_of_an_even_number_of_runs_lies_between_the_middle_two() -> None:
    figure = Figure(HIGH, [1.0, 9.0, 3.0, 5.0], [2.0])
    assert figure.median == 4.0
    assert figure.bare_median == 2.0
    assert Figure(HIGH).bare_median is None


def test_bound_says_which_side_is_better() -> None:
    assert bound(HIGH) == "at least 31,000, aim 45,000"
    assert bound(LOW) == "at most 14, aim 4"
    assert bound(Bar("x", "x", "s")) == "–"


def test_every_bar_belongs_to_a_stage() -> None:
    assert {bar.key for bar in BARS} == {key for keys in STAGES.values() for key in keys} | {"memory"}


def test_markdown_names_command_machine_commit_and_what_is_missing() -> None:
    figures = [Figure(HIGH, [50_000.0], [25_000.0]), Figure(LOW, why_not="Mosquitto is not installed")]
    told = table.markdown(
        figures, MACHINE, command="hypervision bench ingest", date="2026-01-01", notes=["How."], took=90
    )
    assert "`hypervision bench ingest`, 2026-01-01, commit abcdef1234, 1.5 minutes." in told
    assert "2 cores EPYC, 24 GB, Linux 6 x86_64; Python 3.11.7, PostgreSQL 18.6, NATS 2.15.1." in told
    assert "| drain [messages/s] | 50,000 | at least 31,000, aim 45,000 | aim | 25,000 | 50,000 | 25,000 |" in told
    assert "- **Not measured**: CPU: Mosquitto is not installed" in told
    assert "- How." in told
    rows = [row for row in told.splitlines() if row.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1


def test_text_says_loudly_what_was_not_measured() -> None:
    told = table.text([Figure(HIGH, why_not="Mosquitto is not installed on this machine")])
    assert any("NOT MEASURED: Mosquitto is not installed" in row for row in told)


def test_document_is_json_with_every_run() -> None:
    found = table.document([Figure(HIGH, [1.0, 2.0, 3.0])], MACHINE, command="c", date="d", took=1, raw={"drain": []})
    again = json.loads(json.dumps(found))
    assert again["figures"][0]["runs"] == [1.0, 2.0, 3.0]
    assert again["figures"][0]["median"] == 2.0
    assert again["machine"]["cores"] == 2


def test_command_hides_addresses_and_paths() -> None:
    words = ["bench", "ingest", "--quick", "--mqtt-url", "mqtt://me:geheim@h", "--report=/tmp/x.md", "--only", "drain"]
    told = command_of(words)
    assert told == "hypervision bench ingest --quick --mqtt-url … --report=x.md --only drain"
    assert command_of(["bench", "ingest", "--json", "/tmp/a b.json"]) == "hypervision bench ingest --json a b.json"


def test_sizes_given_hold_over_those_of_the_quick_form() -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    options = parser.parse_args(["ingest", "--quick", "--rounds", "2"])
    assert sizes_of(options).rounds == 2
    assert sizes_of(options).messages < Sizes().messages
    assert any("20,000 Things" in note for note in notes(Sizes()))


def test_cpu_counts_readings_not_messages() -> None:
    assert Drain(1000, 20, 1.0, {"taker": 0.1}, 0.0).cpu_per_million == pytest.approx(5.0)


def test_backlog_factor_is_against_the_rate_it_came_at() -> None:
    found = Backlog(720_000, 1_200.0, 60.0, 100.0, 110.0, 120.0, 0)
    assert found.factor == 10.0
    assert found.flat
    assert not Backlog(1, 1.0, 1.0, 100.0, 101.0 + FLAT_MB, 0.0, 0).flat
    assert "10.0 times real time" in line("backlog", found)


def test_memory_is_the_most_of_all_runs_and_that_of_the_bare_path_apart() -> None:
    said: list[str] = []
    course = Course(Sizes(), said.append, None)
    for name, memory in (("drain", 90.0), ("drain, bare path", 300.0), ("wide", 120.0), ("drain", 80.0)):
        course._note(name, Drain(10, 2, 1.0, {"taker": 1.0}, memory))
    assert course.figures["memory"].values == [120.0]
    assert course.figures["memory"].bare == [300.0]
    assert len(said) == 4


def test_version_is_found_in_what_a_program_says() -> None:
    assert version("mosquitto version 2.0.11\n\nmosquitto is…") == "2.0.11"
