"""TCP ports: which one is free, and what to do when the wanted one is not."""

from __future__ import annotations

import random
import socket

from hypervision.errors import ServiceError

# Below the ephemeral ranges of Linux (32768) and macOS (49152): an outgoing connection cannot take the port
# while its service restarts.
_QUIET = range(20_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `port` now."""
    if port < 1:
        return False
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            # As servers do: a port in TIME_WAIT is free for them.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    # macOS lets a second socket bind a specific address beside a wildcard listener.
    return not answers(port, "127.0.0.1" if host in ("0.0.0.0", "::", "") else host)  # noqa: S104


def answers(port: int, host: str = "127.0.0.1", *, seconds: float = 0.5) -> bool:
    """Tell whether somebody accepts connections on `port`."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def free(host: str = "127.0.0.1", *, taken: frozenset[int] = frozenset()) -> int:
    """Find a free port, outside the range of outgoing connections where possible."""
    for _ in range(200):
        port = random.choice(_QUIET)  # noqa: S311
        if port not in taken and is_free(port, host):
            return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def check_host(host: str) -> None:
    """Look whether a server of this machine could listen on an address, whatever the port.

    Raises
    ------
    ServiceError
        It is no address of this machine, or no address at all.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        raise ServiceError(
            f"setting 'http.host' cannot be {host!r} ({getattr(error, 'strerror', None) or error})",
            remedy="give an address of this machine: 127.0.0.1, or 0.0.0.0 for all",
        ) from None


def choose(
    wanted: int,
    *,
    key: str,
    option: str,
    explicit: bool,
    host: str = "127.0.0.1",
    taken: frozenset[int] = frozenset(),
) -> int:
    """Settle on a port.

    Parameters
    ----------
    wanted : int
        The port of the settings; 0 means any free one.
    key, option : str
        The setting and the command-line option, for the error.
    explicit : bool
        Whether somebody asked for this very port: then a busy one is an error, else the next free one is
        taken.
    taken : frozenset of int
        Ports already promised to other services of this start.

    Raises
    ------
    ServiceError
        The port was asked for and is busy.
    """
    if wanted == 0:
        return free(host, taken=taken)
    if wanted not in taken and is_free(wanted, host):
        return wanted
    if explicit:
        raise ServiceError(
            f"{key} = {wanted} is busy or not allowed on {host}",
            remedy=f"stop what listens there, or give another with {option} (0 for any free port)",
        )
    for port in range(wanted + 1, min(wanted + 100, 65_536)):
        if port not in taken and is_free(port, host):
            return port
    return free(host, taken=taken)
