"""What a migration may do: old processes go on beside a newer schema, so it adds, or names itself the oldest known."""

from __future__ import annotations

import re

import pytest

from hypervision.store.migrate import ONLINE, statements
from hypervision.store.versions import migrations

# Written before the rule, when no process of an older version was at work anywhere.
BEFORE_THE_RULE = ("0001", "0002", "0003", "0004", "0005", "0006")
TAKES_AWAY = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW|FUNCTION|SCHEMA)\b|\bALTER\s+(?!INDEX\b)[^;]*\bRENAME\b|\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b"
    r"|\bSET\s+NOT\s+NULL\b|\bADD\s+COLUMN\s+(?:(?!,|;|\bDEFAULT\b|\bGENERATED\b).)*\bNOT\s+NULL\b"
    r"(?!(?:(?!,|;).)*\b(?:DEFAULT|GENERATED)\b)",
    re.IGNORECASE | re.DOTALL,
)


def without_comments(text: str) -> str:
    """Neither comments nor the bodies of functions: what a function does, no migration does."""
    return re.sub(r"\bAS \$\$.*?\$\$", "", re.sub(r"--.*", "", text), flags=re.DOTALL)


def takes_away(text: str) -> bool:
    return TAKES_AWAY.search(without_comments(text)) is not None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ALTER TABLE hv.latest ADD COLUMN live boolean NOT NULL DEFAULT true;", False),
        ("ALTER TABLE hv.latest ADD COLUMN live boolean DEFAULT true NOT NULL;", False),
        ("ALTER TABLE hv.latest ADD COLUMN a int, ADD COLUMN b int;", False),
        ("CREATE TABLE hv.x (a int NOT NULL);", False),
        ("-- no DROP TABLE here\nCREATE INDEX x ON hv.y (z);", False),
        ("ALTER INDEX IF EXISTS hv.x RENAME TO y;", False),
        ("ALTER TABLE hv.latest ADD COLUMN live boolean NOT NULL;", True),
        ("ALTER TABLE hv.latest ADD COLUMN a int NOT NULL, ADD COLUMN b int DEFAULT 1;", True),
        ("ALTER TABLE hv.latest ALTER COLUMN a SET NOT NULL;", True),
        ("ALTER TABLE hv.latest RENAME COLUMN a TO b;", True),
        ("ALTER TABLE hv.latest ALTER COLUMN a TYPE bigint;", True),
        ("ALTER TABLE hv.latest\n DROP COLUMN a;", True),
        ("drop view public.things;", True),
        ("CREATE FUNCTION hv.f() RETURNS void AS $$ DROP TABLE hv.x $$;\nDROP TABLE hv.y;", True),
        ("CREATE FUNCTION hv.f() RETURNS void AS $$ DROP TABLE hv.x $$;", False),
    ],
)
def test_what_takes_away_is_told_from_what_adds(text: str, *, wrong: bool) -> None:
    assert takes_away(text) is wrong


def test_migration_adds_only_or_names_the_oldest_version_that_can_go_on() -> None:
    wrong = [
        name
        for name, text in migrations().items()
        if not name.startswith(BEFORE_THE_RULE)
        and takes_away(text)
        and not re.search(r"'oldest',\s*'(\d{4}_\w+)'", text)
    ]
    assert wrong == [], "see docs/decisions/0014-migrations.md"


def test_oldest_version_named_by_a_migration_is_a_migration() -> None:
    named = {n for text in migrations().values() for n in re.findall(r"'oldest',\s*'(\d{4}_\w+)'", text)}
    assert named <= set(migrations())


def test_statement_of_an_online_migration_can_be_repeated() -> None:
    wrong = [
        (name, statement)
        for name, text in migrations().items()
        if text.startswith(ONLINE)
        for statement in statements(text)
        if re.search(rb"\b(CREATE|DROP|ADD)\b", statement) and not re.search(rb"\bIF\s+(NOT\s+)?EXISTS\b", statement)
    ]
    assert wrong == []


def held_up(text: str) -> list[str]:
    """Tables that were there before and get or lose an index while whoever writes to them waits."""
    text = without_comments(text)
    new = set(re.findall(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.]+)", text, re.IGNORECASE))
    made = re.findall(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^;]*?\bON\s+([\w.]+)", text, re.IGNORECASE)
    gone = re.findall(r"\bDROP\s+INDEX\s+(?!CONCURRENTLY)([\w.]+)", text, re.IGNORECASE)
    return [name for name in made if name not in new] + gone


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CREATE TABLE hv.x (a int);\nCREATE INDEX ON hv.x (a);", []),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS y ON hv.x (a);\nDROP INDEX CONCURRENTLY IF EXISTS hv.z;", []),
        ("CREATE UNIQUE INDEX y ON hv.x (a);", ["hv.x"]),
        ("DROP INDEX hv.z;", ["hv.z"]),
    ],
)
def test_index_that_holds_up_writers_is_seen(text: str, found: list[str]) -> None:
    assert held_up(text) == found


def test_index_on_a_table_that_has_grown_is_made_beside_its_writers() -> None:
    texts = {name: text for name, text in migrations().items() if not name.startswith(BEFORE_THE_RULE)}
    assert {name: held_up(text) for name, text in texts.items() if held_up(text)} == {}


def test_numbers_of_migrations_are_all_different() -> None:
    numbers = [name[:4] for name in migrations()]
    assert len(numbers) == len(set(numbers))
