"""Corrections as a person types them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hypervision import cli
from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
AT = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
WHY = ("--reason", "meter fault", "--author", "Ana")
RANGE = ("--from", "2026-11-21T07:00:00+01:00", "--to", "2026-11-21T06:02:00Z")


def fill(world: Any) -> None:
    intake = world.intake()
    for minute in range(4):
        at = AT + timedelta(minutes=minute)
        world.send(intake, ("water", "t1", "flow", at, 10.0 + minute), received=at)
    world.close()


def shown(world: Any) -> list[tuple[float, str]]:
    return [tuple(r) for r in world.rows("SELECT result, quality FROM observations ORDER BY phenomenon_time")]


def test_readings_are_invalidated_listed_and_restored(world: Any, verb: Says) -> None:
    fill(world)
    assert verb(world.url, "observations", "changes") == "no readings were corrected\n"
    told = verb(world.url, "observations", "invalidate", "t1", "flow", *RANGE, *WHY)
    assert told == "t1/flow: 2 readings invalidated (correction 1)\n"
    assert shown(world) == [(10.0, "bad"), (11.0, "bad"), (12.0, "good"), (13.0, "good")]
    told = verb(world.url, "observations", "changes", "t1")
    assert (
        "Ana  invalidate  t1/flow  2026-11-21T06:00:00+00:00 to 2026-11-21T06:02:00+00:00  2 readings: meter fault"
        in told
    )
    assert "2 readings restored (correction 2)" in verb(world.url, "observations", "restore", "--id", "1", *WHY)
    assert {quality for _, quality in shown(world)} == {"good"}
    told = verb(world.url, "observations", "restore", "t1", "flow", *RANGE, *WHY, expect=1)
    assert "no reading of t1/flow between" in told


def test_readings_are_corrected_by_a_line_and_by_a_file(world: Any, verb: Says, tmp_path: Path) -> None:
    fill(world)
    verb(world.url, "observations", "correct", "t1", "flow", *RANGE, *WHY, "--factor", "2", "--add", "-0.5")
    assert shown(world)[:3] == [(19.5, "corrected"), (21.5, "corrected"), (12.0, "good")]
    assert "factor=2.0 add=-0.5" in verb(world.url, "observations", "changes")
    file = tmp_path / "right.csv"
    file.write_text("time,result\n2026-11-21T06:02:00Z,7.25\n2026-11-21T07:03:00+01:00,8\n")
    verb(world.url, "observations", "correct", "t1", "flow", "--results", str(file), *WHY)
    assert shown(world)[2:] == [(7.25, "corrected"), (8.0, "corrected")]
    file.write_text("time,result\n2026-11-21T06:02:00Z,7.25\n2026-11-21T06:03:00,x\n")
    told = verb(world.url, "observations", "correct", "t1", "flow", "--results", str(file), *WHY, expect=1)
    assert "line 3 of " in told
    assert "has no offset from UTC" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["invalidate", "t1", "flow", *RANGE, "--reason", " ", "--author", "Ana"], "the reason is empty"),
        (["invalidate", "t1", "flow", *WHY], "the range of time is missing"),
        (["correct", "t1", "flow", *RANGE, *WHY], "needs one way to put readings right"),
        (["correct", "t1", "flow", *RANGE, *WHY, "--value", "1", "--add", "1"], "needs one way to put readings right"),
        (["correct", "t1", "flow", *RANGE, *WHY, "--value", "-50000"], "outside"),
        (["restore", *WHY], "the datastream is missing"),
        (["restore", "--id", "4", *WHY], "there is no correction 4"),
        (["invalidate", "t1", "nothing", *RANGE, *WHY], "there is no datastream"),
        (["invalidate", "t1", "flow", "--from", RANGE[3], "--to", RANGE[1], *WHY], "not after its begin"),
    ],
)
def test_wrong_order_is_one_sentence_and_changes_nothing(world: Any, verb: Says, words: list[str], said: str) -> None:
    fill(world)
    before = shown(world)
    told = verb(world.url, "observations", *words, expect=1)
    assert said in told
    assert told.count("\n") == 1
    assert shown(world) == before


@pytest.mark.parametrize(
    "words",
    [
        ["--add", "nan"],
        ["--factor", "1e999"],
        ["--value", "much"],
        ["--from", "yesterday"],
        ["--to", "2026-11-21T07:00:00"],
    ],
)
def test_option_that_is_no_number_or_no_instant_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["observations", "correct", "t1", "flow", *words, *WHY])
    assert ended.value.code == 2
    assert f"argument {words[0]}: " in capsys.readouterr().err
