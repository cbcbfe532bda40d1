"""What machine and which programs a measurement was made with; no name of the machine, no paths."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

import ingest
from hypervision.errors import ServiceError
from hypervision.services import binaries

_SECONDS = 10.0


class Machine(NamedTuple):
    """A machine and its programs, each in a few words; empty where there is none."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    database: str
    broker: str
    mosquitto: str
    commit: str

    def sentence(self) -> str:
        """All of it on one line."""
        programs = (
            f"Python {self.python}",
            f"PostgreSQL {self.database}",
            f"NATS {self.broker}" if self.broker else "",
            f"Mosquitto {self.mosquitto}" if self.mosquitto else "",
        )
        return f"{self.cores} cores {self.cpu}, {self.memory_gb:.0f} GB, {self.system}; " + ", ".join(
            program for program in programs if program
        )


def machine(*, database: str, mosquitto: Path | None) -> Machine:
    """Look at this machine.

    Parameters
    ----------
    database : str
        Version of the database server.
    mosquitto : Path, optional
        Its program.
    """
    try:
        broker = version(_said(str(binaries.nats_server()), "--version"))
    except ServiceError:
        broker = ""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        database=database,
        broker=broker,
        mosquitto=version(_said(str(mosquitto), "-h")) if mosquitto else "",
        commit=_commit(),
    )


def find_mosquitto() -> Path | None:
    """Mosquitto's program where this machine has it; it is never installed from here."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"))
    found = shutil.which("mosquitto", path=places)
    return Path(found) if found else None


def version(text: str) -> str:
    """The first version number of what a program says of itself.

    Examples
    --------
    >>> version("nats-server: v2.15.0"), version("nothing")
    ('2.15.0', '')
    """
    found = re.search(r"\d+\.\d+(?:\.\d+)*", text)
    return found[0] if found else ""


def _cpu() -> str:
    """The name the processor gives itself."""
    if sys.platform == "darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string").strip() or platform.machine()
    found = re.search(r"^Model name:\s*(.+)$", _said("lscpu"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _commit() -> str:
    """The commit of this checkout, with a word where files were changed since; empty where there is none."""
    folder = str(Path(ingest.__file__).parent.parent)
    commit = _said("git", "-C", folder, "rev-parse", "--short=10", "HEAD").strip()
    changed = commit and _said("git", "-C", folder, "status", "--porcelain", "--untracked-files=no").strip()
    return f"{commit} with changes" if changed else commit


def _said(*words: str) -> str:
    """What a program says; nothing where it is not there."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_SECONDS, check=False, env=os.environ | {"LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
