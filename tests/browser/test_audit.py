"""The page of the audit log in a real browser: found by the keyboard, filtered, proved, and a forged line named."""

from __future__ import annotations

from playwright.sync_api import expect

from hypervision.store.connection import connect, url_of
from tests.browser.fake_town import Town
from tests.browser.steps import Open, clear, ring


def test_administrator_finds_who_acknowledged_and_proves_the_log(open_screen: Open, town: Town) -> None:
    ring(town)
    clear(town)
    screen = open_screen("administrator", language="en")
    page = screen.page
    page.locator(".rail a[href='/audit']").focus()
    page.keyboard.press("Enter")
    screen.ready("/audit")
    page.evaluate("window.kept = true")
    page.locator(".choices a", has_text="Alarm acknowledged").focus()
    page.keyboard.press("Enter")
    rows = page.locator("#audit-set .table tbody tr")
    expect(rows.first).to_contain_text("→ ")
    expect(rows.first).to_contain_text("127.0.0.1")
    assert "action=alarm.acknowledge" in page.url
    page.fill("#audit-actor", "nobody-of-this-name")
    page.press("#audit-actor", "Enter")
    expect(page.locator("#audit-set .empty")).to_contain_text("No such line.")
    page.locator("#audit-verify button").focus()
    page.keyboard.press("Enter")
    said = page.locator("#audit-said")
    expect(said).to_contain_text("Whole: ", timeout=15_000)
    head = said.locator("p").last.inner_text().split(": ", 1)[1]
    page.fill("#audit-head", head)
    page.press("#audit-head", "Enter")
    expect(said).to_contain_text("Whole: ", timeout=15_000)
    page.fill("#audit-head", "no head")
    page.press("#audit-head", "Enter")
    expect(said).to_contain_text("no head of an audit log", timeout=15_000)
    forge(town, "another")
    page.fill("#audit-head", "")
    page.press("#audit-head", "Enter")
    expect(said).to_contain_text("Line 3 is broken: its content is not what was written.", timeout=15_000)
    forge(town, "")
    # All that without loading the page anew.
    assert page.evaluate("window.kept") is True


def forge(town: Town, reason: str) -> None:
    """What the owner of the database can do."""
    with connect(url_of(town.settings), application="test") as connection:
        connection.execute("ALTER TABLE hv.audit DISABLE TRIGGER USER")
        connection.execute("UPDATE hv.audit SET reason = %s WHERE number = 3", (reason,))
        connection.execute("ALTER TABLE hv.audit ENABLE TRIGGER USER")
        connection.commit()


def test_operator_is_not_led_to_the_log(open_screen: Open) -> None:
    screen = open_screen("operator")
    expect(screen.page.locator(".rail a[href='/alarms']")).to_be_visible()
    assert screen.page.locator(".rail a[href='/audit']").count() == 0
