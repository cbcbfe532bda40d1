"""The commands and configurations of `docker-compose.yml`, run directly where no Docker is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from hypervision.services import binaries

pytestmark = pytest.mark.integration

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text("utf-8"))


def interpolated(text: str) -> str:
    return re.sub(r"\$\{(\w+):\?[^}]*\}", r"secret-of-\1", text).replace("$$", "$")


def test_broker_configuration_is_accepted_by_the_real_broker(tmp_path: Path) -> None:
    path = tmp_path / "nats.conf"
    path.write_text(interpolated(COMPOSE["configs"]["broker"]["content"]))
    done = subprocess.run([binaries.nats_server(), "-t", "-c", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_database_statements_are_accepted_by_the_real_database(superuser_url: str) -> None:
    text = interpolated(COMPOSE["configs"]["database-init"]["content"])
    # Another name: the server of these tests already has the platform's role.
    statements = [part.strip() for part in text.replace("hypervision", "compose_city").split(";") if part.strip()]
    assert len(statements) == 3
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        try:
            for statement in statements:
                connection.execute(statement)
            owner = connection.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'compose_city'"
            ).fetchone()
            assert owner == ("compose_city",)
        finally:
            connection.execute("DROP DATABASE IF EXISTS compose_city")
            connection.execute("DROP ROLE IF EXISTS compose_city")


def test_migrate_command_brings_an_empty_database_up_to_date_and_may_be_repeated(
    embedded_database: str, data_dir: Path
) -> None:
    command = COMPOSE["services"]["migrate"]["command"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
    environ |= {"HYPERVISION_DATABASE_URL": embedded_database, "HYPERVISION_DATA_DIR": str(data_dir)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "hypervision", *command], env=environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    with psycopg.connect(embedded_database) as connection:
        views = connection.execute("SELECT count(*) FROM information_schema.views WHERE table_name = 'observations'")
        assert views.fetchone() == (1,)
