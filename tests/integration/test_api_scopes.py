"""What accounts of a part of the town are told by every route, callback and socket, against a predicate of its own."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pyarrow import parquet
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hypervision.accounts import Role
from tests.browser.fake_town import Town, running, things
from tests.integration.served import call

pytestmark = pytest.mark.integration

EVERY = {t.code: t for t in things()}
SCOPES: dict[str, dict[str, object]] = {
    "of-agency": {"organisation": "agency"},
    "of-water": {"domains": ["water"]},
    "of-south": {"districts": ["Sud"], "domains": ["waste", "parking"]},
    "of-town": {"organisation": "town", "districts": ["Nord"]},
    "of-nothing": {"organisation": "agency", "districts": ["Nord"]},
}
LISTS = ("things", "datastreams", "observations", "observations/hourly", "observations/daily", "gaps", "alarms",
         "corrections", "rejected", "rejected/counts")  # fmt: skip
PAGES = ("/", "/alarms", "/map", "/health", "/rejected")


def holds(name: str, code: str) -> bool:
    """The predicate once more, from the words of the test."""
    words, thing = SCOPES[name], EVERY[code]
    return (
        words.get("organisation", thing.organisation) == thing.organisation
        and thing.domain in words.get("domains", [thing.domain])  # type: ignore[operator]
        and thing.district in words.get("districts", [thing.district])  # type: ignore[operator]
    )


@dataclass
class Seen:
    """A client with its account, and what it may know."""

    name: str
    client: httpx.Client

    @property
    def own(self) -> set[str]:
        return {code for code in EVERY if holds(self.name, code)}

    def strangers_in(self, text: str) -> list[str]:
        return sorted(set(re.findall(r"(?:water|lighting|parking|waste)-\d{3}|district-north", text)) - self.own)


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        for name, words in SCOPES.items():
            made.add_account(name, Role.ENGINEER, **words)
        hot = {("waste", code, "temperature"): 90.0 for code in ("waste-003", "waste-004", "waste-024")}
        made.collector.read(
            {**hot, ("water", "water-004", "pump_state"): 2.0, ("water", "water-005", "pump_state"): 2.0}
        )
        for code, thing in EVERY.items():
            made.collector.refuse((f"urban/v1/{thing.domain}/{code}/up", b"{", "malformed"))
        made.collector.refuse(("urban/v1/water/stranger/up", b"{", "malformed"), ("elsewhere", b"{", "bad_topic"))
        yield made


@pytest.fixture(scope="module")
def everybody(town: Town) -> Iterator[list[Seen]]:
    with ExitStack() as stack:
        yield [Seen(name, stack.enter_context(town.session(name))) for name in SCOPES]


def test_lists_and_exports_hold_the_things_of_the_scope(everybody: list[Seen]) -> None:
    since = {"from": (datetime.now(UTC) - timedelta(hours=3)).isoformat(), "limit": 10_000}
    for seen in everybody:
        listed = {row["code"] for row in seen.client.get("/api/v1/things").json()["rows"]}
        assert listed == seen.own
        read = {code for code in seen.own if EVERY[code].kind == "sensor"}
        for path in ("datastreams", "observations"):
            rows = seen.client.get(f"/api/v1/{path}", params=since).json()["rows"]
            assert {row["thing"] for row in rows} == read, (seen.name, path)
        rows = seen.client.get("/api/v1/rejected", params={"limit": 1000}).json()["rows"]
        assert {row["thing"] for row in rows} == seen.own
        counts = seen.client.get("/api/v1/rejected/counts", params={"top": 1000}).json()
        assert {each["thing"] for each in counts["things"]} == seen.own
        assert sum(each["rows"] for each in counts["reasons"]) == len(rows) == counts["replayable"]["messages"]
        assert counts["replayable"]["newest"] == max((row["id"] for row in rows), default=0)
        for path in LISTS:
            answer = seen.client.get(f"/api/v1/{path}", params={"limit": 1000})
            assert answer.status_code == 200
            assert seen.strangers_in(answer.text) == [], (seen.name, path)
        as_csv = seen.client.get("/api/v1/things", params={"format": "csv"}).text
        as_parquet = parquet.read_table(
            io.BytesIO(seen.client.get("/api/v1/things", params={"format": "parquet"}).content)
        )
        assert {line.split(",")[0] for line in as_csv.splitlines()[1:]} == listed
        assert set(as_parquet.column("code").to_pylist()) == listed
        assert "messages" not in seen.client.get("/api/health").json()
        assert seen.client.get("/metrics").status_code == 403


def test_pages_callbacks_and_sockets_show_nothing_outside_of_the_scope(
    town: Town, everybody: list[Seen], wait_until: Callable[..., None]
) -> None:
    for seen in everybody:
        # Its own lists are there from the look after the first.
        wait_until(lambda seen=seen: not seen.own or "malformed" in _poll(seen.client, "/health").text, tell=town.tail)
        foreign = min(set(EVERY) - seen.own)
        for page in (*PAGES, f"/asset/{foreign}"):
            told = _poll(seen.client, page)
            assert told.status_code == 200
            assert seen.strangers_in(told.text.replace(f'"{page}"', "")) == [], (seen.name, page)
            answer = seen.client.post("/_dash-update-component", json=_page(page))
            assert answer.status_code == 200
            named = answer.text.replace(f'"{page}"', "").replace(foreign, "" if foreign in page else foreign)
            assert seen.strangers_in(named) == [], (seen.name, page)
            cookie = {"Cookie": f"hypervision_session={seen.client.cookies['hypervision_session']}"}
            with connect(
                town.base.replace("http", "ws") + "/live", additional_headers=cookie, origin=town.base
            ) as socket:
                socket.send(json.dumps({"page": page, "language": "en", "after": 0}))
                pushed = json.loads(socket.recv(timeout=10))
            assert pushed["full"]
            assert seen.strangers_in(json.dumps({**pushed, "page": ""})) == [], (seen.name, page)
        rows = _poll(seen.client, "/alarms").json()["rows"]
        assert {row["code"] for row in rows} == seen.own & {
            "waste-003",
            "waste-004",
            "waste-024",
            "water-004",
            "water-005",
        }
        places = _poll(seen.client, "/map").json()["set"].get("map-places", {"data": []})["data"]
        assert {place[0] for place in places} == {code for code in seen.own if EVERY[code].longitude is not None}
        found = seen.client.post(
            "/_dash-update-component", json=_callback("rejected-set.children", "?span=all&state=all")
        )
        assert found.status_code == 200
        assert seen.strangers_in(found.text) == []
        assert "stranger" not in found.text


def _poll(client: httpx.Client, page: str) -> httpx.Response:
    return client.get("/api/v1/live", params={"page": page, "after": 0, "language": "en"})


def _page(page: str) -> dict[str, object]:
    at = [{"id": "url", "property": "pathname", "value": page}, {"id": "frame", "property": "children"}]
    return call("page.children", at, state=[{"id": "url", "property": "search", "value": ""}])


def _callback(output: str, search: str) -> dict[str, object]:
    given = [
        {"id": "url", "property": "search", "value": search},
        {"id": "rejected-refresh", "property": "data", "value": 0},
    ]
    return call(output, given)


def _trends(code: str) -> dict[str, object]:
    given = [("asset-range", "value", "day"), ("asset-tick", "data", ""), ("theme", "data", "dark")]
    return call(
        "asset-trends.children",
        [{"id": i, "property": p, "value": v} for i, p, v in given],
        state=[{"id": "asset-code", "property": "data", "value": code}],
    )


def test_what_is_outside_of_the_scope_is_answered_as_what_is_not_there(town: Town, everybody: list[Seen]) -> None:
    """By every way that names a Thing, an alarm, a message or a correction; and nothing is changed."""
    nowhere, never = "never-there", 999_999_999
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    with town.session("engineer") as engineer:
        alarms = engineer.get("/api/v1/alarms").json()["rows"]
        messages = engineer.get("/api/v1/rejected", params={"limit": 1000}).json()["rows"]
        readings = engineer.get("/api/v1/datastreams").json()["rows"]
        for seen in everybody:
            foreign = min(set(EVERY) - seen.own)
            alarm = next(row["id"] for row in alarms if row["thing"] not in seen.own)
            message = next(row["id"] for row in messages if row["thing"] not in seen.own)

            def ask(method: str, path: str, seen: Seen = seen, **more: object) -> tuple[int, str]:
                answer = seen.client.request(method, path, **more)  # type: ignore[arg-type]
                text = answer.text
                for word in (foreign, nowhere, str(alarm), str(message), str(never)):  # noqa: B023
                    text = re.sub(rf"\b{re.escape(word)}\b", "X", text)
                return answer.status_code, text

            for path in LISTS:
                of = [ask("GET", f"/api/v1/{path}", params={"thing": code}) for code in (foreign, nowhere)]
                if path != "gaps":
                    assert of[0] == of[1], (seen.name, path)
            for path in ("", "/transitions"):
                assert ask("GET", f"/api/v1/alarms/{alarm}{path}") == ask("GET", f"/api/v1/alarms/{never}{path}")
            acknowledged = [ask("POST", f"/api/v1/alarms/{i}/acknowledge", json={}) for i in (alarm, never)]
            assert acknowledged[0] == acknowledged[1]
            assert acknowledged[0][0] == 404
            assert ask("GET", f"/api/v1/rejected/{message}") == ask("GET", f"/api/v1/rejected/{never}")
            assert ask("GET", "/api/v1/rejected", params={"before": message}) == ask(
                "GET", "/api/v1/rejected", params={"before": never}
            )
            written = [
                ask(
                    "POST",
                    "/api/v1/observations",
                    params={"domain": "water", "thing": code},
                    json={"seq": 1, "flow": 1},
                )
                for code in (foreign, nowhere)
            ]
            assert written[0] == written[1]
            assert written[0][0] == 404
            order = {"kind": "invalidate", "property": "pressure", "reason": "x", **span}
            corrected = [ask("POST", "/api/v1/corrections", json={**order, "thing": c}) for c in (foreign, nowhere)]
            assert corrected[0] == corrected[1]
            assert corrected[0][0] == 404
            resent = [
                ask("POST", "/api/v1/rejected/replay", json={"newest": never, "ids": [i]}) for i in (message, never)
            ]
            assert resent[0] == resent[1]
            drawn = [ask("POST", "/_dash-update-component", json=_trends(code)) for code in (foreign, nowhere)]
            assert drawn[0] == drawn[1]
            pages = [_poll(seen.client, f"/asset/{code}").json()["set"] for code in (foreign, nowhere)]
            assert pages[0].keys() == pages[1].keys()
            assert not [key for key in pages[0] if key.startswith("asset-")]
        after = engineer.get("/api/v1/alarms").json()["rows"]
        assert {row["id"]: row["state"] for row in after} == {row["id"]: row["state"] for row in alarms}
        assert len(engineer.get("/api/v1/datastreams").json()["rows"]) == len(readings)


def _read_on(socket: ClientConnection) -> None:
    """Read until the socket is closed, for a while."""
    for _ in range(30):
        socket.recv(timeout=10)


def test_scope_that_is_taken_away_ends_on_an_open_screen(town: Town, wait_until: Callable[..., None]) -> None:
    town.add_account("mover", Role.OPERATOR, organisation="town")
    with town.session("mover") as client, town.session("administrator") as administrator, ExitStack() as stack:
        seen = {row["code"] for row in client.get("/api/v1/things").json()["rows"]}
        assert "water-001" in seen
        cookie = {"Cookie": f"hypervision_session={client.cookies['hypervision_session']}"}
        address = town.base.replace("http", "ws") + "/live"
        socket = stack.enter_context(connect(address, additional_headers=cookie, origin=town.base))
        socket.send(json.dumps({"page": "/map", "language": "en", "after": 0}))
        assert "water-001" in str(socket.recv(timeout=10))
        account = administrator.get("/api/v1/accounts/mover").json()
        changed = administrator.patch(
            "/api/v1/accounts/mover", json={"version": account["version"], "organisation": "agency"}
        )
        assert changed.status_code == 200
        wait_until(
            lambda: {row["code"] for row in client.get("/api/v1/things").json()["rows"]} == {
                code for code in EVERY if holds("of-agency", code)
            },
            tell=town.tail,
        )  # fmt: skip
        wait_until(lambda: "water-001" not in _poll(client, "/map").text, tell=town.tail)
        # The log-in still stands, and leads back to the page as it is now.
        with pytest.raises(ConnectionClosed) as closed:
            _read_on(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert client.get("/login?next=/map").headers["location"] == "/map"
