"""`endpoints.json`: where a running platform is reached, for people's own programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.secrets import write_private

NAME = "endpoints.json"


@dataclass(frozen=True, slots=True)
class LogIn:
    """One demo log-in."""

    user: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of a running platform, with the passwords they need."""

    http: str
    mqtt: str
    database: str
    log_ins: Sequence[LogIn] | None = None

    def write(self, data_dir: Path) -> None:
        """Write `endpoints.json` in one step, mode 0600."""
        found = asdict(self)
        if self.log_ins is None:
            del found["log_ins"]
        write_private(data_dir / NAME, json.dumps(found, indent=1) + "\n")


def remove(data_dir: Path) -> None:
    """Remove it: nothing answers there any more.

    Raises
    ------
    ServiceError
        Something else has its name, or the folder cannot be written.
    """
    path = data_dir / NAME
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        why = "it is a folder" if path.is_dir() else error.strerror
        raise ServiceError(f"{path} cannot be removed ({why})", remedy="move it elsewhere and start again") from None
