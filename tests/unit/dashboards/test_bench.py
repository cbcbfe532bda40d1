"""`bench queries`: what it refuses before anything is started, the town it makes, what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from dashboards.bench import made
from dashboards.bench.budgets import BUDGETS
from dashboards.bench.cases import QUERIES
from dashboards.bench.queries import Figure, line, table
from hypervision.cli import main
from hypervision.domains import load

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_bench_refuses_a_wrong_url_and_too_few_readings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "queries", "--database-url", "postgresql://me:geheim@h/d?nonsense=1"]) == 1
    told = capsys.readouterr().err
    assert '"nonsense"' in told
    assert "geheim" not in told
    with pytest.raises(SystemExit) as caught:
        main(["bench", "queries", "--rows", "7"])
    assert caught.value.code == 2


def test_every_question_has_a_budget_that_can_be_met() -> None:
    assert set(QUERIES) <= set(BUDGETS)
    assert all(0 < budget.aim <= budget.must for budget in BUDGETS.values())
    assert (BUDGETS["latest"].must, BUDGETS["trend_year"].must) == (60, 150)


def test_town_has_twenty_years_and_twenty_thousand_others() -> None:
    size = made.Size.of(20_000_000)
    streams = made.streams(size, load())
    assert len(streams) == 20_020
    assert len({one.thing for one in streams}) == 5_005
    assert 19_900_000 < size.rows <= 20_000_000


def test_made_readings_come_in_the_order_of_their_steps_and_each_once() -> None:
    size = made.Size(years=4, others=200, steps=30, long=9_000)
    streams = made.streams(size, load())
    for found, slots in (
        (made.year(size, streams, now=NOW), range(4)),
        (made.days(size, streams, now=NOW), range(4, 204)),
    ):
        (part,) = found
        assert set(part.slot.tolist()) == set(slots)
        assert len(np.unique(np.stack([part.slot, part.time_us]), axis=1)[0]) == len(part.slot)
        assert np.all(np.diff(part.time_us // 300_000_000) >= -1)
        assert part.time_us.max() < NOW.timestamp() * 1_000_000


def test_figure_over_its_budget_is_said_to_be() -> None:
    found = Figure(
        "trend_year", 1000, 200.0, 151.0, 160.0, 170.0, 99.0, ("Index Scan",), ("observation_pkey",), ("rollup_mark",)
    )
    assert "OVER" in line(found, BUDGETS["trend_year"])
    assert "reads all of rollup_mark" in line(found, BUDGETS["trend_year"])
    assert table([found])[-1] == "| … over a year, 1,000 points | 1,000 | 99.0 | 200.0 | 151.0 | 160.0 | 150 | 50 |"
