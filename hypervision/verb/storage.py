"""What `hypervision db status|retain|pack` say and do about the room that readings take."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hypervision import retention
from hypervision.settings import Settings, StorageSettings
from hypervision.store.connection import Connection, connect, url_of
from hypervision.store.partitions import Partition
from hypervision.store.retention import Dropped
from hypervision.store.sizes import Sizes, read

_WORDS: Final = {"readings": "readings", "hours": "hourly roll-ups", "days": "daily roll-ups", "gaps": "gaps"}


def status(connection: Connection, settings: Settings, *, now: datetime) -> list[str]:
    """The lines of `db status` about storage."""
    return lines(read(connection), settings.storage, today=now.astimezone(UTC).date())


def lines(sizes: Sizes, storage: StorageSettings, *, today: date) -> list[str]:
    """Sizes in words."""
    held = [p for p in sizes.partitions if p.first <= today]
    ahead = [p for p in sizes.partitions if p.first > today]
    oldest = next((p.first.isoformat() for p in held if p.rows), "none")
    newest = "none" if sizes.newest is None else f"{sizes.newest.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    until = f", to the end of {ahead[-1].last - timedelta(days=1)}" if ahead else ""
    return [
        f"database   {amount(sizes.database)}",
        f"readings   {described(held)}",
        f"  open     {described([p for p in held if not p.packed])}",
        f"  packed   {described([p for p in held if p.packed])}",
        f"oldest     {oldest}",
        f"newest     {newest}",
        f"ahead      {_number(ahead)}{until}",
        f"roll-ups   about {sizes.rollups:,} in {amount(sizes.rollup_bytes)}; {sizes.due:,} hours wait to be computed",
        "kept       "
        + ", ".join(f"{_WORDS[what]} {_days(getattr(storage, name))}" for what, name in retention.KEPT.items()),
        f"packing    {f'after {storage.pack_after} days' if storage.pack_after else 'never'}",
    ]


def described(parts: Sequence[Partition]) -> str:
    """Readings, room and bytes per reading of some partitions.

    Examples
    --------
    >>> described([Partition("x", date(2026, 1, 1), date(2026, 1, 2), True, 1000, 60_000, 3_000)])
    'about 1,000 in 63.0 kB, 1 partition: 63.0 bytes each (60.0 heap, 3.0 index)'
    >>> described([])
    'none'
    """
    rows, heap, indexes = (sum(getattr(p, name) for p in parts) for name in ("rows", "heap", "indexes"))
    if not rows:
        return "none"
    each = f"{(heap + indexes) / rows:.1f} bytes each ({heap / rows:.1f} heap, {indexes / rows:.1f} index)"
    return f"about {rows:,} in {amount(heap + indexes)}, {_number(parts)}: {each}"


def amount(size: int) -> str:
    """Bytes as people read them.

    Examples
    --------
    >>> amount(1_234_567)
    '1.2 MB'
    """
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def retain(options: argparse.Namespace, settings: Settings) -> int:
    """`db retain`: drop what is older than is kept, or only say what that is."""
    now = datetime.now(UTC)
    with connect(url_of(settings), application="retain") as connection:
        if options.dry_run:
            found = retention.due(connection, settings.storage, now=now)
        else:
            found = retention.drop(connection, settings.storage, actor="db retain", now=now)
    for each in found:
        print(told(each, would=options.dry_run))
    if not found:
        print("nothing is older than is kept")
    return 1 if any(each.failure for each in found) else 0


def told(found: Dropped, *, would: bool) -> str:
    """What was dropped, or would be, or why it was not, on one line."""
    if found.failure:
        return f"not all {_WORDS[found.what]} that are no longer kept could be dropped: {found.failure}"
    size = f", {amount(found.bytes)} in {_number(found.parts)}" if found.parts else ""
    done = "would drop" if would else "dropped"
    return f"{done} {_WORDS[found.what]} before {found.before.date()}: {found.rows:,} rows{size}"


def pack(_options: argparse.Namespace, settings: Settings) -> int:
    """`db pack`: pack what is old enough now, instead of within the hour."""
    with connect(url_of(settings), application="pack") as connection:
        done = retention.pack(connection, settings.storage, now=datetime.now(UTC), stop=threading.Event())
    # The log names each as soon as it is packed.
    print(f"packed {_number(done)}" if done else "nothing is to be packed")
    return 0


def _number(parts: Sequence[object]) -> str:
    return f"{len(parts)} partition{'' if len(parts) == 1 else 's'}"


def _days(number: int) -> str:
    return f"{number} days" if number else "for ever"
