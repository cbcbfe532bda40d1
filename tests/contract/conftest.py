"""One suite for every database engine: servers, fresh databases, and a small world to tell stories in."""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hypervision import settings as settings_module
from hypervision.batch import Batch, Draft, Identity, Receipt
from hypervision.clock import to_us
from hypervision.domains import load
from hypervision.intake import Intake
from hypervision.services import ports, unprivileged
from hypervision.services.plan import secret
from hypervision.services.secrets import password
from hypervision.settings import Settings
from hypervision.store.connection import connect
from hypervision.store.migrate import migrate
from hypervision.store.provision import bootstrap_sql
from hypervision.store.writer import publish
from hypervision.watch import Watch

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ENGINES = ("postgresql-18", "postgresql-15", "timescaledb")
_numbers = itertools.count(1)


@dataclass
class Server:
    """A database server of the suite.

    Attributes
    ----------
    many : bool
        Whether it takes several connections and databases at once.
    """

    name: str
    admin: dict[str, Any]
    password: str = ""
    many: bool = True
    template: str = field(default="", init=False)

    def url(self, database: str) -> str:
        if not self.many:
            return f"postgresql://postgres:postgres@127.0.0.1:{self.admin['port']}/postgres?sslmode=disable"
        return f"postgresql://hypervision:{self.password}@127.0.0.1:{self.admin['port']}/{database}"

    def empty(self) -> str:
        """A database without anything, owned by a role that is no superuser."""
        name = f"contract_{next(_numbers)}"
        if self.many:
            self._admin("CREATE DATABASE {} OWNER hypervision", name)
        else:
            self._admin("DROP SCHEMA IF EXISTS hv CASCADE")
        return self.url(name)

    def migrated(self) -> str:
        if not self.many:
            url = self.empty()
            migrate_at(url)
            return url
        if not self.template:
            url = self.empty()
            migrate_at(url)
            self.template = url.rsplit("/", 1)[1]
        name = f"contract_{next(_numbers)}"
        self._admin("CREATE DATABASE {} OWNER hypervision TEMPLATE {}", name, self.template)
        return self.url(name)

    def drop(self, url: str) -> None:
        if self.many:
            self._admin("DROP DATABASE {} WITH (FORCE)", url.rsplit("/", 1)[1])

    def kick(self, url: str) -> None:
        """Cut every connection to a database, as a restart of the server does."""
        with psycopg.connect(**self.admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                (url.rsplit("/", 1)[1],),
            )

    def _admin(self, text: str, *names: str) -> None:
        with psycopg.connect(**self.admin, autocommit=True) as connection:
            connection.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


def migrate_at(url: str, *, now: datetime = NOW) -> list[str]:
    with connect(url, application="migrate") as connection:
        return migrate(connection, load(), now=now)


def _system_install() -> Path | None:
    """PostgreSQL 15 of this machine."""
    known = [Path("/usr/lib/postgresql/15"), Path("/usr/pgsql-15"), Path("/opt/homebrew/opt/postgresql@15")]
    on_path = shutil.which("postgres")
    if on_path is not None:
        known.append(Path(on_path).resolve().parent.parent)
    for install in known:
        program = install / "bin" / "postgres"
        if program.exists():
            told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
            if " 15" in told:
                return install
    return None


def _wait(admin: dict[str, Any], process: subprocess.Popen[Any], log: Path, *, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(**admin).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server does not answer ({error})\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        else:
            return


def _system_server() -> Iterator[Server]:
    install = _system_install()
    if install is None:
        pytest.skip("PostgreSQL 15 is not installed on this machine")
    account = unprivileged.choose()
    who: dict[str, Any] = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="hv-pg15-"))
    try:
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        port, log = ports.free(), folder / "log"
        subprocess.run(
            [install / "bin" / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8",
             "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd="/", **who,
        )  # fmt: skip
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [install / "bin" / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "",
                 "-c", "fsync=off"],
                stdout=stream, stderr=stream, cwd="/", **who,
            )  # fmt: skip
        try:
            admin: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres"}
            _wait(admin, process, log)
            server = Server("postgresql-15", admin, "contract")
            with psycopg.connect(**admin, autocommit=True) as connection:
                for statement in bootstrap_sql("contract").splitlines():
                    connection.execute(statement)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _timescale_server() -> Iterator[Server]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("TimescaleDB runs in Node.js here, and npm or node is not installed on this machine")
    source = Path(__file__).parent / "timescale"
    lock = (source / "package-lock.json").read_bytes()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hypervision-tests"
    folder = base / f"timescale-{abs(hash_of(lock)):x}"
    if not (folder / "node_modules" / ".done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder / name)
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True,
            check=False, timeout=280,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"npm ci cannot fetch TimescaleDB: {(done.stderr or done.stdout).strip()[-300:]}")
        (folder / "node_modules" / ".done").touch()
    shutil.copy(source / "server.mjs", folder / "server.mjs")
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [node, "server.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], 120)
            line = process.stdout.readline() if ready else b""
            if not line:
                errors.seek(0)
                pytest.fail(f"TimescaleDB did not start: {errors.read().decode(errors='replace')[-3000:]}")
            admin = {
                "host": "127.0.0.1", "port": json.loads(line)["port"], "user": "postgres", "password": "postgres",
                "dbname": "postgres", "sslmode": "disable",
            }  # fmt: skip
            yield Server("timescaledb", admin, many=False)
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def hash_of(data: bytes) -> int:
    import hashlib

    return int.from_bytes(hashlib.sha256(data).digest()[:6], "big")


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "postgresql-18":
        folder, port = request.getfixturevalue("_database_server")
        admin = {
            "host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres",
            "password": password(secret(folder, "database-superuser")),
        }  # fmt: skip
        found = Server(request.param, admin, password(secret(folder, "database-application")))
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(**admin).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
        yield found
    elif request.param == "postgresql-15":
        yield from _system_server()
    else:
        yield from _timescale_server()


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    url = server.empty()
    yield url
    server.drop(url)


Reading = tuple[str, str, str, datetime, float]


class World:
    """A migrated database and everything that writes to it; times are given, nothing waits."""

    def __init__(self, server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.url = url
        self.now = NOW
        self._open: list[Intake] = []
        self._monkeypatch = monkeypatch

    def settings(self, **overrides: Any) -> Settings:
        given = {"data_dir": "/nowhere", "database_url": self.url, "registration": "open", "language": "en"}
        return settings_module.load({}, overrides=given | overrides)

    def intake(self, writer: str = "collector-1", **overrides: Any) -> Intake:
        """Open a writer; where the server takes one connection only, the one before is closed."""
        if not self.server.many:
            self.close()
        intake = Intake.open(self.settings(**overrides), writer=writer, wait=5.0)
        self._open.append(intake)
        if not self.server.many:
            self._monkeypatch.setattr(intake, "_beat", _SameConnection(intake))
        return intake

    def watch(self, **overrides: Any) -> Watch:
        intake = self.intake("watch", **overrides)
        return Watch(intake, intake.settings)

    def close(self, intake: Intake | None = None) -> None:
        for one in list(self._open):
            if intake is None or one is intake:
                one.close()
                self._open.remove(one)

    def rows(self, text: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Ask the database, as an outsider does."""
        return self._run(text, values, fetch=True)

    def execute(self, text: str, values: Mapping[str, object] | None = None) -> None:
        self._run(text, values, fetch=False)

    def _run(self, text: str, values: Mapping[str, object] | None, *, fetch: bool) -> list[tuple[Any, ...]]:
        if self._open and not self.server.many:
            connection = self._open[-1].connection
            cursor = connection.execute(text, values)
            found = cursor.fetchall() if fetch else []
            connection.commit()
            return found
        with connect(self.url, application="test", autocommit=True) as connection:
            cursor = connection.execute(text, values)
            return cursor.fetchall() if fetch else []

    def batch(self, intake: Intake, *messages: Reading | list[Reading], received: datetime | None = None) -> Batch:
        """One message per reading, or per list of readings."""
        draft = Draft()
        at = to_us(received or self.now)
        for given in messages:
            readings = given if isinstance(given, list) else [given]
            domain, thing, *_ = readings[0]
            message = draft.message_of(f"urban/v1/{domain}/{thing}/up", b"{}", received_us=at)
            for reading in readings:
                slot = intake.streams.slot(*reading[:3])
                draft.reading(message, slot=slot, time_us=to_us(reading[3]), result=reading[4])
        return draft.close()

    def send(self, intake: Intake, *messages: Reading | list[Reading], received: datetime | None = None) -> Receipt:
        return intake.commit(self.batch(intake, *messages, received=received), now=received or self.now)

    def with_seq(self, intake: Intake, reading: Reading, seq: int) -> Batch:
        """A message without a time of its own."""
        batch = self.batch(intake, reading)
        batch.identities.append(Identity(0, reading[1], "", seq, 4711))
        return batch

    def history(self, intake: Intake, *readings: Reading) -> Receipt:
        from dataclasses import replace

        return intake.commit(replace(self.batch(intake, list(readings)), imported=True), now=self.now)

    def alarms(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT rule, thing, state FROM public.alarms ORDER BY id")

    def journal(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT from_state, to_state, cause FROM hv.alarm_transition ORDER BY transition_id")

    def edit(self, code: str, change: str) -> None:
        """Edit a rule as every edit is made: a new version of the rule and of the set."""
        self.execute(f"UPDATE hv.rule SET {change}, version = version + 1 WHERE code = %(code)s", {"code": code})
        self.execute("UPDATE hv.rule_set SET version = version + 1")

    def beat(self, writer: str = "collector-1", *, at: datetime | None = None, link: str = "connected",
             in_flight: int = 0) -> None:  # fmt: skip
        """What a collector publishes each second."""
        self.execute("INSERT INTO hv.writer (name) VALUES (%(name)s) ON CONFLICT DO NOTHING", {"name": writer})
        self.execute(
            "INSERT INTO hv.writer_snapshot (writer_id, beat_at, received, stored, duplicate, rejected, in_flight, link)"
            " SELECT writer_id, %(at)s, %(held)s, 0, 0, 0, %(held)s, %(link)s FROM hv.writer WHERE name = %(name)s"
            " ON CONFLICT (writer_id) DO UPDATE SET beat_at = excluded.beat_at, received = excluded.received,"
            " stored = 0, duplicate = 0, rejected = 0, in_flight = excluded.in_flight, link = excluded.link",
            {"name": writer, "at": at or self.now, "held": in_flight, "link": link},
        )

    def ticks(self, watch: Watch, *, until: datetime, beats: bool = True) -> int:
        """Let the timers run once a second up to an instant, with collectors alive or not."""
        steps = 0
        while self.now < until:
            self.now = min(self.now + timedelta(seconds=1), until)
            if beats:
                self.beat()
            steps += watch.tick(self.now)
        return steps


class _SameConnection:
    """A beat on the writer's own connection, for a server that takes only one."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def publish(self, writer_id: int, counters: Any, *, now: datetime, link: str, detail: Mapping[str, object]) -> None:
        connection = self._intake.connection
        publish(
            connection, writer_id, now=now, received=counters.received, stored=counters.stored,
            duplicate=counters.duplicate, rejected=counters.rejected, in_flight=counters.in_flight, link=link,
            detail=dict(detail),
        )  # fmt: skip
        connection.commit()

    def close(self) -> None:
        """The connection is the writer's."""


@pytest.fixture
def world(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    url = server.migrated()
    found = World(server, url, monkeypatch)
    yield found
    found.close()
    server.drop(url)


@pytest.fixture
def several() -> None:
    """For tests that need several connections at once: the TimescaleDB of this suite takes one."""


@pytest.fixture
def newest_only() -> None:
    """For tests of verbs, which are the same for every engine and slow to start."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an engine of the suite is not asked: nothing is lost, so nothing is skipped."""
    left_out = []
    for item in items:
        asked = getattr(item, "fixturenames", ())
        engine = getattr(getattr(item, "callspec", None), "params", {}).get("server", "")
        if (engine == "timescaledb" and "several" in asked) or (engine != "postgresql-18" and "newest_only" in asked):
            left_out.append(item)
    if left_out:
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def migrate_now() -> Callable[..., list[str]]:
    return migrate_at
