"""Accounts administered over HTTP: each refusal names its field, nobody raises himself, of two one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from hypervision.accounts import Role
from tests.browser.fake_town import PASSWORD, Town, running

pytestmark = pytest.mark.integration
PATH = "/api/v1/accounts"
NEW = {"name": "nina", "password": PASSWORD, "role": "operator"}


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        made.add_account("second", Role.ADMINISTRATOR)
        made.add_account("local", Role.ADMINISTRATOR, organisation="agency")
        yield made


@pytest.fixture(scope="module")
def administrator(town: Town) -> Iterator[httpx.Client]:
    with town.session("administrator") as client:
        yield client


def account(client: httpx.Client, name: str) -> dict[str, object]:
    answer = client.get(f"{PATH}/{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_account_is_made_changed_disabled_and_logged_out(
    town: Town, administrator: httpx.Client, wait_until: Callable[..., None]
) -> None:
    made = administrator.post(PATH, json={**NEW, "domains": ["water"], "districts": ["Nord"], "language": "en"})
    assert (made.status_code, made.json()) == (201, {"name": "nina"})
    found = account(administrator, "nina")
    assert (found["role"], found["domains"], found["districts"], found["organisation"]) == (
        "operator", ["water"], ["Nord"], None,
    )  # fmt: skip
    assert not any("password" in key or "hash" in key for key in found)
    with town.session("nina") as client:
        assert client.get("/api/v1/things").json()["count"] == 12
        change = {"version": found["version"], "domains": None}
        changed = administrator.patch(f"{PATH}/nina", json=change)
        assert (changed.status_code, changed.json()["changed_by"]) == (200, "administrator")
        # What is left out stays as it is.
        assert changed.json()["districts"] == ["Nord"]
        wait_until(lambda: client.get("/api/v1/things").json()["count"] == 48, tell=town.tail)
        # With another role everybody logs in anew.
        change = {"version": changed.json()["version"], "role": "viewer"}
        assert administrator.patch(f"{PATH}/nina", json=change).status_code == 200
        wait_until(lambda: client.get("/api/v1/things").status_code == 401, tell=town.tail)
    with town.session("nina") as client:
        assert client.post("/api/v1/alarms/1/acknowledge", json={}).status_code == 403
        assert administrator.post(f"{PATH}/nina/log-out", json={}).status_code == 204
        wait_until(lambda: client.get("/api/v1/things").status_code == 401, tell=town.tail)
    with town.session("nina") as client:
        given = {"password": "four other words here"}
        assert administrator.post(f"{PATH}/nina/password", json=given).status_code == 204
        wait_until(lambda: client.get("/api/v1/things").status_code == 401, tell=town.tail)
        assert client.post("/api/v1/login", json={"user": "nina", "password": PASSWORD}).status_code == 401
        assert client.post("/api/v1/login", json={"user": "nina", **given}).status_code == 200
        version = account(administrator, "nina")["version"]
        out = administrator.patch(f"{PATH}/nina", json={"version": version, "disabled": True})
        assert (out.json()["disabled"], out.json()["sessions"]) == (True, 0)
        wait_until(lambda: client.get("/api/v1/things").status_code == 401, tell=town.tail)
        assert client.post("/api/v1/login", json={"user": "nina", **given}).status_code == 401
    assert administrator.patch(f"{PATH}/nina", json={"version": version + 1, "disabled": False}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "viewer"}, "name"),
        ({"name": "VIEWER"}, "name"),
        ({"name": "<b>"}, "name"),
        ({"name": ""}, "name"),
        ({"password": "short"}, "password"),
        ({"role": "king"}, "role"),
        ({"organisation": "gaz"}, "organisation"),
        ({"domains": ["gas"]}, "domains"),
        ({"domains": []}, "domains"),
        ({"districts": ["Lune"]}, "districts"),
        ({"districts": ["\u0000"]}, "districts"),
        ({"language": "de"}, "language"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_word_of_a_new_account_is_refused_by_its_name(
    administrator: httpx.Client, body: dict[str, object], field: str
) -> None:
    answer = administrator.post(PATH, json={**NEW, "name": "otto", **body})
    told = answer.json()
    assert answer.status_code == 422, told
    assert field == (told["field"] if "field" in told else told["detail"][0]["loc"][1])
    assert administrator.get(f"{PATH}/otto").status_code == 404
    assert PASSWORD not in answer.text


def test_of_two_administrators_at_once_the_second_is_told_of_the_first(town: Town, administrator: httpx.Client) -> None:
    with town.session("second") as second:
        seen = [account(client, "viewer")["version"] for client in (administrator, second)]
        first = administrator.patch(f"{PATH}/viewer", json={"version": seen[0], "language": "en"})
        assert first.status_code == 200
        late = second.patch(f"{PATH}/viewer", json={"version": seen[1], "role": "engineer"})
        assert (late.status_code, late.json()["by"], late.json()["reason"]) == (
            409,
            "administrator",
            "changed_meanwhile",
        )
        assert account(second, "viewer")["role"] == "viewer"


@pytest.mark.parametrize(
    "change", [{"role": "viewer"}, {"organisation": "town"}, {"domains": ["water"]}, {"disabled": True}]
)
def test_nobody_changes_his_own_role_scope_or_state(administrator: httpx.Client, change: dict[str, object]) -> None:
    version = account(administrator, "administrator")["version"]
    answer = administrator.patch(f"{PATH}/administrator", json={"version": version, **change})
    assert (answer.status_code, answer.json()["reason"]) == (422, "own_account")
    assert account(administrator, "administrator")["version"] == version


def test_administrator_of_a_part_and_everybody_else_raise_nobody(town: Town) -> None:
    for user in ("local", "engineer", "operator", "viewer", "auditor", "agency"):
        with town.session(user) as client:
            reads = user == "auditor"
            assert client.get(PATH).status_code == (200 if reads else 403), user
            assert client.get("/administration").status_code == (200 if reads else 403), user
            asked = [
                client.post(PATH, json={**NEW, "name": f"by-{user}", "role": "administrator"}),
                client.patch(f"{PATH}/{user}", json={"version": 1, "role": "administrator", "organisation": None}),
                client.post(f"{PATH}/administrator/password", json={"password": PASSWORD}),
                client.post(f"{PATH}/administrator/log-out", json={}),
            ]
            assert {answer.status_code for answer in asked} == {403}, user


def test_administrator_who_is_left_alone_stays_one(
    town: Town, administrator: httpx.Client, wait_until: Callable[..., None]
) -> None:
    with town.session("second") as second:
        other = account(second, "administrator")
        demoted = second.patch(f"{PATH}/administrator", json={"version": other["version"], "role": "engineer"})
        assert demoted.status_code == 200
        assert demoted.json()["role"] == "engineer"
        wait_until(lambda: administrator.get(PATH).status_code == 401, tell=town.tail)
        own = account(second, "second")
        gone = second.patch(f"{PATH}/second", json={"version": own["version"], "disabled": True})
        assert (gone.status_code, gone.json()["reason"]) == (422, "own_account")
        back = {"version": demoted.json()["version"], "role": "administrator"}
        assert second.patch(f"{PATH}/administrator", json=back).status_code == 200
    again = {"user": "administrator", "password": PASSWORD}
    assert administrator.post("/api/v1/login", json=again).status_code == 200


def test_unknown_account_is_404_and_scopes_name_what_there_is(administrator: httpx.Client) -> None:
    for method, path, body in (
        ("GET", "/ghost", None), ("PATCH", "/ghost", {"version": 1}), ("POST", "/ghost/log-out", {}),
        ("POST", "/ghost/password", {"password": PASSWORD}),
    ):  # fmt: skip
        more = {} if body is None else {"json": body}
        assert administrator.request(method, PATH + path, **more).status_code == 404, path  # type: ignore[arg-type]
    told = administrator.get("/api/v1/scopes").json()
    assert told["districts"] == ["Nord", "Sud"]
    assert {each["code"] for each in told["organisations"]} == {"agency", "town"}
    assert "water" in told["domains"]
