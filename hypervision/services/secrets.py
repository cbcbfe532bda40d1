"""Files that only the running user can read."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Final

from hypervision.errors import ServiceError

_PASSWORD: Final = re.compile(r"[A-Za-z0-9_-]+")


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step: a reader sees the old text or the new one.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    text : str
        Its whole content.
    """
    # mkstemp makes the file 0600 from the first instant; a chmod afterwards would leave a gap.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def password(path: Path) -> str:
    """Read the password kept in `path`; make a random one at the first call.

    Returns
    -------
    str
        192 bits in URL-safe letters, so it needs no quoting in a URL, in SQL or in a configuration file.

    Raises
    ------
    ServiceError
        The file is there and holds no such password. It is never made anew: the database and the devices in the
        field still have the old one.
    """
    try:
        kept = path.read_text("utf-8").strip()
    except FileNotFoundError:
        kept = secrets.token_urlsafe(24)
        write_private(path, kept + "\n")
        return kept
    except UnicodeDecodeError:
        kept = ""
    if _PASSWORD.fullmatch(kept) is None:
        raise ServiceError(f"the secret {path} is empty or damaged", remedy="restore that file from a backup")
    return kept
