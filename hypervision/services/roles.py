"""The roles of the processes in the embedded database: made with it, or given to one of an older version."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from hypervision.services.cluster import Cluster
from hypervision.services.plan import secret
from hypervision.services.secrets import password, write_private
from hypervision.store.provision import DATABASE, PROCESSES, Process, role_of, roles_sql

# In the cluster: the digest of the statements by which its roles were made.
_NOTED: Final = "hypervision.roles"
SECRETS: Final = tuple(f"database-{process}" for process in PROCESSES)
"""Names of the secrets that hold the passwords."""


def statements(data_dir: Path) -> str:
    """The statements that make the roles, with the passwords that are kept; made up at the first call."""
    return roles_sql({process: password(secret(data_dir, f"database-{process}")) for process in PROCESSES})


def provide(data_dir: Path, cluster: Cluster) -> bool:
    """Make the roles in a cluster that has none yet, or give them the passwords that are kept.

    The server must not run. Its single-user mode needs no password, so that the cluster of an older version gets them
    as well; where there is nothing to do, nothing is started.

    Returns
    -------
    bool
        Whether there was something to do.

    Raises
    ------
    ServiceError
        A statement failed.
    """
    noted = cluster.folder / _NOTED
    text = statements(data_dir)
    if noted.exists() and noted.read_text("utf-8").strip() == _digest(text):
        return False
    cluster.run([cluster.program("postgres"), "--single", "-D", str(cluster.folder), DATABASE], text=text)
    note(data_dir, cluster)
    return True


def note(data_dir: Path, cluster: Cluster) -> None:
    """Note in the cluster which roles it has."""
    noted = cluster.folder / _NOTED
    write_private(noted, _digest(statements(data_dir)) + "\n")
    if cluster.account is not None:
        os.chown(noted, cluster.account.uid, cluster.account.gid)


def url(data_dir: Path, port: int, process: Process) -> str:
    """Give the libpq URL of a process."""
    kept = password(secret(data_dir, f"database-{process}"))
    return f"postgresql://{role_of(process)}:{kept}@127.0.0.1:{port}/{DATABASE}"


def url_file(data_dir: Path, process: Process) -> Path:
    """Name the file of the libpq URL of a process, as `up` writes it."""
    return secret(data_dir, f"database-{process}-url")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
