"""Which names a caller on this machine may ask for: a foreign name that leads here is a trick on a browser."""

from __future__ import annotations

from typing import Final

from hypervision.settings import HttpSettings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# Names of every address, which no request is sent to.
_ANY: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


def known_hosts(settings: HttpSettings) -> frozenset[str]:
    """The names of this machine, and those of the settings."""
    given = {name.strip().lower() for name in settings.hosts.split(",")} | {settings.host.lower()}
    return _LOOPBACK | (given - _ANY)


def name_of(host: str) -> str:
    """The name in a Host header, without the port.

    Examples
    --------
    >>> name_of("Localhost:8050"), name_of("[::1]:8050"), name_of("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().removesuffix(".")
