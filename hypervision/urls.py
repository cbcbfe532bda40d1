"""Whether a text can be the address of a database or of a broker."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def is_database_url(text: str) -> bool:
    """Whether libpq can read it: a URI, also of several hosts, or `key=value` words."""
    scheme, separator, rest = text.partition("://")
    if not separator or "=" in scheme:
        return re.match(r"\s*[a-z_]+\s*=", text) is not None
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    hosts = authority.partition("@")[2] if "@" in authority else authority
    parts = [re.fullmatch(r"(?:\[[^\]]+\]|[^:@\[\]\s]*)(?::(\d{0,5}))?", host) for host in hosts.split(",")]
    return scheme in ("postgresql", "postgres") and all(
        part is not None and (not part[1] or 1 <= int(part[1]) <= 65535) for part in parts
    )


def is_mqtt_url(text: str) -> bool:
    """Whether it names a broker."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("mqtt", "mqtts")
        and host is not None
        and re.fullmatch(r"[^\s/@]+", host) is not None
        and (port is None or port > 0)
    )
