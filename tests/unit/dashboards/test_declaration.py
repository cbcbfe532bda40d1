"""The declaration of accessibility says what is known, and whom to tell."""

from __future__ import annotations

import re
from datetime import UTC, date
from typing import Any

import pytest

from dashboards.declaration import CONFORMITIES, PAGES, conformity_of, mention, page
from dashboards.guard import _WITHOUT_DATABASE
from dashboards.routes import action_of, is_page
from dashboards.words import Language, Words
from hypervision.accounts import PUBLIC, may
from hypervision.errors import SettingError
from hypervision.sections import AccessibilitySettings
from hypervision.settings import load

AUDITED: dict[str, Any] = {"audited_by": "Cabinet d’audit", "audited_on": date(2026, 11, 2)}
# The parts that the model of the RGAA asks for, in its order.
PARTS = {
    "fr": (
        "État de conformité", "Résultats des tests", "Contenus non accessibles", "Établissement de cette déclaration",
        "Retour d’information et contact", "Voies de recours",
    ),
    "en": (
        "State of conformity", "Results of the tests", "What is not accessible", "How this declaration was made",
        "Tell us", "Ways of recourse",
    ),
}  # fmt: skip


def made(language: Language = "fr", **settings: Any) -> str:
    return page(Words(language, UTC), AccessibilitySettings(**settings), theme="dark")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_page_has_the_parts_of_the_model_in_their_order(language: Language) -> None:
    text = made(language)
    assert tuple(re.findall("<h2>(.*?)</h2>", text)) == PARTS[language]
    assert f'<html lang="{language}"' in text
    assert text.count("<h1>") == 1
    assert "formulaire.defenseurdesdroits.fr" in text
    assert "{" not in text.split("<main>")[1]


def test_without_an_audit_nothing_conforms_whatever_the_tests_say() -> None:
    text = made()
    assert "n’est pas en conformité" in text
    assert "Aucun tiers n’a audité" in text
    assert mention(Words("fr", UTC), AccessibilitySettings()) == "Accessibilité\u00a0: non conforme"
    assert conformity_of(AccessibilitySettings(rate=100.0)) == "none"


@pytest.mark.parametrize(("rate", "state"), [(49.9, "none"), (50.0, "partial"), (99.9, "partial"), (100.0, "full")])
def test_state_follows_the_rate_of_an_audit(rate: float, state: str) -> None:
    settings = AccessibilitySettings(**AUDITED, rate=rate)
    assert conformity_of(settings) == state
    assert state in CONFORMITIES
    assert "réalisé par Cabinet d’audit le 2 novembre 2026" in made(**AUDITED, rate=rate)


def test_contact_is_the_operators_own_and_its_absence_is_told() -> None:
    assert "n’a pas indiqué d’adresse" in made()
    text = made(
        organisation="Ville <b>", email="aide@ville.example", form="https://ville.example/a?b=1&c=2", post="1 place"
    )
    assert "Ville &lt;b&gt;\u00a0s’engage" in text
    assert 'href="mailto:aide@ville.example"' in text
    assert 'href="https://ville.example/a?b=1&amp;c=2"' in text
    assert "n’a pas indiqué" not in text


@pytest.mark.parametrize(
    "given",
    [
        {"ACCESSIBILITY__EMAIL": "javascript:alert(1)"},
        {"ACCESSIBILITY__FORM": "javascript:alert(1)"},
        {"ACCESSIBILITY__RATE": "101"},
        {"ACCESSIBILITY__AUDITED_BY": "x"},
        {"ACCESSIBILITY__AUDITED_ON": "2026-11-02"},
    ],
)
def test_setting_that_makes_no_sense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="accessibility"):
        load({f"HYPERVISION_{key}": value for key, value in given.items()} | {"HYPERVISION_DATA_DIR": "/tmp/x"})


def test_page_is_for_everybody_and_answers_without_a_database() -> None:
    action = action_of("GET", "/accessibility")
    assert action in PUBLIC
    assert action in _WITHOUT_DATABASE
    assert may(None, action)
    assert action_of("POST", "/accessibility") is None
    assert not is_page("/accessibility")


def test_pages_are_named_once() -> None:
    assert len(PAGES) == len(set(PAGES))
