"""The account that runs the database when we are root: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hypervision.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account of this machine."""

    name: str
    uid: int
    gid: int


def choose() -> Account | None:
    """Find an existing unprivileged account; None when we are not root and need none.

    Raises
    ------
    ServiceError
        We are root and no account of this machine can run a program.
    """
    if os.geteuid() != 0:
        return None
    known = sorted(pwd.getpwall(), key=lambda entry: (entry.pw_name != "nobody", entry.pw_uid))
    for entry in known:
        account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        if account.uid != 0 and runs(account, ["/bin/sh", "-c", ":"]):
            return account
    raise ServiceError(
        "no unprivileged account can run the database",
        remedy="run this as an ordinary user, or set HYPERVISION_DATABASE_URL to a server of your own",
    )


def runs(account: Account | None, argv: list[str], *, cwd: Path = Path("/")) -> bool:
    """Tell whether the account can run this command with success."""
    try:
        done = subprocess.run(
            argv,
            check=False,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return False
    return done.returncode == 0


def can_enter(account: Account, folder: Path) -> bool:
    """Tell whether the account can reach the inside of `folder`."""
    return runs(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])


def closed_parent(account: Account, folder: Path) -> Path | None:
    """Find the outermost folder on the way to `folder` (itself not counted) that the account cannot enter."""
    for parent in reversed(folder.parents):
        if not can_enter(account, parent):
            return parent
    return None
