"""The demo's log-ins: one per role, with passwords of this machine alone."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

from hypervision.services.endpoints import LogIn
from hypervision.services.plan import secret
from hypervision.services.secrets import write_private

ROLES = ("viewer", "operator", "engineer", "administrator", "auditor")


def log_ins(data_dir: Path) -> list[LogIn]:
    """Read the demo's log-ins; made up at the first start, kept afterwards."""
    path = secret(data_dir, "demo-log-ins.json")
    try:
        kept = [LogIn(**entry) for entry in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        kept = []
    if [entry.role for entry in kept] != list(ROLES):
        # Those of an older version have their accounts already, with these passwords.
        known = {entry.role: entry for entry in kept}
        kept = [known.get(role) or LogIn(role, secrets.token_urlsafe(9), role) for role in ROLES]
        entries = [{"user": entry.user, "password": entry.password, "role": entry.role} for entry in kept]
        write_private(path, json.dumps(entries))
    return kept


def create(data_dir: Path, log_in: LogIn) -> str:
    """Create one log-in by the verb `accounts add`, once.

    Returns
    -------
    str
        Empty when it exists, else why it could not be made.
    """
    done = secret(data_dir, f"demo-{log_in.user}.done")
    if done.exists():
        return ""
    given = secret(data_dir, f"demo-{log_in.user}")
    write_private(given, log_in.password + "\n")
    argv = [sys.executable, "-m", "hypervision", "accounts", "add", log_in.user, "--role", log_in.role]
    # The open pipe is the child's guard: it goes when we go.
    with subprocess.Popen(
        [*argv, "--password-file", str(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read().strip()
        code = process.wait()
    if code:
        return said.splitlines()[-1] if said else f"exit code {code}"
    write_private(done, "")
    return ""
