"""Things and their datastreams in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.batch import Status
from hypervision.clock import from_us
from hypervision.datastreams import Key
from hypervision.domains import Catalogue
from hypervision.errors import SettingError
from hypervision.naming import name_of
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class NewThing:
    """A city asset to be registered.

    Attributes
    ----------
    parent, organisation : str or None
        Codes.
    longitude, latitude : float or None
        WGS 84 [deg].
    district : str
        Where it stands, as the town divides itself; empty: an earlier word of it holds.
    """

    code: str
    name: str
    domain: str
    kind: str = ""
    parent: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    place: str = ""
    organisation: str | None = None
    district: str = ""


class Resolved(NamedTuple):
    """What the database knows of a datastream."""

    datastream_id: int
    thing_id: int
    newest: datetime | None
    result: float
    quality: int


def require_no_things(connection: Connection) -> None:
    """Refuse a database that is somebody's. Commits.

    Raises
    ------
    SettingError
        It holds Things.
    """
    with mapped():
        row = connection.execute(query("any_thing")).fetchone()
        connection.commit()
    if row is not None and row[0]:
        raise SettingError("the database holds Things already", remedy="give an empty database")


def register_things(
    connection: Connection,
    things: Sequence[NewThing],
    *,
    now: datetime,
    organisations: Mapping[str, str] | None = None,
) -> int:
    """Register or update Things; parents may stand anywhere in the list. Commits.

    Returns
    -------
    int
        How many Things were given.

    Raises
    ------
    SettingError
        A name is too long or cannot be shown; nothing was registered then.
    """
    for thing in things:
        name_of(thing.name, of=thing.code)
        if thing.district:
            name_of(thing.district, of=thing.code)
    for code, name in (organisations or {}).items():
        name_of(name, of=code)
    codes = {thing.organisation for thing in things if thing.organisation} | set(organisations or {})
    named = dict(organisations or {})
    with mapped(), connection.cursor() as cursor:
        # First, as in every edit of a rule: it waits for the batches under way.
        cursor.execute(query("advance_rules_of_classes"))
        cursor.executemany(
            query("put_organisation"),
            [{"code": code, "name": named.get(code, code)} for code in sorted(codes)],
        )
        cursor.executemany(
            query("put_thing"),
            [
                {
                    "code": t.code, "name": t.name, "domain": t.domain, "kind": t.kind, "longitude": t.longitude,
                    "latitude": t.latitude, "place": t.place, "organisation": t.organisation, "district": t.district,
                    "now": now,
                }
                for t in things
            ],
        )  # fmt: skip
        cursor.executemany(
            query("put_parent"),
            [{"code": t.code, "parent": t.parent} for t in things if t.parent is not None],
        )
        cursor.execute(query("registry_changed"))
        connection.commit()
    return len(things)


def assign(
    connection: Connection, codes: Collection[str], *, district: str | None = None, organisation: str | None = None
) -> set[str]:
    """Say where some Things stand and who operates them; what is None stays as it is. Commits.

    Returns
    -------
    set of str
        Those that are registered; where one is not, nothing was changed.

    Raises
    ------
    SettingError
        The district or the organisation is too long or cannot be shown.
    """
    for name in (district, organisation):
        if name:
            name_of(name, of=name[:64])
    values = {"codes": list(codes), "district": district, "organisation": organisation}
    with mapped():
        if organisation is not None:
            connection.execute(query("put_organisation_code"), {"code": organisation})
        done = {row[0] for row in connection.execute(query("assign_things"), values).fetchall()}
        if done >= set(codes):
            told = {"district": district, "organisation": organisation}
            for code in sorted(done):
                after = {key: name for key, name in told.items() if name is not None}
                audit.note(connection, "thing.assign", kind="thing", ident=code, after=after)
            connection.execute(query("registry_changed"))
            connection.commit()
        else:
            connection.rollback()
        return done


def register_unknown(connection: Connection, things: Collection[tuple[str, str]], *, now: datetime) -> None:
    """Open registration of (code, domain): a Thing nobody announced gets its code as its name."""
    given = sorted(things)
    connection.execute(
        query("register_unknown_things"), {"codes": [t for t, _ in given], "domains": [d for _, d in given], "now": now}
    )


class StatusOutcome(NamedTuple):
    """Which Things of a list of statuses are registered, and whose status is newer than the stored one."""

    known: set[str]
    newer: set[str]


def set_status(connection: Connection, statuses: Sequence[Status]) -> StatusOutcome:
    """Note `online` or `offline` of Things; the newest word wins. Does not commit."""
    if not statuses:
        return StatusOutcome(set(), set())
    values = {
        "codes": [s.thing for s in statuses],
        "statuses": [s.status for s in statuses],
        "times": [from_us(s.at_us) for s in statuses],
    }
    known = {row[0] for row in connection.execute(query("known_things"), values).fetchall()}
    newer = {row[0] for row in connection.execute(query("set_status"), values).fetchall()}
    return StatusOutcome(known, newer)


def resolve(
    connection: Connection, keys: Sequence[Key], catalogue: Catalogue, *, register: bool, now: datetime
) -> dict[Key, Resolved]:
    """Find datastreams, registering what is allowed to be new. Commits.

    Parameters
    ----------
    keys : sequence of (domain, thing, property)
    register : bool
        Whether an unknown Thing may be made (open registration). A new property of a known Thing always may.

    Returns
    -------
    dict
        Missing keys belong to unknown Things.
    """
    with mapped():
        if register:
            register_unknown(connection, {(thing, domain) for domain, thing, _ in keys}, now=now)
        wanted = sorted(set(keys))
        properties = [catalogue[domain].properties[name] for domain, _, name in wanted]
        columns = {
            "domains": [domain for domain, _, _ in wanted],
            "things": [thing for _, thing, _ in wanted],
            "properties": [name for _, _, name in wanted],
        }
        connection.execute(
            query("register_datastreams"),
            columns
            | {
                "units": [p.unit for p in properties],
                "kinds": [p.kind for p in properties],
                "periods": [p.period for p in properties],
                "now": now,
            },
        )
        rows = connection.execute(query("resolve_datastreams"), columns).fetchall()
        connection.commit()
    return {(r[0], r[1], r[2]): Resolved(*r[3:]) for r in rows}


def all_datastreams(connection: Connection) -> dict[Key, Resolved]:
    """Every datastream, with its newest reading."""
    with mapped():
        rows = connection.execute(query("all_datastreams")).fetchall()
    return {(r[0], r[1], r[2]): Resolved(*r[3:]) for r in rows}


def admit(connection: Connection, code: str, *, domain: str, name: str, now: datetime) -> bool:
    """Register one waiting Thing; False when it was registered already. Commits."""
    with mapped():
        row = connection.execute(
            query("admit_thing"), {"code": code, "domain": domain, "name": name, "now": now}
        ).fetchone()
        if row is not None:
            audit.note(connection, "thing.admit", kind="thing", ident=code, after={"domain": domain, "name": name})
        connection.commit()
        return row is not None


def registered(connection: Connection, codes: Collection[str]) -> set[str]:
    """Which of these Things are registered."""
    if not codes:
        return set()
    with mapped():
        return {row[0] for row in connection.execute(query("known_things"), {"codes": list(codes)}).fetchall()}


class WaitingThing(NamedTuple):
    """A Thing that sent messages and is not registered."""

    code: str
    domain: str
    messages: int
    first: datetime
    last: datetime


def waiting(connection: Connection) -> list[WaitingThing]:
    """Things whose messages wait for an admission."""
    with mapped():
        return [WaitingThing(*r) for r in connection.execute(query("waiting_things")).fetchall()]
