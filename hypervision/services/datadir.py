"""The data directory: made, checked and locked before anything starts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
from pathlib import Path
from typing import IO, Literal

from hypervision.errors import ServiceError
from hypervision.services.secrets import write_private
from hypervision.services.unprivileged import Account, can_enter, closed_parent

Kind = Literal["up", "demo"]

MARKER = "hypervision.json"
VERSION = 1
# A new cluster, its first write-ahead log and a broker's store need about 150 MB.
NEEDED_BYTES = 500_000_000
FOLDERS = ("run", "logs", "secrets", "broker")
# What a start that failed before it wrote the marker leaves, domain files put there before the first start, and what
# a system puts in every folder or disk.
_NOBODYS = frozenset({*FOLDERS, "domains", "backups", "run/up.lock", "lost+found", ".DS_Store"})


def prepare(path: Path, *, kind: Kind, account: Account | None = None) -> IO[str]:
    """Make the data directory ready and lock it.

    Parameters
    ----------
    path : Path
        The directory, absolute.
    kind : {"up", "demo"}
        Which of the two commands starts; each refuses the other's directory.
    account : Account, optional
        Who runs the database when we are root.

    Returns
    -------
    file
        The lock; closing it unlocks. The kernel drops it with the process, so it is never stale.

    Raises
    ------
    ServiceError
        One sentence with the path and the remedy; nothing was created then.
    """
    fresh = not path.exists()
    check(path, kind=kind)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if account is not None:
            _open_for(account, path, made)
        for name in FOLDERS:
            (path / name).mkdir(mode=0o700, exist_ok=True)
        lock = _lock(path)
        if not (path / MARKER).exists():
            write_private(path / MARKER, json.dumps({"kind": kind, "version": VERSION}) + "\n")
    except ServiceError:
        if fresh:
            _take_back(made)
        raise
    except OSError as error:
        raise ServiceError(
            f"the data directory {path} cannot be written ({error.strerror}: {error.filename})",
            remedy="choose another with --data-dir, or give the running user the rights",
        ) from None
    return lock


def check(path: Path, *, kind: Kind) -> None:
    """Look at a data directory without touching it.

    Raises
    ------
    ServiceError
        It is a file, belongs to somebody else, to the other command or to a newer version, cannot be written, or
        its disk is full.
    """
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not existing.is_dir():
        raise ServiceError(f"{existing} is a file, not a data directory", remedy="choose another --data-dir")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ServiceError(
            f"the data directory {path} cannot be written (no permission in {existing})",
            remedy="choose another with --data-dir, or give the running user the rights",
        )
    _check_marker(path, kind)
    _check_owner(path)
    left = shutil.disk_usage(existing).free
    if left < NEEDED_BYTES:
        raise ServiceError(
            f"only {left // 1_000_000} MB are left on the disk of {path}",
            remedy=f"free {NEEDED_BYTES // 1_000_000} MB, or choose another --data-dir",
        )


def _check_marker(path: Path, kind: Kind) -> None:
    marker = path / MARKER
    try:
        found = json.loads(marker.read_text("utf-8"))
        its_kind, version = str(found["kind"]), int(found["version"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ServiceError(
            f"{marker} cannot be understood ({error})", remedy="restore it, or choose another --data-dir"
        ) from None
    if its_kind != kind:
        raise ServiceError(
            f"{path} is a data directory of `hypervision {its_kind}`, not of `hypervision {kind}`",
            remedy="choose another --data-dir",
        )
    if version > VERSION:
        raise ServiceError(
            f"{path} is of version {version}, this program knows version {VERSION}",
            remedy="install a newer version of the platform, or choose another --data-dir",
        )


def _check_owner(path: Path) -> None:
    """Refuse a folder in which somebody else keeps files: we would close it and write among them."""
    if not path.exists() or (path / MARKER).exists():
        return
    try:
        found = [child for folder in (path, *(path / name for name in FOLDERS)) for child in _inside(folder)]
    except OSError as error:
        raise ServiceError(
            f"the data directory {path} cannot be read ({error.strerror}: {error.filename})",
            remedy="choose another with --data-dir, or give the running user the rights",
        ) from None
    names = sorted(str(child.relative_to(path)) for child in found)
    strange = [
        name
        for name in names
        if not (name in _NOBODYS or name.startswith(f".{MARKER}.")) or (name in FOLDERS and not (path / name).is_dir())
    ]
    if strange:
        raise ServiceError(
            f"{path} is no data directory of ours and not empty (it holds {strange[0]!r})",
            remedy="choose an empty or a new folder with --data-dir",
        )


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _open_for(account: Account, path: Path, made: list[Path]) -> None:
    """Let the database's account through the data directory itself, never through what lies above it."""
    # Folders that we have just made above the data directory are ours to open; others are not.
    for folder in made:
        folder.chmod(0o711)
    closed = closed_parent(account, path)
    if closed is not None:
        raise ServiceError(
            f"the folder {closed} is closed to the account {account.name!r}, which runs the database for root",
            remedy=f"choose a --data-dir elsewhere, or open that folder (chmod o+x {closed})",
        )
    if not can_enter(account, path):
        ours = (path / MARKER).exists() or not any(path.iterdir())
        if not ours:
            raise ServiceError(
                f"the folder {path} is not empty and closed to the account {account.name!r}",
                remedy="choose an empty --data-dir",
            )
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)


def _take_back(made: list[Path]) -> None:
    for folder in made:
        for child in FOLDERS:
            shutil.rmtree(folder / child, ignore_errors=True)
        try:
            folder.rmdir()
        except OSError:
            return


def _lock(path: Path) -> IO[str]:
    stream = (path / "run" / "up.lock").open("a", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise ServiceError(
            f"another `hypervision` runs in the data directory {path}",
            remedy="stop it first, or choose another --data-dir",
        ) from None
    return stream


def wait_for_children(path: Path, *, seconds: float = 15.0) -> None:
    """Wait until the processes of an earlier `up`, killed with -9, have gone.

    Raises
    ------
    ServiceError
        They did not go in time.
    """
    with (path / "run" / "children.lock").open("a", encoding="utf-8") as stream:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"processes of an earlier start still run in {path}",
                        remedy="end them, or choose another --data-dir",
                    ) from None
                time.sleep(0.1)
            else:
                return
