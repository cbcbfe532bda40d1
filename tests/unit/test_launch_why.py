"""Which line of a log tells why a service does not start."""

from __future__ import annotations

from pathlib import Path

from hypervision.services import why

POSTGRES = """\
2026-11-23 05:00:00.1 UTC [7] LOG:  could not open file "/d/pg_hba.conf": No such file or directory
2026-11-23 05:00:00.1 UTC [7] FATAL:  could not load /d/pg_hba.conf
2026-11-23 05:00:00.1 UTC [7] LOG:  database system is shut down
hypervision database: the database ended by itself with code 1
"""


def test_fatal_line_of_this_start_is_told_not_that_of_an_earlier_one(tmp_path: Path) -> None:
    log = tmp_path / "database.log"
    log.write_text("2026-11-22 FATAL:  an old one\n")
    marks = why.sizes([log])
    assert why.since(marks) == ""
    with log.open("a") as stream:
        stream.write("the guard says no\n")
    assert why.since(marks) == "the guard says no"
    with log.open("a") as stream:
        stream.write(POSTGRES)
    assert why.since(marks) == "could not load /d/pg_hba.conf"


def test_log_of_the_program_comes_before_that_of_its_guard(tmp_path: Path) -> None:
    own, guard = tmp_path / "broker.log", tmp_path / "broker-guard.log"
    marks = why.sizes([own, guard])
    guard.write_text("the broker ended by itself with code 1\n")
    assert why.since(marks) == "the broker ended by itself with code 1"
    own.write_text("[7] 2026/11/23 05:00:00.1 [FTL] Can't start \x1b[31mJetStream: no\n[7] [INF] Server Exiting..\n")
    assert why.since(marks) == "Can't start [31mJetStream: no"


def test_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "database.log"
    log.write_text("x" * 1_000)
    marks = why.sizes([log])
    log.write_text("PANIC:  no more\n")
    assert why.since(marks) == "no more"
