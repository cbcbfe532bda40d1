"""The database servers of the suite: each engine once per session, and databases made from a template."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hypervision.domains import load
from hypervision.services import ports, unprivileged
from hypervision.services.plan import secret
from hypervision.services.secrets import password
from hypervision.store.connection import connect
from hypervision.store.migrate import migrate
from hypervision.store.provision import PROCESSES, STORAGE, Process, bootstrap_sql, role_of, roles_sql
from tests import places

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
    extension : str
        One that its administrator makes in each new database.
    passwords : dict
        Of the roles of the processes, where it has them.
    """

    name: str
    admin: dict[str, Any]
    password: str = ""
    many: bool = True
    extension: str = ""
    passwords: dict[Process, str] = field(default_factory=dict)
    template: str = field(default="", init=False)

    def url(self, database: str) -> str:
        if not self.many:
            return f"postgresql://postgres:postgres@127.0.0.1:{self.admin['port']}/postgres?sslmode=disable"
        return f"postgresql://hypervision:{self.password}@127.0.0.1:{self.admin['port']}/{database}"

    def url_of(self, process: Process, url: str) -> str:
        """The URL by which a process reaches a database with its own role."""
        where = url.rsplit("@", 1)[1]
        return f"postgresql://{role_of(process)}:{self.passwords[process]}@{where}"

    def empty(self) -> str:
        """A database without anything, owned by a role that is no superuser."""
        name = f"contract_{next(_numbers)}"
        if self.many:
            self._admin("CREATE DATABASE {} OWNER hypervision", name)
            if self.extension:
                with psycopg.connect(**self.admin | {"dbname": name}, autocommit=True) as connection:
                    connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(self.extension)))
                    # As docs/deployment.md says it of TimescaleDB.
                    connection.execute(f"GRANT CREATE ON SCHEMA _timescaledb_internal TO {STORAGE}".encode())
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

    def restorer(self, url: str) -> str:
        """Who restores into a database: a superuser where TimescaleDB asks for one."""
        return (
            f"postgresql://postgres@127.0.0.1:{self.admin['port']}/{url.rsplit('/', 1)[1]}" if self.extension else url
        )

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


def embedded_server(folder: Path, port: int) -> Iterator[Server]:
    """The embedded PostgreSQL 18, which runs already."""
    admin: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres",
        "password": password(secret(folder, "database-superuser")),
    }  # fmt: skip
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
    passwords = {process: password(secret(folder, f"database-{process}")) for process in PROCESSES}
    yield Server("postgresql-18", admin, password(secret(folder, "database-application")), passwords=passwords)


def _installs() -> list[Path]:
    """PostgreSQL 15 to 18 of this machine; `HYPERVISION_TEST_POSTGRES` names a folder of another one."""
    given = os.environ.get("HYPERVISION_TEST_POSTGRES")
    known = [Path(given)] if given else []
    for major in range(15, 19):
        known += [
            Path(f"/usr/lib/postgresql/{major}"), Path(f"/usr/pgsql-{major}"), Path(f"/opt/homebrew/opt/postgresql@{major}")
        ]  # fmt: skip
    on_path = shutil.which("postgres")
    if on_path is not None:
        known.append(Path(on_path).resolve().parent.parent)
    return [install for install in known if (install / "bin" / "postgres").exists()]


def _system_install() -> Path | None:
    """PostgreSQL 15 of this machine."""
    for install in _installs():
        told = subprocess.run([install / "bin" / "postgres", "--version"], capture_output=True, text=True, check=False)
        if " 15" in told.stdout:
            return install
    return None


@functools.cache
def native_timescale() -> Path | None:
    """A PostgreSQL of this machine that has TimescaleDB."""
    for install in _installs():
        told = subprocess.run(
            [install / "bin" / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0 and (Path(told.stdout.strip()) / "timescaledb.so").exists():
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


def system_server() -> Iterator[Server]:
    install = _system_install()
    if install is None:
        pytest.skip("PostgreSQL 15 is not installed on this machine")
    yield from _started("postgresql-15", install)


def _started(name: str, install: Path, *options: str, extension: str = "") -> Iterator[Server]:
    """A server of an installed PostgreSQL, in a folder of its own."""
    account = unprivileged.choose()
    who: dict[str, Any] = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    folder = places.folder("hv-pg15-")
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
                 "-c", "fsync=off", *options],
                stdout=stream, stderr=stream, cwd="/", **who,
            )  # fmt: skip
        try:
            admin: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres"}
            _wait(admin, process, log)
            given: dict[Process, str] = dict.fromkeys(PROCESSES, "contract")
            server = Server(name, admin, "contract", extension=extension, passwords=given)
            with psycopg.connect(**admin, autocommit=True) as connection:
                for statement in (bootstrap_sql("contract") + roles_sql(given)).splitlines():
                    connection.execute(statement)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def timescale_server() -> Iterator[Server]:
    """TimescaleDB as it is installed on this machine, else the one in WebAssembly."""
    install = native_timescale()
    if install is not None:
        # No workers of its own: one that looks at a template keeps databases from being made of it.
        options = ("shared_preload_libraries=timescaledb", "timescaledb.max_background_workers=0",
                   "timescaledb.telemetry_level=off")  # fmt: skip
        asked = (word for option in options for word in ("-c", option))
        yield from _started("timescaledb", install, *asked, extension="timescaledb")
    else:
        yield from _timescale_in_node()


def _timescale_in_node() -> Iterator[Server]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("TimescaleDB runs in Node.js here, and npm or node is not installed on this machine")
    source = Path(__file__).parent / "timescale"
    lock = (source / "package-lock.json").read_bytes()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hypervision-tests"
    folder = base / f"timescale-{hash_of(lock):x}"
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
    return int.from_bytes(hashlib.sha256(data).digest()[:6], "big")
