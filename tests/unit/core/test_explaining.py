"""What was refused is told in French with the facts of the English sentence; no sentence of ours is left out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hypervision.explained import SENTENCES
from hypervision.explaining import explained, is_known
from hypervision.limiting import Limiter
from hypervision.plan import conflict, unknown_thing
from hypervision.settings import IngestSettings

ROOT = Path(__file__).parents[3]
SAYS = {
    "refuse", "Refusal", "RefusedError", "BadRecord", "BadTimeError", "MalformedError", "_no_state", "_fault",
    "_unreadable", "_explain",
}  # fmt: skip


def sentences() -> list[tuple[str, str]]:
    """(where, sentence with made-up facts) of every refusal in the sources."""
    found = []
    folders = (ROOT / "hypervision", ROOT / "ingest")
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        if "domains" in path.parts or "bench" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = ""
            if isinstance(node, ast.Call):
                named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            elif isinstance(node, ast.FunctionDef):
                named = node.name if node.name.startswith("_") else ""
            if named in SAYS:
                found += [(f"{path.name}:{one.lineno}", text(one)) for one in told(node)]
    # What is left are words within a sentence.
    return [(where, one) for where, one in found if len(one.split()) > 3 and not one.startswith(" ")]


def told(node: ast.AST) -> list[ast.expr]:
    """The texts in a call or in what a function gives back, those within others and docstrings left out."""
    if isinstance(node, ast.FunctionDef):
        return [one for child in node.body if not isinstance(child, ast.Expr) for one in told(child)]
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return [node]
    return [one for child in ast.iter_child_nodes(node) for one in told(child)]


def text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else fact(part) for part in node.values)


def fact(part: ast.expr) -> str:
    """A fact, or nothing for what stands before or after a sentence."""
    assert isinstance(part, ast.FormattedValue)
    return "" if isinstance(part.value, ast.Name) and part.value.id in ("hint", "before") else "X1"


def test_there_are_sentences_of_every_source() -> None:
    assert len(sentences()) > 45
    assert {where.split(":")[0] for where, _ in sentences()} >= {
        "plan.py", "importing.py", "message.py", "values.py", "routes.py", "senml.py", "times.py", "document.py",
        "assembly.py", "isolation.py",
    }  # fmt: skip


@pytest.mark.parametrize(("where", "sentence"), sentences())
def test_every_refusal_can_be_told_in_french(where: str, sentence: str) -> None:
    assert is_known(sentence), where


@pytest.mark.parametrize(("english", "french"), SENTENCES)
def test_sentence_is_met_by_itself_and_no_fact_is_lost(english: str, french: str) -> None:
    facts = {name: f"~{name}~" for name in ("byte", "at", "value", "n", "name", "time", "thing", "domain")}
    told = explained(english.format_map(_Any(facts)), "fr")
    assert told.replace("\u00a0", " ") == french.format_map(_Any(facts))


class _Any(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"~{key}~"


def french(detail: str) -> str:
    """In French, with ordinary spaces."""
    return explained(detail, "fr").replace("\u00a0", " ")


def test_detail_of_several_sentences_is_told_one_by_one() -> None:
    detail = (
        "the unit '°F' of level is no UCUM code; UCUM writes it [degF]; its own unit is m; flow is an object, not a number"
        "; what a decoder of one's own says (and 3 more) (refused again 2026-11-22 10:00 UTC)"
    )
    assert french(detail) == (
        "l’unité '°F' de level n’est pas un code UCUM ; UCUM l’écrit [degF] ; son unité est m ; "
        "flow vaut un objet, qui n’est pas un nombre ; what a decoder of one's own says (et 3 autres)"
        " (refusé de nouveau 2026-11-22 10:00 UTC)"
    )
    assert explained(detail, "en") == detail


def test_line_of_a_file_is_told_with_its_facts() -> None:
    assert french(f"line 3: {unknown_thing('p1', 'water', sent=False)}; line 4: p1/flow: time 'x' cannot be read,"
                     " write 2026-11-22T10:00:00Z") == (
        "ligne 3 : p1 (water) n’est pas enregistré ; `hypervision things admit p1 --domain water` l’admet ; "
        "ligne 4 : p1/flow : l’heure 'x' est illisible, écrire 2026-11-22T10:00:00Z"
    )  # fmt: skip
    late = (
        "line 10: the time of p1/flow of 2999-01-01T00:00:00+00:00 is too far ahead of its receipt (its result is 2.0)"
    )
    assert french(late) == (
        "ligne 10 : p1/flow du 2999-01-01T00:00:00+00:00 : l’heure est trop en avance sur la réception (sa mesure est 2.0)"
    )
    limited = Limiter(IngestSettings())._detail
    assert french(limited).startswith("plus de 20 messages par seconde")
    assert french(limited).endswith("voici le premier d’entre eux")
    assert explained(conflict("flow", 1.0, 2.0), "fr") == "flow vaut déjà 1.0 à cet instant, 2.0 est refusé"


def test_text_of_a_device_is_not_taken_for_a_form() -> None:
    assert (
        explained("flow is '{0.__class__}', not a number", "fr") == "flow vaut '{0.__class__}', qui n’est pas un nombre"
    )
    assert explained("", "fr") == ""
    assert french("x; " * 20_000).startswith("x ; x")


def test_signs_and_units_stay_on_the_line_of_what_they_belong_to() -> None:
    ahead = explained("time 9 is 700 s ahead of its receipt; 10 min are taken.", "fr")
    assert ahead == "l’heure 9 est en avance de 700\u00a0s sur la réception\u00a0; 10\u00a0min sont acceptées"
