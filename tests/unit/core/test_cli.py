"""The command line: usage, exit codes, one sentence for what a person can mend."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from hypervision import cli
from hypervision.errors import ServiceError
from hypervision.settings import Settings
from hypervision.verbs import Verb


@pytest.fixture
def with_verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[Settings]]:
    """Install one verb `try` that does what the test says, in an environment without settings."""
    for name in [name for name in __import__("os").environ if name.startswith("HYPERVISION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HYPERVISION_DATA_DIR", str(tmp_path))

    def install(does: Callable[[Settings], int], name: str = "try") -> list[Settings]:
        seen: list[Settings] = []

        def run(_options: argparse.Namespace, settings: Settings) -> int:
            seen.append(settings)
            return does(settings)

        verb = Verb(name, "does what a test wants", run)

        class Entry:
            def __init__(self) -> None:
                self.name = name

            def load(self) -> Any:
                return verb

        monkeypatch.setattr(cli, "entry_points", lambda **_: [Entry()])
        return seen

    return install


def test_no_verb_prints_the_overview_and_is_wrong_usage(
    with_verb: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with_verb(lambda _: 0)
    assert cli.main([]) == 2
    assert "try" in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["--help", "-h", "help"])
def test_help_lists_every_verb(with_verb: Callable[..., Any], capsys: pytest.CaptureFixture[str], asked: str) -> None:
    with_verb(lambda _: 0)
    assert cli.main([asked]) == 0
    assert "does what a test wants" in capsys.readouterr().out


def test_unknown_verb_is_wrong_usage(with_verb: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    with_verb(lambda _: 0)
    assert cli.main(["tyr"]) == 2
    assert capsys.readouterr().err == "hypervision: there is no verb 'tyr': see hypervision --help\n"


@pytest.mark.parametrize("option", ["--colour", "--http", "--http-port=many"])
def test_unknown_or_wrong_option_is_wrong_usage(with_verb: Callable[..., Any], option: str) -> None:
    with_verb(lambda _: 0)
    with pytest.raises(SystemExit) as ended:
        cli.main(["try", option])
    assert ended.value.code == 2


@pytest.mark.parametrize("code", [0, 1])
def test_exit_code_is_the_verbs(with_verb: Callable[..., Any], code: int) -> None:
    with_verb(lambda _: code)
    assert cli.main(["try"]) == code


def test_options_reach_the_settings(with_verb: Callable[..., list[Settings]], tmp_path: Path) -> None:
    seen = with_verb(lambda _: 0)
    chosen = ["--data-dir", str(tmp_path / "d"), "--http-port", "0", "--mqtt-port", "7", "--log-level", "error"]
    assert cli.main(["try", *chosen]) == 0
    (settings,) = seen
    assert (settings.data_dir, settings.http.port, settings.broker.port, settings.log_level) == (
        tmp_path / "d", 0, 7, "error",
    )  # fmt: skip
    assert "port" in settings.http.model_fields_set


def test_port_that_was_not_given_is_not_set(with_verb: Callable[..., list[Settings]]) -> None:
    seen = with_verb(lambda _: 0)
    cli.main(["try"])
    assert "port" not in seen[0].http.model_fields_set


@pytest.mark.parametrize(
    "words",
    [
        ["--http-port", "70000"], ["--mqtt-port", "-1"], ["--http-port", "abc"], ["--http-port", "9" * 5000],
        ["--data-dir", ""], ["--data-dir="],
    ],
)  # fmt: skip
def test_wrong_value_of_an_option_is_wrong_usage(
    with_verb: Callable[..., list[Settings]], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    seen = with_verb(lambda _: 0)
    with pytest.raises(SystemExit) as ended:
        cli.main(["try", *words])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"hypervision try: error: argument {words[0].rstrip('=')}: ")
    assert len(said) < 160
    assert not seen


@pytest.mark.parametrize("words", [["try", "x\udcff"], ["\udcff"], ["try", "--data-dir", "/tmp/\udcff"]])
def test_argument_that_is_no_text_is_wrong_usage(
    with_verb: Callable[..., list[Settings]], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    seen = with_verb(lambda _: 0)
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert "is not valid UTF-8" in error
    assert error.count("\n") == 1
    assert not seen


@pytest.mark.parametrize(("variable", "value"), [("HTTP__PORT", "70000"), ("DATABASE_URL", "foo"), ("MQTT_URL", "x")])
def test_wrong_setting_is_one_sentence_and_nothing_runs(
    with_verb: Callable[..., list[Settings]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
) -> None:
    seen = with_verb(lambda _: 0)
    monkeypatch.setenv(f"HYPERVISION_{variable}", value)
    assert cli.main(["try"]) == 1
    error = capsys.readouterr().err
    assert f"'{variable.lower().replace('__', '.')}'" in error
    assert error.count("\n") == 1
    assert not seen


def test_error_is_one_sentence_and_exit_code_1(
    with_verb: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Settings) -> int:
        raise ServiceError("port 1883 is busy", remedy="choose another with --mqtt-port")

    with_verb(fails)
    assert cli.main(["try"]) == 1
    assert capsys.readouterr().err == "hypervision try: port 1883 is busy: choose another with --mqtt-port\n"


def test_full_disk_is_one_sentence_and_exit_code_1(
    with_verb: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Settings) -> int:
        raise OSError(28, "No space left on device", "/data/x")

    with_verb(fails)
    assert cli.main(["try"]) == 1
    error = capsys.readouterr().err
    assert "/data/x" in error
    assert "No space left on device" in error
    assert error.count("\n") == 1


def test_interrupt_ends_without_a_traceback(with_verb: Callable[..., Any]) -> None:
    def interrupted(_: Settings) -> int:
        raise KeyboardInterrupt

    with_verb(interrupted)
    assert cli.main(["try"]) == 130


def test_demo_has_its_own_defaults(with_verb: Callable[..., list[Settings]]) -> None:
    seen = with_verb(lambda _: 0, name="demo")
    cli.main(["demo"])
    assert (seen[0].demo, seen[0].registration) == (True, "open")


def test_entry_point_is_what_the_command_line_finds() -> None:
    found = {entry.name for entry in entry_points(group=cli.GROUP)}
    assert {"up", "demo", "db", "watch", "accounts", "things", "observations"} <= found
    assert all(isinstance(entry, EntryPoint) for entry in entry_points(group=cli.GROUP))


def test_common_options_stand_anywhere(tmp_path: Path) -> None:
    """Also after an action: `hypervision rejected list --data-dir D`."""
    verb = Verb("words", "", lambda _options, _settings: 0, _with_actions)
    for words in (
        ["--data-dir", str(tmp_path), "list", "--limit", "3"],
        ["list", "--limit", "3", "--data-dir", str(tmp_path)],
    ):
        options = cli._parse(verb, words)
        assert (options.data_dir, options.action, options.limit) == (tmp_path, "list", 3)


@pytest.mark.parametrize(
    "words",
    [
        ["rejected", "list", "--limit", "-5"],
        ["rejected", "list", "--limit", "0"],
        ["rejected", "list", "--limit", "99999999999999999999"],
        ["rejected", "list", "--limit", "many"],
        ["rejected", "replay", "--id", "99999999999999999999"],
    ],
)
def test_number_out_of_range_is_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert f"argument {words[2]}: " in capsys.readouterr().err


VERBS = {entry.name: entry.load() for entry in entry_points(group=cli.GROUP)}


def options_of(parser: argparse.ArgumentParser, *words: str) -> Iterator[tuple[tuple[str, ...], argparse.Action]]:
    """Every option of a verb and of its actions, with the words that lead to it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options_of(inner, *words, name)
        else:
            yield words, action


OPTIONS = [(words, option) for name, verb in VERBS.items() for words, option in options_of(cli._parser(verb), name)]
NUMBERS = {
    (*words, option.option_strings[0])
    for words, option in OPTIONS
    # What has no name is told apart by its place: `test_number_without_a_name…`.
    if option.option_strings and getattr(option.type, "__qualname__", "").startswith(("whole.", "number."))
}
COMMON = {"--http-port", "--mqtt-port"}
SIGNED = {("rules", "propose", "--limit")}


def test_option_that_takes_a_number_has_bounds() -> None:
    assert [(words, option.dest) for words, option in OPTIONS if option.type in (int, float, complex)] == []
    # A default that is a number tells that a number is meant.
    meant = {
        (*words, option.option_strings[0])
        for words, option in OPTIONS
        if isinstance(option.default, int | float) and not isinstance(option.default, bool)
    }
    assert meant
    assert meant <= NUMBERS
    assert {
        ("simulate", "--speed"), ("simulate", "--seed"), ("simulate", "--history"), ("analyse", "--every"),
        ("bench", "ingest", "--seconds"), ("models", "evaluate", "--scenarios"), ("db", "migrate", "--wait"),
    } <= NUMBERS  # fmt: skip


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e999", "9" * 50, "9" * 5000, "many", "", "1,5"])
@pytest.mark.parametrize("words", sorted(n for n in NUMBERS if n[0] == "up" or n[-1] not in COMMON), ids=" ".join)
def test_number_out_of_bounds_is_refused_in_one_sentence(
    words: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *verb, option = words
    if words in SIGNED:
        value = value.replace("-1", "-1e31")
    with pytest.raises(SystemExit) as ended:
        cli.main([*verb, f"{option}={value}"])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{option}: {value[:40]}" in said or f"{option}: {value[:40]!r}" in said
    assert re.search(r" from \S+ to \S+$", said)
    assert len(said) < 200


@pytest.mark.parametrize("value", ["nan", "-1", "9" * 50, "many", "", "1,5"])
@pytest.mark.parametrize("words", [("alarms", "acknowledge"), ("alarms", "end"), ("rules", "approve")], ids=" ".join)
def test_number_without_a_name_is_refused_out_of_bounds(
    words: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--author", "anna", "--", value])
    assert ended.value.code == 2
    assert re.search(r" from \S+ to \d+$", capsys.readouterr().err.splitlines()[-1])


@pytest.mark.parametrize(("text", "read"), [("0.5", 0.5), ("9", 9.0), ("1e0", 1.0), (" 3 ", 3.0)])
def test_number_inside_its_bounds_is_read(text: str, read: float) -> None:
    assert cli.number(0.5, 9)(text) == read


def test_property_given_twice_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["publish", "px", "flow=1", "pressure=2", "flow =2"]) == 2
    error = capsys.readouterr().err
    assert "'flow'" in error
    assert error.count("\n") == 1


def _with_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list").add_argument("--limit", type=int)
