"""Accounts administered on the screen: by mouse, by keyboard, two at once, and with a log-in that ended."""

from __future__ import annotations

from playwright.sync_api import expect

from hypervision.accounts import Role
from tests.browser.fake_town import PASSWORD, Town
from tests.browser.steps import Open


def test_account_with_a_scope_is_made_and_sees_its_part_alone(open_screen: Open, town: Town) -> None:
    screen = open_screen("administrator")
    page = screen.page
    page.click('.rail-link[href="/administration"]')
    screen.ready("/administration")
    expect(page).to_have_title("Administration · Hypervision")
    expect(page.locator("#accounts-set .table")).to_contain_text("Toute la ville")
    page.click("text=Ajouter un compte")
    page.fill("#accounts-name", "nora")
    page.fill("#accounts-password", "court")
    page.select_option("#accounts-role", "operator")
    page.click('#accounts-form .chip[data-word="water"]')
    page.click('#accounts-form .chip[data-word="Nord"]')
    page.click("#accounts-form >> text=Enregistrer")
    expect(page.locator("#accounts-said")).to_contain_text("trop court")
    expect(page.locator("#accounts-password")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#accounts-name")).to_have_value("nora")
    page.fill("#accounts-password", PASSWORD)
    page.click("#accounts-form >> text=Enregistrer")
    expect(page.locator("#accounts-said")).to_contain_text("nora peut se connecter.")
    expect(page.locator('#accounts-form .chip[data-word="water"]')).to_have_attribute("aria-pressed", "true")
    expect(page.locator('#accounts-form .chip[data-word="waste"]')).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#accounts-role")).to_have_value("operator")
    with town.session("nora") as client:
        codes = {row["code"] for row in client.get("/api/v1/things").json()["rows"]}
    assert codes == {f"water-{i:03d}" for i in range(1, 25, 2)}


def test_account_is_changed_and_disabled_by_keyboard_alone(open_screen: Open, town: Town) -> None:
    town.add_account("kim", Role.VIEWER)
    screen = open_screen("administrator", at="/administration?account=kim", language="en")
    page = screen.page
    page.locator("#accounts-role").focus()
    page.keyboard.type("Eng")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.locator("#accounts-form button[type=submit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#accounts-said")).to_contain_text("kim is saved.")
    expect(page.locator("#accounts-role")).to_have_value("engineer")
    page.locator("[data-accounts-state=disable]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#accounts-said")).to_contain_text("kim may not log in any more")
    with town.client("administrator") as client:
        found = client.get("/api/v1/accounts/kim").json()
    assert (found["role"], found["disabled"]) == ("engineer", True)
    assert len(found["domains"]) == 1


def test_second_of_two_is_told_who_was_first_and_loses_nothing_typed(open_screen: Open, town: Town) -> None:
    town.add_account("second", Role.ADMINISTRATOR)
    town.add_account("lea", Role.VIEWER)
    first, second = (open_screen(name, at="/administration?account=lea") for name in ("administrator", "second"))
    for screen in (first, second):
        expect(screen.page.locator("#accounts-role")).to_have_value("viewer")
    first.page.select_option("#accounts-role", "operator")
    first.page.click("#accounts-form >> text=Enregistrer")
    expect(first.page.locator("#accounts-said")).to_contain_text("lea est enregistré.")
    second.page.select_option("#accounts-role", "engineer")
    second.page.click("#accounts-form >> text=Enregistrer")
    expect(second.page.locator("#accounts-said")).to_contain_text("administrator a modifié ce compte")
    expect(second.page.locator("#accounts-role")).to_have_value("engineer")


def test_log_in_that_ended_loses_nothing_typed(open_screen: Open) -> None:
    screen = open_screen("administrator", at="/administration?new=1")
    page = screen.page
    page.fill("#accounts-name", "omar")
    page.fill("#accounts-password", PASSWORD)
    kept = screen.context.cookies()
    screen.context.clear_cookies(name="hypervision_session")
    page.click("#accounts-form >> text=Enregistrer")
    expect(page.locator("#accounts-said")).to_contain_text("Votre session est terminée")
    expect(page.locator("#accounts-said a")).to_have_attribute("href", "/login?next=%2Fadministration")
    expect(page.locator("#accounts-name")).to_have_value("omar")
    screen.context.add_cookies([one for one in kept if one["name"] == "hypervision_session"])
    page.click("#accounts-form >> text=Enregistrer")
    expect(page.locator("#accounts-said")).to_contain_text("omar peut se connecter.")


def test_change_of_language_keeps_what_was_typed(open_screen: Open) -> None:
    screen = open_screen("administrator", at="/administration?new=1")
    page = screen.page
    page.fill("#accounts-name", "paul")
    page.select_option("#accounts-role", "auditor")
    page.click('#accounts-form .chip[data-word="waste"]')
    page.click("[data-language-switch=en]")
    expect(page.locator("#accounts-form button[type=submit]")).to_have_text("Save")
    expect(page.locator("#accounts-name")).to_have_value("paul")
    expect(page.locator("#accounts-role")).to_have_value("auditor")
    expect(page.locator('#accounts-form .chip[data-word="waste"]')).to_have_attribute("aria-pressed", "true")


def test_own_account_is_locked_and_an_auditor_only_reads(open_screen: Open) -> None:
    own = open_screen("administrator", at="/administration?account=administrator")
    expect(own.page.locator("#accounts-role")).to_be_disabled()
    expect(own.page.locator("[data-accounts-state]")).to_have_count(0)
    auditor = open_screen("auditor", at="/administration?account=viewer")
    expect(auditor.page.locator(".accounts-side")).to_contain_text("Seul un administrateur")
    expect(auditor.page.locator("#accounts-form, .accounts-list .btn")).to_have_count(0)
    viewer = open_screen("viewer")
    expect(viewer.page.locator('.rail-link[href="/administration"]')).to_have_count(0)
