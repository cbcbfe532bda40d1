"""Payload bytes to JSON values, whatever the bytes are."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from ingest.decoders.wording import shown

# What makes orjson refuse a whole document though only one number in it is at fault.
_ODD_NUMBER: Final = re.compile(rb"NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{309}")


class MalformedError(ValueError):
    """The payload is no JSON document."""


def parse(payload: bytes) -> Any:
    """Read a JSON document; NaN, Infinity and numbers beyond float are kept for the value to be refused alone.

    Raises
    ------
    MalformedError
        With one sentence for a person.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _second_look(payload, error)


def _second_look(payload: bytes, error: orjson.JSONDecodeError) -> Any:
    if not payload:
        raise MalformedError("the payload is empty.") from None
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise MalformedError(f"the payload is not UTF-8 (byte {payload[wrong.start]:#04x} at {wrong.start}).") from None
    if "\0" in text:
        raise MalformedError(f"the payload holds a NUL character (at {text.index(chr(0))}).") from None
    if _ODD_NUMBER.search(payload):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    near = text[max(0, error.pos - 8) : error.pos + 16]
    raise MalformedError(
        f"the payload is not JSON: {error.msg.split(':')[0]} at character {error.pos}, near {shown(near)}."
    ) from None
