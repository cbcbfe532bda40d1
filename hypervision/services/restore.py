"""Restoring a backup into an empty database, and comparing what came out of it with the manifest."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypervision.errors import PermanentStoreError, ServiceError
from hypervision.services import manifest as manifests
from hypervision.services import tools
from hypervision.services.alone import scratch
from hypervision.services.manifest import DUMP, Manifest
from hypervision.store import audit, grants
from hypervision.store import backup as store
from hypervision.store.backup import Table
from hypervision.store.connection import Connection, mapped
from hypervision.store.migrate import alone
from hypervision.store.versions import migrations

# pg_restore 17 and newer sets this for any server; those before 17 do not know it and need not.
_FORGIVEN: Final = 'unrecognized configuration parameter "transaction_timeout"'
# The embedded server's `max_wal_size` [byte].
_LOG_BYTES: Final = 2_000_000_000
# Read in last, when all the rest was found equal: without it no process takes the database for one of ours.
_LAST: Final = " TABLE DATA hv installation "

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """How a restore went.

    Attributes
    ----------
    checked, read, compared : float
        How long the files, the restore itself and the comparison took [s].
    missing : list of str
        Migrations that the backup lacks.
    """

    manifest: Manifest
    checked: float
    read: float
    compared: float
    missing: list[str]

    @property
    def seconds(self) -> float:
        """Altogether [s]."""
        return self.checked + self.read + self.compared


def opened(backup: Path) -> Manifest:
    """Read a backup's manifest and look at its files.

    Raises
    ------
    ServiceError
        There is none, it is damaged, or of a newer version of the platform.
    """
    manifest = manifests.read(backup)
    newer = [name for name in manifest.migrations if name not in migrations()]
    if newer:
        raise ServiceError(
            f"the backup {backup} has the migration {newer[0]}, which this version does not know",
            remedy=f"install version {manifest.product} of the platform or a newer one",
        )
    manifests.check(backup, manifest)
    return manifest


def restore(backup: Path, url: str, *, say: Callable[[str], None] = _log.info) -> Restored:
    """Restore into an empty database; run again, it starts over what an interrupted one has left.

    Parameters
    ----------
    say : callable
        Told of each step.

    Raises
    ------
    ServiceError
        The backup is damaged, the database not empty, or what came out differs from the manifest; then the
        database has no migrations, and no process uses it.
    """
    began = time.monotonic()
    manifest = opened(backup)
    checked = time.monotonic()
    with store.unhurried(url, application="restore") as connection, mapped(), alone(connection, patience=5.0):
        _make_way(connection, say)
        store.prepare(connection, manifest.server.extension)
        say(f"restoring {manifest.rows:,} rows of {manifest.at}")
        server = store.server_of(connection).major
        program = tools.fitting("pg_restore", server=server, archive=_major(manifest.program))
        connection.commit()
        lines = [line for line in tools.listing(program, backup / DUMP) if not _is_extension(line)]
        words = [
            # Roles and subscriptions of the old server mean nothing on the new one, or too much.
            "--no-owner",
            "--no-privileges",
            "--no-subscriptions",
            "--no-publications",
            # TimescaleDB's catalog comes out wrong when several read it in.
            f"--jobs={1 if manifest.server.extension else 2}",
            # A program that is newer than the server complains, and has to go on.
            *(["--exit-on-error"] if program.major == server else []),
            str(backup / DUMP),
        ]
        _read(program, words, [line for line in lines if _LAST not in line], url)
        # Before the comparison: in the midst of a restore TimescaleDB does not show what it has compressed.
        store.finish(connection, manifest.server.extension)
        read = time.monotonic()
        say("comparing every table with the manifest")
        _compare(connection, {name: t for name, t in manifest.tables.items() if name != "installation"})
        store.settle(connection)
        _read(program, words, [line for line in lines if _LAST in line], url)
        _compare(connection, {"installation": manifest.tables["installation"]})
        missing = [name for name in migrations() if name not in manifest.migrations]
        if audit.has_audit(connection):
            # Rights are not restored: roles of the old server may mean too much on the new one.
            grants.apply(connection)
            connection.commit()
    store.note(url, "restored", f"{manifest.at} at {datetime.now(UTC).isoformat()}")
    return Restored(manifest, checked - began, read - checked, time.monotonic() - read, missing)


def drill(backup: Path, *, say: Callable[[str], None] = _log.info) -> Restored:
    """Restore into an embedded database of its own in a temporary folder, which is gone afterwards.

    Nothing but the backup and this program is used, as on the day when the machine is gone.

    Raises
    ------
    ServiceError
        The backup cannot be restored, or was made of TimescaleDB, which is not embedded.
    """
    manifest = manifests.read(backup)
    if manifest.server.extension:
        raise ServiceError(
            f"the backup {backup} is of TimescaleDB {manifest.server.extension}, and the embedded database has none",
            remedy="make an empty database on such a server, name it in HYPERVISION_DATABASE_URL, and restore without"
            " --verify",
        )
    check_room(Path(tempfile.gettempdir()), manifest, remedy="make room, or name a folder on another disk in TMPDIR")
    with scratch() as url:
        return restore(backup, url, say=say)


def check_room(folder: Path, manifest: Manifest, *, remedy: str) -> None:
    """Refuse to restore where there is no room for it.

    Raises
    ------
    ServiceError
        What the database took and the server's log of writing it do not fit on the disk of this folder.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    wanted, free = manifest.database_bytes + _LOG_BYTES, shutil.disk_usage(existing).free
    if free < wanted:
        raise ServiceError(
            f"the restored database needs {wanted / 1e6:.0f} MB, and {folder} has {free / 1e6:.0f} MB left",
            remedy=remedy,
        )


def _make_way(connection: Connection, say: Callable[[str], None]) -> None:
    state = store.state(connection)
    connection.commit()
    if state == "taken":
        raise ServiceError(
            "the database is not empty",
            remedy="restore into a new one; for the embedded one stop the platform, move the folder `database` out of"
            " its data directory, and restore before the next start",
        )
    if state == "unfinished":
        say("clearing away a restore that was interrupted")
        store.clear_unfinished(connection)


def _read(program: tools.Program, words: list[str], lines: list[str], url: str) -> None:
    """Read these entries of the archive."""
    with tempfile.NamedTemporaryFile("w", prefix="hv-restore-", suffix=".list", encoding="utf-8") as wanted:
        wanted.write("\n".join(lines) + "\n")
        wanted.flush()
        tools.run(program, f"--use-list={wanted.name}", *words, url=url, forgiven=_FORGIVEN)


def _compare(connection: Connection, wanted: Mapping[str, Table]) -> None:
    found = store.contents(connection, only=wanted)
    for name, table in wanted.items():
        there = found.get(name)
        if there != table:
            has = "is missing" if there is None else f"has {there.rows} rows, digest {there.digest}"
            raise ServiceError(
                f"the table {name} {has}, the backup had {table.rows}, digest {table.digest}",
                remedy="take the backup before this one; this database is not used",
            )
    behind = store.sequences_behind(connection)
    connection.commit()
    if behind:
        raise PermanentStoreError(f"the numbers of {behind[0]} are behind its rows", remedy="take another backup")


def _is_extension(line: str) -> bool:
    """Whether an entry is an extension or its comment, which only its owner may make: `prepare` makes what we need."""
    return " EXTENSION " in line.partition(";")[2]


def _major(version: str) -> int:
    digits = version.partition(".")[0]
    return int(digits) if digits.isdigit() else 0
