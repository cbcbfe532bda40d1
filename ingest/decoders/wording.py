"""Values from outside in a sentence: short, printable, cheap however large they are."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 64


def shown(value: object) -> str:
    r"""A value as a person may read it in a refusal.

    Examples
    --------
    >>> shown("a\x00" + "b" * 100)[:20], shown({"deep": {}}), shown(None)
    ("'a\\x00bbbbbbbbbbbbbb", 'an object', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        # Cut before repr: a text of a megabyte must not be escaped whole.
        text = repr(value[:_LONGEST])
        return _cut(text) if len(value) <= _LONGEST else _cut(text[:-1]) + "…'"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 77 digits"
    return _cut(repr(value))


def _cut(text: str) -> str:
    # Escapes of control characters can make the text longer than what was cut.
    return text if len(text) <= _LONGEST + 2 else text[:_LONGEST] + "…"
