"""`hypervision db migrate|status|retain|pack|backup|restore`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hypervision.cli import number
from hypervision.domains import catalogue_of
from hypervision.endpoints import complete
from hypervision.errors import TemporaryStoreError
from hypervision.settings import Settings
from hypervision.store.connection import connect, url_of
from hypervision.verb import storage

if TYPE_CHECKING:
    from hypervision.services.restore import Restored
    from hypervision.store.grants import Held


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="migrate|status|retain|pack|backup|restore")
    migrate = actions.add_parser("migrate", help="bring the database to this version")
    migrate.add_argument(
        "--wait", type=number(0, 86_400), default=0.0, metavar="S", help="wait for the server, 0 to 86400 [s]"
    )
    actions.add_parser("status", help="what engine and version it is, and what is missing")
    backup = actions.add_parser("backup", help="write the whole database into a folder, while everything runs")
    backup.add_argument("folder", type=Path, nargs="?", help="a new one; without it, the setting backup.folder has it")
    restore = actions.add_parser("restore", help="read a backup into an empty database, or try whether it can be")
    restore.add_argument("folder", type=Path, help="what `db backup` wrote")
    restore.add_argument(
        "--verify",
        action="store_true",
        help="a drill: into a scratch database, compare, drop it, and say how long it took",
    )
    retain = actions.add_parser("retain", help="drop what is older than is kept")
    retain.add_argument("--dry-run", action="store_true", help="only say what would go")
    actions.add_parser("pack", help="pack old readings now")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    if options.action == "restore":
        return _restore(options, settings)
    actions = {
        "migrate": _migrate,
        "status": _status,
        "retain": storage.retain,
        "pack": storage.pack,
        "backup": _backup,
    }
    return actions[options.action](options, complete(settings, process=None))


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.store.connection import wait_for_server
    from hypervision.store.migrate import migrate

    with wait_for_server(url_of(settings), application="migrate", wait=options.wait) as connection:
        done = migrate(connection, catalogue_of(settings), now=datetime.now(UTC))
    print(f"applied {', '.join(done)}" if done else "the database is at this version")
    return 0


def _status(_options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.store import backup, grants
    from hypervision.store.engines import engine_of
    from hypervision.store.versions import applied, behind

    with connect(url_of(settings), application="status") as connection:
        engine = engine_of(connection)
        print(f"engine     {engine.name} {engine.version}")
        there = applied(connection)
        print(f"migrations {', '.join(there) or 'none'}")
        missing = behind(connection)
        print(f"missing    {', '.join(missing) or 'nothing'}")
        if there:
            print(f"backup     {backup.last(connection, now=datetime.now(UTC))}")
        if not missing:
            for text in storage.status(connection, settings, now=datetime.now(UTC)):
                print(text)
            for text in out_of_reach(grants.held(connection)):
                print(text)
    return 1 if missing else 0


def out_of_reach(held: Held) -> list[str]:
    """What `db status` says of who could change the audit log."""
    if held.holds:
        return ["audit log  out of reach of every process: each has a role of its own"]
    said = ["audit log  append-only by triggers, which the owner of the database could take away"]
    for names, what in (
        (held.missing, "there is no role {}: see docs/deployment.md, Roles of the database"),
        (held.able, "the role {} could change it"),
        (held.owners, "{} has logged in as the owner: give it a role of its own in HYPERVISION_DATABASE_URL"),
    ):
        said += [f"           {what.format(name)}" for name in names]
    return said


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.services import backup

    folder = settings.backup.folder or settings.data_dir / "backups"
    target = (options.folder or folder / backup.name_at(datetime.now(UTC))).absolute()
    manifest = backup.write(url_of(settings), target)
    print(
        f"wrote {target} ({manifest.bytes / 1e6:.1f} MB, {manifest.rows:,} rows as of {manifest.at},"
        f" {manifest.seconds:.1f} s)"
    )
    if options.folder is None:
        for path in backup.drop_oldest(folder, keep=settings.backup.keep):
            print(f"dropped {path}")
    return 0


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.services import alone, restore

    backup = options.folder.absolute()
    if options.verify:
        done = restore.drill(backup, say=print)
        print(f"the backup of {done.manifest.at} can be restored: {_seconds(done)}")
        return 0
    found = complete(settings, process=None)
    if settings.database_url is not None or (found.database_url is not None and _answers(url_of(found))):
        done = restore.restore(backup, url_of(found), say=print)
    else:
        manifest = restore.opened(backup)
        restore.check_room(settings.data_dir, manifest, remedy="make room, or choose another --data-dir")
        print(f"restoring into the embedded database of {settings.data_dir}")
        with alone.embedded(settings.data_dir) as url:
            done = restore.restore(backup, url, say=print)
    print(f"restored {backup}: {_seconds(done)}")
    if done.missing:
        print(f"run `hypervision db migrate`, or `up`: the backup lacks {', '.join(done.missing)}")
    return 0


def _answers(url: str) -> bool:
    """Whether the database of a running platform is there: one that was killed leaves its address behind."""
    try:
        connect(url, application="restore").close()
    except TemporaryStoreError:
        return False
    return True


def _seconds(done: Restored) -> str:
    return (
        f"{done.manifest.rows:,} rows in {done.seconds:.1f} s (files checked {done.checked:.1f}, read {done.read:.1f},"
        f" compared {done.compared:.1f})"
    )
