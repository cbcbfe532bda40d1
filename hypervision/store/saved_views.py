"""Views of the control room that people keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from hypervision.errors import SettingError
from hypervision.scope import Scope
from hypervision.store.connection import Connection, mapped
from hypervision.store.sql import query

MOST: Final = 200
"""Views that one account may keep."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A page with everything chosen on it; `shared` with who sees the same of the town."""

    view_id: int
    name: str
    owner: str
    shared: bool
    address: str
    at: datetime


def read_views(connection: Connection, *, owner: str, scope: Scope) -> list[SavedView]:
    """What an account may open: its own, and what others who see the same of the town share; by name."""
    values = {"owner": owner, "scope": Jsonb(scope.told())}
    with mapped():
        return [SavedView(*row) for row in connection.execute(query("views_seen"), values).fetchall()]


def keep_view(
    connection: Connection,
    *,
    name: str,
    owner: str,
    scope: Scope,
    shared: bool,
    address: str,
    now: datetime,
) -> SavedView:
    """Keep a view; one of the same name and owner is replaced.

    Raises
    ------
    SettingError
        The account keeps too many.
    """
    values = {
        "name": name, "owner": owner, "scope": Jsonb(scope.told()), "shared": shared, "address": address, "now": now,
    }  # fmt: skip
    with mapped():
        counted = connection.execute(query("view_count"), values).fetchone()
        if counted is not None and counted[0] >= MOST:
            raise SettingError(f"the account {owner} keeps {counted[0]} views", remedy="forget one that nobody needs")
        row = connection.execute(query("keep_view"), values).fetchone()
    assert row is not None
    return SavedView(*row)


def drop_view(connection: Connection, view_id: int, *, owner: str) -> bool:
    """Forget a view of one's own; whether there was one."""
    with mapped():
        return connection.execute(query("drop_view"), {"view_id": view_id, "owner": owner}).rowcount == 1
