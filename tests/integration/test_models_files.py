"""`hypervision models` on files and on published data sets."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hypervision.batch import Float64, Int64
from hypervision.cli import main
from hypervision.clock import from_us
from hypervision.store.series import Series
from models import files
from models.benchmarks import Case, cases
from models.clock import DAY, MINUTE
from models.desk import evaluate_case
from models.detector import discover

START = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp()) * 1_000_000


def flow(days: int, *, seed: int, leak_from: float | None = None) -> tuple[Int64, Float64]:
    rng = np.random.default_rng(seed)
    times = START + np.arange(days * 96, dtype=np.int64) * (15 * MINUTE)
    wave = 30 - 18 * np.cos(2 * np.pi * (times / DAY - 2 / 24))
    values = wave * (1 + 0.03 * rng.standard_normal(len(times)))
    if leak_from is not None:
        values += 5.0 * (times > START + leak_from * DAY)
    return times, np.asarray(values, np.float64)


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    path = tmp_path / "readings.csv"
    with path.open("w", newline="") as target:
        table = csv.writer(target)
        table.writerow(("domain", "thing", "property", "time", "result"))
        for thing, leak in (("dma-1", 20.0), ("dma-2", None)):
            for at, value in zip(*flow(30, seed=1, leak_from=leak), strict=True):
                table.writerow(("water", thing, "flow", from_us(int(at)).isoformat(), f"{value:.3f}"))
        table.writerow(("water", "dma-1", "pressure", from_us(START).isoformat(), "4.5"))
    return path


def test_evaluate_on_a_file_beside_its_truth_prints_what_was_found(
    readings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.jsonl"
    start = from_us(START + 20 * DAY).isoformat().replace("+00:00", "Z")
    line = {"thing": "dma-1", "property": "flow", "fault": "leak", "start": start, "end": None, "size": 5.0}
    truth.write_text(json.dumps(line) + "\n\n")
    assert main(["models", "evaluate", "--file", str(readings), "--truth", str(truth)]) == 0
    out = capsys.readouterr().out
    night = next(row.split() for row in out.splitlines() if row.startswith("night_excess"))
    assert night[1:5] == ["1.00", "1", "0", "0"]
    assert "2 series, 4" in out


def test_burst_at_a_logger_counts_once_for_the_district_that_it_drains(
    readings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As `simulate --truth` writes it: a line for each datastream that the burst touches.
    truth = tmp_path / "truth.jsonl"
    start = from_us(START + 20 * DAY).isoformat()
    lines = [
        {"thing": thing, "property": name, "fault": "burst", "start": start, "end": None, "size": 5.0}
        for thing, name in (("dma-1", "flow"), ("dma-1", "pressure"), ("dma-1", "volume"), ("pressure-7", "pressure"))
    ]
    truth.write_text("\n".join(map(json.dumps, lines)))
    assert main(["models", "evaluate", "--file", str(readings), "--truth", str(truth)]) == 0
    told = capsys.readouterr()
    night = next(row.split() for row in told.out.splitlines() if row.startswith("night_excess"))
    assert night[1:5] == ["1.00", "1", "0", "0"]
    assert told.err == ""
    truth.write_text(json.dumps(lines[-1]))
    assert main(["models", "evaluate", "--file", str(readings), "--truth", str(truth)]) == 0
    assert "a burst of pressure-7 is not judged" in capsys.readouterr().err


def test_fit_and_score_on_a_file(readings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "scores.csv"
    assert main(["models", "fit", "--file", str(readings)]) == 0
    assert main(["models", "score", "--file", str(readings), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "dma-1/night_excess: from 23 nights" in told
    scores = files.readings(out, name="night_excess")
    assert sorted(scores) == ["dma-1", "dma-2"]
    assert scores["dma-1"].values.max() > 4 > scores["dma-2"].values.max()


def test_parquet_and_the_views_column_name_are_read_alike(readings: Path, tmp_path: Path) -> None:
    import pandas as pd

    table = pd.read_csv(readings).rename(columns={"time": "phenomenon_time"})
    table["phenomenon_time"] = pd.to_datetime(table["phenomenon_time"], utc=True)
    table.to_parquet(tmp_path / "readings.parquet")
    from_csv, from_parquet = (files.readings(p, name="flow") for p in (readings, tmp_path / "readings.parquet"))
    assert np.array_equal(from_csv["dma-2"].times_us, from_parquet["dma-2"].times_us)
    assert np.array_equal(from_csv["dma-2"].values, from_parquet["dma-2"].values)
    assert from_csv["dma-1"].times_us[1] - from_csv["dma-1"].times_us[0] == 15 * MINUTE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("thing,property,result\n", "no column 'time'"),
        ("thing,property,time,result\na,flow,yesterday,1\n", "RFC 3339"),
        ("thing,property,time,result\na,flow,2026-01-01T00:00:00Z,much\n", "plain numbers"),
        ("", "cannot read"),
    ],
)
def test_wrong_file_is_one_sentence_and_exit_code_1(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    assert main(["models", "fit", "--file", str(path)]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"thing": "a", "fault": "leak"}', '{"thing": "a", "fault": "leak", "start": "2026-01-01T00:00:00"}'],
)
def test_wrong_truth_names_its_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text("\n" + line + "\n")
    with pytest.raises(files.FileError, match="line 2"):
        files.truth(path)


def test_nothing_to_judge_is_exit_code_1(readings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "evaluate", "--file", str(readings)]) == 1
    assert "give --truth FILE or --dataset" in capsys.readouterr().err
    assert main(["models", "evaluate", "--dataset", "battledim", str(readings.parent)]) == 1
    assert "give the folder of the data set" in capsys.readouterr().err
    assert main(["models", "evaluate", "--dataset", "other", str(readings.parent)]) == 1
    assert "name battledim or leakdb" in capsys.readouterr().err


def shared(folder: str) -> Path:
    root = os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared"
    found = Path(root) / "data" / folder
    if not found.is_dir():
        pytest.skip(f"there is no {folder} in {found.parent}: set SHARED_DIR to the folder that holds data/")
    pytest.importorskip("wntr", reason="WNTR has no wheel for this machine")
    return found


@pytest.mark.parametrize(("first", "scenarios"), [("481", "21"), ("500", "2"), ("2", "500")])
def test_scenarios_beyond_the_file_of_leaks_are_refused(
    first: str, scenarios: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["models", "evaluate", "--dataset", "leakdb", str(tmp_path), "--first", first, "--scenarios", scenarios]
    assert main(words) == 1
    assert f"no scenarios {first} to {int(first) + int(scenarios) - 1}" in capsys.readouterr().err


def test_number_of_scenarios_is_that_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["models", "evaluate", "--dataset", "leakdb", ".", "--scenarios", "501"])
    assert ended.value.code == 2
    assert "501 is not from 1 to 500" in capsys.readouterr().err


def test_file_of_other_leakdb_scenarios_is_refused(tmp_path: Path) -> None:
    head = "scenario,node_id,leak_diameter,leak_type,leak_start_time,leak_end_time,leak_peak_time\n"
    (tmp_path / "leaks_hanoi_1_500.csv").write_text(head + "501,6,0.02,abrupt,10,20,10\n")
    with pytest.raises(files.FileError, match="has a scenario 501"):
        next(cases("leakdb", tmp_path, scenarios=1, seed=1))


def test_scenarios_begin_where_they_are_asked_to() -> None:
    folder = shared("leakdb_hanoi_net1")
    *_, fourth = cases("leakdb", folder, scenarios=4, seed=1)
    (alone,) = cases("leakdb", folder, scenarios=1, first=4, seed=1)
    assert alone.name == fourth.name == "leakdb Hanoi 4"
    assert alone.events == fourth.events
    assert np.array_equal(alone.inflow.values, fourth.inflow.values)


def between(case: Case, first_us: int, last_us: int) -> Case:
    times, values = case.inflow.times_us, case.inflow.values  # noqa: PD011 - no data frame
    inside = (times >= first_us) & (times < last_us)
    return replace(case, inflow=Series(times[inside], values[inside]))


def test_battledim_january_to_june_finds_most_leaks_without_a_false_alarm() -> None:
    (case,) = cases("battledim", shared("battledim_ltown"), scenarios=0, seed=1)
    start = int(case.inflow.times_us[0])
    part = between(case, start, start + 181 * DAY)
    either = evaluate_case(part, discover(part.zone))["either"]
    assert either.found + either.missed == 7
    assert either.found >= 4
    assert either.false_per_sensor_day <= 1 / 30
    assert either.normal_share_alarmed <= 0.02


def test_leakdb_leak_of_a_wide_hole_is_found_and_the_flow_before_is_normal() -> None:
    *_, case = cases("leakdb", shared("leakdb_hanoi_net1"), scenarios=4, seed=1)
    (event,) = case.events
    part = between(case, event.start_us - 40 * DAY, event.end_us + 10 * DAY)
    either = evaluate_case(part, discover(part.zone))["either"]
    assert (either.found, either.missed, either.false) == (1, 0, 0)
    assert either.median_delay_hours <= 4 * 24
