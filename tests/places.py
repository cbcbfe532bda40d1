"""Where the servers of the suite keep their data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Databases of the suite are made and dropped by the hundred; on a disk that takes most of its time.
MEMORY = Path("/dev/shm")
# Two servers with their write-ahead logs at their greatest, and as much again for the rest of the machine [bytes].
ROOM = 4_000_000_000


def folder(prefix: str) -> Path:
    """Make an empty folder, in memory where this system has a file system for that, else below the temporary one.

    Not pytest's `tmp_path`: its parents are closed, and root's database runs under another account.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if fits(MEMORY) else None))


def fits(place: Path) -> bool:
    """Whether a place can take folders, has room, and lets programs run that a server copies beside its data."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    closed = found.f_flag & (os.ST_RDONLY | getattr(os, "ST_NOEXEC", 0))
    return not closed and found.f_bavail * found.f_frsize > ROOM and os.access(place, os.W_OK | os.X_OK)
