"""`up` with its two embedded services alone, in a process of its own."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from hypervision.services.stale import alive

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

    def owners(self) -> set[int]:
        """The accounts that its processes run as; one that ended meanwhile has none any more."""
        found = set()
        for process in self.descendants():
            with suppress(psutil.NoSuchProcess):
                found.add(process.uids().real)
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
        self.process.kill()
        self.process.wait()
        self.said.close()


def other_python(account: pwd.struct_passwd) -> tuple[str, dict[str, str]]:
    """Find a Python that the account can execute, with the packages of this one.

    A virtual environment may be made from an interpreter in a closed home.
    """
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


def refused(one: Up) -> str:
    """Wait for a refusal; give its sentence."""
    code = one.process.wait(timeout=40)
    said = one.output
    assert code == 1, said
    # The logs of its children follow; only the terminal counts.
    lines = [line for line in said.split("\n--- ")[0].splitlines() if line.startswith("hypervision ")]
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
