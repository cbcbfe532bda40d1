"""What the server tells while its database refuses or hangs, and who is logged in meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import httpx
import pytest
from websockets.sync.client import connect

from dashboards import serving
from dashboards.live import LiveReader
from dashboards.writing import HttpWriter
from hypervision.accounts import token_hash
from hypervision.store.connection import connect as database
from hypervision.store.connection import url_of
from tests.browser.fake_town import PASSWORD, Town, running
from tests.integration.served import Between, served

pytestmark = pytest.mark.integration

COOKIE = "hypervision_session"


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture
def between(town: Town) -> Iterator[Between]:
    made = Between(town.settings)
    yield made
    made.close()


def _log_in(base: str, user: str = "operator") -> str:
    answer = httpx.post(f"{base}/api/v1/login", json={"user": user, "password": PASSWORD}, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.cookies[COOKIE]


def _stands(town: Town, token: str) -> bool:
    with database(url_of(town.settings), application="test", autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM hv.session WHERE token_hash = %s", (token_hash(token),))
        return found.fetchone() is not None


def test_database_that_hangs_is_one_steady_cause_within_five_seconds(
    town: Town, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `assets/20-live.js` judges: silence over three seconds is a lost link, else the feed says what is wrong."""
    # A session is asked for again in each round, as it is after a while.
    monkeypatch.setattr("dashboards.sessions._RECHECK", 0.5)
    with served(between.settings) as base:
        cookie = _log_in(base)
        causes: list[tuple[float, str]] = []
        with connect(
            base.replace("http", "ws") + "/live", additional_headers={"Cookie": f"{COOKIE}={cookie}"}, origin=base
        ) as socket:
            socket.send(json.dumps({"page": "/", "language": "en", "after": 0}))
            assert json.loads(socket.recv(timeout=5))["feed"]["state"] == "live"
            hung = last = time.monotonic()
            between.hang()
            while time.monotonic() - hung < 16:
                state = json.loads(socket.recv(timeout=5))["feed"]["state"]
                now = time.monotonic()
                if now - last > 3.0:
                    causes.append((last + 3.0 - hung, "link"))
                causes.append((now - hung, state))
                last = now
            polled = httpx.get(
                f"{base}/api/v1/live", params={"page": "/", "after": 0}, cookies={COOKIE: cookie}, timeout=3
            )
            assert polled.json()["feed"]["state"] == "database"
            assert "alert" in httpx.get(f"{base}/login", timeout=3).text
            health = httpx.get(f"{base}/api/health", cookies={COOKIE: cookie}, timeout=3)
            assert (health.status_code, health.json()["failing"]) == (503, ["database"])
            between.go_on()
            deadline = time.monotonic() + 20
            while json.loads(socket.recv(timeout=5))["feed"]["state"] != "live":
                assert time.monotonic() < deadline
    assert {state for _at, state in causes} == {"live", "database"}
    assert {state for at, state in causes if at > 5.0} == {"database"}
    assert max(at for at, state in causes if state == "live") < 5.0


def test_server_ends_when_nobody_looks_at_the_database_any_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who supervises it begins it anew; the screens of one that stayed would stand still for ever."""

    def broken(_reader: LiveReader, _listener: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LiveReader, "look", broken)
    # The place of this writer is taken by the town's own server.
    monkeypatch.setattr(HttpWriter, "_run", lambda _writer: None)
    http = town.settings.http.model_copy(update={"port": 0})
    ended: Future[int] = Future()

    def run() -> None:
        try:
            ended.set_result(serving.run(town.settings.model_copy(update={"http": http})))
        except BaseException as error:  # noqa: BLE001  (the test raises it)
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    with pytest.raises(ZeroDivisionError):
        ended.result(timeout=30)


def test_log_in_and_query_do_not_wait_for_ever_for_a_database_that_hangs(
    between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.log_in._PATIENCE", 1.0)
    monkeypatch.setattr("dashboards.server.PATIENCE", 1.0)
    with served(between.settings) as base:
        cookie = _log_in(base)
        # Known to the process from here on.
        assert httpx.get(f"{base}/api/v1/things", cookies={COOKIE: cookie}).status_code == 200
        between.hang()
        for _ in range(3):
            answer = httpx.post(f"{base}/api/v1/login", json={"user": "viewer", "password": PASSWORD}, timeout=5)
            assert answer.status_code == 503, answer.text
            assert "the database does not answer" in answer.json()["detail"]
            answer = httpx.get(f"{base}/api/v1/things", cookies={COOKIE: cookie}, timeout=5)
            assert answer.status_code == 503, answer.text
        between.go_on()
        _log_in(base, "viewer")


def test_log_out_while_the_database_hangs_is_told_to_it_later(
    town: Town, between: Between, wait_until: Callable[..., None]
) -> None:
    with served(between.settings) as base:
        cookie = _log_in(base)
        assert httpx.get(f"{base}/api/v1/things", cookies={COOKIE: cookie}).status_code == 200
        between.hang()
        answer = httpx.post(f"{base}/api/v1/logout", json={}, cookies={COOKIE: cookie}, timeout=6)
        assert answer.status_code == 202
        between.go_on()
        wait_until(lambda: not _stands(town, cookie))


def test_log_out_while_the_database_is_dead_deletes_the_cookie_and_ends_the_session_when_it_is_back(
    town: Town, wait_until: Callable[..., None]
) -> None:
    cookie = _log_in(town.base)
    assert httpx.get(f"{town.base}/api/v1/things", cookies={COOKIE: cookie}).status_code == 200
    with town.dead_database():
        answer = httpx.post(f"{town.base}/api/v1/logout", json={}, cookies={COOKIE: cookie}, timeout=10)
        assert answer.status_code == 202
        assert "as soon as" in answer.json()["detail"]
        forgotten = answer.headers["set-cookie"]
        assert forgotten.startswith(f'{COOKIE}="";')
        assert "Max-Age=0" in forgotten
        # Also by who kept the cookie, and of an account that was seen a moment ago.
        for path in ("/api/v1/things", "/api/v1/live?page=/&after=0"):
            assert httpx.get(town.base + path, cookies={COOKIE: cookie}).status_code == 401
        # A session that this process never saw: nobody can say whose it is, and it is ended all the same.
        unseen = httpx.post(f"{town.base}/api/v1/logout", json={}, cookies={COOKIE: "never-seen"}, timeout=10)
        assert unseen.status_code == 202
        assert "Max-Age=0" in unseen.headers["set-cookie"]
    wait_until(lambda: not _stands(town, cookie), tell=town.tail)
    assert httpx.get(f"{town.base}/api/v1/things", cookies={COOKIE: cookie}).status_code == 401


def test_log_out_while_the_database_answers_is_done_when_it_is_said(town: Town) -> None:
    cookie = _log_in(town.base)
    assert _stands(town, cookie)
    answer = httpx.post(f"{town.base}/api/v1/logout", json={}, cookies={COOKIE: cookie})
    assert answer.status_code == 204
    assert not _stands(town, cookie)
    assert httpx.post(f"{town.base}/api/v1/logout", json={}).status_code == 401
