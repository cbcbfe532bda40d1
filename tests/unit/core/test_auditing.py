"""The chain of the audit log, proved from its lines alone: whatever is done to them is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.auditing import BEGINNING, LONGEST, SEAL, Chain, Head, Line, Verdict, canonical, hash_of, text_of
from hypervision.auditing import without_secrets as plain
from hypervision.errors import UsageError
from hypervision.telling import document, line_of, lines_of, told, verdict

AT = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)


def line(number: int, previous: bytes, **more: object) -> Line:
    given = {
        "at": AT + timedelta(minutes=number), "actor": "anna", "action": "alarm.acknowledge", "object_kind": "alarm",
        "object_id": str(number), "address": "10.0.0.9", "reason": "vu", "before": '{"state": "UNACK"}',
        "after": '{"state": "ACKED"}', "role": "hypervision_serve",
    }  # fmt: skip
    made = Line(number=number, previous=previous, hash=b"", **(given | more))  # type: ignore[arg-type]
    return replace(made, hash=hash_of(made))


def chain(length: int, **of_last: object) -> list[Line]:
    made: list[Line] = []
    for number in range(1, length + 1):
        more = of_last if number == length else {}
        made.append(line(number, made[-1].hash if made else BEGINNING, **more))
    return made


def proved(lines: list[Line], *heads: Head) -> Verdict:
    found = Chain(heads)
    # In portions, as they are read.
    found.feed(lines[:2])
    found.feed(lines[2:])
    return found.verdict()


def head_of(lines: list[Line]) -> Head:
    return Head(lines[-1].number, lines[-1].hash)


def test_chain_that_nobody_touched_is_whole() -> None:
    lines = chain(6)
    assert proved(lines, head_of(lines), head_of(lines[:3])) == Verdict(6, 1, head_of(lines))
    assert proved([]) == Verdict(0, 0, Head(0, BEGINNING))


FORGED: dict[str, Callable[[Line], Line]] = {
    "actor": lambda x: replace(x, actor="bob"),
    "time": lambda x: replace(x, at=x.at + timedelta(microseconds=1)),
    "reason": lambda x: replace(x, reason=""),
    "after": lambda x: replace(x, after=None),
    "before": lambda x: replace(x, before='{"state":"UNACK"}'),
    "role": lambda x: replace(x, role="hypervision"),
    "object": lambda x: replace(x, object_id="9"),
    "address": lambda x: replace(x, address="10.0.0.90"),
    "hash": lambda x: replace(x, hash=bytes(32)),
}


@pytest.mark.parametrize("how", FORGED)
@pytest.mark.parametrize("index", [0, 3, 5])
def test_line_that_was_forged_is_named(how: str, index: int) -> None:
    lines = chain(6)
    lines[index] = FORGED[how](lines[index])
    found = proved(lines)
    assert (found.broken, found.fault) == (index + 1, "changed")
    assert verdict(found)[0] == f"line {index + 1} is broken: its content is not what was written"


def test_line_that_was_forged_with_its_hash_breaks_the_next_one() -> None:
    lines = chain(6)
    lines[2] = line(3, lines[1].hash, actor="bob")
    found = proved(lines)
    assert (found.broken, found.fault) == (4, "unlinked")


def test_line_that_was_taken_out_is_missed_by_the_next_one() -> None:
    lines = chain(6)
    found = proved(lines[:2] + lines[3:])
    assert (found.broken, found.fault) == (4, "removed")


def test_lines_that_changed_places_are_found() -> None:
    lines = chain(6)
    lines[2], lines[3] = replace(lines[3], number=3), replace(lines[2], number=4)
    found = proved(lines)
    assert (found.broken, found.fault) == (3, "unlinked")


def test_end_that_was_cut_off_is_found_by_a_head_alone() -> None:
    lines = chain(6)
    assert proved(lines[:4]).broken is None
    found = proved(lines[:4], head_of(lines))
    assert (found.broken, found.fault, found.head) == (5, "cut", head_of(lines[:4]))
    found = proved([], head_of(lines))
    assert (found.broken, found.fault) == (1, "cut")


def test_chain_that_was_written_anew_is_found_by_a_head_alone() -> None:
    kept = head_of(chain(6)[:4])
    forged = [line(1, BEGINNING, actor="bob")]
    for number in range(2, 7):
        forged.append(line(number, forged[-1].hash))
    assert proved(forged).broken is None
    found = proved(forged, kept)
    assert (found.broken, found.fault) == (4, "other")


def test_beginning_that_is_missing_needs_its_seal() -> None:
    lines = chain(5)
    sealing = {"through": 3, "hash": lines[2].hash.hex()}
    sealed = [*lines, line(6, lines[-1].hash, action=SEAL, after=json.dumps(sealing))]
    assert proved(sealed[3:], head_of(sealed)) == Verdict(3, 4, head_of(sealed))
    # Of the head that was sealed away, the seal itself knows the hash.
    assert proved(sealed[3:], head_of(lines[:3])).broken is None
    assert proved(sealed[3:], Head(3, bytes(32))).fault == "other"
    assert proved(sealed[3:], head_of(lines[:2])).unknown == (head_of(lines[:2]),)
    for missing in (lines[3:], sealed[4:], sealed[2:]):
        found = proved(missing)
        assert (found.broken, found.fault) == (missing[0].number, "beginning")
    wrong = [*lines, line(6, lines[-1].hash, action=SEAL, after=json.dumps(sealing | {"hash": "00" * 32}))]
    assert proved(wrong[3:]).fault == "beginning"


def test_first_line_that_follows_something_is_no_first_line() -> None:
    found = proved([line(1, b"1" * 32)])
    assert (found.broken, found.fault) == (1, "beginning")


@given(st.lists(st.none() | st.text(), min_size=8, max_size=8), st.lists(st.none() | st.text(), min_size=8, max_size=8))
def test_fields_never_run_into_each_other(one: list[str | None], other: list[str | None]) -> None:
    names = ("actor", "action", "object_kind", "object_id", "address", "reason", "before", "after")
    made = [canonical(line(1, BEGINNING, **dict(zip(names, texts, strict=True)))) for texts in _writable(one, other)]
    assert (made[0] == made[1]) is (_writable(one) == _writable(other))


def _writable(*texts: list[str | None]) -> list[list[str | None]]:
    return [[None if t is None else t.encode("utf-8", "replace").decode() for t in each] for each in texts]


def test_head_is_read_as_it_is_written() -> None:
    head = head_of(chain(3))
    assert Head.of(f" {str(head).upper()}\n") == head
    for text in ("", "3", "3:", "-1:" + "0" * 64, "03:" + "0" * 64, "3:" + "0" * 63, "3:" + "g" * 64):
        with pytest.raises(UsageError, match="no head of an audit log"):
            Head.of(text)


def test_secrets_and_what_no_database_holds_stay_out() -> None:
    given = {"password_hash": "x", "api_token": "y", "Secret": "z", "name": "a\0b\ud800", "n": float("nan"), "at": AT}
    assert plain(given) == {
        "password_hash": "…", "api_token": "…", "Secret": "…", "name": "a␀b\\ud800", "n": "nan", "at": AT.isoformat(),
    }  # fmt: skip
    json.dumps(plain({"deep": [{"cookie": 1, "x": (1, 2.5, None, True)}]}), allow_nan=False)
    assert len(text_of("é" * 9_000)) == LONGEST


def test_export_is_read_back_as_it_was() -> None:
    lines = chain(3, reason="é\u2028\n", before=None)
    texts = [json.dumps(document(each), ensure_ascii=False) for each in lines]
    assert list(lines_of(texts, name="f")) == lines
    assert line_of(document(lines[2])).at == lines[2].at
    for broken in ("{}", "[]", "1", '{"number": 1}', texts[0][:-5], texts[0].replace("2026-", "x")):
        with pytest.raises(UsageError, match="line 2 of f is no line"):
            list(lines_of([texts[0], broken], name="f"))


def test_line_on_a_terminal_obeys_nothing() -> None:
    shown = told(chain(1, reason="\x1b[2Jweg\nzwei")[0])
    assert "\x1b" not in shown
    assert shown.count("\n") == 3
    assert "anna  alarm.acknowledge  alarm 1: ·[2Jweg·zwei" in shown
