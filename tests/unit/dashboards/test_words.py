from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import dashboards
from dashboards.town import PRIORITIES
from dashboards.words import Words, catalogue, language_of
from hypervision import quality
from hypervision.accounts import Role

FOLDER = Path(dashboards.__file__).parent
PARIS = ZoneInfo("Europe/Paris")
# Keys made of a part that varies, with every value it can take.
FAMILIES = {
    "rail": ("overview", "alarms", "map", "health"),
    "role": tuple(Role),
    "letter": PRIORITIES,
    "priority": PRIORITIES,
    "state": ("UNACK", "ACKED", "RTNUN", "NORM"),
    "lost": ("link", "database", "collector", "none"),
    "map": ("zoom_in", "zoom_out", "zoom_reset"),
    "asset": (
        "limit_high",
        "limit_low",
        "online",
        "offline",
        "hour",
        "day",
        "week",
        "place",
        "organisation",
        "part_of",
    ),
    "health": ("working", "failing", "gone", "received", "stored", "duplicate", "rejected", "in_flight"),
    "quality": (*quality.NAMES, "late", "stale", "never"),
}


def test_both_languages_have_the_same_texts_and_none_is_empty() -> None:
    fr, en = catalogue("fr"), catalogue("en")
    assert set(fr) == set(en)
    assert [key for texts in (fr, en) for key, text in texts.items() if not text.strip()] == []


def test_both_languages_fill_in_the_same_values() -> None:
    fr, en = catalogue("fr"), catalogue("en")
    assert {k: set(re.findall(r"{(\w+)}", v)) for k, v in fr.items()} == {
        k: set(re.findall(r"{(\w+)}", v)) for k, v in en.items()
    }


def test_every_text_that_the_code_asks_for_exists() -> None:
    known = catalogue("fr")
    source = "\n".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py"))
    asked = set(re.findall(r"""\bt\(\s*["']([a-z_]+\.[A-Za-z_]+)["']""", source))
    assert len(asked) > 60
    assert sorted(asked - set(known)) == []
    assert [f"{f}.{v}" for f, values in FAMILIES.items() for v in values if f"{f}.{v}" not in known] == []


def test_every_text_is_used() -> None:
    source = "\n".join(p.read_text("utf-8") for ext in ("py", "js") for p in FOLDER.rglob(f"*.{ext}"))
    varying = set(re.findall(r"""\bt\(\s*f["']([a-z_]+)\.""", source))
    unused = [key for key in catalogue("fr") if key.split(".")[0] not in varying and f'"{key}"' not in source]
    assert unused == []


def test_numbers_and_dates_follow_the_language() -> None:
    fr, en = Words("fr", PARIS), Words("en", PARIS)
    assert fr.quantity(1234.5, "m3/h", 1) == "1\u202f234,5\u00a0m³/h"
    assert en.quantity(1234.5, "Cel", 1) == "1,234.5\u00a0°C"
    at = datetime(2026, 7, 14, 22, 5, 9, tzinfo=UTC)
    assert fr.moment(at) == "15/07/2026 00:05:09"
    assert en.moment(at) == "15 Jul 2026 00:05:09"


@pytest.mark.parametrize(("asked", "default", "found"), [("en", "fr", "en"), ("de", "en", "en"), (None, "x", "fr")])
def test_language_falls_back(asked: str | None, default: str, found: str) -> None:
    assert language_of(asked, default) == found


def test_unknown_text_raises() -> None:
    with pytest.raises(KeyError):
        Words("fr", PARIS).t("no.such")
