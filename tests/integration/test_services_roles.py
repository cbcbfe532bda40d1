"""The roles of the processes in the embedded database: made with it, and given to one of an older version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hypervision.services import roles
from hypervision.services.secrets import password
from hypervision.store.provision import PROCESSES, STORAGE, role_of
from tests.integration.one_up import Up

pytestmark = pytest.mark.integration


def port_of(one: Up) -> int:
    return int(one.endpoints()["database"].rsplit(":", 1)[1].split("/")[0])


def logged_in(data_dir: Path, port: int) -> list[str]:
    found = []
    for process in PROCESSES:
        assert roles.url_file(data_dir, process).read_text().strip() == roles.url(data_dir, port, process)
        with psycopg.connect(roles.url(data_dir, port, process)) as connection:
            found.append(connection.execute("SELECT current_user::text").fetchone()[0])  # type: ignore[index]
    return found


def migrated(one: Up) -> bool:
    """Whether the rights are given: the last that a migration does."""
    with psycopg.connect(one.endpoints()["database"]) as connection:
        row = connection.execute(
            "SELECT has_table_privilege('hypervision_serve', oid, 'SELECT') FROM pg_class WHERE relname = 'audit_head'"
        ).fetchone()
    return row == (True,)


def test_database_of_an_older_version_gets_its_roles_by_up(
    up: Callable[..., Up], data_dir: Path, wait_until: Callable[..., None]
) -> None:
    expected = [role_of(process) for process in PROCESSES]
    one = up(children=("database", "broker", "migrate"))
    wait_until(lambda: migrated(one), seconds=60, tell=lambda: one.output)
    assert logged_in(data_dir, port_of(one)) == expected
    superuser = password(data_dir / "secrets" / "database-superuser")
    with psycopg.connect(
        host="127.0.0.1", port=port_of(one), user="postgres", password=superuser, dbname="hypervision"
    ) as connection:
        # As the version before has left it: one role, which owns everything.
        connection.execute(f"REASSIGN OWNED BY {STORAGE} TO hypervision")
        for name in (*expected, STORAGE):
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")
    one.close()
    (data_dir / "database" / "hypervision.roles").unlink()
    for process in PROCESSES:
        (data_dir / "secrets" / f"database-{process}").unlink()
    # Its superuser's password is not needed.
    (data_dir / "secrets" / "database-superuser").unlink()
    again = up(children=("database", "broker", "migrate"))
    wait_until(lambda: migrated(again), seconds=60, tell=lambda: again.output)
    assert logged_in(data_dir, port_of(again)) == expected
    with psycopg.connect(again.endpoints()["database"]) as connection:
        found = connection.execute(
            "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE relname IN ('audit', 'observation') ORDER BY relname"
        ).fetchall()
    assert found == [("hypervision",), (STORAGE,)]
    for process in PROCESSES:
        assert (data_dir / "secrets" / f"database-{process}").stat().st_mode & 0o777 == 0o600


def test_role_has_the_password_that_is_kept(up: Callable[..., Up], data_dir: Path) -> None:
    one = up()
    one.close()
    kept = data_dir / "secrets" / "database-serve"
    kept.write_text("another-one\n")
    two = up()
    with psycopg.connect(roles.url(data_dir, port_of(two), "serve")):
        pass
