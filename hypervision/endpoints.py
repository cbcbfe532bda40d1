"""Where a running platform answers: `DATA_DIR/endpoints.json`, readable by its user only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hypervision.services.endpoints import NAME
from hypervision.settings import Settings, default_data_dir


def read(data_dir: Path) -> dict[str, Any] | None:
    """The endpoints of the platform that runs in a data directory; None when none runs there."""
    try:
        found = json.loads((data_dir / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def complete(settings: Settings) -> Settings:
    """Fill in database and broker from a platform that runs on this machine, where the settings name none.

    The settings' own data directory is asked first, then the default ones of `up` and `demo`.
    """
    root = os.geteuid() == 0
    places = [settings.data_dir, default_data_dir("hypervision", root=root)]
    places.append(default_data_dir("hypervision-demo", root=root))
    for place in dict.fromkeys(places):
        found = read(place)
        if found is None:
            continue
        filled: dict[str, Any] = {"data_dir": place}
        if settings.database_url is None and found.get("database"):
            filled["database_url"] = SecretStr(found["database"])
        if settings.mqtt_url is None and found.get("mqtt"):
            filled["mqtt_url"] = SecretStr(found["mqtt"])
        if found.get("log_ins"):
            # A demo lets unknown Things in; what is done beside it should not be stricter.
            filled["registration"] = "open"
        return settings.model_copy(update=filled)
    return settings
