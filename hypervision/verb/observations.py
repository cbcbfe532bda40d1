"""`hypervision observations import FILE`: past readings from CSV or Parquet."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from hypervision.endpoints import complete
from hypervision.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="import")
    read = actions.add_parser("import", help="store past readings of a CSV or Parquet file; nothing rings")
    read.add_argument("file", type=Path, help="columns domain, thing, property, time (with offset), result")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Import one file."""
    from hypervision.importing import import_file

    done = import_file(complete(settings), options.file, clock=lambda: datetime.now(UTC))
    print(
        f"{options.file}: {done.rows} rows, {done.stored} stored, {done.repeated} stored before, {done.refused} refused"
        + (" (`hypervision rejected list` tells why)" if done.refused else "")
    )
    return 1 if done.refused else 0
