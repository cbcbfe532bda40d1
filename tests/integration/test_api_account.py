"""One's own account over HTTP: second factor, sessions, tokens, the first administrator, and who guesses."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hypervision import totp
from hypervision.accounts import Role
from hypervision.domains import load as load_domains
from hypervision.settings import Settings, load
from hypervision.store import administration, invitations
from hypervision.store.connection import connect, url_of
from hypervision.store.migrate import migrate
from tests.browser.fake_town import PASSWORD, database_on, prepare
from tests.integration.served import served

pytestmark = pytest.mark.integration

# No collector runs here, so the rest of health is not well.
LIVE = "/api/health/live"

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def settings(_database_server: tuple, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder: Path = tmp_path_factory.mktemp("town")
    with database_on(_database_server) as url:
        given = {"data_dir": folder, "database_url": url, "log_in": {"second_factor": "administrator"}}
        made = load({}, overrides=given)
        prepare(made)
        yield made


@pytest.fixture(scope="module")
def base(settings: Settings) -> Iterator[str]:
    with served(settings, ready=LIVE) as address:
        yield address


@pytest.fixture
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=20) as made:
        yield made


def enter(client: httpx.Client, user: str, **more: str) -> httpx.Response:
    return client.post("/api/v1/login", json={"user": user, "password": PASSWORD, **more})


def add(settings: Settings, name: str, role: Role) -> None:
    with connect(url_of(settings), application="test") as connection:
        administration.add_account(connection, name=name, password=PASSWORD, role=role, now=datetime.now(UTC))


def code_of(secret: str, *, ahead: int = 0) -> str:
    return totp.code_at(base64.b32decode(secret), int(time.time() // totp.STEP) + ahead)


def test_role_that_needs_a_second_factor_gets_one_and_then_the_control_room(client: httpx.Client) -> None:
    first = enter(client, "administrator")
    assert first.json() == {"user": "administrator", "role": "administrator", "enrolling": True}
    assert client.get("/").headers["location"] == "/account"
    assert client.get("/api/v1/things").status_code == 403
    assert client.post("/api/v1/account/tokens", json={"name": "x", "scopes": ["read"]}).status_code == 422
    assert client.get("/api/v1/account").json()["enrolling"] is True
    # Right after the password it is not asked for again.
    made = client.post("/api/v1/account/second-factor", json={}).json()
    assert made["picture"].startswith("data:image/svg+xml")
    assert made["address"].startswith("otpauth://totp/Hypervision:administrator?secret=")
    assert client.post("/api/v1/account/second-factor/confirm", json={"code": "12345"}).json()["reason"] == "code"
    used = code_of(made["secret"])
    done = client.post("/api/v1/account/second-factor/confirm", json={"code": used})
    codes = done.json()["recovery_codes"]
    assert len(codes) == totp.RECOVERY_CODES
    assert client.get("/api/v1/things").status_code == 200
    with httpx.Client(base_url=client.base_url, timeout=20) as other:
        asked = enter(other, "administrator")
        assert (asked.status_code, asked.json()["second"]) == (401, True)
        # The code it was set up with was used.
        assert enter(other, "administrator", code=used).status_code == 401
        assert enter(other, "administrator", code=codes[0]).status_code == 200
        assert other.get("/api/v1/account").json()["second_factor"] == {
            "enrolled": True, "recovery_codes": totp.RECOVERY_CODES - 1, "required": True,
        }  # fmt: skip
        later = code_of(made["secret"], ahead=1)
        assert other.post("/api/v1/account/second-factor/remove", json={"password": PASSWORD, "code": later}).is_success


def test_of_many_log_ins_with_one_code_one_gets_in(settings: Settings, client: httpx.Client, base: str) -> None:
    add(settings, "many", Role.OPERATOR)
    enter(client, "many")
    secret = client.post("/api/v1/account/second-factor", json={"password": PASSWORD}).json()["secret"]
    done = client.post("/api/v1/account/second-factor/confirm", json={"code": code_of(secret)})
    recovery = done.json()["recovery_codes"][0]
    for code in (code_of(secret, ahead=1), recovery):
        body = {"user": "many", "password": PASSWORD, "code": code}
        with ThreadPoolExecutor(3) as pool:
            told = list(pool.map(lambda body: httpx.post(f"{base}/api/v1/login", json=body, timeout=30), [body] * 3))
        statuses = sorted(answer.status_code for answer in told)
        assert statuses[0] == 200
        assert set(statuses[1:]) <= {401, 429}


def test_token_is_shown_once_and_opens_what_it_was_made_for(client: httpx.Client, base: str) -> None:
    assert enter(client, "operator").status_code == 200
    body = {"name": "=cmd|'x'", "scopes": ["read"], "days": 7}
    made = client.post("/api/v1/account/tokens", json=body)
    assert made.status_code == 201
    token, number = made.json()["token"], made.json()["id"]
    listed = client.get("/api/v1/account").json()
    assert listed["scopes"] == ["read", "acknowledge", "shelve"]
    assert token not in str(listed)
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{base}/api/v1/things", headers=bearer, timeout=20).status_code == 200
    assert client.get("/api/v1/account").json()["tokens"][0]["used_at"] is not None
    for method, path in (
        ("POST", "/api/v1/alarms/1/acknowledge"), ("POST", "/api/v1/observations"), ("GET", "/api/v1/rejected"),
        ("GET", "/"), ("GET", "/api/v1/account"), ("POST", "/api/v1/account/tokens"), ("POST", "/api/v1/logout"),
    ):  # fmt: skip
        asked: dict[str, Any] = (
            {"content": b"{}", "headers": bearer | JSON} if method == "POST" else {"headers": bearer}
        )
        assert httpx.request(method, base + path, timeout=20, **asked).status_code == 403, path
    assert httpx.get(f"{base}/api/v1/things", cookies={"hypervision_session": token}, timeout=20).status_code == 401
    for wrong in (
        {"scopes": ["write"]},
        {"scopes": []},
        {"scopes": ["\u0000"]},
        {"days": 0},
        {"days": 400},
        {"name": " "},
    ):
        refused = client.post("/api/v1/account/tokens", json={"name": "x", "scopes": ["read"], **wrong})
        assert refused.status_code == 422, wrong
    assert client.post(f"/api/v1/account/tokens/{number}/revoke", json={}).status_code == 204
    assert httpx.get(f"{base}/api/v1/things", headers=bearer, timeout=20).status_code == 401
    assert client.post(f"/api/v1/account/tokens/{number}/revoke", json={}).status_code == 404


def test_token_of_another_is_not_found(client: httpx.Client, base: str) -> None:
    with httpx.Client(base_url=base, timeout=20) as other:
        enter(other, "engineer")
        number = other.post("/api/v1/account/tokens", json={"name": "x", "scopes": ["write"]}).json()["id"]
        enter(client, "viewer")
        assert client.post(f"/api/v1/account/tokens/{number}/revoke", json={}).status_code == 404
        assert len(other.get("/api/v1/account").json()["tokens"]) == 1


def test_sessions_are_listed_and_ended(client: httpx.Client, base: str) -> None:
    with httpx.Client(base_url=base, timeout=20, headers={"user-agent": "<b>old</b> browser"}) as other:
        enter(other, "viewer")
        enter(client, "viewer")
        found = client.get("/api/v1/account").json()["sessions"]
        theirs = next(one for one in found if one["agent"] == "<b>old</b> browser")
        assert [one["own"] for one in found].count(True) == 1
        assert client.post(f"/api/v1/account/sessions/{theirs['id']}/end", json={}).status_code == 204
        assert other.get("/api/v1/account").status_code == 401
        assert client.post(f"/api/v1/account/sessions/{theirs['id']}/end", json={}).status_code == 404
        enter(other, "viewer")
        assert client.post("/api/v1/account/sessions/others/end", json={}).status_code == 204
        assert other.get("/api/v1/account").status_code == 401
        assert client.get("/api/v1/account").status_code == 200


def test_password_is_changed_by_who_knows_it(settings: Settings, client: httpx.Client, base: str) -> None:
    add(settings, "vera", Role.VIEWER)
    with httpx.Client(base_url=base, timeout=20) as other:
        enter(other, "vera")
        enter(client, "vera")
        ask = "/api/v1/account/password"
        told = [
            client.post(ask, json={"current": current, "new": new}).json()["reason"]
            for current, new in (("wrong", "another password"), (PASSWORD, "short"))
        ]
        assert told == ["password", "short_password"]
        assert other.get("/api/v1/account").status_code == 200
        assert client.post(ask, json={"current": PASSWORD, "new": "another password"}).status_code == 204
        assert client.get("/api/v1/account").status_code == 200
        assert other.get("/api/v1/account").status_code == 401
        assert enter(other, "vera").status_code == 401


@pytest.fixture
def nobody(_database_server: tuple, tmp_path: Path) -> Iterator[Settings]:
    """A platform without any account."""
    with database_on(_database_server) as url:
        with connect(url, application="test") as connection:
            migrate(connection, load_domains(), now=datetime.now(UTC))
        yield load({}, overrides={"data_dir": tmp_path, "database_url": url})


def test_first_administrator_makes_their_account_once(nobody: Settings) -> None:
    with connect(url_of(nobody), application="test") as connection:
        token = invitations.invite(connection, now=datetime.now(UTC))
    with served(nobody, ready=LIVE) as base, httpx.Client(base_url=base, timeout=20) as client:
        page = client.get("/welcome")
        assert page.status_code == 200
        assert token not in page.text
        body = {"token": token, "user": "root", "password": PASSWORD}
        for change, reason in (
            ({"token": "guess"}, "link"), ({"password": "short"}, "short_password"), ({"user": "a b"}, "bad_name"),
        ):  # fmt: skip
            refused = client.post("/api/v1/welcome", json=body | change)
            assert (refused.status_code, refused.json()["reason"]) == (422, reason)
        # Two at once: one makes the account.
        with ThreadPoolExecutor(2) as pool:
            told = list(
                pool.map(
                    lambda name: (
                        httpx.post(f"{base}/api/v1/welcome", json=body | {"user": name}, timeout=30).status_code
                    ),
                    ("one", "two"),
                )
            )
        assert sorted(told) == [201, 422]
        name = "one" if told[0] == 201 else "two"
        assert enter(client, name).json()["role"] == "administrator"
        assert client.post("/api/v1/welcome", json=body | {"user": "third"}).status_code == 422


def test_hundred_log_ins_a_second_are_slowed_down_and_harm_nobody_else(settings: Settings, base: str) -> None:
    """For three seconds; the sessions that are open and the other pages go on, and nobody is told a 5xx."""
    add(settings, "target", Role.VIEWER)
    with httpx.Client(base_url=base, timeout=20) as inside:
        assert enter(inside, "engineer").status_code == 200
        answers: list[int] = []
        slowest = 0.0
        began = time.monotonic()
        with httpx.Client(base_url=base, timeout=30, limits=httpx.Limits(max_connections=24)) as guesser:

            def guess(number: int) -> int:
                body = {"user": "target", "password": f"guess {number}"}
                answers.append(guesser.post("/api/v1/login", json=body).status_code)
                return answers[-1]

            with ThreadPoolExecutor(24) as pool:
                for number in range(300):
                    pool.submit(guess, number)
                    if number % 20 == 0:
                        asked = time.monotonic()
                        assert inside.get("/api/v1/account").status_code == 200
                        slowest = max(slowest, time.monotonic() - asked)
                    time.sleep(max(0.0, began + number / 100 - time.monotonic()))
            assert len(answers) == 300
            assert set(answers) <= {401, 429}
            # Four mistakes are free; what was under way together with them may be looked at as well.
            assert answers.count(401) <= 12
            assert slowest < 2.0
            # Right after a guess that was looked at, the right password has to wait as well.
            deadline = time.monotonic() + 60
            while guess(0) != 401:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        right = enter(inside, "target")
        assert right.status_code == 429
        assert 0 < int(right.headers["retry-after"]) <= 300
