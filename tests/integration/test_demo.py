"""`hypervision demo` as a newcomer starts it: alive within a minute, and every process and verb within its own rights."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import places

pytestmark = pytest.mark.integration

# What PostgreSQL says to a role that may not, and what Python says where nobody caught it.
# Before the first migration nobody but its owner may look into the schema; the processes wait for that.
_WRONG = re.compile(r"permission denied for (?!schema hv)|must be owner|Traceback")


@dataclass
class Demo:
    """A demo under way."""

    folder: Path
    process: subprocess.Popen[bytes]

    def endpoints(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "endpoints.json").read_text("utf-8"))
        return found

    def health(self) -> dict[str, Any]:
        """What it says of itself; nothing before it says anything."""
        assert self.process.poll() is None, self.tail()
        try:
            told: dict[str, Any] = httpx.get(f"{self.endpoints()['http']}/api/health", timeout=5).json()
        except (OSError, ValueError, KeyError, httpx.TransportError):
            return {}
        return told

    def logs(self) -> dict[str, str]:
        return {
            path.name: path.read_text("utf-8", "replace")
            for path in [*sorted((self.folder / "logs").glob("*.log")), self.folder.parent / "demo.out"]
        }

    def tail(self) -> str:
        return "\n".join(f"== {name}\n{text[-1200:]}" for name, text in self.logs().items())

    def say(self, *words: str) -> str:
        """What a verb answers that is typed beside the demo; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "hypervision", words[0], "--data-dir", str(self.folder), *words[1:]],
            capture_output=True,
            text=True,
            env=_environment(),
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("HYPERVISION_")} | {"PYTHONSAFEPATH": "1"}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    place = places.folder("hv-demo-")
    place.chmod(0o755)
    folder = place / "data"
    words = ["demo", "--data-dir", str(folder), "--http-port", "0", "--mqtt-port", "0"]
    with (place / "demo.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hypervision", *words], stdout=out, stderr=out, env=_environment(), cwd=place
        )
    try:
        yield Demo(folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def alive(demo: Demo, wait_until: Callable[..., None]) -> Demo:
    wait_until(lambda: demo.health().get("status") == "ready", seconds=120, tell=demo.tail)

    def published() -> bool:
        told = (demo.folder / "logs" / "simulate.log").read_text("utf-8", "replace")
        assert not _WRONG.search(told), told[-3000:]
        return "simulated time begins" in told

    wait_until(published, seconds=120, tell=demo.tail)
    return demo


def test_a_newcomer_logs_in_and_sees_the_town_live(alive: Demo, wait_until: Callable[..., None]) -> None:
    log_ins = alive.endpoints()["log_ins"]
    for log_in in log_ins:
        given = {"user": log_in["user"], "password": log_in["password"]}
        with httpx.Client(base_url=alive.endpoints()["http"], timeout=10) as client:
            assert client.post("/api/v1/login", json=given).status_code == 200

            def fresh(client: httpx.Client = client) -> bool:
                rows = client.get("/api/v1/datastreams").json()["rows"]
                newest = max((row["phenomenon_time"] for row in rows if row["phenomenon_time"]), default=None)
                if newest is None:
                    return False
                return (datetime.now(UTC) - datetime.fromisoformat(newest)).total_seconds() < 60

            wait_until(fresh, seconds=30, tell=alive.tail)


def test_every_verb_does_its_work_beside_it(alive: Demo, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("quatre mots pour entrer\n", "utf-8")
    alive.say("accounts", "add", "night-shift", "--role", "operator", "--password-file", str(secret))
    alive.say("accounts", "change", "night-shift", "--role", "viewer")
    assert "night-shift" in alive.say("accounts", "list")
    alive.say("accounts", "disable", "night-shift")
    past = tmp_path / "past.csv"
    past.write_text("domain,thing,property,time,result\nwaste,bin-901,fill,2026-11-01T08:00:00Z,12\n", "utf-8")
    alive.say("observations", "import", str(past))
    who = ("--reason", "probe broken", "--author", "anne")
    day = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z")
    alive.say("observations", "invalidate", "bin-901", "fill", *day, *who)
    alive.say("observations", "changes")
    alive.say("things", "assign", "bin-901", "--district", "nord")
    alive.say("things", "group", "round-9", "--thing", "bin-901", "bin-101")
    alive.say("things", "period", "bin-901", "--seconds", "3600", "--author", "anne")
    alive.say("things", "waiting")
    alive.say("alarms", "out", "bin-901", *who)
    assert "bin-901" in alive.say("alarms", "placed")
    alive.say("alarms", "list")
    alive.say("rules", "propose", "waste.fill.high", "--limit", "93", "--reason", "fewer rounds", "--author", "anne")
    alive.say("rules", "list")
    alive.say("rejected", "count")
    alive.say("rejected", "list")
    alive.say("publish", "--domain", "waste", "bin-901", "fill=13")
    assert "night-shift" in alive.say("audit", "list")
    alive.say("audit", "verify")
    alive.say("db", "status")
    alive.say("db", "backup", str(tmp_path / "backup"))


def test_no_process_was_refused_anything(alive: Demo) -> None:
    said = {name: _WRONG.findall(text) for name, text in alive.logs().items()}
    assert not any(said.values()), {name: alive.logs()[name][-3000:] for name, found in said.items() if found}
