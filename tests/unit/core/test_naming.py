"""Which names people may give."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hypervision.errors import SettingError
from hypervision.naming import LONGEST, name_of
from hypervision.store.registry import NewThing, register_things


@pytest.mark.parametrize("name", ["Pompe n\u00b0\u202f7", "Ch\u00e2teau d\u2019eau", "\u6c34", "x" * LONGEST])
def test_name_that_people_can_read_is_taken_as_it_is(name: str) -> None:
    assert name_of(name, of="p") == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * (LONGEST + 1), "it has 201 characters"),
        ("a\x1b[2J", "U+001B"),
        ("a\u202egnp", "U+202E"),
        ("a\u200f", "U+200F"),
        ("a\ud800", "U+D800"),
        ("", "it is empty"),
        ("\u00a0 ", "it is empty"),
    ],
)
def test_name_that_cannot_be_shown_is_refused_in_a_sentence_that_can(name: str, why: str) -> None:
    with pytest.raises(SettingError) as caught:
        name_of(name, of="p")
    assert why in str(caught.value)
    assert str(caught.value).isprintable()


def test_things_of_a_list_are_asked_for_their_names_before_any_is_registered() -> None:
    nobody: Any = None
    things = [NewThing("a", "A", "water"), NewThing("b", "B\x07", "water")]
    with pytest.raises(SettingError, match=r"of b cannot be taken \(it holds the unprintable character U\+0007\)"):
        register_things(nobody, things, now=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(SettingError, match="of depot cannot be taken"):
        register_things(nobody, [], now=datetime(2026, 1, 1, tzinfo=UTC), organisations={"depot": ""})
