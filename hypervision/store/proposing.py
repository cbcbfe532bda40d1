"""The life of rules in the database: proposed, approved, in force, given back; every version is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.clock import from_us
from hypervision.errors import AccessError, ConflictError, RuleError, UsageError
from hypervision.ruling import OF_THE_DESK, Definition, changes
from hypervision.seams import Seam
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.rulebook import NOBODY, WAITING, Proposal, Standing, rules, version
from hypervision.store.rules import COMPUTED
from hypervision.store.sql import query


@contextmanager
def _committed(connection: Connection) -> Iterator[None]:
    """All of it, committed; or nothing, also where the caller has read something before."""
    with mapped():
        with connection.transaction():
            yield
        if not connection.autocommit:
            connection.commit()


def propose(
    connection: Connection,
    wanted: Definition,
    *,
    base: int,
    author: str,
    reason: str,
    now: datetime,
    effective_from: datetime | None = None,
    draft: bool = False,
) -> int:
    """Propose a rule, or keep it as a draft. Commits.

    Parameters
    ----------
    base : int
        The version that the author looked at; 0: the rule is new.
    effective_from : datetime, optional
        Not in force before; None: as soon as it is approved.

    Returns
    -------
    int
        The proposal's number.

    Raises
    ------
    ConflictError
        The rule has another version meanwhile, or a proposal of it waits; the error says whose.
    RuleError
        It names a Thing that is not there, or no reason.
    UsageError
        It changes nothing.
    """
    _check_reason(reason)
    with _committed(connection):
        _things(connection, wanted)
        found = rules(connection, wanted.code)
        _check_base(wanted.code, found, base)
        if found and not changes(found[0].document, wanted.document()):
            raise UsageError(f"nothing differs from version {base} of {wanted.code}", remedy="change a field first")
        values = {
            "code": wanted.code, "base": base, "document": Jsonb(wanted.document()), "back_to": None, "reason": reason,
            "effective_from": effective_from, "author": author, "at": now,
        }  # fmt: skip
        if draft:
            return int(_number(connection.execute(query("rulebook_put_draft"), values).fetchone()))
        made = _put(connection, values)
        connection.execute(query("rulebook_drop_draft"), {"code": wanted.code, "author": author})
        told = {change.field: change.after for change in changes(found[0].document if found else {}, wanted.document())}
        audit.note(connection, "rule.propose", kind="rule", ident=wanted.code, actor=author, reason=reason, after=told)
        return made


def _put(connection: Connection, values: Mapping[str, Any]) -> int:
    row = connection.execute(query("rulebook_put_proposal"), values).fetchone()
    if row is None:
        waiting = {"code": values["code"], "states": list(WAITING), "reader": "", "limit": 1}
        other = Proposal(*_row(connection.execute(query("rulebook_proposals"), waiting).fetchone()))
        raise ConflictError(
            f"{other.author} proposed a change of {other.code} at {other.at:%Y-%m-%d %H:%M} UTC, which waits",
            by=other.author,
            remedy=f"approve, refuse or withdraw proposal {other.proposal_id} first",
        )
    return int(row[0])


def roll_back(
    connection: Connection, code: str, number: int, *, base: int, author: str, reason: str, now: datetime
) -> int:
    """Give an old version back: a new version equal to it. Commits.

    It was approved once, so nobody is asked again: the approver of the old version stands for it.

    Returns
    -------
    int
        The proposal's number; it is approved.

    Raises
    ------
    ConflictError
        As in `propose`.
    UsageError
        There is no such version, or it is the one in force.
    """
    _check_reason(reason)
    with _committed(connection):
        old = version(connection, code, number)
        found = rules(connection, code)
        _check_base(code, found, base)
        # A version of before the alarm desk says nothing of it.
        kept = {name: found[0].document[name] for name in OF_THE_DESK}
        document = {**kept, **old.document}
        if not changes(found[0].document, document):
            raise UsageError(f"version {number} of {code} is what is in force", remedy="choose another")
        values = {
            "code": code, "base": base, "document": Jsonb(document), "back_to": number, "reason": reason,
            "effective_from": None, "author": author, "at": now,
        }  # fmt: skip
        made = _put(connection, values)
        by = old.approved_by or old.author
        decided = {"proposal_id": made, "state": "approved", "actor": by, "at": now, "remark": f"version {number}"}
        connection.execute(query("rulebook_decide"), decided)
        audit.note(
            connection, "rule.roll_back", kind="rule", ident=code, actor=author, reason=reason,
            before={"version": base}, after={"like": number},
        )  # fmt: skip
        return made


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > 1000:
        raise RuleError("reason", reason, "say why, for who asks in a year: 1 to 1000 letters")


def _check_base(code: str, found: Sequence[Standing], base: int) -> None:
    if found and found[0].version != base:
        by = found[0].edited_by
        what = "is there already" if base == 0 else f"is at version {found[0].version}, not {base}, any more"
        raise ConflictError(f"{code} {what}: {by} was first", by=by, remedy="look at it again, then propose anew")
    if not found and base:
        raise UsageError(f"there is no rule {code}", remedy="propose it with base 0")


def _things(connection: Connection, wanted: Definition) -> dict[str, int]:
    """Ids of the Things that a rule names."""
    if not wanted.things:
        return {}
    rows = connection.execute(query("rulebook_things"), {"codes": list(wanted.things)}).fetchall()
    found = {row[0]: row[1] for row in rows}
    for code in wanted.things:
        if code not in found:
            raise RuleError(f"things.{code}", code, "give the code of a Thing that is registered")
    return found


def decide(
    connection: Connection,
    proposal_id: int,
    *,
    state: str,
    actor: str,
    now: datetime,
    remark: str = "",
    one_person: bool = False,
) -> Proposal:
    """Approve, refuse or withdraw a proposal. Commits.

    Parameters
    ----------
    state : str
        `approved`, `refused` or `withdrawn`.
    one_person : bool
        Whoever proposed may approve.

    Raises
    ------
    AccessError
        Its author may not approve it, or somebody else may not withdraw it.
    ConflictError
        It was decided before, or the rule was edited meanwhile; the error says by whom.
    UsageError
        There is no such proposal.
    """
    with _committed(connection):
        found = held(connection, proposal_id)
        if found is None or found.state == "draft":
            raise UsageError(f"there is no proposal {proposal_id}", remedy="see `hypervision rules list --proposals`")
        decidable = found.state == "proposed" or (found.state == "approved" and state in ("refused", "withdrawn"))
        if not decidable:
            by = found.decided_by or found.author
            raise ConflictError(
                f"proposal {proposal_id} of {found.code} is {found.state.replace('_', ' ')}: {by} was first",
                by=by, remedy="look at the rule again",
            )  # fmt: skip
        if state == "approved" and actor == found.author and not one_person:
            raise AccessError(
                f"{actor} proposed it", remedy="let a second person approve it, or set rules.one_person = true"
            )
        if state == "withdrawn" and actor != found.author:
            raise AccessError(f"{found.author} proposed it", remedy="refuse it instead")
        if state == "approved":
            _check_base(found.code, rules(connection, found.code), found.base)
        decided = {"proposal_id": proposal_id, "state": state, "actor": actor, "at": now, "remark": remark}
        connection.execute(query("rulebook_decide"), decided)
        told = {"proposal": proposal_id, "author": found.author, "state": state}
        audit.note(connection, "rule.decide", kind="rule", ident=found.code, actor=actor, reason=remark, after=told)
        again = held(connection, proposal_id)
        assert again is not None
        return again


def held(connection: Connection, proposal_id: int) -> Proposal | None:
    """A proposal, held until the commit."""
    row = connection.execute(query("rulebook_proposal"), {"proposal_id": proposal_id}).fetchone()
    return None if row is None else Proposal(*row)


def due(connection: Connection, *, now: datetime) -> list[int]:
    """Approved proposals whose time has come, in their order."""
    return [row[0] for row in connection.execute(query("rulebook_due"), {"now": now}).fetchall()]


def hold(connection: Connection) -> None:
    """Let the batches wait until the commit: what they have judged was judged by the version before."""
    connection.execute(query("rulebook_hold"))


def newest_receipt(connection: Connection, definition: Definition) -> datetime | None:
    """When the newest reading that a rule judges was received."""
    values = {"domain": definition.domain, "property": definition.property or ""}
    return _row(connection.execute(query("rulebook_newest_receipt"), values).fetchone())[0]  # type: ignore[no-any-return]


def put_in_force(
    connection: Connection, proposal: Proposal, wanted: Definition, *, at: datetime
) -> tuple[int, int] | None:
    """Make a proposal the rule's next version, in the transaction of the caller, who holds the set.

    Returns
    -------
    tuple of int or None
        The rule and its version; None: it was edited meanwhile, and the proposal is overtaken.
    """
    found = rules(connection, wanted.code)
    if (found[0].version if found else 0) != proposal.base:
        by = found[0].edited_by if found else NOBODY
        overtaken = {"proposal_id": proposal.proposal_id, "state": "overtaken", "actor": by, "at": at,
                     "remark": "the rule was edited meanwhile"}  # fmt: skip
        connection.execute(query("rulebook_decide"), overtaken)
        return None
    things = _things(connection, wanted)
    document = wanted.document()
    prop = wanted.property
    values = document | {
        "property": f"{COMPUTED}{prop}" if wanted.formula is not None else prop,
        "extra": Jsonb(wanted.extra()),
        "causes": Jsonb(document["suppressed_by"]),
    }
    if found:
        # An edit that was made past this book is put down before it is replaced.
        noted = {"rule_id": found[0].rule_id, "version": found[0].version, "at": at - timedelta(microseconds=1),
                 "actor": NOBODY, "document": Jsonb(found[0].document), "approved_by": None, "reason": "",
                 "proposal_id": None}  # fmt: skip
        connection.execute(query("rulebook_note_version"), noted)
    name = query("rulebook_change_rule") if found else query("rulebook_new_rule")
    rule_id, number = _row(connection.execute(name, values).fetchone())
    connection.execute(query("rulebook_drop_overrides"), {"rule_id": rule_id})
    if wanted.things:
        with connection.cursor() as cursor:
            cursor.executemany(
                query("rulebook_put_override"),
                [
                    {"rule_id": rule_id, "thing_id": things[code], "limit": own.limit, "deadband": own.deadband,
                     "enabled": own.enabled}
                    for code, own in wanted.things.items()
                ],
            )  # fmt: skip
    connection.execute(
        query("rulebook_note_version"),
        {
            "rule_id": rule_id, "version": number, "at": at, "actor": proposal.author, "document": Jsonb(document),
            "approved_by": proposal.decided_by, "reason": proposal.reason, "proposal_id": proposal.proposal_id,
        },
    )  # fmt: skip
    became = {"proposal_id": proposal.proposal_id, "version": number, "at": at}
    connection.execute(query("rulebook_in_force"), became)
    connection.execute(query("advance_rule_set"))
    return rule_id, number


def give_up(connection: Connection, proposal_id: int, remark: str, *, now: datetime) -> None:
    """Refuse what cannot be put in force any more, in the transaction of the caller."""
    refused = {"proposal_id": proposal_id, "state": "refused", "actor": "watch", "at": now, "remark": remark[:1000]}
    connection.execute(query("rulebook_decide"), refused)


def put_seams(connection: Connection, seams: Sequence[Seam]) -> None:
    """Put down where versions begin, in the transaction of the caller."""
    if seams:
        ordered = sorted(seams)
        values = {
            "rule_id": [seam.rule_id for seam in ordered],
            "version": [seam.version for seam in ordered],
            "datastream_id": [seam.datastream_id for seam in ordered],
            "since": [from_us(seam.since_us) for seam in ordered],
        }
        connection.execute(query("rulebook_put_seams"), values)


def note_health(connection: Connection, wrong: Mapping[int, str], *, now: datetime) -> None:
    """Say what is wrong with rules; nothing is, with the others. In the transaction of the caller."""
    for rule_id, detail in wrong.items():
        connection.execute(query("rulebook_put_health"), {"rule_id": rule_id, "now": now, "detail": detail[:1000]})
    connection.execute(query("rulebook_drop_health"), {"wrong": list(wrong)})


def _row(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    assert row is not None
    return row


def _number(row: tuple[Any, ...] | None) -> Any:
    return _row(row)[0]
