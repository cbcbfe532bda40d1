"""Random towns and scopes: what every query for people answers, against a predicate of its own."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from psycopg.rows import dict_row

from hypervision.scope import EVERYTHING, Scope
from hypervision.store import rejected, screens
from hypervision.store.registry import NewThing, assign, register_things
from hypervision.store.rejected import Chosen
from hypervision.store.sql import query
from tests.contract.servers import NOW

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)
DOMAINS = {"water": "pressure", "lighting": "voltage", "parking": "battery", "waste": "fill"}
ORGANISATIONS = (None, "eau", "agence")
DISTRICTS = ("Nord", "Sud", "Est", "")

# One of everything that people are shown, for every Thing, and what is of no Thing.
FILL = """
INSERT INTO hv.alarm (rule_id, rule_version, source_kind, source_id, thing_id, priority, state, raised_at, detected_at,
                      message)
SELECT (SELECT min(rule_id) FROM hv.rule), 1, 'thing', thing_id, thing_id, 'high', 'UNACK', %(at)s, %(at)s, 'm'
FROM hv.thing;
INSERT INTO hv.alarm (rule_id, rule_version, source_kind, source_id, priority, state, raised_at, detected_at, message)
SELECT (SELECT min(rule_id) FROM hv.rule), 1, 'system', 0, 'critical', 'UNACK', %(at)s, %(at)s, 'platform';
INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial)
SELECT %(at)s, 'urban/v1/water/' || code || '/up', code, '{'::bytea, 1, 'malformed', 'no', false
FROM (SELECT code FROM hv.thing UNION ALL SELECT 'stranger') AS things
ORDER BY code;
INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial)
VALUES (%(at)s, 'elsewhere', '', '{'::bytea, 1, 'bad_topic', 'no', false);
INSERT INTO hv.hole (datastream_id, began, ended, missing)
SELECT datastream_id, %(at)s::timestamptz - interval '2 hours', %(at)s, 9 FROM hv.datastream;
INSERT INTO hv.sequence_gap (sequence_id, thing_id, domain, boot, first_seq, last_seq, began, ended)
SELECT thing_id, thing_id, domain, '', 1, 2, %(at)s::timestamptz - interval '1 hour', %(at)s FROM hv.thing;
INSERT INTO hv.outage (writer, cause, began, ended)
VALUES ('collector-1/1', 'broker', %(at)s::timestamptz - interval '1 hour', %(at)s);
INSERT INTO hv.correction (datastream_id, kind, since, until, operation, reason, author, at, finished_at)
SELECT datastream_id, 'invalidate', %(at)s, %(at)s, '{}', 'r', 'somebody', %(at)s, %(at)s FROM hv.datastream;
INSERT INTO hv.rollup (datastream_id, level, bucket, n, minimum, maximum, mean, covered_seconds)
SELECT datastream_id, level, date_trunc('day', %(at)s::timestamptz), 1, 1, 1, 1, 60
FROM hv.datastream, (VALUES (0), (1)) AS levels (level)
"""


class Asset(NamedTuple):
    organisation: str | None
    domain: str
    district: str
    parent: str | None


def fill(world: Any, chance: random.Random) -> dict[str, Asset]:
    """A town of 24 Things; each reads something of its own domain, some also of another one."""
    town: dict[str, Asset] = {}
    for i in range(24):
        parent = chance.choice([None, *town])
        town[f"t{i}"] = Asset(
            chance.choice(ORGANISATIONS), chance.choice(list(DOMAINS)), chance.choice(DISTRICTS), parent
        )
    intake = world.intake()
    with intake.between() as connection:
        register_things(
            connection,
            [
                NewThing(code, code, t.domain, parent=t.parent, organisation=t.organisation, district=t.district)
                for code, t in town.items()
            ],
            now=NOW,
            organisations={"eau": "Eau", "agence": "Agence"},
        )
    readings = [(t.domain, code, DOMAINS[t.domain], NOW - HOUR, 1.0) for code, t in town.items()]
    for code in chance.sample(sorted(town), 8):
        other = chance.choice([d for d in DOMAINS if d != town[code].domain])
        readings.append((other, code, DOMAINS[other], NOW - HOUR, 1.0))
    world.history(intake, *readings)
    for statement in FILL.split(";\n"):
        world.execute(statement, {"at": NOW - HOUR})
    return town


def numbers(world: Any) -> dict[str, int]:
    return dict(world.rows("SELECT code, organisation_id FROM hv.organisation"))


def scopes(chance: random.Random, organisations: dict[str, int], count: int) -> list[tuple[Scope, dict[str, Any]]]:
    """Scopes, each with the words it was made of."""
    found = []
    for _ in range(count):
        words = {
            "organisation": chance.choice([None, "eau", "agence"]),
            "domains": chance.sample(list(DOMAINS), chance.randrange(1, 4)) if chance.random() < 0.6 else None,
            "districts": chance.sample(DISTRICTS[:3], chance.randrange(1, 3)) if chance.random() < 0.6 else None,
        }
        number = None if words["organisation"] is None else organisations[words["organisation"]]
        found.append((Scope.of(number, words["domains"], words["districts"]), words))
    return found


def visible(town: dict[str, Asset], words: dict[str, Any]) -> set[str]:
    """The predicate once more, from the words and not from the product's."""
    left_out = {
        code
        for code, t in town.items()
        if words["organisation"] not in (None, t.organisation)
        or (words["domains"] is not None and t.domain not in words["domains"])
        or (words["districts"] is not None and t.district not in words["districts"])
    }
    return set(town) - left_out


class Asked:
    """Everything that people may ask, of one scope."""

    def __init__(self, connection: Any, scope: Scope) -> None:
        self.connection, self.scope = connection, scope

    def rows(self, name: str, **values: Any) -> list[dict[str, Any]]:
        unset = dict.fromkeys(
            ("domain", "thing", "property", "id", "open", "hidden", "explained_by", "priority", "before")
        )
        span = {"since": NOW - timedelta(days=2), "until": NOW + timedelta(days=1), "limit": 10_000, "after": ""}
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query(name), {**unset, **span, **self.scope.values(), **values}).fetchall()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_query_for_people_answers_what_the_scope_holds(world: Any, seed: int) -> None:
    chance = random.Random(seed)
    town = fill(world, chance)
    ids = dict(world.rows("SELECT thing_id, code FROM hv.thing"))
    alarms = dict(world.rows("SELECT a.alarm_id, t.code FROM hv.alarm a LEFT JOIN hv.thing t USING (thing_id)"))
    messages = dict(world.rows("SELECT rejected_id, thing FROM hv.rejected_message"))
    every = [*scopes(chance, numbers(world), 8), (EVERYTHING, dict.fromkeys(("organisation", "domains", "districts")))]
    with world.intake("look").between() as connection:
        for scope, words in every:
            own, asked = visible(town, words), Asked(connection, scope)
            whole = scope.is_whole
            of_nobody = {None} if whole else set()
            told = {row["code"]: row["parent"] for row in asked.rows("api_things")}
            assert told == {c: town[c].parent if town[c].parent in own else None for c in own}, scope
            for name in ("api_datastreams", "api_observations", "api_corrections"):
                assert {row["thing"] for row in asked.rows(name)} == own, (name, scope)
            for level in (0, 1):
                assert {row["thing"] for row in asked.rows("api_rollups", level=level)} == own, scope
            assert {row["thing"] for row in asked.rows("api_alarms")} == own | of_nobody, scope
            shown = {i for i in alarms if screens.alarm_visible(connection, i, scope=scope)}
            assert shown == {i for i, code in alarms.items() if code in own | of_nobody}
            # Outages of the platform concern everybody.
            assert {row["thing"] for row in asked.rows("api_gaps")} == own | {None}, scope
            gaps = screens.read_newest_gaps(connection, scope=scope, since=NOW - timedelta(days=1), limit=1000)
            assert {gap.thing for gap in gaps} == own | {None}
            assert {c for c in [*town, "stranger"] if screens.scope_holds(connection, c, scope=scope)} == own
            newest = screens.read_rejected(connection, scope=scope, limit=1000)
            strangers = {"stranger", ""} if whole else set()
            _of_rejected(connection, scope, {i for i, code in messages.items() if code in own | strangers}, messages)
            assert {messages[row.rejected_id] for row in newest} == own | strangers
            kinds = {"kinds": ["thing"] * len(ids), "ids": list(ids), "newest": 10**9}
            hand = connection.execute(query("replayed_sources"), {**scope.values(), **kinds, "thing": None})
            assert {ids[i] for _kind, i in hand.fetchall()} == own
            for foreign in sorted(set(town) - own)[:3]:
                unknown = {name: asked.rows(name, thing="never-there") for name in ("api_things", "api_alarms")}
                assert unknown == {name: asked.rows(name, thing=foreign) for name in unknown}
        connection.rollback()


def _of_rejected(connection: Any, scope: Scope, own: set[int], messages: dict[int, str]) -> None:
    chosen = Chosen(scope=scope)
    assert {row.rejected_id for row in rejected.page(connection, chosen, limit=1000)} == own
    assert sum(each.rows for each in rejected.by_reason(connection, chosen)) == len(own)
    assert {each.name for each in rejected.by_thing(connection, chosen, top=1000)} == {messages[i] for i in own}
    assert rejected.newest(connection, scope=scope) == max(own, default=0)
    assert {i for i in messages if rejected.one(connection, i, scope=scope) is not None} == own
    sendable = {i for i in own if messages[i]}
    assert set(rejected.waiting(connection, chosen, newest=10**9).ids) == sendable
    assert rejected.count_waiting(connection, chosen, newest=10**9) == (len(sendable), True)
    for foreign in sorted(set(messages) - own)[:3]:
        # As for a number that never was.
        assert rejected.page(connection, chosen, before=foreign, limit=1000) == []
        assert set(rejected.waiting(connection, chosen, newest=10**9, after=foreign).ids) == sendable
        assert rejected.page(connection, Chosen(scope=scope, ids=(foreign,)), limit=10) == []


def test_thing_that_is_given_away_is_seen_no_more_and_servers_are_told(world: Any) -> None:
    town = fill(world, random.Random(3))
    code = next(code for code, t in town.items() if t.organisation == "eau")
    before = numbers(world)
    with world.intake("look").between() as connection:
        version = screens.read_registry_version(connection)
        assert screens.scope_holds(connection, code, scope=Scope(before["eau"]))
        assert assign(connection, [code], organisation="neuve", district="Ouest") == {code}
        assert not screens.scope_holds(connection, code, scope=Scope(before["eau"]))
        assert screens.scope_holds(connection, code, scope=Scope.of(numbers(world)["neuve"], None, ["Ouest"]))
        assert screens.read_registry_version(connection) != version
        # Where one is unknown nothing is changed.
        version = screens.read_registry_version(connection)
        assert assign(connection, [code, "never-there"], district="Nord") == {code}
        assert screens.read_registry_version(connection) == version
        connection.rollback()
    assert world.rows("SELECT district, organisation FROM things WHERE code = %(code)s", {"code": code}) == [
        ("Ouest", "neuve")
    ]


def test_registering_again_without_a_district_leaves_it(world: Any) -> None:
    with world.intake().between() as connection:
        for district in ("Nord", ""):
            register_things(connection, [NewThing("p1", "p1", "water", district=district)], now=NOW)
    assert world.rows("SELECT district FROM things") == [("Nord",)]
