"""The list of rights names whatever the queries write."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from hypervision.store import grants
from hypervision.store.provision import PROCESSES, STORAGE, role_of, roles_sql

# What the owner alone does: migrations with their default rules, backups and restores, and the benchmarks, which fill
# and trouble databases of their own.
OF_THE_OWNER = {"migrate.sql", "backup.sql", "bench.sql", "filling.sql", "trouble.sql", "rules.sql", "audit.sql"}
WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|COPY)\s+hv\.(\w+)(?!.*TO STDOUT)")


def written() -> set[tuple[str, str]]:
    folder = resources.files("hypervision.store") / "queries"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name not in OF_THE_OWNER]
    found = [WRITES.findall(re.sub(r"--.*", "", text)) for text in texts if text]
    return {({"COPY": "INSERT"}.get(how.split()[0], how.split()[0]), table) for each in found for how, table in each}


def test_whatever_a_query_writes_some_process_may_write() -> None:
    given = {
        (right, table)
        for rights in grants.WRITES.values()
        for table, text in rights.items()
        for right in text.split(", ")
    }
    assert len(written()) > 30
    assert written() - given == set(), "name the table in hypervision/store/grants.py"


def test_every_table_that_is_named_exists() -> None:
    schema = (resources.files("hypervision.store") / "schema.sql").read_text("utf-8")
    known = set(re.findall(r"CREATE TABLE hv\.(\w+)", schema))
    named = {table for rights in grants.WRITES.values() for table in rights} | set(grants._PRIVATE)
    assert named <= known


def test_no_process_writes_the_audit_log_itself() -> None:
    assert not any(table.startswith("audit") for rights in grants.WRITES.values() for table in rights)
    assert [process for process in PROCESSES if grants.reads(process, "audit")] == ["serve", "verbs"]
    assert not any(grants.reads(process, "audit_due") for process in PROCESSES)


def test_roles_are_made_one_statement_a_line() -> None:
    lines = roles_sql(dict.fromkeys(PROCESSES, "geheim")).splitlines()
    assert sum("geheim" in line for line in lines) == len(PROCESSES)
    assert lines[-2] == "GRANT hypervision_storage TO hypervision, hypervision_watch"
    assert all(role_of(process) in lines[-1] for process in PROCESSES)
    assert not any("SUPERUSER" in line or "BYPASSRLS" in line for line in lines)


def test_statements_that_are_documented_make_the_same_roles() -> None:
    text = (Path(__file__).parents[3] / "docs" / "deployment.md").read_text("utf-8")
    block = text.split("### Roles of the database", 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
    lines = block.splitlines()
    assert [line.split()[2] for line in lines if line.startswith("CREATE ROLE")] == [STORAGE, *map(role_of, PROCESSES)]
    assert [line.rstrip(";") for line in lines[-2:]] == roles_sql(dict.fromkeys(PROCESSES, "x")).splitlines()[-2:]
