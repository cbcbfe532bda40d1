"""The whole platform as `up` runs it, its collector behind two proxies, in a folder of its own; gone at the end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from hypervision import settings as settings_module
from hypervision.errors import ServiceError
from hypervision.services import broker, database, datadir, ports
from hypervision.services.plan import Plan, secret
from hypervision.services.secrets import password, write_private
from hypervision.settings import Settings
from hypervision.store.trouble import Trouble
from ingest.bench.faults.clock import WrongClock
from ingest.bench.faults.proxy import Proxy
from ingest.session import Address

_log = logging.getLogger(__name__)

PARTS: Final = ("collect", "watch", "serve", "analyse", "database", "broker")
_READY: Final = 90.0


class Town:
    """One platform; a context manager.

    Parameters
    ----------
    settings : mapping
        Further settings, as environment variables without their prefix.
    where : Path, optional
        Its data directory; a temporary one by default. It is gone at the end.

    Attributes
    ----------
    mqtt, database : Proxy
        Between the collector and its services.
    clocks : dict
        Of the parts whose own clock can be made wrong.
    """

    def __init__(self, *, settings: Mapping[str, str] | None = None, where: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hv-faults-")) if where is None else where
        self._settings = {f"HYPERVISION_{key}": value for key, value in (settings or {}).items()}
        self._http_port = ports.free()
        self._mqtt_port = ports.free(taken=frozenset((self._http_port,)))
        self._stack = ExitStack()
        self._said = self.folder.with_name(self.folder.name + ".said")
        self.process: subprocess.Popen[bytes] | None = None
        self._clock_files = {part: self.folder.with_name(f"{self.folder.name}.{part}") for part in ("collect", "watch")}
        self.clocks = {part: WrongClock(path) for part, path in self._clock_files.items()}
        self.mqtt = Proxy(lambda: self._mqtt_port)
        self.database = Proxy(lambda: Plan.read(self.folder).database_port)

    # --- its life

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.mqtt)
            self._stack.enter_context(self.database)
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mqtt.release()
        self.database.release()
        self.end()
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in (self._said, *self._clock_files.values()):
            path.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the data directory and tell where the proxies are."""
        account = database.account_for(self.folder)
        with datadir.prepare(self.folder, kind="up", account=account):
            database.prepare(self.folder, account=account)
            write_private(self._secret("mqtt"), broker.url(self.folder, self.mqtt.port, broker.PLATFORM) + "\n")
            write_private(self._secret("database"), database.url(self.folder, self.database.port) + "\n")

    def _secret(self, name: str) -> Path:
        return secret(self.folder, f"proxy-{name}-url")

    def start(self) -> None:
        """Start `up`, and wait until everything answers."""
        environments = {part: dict(clock.environment) for part, clock in self.clocks.items()}
        environments["collect"] |= {
            "HYPERVISION_MQTT_URL_FILE": str(self._secret("mqtt")),
            "HYPERVISION_DATABASE_URL_FILE": str(self._secret("database")),
        }
        order = {
            "folder": str(self.folder),
            "http": self._http_port,
            "mqtt": self._mqtt_port,
            "environments": environments,
        }
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        environ |= {"PYTHONSAFEPATH": "1", "HYPERVISION_REGISTRATION": "open", "HYPERVISION_LANGUAGE": "en"}
        with self._said.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ingest.bench.faults.launcher", json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                env=environ | self._settings,
                cwd="/",
            )
        deadline = time.monotonic() + _READY
        while not (self.folder / "endpoints.json").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError("the platform does not start", remedy=self.tail())
            time.sleep(0.05)

    def end(self) -> None:
        """Stop it in order, else by force; nothing stays."""
        if self.process is None:
            return
        family = self.family()
        for process in family:
            with suppress(psutil.Error):
                process.resume()
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=45)
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=10)
        self._let_go()
        self.process = None

    def _let_go(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def kill_all(self) -> None:
        """Kill `up` alone with -9, and start it again when all it had started is gone."""
        assert self.process is not None
        family = self.family()
        self.process.kill()
        self.process.wait()
        self._let_go()
        _, left = psutil.wait_procs(family, timeout=12)
        if left:
            raise ServiceError(f"{len(left)} processes outlive a killed `up`: {[p.cmdline() for p in left]}")
        (self.folder / "endpoints.json").unlink(missing_ok=True)
        self.start()

    # --- its parts

    def family(self) -> list[psutil.Process]:
        """All processes it has started."""
        try:
            assert self.process is not None
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def part(self, name: str) -> psutil.Process | None:
        """The process of a verb; of `database` and `broker` the server itself, `guard:…` what holds it."""
        guard = name.startswith("guard:")
        for process in self.family():
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            verb = words[3] if words[1:3] == ["-m", "hypervision"] and len(words) > 3 else ""
            if guard or name not in ("database", "broker"):
                if verb == name.removeprefix("guard:"):
                    return process
            elif (name == "broker" and words and Path(words[0]).name == "nats-server") or (
                name == "database" and "-D" in words and Path(words[0]).name == "postgres"
            ):
                return process
        return None

    def signal(self, name: str, number: signal.Signals, *, patience: float = 30.0) -> list[psutil.Process]:
        """Send a signal to a part, and to what it has started where it is stopped; wait for it when it is away.

        Raises
        ------
        ServiceError
            It is away and does not come back.
        """
        deadline = time.monotonic() + patience
        while (process := self.part(name)) is None:
            if time.monotonic() > deadline:
                raise ServiceError(f"{name} does not run", remedy=self.tail())
            time.sleep(0.05)
        whole = [process]
        with suppress(psutil.Error):
            if number == signal.SIGSTOP:
                whole += process.children(recursive=True)
        for each in whole:
            with suppress(psutil.Error):
                each.send_signal(number)
        return whole

    # --- how to reach it

    @property
    def settings(self) -> Settings:
        """Its settings, as far as the harness gives them."""
        return settings_module.load({"HYPERVISION_DATA_DIR": str(self.folder), **self._settings})

    @property
    def device(self) -> Address:
        """Where devices publish; not through a proxy."""
        return Address.parse(broker.url(self.folder, self._mqtt_port, broker.DEVICE))

    @property
    def platform(self) -> Address:
        """The broker, as the platform logs in."""
        return Address.parse(broker.url(self.folder, self._mqtt_port, broker.PLATFORM))

    @property
    def database_url(self) -> str:
        """The database itself; not through a proxy."""
        return database.url(self.folder, Plan.read(self.folder).database_port)

    @property
    def trouble(self) -> Trouble:
        """What can be done to the database."""
        superuser = password(secret(self.folder, "database-superuser"))
        port = Plan.read(self.folder).database_port
        return Trouble(f"postgresql://postgres:{superuser}@127.0.0.1:{port}/postgres", self.database_url)

    def health(self) -> dict[str, Any]:
        """What `/api/health` says; empty when nobody answers."""
        connection = HTTPConnection("127.0.0.1", self._http_port, timeout=3.0)
        try:
            connection.request("GET", "/api/health")
            found = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return {}
        else:
            return found if isinstance(found, dict) else {}
        finally:
            connection.close()

    def tail(self, size: int = 2500) -> str:
        """The ends of its logs."""
        files = [self._said, *sorted((self.folder / "logs").glob("*.log"))]
        return "\n".join(f"--- {path.name}\n{_end(path, size)}" for path in files if path.exists())


def _end(path: Path, size: int) -> str:
    try:
        return path.read_text("utf-8", "replace")[-size:]
    except OSError as error:
        return str(error)
