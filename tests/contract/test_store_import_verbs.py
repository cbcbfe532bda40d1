"""`observations import`: files of past readings, good and bad."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_import_of_a_file_stores_its_readings_once(
    world: Any, tmp_path: Path, suffix: str, verb: Says, started: Says
) -> None:
    import pandas as pd

    rows = [
        ("water", "p1", "flow", "2024-03-31T02:30:00+01:00", "1.5"),
        ("water", "p1", "flow", "1971-01-01T00:00:00Z", "2.5"),
        ("waste", "bin", "temperature", "2024-01-01T00:00:00.250Z", "70"),
        ("water", "p1", "colour", "2024-01-01T00:00:00Z", "1"),
        ("water", "p1", "flow", "yesterday", "1"),
        ("water", "p1", "flow", "2024-01-01T00:00:00Z", "wet"),
        ("water", "p 1", "flow", "2024-01-01T00:00:00Z", "1"),
        ("water", "p1", "flow_excess", "2024-01-01T00:00:00Z", "1"),
    ]
    frame = pd.DataFrame(rows, columns=["domain", "thing", "property", "time", "result"])
    file = tmp_path / f"past{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_csv(file, index=False)
    told = (started if suffix == ".csv" else verb)(world.url, "observations", "import", str(file), expect=1)
    assert "8 rows, 0 stored, 0 stored before, 8 refused" in told
    found = world.rows("SELECT reason, detail FROM rejected_messages")
    assert {reason for reason, _ in found} == {
        "unknown_property", "bad_time", "not_a_number", "bad_thing", "derived_property", "unknown_thing",
    }  # fmt: skip
    told = verb(world.url, "rejected", "list", "--topic", f"import/{file.name}")
    assert told.count("line 5: there is no property 'colour'") == 1
    told = verb(world.url, "rejected", "list", "--thing", "p1")
    assert "line 2: p1 (water) is not registered; `hypervision things admit p1 --domain water` lets it in" in told
    assert "line 6: p1/flow: time 'yesterday' cannot be read" in told
    assert "p 1" not in told
    assert "no Thing waits" in verb(world.url, "things", "waiting")
    world.execute("DELETE FROM hv.rejected_message")
    for stored in (3, 0):
        told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
        assert f"8 rows, {stored} stored, {3 - stored} stored before, 5 refused" in told
    partly = world.rows("SELECT reason, count, detail FROM rejected_messages WHERE partial ORDER BY id")
    # Of each of the two, whether anything of the file was stored or not.
    assert [row[:2] for row in partly] == 2 * [
        (reason, 1) for reason in ("unknown_property", "bad_time", "not_a_number", "bad_thing", "derived_property")
    ]
    assert partly[0][2] == "line 5: there is no property 'colour' in domain 'water'"
    assert world.rows("SELECT thing, property, phenomenon_time, result FROM observations ORDER BY 4") == [
        ("p1", "flow", datetime(2024, 3, 31, 1, 30, tzinfo=UTC), 1.5),
        ("p1", "flow", datetime(1971, 1, 1, tzinfo=UTC), 2.5),
        ("bin", "temperature", datetime(2024, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC), 70.0),
    ]
    assert world.alarms() == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_import_counts_what_stands_there_twice_and_refuses_what_is_no_reading(
    world: Any, tmp_path: Path, suffix: str, verb: Says
) -> None:
    import pandas as pd

    rows = [
        ("water", "p1", "flow", "2024-01-01T00:00:00Z", "1"),
        ("water", "p1", "flow", "2024-01-01T01:00:00+01:00", "1.0"),
        ("parking", "s1", "occupied", "2024-01-01t00:00:00z", "1"),
    ]
    wrong = [
        ("parking", "s1", "occupied", "2024-01-01T00:01:00Z", "7", "unknown_state"),
        ("water", "p1", "flow", "2024-01-01T00:01:00", "1", "time_without_offset"),
        ("water", "p1", "flow", "2024-01-01", "1", "time_without_offset"),
        ("water", "p1", "flow", "2024-01-01", "1", "time_without_offset"),
        ("water", "p1", "flow", "2024-01-01T00:00:00Z", "2", "conflict"),
        ("water", "p1", "flow", "2999-01-01T00:00:00Z", "2", "time_in_future"),
    ]
    columns = ["domain", "thing", "property", "time", "result"]
    file, clean = tmp_path / f"past{suffix}", tmp_path / f"clean{suffix}"
    for target, lines in ((clean, rows), (file, rows + [row[:5] for row in wrong])):
        frame = pd.DataFrame(lines, columns=columns)
        if suffix == ".parquet":
            frame.to_parquet(target)
        else:
            frame.to_csv(target, index=False)
    told = verb(world.url, "observations", "import", str(clean), registration="open")
    assert "3 rows, 2 stored, 1 stored before, 0 refused" in told
    assert "no message was rejected" in verb(world.url, "rejected", "list")
    told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
    assert "9 rows, 0 stored, 3 stored before, 6 refused" in told
    listed = verb(world.url, "rejected", "list")
    assert "line 5: s1/occupied: result '7' of 2024-01-01T00:01:00Z is none of its states" in listed
    assert "line 6: p1/flow: time '2024-01-01T00:01:00' has no offset from UTC, end it with Z or +01:00" in listed
    assert "line 9: p1/flow of 2024-01-01T00:00:00+00:00 has 1.0 at this time already, 2.0 was refused" in listed
    assert "line 10: the time of p1/flow of 2999-01-01T00:00:00+00:00 is too far ahead of its receipt" in listed
    assert "s1/occupied" not in verb(world.url, "rejected", "list", "--thing", "p1")
    assert world.rows("SELECT reason, count, partial FROM rejected_messages ORDER BY reason") == [
        ("conflict", 1, True), ("time_in_future", 1, True), ("time_without_offset", 3, True), ("unknown_state", 1, True)
    ]  # fmt: skip
    assert world.rows("SELECT count(*) FROM observations") == [(2,)]


def test_import_of_times_without_a_zone_is_one_sentence(world: Any, tmp_path: Path, verb: Says) -> None:
    import pandas as pd

    file = tmp_path / "past.parquet"
    times = pd.to_datetime(["2024-01-01T00:00:00", "2024-01-01T00:01:00"])
    pd.DataFrame({"domain": "water", "thing": "p1", "property": "flow", "time": times, "result": 1.0}).to_parquet(file)
    told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
    assert f"the column 'time' of {file} has no time zone: write it as a timestamp in UTC" in told
    assert told.count("\n") == 1


def test_import_of_columns_that_hold_anything_refuses_their_rows(world: Any, tmp_path: Path, verb: Says) -> None:
    import pandas as pd

    file = tmp_path / "past.parquet"
    columns = {
        "domain": [["water"], ["water", "waste"], [], None], "thing": "p1", "property": "flow",
        "time": pd.Timestamp("2024-01-01", tz="Europe/Paris"), "result": 1.0,
    }  # fmt: skip
    pd.DataFrame(columns).to_parquet(file)
    told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
    assert "4 rows, 0 stored, 0 stored before, 4 refused" in told
    assert "there is no domain" in verb(world.url, "rejected", "list")
    pd.DataFrame(columns | {"domain": "water", "result": [[1.0], [], None, [2.0]]}).to_parquet(file)
    told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
    assert "4 rows, 0 stored, 0 stored before, 4 refused" in told


def _cut_gzip() -> bytes:
    whole = gzip.compress(b"domain,thing,property,time,result\n" + os.urandom(40_000).hex().encode())
    return whole[: len(whole) // 2]


def _broken_gzip() -> bytes:
    whole = bytearray(gzip.compress(b"domain,thing,property,time,result\n" * 1000))
    whole[20:40] = b"\xff" * 20
    return bytes(whole)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.csv.gz", _cut_gzip(), "cannot read"),
        ("broken.csv.gz", _broken_gzip(), "cannot read"),
        ("broken.csv.xz", b"\xfd7zXZ\x00" + b"x" * 50, "cannot read"),
        ("broken.csv.zip", b"PK\x03\x04xxxx", "cannot read"),
        ("none.csv", None, "none.csv"),
        ("past.csv", b"domain,thing,property,time\n", "lacks the column 'result'"),
        ("past.csv", b"domain;thing;property;time;result\nwater;p1;flow;2024-01-01T00:00:00Z;1,5\n", "by ';'"),
        ("past.csv", b"\xff\xfe\x00", "cannot read"),
        ("past.csv", b"", "cannot read"),
        ("past.parquet", b"no parquet", "cannot read"),
    ],
)
def test_import_of_a_wrong_file_is_one_sentence(
    world: Any, tmp_path: Path, name: str, content: bytes | None, said: str, *, verb: Says
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    told = verb(world.url, "observations", "import", str(file), expect=1)
    assert said in told
    assert told.count("\n") == 1
