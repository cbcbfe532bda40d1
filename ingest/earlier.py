"""Sessions that an earlier number of collectors left at the embedded broker, noted until they are retired."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.plan import EARLIER_SESSIONS as NAME
from hypervision.services.plan import Plan
from hypervision.services.secrets import write_private
from hypervision.settings import Settings
from ingest.session import Address

_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


@dataclass(frozen=True, slots=True)
class Session:
    """What one session held when the broker started.

    Attributes
    ----------
    partition : str
        `I/N`.
    waiting : int
        Messages never delivered.
    unanswered : int
        Messages delivered and not acknowledged; they come again when the broker's timer ends.
    """

    partition: str
    waiting: int
    unanswered: int


def path(data_dir: Path) -> Path:
    """Name the file that notes them; while it exists, the collectors wait."""
    return data_dir / "run" / NAME


def expected(data_dir: Path) -> bool:
    """Whether sessions may be there that nobody has retired in this start."""
    return path(data_dir).exists()


def concerns(settings: Settings) -> bool:
    """Whether they are noted of the very broker that these settings name, and not of another in this data directory."""
    if not expected(settings.data_dir):
        return False
    try:
        port = Plan.read(settings.data_dir).mqtt_port
    except ServiceError:
        return False
    address = Address.of(settings)
    return address.host in _LOOPBACK and address.port == port


def write(data_dir: Path, sessions: Sequence[Session]) -> None:
    """Note what the broker found, when this start asks for it; a broker that starts again later is not asked."""
    if expected(data_dir):
        write_private(path(data_dir), json.dumps([asdict(session) for session in sessions]))


def read(data_dir: Path) -> list[Session] | None:
    """Read what is noted; None while the broker has not looked."""
    try:
        text = path(data_dir).read_text("utf-8")
    except FileNotFoundError:
        return []
    return [Session(**found) for found in json.loads(text)] if text.strip() else None


def settle(data_dir: Path) -> None:
    """All of them are retired; let the collectors go."""
    path(data_dir).unlink(missing_ok=True)
