from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import dashboards
from dashboards.account_page import SAID as SAID_OF_ACCOUNT
from dashboards.account_page import SHOWN as SHOWN_OF_ACCOUNT
from dashboards.account_page import WELCOMED
from dashboards.choices import PARTS, SPANS, STATES
from dashboards.components.accounts import COLUMNS, FIELDS
from dashboards.components.annotations import KINDS as KINDS_OF_ANNOTATIONS
from dashboards.components.desk import SAID as SAID_OF_DESK
from dashboards.components.desk import TABS
from dashboards.components.flood import GROUPED, GROUPS
from dashboards.components.growth import HEADS as HEADS_OF_GROWTH
from dashboards.components.history import CAUSES
from dashboards.components.room import HEARD, KEYS, SEARCHED, TOOLS, VIEWED
from dashboards.components.rule_form import SAID as SAID_OF_RULES
from dashboards.declaration import CONFORMITIES, EXCEPTIONS, TECHNOLOGIES, TESTED, UNTESTED
from dashboards.declaration import PAGES as PAGES_CHECKED
from dashboards.declaration import SHOWN as SHOWN_OF_DECLARATION
from dashboards.frame import AGAIN, LEAVING, RAIL, SAID
from dashboards.log_in import REFUSALS
from dashboards.pages.administration import SAID as SAID_OF_ACCOUNTS
from dashboards.pages.administration import WHY
from dashboards.pages.audit import FIELDS as FIELDS_OF_AUDIT
from dashboards.pages.audit import SAID as SAID_OF_AUDIT
from dashboards.pages.rejected import SAID as SAID_OF_REJECTED
from dashboards.pages.trends import NOTE
from dashboards.pages.trends import SAID as SAID_OF_TRENDS
from dashboards.quality import SPANS as SPANS_OF_QUALITY
from dashboards.rule_choice import SHOWS
from dashboards.town import PRIORITIES
from dashboards.trends import RANGES
from dashboards.words import Language, Words, catalogue, language_of
from hypervision import quality
from hypervision.accounts import Role
from hypervision.domains.catalogue import OF_A_THING
from hypervision.parts import NAMED
from hypervision.ruling import FIELDS as FIELDS_OF_RULES
from hypervision.store.growth import STEPS
from hypervision.store.rulebook import WAITING
from hypervision.tokens import SCOPES

FOLDER = Path(dashboards.__file__).parent
PARIS = ZoneInfo("Europe/Paris")


def source() -> str:
    """All code that asks for texts."""
    return "\n".join(p.read_text("utf-8") for ext in ("py", "js") for p in sorted(FOLDER.rglob(f"*.{ext}")))


def documented(path: str, after: str) -> tuple[str, ...]:
    """The codes in backquotes that begin a table or a list of the documentation, to its end."""
    text = (FOLDER.parent / path).read_text("utf-8").split(after, 1)[1].split("\n\n", 1)[0]
    lines = [line.split("|")[1] if line.startswith("|") else line for line in text.splitlines()]
    return tuple(re.findall(r"`([a-z_]+)`", " ".join(lines)))


# What the code notes in the audit log, and what the log notes of itself.
ACTIONS = tuple(
    sorted(
        {
            action.replace(".", "_")
            for path in FOLDER.parent.glob("[him]*/**/*.py")
            for action in re.findall(r'audit\.note\(\s*\w+,\s*"([a-z_]+\.[a-z_]+)"', path.read_text("utf-8"))
        }
        | {f"observation_{kind}" for kind in ("invalidate", "correct", "restore")}
        | {"audit_export", "audit_log_seal"}
    )
)

FIGURES = (
    *("rate", "day", "peak", "flood", "top", "chattering", "standing", "stale", "shelved", "critical", "high", "rest"),
    *("p50", "p95", "waiting"),
)

# Keys made of a part that varies, with every value it can take.
FAMILIES = {
    "rail": tuple(entry.key for entry in RAIL),
    "role": tuple(Role),
    "role_may": tuple(Role),
    "accounts": (
        *SAID_OF_ACCOUNTS,
        *FIELDS,
        *(f"column_{key}" for key in COLUMNS),
        *(f"why_{key}" for key in WHY),
        *("enable", "disable"),
    ),
    "letter": PRIORITIES,
    "cause": CAUSES,
    "part": NAMED,
    "desk": (
        *SAID_OF_DESK,
        *(f"tab_{name}" for name, _ in TABS),
        *("page_before", "page_after"),
        *("shelved", "by_design", "out_of_service", "maintenance", "children_no", "children_yes"),
        *(f"column_{key}" for key in ("priority", "what", "where", "state", "since", "why", "back", "do")),
        *(f"column_{key}" for key in ("kind", "about", "hidden")),
    ),
    "declaration": (
        *SHOWN_OF_DECLARATION,
        *(f"{part}_{state}" for part in ("state", "mention") for state in CONFORMITIES),
        *(f"tested_{key}" for key in TESTED),
        *(f"untested_{key}" for key in UNTESTED),
        *(f"exception_{key}" for key in EXCEPTIONS),
        *(f"technology_{key}" for key in TECHNOLOGIES),
        *(f"page_{key}" for key in PAGES_CHECKED),
    ),
    "flood": (*GROUPED, *(f"by_{key}" for key in GROUPS)),
    "priority": PRIORITIES,
    "state": ("UNACK", "ACKED", "RTNUN", "NORM"),
    "lost": ("link", "database", "collector", "none"),
    "map": ("zoom_in", "zoom_out", "zoom_reset"),
    "action": SAID,
    "leave": LEAVING,
    "again": AGAIN,
    "refused": REFUSALS,
    "scope": tuple(SCOPES),
    "account": (*SHOWN_OF_ACCOUNT, *SAID_OF_ACCOUNT),
    "welcome": WELCOMED,
    "column": ("rank", "state_label", "raised", "name", "label", "value", "place", "action", "brief"),
    "asset": (
        *("limit_high", "limit_low", "online", "offline", *RANGES, "place", "organisation", "district"),
        *("part_of", "status"),
        *("property", "value", "age", "quality", "limits", "priority", "what", "from", "to", "by"),
        *("time", "lowest", "mean", "highest", *HEADS_OF_GROWTH),
        *(f"per_{step}" for step in STEPS),
    ),
    "gap": (
        *("silence", "sequence", "broker", "database", "collector"),
        *("readings", "messages", "what", "when", "missing", "asset", "property", "from", "to"),
    ),
    "health": (
        *("working", "failing", "gone", "part", "state", "beat", "link", "connected", "connecting", "silent"),
        *("received", "stored", "duplicate", "rejected", "in_flight"),
        *("time", "topic", "reason", "detail", "payload", "count", "writer"),
    ),
    "rejected": (
        *SAID_OF_REJECTED,
        *(f"span_{value}" for value in SPANS),
        *(f"state_{value}" for value in STATES),
        *(f"part_{value}" for value in PARTS),
        *("span", "state", "part", "thing", "topic", "since", "until", "by_reason", "by_thing"),
        *(f"column_{key}" for key in ("time", "source", "reason", "payload", "count")),
    ),
    "audit": (
        *SAID_OF_AUDIT,
        *FIELDS_OF_AUDIT,
        *(f"column_{key}" for key in ("number", "at", "actor", "action", "object", "change")),
    ),
    "audit_action": ACTIONS,
    "rules": (
        *("approve", "refuse", "withdraw", "ask_approve", "ask_refuse", "ask_withdraw"),
        *(f"said_{key}" for key in SAID_OF_RULES),
        *(f"show_{value}" for value in SHOWS),
        *(f"state_{value}" for value in WAITING),
        *(f"field_{name}" for name in (*FIELDS_OF_RULES, "reason", "effective_from")),
        *(f"kind_{kind}" for kind in OF_A_THING),
        *(f"column_{key}" for key in ("rule", "limit", "delays", "priority", "state", "edited")),
        *(f"column_{key}" for key in ("version", "author", "reason", "back")),
    ),
    "kpi": (
        *(f"{code}{more}" for code in FIGURES for more in ("", "_means")),
        *(f"span_{value}" for value in SPANS_OF_QUALITY),
        *("met", "missed", "none_rang", "none_chattering", "stale_mark", "shelved_mark"),
        *(f"column_{key}" for key in ("priority", "shift", "count", "share", "rate", "peak", "flood", "p50", "p95")),
        *(f"column_{key}" for key in ("waiting", "alarm", "asset", "minute", "since", "mark")),
    ),
    "trend": (
        *SAID_OF_TRENDS,
        *("from", "to"),
        *(f"note_{name}" for name in NOTE),
        *(f"{part}_{kind}" for part in ("letter", "kind") for kind in KINDS_OF_ANNOTATIONS),
        *(f"column_{key}" for key in ("when", "what", "asset", "text", "by")),
    ),
    "room": (*SEARCHED, *VIEWED, *HEARD, *TOOLS, *(what for _key, what in KEYS)),
    "remedy": documented("docs/devices.md", "| reason | means |"),
    "quality": (*quality.NAMES, "late", "stale"),
    "reason": documented("docs/devices.md", "| reason | means |"),
    "refusal": documented("docs/deployment.md", "health, by reason:"),
    "journal": ("late_crossing", "correction_invalidate", "correction_correct", "correction_restore"),
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
    asked = set(re.findall(r"""\b[tn]\(\s*["']([a-z_]+\.[A-Za-z_]+)["']""", source()))
    assert len(asked) > 60
    assert sorted(asked - set(known)) == []
    assert [f"{f}.{v}" for f, values in FAMILIES.items() for v in values if f"{f}.{v}" not in known] == []
    counted = set(re.findall(r"""\bn\(\s*["']([a-z_]+\.[A-Za-z_]+)["']""", source()))
    assert sorted(key for key in counted if f"{key}_one" not in known) == []


def unused(texts: Iterable[str], code: str) -> list[str]:
    """The keys that the code neither names nor makes from a part that varies."""
    made = {f"{family}.{value}" for family, values in FAMILIES.items() for value in values}
    counted = {f"{key}_one" for key in re.findall(r"""\bn\(\s*["']([a-z_]+\.[A-Za-z_]+)["']""", code)}
    return sorted(
        key for key in texts if key not in made | counted and not re.search(rf'["\']{re.escape(key)}["\']', code)
    )


def test_every_text_is_used() -> None:
    code = source()
    varying = set(re.findall(r"""\bt\(\s*f["']([a-z_]+)\.""", code)) | set(re.findall(r"""known\(\s*["'](\w+)""", code))
    assert set(FAMILIES) == varying
    assert unused(catalogue("fr"), code) == []
    assert unused(["asset.kind", "journal.gap", "map.everything"], code) == ["asset.kind", "journal.gap"]


def test_french_is_set_as_french_is() -> None:
    wrong = [
        (key, text) for key, text in catalogue("fr").items() if re.search(r" [:;!?»%]|« |(\d|\}) (h|j|s|min)\b|'", text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [
        ("fr", 0, "0 ouverte, 0 à acquitter"),
        ("fr", 1, "1 ouverte, 0 à acquitter"),
        ("fr", 1200, "1\u202f200 ouvertes, 0 à acquitter"),
        ("en", 0, "0 open, 0 to acknowledge"),
    ],
)
def test_a_count_has_its_number(language: Language, n: int, text: str) -> None:
    assert Words(language, PARIS).n("alarms.open", n, waiting=0) == text
    assert Words("en", PARIS).n("tile.alarms", 1) == "1 open alarm"


def test_a_code_without_words_is_told_as_it_is() -> None:
    assert Words("fr", PARIS).known("reason", "unknown_thing") == "Équipement inconnu"
    assert Words("fr", PARIS).known("reason", "of_tomorrow") == "of_tomorrow"


@pytest.mark.parametrize(
    ("value", "fr", "en"),
    [
        (1e308, "1E308", "1E308"),
        (-1e30, "-1E30", "-1E30"),
        (1.5e26, "1,5E26", "1.5E26"),
        (999_999_999_999_999.0, "999\u202f999\u202f999\u202f999\u202f999,00", "999,999,999,999,999.00"),
    ],
)
def test_huge_numbers_are_told_by_their_power_of_ten(value: float, fr: str, en: str) -> None:
    assert (Words("fr", PARIS).number(value, 2), Words("en", PARIS).number(value, 2)) == (fr, en)


def test_numbers_and_dates_follow_the_language() -> None:
    fr, en = Words("fr", PARIS), Words("en", PARIS)
    assert fr.quantity(1234.5, "m3/h", 1) == "1\u202f234,5\u00a0m³/h"
    assert en.quantity(1234.5, "Cel", 1) == "1,234.5\u00a0°C"
    at = datetime(2026, 7, 14, 22, 5, 9, tzinfo=UTC)
    assert fr.clock(at) == "15 juil. 00:05"
    assert en.clock(at) == "15 Jul 00:05"


@pytest.mark.parametrize(("asked", "default", "found"), [("en", "fr", "en"), ("de", "en", "en"), (None, "x", "fr")])
def test_language_falls_back(asked: str | None, default: str, found: str) -> None:
    assert language_of(asked, default) == found


def test_unknown_text_raises() -> None:
    with pytest.raises(KeyError):
        Words("fr", PARIS).t("no.such")
