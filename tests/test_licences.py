"""No installed distribution is under GPL or AGPL; every one says what it is under."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions

import pytest

# What the metadata leave open, each with where the answer stands.
TOLD_ELSEWHERE = {
    "axe-playwright-python": ("MIT", "its LICENSE file; the axe-core script it carries is MPL-2.0"),
}

ALLOWED = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|ISC|Apache|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Lesser General|Zlib|CC0|"
    r"Unlicense|EPL|HPND)\b",
    re.IGNORECASE,
)
REFUSED = re.compile(r"(?<![L])\bA?GPL|Affero|(?<!Lesser )General Public Licen[cs]e", re.IGNORECASE)


def told(found: Distribution) -> str:
    """The licence in the words of the metadata."""
    data = found.metadata
    expression = next(iter(data.get_all("License-Expression") or []), None)
    if expression:
        return str(expression)
    classified = [
        line.rsplit("::", 1)[-1].strip()
        for line in data.get_all("Classifier") or []
        if line.startswith("License ::") and "OSI Approved" not in line.rsplit("::", 1)[-1]
    ]
    if classified:
        return " OR ".join(classified)
    return next(iter(data.get_all("License") or []), "").strip().split("\n", 1)[0]


def refused(text: str) -> bool:
    """Whether every choice that a licence leaves is refused."""
    choices = re.split(r"\s+OR\s+", text)
    return all(REFUSED.search(re.sub(r"LGPL[\w.+-]*", "", choice)) for choice in choices)


INSTALLED: dict[str, Distribution] = {str(found.metadata["Name"]): found for found in distributions()}


@pytest.mark.parametrize("name", sorted(INSTALLED))
def test_distribution_has_a_licence_that_is_allowed(name: str) -> None:
    text = told(INSTALLED[name])
    name = name.lower()
    if name in TOLD_ELSEWHERE:
        assert not text, f"{name} now says {text}: take it from the list"
        text = TOLD_ELSEWHERE[name][0]
    assert text, f"{name} does not say what it is under: look it up and list it with the reason"
    assert not refused(text), f"{name} is under {text}"
    assert ALLOWED.search(text), f"{name} is under {text!r}: is that allowed?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-3.0-or-later", True),
        ("GNU Affero General Public License v3", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("AGPL-3.0-only", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-2.0-only OR MIT", False),
        ("MIT", False),
    ],
)
def test_refused_by_words(text: str, expected: bool) -> None:
    assert refused(text) is expected
