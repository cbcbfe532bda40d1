"""Tells the terminal how a start comes along, and writes `endpoints.json` when everything answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hypervision.services import broker, database, demo, endpoints, first, ports, readiness
from hypervision.services.datadir import Kind
from hypervision.services.phrases import Language, phrase
from hypervision.services.plan import Plan
from hypervision.services.supervise import Program
from hypervision.settings import Settings

# The services that everything else needs, each with the logs that tell why it does not start: the program's own
# first, then its guard's.
SERVICES = {"database": ("database",), "broker": ("broker", "broker-guard")}

# A town that takes longer than this [s] to come alive must not keep people from what already answers.
_TOWN_PATIENCE = 150.0


@dataclass(slots=True)
class Terminal:
    """Says what happens, with the seconds since the start."""

    language: Language
    began: float = field(default_factory=time.monotonic)

    def say(self, key: str, **values: object) -> None:
        """Print one phrase."""
        self.line(f"[{time.monotonic() - self.began:5.1f} s] {phrase(key, self.language, **values)}")

    def line(self, text: str) -> None:
        """Print one line; a terminal that was closed is no reason to stop."""
        with suppress(OSError, ValueError):
            print(text, flush=True)  # noqa: T201


@dataclass(frozen=True, slots=True)
class Start:
    """One start of `up` or `demo`: what was asked for and what was settled on."""

    kind: Kind
    settings: Settings
    plan: Plan
    programs: Sequence[Program]
    # The embedded services that have answered in this start.
    answered: set[str] = field(default_factory=set)

    @property
    def names(self) -> set[str]:
        """Names of the children."""
        return {program.name for program in self.programs}

    @property
    def host(self) -> str:
        """Where this machine itself reaches the web server."""
        host = self.settings.http.host
        return "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104

    @property
    def database_url(self) -> str:
        """The libpq URL of the platform's role."""
        given = self.settings.database_url
        return given.get_secret_value() if given else database.url(self.settings.data_dir, self.plan.database_port)

    @property
    def mqtt_url(self) -> str:
        """The MQTT URL of the collectors."""
        return self._own_mqtt or broker.url(self.settings.data_dir, self.plan.mqtt_port, broker.PLATFORM)

    @property
    def public_mqtt_url(self) -> str:
        """The MQTT URL of devices."""
        if self._own_mqtt:
            return self._own_mqtt
        if self.plan.anonymous:
            # Clients without a name are devices in a demo: a newcomer's first mosquitto_pub works.
            return f"mqtt://127.0.0.1:{self.plan.mqtt_port}"
        return broker.url(self.settings.data_dir, self.plan.mqtt_port, broker.DEVICE)

    def hopeless(self, name: str) -> bool:
        """Whether a program that keeps ending is a service that never answered: nothing can start without it."""
        return name in SERVICES and name not in self.answered

    def noted(self, name: str, answers: bool) -> bool:
        """Remember that a service answered."""
        if answers:
            self.answered.add(name)
        return answers

    @property
    def _own_mqtt(self) -> str:
        return "" if self.settings.mqtt_url is None else self.settings.mqtt_url.get_secret_value()


def steps(start: Start) -> list[readiness.Step]:
    """List what must answer before the platform is ready, in the order it comes."""
    plan, host = start.plan, start.host
    found = []
    if "database" in start.names:
        found.append(
            readiness.Step(
                "database", "database", lambda: start.noted("database", database.accepts(plan.database_port))
            )
        )
    if "broker" in start.names:
        values: dict[str, object] = {"port": plan.mqtt_port}
        found.append(
            readiness.Step(
                "broker", "broker-guard", lambda: start.noted("broker", ports.answers(plan.mqtt_port)), values
            )
        )
    if "serve" in start.names:
        collector = "collect" if "collect" in start.names else "collect-1"
        found += [
            readiness.Step("live", "serve", lambda: readiness.http_ok(plan.http_port, "/api/health/live", host=host)),
            readiness.Step(
                "health",
                collector,
                lambda: readiness.http_ok(plan.http_port, "/api/health", host=host),
                needs=("migrate",),
            ),
        ]
    if "simulate" in start.names:
        progress = start.settings.data_dir / "run" / "progress.json"
        patience = time.monotonic() + _TOWN_PATIENCE
        found.append(
            readiness.Step(
                "town",
                "simulate",
                lambda: readiness.history_done(progress) == 1.0 or time.monotonic() > patience,
            )
        )
    return found


def report(start: Start, terminal: Terminal, stopped: threading.Event) -> None:
    """Watch the start to its end; runs in a thread of its own.

    Parameters
    ----------
    start : Start
        What was started.
    terminal : Terminal
        Where to say it.
    stopped : threading.Event
        Ends the watch.
    """
    data_dir = start.settings.data_dir
    listed = steps(start)
    log_ins = None
    if start.kind == "demo" and "serve" in start.names:
        log_ins = demo.log_ins(data_dir)
        place = next(number for number, step in enumerate(listed) if step.key == "live")
        listed.insert(place, _log_in_step(start, terminal, log_ins, stopped))
    told: list[str] = []
    if start.kind == "up" and "serve" in start.names:
        # Last: everything that it needs answers by then.
        listed.append(_first_step(start, told))
    if not readiness.watch(listed, data_dir=data_dir, say=terminal.say, stopped=stopped):
        return
    host = f"[{start.host}]" if ":" in start.host else start.host
    found = endpoints.Endpoints(
        http=f"http://{host}:{start.plan.http_port}",
        mqtt=start.public_mqtt_url,
        database=start.database_url,
        log_ins=log_ins,
    )
    found.write(data_dir)
    if stopped.is_set():
        endpoints.remove(data_dir)
        return
    announce(terminal, found, data_dir=data_dir, first_said=told[0] if told else "")


def _first_step(start: Start, told: list[str]) -> readiness.Step:
    def prepared() -> bool:
        told.append(first.prepare(start.settings.data_dir))
        return True

    return readiness.Step("first_administrator", "migrate", prepared)


def _log_in_step(
    start: Start, terminal: Terminal, log_ins: Sequence[endpoints.LogIn], stopped: threading.Event
) -> readiness.Step:
    pending = list(log_ins)

    def created() -> bool:
        while pending and not stopped.is_set():
            why = demo.create(start.settings.data_dir, pending[0])
            if why:
                terminal.say("log_in_failed", user=pending[0].user, why=why)
            pending.pop(0)
        return not pending

    return readiness.Step("log_ins", "migrate", created)


def announce(terminal: Terminal, found: endpoints.Endpoints, *, data_dir: Path, first_said: str = "") -> None:
    """Print the addresses and, in a demo, the log-ins; else the link of the first administrator while there is none.

    Parameters
    ----------
    first_said : str
        What `first.prepare` said: a link is printed when it is made, and later only the file that has it is named.
    """
    language = terminal.language
    terminal.line("")
    terminal.say("ready", url=found.http)
    parts = urlsplit(found.mqtt)
    terminal.line(phrase("mqtt_at", language, url=f"{parts.scheme}://{parts.hostname}:{parts.port or 1883}"))
    if found.log_ins is None:
        if first_said == "made":
            terminal.line(phrase("first_link", language, url=first.link(data_dir, found.http)))
        if first_said:
            terminal.line(phrase("first_file", language, path=first.file_of(data_dir)))
    else:
        terminal.line(phrase("log_ins_title", language))
        for entry in found.log_ins:
            values = {"user": entry.user, "role": entry.role, "password": entry.password}
            terminal.line(phrase("log_in_line", language, **values))
    terminal.line(phrase("how_to_stop", language))
