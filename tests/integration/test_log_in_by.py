"""Log-in by a real OpenID provider, as a browser goes it; the local log-in stays when it is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from dashboards.sessions import COOKIE
from hypervision.accounts import Role
from hypervision.settings import Settings
from hypervision.store import administration
from hypervision.store.connection import connect, url_of
from tests.browser.fake_town import PASSWORD, database_on, prepare
from tests.integration.openid import CLIENT, real_provider
from tests.integration.served import served

pytestmark = pytest.mark.integration

# No collector runs here, so the rest of health is not well.
LIVE = "/api/health/live"

USERS = {
    "s-1": {"preferred_username": "nora", "groups": ["town-ops"]},
    "s-2": {"preferred_username": "max", "groups": ["guests"]},
    "s-3": {"preferred_username": "administrator", "groups": ["town-admins"]},
}


@pytest.fixture(scope="module")
def settings(_database_server: tuple, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    from hypervision.settings import load

    with real_provider(USERS) as issuer, database_on(_database_server) as url:
        given = {
            "data_dir": tmp_path_factory.mktemp("town"), "database_url": url, "language": "en",
            "oidc": {
                "issuer": issuer, "client_id": CLIENT, "client_secret": "s3cret-of-the-client", "label": "the town",
                "roles": "town-ops=operator,town-admins=administrator", "accounts": "made",
            },
        }  # fmt: skip
        made = load({}, overrides=given)
        prepare(made)
        yield made


@pytest.fixture(scope="module")
def base(settings: Settings) -> Iterator[str]:
    with served(settings, ready=LIVE) as address:
        yield address


@pytest.fixture
def browser(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=20) as client:
        yield client


def go(browser: httpx.Client, subject: str, *, target: str = "/alarms") -> httpx.Response:
    """Click the provider's button, say there who one is, and come back; the answer of the way back."""
    sent = browser.get("/login/provider", params={"next": target})
    assert sent.status_code == 303, sent.text
    there = sent.headers["location"]
    asked = parse_qs(urlsplit(there).query)
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["redirect_uri"] == [f"{browser.base_url}".rstrip("/") + "/login/callback"]
    back = httpx.post(there, data={"sub": subject}, timeout=20)
    assert back.status_code in (302, 303), back.text[:500]
    return browser.get(back.headers["location"])


def test_log_in_page_offers_both_ways(browser: httpx.Client) -> None:
    text = browser.get("/login", params={"next": "/map"}).text
    assert 'href="/login/provider?next=/map"' in text
    assert "Log in with the town" in text
    assert 'id="password"' in text
    assert "s3cret" not in text


def test_somebody_comes_in_with_the_role_of_their_group_and_leaves_there_too(browser: httpx.Client) -> None:
    arrived = go(browser, "s-1")
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/alarms")
    cookie = next(line for line in arrived.headers.get_list("set-cookie") if line.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    found = browser.get("/api/v1/account").json()
    assert (found["user"], found["role"], found["has_password"]) == ("nora", "operator", False)
    assert [one["way"] for one in found["sessions"]] == ["provider"]
    left = browser.post("/api/v1/logout", json={})
    assert left.status_code == 200
    assert "/oauth2/end_session?client_id=hypervision" in left.json()["provider"]
    assert browser.get("/api/v1/account").status_code == 401


def test_who_has_no_group_of_the_mapping_is_not_let_in(browser: httpx.Client) -> None:
    arrived = go(browser, "s-2")
    assert arrived.headers["location"] == "/login?next=%2Falarms&refused=provider_unknown"
    assert "you have no access here" in browser.get(arrived.headers["location"]).text
    assert COOKIE not in browser.cookies


def test_local_administrator_is_not_taken_over_by_the_name(browser: httpx.Client) -> None:
    assert "refused=provider_unknown" in go(browser, "s-3").headers["location"]
    assert COOKIE not in browser.cookies


def test_answer_counts_once_and_in_the_browser_that_asked(browser: httpx.Client, base: str) -> None:
    there = browser.get("/login/provider").headers["location"]
    back = httpx.post(there, data={"sub": "s-1"}, timeout=20).headers["location"]
    # Another browser is led to the answer: a log-in that somebody else began.
    with httpx.Client(base_url=base, timeout=20) as victim:
        assert "refused=provider_forged" in victim.get(back).headers["location"]
        victim.get("/login/provider")
        assert "refused=provider_forged" in victim.get(back).headers["location"]
        assert COOKIE not in victim.cookies
    assert browser.get(back).headers["location"] == "/"
    assert "refused=provider_forged" in browser.get(back).headers["location"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/api/v1/things", "/login"])
def test_log_in_leads_to_a_page_of_the_platform(browser: httpx.Client, target: str) -> None:
    assert go(browser, "s-1", target=target).headers["location"] == "/"


@pytest.mark.parametrize("cookie", ["x", "W10", "WzEsMiwzLDRd", "%00", "A" * 3000])
def test_cookie_that_makes_no_sense_is_refused(browser: httpx.Client, cookie: str) -> None:
    headers = {"cookie": f"hypervision_provider={cookie}"}
    answer = browser.get("/login/callback?state=x&code=y", headers=headers)
    assert (answer.status_code, "refused=provider_forged" in answer.headers["location"]) == (303, True)


def test_password_still_lets_in_while_the_provider_is_away(settings: Settings) -> None:
    gone = settings.oidc.model_copy(update={"issuer": "http://127.0.0.1:9"})
    with connect(url_of(settings), application="test") as connection:
        now = datetime.now(UTC)
        administration.add_account(connection, name="spare", password=PASSWORD, role=Role.ADMINISTRATOR, now=now)
    with (
        served(settings.model_copy(update={"oidc": gone}), ready=LIVE) as base,
        httpx.Client(base_url=base, timeout=20) as client,
    ):
        sent = client.get("/login/provider", params={"next": "/map"})
        assert sent.headers["location"] == "/login?next=%2Fmap&refused=provider_away"
        assert "The provider does not answer." in client.get(sent.headers["location"]).text
        assert client.post("/api/v1/login", json={"user": "spare", "password": PASSWORD}).status_code == 200
