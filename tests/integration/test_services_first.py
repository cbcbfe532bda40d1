"""How `up` lets its first administrator in: a link that is printed once and kept in a private file."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hypervision.accounts import Role
from hypervision.domains import load
from hypervision.services import first
from hypervision.services.endpoints import Endpoints
from hypervision.services.report import Terminal, announce
from hypervision.store import administration, invitations
from hypervision.store.connection import connect
from hypervision.store.migrate import migrate
from tests.browser.fake_town import database_on

pytestmark = pytest.mark.integration

HTTP = "http://127.0.0.1:8050"


@pytest.fixture
def url(_database_server: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "secrets").mkdir()
    with database_on(_database_server) as made:
        with connect(made, application="test") as connection:
            migrate(connection, load(), now=datetime.now(UTC))
        monkeypatch.setenv("HYPERVISION_DATABASE_URL", made)
        monkeypatch.setenv("HYPERVISION_DATA_DIR", str(tmp_path))
        yield made


def said(capsys: pytest.CaptureFixture[str], data_dir: Path, word: str) -> str:
    announce(
        Terminal("en"), Endpoints(HTTP, "mqtt://127.0.0.1:1883", "postgresql://h/d"), data_dir=data_dir, first_said=word
    )
    return capsys.readouterr().out


def test_link_is_printed_once_kept_privately_and_gone_when_it_was_used(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert first.prepare(tmp_path) == "made"
    file = first.file_of(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text("utf-8").strip()
    printed = said(capsys, tmp_path, "made")
    assert f"{HTTP}/welcome#{token}" in printed
    assert "password" not in printed
    # The next start names the file, and does not print the link again.
    assert first.prepare(tmp_path) == "kept"
    printed = said(capsys, tmp_path, "kept")
    assert token not in printed
    assert str(file) in printed
    with connect(url, application="test") as connection:
        now = datetime.now(UTC)
        invitations.redeem(connection, token, name="root", password="four words are enough", now=now)
        assert [(one.name, one.role) for one in administration.list_accounts(connection, now=datetime.now(UTC))] == [
            ("root", Role.ADMINISTRATOR)
        ]
    assert first.prepare(tmp_path) == ""
    assert not file.exists()
    assert "administrator" not in said(capsys, tmp_path, "")


def test_platform_without_accounts_has_no_password_that_opens_it(url: str) -> None:
    with connect(url, application="test") as connection:
        assert administration.list_accounts(connection, now=datetime.now(UTC)) == []


def test_database_that_cannot_be_asked_prints_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv("HYPERVISION_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x")
    monkeypatch.setenv("HYPERVISION_DATA_DIR", str(tmp_path))
    assert first.prepare(tmp_path) == ""
    assert not first.file_of(tmp_path).exists()
