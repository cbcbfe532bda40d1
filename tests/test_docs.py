"""The documentation keeps up with the product."""

from __future__ import annotations

import argparse
import ast
import doctest
import importlib
import io
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

from hypervision import cli, metrics
from hypervision.domains import load
from hypervision.verbs import Verb

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("hypervision", "ingest", "models", "dashboards", "simulators")
VERBS = sorted(entry.name for entry in entry_points(group="hypervision.verbs"))
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
EXAMPLES = [
    path
    for folder in (*PACKAGES, "scripts")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def table(text: str) -> list[list[str]]:
    """The cells of every row of every table, head and rule left out."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [row for row in rows if not set(row[0]) <= set("-: ")]


def names(lines: list[str]) -> list[str]:
    return sorted(re.split(r"[\[<>=;! ]", line, maxsplit=1)[0].lower() for line in lines)


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_verb_has_help_and_a_section(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = help_of(capsys, verb)
    assert f"usage: hypervision {verb}" in told
    summary = told.split("\n\n")[1].strip()
    assert len(summary) > 10
    assert f"\n## {verb}\n" in (DOCS / "verbs.md").read_text("utf-8")


def test_sections_of_verbs_are_of_verbs_that_exist() -> None:
    assert sorted(re.findall(r"^## (\S+)$", (DOCS / "verbs.md").read_text("utf-8"), re.MULTILINE)) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_option_of_a_verb_that_the_docs_name_exists(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (DOCS / "verbs.md").read_text("utf-8")
    section = text.split(f"\n## {verb}\n", 1)[1].split("\n## ", 1)[0]
    actions = re.findall(rf"`{verb} (\w+)", section)
    for action in [*actions, None] if actions else [None]:
        words = [verb] if action is None else [verb, action]
        told = help_of(capsys, *words)
        named = re.findall(rf"`{verb} {action or ''}[^`]*`", section)
        for option in {option for words_ in named for option in re.findall(r"--[a-z-]+", words_)}:
            assert action is None or option in told, f"{' '.join(words)} has no {option}"


def test_every_option_of_a_verb_is_named_by_the_docs() -> None:
    text = (DOCS / "verbs.md").read_text("utf-8")
    before = text.split("\n## ", 1)[0]
    missing = []
    for verb in sorted(entry_points(group="hypervision.verbs"), key=lambda entry: entry.name):
        parser = argparse.ArgumentParser()
        found: Verb = verb.load()
        found.configure(parser)
        section = before + text.split(f"\n## {verb.name}\n", 1)[1].split("\n## ", 1)[0]
        parsers = [parser]
        for each in parsers:
            for action in each._actions:
                if isinstance(action, argparse._SubParsersAction):
                    parsers += action.choices.values()
                missing += [
                    f"{verb.name} {option}"
                    for option in action.option_strings
                    if option.startswith("--") and option not in section
                ]
    assert missing == []


@pytest.mark.parametrize("option", ["max_inflight_messages", "max_queued_messages", "max_mqueue_len"])
def test_what_to_set_for_a_broker_of_one_s_own_is_said_once(option: str) -> None:
    said = [(page.name, page.read_text("utf-8").count(option)) for page in DOCS.rglob("*.md")]
    assert [each for each in said if each[1]] == [("deployment.md", 1)]


def test_dependencies_have_their_reasons() -> None:
    text = (DOCS / "decisions" / "0002-dependencies.md").read_text("utf-8")
    application, tests = text.split("## The tests")
    for part, lines in ((application, PROJECT["dependencies"]), (tests, PROJECT["optional-dependencies"]["test"])):
        rows = [row for row in table(part) if row[0] != "dependency"]
        assert sorted(row[0] for row in rows) == names(lines)
        assert all(len(row) == 3 and row[1] and len(row[2]) > 5 for row in rows)


def test_domains_are_described_as_they_are() -> None:
    rows = {
        (row[0], row[1].strip("`")): row for row in table((DOCS / "domains.md").read_text("utf-8")) if len(row) == 6
    }
    rows.pop(("domain", "property"))
    found = {(prop.domain, prop.name): prop for prop in load().properties}
    assert set(rows) == set(found)
    for key, prop in found.items():
        assert rows[key][2] == f"`{prop.unit}`"
        assert re.match(r"\w+", rows[key][3])[0] == prop.kind  # type: ignore[index]
        assert rows[key][4] == f"{prop.valid[0]:g} to {prop.valid[1]:g}"


def test_units_of_the_domains_stand_in_the_nomenclature() -> None:
    text = (DOCS / "nomenclature.md").read_text("utf-8")
    assert {prop.unit for prop in load().properties if f"`{prop.unit}`" not in text} == set()


def test_decision_notes_are_numbered_without_gaps() -> None:
    notes = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in notes)
    assert [int(name[:4]) for name in notes] == list(range(1, len(notes) + 1))
    for name in notes:
        head, _, rest = (DOCS / "decisions" / name).read_text("utf-8").partition("\n")
        assert head.startswith(f"# {name[:4]} "), name
        assert len(rest) > 200, name


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("[A-Z]*.md")), *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.name)
def test_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def docstrings_with_examples(path: Path) -> int:
    """How many there are, read without importing anything."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, DOCUMENTED)]
    return sum(">>> " in (ast.get_docstring(node) or "") for node in nodes)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_doctests_of_the_module_hold(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    found = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]
    assert len(found) == docstrings_with_examples(path)
    runner, said = doctest.DocTestRunner(), io.StringIO()
    for test in found:
        runner.run(test, out=said.write)
    assert runner.tries
    assert not runner.failures, said.getvalue()


def test_every_package_has_doctests() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in EXAMPLES} == {*PACKAGES, "scripts"}


def test_every_metric_stands_in_the_docs_with_its_type_and_labels() -> None:
    rows = [row for row in table((DOCS / "api.md").read_text("utf-8")) if len(row) == 4]
    told = {name: (row[1], re.findall(r"`(\w+)`", row[2])) for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    for name, family in metrics.FAMILIES.items():
        suffix = "_total" if family.kind == "counter" else ""
        labels = ["writer", *([family.label] if family.label else [])]
        assert told[name + suffix] == (family.kind, labels), name
    text = (DOCS / "api.md").read_text("utf-8")
    rules = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])["groups"][0]["rules"]
    used = {name for rule in rules for name in re.findall(r"hypervision_(\w+)", rule["expr"])}
    assert {name.removesuffix("_bucket") for name in used} <= told.keys()
