"""`up` with its two embedded services alone: start, stop, start again, and every refusal."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from hypervision.services import datadir
from tests.integration.one_up import ROOT, Up, query, refused, running, words

pytestmark = pytest.mark.integration

Wait = Callable[..., None]


def test_up_offers_a_real_database_and_a_broker_that_ask_for_passwords(up: Callable[..., Up], data_dir: Path) -> None:
    one = up()
    found = one.endpoints()
    assert stat.S_IMODE((data_dir / "endpoints.json").stat().st_mode) == 0o600
    assert str(query(found["database"], "SHOW server_version")).startswith("18.")
    assert query(found["database"], "SHOW data_checksums") == "on"
    assert query(found["database"], "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert query(found["database"], "SELECT datcollate || ' ' || encoding FROM pg_database LIMIT 1") == "C 6"
    parts = urlsplit(found["database"])
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://{parts.username}:wrong@127.0.0.1:{parts.port}/hypervision")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{parts.port}/postgres")
    mqtt = urlsplit(found["mqtt"])
    assert mqtt.username
    assert mqtt.password


def test_services_listen_on_loopback_only_and_secrets_are_private(up: Callable[..., Up], data_dir: Path) -> None:
    one = up()
    heard = [
        connection
        for process in one.descendants()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert heard
    assert {connection.laddr.ip for connection in heard} == {"127.0.0.1"}
    for path in [*(data_dir / "secrets").iterdir(), data_dir / "broker" / "nats.conf", data_dir / "endpoints.json"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    lines = " ".join(" ".join(words(process)) for process in one.descendants())
    for verb in ("hypervision database", "hypervision broker", "postgres -D", "nats-server"):
        assert verb in lines
    assert not [path for path in (data_dir / "secrets").iterdir() if path.read_text().strip() in lines]


def test_servers_of_ones_own_take_the_place_of_the_embedded_ones(
    up: Callable[..., Up], data_dir: Path, embedded_database: str
) -> None:
    mqtt = "mqtt://somebody:secret@127.0.0.1:1"
    given = {"HYPERVISION_DATABASE_URL": embedded_database, "HYPERVISION_MQTT_URL": mqtt}
    one = up(children=("migrate",), environment=given)
    found = one.endpoints()
    assert (found["database"], found["mqtt"]) == (embedded_database, mqtt)
    assert not (data_dir / "database").exists()
    assert not (data_dir / "broker" / "nats.conf").exists()
    assert (data_dir / "secrets" / "mqtt-platform-url").read_text().strip() == mqtt
    for process in one.descendants():
        assert "secret" not in " ".join(words(process))


def test_stop_leaves_nothing_and_the_second_start_keeps_the_data(
    up: Callable[..., Up], data_dir: Path, wait_until: Wait
) -> None:
    one = up()
    with psycopg.connect(one.endpoints()["database"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    family = one.descendants()
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(timeout=20) == 0
    assert not running(family)
    assert not (data_dir / "endpoints.json").exists()
    assert not list((data_dir / "run").glob("*.json.*"))
    began = time.monotonic()
    again = up()
    took = time.monotonic() - began
    assert query(again.endpoints()["database"], "SELECT answer FROM kept") == 42
    assert took < 10, f"the second start took {took:.1f} s"


def test_second_up_in_the_same_directory_is_refused(up: Callable[..., Up]) -> None:
    up()
    sentence = refused(up(ready=False))
    assert "another `hypervision` runs" in sentence


def test_up_refuses_a_demo_directory_and_the_reverse(up: Callable[..., Up], data_dir: Path, wait_until: Wait) -> None:
    one = up(kind="demo", children=("broker",))
    assert one.endpoints()["mqtt"].startswith("mqtt://127.0.0.1:")
    one.close()
    sentence = refused(up(ready=False))
    assert "is a data directory of `hypervision demo`, not of `hypervision up`" in sentence
    (data_dir / "hypervision.json").write_text('{"kind": "up", "version": 1}')
    assert "not of `hypervision demo`" in refused(up(ready=False, kind="demo"))


def test_busy_port_that_was_asked_for_is_refused_and_nothing_is_created(up: Callable[..., Up], data_dir: Path) -> None:
    folder = data_dir / "new" / "data"
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        for option, given in (("--mqtt-port", {"mqtt": str(port)}), ("--http-port", {"http": str(port)})):
            sentence = refused(up(folder, ready=False, **given))
            assert str(port) in sentence
            assert option in sentence
            assert not folder.parent.exists()


def test_database_of_another_version_is_refused_untouched(up: Callable[..., Up], data_dir: Path) -> None:
    (data_dir / "database").mkdir()
    (data_dir / "database" / "PG_VERSION").write_text("15\n")
    sentence = refused(up(ready=False))
    assert "PostgreSQL 15" in sentence
    assert "18" in sentence
    assert [path.name for path in data_dir.rglob("*")] == ["database", "PG_VERSION"]


@pytest.mark.parametrize("content", [b"", b"\n", b"eighteen", b"\xff\xfe\x00"])
def test_damaged_version_of_a_database_is_told_as_such(up: Callable[..., Up], data_dir: Path, content: bytes) -> None:
    (data_dir / "database").mkdir()
    (data_dir / "database" / "PG_VERSION").write_bytes(content)
    sentence = refused(up(ready=False))
    assert "PG_VERSION is damaged" in sentence
    assert "restore the data directory from a backup" in sentence


@pytest.mark.parametrize("name", ["database-superuser", "database-application"])
def test_emptied_password_of_an_existing_database_is_refused(up: Callable[..., Up], data_dir: Path, name: str) -> None:
    (data_dir / "database").mkdir()
    (data_dir / "database" / "PG_VERSION").write_text("18\n")
    (data_dir / "secrets").mkdir()
    (data_dir / "secrets" / name).write_text("")
    assert f"{name} is empty or damaged: restore that file from a backup" in refused(up(ready=False))
    assert (data_dir / "secrets" / name).read_text() == ""


def test_folder_in_the_place_of_the_endpoints_is_refused(up: Callable[..., Up], data_dir: Path) -> None:
    with datadir.prepare(data_dir, kind="up"):
        (data_dir / "endpoints.json").mkdir()
    sentence = refused(up(ready=False, children=("broker",)))
    assert "endpoints.json cannot be removed (it is a folder): move it elsewhere" in sentence


@pytest.mark.parametrize(("service", "said"), [("database", "could not load"), ("broker", "Can't start JetStream")])
def test_service_that_cannot_start_ends_up_with_what_its_log_says(
    up: Callable[..., Up], data_dir: Path, service: str, said: str
) -> None:
    up().close()
    if service == "database":
        (data_dir / "database" / "pg_hba.conf").unlink()
    else:
        shutil.rmtree(data_dir / "broker" / "store")
        (data_dir / "broker" / "store").write_text("")
    began = time.monotonic()
    sentence = refused(up(ready=False))
    assert f"the {service} does not start (" in sentence
    assert said in sentence
    assert f"logs/{service}.log has all it said" in sentence
    assert time.monotonic() - began < 15


def test_data_directory_that_is_a_file_is_refused(up: Callable[..., Up], data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    assert "is a file" in refused(up(data_dir / "file", ready=False))
    assert "is a file" in refused(up(data_dir / "file" / "below", ready=False))


def nobody() -> pwd.struct_passwd:
    if not ROOT:
        pytest.skip("only root can become another account")
    return pwd.getpwnam("nobody")


def test_ordinary_user_needs_no_root(up: Callable[..., Up], data_dir: Path, wait_until: Wait) -> None:
    account = nobody()
    os.chown(data_dir, account.pw_uid, account.pw_gid)
    one = up(account=account)
    assert query(one.endpoints()["database"], "SELECT 1") == 1
    assert one.owners() == {account.pw_uid}
    family = one.descendants()
    one.process.kill()
    one.process.wait()
    wait_until(lambda: not running(family), seconds=10, tell=lambda: repr(running(family)))


def test_directory_without_permission_is_refused_in_one_sentence(up: Callable[..., Up], data_dir: Path) -> None:
    account = nobody()
    sentence = refused(up(data_dir / "below", ready=False, account=account))
    assert str(data_dir) in sentence
    assert "--data-dir" in sentence
    assert not (data_dir / "below").exists()


def test_root_runs_the_database_as_an_existing_account_and_opens_nothing_above(
    up: Callable[..., Up], data_dir: Path
) -> None:
    if not ROOT:
        pytest.skip("this is about root")
    accounts = Path("/etc/passwd").read_bytes()
    data_dir.chmod(0o711)
    folder = data_dir / "data"
    folder.mkdir(mode=0o700)
    one = up(folder)
    servers = [process for process in one.descendants() if "postgres" in process.name()]
    assert servers
    assert 0 not in {process.uids().real for process in servers}
    assert Path("/etc/passwd").read_bytes() == accounts
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o711


def test_root_below_a_closed_folder_is_refused_in_one_sentence(up: Callable[..., Up], data_dir: Path) -> None:
    if not ROOT:
        pytest.skip("this is about root")
    data_dir.chmod(0o700)
    sentence = refused(up(data_dir / "data", ready=False))
    assert f"the folder {data_dir} is closed" in sentence
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert not (data_dir / "data").exists()


def test_programs_in_a_closed_home_are_copied_into_the_data_directory(data_dir: Path) -> None:
    """The virtual environment of a root whose home has mode 0700."""
    if not ROOT:
        pytest.skip("this is about root")
    from hypervision.services import binaries, database
    from hypervision.services import cluster as cluster_module

    home = Path(tempfile.mkdtemp(prefix="hv-home-"))
    try:
        package = binaries.postgres().parent
        shutil.copytree(package, home / package.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.name, symlinks=True)
        account = database.account_for(data_dir)
        with datadir.prepare(data_dir, kind="up", account=account):
            found = binaries.executable_by(account, home / package.name / "pginstall", data_dir / "programs")
            assert data_dir in found.parents
            cluster = cluster_module.Cluster(data_dir / "database", found, account)
            cluster.run([cluster.program("initdb"), "--version"])
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(home)
