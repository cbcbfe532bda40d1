"""The options of `hypervision rejected`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from hypervision.store.rejected import Chosen, Rejected
from ingest import rejects


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    rejects.configure(parser)
    return parser.parse_args(words)


def test_filters_choose() -> None:
    words = ("--reason", "bad_time", "--domain", "water", "--from", "2026-11-22T10:00:00Z", "--partial", "--waiting")
    chosen = rejects.chosen_by(options("list", *words))
    since = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert chosen == Chosen(reason="bad_time", domain="water", since=since, partial=True, replayed=False)
    assert chosen.values()["domain"] == "urban/v1/water/"
    assert rejects.chosen_by(options("replay", "--id", "3", "--id", "5", "--whole")) == Chosen(
        ids=(3, 5), partial=False
    )


@pytest.mark.parametrize(("text", "age"), [("90d", timedelta(days=90)), ("2w", timedelta(14)), ("24h", timedelta(1))])
def test_age_of_a_purge(text: str, age: timedelta) -> None:
    assert options("purge", "--older-than", text, "--author", "a").older_than == age


@pytest.mark.parametrize("text", ["23h", "0d", "90", "d", "-1d", "1.5d", "123456d"])
def test_senseless_age_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options("purge", "--older-than", text, "--author", "a")
    assert ended.value.code == 2
    assert "older-than" in capsys.readouterr().err


def test_purge_wants_who_answers_for_it() -> None:
    with pytest.raises(SystemExit):
        options("purge", "--older-than", "90d")


def test_line_tells_why_in_the_language_asked_for() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    row = Rejected(
        7, at, "p1", "urban/v1/water/p1/up", b"x", 1, "empty", "the message holds no reading.", 1, False, None
    )
    assert rejects.line(row, "fr").endswith("\n          le message ne contient aucune mesure")
    assert rejects.line(row, "en").endswith("\n          the message holds no reading.")
    assert options("list", "--language", "fr").language == "fr"
    assert options("list").language is None
