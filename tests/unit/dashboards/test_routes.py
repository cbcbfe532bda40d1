from __future__ import annotations

import pytest

from dashboards.log_in import target_of
from dashboards.push import Asked, view_asked
from dashboards.routes import action_of, action_of_callback, action_of_page, is_page, page_of
from hypervision.accounts import Action

LONGEST = "a" + ":" * 63


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/", "/"),
        ("/asset/dev:eui:01", "/asset/dev:eui:01"),
        ("/asset/dev%3Aeui%3A01", "/asset/dev:eui:01"),
        ("/asset/dev%3aeui", "/asset/dev:eui"),
        (f"/asset/{LONGEST.replace(':', '%3A')}", f"/asset/{LONGEST}"),
        # Encoded twice, or no code at all.
        ("/asset/dev%253Aeui", None),
        ("/asset/..%2F..%2Fetc", None),
        ("/asset/a%2Fb", None),
        ("/asset/a%00", None),
        ("/asset/%FF%FE", None),
        ("/asset/a%0A", None),
        ("/asset/%3Aa", None),
        (f"/asset/{LONGEST}:", None),
        ("/asset/é", None),
        ("/api/docs", None),
        ("//evil.example", None),
        ("", None),
    ],
)
def test_page_of_an_address_is_decoded_once_and_holds_a_code_of_the_contract(address: str, page: str | None) -> None:
    assert page_of(address) == page


def test_screen_asks_by_its_address_and_is_told_for_it() -> None:
    address = f"/asset/{LONGEST.replace(':', '%3A')}"
    assert view_asked({"page": address, "language": "fr", "after": 3}) == Asked(address, f"/asset/{LONGEST}", "fr", 3)
    for page in ("/api/docs", "/etc", "/asset/a%253A", address + "%3A", None, 7):
        assert view_asked({"page": page, "language": "fr", "after": 3}) is None


def test_log_in_leads_to_the_page_that_was_asked_for_and_nowhere_else() -> None:
    assert target_of("/asset/dev%3Aeui") == "/asset/dev:eui"
    assert target_of("/api/docs") == "/api/docs"
    assert target_of("/trends?s=a/water/flow&from=x%20y") == "/trends?s=a/water/flow&from=x%20y"
    for target in ("//evil.example?/alarms", "/login?next=/alarms", "?x", "/\\evil?y"):
        assert target_of(target) == "/"
    for target in ("//evil.example", "/%2Fevil.example", "https://evil.example", "/api/v1/things", "/login"):
        assert target_of(target) == "/"


def test_every_way_to_a_page_needs_the_action_of_the_page() -> None:
    for page, action in (("/health", Action.SEE_SYSTEM), ("/", Action.SEE_SCREENS), ("/asset/w1", Action.SEE_SCREENS)):
        at = [{"id": "url", "property": "pathname", "value": page}, {"id": "frame", "property": "children"}]
        assert action_of_page(page) is action
        assert action_of("GET", page) is action_of("HEAD", page) is action
        assert action_of_callback({"output": "page.children", "inputs": at}) is action
        assert is_page(page)


def test_callback_of_a_page_that_does_not_exist_is_a_screen_and_another_callback_is_nothing() -> None:
    for value in ("/nowhere", None, 7, ["/health"]):
        at = [{"id": "url", "property": "pathname", "value": value}]
        assert action_of_callback({"output": "page.children", "inputs": at}) is Action.SEE_SCREENS
    encoded = [{"id": "url", "property": "pathname", "value": "/%68ealth"}]
    assert action_of_callback({"output": "page.children", "inputs": encoded}) is Action.SEE_SYSTEM
    for output in ("nothing.children", None, ["page.children"]):
        assert action_of_callback({"output": output}) is None
