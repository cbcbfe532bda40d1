"""PostgreSQL's own programs: the embedded server's where they are there, else the system's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.binaries import postgres
from hypervision.store import address


def run(name: str, *arguments: str, url: str) -> None:
    """Run one on a database; the password is in its environment, not on its command line.

    Raises
    ------
    ServiceError
        There is no such program, or it failed: its first sentence.
    """
    try:
        program: Path | str | None = postgres() / "bin" / name
    except ServiceError:
        program = shutil.which(name)
    if program is None:
        raise ServiceError(f"there is no program {name}", remedy="install PostgreSQL's client programs")
    words, secret = address.for_tools(url)
    done = subprocess.run(
        [str(program), f"--dbname={words}", *arguments],
        env=os.environ | secret,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ServiceError(f"{name} failed: {lines[0]}", remedy="mend that and run it again")
