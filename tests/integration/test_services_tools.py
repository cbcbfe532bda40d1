"""PostgreSQL's own programs: which one is taken, and what it is given to see."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from hypervision.errors import ServiceError
from hypervision.services import tools

# Notes what it was started with, as a program of PostgreSQL's would see it.
PROGRAM = """#!{python}
import os, pathlib, sys
note = pathlib.Path({note!r})
if "--version" in sys.argv:
    print("pg_dump (PostgreSQL) {version}")
elif "--fail" in sys.argv:
    sys.exit("pg_dump: error: no disk\\npg_dump: error: no hope")
else:
    service = os.environ.get("PGSERVICEFILE")
    text = pathlib.Path(service).read_text() if service else ""
    mode = oct(os.stat(service).st_mode & 0o777) if service else ""
    note.write_text(repr((sys.argv[1:], os.environ.get("PGPASSWORD"), os.environ.get("PGSERVICE"), text, mode)))
"""


def program(folder: Path, version: str = "18.6") -> Path:
    path = folder / "pg_dump"
    path.write_text(PROGRAM.format(python=sys.executable, note=str(folder / "note"), version=version))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim@h:5433/d?sslpassword=geheimnis&sslmode=prefer",
        "host=h port=5433 dbname=d user=me password=geheim sslpassword=geheimnis",
    ],
)
def test_no_secret_is_on_the_command_line_of_a_tool(url: str, tmp_path: Path) -> None:
    tools.run(tools.Program(program(tmp_path), "18.6"), "--verbose", url=url)
    argv, password, service, text, mode = ast.literal_eval((tmp_path / "note").read_text())
    assert "geheim" not in " ".join(argv)
    assert {"host=h", "port=5433", "dbname=d", "user=me"} <= set(argv[0].removeprefix("--dbname=").split())
    assert argv[1:] == ["--verbose"]
    assert password == "geheim"
    assert text == f"[{service}]\nsslpassword=geheimnis\n"
    assert mode == "0o600"


def test_tool_without_a_hidden_secret_needs_no_service_file(tmp_path: Path) -> None:
    tools.run(tools.Program(program(tmp_path), "18.6"), url="postgresql://me:geheim@h/d")
    assert ast.literal_eval((tmp_path / "note").read_text())[1:] == ("geheim", None, "", "")


def test_tool_that_fails_says_its_first_sentence(tmp_path: Path) -> None:
    found = tools.Program(program(tmp_path), "18.6")
    with pytest.raises(ServiceError, match="pg_dump failed: pg_dump: error: no disk"):
        tools.run(found, "--fail", url="postgresql://h/d")
    with pytest.raises(ServiceError, match="no hope"):
        tools.run(found, "--fail", url="postgresql://h/d", forgiven="no disk")
    tools.run(found, "--fail", url="postgresql://h/d", forgiven="no ")


def test_tool_is_ended_when_its_watch_objects(tmp_path: Path) -> None:
    path = tmp_path / "slow"
    path.write_text("#!/bin/sh\nexec sleep 600\n")
    path.chmod(0o755)

    def objects() -> None:
        raise ServiceError("enough")

    with pytest.raises(ServiceError, match="enough"):
        tools.run(tools.Program(path, "18.6"), url="postgresql://h/d", watch=objects)


def test_tool_of_the_servers_version_is_taken_and_an_older_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions_there = {}
    for version in ("15.9 (Debian 15.9-1)", "17.2", "18.6"):
        folder = tmp_path / version[:2]
        folder.mkdir()
        versions_there[version[:2]] = program(folder, version)
    monkeypatch.setattr(tools, "_PLACES", (f"{tmp_path}/1[57]",))
    monkeypatch.setattr(tools, "postgres", lambda: tmp_path / "none")
    monkeypatch.setattr(tools.shutil, "which", lambda _: str(versions_there["18"]))
    assert tools.fitting("pg_dump", server=15).path == versions_there["15"]
    assert tools.fitting("pg_dump", server=16).path == versions_there["17"]
    assert tools.fitting("pg_dump", server=15, archive=18).path == versions_there["18"]
    with pytest.raises(ServiceError, match=r"pg_dump 18\.6 is the newest here, and .* PostgreSQL 19") as caught:
        tools.fitting("pg_dump", server=19)
    assert caught.value.remedy == "install the client programs of PostgreSQL 19 or newer"
    monkeypatch.setattr(tools.shutil, "which", lambda _: None)
    with pytest.raises(ServiceError, match="there is no pg_restore"):
        tools.fitting("pg_restore", server=15)
