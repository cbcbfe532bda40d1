"""The link of the first administrator: made while there is none, printed once, kept in a file of the owner's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypervision.services.plan import secret

NAME = "first-administrator"


def file_of(data_dir: Path) -> Path:
    """Name the file that keeps the token, mode 0600, until there is an administrator."""
    return secret(data_dir, NAME)


def prepare(data_dir: Path) -> str:
    """Make the link by the verb `accounts first`, where it is needed.

    Returns
    -------
    str
        `made` when it is a new one, `kept` when an earlier one still works, empty when there is an administrator or
        it could not be made; why, the child has written to the terminal.
    """
    argv = [sys.executable, "-m", "hypervision", "accounts", "first", "--file", str(file_of(data_dir))]
    # The open pipe is the child's guard: it goes when we go.
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read().strip()
        code = process.wait()
    return said if code == 0 and said in ("made", "kept") else ""


def link(data_dir: Path, http: str) -> str:
    """Write the link out; what stands behind the `#` a browser sends to nobody."""
    token = file_of(data_dir).read_text("utf-8").strip()
    return f"{http}/welcome#{token}"
