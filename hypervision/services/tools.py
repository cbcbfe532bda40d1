"""PostgreSQL's own programs: the one that fits the server, without a secret on its command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypervision.errors import ServiceError
from hypervision.services.binaries import postgres
from hypervision.store import address

# Where systems put the programs of one version beside those of others: Debian, Red Hat, Homebrew, Postgres.app.
_PLACES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, slots=True)
class Program:
    """One of PostgreSQL's programs.

    Attributes
    ----------
    version : str
        As it says itself, such as `18.6`.
    """

    path: Path
    version: str

    @property
    def major(self) -> int:
        """Its major version, 0 when it did not say one."""
        found = re.match(r"\d+", self.version)
        return int(found[0]) if found else 0


def fitting(name: str, *, server: int, archive: int = 0) -> Program:
    """Find the program for a server: of the same major version, else of the next newer one.

    An older one refuses the server; a newer one writes archives that the server's own programs cannot read.

    Parameters
    ----------
    server : int
        Major version of the server.
    archive : int
        Major version of the program that wrote the archive to be read.

    Raises
    ------
    ServiceError
        There is none that is new enough.
    """
    least = max(server, archive)
    found = [program for program in _installed(name) if program.major]
    able = sorted((program for program in found if program.major >= least), key=lambda program: program.major)
    if able:
        return able[0]
    there = f"{name} {max(found, key=lambda p: p.major).version} is the newest here" if found else f"there is no {name}"
    raise ServiceError(
        f"{there}, and the database is of PostgreSQL {least}",
        remedy=f"install the client programs of PostgreSQL {least} or newer",
    )


def _installed(name: str) -> Iterator[Program]:
    places = []
    # Without an embedded server for this machine the system's programs have to do.
    with suppress(ServiceError):
        places.append(postgres() / "bin" / name)
    for pattern in _PLACES:
        places += sorted(Path("/").glob(pattern.removeprefix("/") + f"/{name}"))
    on_path = shutil.which(name)
    if on_path is not None:
        places.append(Path(on_path))
    for path in places:
        if os.access(path, os.X_OK):
            try:
                said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30)
            except (OSError, subprocess.TimeoutExpired):
                continue
            version = re.search(r"\)\s+(\S+)", said.stdout)
            yield Program(path, version[1] if version else "")


def run(
    program: Program,
    *arguments: str,
    url: str,
    watch: Callable[[], None] = lambda: None,
    keep_open: Sequence[int] = (),
    forgiven: str = "",
) -> None:
    """Run one on a database; what is secret is in its environment, not on its command line.

    Parameters
    ----------
    watch : callable
        Called twice a second; what it raises ends the program.
    keep_open : sequence of int
        File descriptors that the program inherits.
    forgiven : str
        A complaint with this text is no failure.

    Raises
    ------
    ServiceError
        It failed: its first sentence.
    """
    name = program.path.name
    with _address(url) as (words, secrets), tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(program.path), f"--dbname={words}", *arguments],
            # In English, for we look for its errors.
            env=os.environ | secrets | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            pass_fds=keep_open,
            umask=0o077,
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    watch()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    wrong = [line for line in lines if "error:" in line]
    if code and not (forgiven and wrong and all(forgiven in line for line in wrong)):
        told = next((line for line in wrong if not forgiven or forgiven not in line), None)
        raise ServiceError(
            f"{name} failed: {told or (lines or [f'exit code {code}'])[0]}", remedy="mend that and run it again"
        )


@contextmanager
def _address(url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The words for the command line and the environment beside them.

    libpq has a variable for the password alone; other secrets go through a service file that only we can read.
    """
    words, secrets, hidden = address.for_tools(url)
    if not hidden:
        yield words, secrets
        return
    with tempfile.TemporaryDirectory(prefix="hv-service-") as folder:
        file = Path(folder) / "service.conf"
        file.touch(mode=0o600)
        lines = "".join(f"{key}={value}\n" for key, value in hidden.items())
        file.write_text(f"[hypervision]\n{lines}", "utf-8")
        yield words, secrets | {"PGSERVICEFILE": str(file), "PGSERVICE": "hypervision"}


def listing(program: Program, folder: Path) -> list[str]:
    """The table of contents of an archive, one line an entry.

    Raises
    ------
    ServiceError
        It cannot be read.
    """
    done = subprocess.run([program.path, "--list", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        raise ServiceError(f"the archive {folder} cannot be read ({why})", remedy="take another backup")
    return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]
