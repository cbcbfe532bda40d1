"""The machine and the programs that a measurement was made with."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import ingest
from hypervision.errors import ServiceError
from hypervision.services import binaries
from hypervision.services.machine import Machine, commit, machine, said


class Rig(NamedTuple):
    """A machine and its programs by their versions; empty where there is none."""

    machine: Machine
    database: str
    broker: str
    mosquitto: str
    commit: str

    def sentence(self) -> str:
        """All of it on one line."""
        programs = (
            f"PostgreSQL {self.database}",
            f"NATS {self.broker}" if self.broker else "",
            f"Mosquitto {self.mosquitto}" if self.mosquitto else "",
        )
        return ", ".join([str(self.machine), *filter(None, programs)])

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        programs = self._asdict()
        del programs["machine"]
        return self.machine._asdict() | programs


def rig(*, database: str, mosquitto: Path | None) -> Rig:
    """Look at this machine.

    Parameters
    ----------
    database : str
        Version of the database server.
    mosquitto : Path, optional
        Its program.
    """
    try:
        broker = version(said(str(binaries.nats_server()), "--version"))
    except ServiceError:
        broker = ""
    return Rig(
        machine=machine(),
        database=database,
        broker=broker,
        mosquitto=version(said(str(mosquitto), "-h")) if mosquitto else "",
        commit=commit(str(Path(ingest.__file__).parent.parent)),
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
