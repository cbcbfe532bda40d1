"""The audit log in words and in files: what is shown of a line, what a proof says, exports that can be proved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from hypervision.auditing import Fault, Line, Verdict
from hypervision.errors import UsageError

FAULTS: Final[dict[Fault, str]] = {
    "changed": "its content is not what was written",
    "removed": "a line before it is missing",
    "unlinked": "it does not follow the line before it",
    "beginning": "the lines before it are missing, and no seal let them go",
    "cut": "it is missing, and every line after it",
    "other": "it is not the line that the head kept of it names",
}


def document(line: Line) -> dict[str, Any]:
    """A line for JSON; what was and is stays as the text that was hashed."""
    return {
        "number": line.number,
        "at": line.at.astimezone(UTC).isoformat(),
        "actor": line.actor,
        "action": line.action,
        "object_kind": line.object_kind,
        "object_id": line.object_id,
        "address": line.address,
        "reason": line.reason,
        "before": line.before,
        "after": line.after,
        "role": line.role,
        "previous": line.previous.hex(),
        "hash": line.hash.hex(),
    }


def line_of(found: Any) -> Line:
    """The line that `document` wrote.

    Raises
    ------
    ValueError, TypeError, KeyError
        It is none.
    """
    return Line(
        **{
            **found,
            "at": datetime.fromisoformat(found["at"]),
            "previous": bytes.fromhex(found["previous"]),
            "hash": bytes.fromhex(found["hash"]),
        }
    )


def lines_of(texts: Iterable[str], *, name: str) -> Iterator[Line]:
    """The lines of an export, one JSON document each.

    Raises
    ------
    UsageError
        One of them is none.
    """
    for number, text in enumerate(texts, 1):
        try:
            yield line_of(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UsageError(
                f"line {number} of {name} is no line of an audit log", remedy="name a file that `audit export` wrote"
            ) from None


def told(line: Line) -> str:
    """A line for a terminal, without what a terminal would obey."""
    what = " ".join(part for part in (line.object_kind, line.object_id) if part)
    why = f": {line.reason}" if line.reason else ""
    at = f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    texts = [
        f"{line.number:>8}  {at}  {line.actor}  {line.action}  {what}{why}",
        f"          from {line.address or 'within the platform'}, as {line.role}",
        *(f"          {name} {text}" for name, text in (("before", line.before), ("after", line.after)) if text),
    ]
    return "\n".join(map(_plain, texts))


def verdict(found: Verdict) -> list[str]:
    """What a verification says, line by line; the head last, to be kept elsewhere."""
    if found.broken is not None and found.fault is not None:
        said = [f"line {found.broken} is broken: {FAULTS[found.fault]}"]
    elif not found.lines:
        said = ["the audit log has no lines yet"]
    else:
        said = [f"{found.lines:,} lines are whole, from {found.first} to {found.head.number}"]
    said += [f"{head} proves nothing any more: its line was let go under a seal" for head in found.unknown]
    return [*said, f"head {found.head}"]


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)
