"""Broker, database and processes of the platform of one's own, in a temporary folder, gone at the end."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from hypervision import settings as settings_module
from hypervision.domains import catalogue_of
from hypervision.errors import ServiceError
from hypervision.services import broker, database, datadir, guard, ports
from hypervision.services.plan import Plan
from hypervision.settings import Settings
from hypervision.store.connection import wait_for_server
from hypervision.store.migrate import migrate

_log = logging.getLogger(__name__)


class Role:
    """One process of the platform; it goes when we go.

    Parameters
    ----------
    verb : str
        `database`, `broker`, `collect`, …
    arguments : sequence of str
        Its options.
    environ : mapping
        Settings for it.
    """

    def __init__(self, verb: str, *arguments: str, folder: Path, environ: Mapping[str, str]) -> None:
        self.verb = verb
        self.log = folder / "logs" / f"role-{'-'.join([verb, *arguments]).replace('/', '-')}.log"
        own = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        own |= {"HYPERVISION_DATA_DIR": str(folder), guard.VARIABLE: "stdin", "PYTHONSAFEPATH": "1", **environ}
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hypervision", verb, *arguments],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                env=own,
                cwd=folder,
            )

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self.process.poll() is None

    def tail(self, size: int = 3000) -> str:
        """The end of what it said."""
        return self.log.read_text("utf-8", "replace")[-size:]

    def kill(self) -> None:
        """Kill it and everything it started with -9."""
        me = psutil.Process(self.process.pid)
        family = [*me.children(recursive=True), me]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        self.process.wait()
        self._let_go()

    def stop(self, *, seconds: float = 40.0) -> int:
        """Ask it to stop; its exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=seconds)
        self._let_go()
        return code

    def _let_go(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()


class Stage:
    """Services in a folder of their own.

    Parameters
    ----------
    folder : Path
        Data directory, prepared.
    settings : mapping
        Further settings for every role, as environment variables without their prefix.
    mqtt_url, database_url : str, optional
        Servers of one's own; then the embedded ones are not started.

    Attributes
    ----------
    roles : dict
        The processes by verb.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        mqtt_url: str | None = None,
        database_url: str | None = None,
    ) -> None:
        self.folder = folder
        self._mqtt_url = mqtt_url
        self._other_broker: str | None = None
        self._database_url = database_url
        self.plan = Plan(http_port=0, mqtt_port=ports.free(), nats_port=ports.free(), database_port=ports.free())
        self.plan.write(folder)
        self.roles: dict[str, Role] = {}
        self._further = {f"HYPERVISION_{key}": value for key, value in (settings or {}).items()}

    @property
    def owns_database(self) -> bool:
        """Whether the database is the stage's own, to be stopped and started."""
        return self._database_url is None

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self._database_url or database.url(self.folder, self.plan.database_port)

    def mqtt_url(self, user: str = broker.PLATFORM) -> str:
        """Where the broker is."""
        return self._other_broker or self._mqtt_url or broker.url(self.folder, self.plan.mqtt_port, user)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of every role."""
        return {
            "HYPERVISION_DATABASE_URL": self.database_url,
            "HYPERVISION_MQTT_URL": self.mqtt_url(),
            "HYPERVISION_REGISTRATION": "open",
            **self._further,
        }

    @property
    def settings(self) -> Settings:
        """The same settings for this process."""
        return settings_module.load({"HYPERVISION_DATA_DIR": str(self.folder), **self.environ})

    def use_broker(self, url: str | None) -> None:
        """Let roles that start from now on use another broker; None for the one of the stage."""
        self._other_broker = url

    def start(self, verb: str, *arguments: str, **further: str) -> Role:
        """Start a role; the services are waited for.

        Parameters
        ----------
        verb, *arguments : str
            What to run; together they name the role.
        **further : str
            More settings for it, as environment variables.
        """
        environ = self.environ | further
        role = self.roles[" ".join([verb, *arguments])] = Role(verb, *arguments, folder=self.folder, environ=environ)
        port = {"database": self.plan.database_port, "broker": self.plan.mqtt_port}.get(verb)
        deadline = time.monotonic() + 60
        while port is not None and not ports.answers(port):
            if not role.running or time.monotonic() > deadline:
                raise ServiceError(f"{verb} does not start", remedy=role.tail())
            time.sleep(0.02)
        if verb == "database":
            # A server whose port is open may still be replaying its log.
            wait_for_server(self.database_url, application="bench", wait=60).close()
        return role

    def migrate(self) -> None:
        """Bring the database to this version."""
        with wait_for_server(self.database_url, application="bench", wait=60) as connection:
            migrate(connection, catalogue_of(self.settings), now=datetime.now(UTC))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for verb in sorted(self.roles, key=lambda v: (v in ("database", "broker"), v == "database")):
            role = self.roles[verb]
            if role.running:
                try:
                    role.stop()
                except subprocess.TimeoutExpired:
                    role.kill()


@contextmanager
def stage(
    *,
    settings: Mapping[str, str] | None = None,
    mqtt_url: str | None = None,
    database_url: str | None = None,
    with_broker: bool = True,
) -> Iterator[Stage]:
    """Prepare a stage with database and broker running, and clear it away afterwards.

    Parameters
    ----------
    settings, mqtt_url, database_url
        See `Stage`.
    with_broker : bool
        False: nothing of it talks to a broker.
    """
    folder = Path(tempfile.mkdtemp(prefix="hv-stage-"))
    try:
        account = database.account_for(folder)
        with datadir.prepare(folder, kind="up", account=account):
            if database_url is None:
                database.prepare(folder, account=account)
            with Stage(folder, settings=settings, mqtt_url=mqtt_url, database_url=database_url) as made:
                if database_url is None:
                    made.start("database")
                if mqtt_url is None and with_broker:
                    made.start("broker")
                made.migrate()
                yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
