"""Sessions that an earlier number of collectors left at the embedded broker, noted until they are retired."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hypervision.services.secrets import write_private


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
    """Name the file that notes them; while it exists, the collectors of the present number wait."""
    return data_dir / "run" / "earlier-sessions.json"


def write(data_dir: Path, sessions: Sequence[Session]) -> None:
    """Note them; none leaves no file."""
    if sessions:
        write_private(path(data_dir), json.dumps([asdict(session) for session in sessions]))
    else:
        path(data_dir).unlink(missing_ok=True)


def read(data_dir: Path) -> list[Session]:
    """Read what is noted.

    Examples
    --------
    >>> read(Path("/nowhere"))
    []
    """
    try:
        return [Session(**found) for found in json.loads(path(data_dir).read_text("utf-8"))]
    except FileNotFoundError:
        return []
