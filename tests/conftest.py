"""Fixtures that several folders share: the real embedded database and broker, started as `up` starts them."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hypervision import settings as settings_module
from hypervision.errors import ServiceError
from hypervision.services import broker, database, datadir, guard, ports
from hypervision.services.plan import Plan, log_file, secret
from hypervision.services.secrets import password
from hypervision.settings import Settings
from tests import places

if TYPE_CHECKING:
    from tests.integration.one_up import Up


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Poll a condition until it holds; fail with `tell()` at the deadline."""

    def wait(condition: Callable[[], object], *, seconds: float = 20.0, tell: Callable[[], str] = str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not reached in {seconds} s: {tell()}")
            time.sleep(0.02)

    return wait


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder below no closed one."""
    folder = places.folder("hv-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Child:
    """A verb started as `up` starts it: it goes when this process goes."""

    def __init__(self, verb: str, settings: Settings) -> None:
        self.log = log_file(settings.data_dir, f"test-{verb}")
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        environ |= {"HYPERVISION_DATA_DIR": str(settings.data_dir), guard.VARIABLE: "stdin", "PYTHONSAFEPATH": "1"}
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hypervision", verb],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                env=environ,
                cwd=settings.data_dir,
            )

    def wait_for_port(
        self, port: int, *, answers: Callable[[int], bool] = ports.answers, seconds: float = 30.0
    ) -> None:
        deadline = time.monotonic() + seconds
        while not answers(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.process.args!r}: port {port} does not open\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=40)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return code


def settings_in(folder: Path, **overrides: object) -> Settings:
    """Default settings for one data directory."""
    return settings_module.load({}, overrides={"data_dir": folder, **overrides})


@pytest.fixture(scope="session")
def _database_server() -> Iterator[tuple[Path, int]]:
    folder = places.folder("hv-db-")
    try:
        account = database.account_for(folder)
        with datadir.prepare(folder, kind="up", account=account):
            database.prepare(folder, account=account)
            plan = Plan(http_port=0, mqtt_port=0, nats_port=0, database_port=ports.free())
            plan.write(folder)
            child = Child("database", settings_in(folder))
            try:
                child.wait_for_port(plan.database_port, answers=database.accepts)
                yield folder, plan.database_port
            finally:
                child.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count(1)


@pytest.fixture
def superuser_url(_database_server: tuple[Path, int]) -> str:
    """The libpq URL of the embedded PostgreSQL's superuser."""
    folder, port = _database_server
    return f"postgresql://postgres:{password(secret(folder, 'database-superuser'))}@127.0.0.1:{port}/postgres"


@pytest.fixture
def embedded_database(_database_server: tuple[Path, int], superuser_url: str) -> Iterator[str]:
    """The libpq URL of a new empty database, owned by the platform's role, on the embedded PostgreSQL."""
    import psycopg
    from psycopg import sql

    folder, port = _database_server
    name = f"test_{next(_numbers)}"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER hypervision").format(sql.Identifier(name)))
    yield database.url(folder, port).rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def up(data_dir: Path, wait_until: Callable[..., None]) -> Iterator[Callable[..., Up]]:
    """Start `up` with its two embedded services, ready; whatever is left of it at the end is stopped."""
    from tests.integration.one_up import Up

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


@pytest.fixture
def start_broker(data_dir: Path) -> Iterator[Callable[..., tuple[Child, Plan]]]:
    """Start the embedded broker in `data_dir`; again after a stop or a kill, on the same port."""
    children: list[Child] = []
    with datadir.prepare(data_dir, kind="up"):

        def start(*, anonymous: bool = False) -> tuple[Child, Plan]:
            try:
                plan = Plan.read(data_dir)
            except ServiceError:
                plan = Plan(0, ports.free(), ports.free(), 0, anonymous=anonymous)
                plan.write(data_dir)
            child = Child("broker", settings_in(data_dir))
            children.append(child)
            child.wait_for_port(plan.mqtt_port)
            return child, plan

        yield start
        for child in children:
            child.stop()


@pytest.fixture
def embedded_broker(data_dir: Path, start_broker: Callable[..., tuple[Child, Plan]]) -> str:
    """The MQTT URL of the user `platform` on an embedded broker of this test alone.

    The collector's session exists; devices log in with `broker.url(data_dir, port, "device")`.
    """
    _, plan = start_broker()
    return broker.url(data_dir, plan.mqtt_port, broker.PLATFORM)
