"""`schema.sql` is what all migrations together leave, object by object."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

import pytest

from hypervision.domains import load
from hypervision.store.connection import Connection, connect
from hypervision.store.engines.plain import MARK
from hypervision.store.migrate import migrate

pytestmark = pytest.mark.integration

# One query per kind of object; the partitions of a day are no part of the schema.
CATALOG = {
    "columns": """
        SELECT n.nspname, c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE n.nspname IN ('hv', 'public') AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')
        ORDER BY 1, 2, 3""",
    "tables": """
        SELECT n.nspname, c.relname, c.relkind, c.reloptions, pg_get_partkeydef(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('hv', 'public') ORDER BY 1, 2""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'hv'::regnamespace ORDER BY 1, 2""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'hv' ORDER BY 1, 2",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "functions": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'hv'::regnamespace ORDER BY 1""",
    "rows": "SELECT one FROM hv.rule_set",
}  # fmt: skip


def catalog(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    found = {kind: connection.execute(text).fetchall() for kind, text in CATALOG.items()}
    connection.rollback()
    return found


def test_schema_equals_all_migrations(embedded_database: str) -> None:
    text = (resources.files("hypervision.store") / "schema.sql").read_text("utf-8")
    assert text.count(MARK) == 1
    with connect(embedded_database, application="test") as connection:
        migrate(connection, load(), now=datetime.now(UTC))
        migrated = catalog(connection)
        connection.execute("DROP SCHEMA hv CASCADE")
        connection.execute(text.replace(MARK, "PARTITION BY RANGE (phenomenon_time)"))
        connection.commit()
        drawn = catalog(connection)
    assert migrated["views"]
    for kind in CATALOG:
        assert drawn[kind] == migrated[kind], kind


def test_big_tables_have_the_datastream_in_every_key(embedded_database: str) -> None:
    """So that the same schema can be distributed over many nodes."""
    with connect(embedded_database, application="test") as connection:
        migrate(connection, load(), now=datetime.now(UTC))
        rows = connection.execute(
            "SELECT t.relname, array_agg(a.attname::text) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)"
            " WHERE i.indisunique AND t.relname IN ('observation', 'latest') GROUP BY i.indexrelid, t.relname"
        ).fetchall()
    assert sorted(name for name, _ in rows) == ["latest", "observation"]
    assert all("datastream_id" in columns for _, columns in rows)
