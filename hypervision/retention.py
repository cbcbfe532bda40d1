"""How long what is kept is kept: instants out of the settings, and the round that drops and packs."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from hypervision.clock import to_us
from hypervision.errors import StoreError
from hypervision.settings import StorageSettings
from hypervision.store import clocks
from hypervision.store import retention as store
from hypervision.store.connection import Connection, mapped, roll_back
from hypervision.store.engines import engine_of

_log = logging.getLogger(__name__)

_APART: Final = timedelta(days=1)

KEPT: Final = {"readings": "keep_readings", "hours": "keep_hours", "days": "keep_days", "gaps": "keep_gaps"}
"""What has a time to be kept, and the setting of it."""


def limits(storage: StorageSettings, *, now: datetime) -> dict[str, datetime]:
    """Before which instant something is not kept; what is kept for ever is left out.

    Days are those of UTC, since partitions are.

    Examples
    --------
    >>> limits(StorageSettings(keep_gaps=31), now=datetime(2026, 3, 4, 10, tzinfo=UTC))
    {'gaps': datetime.datetime(2026, 2, 1, 0, 0, tzinfo=datetime.timezone.utc)}
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        what: midnight - timedelta(days=getattr(storage, name)) for what, name in KEPT.items() if getattr(storage, name)
    }


def kept_from_us(storage: StorageSettings, *, now: datetime) -> int:
    """Before which instant a reading is too old to be stored [us]; 0 when readings are kept for ever."""
    at = limits(storage, now=now).get("readings")
    return 0 if at is None else to_us(at)


def due(connection: Connection, storage: StorageSettings, *, now: datetime) -> list[store.Dropped]:
    """What `drop` would take, counted."""
    return store.due(connection, limits(storage, now=_known(connection, now)))


def drop(connection: Connection, storage: StorageSettings, *, actor: str, now: datetime) -> list[store.Dropped]:
    """Drop what is older than is kept; what that was, and what failed, each alone. Commits.

    Readings whose dropping was begun are dropped whatever is kept today. No clock that is ahead makes anything old:
    see `clocks.known_time`.
    """
    found: list[store.Dropped] = []
    before: dict[str, datetime | None] = {"readings": None, **limits(storage, now=_known(connection, now))}
    for what, at in before.items():
        try:
            each = store.drop(connection, what, at, actor=actor, now=now)
        except StoreError as error:
            roll_back(connection)
            _log.warning("%s that are no longer kept wait: %s", what, error)
            found.append(store.Dropped(what, at or now, 0, failure=str(error)))
            continue
        if each is not None:
            _log.info("dropped about %d rows of %s from before %s", each.rows, each.what, each.before.date())
            found.append(each)
    return found


def pack(connection: Connection, storage: StorageSettings, *, now: datetime, stop: threading.Event) -> list[str]:
    """Pack what is old enough; the partitions packed now. Commits."""
    if not storage.pack_after:
        return []
    before = _known(connection, now).astimezone(UTC).date() - timedelta(days=storage.pack_after)
    with mapped():
        return engine_of(connection).pack(connection, before=before, stop=stop)


def _known(connection: Connection, now: datetime) -> datetime:
    known = clocks.known_time(connection, now)
    if now - known > _APART:
        _log.info("what is old goes by %s, which is what the readings and the database's clock know for sure", known)
    return known
