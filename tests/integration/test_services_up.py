"""`up` with its two embedded services alone: start, stop, kill, start again, and every refusal."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from hypervision.services import ports
from hypervision.services.stale import Record, alive

pytestmark = pytest.mark.integration

Wait = Callable[..., None]
ROOT = os.geteuid() == 0

# What `hypervision up` does, with other children: the services can be tested without the rest.
SMALL = """
import argparse, os, sys
from hypervision import launch, settings
from hypervision.errors import HypervisionError
from hypervision.services.supervise import Program
CHILDREN = {
    "database": Program("database", ("database",), level=10, patience=30),
    "broker": Program("broker", ("broker",), level=20, patience=15),
    "migrate": Program("migrate", ("db", "migrate"), once=True),
}
kind, folder, http, mqtt, *names = sys.argv[1:]
given = {"data_dir": folder, "language": "en"}
given |= {"http": {"port": int(http)}} if http != "-" else {}
given |= {"broker": {"port": int(mqtt)}} if mqtt != "-" else {}
try:
    found = settings.load(dict(os.environ), demo=kind == "demo", overrides=given)
    sys.exit(launch.run(argparse.Namespace(), found, name=kind, children=[CHILDREN[name] for name in names]))
except HypervisionError as error:
    sys.exit(f"hypervision {kind}: {error}")
"""


class Up:
    """One `up` in a process of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        kind: str = "up",
        http: str = "0",
        mqtt: str = "0",
        children: tuple[str, ...] = ("database", "broker"),
        account: pwd.struct_passwd | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        environ |= {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "", "PYTHONDONTWRITEBYTECODE": "1"}
        program, added = (sys.executable, {}) if account is None else other_python(account)
        self.process = subprocess.Popen(
            [program, "-c", SMALL, kind, str(folder), http, mqtt, *children],
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
            env=environ | added | (environment or {}),
            cwd="/",
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )

    @property
    def output(self) -> str:
        self.said.flush()
        self.said.seek(0)
        logs = self.folder / "logs"
        tails = [f"--- {path.name}\n{path.read_text()[-1500:]}" for path in sorted(logs.glob("*.log"))]
        return "\n".join([self.said.read(), *tails])

    def ready(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"up ended with {self.process.returncode}\n{self.output}")
        return (self.folder / "endpoints.json").exists()

    def endpoints(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "endpoints.json").read_text())
        return found

    def descendants(self) -> list[psutil.Process]:
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in family if alive(process.pid, process.create_time()) is not None]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
        self.process.kill()
        self.process.wait()
        self.said.close()


@pytest.fixture
def up(data_dir: Path, wait_until: Wait) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(folder: Path = data_dir, *, ready: bool = True, **options: object) -> Up:
        one = Up(folder, **options)  # type: ignore[arg-type]
        started.append(one)
        if ready:
            wait_until(one.ready, seconds=60, tell=lambda: one.output)
        return one

    yield start
    for one in started:
        one.close()


def refused(one: Up) -> str:
    """Wait for a refusal; give its sentence."""
    code = one.process.wait(timeout=40)
    said = one.output
    assert code == 1, said
    lines = [line for line in said.splitlines() if line.startswith("hypervision ")]
    assert len(lines) == 1, said
    assert "Traceback" not in said
    return lines[0]


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if alive(process.pid, process.create_time()) is not None]


def words(process: psutil.Process) -> list[str]:
    """Read a command line; empty when the process has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def query(url: str, text: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(text).fetchone()
    assert row is not None
    return row[0]


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


def test_data_directory_that_is_a_file_is_refused(up: Callable[..., Up], data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    assert "is a file" in refused(up(data_dir / "file", ready=False))
    assert "is a file" in refused(up(data_dir / "file" / "below", ready=False))


def other_python(account: pwd.struct_passwd) -> tuple[str, dict[str, str]]:
    """Find a Python that the account can execute, with the packages of this one.

    A virtual environment may be made from an interpreter in a closed home.
    """
    import sysconfig

    path = os.pathsep.join([str(Path(__file__).parents[2]), sysconfig.get_paths()["purelib"]])
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        with suppress(OSError):
            probe = subprocess.run(
                [program, "-c", "import hypervision.launch, ingest.broker"],
                user=account.pw_uid,
                capture_output=True,
                cwd="/",
                env={"PATH": os.defpath, "PYTHONPATH": path},
            )
            if probe.returncode == 0:
                return program, {"PYTHONPATH": path}
    pytest.skip(f"the account {account.pw_name} can execute no {version} with the platform's packages")


def nobody() -> pwd.struct_passwd:
    if not ROOT:
        pytest.skip("only root can become another account")
    return pwd.getpwnam("nobody")


def test_ordinary_user_needs_no_root(up: Callable[..., Up], data_dir: Path, wait_until: Wait) -> None:
    account = nobody()
    os.chown(data_dir, account.pw_uid, account.pw_gid)
    one = up(account=account)
    assert query(one.endpoints()["database"], "SELECT 1") == 1
    assert {process.uids().real for process in one.descendants()} == {account.pw_uid}
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
    from hypervision.services import binaries, database, datadir

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
            cluster = database.Cluster(data_dir / "database", found, account)
            cluster.run([cluster.program("initdb"), "--version"])
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(home)
