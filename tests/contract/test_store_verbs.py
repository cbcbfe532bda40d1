"""The verbs that look after the database, run as a person runs them."""

from __future__ import annotations

import gzip
import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from hypervision import cli
from hypervision.services import alone

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Says(Protocol):
    """Run `hypervision WORDS` against a database; give what it said."""

    def __call__(self, url: str, *words: str, given: str = ..., expect: int = ..., registration: str = ...) -> str: ...


def environment(url: str, folder: Path, registration: str) -> dict[str, str]:
    return {
        "HYPERVISION_DATABASE_URL": url,
        "HYPERVISION_DATA_DIR": str(folder),
        "HYPERVISION_LANGUAGE": "en",
        "HYPERVISION_REGISTRATION": registration,
    }


@pytest.fixture
def started(tmp_path: Path) -> Says:
    """A verb in a process of its own, as a person starts it."""

    def run(url: str, *words: str, given: str = "", expect: int = 0, registration: str = "closed") -> str:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        done = subprocess.run(
            [sys.executable, "-m", "hypervision", *words],
            env=environ | environment(url, tmp_path, registration),
            capture_output=True, text=True, cwd=tmp_path, input=given, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def verb(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Says:
    """A verb in this process, which is put back as it was: a new Python takes longer to start than the verb to run."""
    root = logging.getLogger()

    def run(url: str, *words: str, given: str = "", expect: int = 0, registration: str = "closed") -> str:
        capfd.readouterr()
        handlers, level = root.handlers[:], root.level
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HYPERVISION_")]:
                patch.delenv(name)
            for name, value in environment(url, tmp_path, registration).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(given))
            patch.chdir(tmp_path)
            # Where there is a handler, pytest's, a verb sets up none of its own and its lines are not seen.
            root.handlers[:] = []
            try:
                code = cli.main(words)
            finally:
                root.handlers[:] = handlers
                root.setLevel(level)
        said = capfd.readouterr()
        assert code == expect, said.out + said.err
        return said.out + said.err

    return run


def fill(world: Any) -> None:
    world.send(
        world.intake(),
        ("waste", "bin", "temperature", NOW - timedelta(days=1), 20.0),
        ("waste", "bin", "temperature", NOW, 70.0),
        ("lighting", "lamp", "lamp_state", NOW, 2.0),
    )
    world.close()


def test_backup_and_restore_give_the_same_database(world: Any, empty: str, tmp_path: Path, verb: Says) -> None:
    fill(world)
    folder = tmp_path / "town"
    assert f"wrote {folder}" in verb(world.url, "db", "backup", str(folder))
    assert f"{folder} exists" in verb(world.url, "db", "backup", str(folder), expect=1)
    assert "not empty" in verb(world.url, "db", "restore", str(folder), expect=1)
    assert "there is no backup" in verb(empty, "db", "restore", str(tmp_path / "none"), expect=1)
    assert f"restored {folder}" in verb(empty, "db", "restore", str(folder))
    assert "missing    nothing" in verb(empty, "db", "status")
    asked = [
        "SELECT * FROM observations ORDER BY 1, 2, 3, 4", "SELECT * FROM latest_observations ORDER BY 1, 2, 3",
        "SELECT * FROM alarms ORDER BY id", "SELECT * FROM alarm_transitions ORDER BY alarm_id, at",
        "SELECT * FROM things ORDER BY code",
    ]  # fmt: skip
    before = [world.rows(text) for text in asked]
    assert all(before)
    world.url = empty
    assert [world.rows(text) for text in asked] == before
    # It is not only there, it works: the same alarm does not ring again, ids go on.
    intake = world.intake()
    world.send(intake, ("waste", "bin", "temperature", NOW + timedelta(seconds=1), 75.0))
    world.send(intake, ("waste", "new", "temperature", NOW, 75.0))
    assert len(world.alarms()) == 3


def test_backup_without_a_name_is_kept_in_its_folder(world: Any, tmp_path: Path, verb: Says) -> None:
    fill(world)
    folder = tmp_path / "backups"
    said = verb(world.url, "db", "backup")
    (made,) = folder.iterdir()
    assert f"wrote {made} (" in said
    assert "rows as of 20" in said
    status = verb(world.url, "db", "status")
    assert "backup     20" in status
    assert ", 0.0 h ago, 0." in status


def test_backup_is_restored_into_the_embedded_database_where_no_url_is_given(
    world: Any, empty: str, tmp_path: Path, verb: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    verb(world.url, "db", "backup", str(tmp_path / "town"))
    asked: list[Path] = []

    @contextmanager
    def embedded(data_dir: Path) -> Iterator[str]:
        asked.append(data_dir)
        yield empty

    monkeypatch.setattr(alone, "embedded", embedded)
    # What a platform that was killed has left; nobody listens there.
    (tmp_path / "endpoints.json").write_text('{"database": "postgresql://u:p@127.0.0.1:1/d"}')
    said = verb("", "db", "restore", str(tmp_path / "town"))
    assert f"restoring into the embedded database of {tmp_path}" in said
    assert asked == [tmp_path]
    world.url = empty
    assert len(world.rows("SELECT * FROM observations")) == 3
    # One that is damaged is refused before a cluster is made.
    (tmp_path / "town" / "dump" / "toc.dat").unlink()
    assert "toc.dat is missing" in verb("", "db", "restore", str(tmp_path / "town"), expect=1)
    assert asked == [tmp_path]


def test_migrate_and_status_say_what_they_found(empty: str, verb: Says) -> None:
    assert "missing    0001_house" in verb(empty, "db", "status", expect=1)
    assert "applied 0001_house" in verb(empty, "db", "migrate")
    assert "the database is at this version" in verb(empty, "db", "migrate")
    told = verb(empty, "db", "status")
    assert told.startswith("engine     PostgreSQL 1")
    assert "missing    nothing" in told
    assert "readings   none" in told
    assert "packing    after 7 days" in told
    assert "nothing is older than is kept" in verb(empty, "db", "retain", "--dry-run")
    assert "nothing is to be packed" in verb(empty, "db", "pack")


def test_verb_without_its_schema_says_what_to_run(empty: str, verb: Says) -> None:
    assert "run `hypervision db migrate`" in verb(empty, "accounts", "list", expect=1)


def test_database_that_is_away_is_one_sentence(verb: Says) -> None:
    told = verb("postgresql://u:geheim@127.0.0.1:1/x", "db", "status", expect=1)
    assert told.count("\n") == 1
    assert "geheim" not in told


def test_accounts_are_added_once_and_listed(world: Any, tmp_path: Path, verb: Says) -> None:
    password = tmp_path / "password"
    password.write_text("four words are enough\n")
    add = ["accounts", "add", "operator", "--role", "operator", "--password-file", str(password)]
    assert "operator may log in as operator" in verb(world.url, *add)
    assert "the account 'operator' exists" in verb(world.url, *add, expect=1)
    assert verb(world.url, *add, "--if-missing") == ""
    assert "the password has 5 characters" in verb(
        world.url, "accounts", "add", "otto", "--role", "viewer", given="short\n", expect=1
    )
    assert verb(world.url, "accounts", "list").split() == ["operator", "operator", "all"]


@pytest.mark.parametrize("name", ["", "<img>", "-x", "é", "a b", "x" * 65, "a\n"])
def test_name_that_no_account_may_have_is_one_sentence(world: Any, name: str, verb: Says) -> None:
    # Before the password is looked at.
    told = verb(world.url, "accounts", "add", "--role", "viewer", "--", name, given="short\n", expect=1)
    assert "is no name of an account: use 1 to 64 letters" in told
    assert told.count("\n") == 1
    assert verb(world.url, "accounts", "list") == ""


def test_accounts_that_differ_by_capitals_only_are_refused(world: Any, verb: Says) -> None:
    add, words = ("accounts", "add", "--role", "viewer"), "four words are enough\n"
    verb(world.url, *add, "viewer", given=words)
    told = verb(world.url, *add, "VIEWER", given=words, expect=1)
    assert "the account 'viewer' exists" in told
    assert verb(world.url, "accounts", "list").split() == ["viewer", "viewer", "all"]


@pytest.mark.parametrize("given", ["", "\n"])
def test_password_that_nobody_gave_is_asked_for_with_the_option(world: Any, given: str, verb: Says) -> None:
    told = verb(world.url, "accounts", "add", "x", "--role", "viewer", given=given, expect=1)
    assert "--password-file" in told
    assert told.count("\n") == 1


def test_code_that_no_thing_may_have_is_one_sentence_and_lets_nothing_in(world: Any, verb: Says) -> None:
    for code in ("../x", "", "x" * 65):
        told = verb(world.url, "things", "admit", "good", code, "--domain", "water", expect=1)
        assert "is no code of a Thing: use 1 to 64 letters" in told
        assert told.count("\n") == 1
    assert world.rows("SELECT code FROM things") == []


@pytest.mark.parametrize("name", ["x" * 100_000, "\x1b[31mred", "a\u202eb", "two\nlines", " "])
def test_name_that_no_screen_shows_is_refused_and_lets_nothing_in(world: Any, name: str, verb: Says) -> None:
    told = verb(world.url, "things", "admit", "p-9", "--domain", "water", "--name", name, expect=1)
    assert "of p-9 cannot be taken" in told
    assert told.endswith(": give 1 to 200 printable characters\n")
    assert told.count("\n") == 1
    assert len(told) < 300
    assert told.strip().isprintable()
    assert world.rows("SELECT code FROM things") == []


def test_thing_that_is_registered_is_said_to_be(world: Any, verb: Says) -> None:
    assert "p-9 is admitted to water" in verb(world.url, "things", "admit", "p-9", "--domain", "water")
    assert "p-9 was registered already" in verb(world.url, "things", "admit", "p-9")


def test_waiting_thing_is_admitted_and_its_messages_are_stored(world: Any, verb: Says) -> None:
    intake = world.intake(registration="closed")
    now = datetime.now(UTC)
    batch = world.batch(intake, ("water", "p-7", "flow", now, 4.5), received=now)
    batch.payloads[0] = b'{"time": "%s", "flow": 4.5}' % now.isoformat().encode()
    intake.commit(batch, now=now)
    world.close()
    assert "p-7" in verb(world.url, "things", "waiting")
    told = verb(world.url, "things", "admit", "p-7", "--name", "Pump 7")
    assert "p-7 is admitted to water" in told
    assert "1 of 1 waiting messages stored" in told
    assert world.rows("SELECT thing, result FROM observations") == [("p-7", 4.5)]
    assert world.rows("SELECT name FROM things") == [("Pump 7",)]
    assert verb(world.url, "things", "waiting") == "no Thing waits for its admission\n"
    assert "never sent anything" in verb(world.url, "things", "admit", "p-8", expect=1)
    assert "there is no domain" in verb(world.url, "things", "admit", "p-8", "--domain", "air", expect=1)


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
    assert [reason for reason, _ in found] == ["unknown_property"]
    for stored in (3, 0):
        told = verb(world.url, "observations", "import", str(file), registration="open", expect=1)
        assert f"8 rows, {stored} stored, {3 - stored} stored before, 5 refused" in told
    partly = world.rows("SELECT reason, count, detail FROM rejected_messages WHERE partial ORDER BY id")
    assert [row[:2] for row in partly] == [
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
    assert "8 rows, 0 stored, 3 stored before, 5 refused" in told
    listed = verb(world.url, "rejected", "list")
    assert "line 5: result '7' is no state of occupied" in listed
    assert "line 6: time '2024-01-01T00:01:00' has no offset from UTC, end it with Z or +01:00" in listed
    assert "flow has 1.0 at this time already, 2.0 was refused" in listed
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
