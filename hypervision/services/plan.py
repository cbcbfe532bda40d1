"""What one start of the platform has settled on, for the guards of its services."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.secrets import write_private

# In `run/`: what an earlier number of collectors left at the broker. Empty until the broker has looked.
EARLIER_SESSIONS = "earlier-sessions.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """Ports of one start; 0 for a service of the user's own.

    They are kept while `up` runs, so a service that is restarted is found where it was.
    """

    http_port: int
    mqtt_port: int
    nats_port: int
    database_port: int
    anonymous: bool = False

    def write(self, data_dir: Path) -> None:
        """Keep the plan for the services' guards."""
        write_private(data_dir / "run" / "plan.json", json.dumps(asdict(self)))

    @classmethod
    def read(cls, data_dir: Path) -> Plan:
        """Read the plan of the running start.

        Raises
        ------
        ServiceError
            Nothing has been prepared in this data directory.
        """
        path = data_dir / "run" / "plan.json"
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise ServiceError(
                f"{path} cannot be read: nothing was prepared here", remedy="start `hypervision up` instead"
            ) from None


def secret(data_dir: Path, name: str) -> Path:
    """Name the file of one secret: `database-url`, `mqtt-platform-url`, `mqtt-device-url`, …"""
    return data_dir / "secrets" / name


def log_file(data_dir: Path, name: str) -> Path:
    """Name the log of one part."""
    return data_dir / "logs" / f"{name}.log"
