"""`up` with its two embedded services: what is killed comes back, leaves nothing, or does not stop the next start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from hypervision.services import ports
from hypervision.services.stale import Record, alive
from tests.integration.one_up import ROOT, Up, query, running, words

pytestmark = [pytest.mark.faults]

Wait = Callable[..., None]


def test_everything_is_gone_ten_seconds_after_up_was_killed(
    up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    family = one.descendants()
    assert len(family) >= 8
    with psycopg.connect(one.endpoints()["database"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    one.process.kill()
    one.process.wait()
    wait_until(lambda: not running(family), seconds=10, tell=lambda: repr(running(family)))
    # endpoints.json is stale now; the next start takes it away before it is ready.
    again = up(ready=False)
    wait_until(lambda: not (data_dir / "endpoints.json").exists() or "READY" in again.output)
    wait_until(lambda: "READY" in again.output, seconds=60, tell=lambda: again.output)
    assert query(again.endpoints()["database"], "SELECT answer FROM kept") == 42


def test_start_right_after_a_kill_waits_for_the_old_processes(
    up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    port = str(urlsplit(one.endpoints()["mqtt"]).port)
    family = one.descendants()
    one.process.kill()
    one.process.wait()
    (data_dir / "endpoints.json").unlink()
    again = up(mqtt=port)
    assert str(urlsplit(again.endpoints()["mqtt"]).port) == port
    assert not running(family)


def test_all_processes_killed_leave_stale_lock_files_that_do_not_stop_a_start(
    up: Callable[..., Up], data_dir: Path
) -> None:
    one = up()
    family = one.descendants()
    for process in (psutil.Process(one.process.pid), *family):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    one.process.wait()
    (data_dir / "endpoints.json").unlink()
    lock = data_dir / "database" / "postmaster.pid"
    assert lock.exists()
    # The worst case after a restart of the machine: the number belongs to another process of the same account.
    owner = lock.stat()
    other = subprocess.Popen(
        ["/bin/sleep", "60"],
        user=owner.st_uid if ROOT else None,
        group=owner.st_gid if ROOT else None,
        extra_groups=[] if ROOT else None,
    )
    try:
        lines = lock.read_text().split("\n")
        lock.write_text("\n".join([str(other.pid), *lines[1:]]))
        again = up()
        assert query(again.endpoints()["database"], "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("name", ["database", "broker"])
def test_killed_service_comes_back_on_the_same_port(
    name: str, up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    plan = json.loads((data_dir / "run" / "plan.json").read_text())
    port = plan[{"database": "database_port", "broker": "mqtt_port"}[name]]
    record = Record.read(data_dir / "run" / f"{name}.json")
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)

    def back() -> bool:
        now = Record.read(data_dir / "run" / f"{name}.json")
        return now is not None and now.pid != record.pid and ports.answers(port)

    wait_until(back, seconds=15, tell=lambda: one.output)
    assert one.process.poll() is None


def test_child_of_a_killed_database_that_computes_keeps_nobody_waiting(
    up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    url = one.endpoints()["database"]
    record = Record.read(data_dir / "run" / "database.json")
    assert record is not None

    def compute() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
            connection.execute("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")

    computing = threading.Thread(target=compute, daemon=True)
    computing.start()
    wait_until(lambda: query(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"))
    os.kill(record.pid, signal.SIGKILL)

    def answers() -> bool:
        try:
            return query(url, "SELECT 1") == 1
        except psycopg.OperationalError:
            return False

    wait_until(lambda: not answers(), tell=lambda: one.output)
    wait_until(answers, seconds=5, tell=lambda: one.output)
    computing.join(10)
    assert not computing.is_alive()


def test_killed_guard_of_the_database_is_replaced_without_a_second_server(
    up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    record = Record.read(data_dir / "run" / "database.json")
    assert record is not None
    os.kill(record.guard, signal.SIGKILL)
    wait_until(lambda: alive(record.pid, record.created) is None, tell=lambda: one.output)

    def answers() -> bool:
        try:
            return query(one.endpoints()["database"], "SELECT 1") == 1
        except psycopg.OperationalError:
            return False

    wait_until(answers, tell=lambda: one.output)
    servers = [process for process in one.descendants() if "-D" in words(process)]
    assert len(servers) == 1
