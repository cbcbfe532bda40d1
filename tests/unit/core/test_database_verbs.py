"""What the database's verbs hand on, without a database."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from hypervision import cli
from hypervision.errors import TemporaryStoreError
from hypervision.services import tools
from hypervision.store import versions


@pytest.mark.parametrize(
    "url", ["postgresql://me:geheim@h:5433/d?sslmode=prefer", "host=h port=5433 dbname=d user=me password=geheim"]
)
def test_password_is_not_on_the_command_line_of_a_tool(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    def run(argv: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        started.append((argv, env))
        for word in argv:
            if word.startswith("--file="):
                Path(word.removeprefix("--file=")).write_bytes(b"x")
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("HYPERVISION_DATABASE_URL", url)
    monkeypatch.setenv("HYPERVISION_DATA_DIR", str(tmp_path))
    assert cli.main(["db", "backup", str(tmp_path / "town.backup")]) == 0
    tools.run("pg_restore", str(tmp_path / "town.backup"), url=url)
    assert len(started) == 2
    for argv, env in started:
        assert "geheim" not in " ".join(argv)
        (address,) = [word for word in argv if word.startswith("--dbname=")]
        assert {"host=h", "port=5433", "dbname=d", "user=me"} <= set(address.removeprefix("--dbname=").split())
        assert env["PGPASSWORD"] == "geheim"
        assert "PATH" in env


class _Fails:
    """A connection that breaks as soon as it is asked."""

    closed = False

    def execute(self, *_: object) -> None:
        raise TemporaryStoreError("database: gone")

    def close(self) -> None:
        self.closed = True


def test_connection_that_breaks_at_the_first_question_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[_Fails] = []

    def connect(_url: str, **_: object) -> _Fails:
        opened.append(_Fails())
        return opened[-1]

    monkeypatch.setattr(versions, "connect", connect)
    with pytest.raises(TemporaryStoreError, match="gone"):
        versions.wait_for_schema("postgresql://h/d", application="test", wait=0.0)
    assert [one.closed for one in opened] == [True]
