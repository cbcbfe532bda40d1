"""File systems of the platform's own, in memory, that can be made full: Linux, as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SIZE: Final = 6_000_000_000
LOG_SIZE: Final = 1_000_000_000
_LOG: Final = Path("database") / "pg_wal"


def missing() -> str:
    """Why this machine cannot do it; empty when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "file systems that can be made full need Linux and root"
    return "" if _probe() else "this machine lets root mount no file system"


def _probe() -> bool:
    folder = Path(tempfile.mkdtemp(prefix="hv-mount-"))
    try:
        mount(folder, 1_000_000)
        unmount(folder)
    except (OSError, subprocess.CalledProcessError):
        return False
    else:
        return True
    finally:
        folder.rmdir()


def mount(folder: Path, size: int, *options: str) -> None:
    """Put an empty file system in memory over a folder."""
    words = ",".join([f"size={size}", *options])
    subprocess.run(["mount", "-t", "tmpfs", "-o", words, "tmpfs", str(folder)], check=True, capture_output=True)


def unmount(folder: Path) -> None:
    """Take it away with all it holds; what is still used goes when nobody uses it any more."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def prepare(folder: Path) -> None:
    """Give a data directory a file system of its own."""
    mount(folder, SIZE, "mode=755")


def prepare_log(folder: Path) -> None:
    """Give the write-ahead log of a fresh cluster one as well, with what is in it."""
    place = folder / _LOG
    owner = place.stat()
    aside = place.with_name("pg_wal.aside")
    shutil.copytree(place, aside)
    mount(place, LOG_SIZE, "mode=700", f"uid={owner.st_uid}", f"gid={owner.st_gid}")
    shutil.copytree(aside, place, dirs_exist_ok=True)
    shutil.rmtree(aside)
    for path in [place, *place.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)


def release(folder: Path) -> None:
    """Take both away."""
    unmount(folder / _LOG)
    unmount(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def full(folder: Path, which: str) -> Iterator[None]:
    """Leave no room on the data directory (`data`) or on the write-ahead log (`log`)."""
    place, size = (folder, SIZE) if which == "data" else (folder / _LOG, LOG_SIZE)
    _fill(place)
    try:
        yield
    finally:
        _resize(place, size)


def _fill(place: Path, *, tries: int = 50) -> None:
    """Make it as small as what is in it, which grows while it is measured."""
    for left in reversed(range(tries)):
        found = os.statvfs(place)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        try:
            _resize(place, max(used, found.f_frsize))
        except subprocess.CalledProcessError:
            if not left:
                raise
        else:
            return


def _resize(place: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True, capture_output=True)
