"""The audit log: what a line is, what its hash covers, and whether a chain of lines is whole.

The database makes the chain (`hv.audit_chain` in schema.sql); here it is proved with nothing but the lines themselves,
so that neither the database's own functions nor its word are relied on.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import pwd
import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from hypervision.clock import to_us
from hypervision.errors import UsageError

BEGINNING: Final = bytes(32)
"""What stands for the hash before the first line."""
SEAL: Final = "audit_log.seal"
"""The action of a line that says up to which number older lines were let go."""
LONGEST: Final = 4_000
"""Characters of a text of a line; more is cut."""
_HEAD: Final = re.compile(r"(0|[1-9]\d{0,18}):([0-9a-f]{64})")
_SECRET: Final = re.compile(r"password|secret|token|hash|cookie|totp|recovery", re.IGNORECASE)
_HIDDEN: Final = "…"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts, and from where: an account and its address, or somebody on a command line."""

    actor: str
    address: str


_NOBODY: Final = Origin("system", "")
ORIGIN: ContextVar[Origin] = ContextVar("origin", default=_NOBODY)
"""Set for each request by the guard, and by the command line: what a line tells where nobody is named."""


def command_line() -> Origin:
    """Who runs this program: a user of the machine. No account is named so, for a colon is in no account's name."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return Origin(f"os:{name}", f"os:{name} on {platform.node() or 'this machine'}")


@dataclass(frozen=True, slots=True)
class Line:
    """One action of a person.

    Attributes
    ----------
    number : int
        Without a gap from 1 on.
    at : datetime
        By the clock of the database.
    actor : str
        The account, or whom a command line named.
    action : str
        Such as `alarm.acknowledge`.
    object_kind, object_id : str
        On what.
    before, after : str or None
        JSON, as the database writes it.
    role : str
        The database role of the process that asked for the line.
    previous, hash : bytes
        Of the line before and of this one, SHA-256.
    """

    number: int
    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    address: str
    reason: str
    before: str | None
    after: str | None
    role: str
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: kept elsewhere, it proves that nothing before it was changed, and nothing cut off."""

    number: int
    hash: bytes

    @classmethod
    def of(cls, text: str) -> Head:
        """Read what `str` wrote.

        Raises
        ------
        UsageError
            It is no head.
        """
        found = _HEAD.fullmatch(text.strip().lower())
        if found is None:
            raise UsageError(
                f"{text[:100]!r} is no head of an audit log", remedy="write it as `audit verify` prints it, NUMBER:HASH"
            )
        return cls(int(found[1]), bytes.fromhex(found[2]))

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


Fault = Literal["changed", "removed", "unlinked", "beginning", "cut", "other"]
"""What is wrong with the first broken line: its content is not what was hashed; a line before it is missing; it does
not follow the one before it; the lines before it are gone and no seal says so; lines after it are missing; it is not
the line of a head that was kept."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a verification.

    Attributes
    ----------
    lines : int
        Looked at.
    first : int
        The number of the oldest line there; 0 when there is none.
    head : Head
        The end that was found.
    broken : int or None
        The number of the first broken line; None: the chain is whole.
    fault : Fault or None
        What is wrong with it.
    unknown : sequence of Head
        Heads kept elsewhere of which the line was let go with a seal: they prove nothing any more.
    """

    lines: int
    first: int
    head: Head
    broken: int | None = None
    fault: Fault | None = None
    unknown: Sequence[Head] = ()


def canonical(line: Line) -> bytes:
    """What is hashed of a line besides the hash before it: each field with its length, so that none runs into another.

    Examples
    --------
    >>> field_of("é"), field_of(None)
    ('2:é,', '-,')
    """
    fields = (
        str(line.number), str(to_us(line.at)), line.actor, line.action, line.object_kind, line.object_id, line.address,
        line.reason, line.before, line.after, line.role,
    )  # fmt: skip
    return "".join(map(field_of, fields)).encode("utf-8")


def field_of(text: str | None) -> str:
    """One field of the canonical form."""
    return "-," if text is None else f"{len(text.encode('utf-8'))}:{text},"


def hash_of(line: Line) -> bytes:
    """The hash that a line must have."""
    return hashlib.sha256(line.previous + canonical(line)).digest()


@dataclass(slots=True)
class Chain:
    """Proves a chain from its oldest line on, a portion at a time.

    Parameters
    ----------
    heads : sequence of Head
        Kept elsewhere: each must be found.
    """

    heads: Sequence[Head] = ()
    _lines: int = 0
    _first: Line | None = None
    _last: Head = field(default=Head(0, BEGINNING))
    _broken: tuple[int, Fault] | None = None
    _seals: dict[int, bytes] = field(default_factory=dict)

    def feed(self, lines: Iterable[Line]) -> None:
        """Look at the next lines, in the order of their numbers."""
        wanted: dict[int, set[bytes]] = {}
        for head in self.heads:
            wanted.setdefault(head.number, set()).add(head.hash)
        for line in lines:
            self._lines += 1
            if self._broken is None:
                fault = self._fault(line, wanted)
                if fault is not None:
                    self._broken = (line.number, fault)
                elif line.action == SEAL:
                    self._note_seal(line)
            if self._first is None:
                self._first = line
            self._last = Head(line.number, line.hash)

    def _fault(self, line: Line, wanted: Mapping[int, set[bytes]]) -> Fault | None:
        if self._first is not None and line.number != self._last.number + 1:
            return "removed"
        if self._first is not None and line.previous != self._last.hash:
            return "unlinked"
        if hash_of(line) != line.hash:
            return "changed"
        if wanted.get(line.number, {line.hash}) != {line.hash}:
            return "other"
        return None

    def _note_seal(self, line: Line) -> None:
        found = json.loads(line.after or "{}")
        self._seals[int(found["through"])] = bytes.fromhex(found["hash"])

    def verdict(self) -> Verdict:
        """What was found, after the last line."""
        first = self._first
        broken = self._broken
        if first is not None and not self._begins(first):
            broken = (first.number, "beginning")
        unknown = []
        for head in sorted(self.heads, key=lambda head: head.number):
            if head.number > self._last.number and broken is None:
                broken = (self._last.number + 1, "cut")
            elif first is not None and 0 < head.number < first.number:
                kept = first.previous if head.number == first.number - 1 else self._seals.get(head.number)
                if kept is None:
                    unknown.append(head)
                elif kept != head.hash and broken is None:
                    broken = (head.number, "other")
        found = Verdict(self._lines, 0 if first is None else first.number, self._last, unknown=tuple(unknown))
        if broken is None:
            return found
        return Verdict(found.lines, found.first, found.head, broken[0], broken[1], found.unknown)

    def _begins(self, first: Line) -> bool:
        if first.number == 1:
            return first.previous == BEGINNING
        return self._seals.get(first.number - 1) == first.previous


def text_of(text: object) -> str:
    """A text as a line can hold it: without what PostgreSQL cannot store, and not longer than `LONGEST`."""
    found = str(text).replace("\0", "␀").encode("utf-8", "backslashreplace").decode("utf-8")
    return found if len(found) <= LONGEST else found[: LONGEST - 1] + "…"


def without_secrets(value: Any) -> Any:
    """What was or is, without what nobody may read: by the names of the fields.

    Examples
    --------
    >>> without_secrets({"role": "viewer", "password": "geheim", "of": [{"api_token": 1}]})
    {'role': 'viewer', 'password': '…', 'of': [{'api_token': '…'}]}
    """
    if isinstance(value, Mapping):
        return {
            text_of(key): _HIDDEN if _SECRET.search(str(key)) else without_secrets(each) for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has neither NaN nor the infinities.
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return text_of(value)
