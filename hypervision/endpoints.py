"""Where a running platform answers: `DATA_DIR/endpoints.json`, readable by its user only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from hypervision.services.endpoints import NAME
from hypervision.services.plan import secret
from hypervision.settings import Settings, default_data_dir
from hypervision.store.address import same_database
from hypervision.store.provision import Process

_LOOPBACK: Final = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


def read(data_dir: Path) -> dict[str, Any] | None:
    """The endpoints of the platform that runs in a data directory; None when none runs there."""
    try:
        found = json.loads((data_dir / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def complete(settings: Settings, *, collects: bool = False, process: Process | None = "verbs") -> Settings:
    """Fill in database and broker from a platform that runs on this machine, where the settings name none.

    The settings' own data directory is asked; where nobody gave one, the default ones of `up` and `demo`. A platform
    that runs on another database or broker than the one given is another installation: nothing is taken from it, for a
    command meant for one must not do half its work in the other. What was given always holds.

    Parameters
    ----------
    collects : bool
        The broker is wanted as collectors log in to it, not as devices do.
    process : str, optional
        As which of the processes to log in to the database, where it has a role of its own; None: as the owner.
    """
    given = settings.model_fields_set
    places = [settings.data_dir]
    if "data_dir" not in given:
        root = os.geteuid() == 0
        places += [default_data_dir(name, root=root) for name in ("hypervision", "hypervision-demo")]
    for place in dict.fromkeys(places):
        found = read(place)
        if found is None or not _is_of(settings, found):
            continue
        if collects:
            found["mqtt"] = _as_collector(place, found.get("mqtt"))
        if process is not None:
            found["database"] = _as_process(place, found.get("database"), process)
        filled: dict[str, Any] = {"data_dir": place}
        for key, name in (("database_url", "database"), ("mqtt_url", "mqtt")):
            if getattr(settings, key) is None and isinstance(found.get(name), str):
                filled[key] = SecretStr(found[name])
        if found.get("log_ins") and "registration" not in given:
            # A demo lets unknown Things in; what is done beside it should not be stricter.
            filled["registration"] = "open"
        return settings.model_copy(update=filled)
    return settings


def _is_of(settings: Settings, found: dict[str, Any]) -> bool:
    """Whether what the settings name is what this platform runs on."""
    database, mqtt = settings.database_url, settings.mqtt_url
    return (database is None or same_database(database.get_secret_value(), str(found.get("database")))) and (
        mqtt is None or _broker(mqtt.get_secret_value()) == _broker(str(found.get("mqtt")))
    )


def _as_collector(data_dir: Path, mqtt: object) -> object:
    """The URL of the same broker for collectors, where the platform keeps one."""
    try:
        url = secret(data_dir, "mqtt-platform-url").read_text("utf-8").strip()
    except (OSError, ValueError):
        return mqtt
    return url if _broker(url) == _broker(str(mqtt)) else mqtt


def _as_process(data_dir: Path, database: object, process: Process) -> object:
    """The URL of the same database for a process, where the platform keeps one."""
    try:
        url = secret(data_dir, f"database-{process}-url").read_text("utf-8").strip()
    except (OSError, ValueError):
        return database
    return url if same_database(url, str(database)) else database


def _broker(url: str) -> tuple[str, int]:
    """Host and port of a broker, whoever logs in."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return _LOOPBACK.get(host, host), parts.port or (8883 if parts.scheme == "mqtts" else 1883)
