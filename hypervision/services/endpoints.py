"""`endpoints.json`: where a running platform is reached, for people's own programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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
    """Remove it: nothing answers there any more."""
    (data_dir / NAME).unlink(missing_ok=True)
