"""`accounts first|token|tokens|revoke|lost` and accounts of a provider, by the command line."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from hypervision.tokens import is_api_token
from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("plain_tables")]
WORDS = "four words are enough\n"


def test_first_link_is_kept_in_a_private_file_until_there_is_an_administrator(
    world: Any, tmp_path: Path, verb: Says
) -> None:
    file = tmp_path / "first"
    first = ("accounts", "first", "--file", str(file))
    assert verb(world.url, *first) == "made\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text()
    assert verb(world.url, *first) == "kept\n"
    assert file.read_text() == token
    world.execute("UPDATE hv.invitation SET expires_at = now() - interval '1 second'")
    assert verb(world.url, *first) == "made\n"
    assert file.read_text() != token
    assert "/welcome#" in verb(world.url, "accounts", "first")
    # The link that was printed has taken the place of the one in the file.
    assert verb(world.url, *first) == "made\n"
    verb(world.url, "accounts", "add", "root", "--role", "administrator", given=WORDS)
    assert verb(world.url, *first) == "there is an administrator\n"
    assert not file.exists()


def test_token_is_made_listed_and_revoked(world: Any, verb: Says) -> None:
    verb(world.url, "accounts", "add", "ana", "--role", "operator", given=WORDS)
    make = ("accounts", "token", "ana", "--for", "report", "--scope", "read")
    token = verb(world.url, *make, "--scope", "acknowledge").strip()
    assert is_api_token(token)
    listed = verb(world.url, "accounts", "tokens", "ana")
    assert "report" in listed
    assert "read,acknowledge" in listed
    assert "never used" in listed
    assert token not in listed
    number = listed.split()[0]
    assert "cannot give a token the scope 'write'" in verb(world.url, *make, "--scope", "write", expect=1)
    assert "there is no account 'bob'" in verb(world.url, "accounts", "tokens", "bob", expect=1)
    assert "has no token 99" in verb(world.url, "accounts", "revoke", "ana", "99", expect=1)
    assert "opens nothing any more" in verb(world.url, "accounts", "revoke", "ana", number)
    assert verb(world.url, "accounts", "tokens", "ana") == ""


def test_account_of_a_provider_has_no_password(world: Any, verb: Says) -> None:
    assert "ana may log in" in verb(world.url, "accounts", "add", "ana", "--role", "viewer", "--by-provider")
    assert world.rows("SELECT password_hash, by_provider FROM hv.account") == [("!", True)]
    assert "had no second factor" in verb(world.url, "accounts", "lost", "ana")
