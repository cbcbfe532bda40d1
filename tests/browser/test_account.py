"""My account, log-ins that end in the middle of something, and the second factor, in a real browser."""

from __future__ import annotations

import base64
import time

import psycopg
import pytest
from playwright.sync_api import expect

from hypervision import totp
from hypervision.accounts import Role
from hypervision.store.connection import url_of
from tests.browser.axe import violations, violations_in_both_themes
from tests.browser.conftest import Screen
from tests.browser.fake_town import PASSWORD, Town
from tests.browser.steps import Open, clear, ring, states


def code_of(secret: str, *, ahead: int = 0) -> str:
    return totp.code_at(base64.b32decode(secret.replace(" ", "")), int(time.time() // totp.STEP) + ahead)


def end_sessions(town: Town, user: str) -> None:
    """What an expiry does, or an administrator."""
    with psycopg.connect(url_of(town.settings), autocommit=True) as connection:
        connection.execute(
            "DELETE FROM hv.session WHERE account_id = (SELECT account_id FROM hv.account WHERE name = %s)", (user,)
        )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_page_of_ones_own_account_is_accessible_in_either_theme(open_screen: Open, town: Town, language: str) -> None:
    screen = open_screen("engineer", language=language)
    screen.page.click(".who")
    expect(screen.page).to_have_url(f"{town.base}/account")
    expect(screen.page.locator("#sessions tr").first).to_be_visible()
    expect(screen.page.locator("h1")).to_have_text("Mon compte" if language == "fr" else "My account")
    found = violations_in_both_themes(screen, "[data-switch=theme]")
    for theme in ("light", "dark"):
        screen.choose(theme=theme)
        screen.page.goto(f"{town.base}/welcome#token")
        screen.page.reload()
        found += violations(screen)
    assert found == []


def test_second_factor_is_set_up_by_keyboard_and_asked_for_at_the_next_log_in(open_screen: Open, town: Town) -> None:
    town.add_account("nina", Role.OPERATOR)
    screen: Screen = open_screen("nina", language="en")
    page = screen.page
    page.goto(f"{town.base}/account")
    # The form is there once the server has said that no factor is set up.
    expect(page.locator("#factor-password")).to_be_visible()
    page.focus("#factor-password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#factor-picture")).to_be_visible()
    assert page.evaluate("document.getElementById('factor-picture').naturalWidth") > 100
    secret = page.locator("#factor-key").inner_text()
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    expect(page.locator("#codes-list li")).to_have_count(totp.RECOVERY_CODES)
    recovery = page.locator("#codes-list li").first.inner_text()
    page.click("#log-out")
    expect(page).to_have_url(f"{town.base}/login")
    page.fill("#user", "nina")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_have_text("The code is wrong, or was used before.")
    page.fill("#code", recovery)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    screen.ready()


def test_token_is_made_shown_once_and_revoked(open_screen: Open, town: Town) -> None:
    screen: Screen = open_screen("operator", language="en")
    page = screen.page
    page.goto(f"{town.base}/account")
    expect(page.locator("[data-scope=read]")).to_be_visible()
    # What the owner may not do is not offered.
    expect(page.locator("[data-scope=write]")).to_be_hidden()
    page.fill("#token-name", "<img src=x onerror=alert(1)>")
    page.click("#token-form button")
    expect(page.locator("#said")).to_have_text("Choose what the token may do.")
    page.check("input[value=read]")
    page.click("#token-form button")
    expect(page.locator("#token-text")).to_contain_text("hvpat_")
    expect(page.locator("#tokens td").first).to_have_text("<img src=x onerror=alert(1)>")
    page.reload()
    expect(page.locator("#tokens td").first).to_be_visible()
    expect(page.locator("#token-text")).to_be_hidden()
    page.click("#tokens button")
    page.click("#sure-yes")
    expect(page.locator("#tokens")).to_contain_text("You have no token.")


def test_log_in_that_ends_in_the_middle_of_an_acknowledgement_loses_nothing_typed(
    open_screen: Open, town: Town
) -> None:
    clear(town)
    ring(town)
    screen: Screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    page.locator(".line").first.click()
    page.fill("#alarms-comment", "valve 12 is being closed")
    # A server goes on with a session that it saw for up to ten seconds.
    end_sessions(town, "operator")
    expect(page.locator("#again-password")).to_be_focused()
    assert violations(screen, live=False) == []
    page.keyboard.press("Escape")
    expect(page.locator("#again")).to_be_visible()
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    expect(page.locator("#again .again-error")).to_have_text("User or password is wrong.")
    expect(page.locator("#alarms-comment")).to_have_value("valve 12 is being closed")
    page.fill("#again-password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#again")).to_have_count(0)
    expect(page).to_have_url(f"{town.base}/alarms")
    expect(page.locator("#alarms-comment")).to_have_value("valve 12 is being closed")
    page.click("[data-acknowledge-selected]")
    deadline = time.monotonic() + 20
    while "UNACK" in states(town, "waste-007"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with town.client("viewer") as client:
        (row,) = client.get("/api/v1/alarms", params={"open": "true", "thing": "waste-007"}).json()["rows"]
        steps = client.get(f"/api/v1/alarms/{row['id']}/transitions").json()["rows"]
    assert "valve 12 is being closed" in {step["comment"] for step in steps}
    expect(page.locator("html[data-feed=live]")).to_have_count(1)


def test_log_in_made_in_another_tab_lets_the_screen_go_on(open_screen: Open, town: Town) -> None:
    screen: Screen = open_screen("viewer", language="en")
    end_sessions(town, "viewer")
    expect(screen.page.locator("#again")).to_be_visible()
    other = screen.context.new_page()
    other.goto(f"{town.base}/login")
    other.fill("#user", "viewer")
    other.fill("#password", PASSWORD)
    other.press("#password", "Enter")
    other.wait_for_url(lambda url: "/login" not in url)
    expect(screen.page.locator("#again")).to_have_count(0)
    expect(screen.page.locator("html[data-feed=live]")).to_have_count(1)
