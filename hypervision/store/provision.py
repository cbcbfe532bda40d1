"""The roles of the database: the owner, one for each process of the platform, and who keeps the readings' partitions.

The owner migrates, backs up and restores. The processes log in as roles of their own, which own nothing and have the
rights that `grants` gives them: none of them can change the audit log. Partitions of the readings are made, packed and
dropped while the platform runs, and only their owner can do that: it is a role that nobody logs in as, and of which the
owner and `watch` are members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

ROLE = "hypervision"
DATABASE = "hypervision"
STORAGE: Final = "hypervision_storage"
"""Owns the readings and their partitions; nobody logs in as it."""

Process = Literal["collect", "watch", "analyse", "serve", "verbs"]
PROCESSES: Final[tuple[Process, ...]] = ("collect", "watch", "analyse", "serve", "verbs")
"""The processes with a role of their own; `verbs` is the command line, but for `db` and for sealing the audit log."""


def role_of(process: Process) -> str:
    """The role that a process logs in as.

    Examples
    --------
    >>> role_of("serve")
    'hypervision_serve'
    """
    return f"{ROLE}_{process}"


def bootstrap_sql(password: str) -> str:
    """Create the platform's role and the database it owns.

    The role is no superuser: it owns its database and nothing else.

    Parameters
    ----------
    password : str
        Of the role; letters, digits, `-` and `_` only.

    Returns
    -------
    str
        One statement a line, as the single-user mode wants it.

    Examples
    --------
    >>> print(bootstrap_sql("x"), end="")
    CREATE ROLE hypervision LOGIN PASSWORD 'x'
    CREATE DATABASE hypervision OWNER hypervision
    REVOKE ALL ON DATABASE hypervision FROM PUBLIC
    """
    _check(password)
    return (
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC\n"
    )


def roles_sql(passwords: Mapping[Process, str], *, owner: str = ROLE, database: str = DATABASE) -> str:
    """Create the roles of the processes, or give them these passwords; to be repeated at will.

    What each of them may do in the database is not said here: the owner grants it with every migration.

    Parameters
    ----------
    passwords : mapping
        By process; letters, digits, `-` and `_` only.

    Returns
    -------
    str
        One statement a line, for a superuser: as the single-user mode wants it.
    """
    lines = [_created(STORAGE, "NOLOGIN")]
    for process, password in passwords.items():
        _check(password)
        lines.append(_created(role_of(process), "LOGIN"))
        lines.append(f"ALTER ROLE {role_of(process)} LOGIN PASSWORD '{password}'")
    names = ", ".join(map(role_of, passwords))
    lines.append(f"GRANT {STORAGE} TO {', '.join([owner, *(role_of(p) for p in passwords if p == 'watch')])}")
    lines.append(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {names}")
    return "".join(f"{line}\n" for line in lines)


def _created(role: str, kind: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
        f" THEN CREATE ROLE {role} {kind}; END IF; END $$"
    )


def _check(password: str) -> None:
    if not password.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a password for the single-user mode has only letters, digits, - and _")
