"""The first statements of a new database cluster, given to PostgreSQL's single-user mode."""

from __future__ import annotations

ROLE = "hypervision"
DATABASE = "hypervision"


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
    if not password.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a password for the single-user mode has only letters, digits, - and _")
    return (
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC\n"
    )
