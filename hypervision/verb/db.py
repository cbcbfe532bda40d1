"""`hypervision db migrate|status|retain|pack|backup|restore`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from hypervision.cli import number
from hypervision.domains import catalogue_of
from hypervision.endpoints import complete
from hypervision.errors import ServiceError
from hypervision.settings import Settings
from hypervision.store.connection import connect, url_of
from hypervision.verb import storage


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="migrate|status|retain|pack|backup|restore")
    migrate = actions.add_parser("migrate", help="bring the database to this version")
    migrate.add_argument(
        "--wait", type=number(0, 86_400), default=0.0, metavar="S", help="wait for the server, 0 to 86400 [s]"
    )
    actions.add_parser("status", help="what engine and version it is, and what is missing")
    retain = actions.add_parser("retain", help="drop what is older than is kept")
    retain.add_argument("--dry-run", action="store_true", help="only say what would go")
    actions.add_parser("pack", help="pack old readings now")
    backup = actions.add_parser("backup", help="write the whole database to one file")
    backup.add_argument("file", type=Path)
    restore = actions.add_parser("restore", help="read a backup into an empty database")
    restore.add_argument("file", type=Path)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    settings = complete(settings)
    if options.action == "migrate":
        return _migrate(options, settings)
    if options.action in ("retain", "pack"):
        return {"retain": storage.retain, "pack": storage.pack}[options.action](options, settings)
    if options.action == "status":
        return _status(settings)
    actions = {"backup": _backup, "restore": _restore}
    return actions[options.action](options, url_of(settings))


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.store.connection import wait_for_server
    from hypervision.store.migrate import migrate

    with wait_for_server(url_of(settings), application="migrate", wait=options.wait) as connection:
        done = migrate(connection, catalogue_of(settings), now=datetime.now(UTC))
    print(f"applied {', '.join(done)}" if done else "the database is at this version")
    return 0


def _status(settings: Settings) -> int:
    from hypervision.store.engines import engine_of
    from hypervision.store.versions import applied, behind

    with connect(url_of(settings), application="status") as connection:
        engine = engine_of(connection)
        print(f"engine     {engine.name} {engine.version}")
        print(f"migrations {', '.join(applied(connection)) or 'none'}")
        missing = behind(connection)
        print(f"missing    {', '.join(missing) or 'nothing'}")
        if not missing:
            for text in storage.status(connection, settings, now=datetime.now(UTC)):
                print(text)
    return 1 if missing else 0


def _backup(options: argparse.Namespace, url: str) -> int:
    from hypervision.services import tools

    if options.file.exists():
        raise ServiceError(f"{options.file} exists", remedy="name a new file")
    part = options.file.with_name(options.file.name + ".part")
    tools.run("pg_dump", "--format=custom", "--no-owner", f"--file={part}", url=url)
    part.replace(options.file)
    print(f"wrote {options.file} ({options.file.stat().st_size / 1e6:.1f} MB)")
    return 0


def _restore(options: argparse.Namespace, url: str) -> int:
    from hypervision.services import tools
    from hypervision.store.versions import applied

    if not options.file.is_file():
        raise ServiceError(f"there is no backup {options.file}", remedy="name a file that `db backup` wrote")
    with connect(url, application="restore") as connection:
        if applied(connection):
            raise ServiceError("the database is not empty", remedy="restore into a new database")
    tools.run("pg_restore", "--no-owner", "--exit-on-error", str(options.file), url=url)
    print(f"restored {options.file}")
    return 0
