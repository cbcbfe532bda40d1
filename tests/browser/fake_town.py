"""A small town made up for tests: Things on a map, a day of readings, alarms of every priority."""

from __future__ import annotations

import json
import math
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psycopg
from psycopg import sql

from dashboards.sessions import COOKIE
from hypervision.accounts import Role
from hypervision.batch import Batch, Draft
from hypervision.clock import to_us
from hypervision.domains import load
from hypervision.intake import Intake
from hypervision.services import database, ports, roles
from hypervision.services.plan import secret
from hypervision.services.secrets import password
from hypervision.settings import Settings
from hypervision.settings import load as load_settings
from hypervision.store import accounts, administration
from hypervision.store.accounts import Visit
from hypervision.store.connection import connect, url_of
from hypervision.store.migrate import migrate
from hypervision.store.registry import NewThing, register_things
from hypervision.store.sql import query

WEST, SOUTH = 5.02, 47.31
PASSWORD = "quatre mots pour entrer"
ACCOUNTS = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "engineer": Role.ENGINEER,
    "administrator": Role.ADMINISTRATOR,
    "auditor": Role.AUDITOR,
}
STREETS = [
    "rue Monge",
    "rue des Lilas",
    "avenue Foch",
    "quai du Canal",
    "place du Marché",
    "rue Haute",
    "boulevard Nord",
]
NAMES = {
    "water": ("Capteur réseau", {"pressure": 3.6, "flow": 42.0}),
    "lighting": ("Armoire", {"voltage": 231.0, "power": 3.2, "lamp_state": 1.0}),
    "parking": ("Place", {"occupied": 1.0, "battery": 80.0}),
    "waste": ("Conteneur", {"fill": 45.0, "temperature": 16.0}),
}


def things(per_domain: int = 24) -> list[NewThing]:
    """The Things, spread over the streets; the last of each domain belongs to another organisation."""
    rng = random.Random(7)
    found = [NewThing("district-north", "Secteur nord", "water", kind="district", organisation="town")]
    for domain, (name, _) in NAMES.items():
        found.extend(
            NewThing(
                code=f"{domain}-{i:03d}",
                name=f"{name} {i}",
                domain=domain,
                kind="sensor",
                parent="district-north" if domain == "water" else None,
                longitude=round(WEST + 0.03 * rng.random(), 6),
                latitude=round(SOUTH + 0.016 * rng.random(), 6),
                place=STREETS[i % len(STREETS)],
                district="Nord" if i % 2 else "Sud",
                organisation="agency" if i == per_domain else "town",
            )
            for i in range(1, per_domain + 1)
        )
    return found


def write_map(data_dir: Path) -> None:
    """Streets, a river, a park, districts and pipes as GeoJSON."""
    features = []

    def add(layer: str, kind: str, points: list[list[float]], name: str = "") -> None:
        coordinates = [points] if kind == "Polygon" else points
        features.append(
            {
                "type": "Feature",
                "properties": {"layer": layer, "name": name},
                "geometry": {"type": kind, "coordinates": coordinates},
            }
        )

    def at(x: float, y: float) -> list[float]:
        return [WEST + 0.03 * x, SOUTH + 0.016 * y]

    for i in range(9):
        add("street", "LineString", [at(t / 20, i / 8 + 0.02 * math.sin(t / 3 + i)) for t in range(21)], STREETS[i % 7])
        add("street", "LineString", [at(i / 8 + 0.02 * math.sin(t / 4), t / 20) for t in range(21)])
    river = [at(t / 30, 0.35 + 0.12 * math.sin(t / 5)) for t in range(31)]
    add("river", "Polygon", river + [[x, y + 0.0011] for x, y in reversed(river)] + [river[0]], "La rivière")
    add("park", "Polygon", [at(0.6, 0.6), at(0.85, 0.62), at(0.82, 0.9), at(0.58, 0.85), at(0.6, 0.6)], "Parc")
    add("pipe", "LineString", [at(0.05, 0.1), at(0.3, 0.2), at(0.5, 0.55), at(0.9, 0.6)])
    add("district", "Polygon", [at(0, 0.5), at(1, 0.5), at(1, 1), at(0, 1), at(0, 0.5)], "Nord")
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "map.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")


def prepare(settings: Settings) -> None:
    """An empty database becomes a town with accounts."""
    now = datetime.now(UTC)
    with connect(url_of(settings), application="test") as connection:
        migrate(connection, load(), now=now)
        register_things(connection, things(), now=now, organisations={"town": "Ville", "agency": "Agence"})
        for name, role in ACCOUNTS.items():
            administration.add_account(connection, name=name, password=PASSWORD, role=role, now=now)
        administration.add_account(
            connection, name="agency", password=PASSWORD, role=Role.OPERATOR, now=now, organisation="agency"
        )
    write_map(settings.data_dir)


class Collector:
    """A collector that reads nothing from a broker: it commits what a test gives it, and beats each second."""

    def __init__(self, settings: Settings, *, name: str = "collector-1/1") -> None:
        self._intake = Intake.open(settings, writer=name, wait=10.0)
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()

    def _beat(self) -> None:
        while not self._stop.is_set():
            self._intake.beat(link="connected")
            self._stop.wait(1.0)

    def stop(self) -> None:
        """Stop beating: what a killed collector looks like."""
        self._stop.set()
        self._beating.join(5)
        self._intake.close()

    def read(self, values: dict[tuple[str, str, str], float], *, at: datetime | None = None) -> None:
        """Commit one reading of each (domain, thing, property), now unless told otherwise."""
        now = datetime.now(UTC)
        self._series({key: ([at or now], [value]) for key, value in values.items()}, now=now, imported=False)

    def refuse(self, *messages: tuple[str, bytes, str]) -> None:
        """Commit (topic, payload, reason) as messages that could not be taken."""
        now = datetime.now(UTC)
        draft = Draft()
        for topic, payload, reason in messages:
            draft.refuse(draft.message_of(topic, payload, received_us=to_us(now)), reason, f"{reason}: by a test.")
        self._intake.commit(draft.close(), now=now)

    def history(self, *, hours: float = 24.0) -> None:
        """A day for every Thing, as an import: nothing rings."""
        now = datetime.now(UTC)
        rng = np.random.default_rng(3)
        series = {}
        for thing in things():
            for name, level in NAMES[thing.domain][1].items() if thing.kind == "sensor" else ():
                period = {"water": 300, "lighting": 900, "parking": 900, "waste": 3600}[thing.domain]
                n = int(hours * 3600 / period)
                times = [now - timedelta(seconds=period * (n - i) + float(rng.uniform(0, 20))) for i in range(n)]
                swing = np.array([math.sin((t.hour + t.minute / 60 - 7) / 24 * 2 * math.pi) for t in times])
                if name in ("lamp_state", "occupied"):
                    results = (swing + rng.normal(0, 0.6, n) > 0).astype(float)
                elif name == "battery":
                    results = np.full(n, level)
                else:
                    results = level * (1 + 0.12 * swing + rng.normal(0, 0.01, n))
                series[thing.domain, thing.code, name] = (times, list(results))
        self._series(series, now=now, imported=True)

    def normal(self) -> dict[tuple[str, str, str], float]:
        """A normal reading of everything."""
        rng = random.Random(11)
        return {
            (t.domain, t.code, name): level if level in (0.0, 1.0) else round(level * rng.uniform(0.93, 1.07), 2)
            for t in things()
            if t.kind == "sensor"
            for name, level in NAMES[t.domain][1].items()
        }

    def _series(self, series: dict, *, now: datetime, imported: bool) -> None:
        slots, times, results = [], [], []
        for key, (at, values) in series.items():
            slot = self._intake.streams.slot(*key)
            slots += [slot] * len(at)
            times += [to_us(t) for t in at]
            results += values
        batch = Batch.of_series(
            slot=np.array(slots, np.int32),
            time_us=np.array(times, np.int64),
            result=np.array(results, np.float64),
            received_us=to_us(now),
            source="test",
            imported=imported,
        )
        self._intake.commit(batch, now=now)


# What is wrong in the town, at once: no rule among them has an on-delay.
FAULTS = {
    ("waste", "waste-003", "temperature"): 88.0,
    ("water", "water-004", "pump_state"): 2.0,
    ("lighting", "lighting-005", "lamp_state"): 2.0,
    ("lighting", "lighting-009", "lamp_state"): 2.0,
    ("waste", "waste-011", "fill"): 97.0,
    ("parking", "parking-008", "battery"): 9.0,
    ("parking", "parking-015", "battery"): 12.0,
}


def administer(server: tuple[Path, int], name: str, *statements: str) -> None:
    """Run statements about the database `name`, which stands for their `{}`, as its server's administrator."""
    folder, port = server
    secret_file = secret(folder, "database-superuser")
    with psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", dbname="postgres", password=password(secret_file), autocommit=True
    ) as connection:
        for text in statements:
            connection.execute(sql.SQL(text).format(sql.Identifier(name)))


@contextmanager
def database_on(server: tuple[Path, int]) -> Iterator[str]:
    """The libpq URL of a new empty database on the embedded PostgreSQL of the test session."""
    folder, port = server
    name = f"town_{secrets.token_hex(4)}"
    administer(server, name, "CREATE DATABASE {} OWNER hypervision")
    yield database.url(folder, port).rsplit("/", 1)[0] + f"/{name}"
    administer(server, name, "DROP DATABASE {} WITH (FORCE)")


@dataclass
class Town:
    """A town in a database of its own, served by a real `hypervision serve`."""

    settings: Settings
    base: str
    server: subprocess.Popen[bytes]
    log: Path
    collector: Collector
    database: tuple[Path, int]

    @contextmanager
    def dead_database(self) -> Iterator[None]:
        """The database answers nobody any more, and does again afterwards; the collector is another one then."""
        name = url_of(self.settings).rsplit("/", 1)[1]
        self.collector.stop()
        hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        administer(self.database, name, "ALTER DATABASE {} ALLOW_CONNECTIONS false", hang_up)
        try:
            yield
        finally:
            administer(self.database, name, "ALTER DATABASE {} ALLOW_CONNECTIONS true")
            self.collector = Collector(self.settings)

    def add_account(self, name: str, role: Role, **scope: object) -> None:
        """An account whose password is that of all; `scope`: `organisation`, `domains`, `districts`."""
        with connect(url_of(self.settings), application="town") as connection:
            administration.add_account(
                connection, name=name, password=PASSWORD, role=role, now=datetime.now(UTC), **scope
            )

    def token(self, user: str) -> str:
        """A session of its own for `user`, opened as a log-in does once it has checked the password."""
        come = Visit(now=datetime.now(UTC), lasting=timedelta(hours=12), address="127.0.0.1", agent="test")
        with connect(url_of(self.settings), application="test") as connection, connection.transaction():
            row = connection.execute(query("account_by_name"), {"name": user, "now": come.now}).fetchone()
            assert row is not None, user
            return accounts.open_session(connection, accounts.account_of(row), come, way="password").token

    @contextmanager
    def client(self, user: str) -> Iterator[httpx.Client]:
        """A client with a session of its own for `user`, where how one logs in is not what is tried."""
        with httpx.Client(base_url=self.base, timeout=20, cookies={COOKIE: self.token(user)}) as client:
            yield client

    @contextmanager
    def session(self, user: str | None) -> Iterator[httpx.Client]:
        """A client with a session of its own for `user`; None: nobody."""
        with httpx.Client(base_url=self.base, timeout=20) as client:
            if user is not None:
                answer = client.post("/api/v1/login", json={"user": user, "password": PASSWORD})
                assert answer.status_code == 200, answer.text + self.tail()
            yield client

    def tail(self) -> str:
        """The end of the server's log."""
        return self.log.read_text("utf-8", "replace")[-3000:]


@contextmanager
def running(server: tuple[Path, int]) -> Iterator[Town]:
    """Prepare a town, serve it, and take everything down again."""
    folder = Path(tempfile.mkdtemp(prefix="hv-town-"))
    with database_on(server) as url:
        settings = load_settings({}, overrides={"data_dir": folder, "database_url": url, "registration": "open"})
        prepare(settings)
        collector = Collector(settings)
        collector.history()
        collector.read(collector.normal())
        port = ports.free()
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        environ |= {
            "HYPERVISION_DATA_DIR": str(folder),
            # As under `up`: with the rights of a server, and no more.
            "HYPERVISION_DATABASE_URL": _as_server(server, url),
            "HYPERVISION_REGISTRATION": "open",
            "PYTHONSAFEPATH": "1",
        }
        log = folder / "serve.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "hypervision", "serve", "--http-port", str(port)],
                stdout=stream,
                stderr=stream,
                env=environ,
                cwd=folder,
            )
        town = Town(settings, f"http://127.0.0.1:{port}", process, log, collector, server)
        try:
            _wait_ready(town)
            yield town
        finally:
            process.terminate()
            process.wait(20)
            town.collector.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _as_server(server: tuple[Path, int], url: str) -> str:
    folder, port = server
    return roles.url(folder, port, "serve").rsplit("/", 1)[0] + "/" + url.rsplit("/", 1)[1]


def _wait_ready(town: Town) -> None:
    deadline = time.monotonic() + 40
    told = ""
    while time.monotonic() < deadline:
        assert town.server.poll() is None, town.tail()
        try:
            answer = httpx.get(f"{town.base}/api/health", timeout=5)
            told = answer.text
            parts = {part["name"]: part["working"] for part in answer.json()["parts"]}
            if answer.status_code == 200 and parts.get("http"):
                return
        except (httpx.TransportError, ValueError, KeyError):
            told = "no answer"
        time.sleep(0.1)
    raise AssertionError(f"the server is not ready: {told}\n{town.tail()}")
