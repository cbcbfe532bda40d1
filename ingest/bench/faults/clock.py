"""The wall clock of one process, made wrong while it runs: its monotonic clocks and all other processes go on."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.bench.faults import wrong_clock
from ingest.bench.faults.wrong_clock.sitecustomize import VARIABLE


class WrongClock:
    """A clock that is right until `set` says otherwise.

    Parameters
    ----------
    file : Path
        Where the offset is written; its folder must exist.

    Attributes
    ----------
    environment : dict
        For the process whose clock it shall be.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        (folder,) = wrong_clock.__path__
        paths = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        self.environment = {"PYTHONPATH": os.pathsep.join(paths), VARIABLE: str(file)}

    def set(self, seconds: float) -> None:
        """Let it be so far ahead, or behind where that is negative [s]; within milliseconds."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds!r}", "ascii")
        draft.chmod(0o644)
        draft.replace(self._file)
