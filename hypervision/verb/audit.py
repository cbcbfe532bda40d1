"""`hypervision audit list|verify|export|seal`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from hypervision.auditing import ORIGIN, Chain, Head, Verdict
from hypervision.cli import instant, whole
from hypervision.endpoints import complete
from hypervision.errors import ServiceError, UsageError
from hypervision.settings import Settings
from hypervision.store import audit as store
from hypervision.store.audit import Wanted
from hypervision.store.connection import Connection, url_of
from hypervision.store.versions import wait_for_schema
from hypervision.telling import document, lines_of, told, verdict
from hypervision.verb import PATIENCE

_MOST: Final = 10_000
# Half a year: what people may still be asked about is kept (CNIL, recommendation on logs of 2021, six months at least).
_YOUNGEST: Final = 180


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|verify|export|seal")
    listing = actions.add_parser("list", help="who did what, newest first")
    listing.add_argument("--limit", type=whole(1, _MOST), default=50, metavar="N", help=f"1 to {_MOST} (50)")
    listing.add_argument("--before", type=whole(1, 2**63 - 1), metavar="N", help="go on below this number")
    export = actions.add_parser("export", help="all lines as JSON, one a line, which `verify --file` proves")
    export.add_argument("file", type=Path, help="a new one; - writes to standard output")
    for action in (listing, export):
        action.add_argument("--actor", help="only what this account did")
        action.add_argument("--do", metavar="ACTION", help="only these, such as alarm.acknowledge, or session")
        action.add_argument("--kind", help="only on this kind of object, such as alarm")
        action.add_argument("--id", metavar="ID", help="only on this object")
        action.add_argument("--from", dest="since", type=instant, metavar="TIME", help="with an offset from UTC")
        action.add_argument("--to", dest="until", type=instant, metavar="TIME", help="itself not included")
    verify = actions.add_parser("verify", help="prove that no line was changed, taken out, moved or cut off")
    verify.add_argument(
        "--head", action="append", default=[], metavar="NUMBER:HASH", help="kept elsewhere; may be repeated"
    )
    verify.add_argument(
        "--backup", type=Path, action="append", default=[], metavar="FOLDER", help="the head in its manifest"
    )
    verify.add_argument("--file", type=Path, help="what `audit export` wrote, instead of the database")
    seal = actions.add_parser("seal", help="let old lines go; a seal in the chain stands for them")
    seal.add_argument(
        "--older-than", type=whole(_YOUNGEST, 36_500), required=True, metavar="DAYS", help=f"{_YOUNGEST} at least"
    )
    seal.add_argument("--reason", required=True, help="why, for who asks in a year")
    seal.add_argument("--author", required=True, metavar="NAME", help="who answers for it")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    if options.action == "verify":
        return _verify(options, settings)
    if options.action == "seal":
        return _seal(options, complete(settings, process=None))
    settings = complete(settings)
    wanted = Wanted(
        actor=options.actor, action=options.do, object_kind=options.kind, object_id=options.id, since=options.since,
        until=options.until,
    )  # fmt: skip
    with _connected(settings, "audit") as connection:
        if options.action == "export":
            return _export(options.file, wanted, connection)
        found = store.page(connection, wanted, before=options.before, limit=options.limit)
    for line in found:
        print(told(line))
    if not found:
        print("the audit log has no such line")
    return 0


@contextmanager
def _connected(settings: Settings, application: str) -> Iterator[Connection]:
    with wait_for_schema(url_of(settings), application=application, wait=PATIENCE) as connection:
        yield connection


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    heads = [Head.of(text) for text in options.head] + [_head_in(folder) for folder in options.backup]
    if options.file is not None:
        found = _proved(options.file, heads)
    else:
        with _connected(complete(settings), "audit") as connection:
            found = store.verify(connection, heads=heads)
    for text in verdict(found):
        print(text)
    return 0 if found.broken is None else 1


def _proved(file: Path, heads: list[Head]) -> Verdict:
    chain = Chain(heads)
    try:
        with file.open(encoding="utf-8") as stream:
            chain.feed(lines_of(stream, name=str(file)))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({error})", remedy="name a file that `audit export` wrote") from None
    return chain.verdict()


def _head_in(folder: Path) -> Head:
    from hypervision.services import manifest

    text = manifest.read(folder.absolute()).audit
    if not text:
        raise ServiceError(f"the backup {folder} is older than the audit log", remedy="name a newer one")
    return Head.of(text)


def _export(file: Path, wanted: Wanted, connection: Connection) -> int:
    if str(file) == "-":
        number = _write(sys.stdout, wanted, connection)
    else:
        try:
            with file.open("x", encoding="utf-8") as stream:
                number = _write(stream, wanted, connection)
        except OSError as error:
            raise UsageError(f"{file} cannot be made ({error.strerror})", remedy="name a new file") from None
        print(f"wrote {file} ({number:,} lines)")
    # Who takes the log away is told by the log.
    told = {**store.described(wanted), "lines": number}
    store.note(connection, "audit.export", kind="audit", ident="", after=told)
    connection.commit()
    return 0


def _write(stream: IO[str], wanted: Wanted, connection: Connection) -> int:
    number = 0
    for line in store.lines(connection, wanted):
        stream.write(json.dumps(document(line), ensure_ascii=False) + "\n")
        number += 1
    return number


def _seal(options: argparse.Namespace, settings: Settings) -> int:
    until = datetime.now(UTC) - timedelta(days=options.older_than)
    origin = ORIGIN.get()
    with _connected(settings, "seal") as connection:
        kept = store.head(connection)
        gone = store.seal(connection, until=until, actor=options.author, address=origin.address, reason=options.reason)
    print(f"{gone:,} lines from before {until:%Y-%m-%d} are gone; keep the head {kept} with what proves them")
    return 0
