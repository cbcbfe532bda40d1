"""The database URL: whether libpq will take it, said before anything waits for the server it names."""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hypervision.errors import SettingError

# No server can answer below a file, so that libpq looks at every word and then gives up at once.
_NOWHERE: Final = "/dev/null"
# What libpq takes as a secret, besides the password, and reads from no variable.
_HIDDEN: Final = frozenset({"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})


def check(url: str) -> None:
    """Refuse what libpq cannot use: an unknown word, a wrong value, another number of ports than of hosts.

    Parameters
    ----------
    url : str
        libpq URI or `key=value` words; no connection is made.

    Raises
    ------
    SettingError
        One sentence with the key, the value without its password and the remedy.
    """
    problem = _problem(url)
    if problem:
        shown = without_password(url)
        # libpq quotes pieces of what it read; one that we hide may be a piece of the password.
        if not all(piece in (shown + "=") for piece in re.findall(r'"([^"]*)"', problem)):
            problem = "libpq cannot read it"
        raise SettingError(
            f"setting 'database_url' cannot be {shown!r} ({problem})",
            remedy="write postgresql://user:password@host:port/name, and after a ? only options that libpq knows,"
            " such as sslmode=require",
        )


def without_password(url: str) -> str:
    """The URL as it may be shown; what could be part of a password is left out with it.

    Examples
    --------
    >>> without_password("postgresql://me:geheim@h/d?sslpassword=p&sslmode=require")
    'postgresql://me:…@h/d?sslpassword=…&sslmode=require'
    """
    if "://" in url.partition("=")[0]:
        url = re.sub(r"(://[^:@/]*):(?:[^?]*|[^/]*)@", r"\1:…@", url, count=1)
        return re.sub(r"([?&]\w*(?:password|secret|scram_\w+)=)[^&]*", r"\1…", url)
    return re.sub(r"(\b\w*(?:password|secret|scram_\w+)\s*=).*", r"\1…", url, flags=re.DOTALL)


def same_database(one: str, other: str) -> bool:
    """Whether two URLs name the same database of the same server, whoever logs in.

    Examples
    --------
    >>> same_database("postgresql://a:b@localhost/d?sslmode=require", "host=127.0.0.1 port=5432 dbname=d")
    True
    >>> same_database("postgresql://h/d", "None")
    False
    """
    try:
        return _where(one) == _where(other)
    except psycopg.ProgrammingError:
        return False


def _where(url: str) -> tuple[str, str, str]:
    words = conninfo_to_dict(url)
    host = str(words.get("host") or words.get("hostaddr") or "")
    return (
        "127.0.0.1" if host in ("localhost", "::1") else host,
        str(words.get("port") or 5432),
        str(words.get("dbname") or words.get("user") or ""),
    )


def for_tools(url: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """What to give PostgreSQL's own programs, for everybody on a machine can read command lines.

    Returns
    -------
    words : str
        The address, for the command line.
    environment : dict
        The password.
    hidden : dict
        Secrets for which libpq has no variable: they belong in a service file.

    Raises
    ------
    SettingError
        The URL names a service and such a secret besides.

    Examples
    --------
    >>> for_tools("postgresql://me:geheim@h/d?sslpassword=auch")
    ('user=me dbname=d host=h', {'PGPASSWORD': 'geheim'}, {'sslpassword': 'auch'})
    """
    words = conninfo_to_dict(url)
    password = words.pop("password", None)
    hidden = {key: str(words.pop(key)) for key in list(words) if key in _HIDDEN}
    if hidden and "service" in words:
        raise SettingError(
            f"setting 'database_url' names a service and {next(iter(hidden))!r}",
            remedy="write it into the service file",
        )
    if any(value != value.strip() or "\n" in value for value in hidden.values()):
        raise SettingError(
            f"setting 'database_url' has {next(iter(hidden))!r} with space at an end",
            remedy="choose another passphrase",
        )
    return make_conninfo("", **words), {} if password is None else {"PGPASSWORD": str(password)}, hidden


def _problem(url: str) -> str:
    """What libpq says against the URL, empty when nothing."""
    try:
        words = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        return _line(str(error))
    hosts = str(words.get("host") or words.get("hostaddr") or "").split(",")
    nowhere = make_conninfo(url, host=",".join(_NOWHERE for _ in hosts), hostaddr="")
    connection = pq.PGconn.connect_start(nowhere.encode())
    said = connection.error_message.decode("utf-8", "replace")
    connection.finish()
    return "" if said.startswith("connection to server") else _line(said)


def _line(text: str) -> str:
    return " ".join(text.split())
