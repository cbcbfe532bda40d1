"""Payloads of strangers as text that can be shown and sent: never run, never taken for markup or for a command."""

from __future__ import annotations

import codecs
from typing import Final, Literal

Encoding = Literal["utf-8", "hex"]
_KEPT: Final = " \n\t"


def readable(payload: bytes, *, whole: bool = True) -> tuple[str, Encoding]:
    r"""A payload as the text it is, or in hexadecimal digits where it is none.

    Parameters
    ----------
    whole : bool
        False: it was cut, so that its last character may be half.

    Examples
    --------
    >>> readable(b'{"flow": 1}'), readable(b"\xff\x00"), readable("é".encode()[:1], whole=False)
    (('{"flow": 1}', 'utf-8'), ('ff00', 'hex'), ('', 'utf-8'))
    """
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(payload, final=whole), "utf-8"
    except UnicodeDecodeError:
        return payload.hex(), "hex"


def visible(text: str) -> str:
    r"""Text in which every character is seen: what has no shape, or turns its neighbours round, stands as its number.

    Examples
    --------
    >>> print(visible("a\x00b\u202ec\n"))
    a\x00b\u202ec\n
    """
    return "".join(c if c.isprintable() else _number(c) for c in text)


def _number(character: str) -> str:
    # As Python writes it: \n, \x00, \u202e.
    return repr(character)[1:-1]
