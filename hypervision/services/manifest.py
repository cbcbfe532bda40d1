"""The manifest of a backup: what it holds and what each of its files must be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from hypervision.errors import ServiceError
from hypervision.store.backup import Server, Table, WriterState

NAME: Final = "manifest.json"
DUMP: Final = "dump"
FORMAT: Final = 1


class File(NamedTuple):
    """One file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes
    ----------
    at : str
        The instant it shows, RFC 3339: what was committed until then is in it.
    seconds : float
        How long it took [s].
    program : str
        Version of the pg_dump that wrote it.
    migrations : sequence of str
        The schema.
    database_bytes, table_bytes : int
        What the database took, and its tables without indexes.
    tables : mapping
        Rows and digest by name.
    files : mapping
        Size and checksum by path inside the backup.
    """

    at: str
    seconds: float
    product: str
    program: str
    server: Server
    migrations: Sequence[str]
    database_bytes: int
    table_bytes: int
    tables: Mapping[str, Table]
    writers: Sequence[WriterState]
    files: Mapping[str, File]
    # The end of the audit log in it: `audit verify --backup` asks for this line.
    audit: str = ""
    format: int = FORMAT

    @property
    def bytes(self) -> int:
        """Of all files of the dump."""
        return sum(file.bytes for file in self.files.values())

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def when(self) -> datetime:
        """The instant it shows."""
        return datetime.fromisoformat(self.at)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def product() -> str:
    """The version of the platform."""
    return version("hypervision")


def read(backup: Path) -> Manifest:
    """Read the manifest of a backup; its files are not looked at.

    Raises
    ------
    ServiceError
        There is no whole backup, or it is of a newer format.
    """
    path = backup / NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        if int(found["format"]) > FORMAT:
            raise ServiceError(
                f"{path} is of format {found['format']}, this version knows {FORMAT}",
                remedy="install the newer version of the platform",
            )
        return Manifest(
            **found
            | {
                "server": Server(*found["server"]),
                "tables": {name: Table(*table) for name, table in found["tables"].items()},
                "writers": [WriterState(*writer) for writer in found["writers"]],
                "files": {name: File(*file) for name, file in found["files"].items()},
            }
        )
    except FileNotFoundError:
        raise ServiceError(
            f"there is no backup {backup} (it has no {NAME})", remedy="name a folder that `db backup` wrote"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ServiceError(f"{path} is damaged ({error})", remedy="take another backup") from None


def files(folder: Path) -> dict[str, File]:
    """Size and checksum of every file below a folder."""
    return {path.relative_to(folder).as_posix(): _file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def check(backup: Path, manifest: Manifest) -> None:
    """Compare the files of a backup with its manifest.

    Raises
    ------
    ServiceError
        One is missing, too many or changed.
    """
    found = {f"{DUMP}/{name}": file for name, file in files(backup / DUMP).items()}
    for name in sorted(manifest.files.keys() | found.keys()):
        wanted, there = manifest.files.get(name), found.get(name)
        if wanted != there:
            wrong = "is missing" if there is None else "does not belong to it" if wanted is None else "was changed"
            raise ServiceError(f"the backup {backup} is damaged ({name} {wrong})", remedy="take another backup")


def _file(path: Path) -> File:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return File(path.stat().st_size, digest.hexdigest())
