"""Backups: written beside the running platform, whole or not at all, and the oldest ones dropped."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypervision.errors import ServiceError, StoreError
from hypervision.services import manifest as manifests
from hypervision.services import tools
from hypervision.services.manifest import DUMP, Manifest
from hypervision.services.secrets import write_private
from hypervision.store import backup as store

RESERVE: Final = 512_000_000
"""What a backup leaves free on its disk, which may be the database's as well [byte]."""
_OURS: Final = re.compile(r"\d{8}T\d{6}Z")
_UNFINISHED: Final = re.compile(r"\.\d{8}T\d{6}Z\.part")
# A dump is compressed; the last one tells how well. A table may have grown unlike the others.
_MARGIN: Final = 1.5

_log = logging.getLogger(__name__)


def write(url: str, target: Path) -> Manifest:
    """Write a backup while everybody goes on working.

    Everything is read in one snapshot, so the backup shows one instant: rows, counters and alarms of the same commits.
    It is written under another name beside `target`, brought to the disk, and renamed.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet.

    Raises
    ------
    ServiceError
        It exists or cannot be made, the disk has no room, or pg_dump failed; nothing is left.
    """
    with _writable(target):
        there = target.exists() or target.is_symlink()
    if there:
        raise ServiceError(f"{target} exists", remedy="name a new folder")
    with _writable(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(target.parent) as lock:
        for path in target.parent.iterdir():
            # Only by a name of ours: the folder may be anybody's.
            if _UNFINISHED.fullmatch(path.name) and path.is_dir():
                shutil.rmtree(path)
        part = target.with_name(f".{target.name}.part")
        if part.is_dir() and {path.name for path in part.iterdir()} <= {DUMP, manifests.NAME}:
            shutil.rmtree(part)
        if part.exists() or part.is_symlink():
            raise ServiceError(f"{part} exists and is no backup", remedy="move it away, or name another folder")
        with _writable(target):
            part.mkdir(mode=0o700)
        try:
            manifest = _dump(url, part, beside=target, lock=lock)
            write_private(part / manifests.NAME, manifest.text())
            _to_disk(part)
            part.rename(target)
            _sync(target.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    try:
        store.note(url, store.LAST, json.dumps({"at": manifest.at, "bytes": manifest.bytes}))
    except StoreError as error:
        # It is whole all the same; only `db status` does not know of it.
        _log.warning("the backup could not be noted: %s", error)
    return manifest


def name_at(now: datetime) -> str:
    """The name of a backup begun now, which sorts by time.

    Examples
    --------
    >>> name_at(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))
    '20261122T100000Z'
    """
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def whole(folder: Path) -> list[Path]:
    """The backups of a folder that bear a name of ours, oldest first; their files are not looked at."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if _OURS.fullmatch(p.name) and (p / manifests.NAME).is_file())


def drop_oldest(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest backups of a folder; those whose name is not ours are left alone."""
    dropped = whole(folder)[:-keep]
    for path in dropped:
        # Renamed first: one that is half removed is never taken for whole.
        gone = path.with_name(f".{path.name}.part")
        path.rename(gone)
        shutil.rmtree(gone)
    return dropped


def needed(table_bytes: int, earlier: Manifest | None) -> int:
    """How much room a backup may take.

    Parameters
    ----------
    table_bytes : int
        Of all tables without their indexes: compressed, a dump has never more.
    earlier : Manifest, optional
        The last backup beside it: what its tables took, and its files.

    Examples
    --------
    >>> needed(1_000_000, None)
    1000000
    """
    if earlier is None or not earlier.table_bytes:
        return table_bytes
    return min(table_bytes, int(table_bytes * _MARGIN * earlier.bytes / earlier.table_bytes))


def _dump(url: str, part: Path, *, beside: Path, lock: int) -> Manifest:
    began = time.monotonic()
    with store.snapshot(url) as snapshot:
        program = tools.fitting("pg_dump", server=snapshot.server.major)
        wanted = needed(snapshot.table_bytes, _last_beside(beside))
        _check_room(part, wanted)
        tools.run(
            program,
            "--format=directory",
            # The fastest: the processors belong to the collectors.
            "--compress=1",
            "--no-owner",
            # The copy of a packing under way, which may go before pg_dump comes to it.
            "--exclude-table=hv.packing_*",
            f"--snapshot={snapshot.name}",
            f"--file={part / DUMP}",
            url=url,
            watch=lambda: _check_room(part, 0),
            # A dump that outlives us is no leftover yet.
            keep_open=(lock,),
        )
        tables, writers = snapshot.tables(), snapshot.writers()
    return Manifest(
        at=snapshot.at.isoformat(),
        seconds=round(time.monotonic() - began, 3),
        product=manifests.product(),
        program=program.version,
        server=snapshot.server,
        migrations=snapshot.migrations,
        database_bytes=snapshot.database_bytes,
        table_bytes=snapshot.table_bytes,
        tables=tables,
        writers=writers,
        audit=snapshot.audit,
        files={f"{DUMP}/{name}": file for name, file in manifests.files(part / DUMP).items()},
    )


def _last_beside(target: Path) -> Manifest | None:
    earlier = whole(target.parent)
    try:
        return manifests.read(earlier[-1]) if earlier else None
    except ServiceError as error:
        _log.warning("%s", error)
        return None


def _check_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted + RESERVE:
        what = f"a backup may take {_mb(wanted)}" if wanted else "the backup was stopped"
        raise ServiceError(
            f"{what}, and {_mb(free)} are free on the disk of {folder.parent}, of which {_mb(RESERVE)} stay free",
            remedy="make room, or name a folder on another disk",
        )


@contextmanager
def _writable(target: Path) -> Iterator[None]:
    """Say of which backup a folder cannot be made."""
    try:
        yield
    except OSError as error:
        raise ServiceError(
            f"{target} cannot be made ({error.strerror})", remedy="name a folder below one that can be written to"
        ) from None


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; the kernel drops it with the last process that has it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"another backup is being written into {folder}", remedy="wait for it, or name another folder"
            ) from None
        yield handle
    finally:
        os.close(handle)


def _to_disk(folder: Path) -> None:
    """Bring a folder to the disk before it gets its name."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
