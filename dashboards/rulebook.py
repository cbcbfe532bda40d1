"""Rules over HTTP: how they stand, their versions; changes proposed, approved, given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.live import utc_now
from dashboards.plain import Instant, Plain, mended
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.errors import AccessError, ConflictError, RuleError
from hypervision.ruling import changes, edited, understand
from hypervision.store import proposing, rulebook
from hypervision.store.connection import Connection
from hypervision.store.rulebook import STATES, Proposal, Standing, Version

Code = Annotated[str, Path(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$", max_length=100)]
Number = Annotated[int, Path(ge=1, lt=2**63)]
State = Literal["draft", "proposed", "approved", "in_force", "refused", "withdrawn", "overtaken"]
Reason = Annotated[str, Field(min_length=1, max_length=1000), Plain]
_MOST: Final = 100_000
assert set(STATES) == set(State.__args__)  # type: ignore[attr-defined]


class NewProposal(BaseModel):
    """A change of a rule, or a new rule."""

    model_config = ConfigDict(extra="forbid")

    base: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        description="the version that you looked at; 0: the rule is new"
    )
    rule: dict[str, Any] = Field(description="the fields that change; all of them where the rule is new")
    reason: Reason
    effective_from: Instant | None = Field(default=None, description="not in force before")
    draft: bool = Field(default=False, description="keep it for yourself")


class Decision(BaseModel):
    """What whoever decides a proposal says of it."""

    model_config = ConfigDict(extra="forbid")

    remark: Annotated[str, Field(max_length=1000), Plain] = ""


class RollBack(BaseModel):
    """An old version that is to be in force again."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, lt=2**31)]
    base: Annotated[int, Field(ge=1, lt=2**31)] = Field(description="the version that you looked at")
    reason: Reason


class Proposed(BaseModel):
    """What became of a proposal."""

    id: int
    code: str
    state: str


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""
    _register_reading(app, server)

    @app.post("/api/v1/rules/{code}/proposals", tags=["rules"], response_model=Proposed)
    async def propose(code: Code, body: NewProposal) -> Response:
        """Propose a change: 422 names the field that is wrong, 409 who was first."""
        account = caller_account()

        def work(connection: Connection) -> Proposed:
            found = rulebook.rules(connection, code)
            if found and body.base:
                wanted = edited(understand(found[0].document, server.catalogue), body.rule, server.catalogue)
            else:
                wanted = understand({**body.rule, "code": code}, server.catalogue)
            made = proposing.propose(
                connection,
                wanted,
                base=body.base,
                author=account.name,
                reason=body.reason,
                now=utc_now(),
                effective_from=body.effective_from,
                draft=body.draft,
            )
            return Proposed(id=made, code=code, state="draft" if body.draft else "proposed")

        return await _done(server, work)

    @app.post("/api/v1/rules/{code}/rollback", tags=["rules"], response_model=Proposed)
    async def roll_back(code: Code, body: RollBack) -> Response:
        """Give an old version back, at once: it was approved before."""
        account = caller_account()

        def work(connection: Connection) -> Proposed:
            made = proposing.roll_back(
                connection, code, body.version, base=body.base, author=account.name, reason=body.reason, now=utc_now()
            )
            return Proposed(id=made, code=code, state="approved")

        return await _done(server, work)

    @app.post("/api/v1/rules/proposals/{proposal_id}/approve", tags=["rules"], response_model=Proposed)
    async def approve(proposal_id: Number, body: Decision) -> Response:
        """Let a proposal of somebody else come in force, at once or at its time."""
        return await _decide(server, proposal_id, "approved", body)

    @app.post("/api/v1/rules/proposals/{proposal_id}/refuse", tags=["rules"], response_model=Proposed)
    async def refuse(proposal_id: Number, body: Decision) -> Response:
        """Turn a proposal down; one that is approved and not in force yet, too."""
        return await _decide(server, proposal_id, "refused", body)

    @app.post("/api/v1/rules/proposals/{proposal_id}/withdraw", tags=["rules"], response_model=Proposed)
    async def withdraw(proposal_id: Number, body: Decision) -> Response:
        """Take one's own proposal back."""
        return await _decide(server, proposal_id, "withdrawn", body)


def _register_reading(app: FastAPI, server: Server) -> None:
    @app.get("/api/v1/rules", tags=["rules"])
    async def rules(*, domain: Annotated[str | None, Query(max_length=64), Plain] = None) -> Response:
        """Every rule as it stands."""

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                found = rulebook.rules(connection)
            return [standing_told(rule) for rule in found if domain in (None, rule.document["domain"])]

        rows = await in_time(work)
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.get("/api/v1/rules/proposals", tags=["rules"])
    async def proposals(
        *,
        state: Annotated[list[State] | None, Query(description="of these states; else of all")] = None,
        code: Annotated[str | None, Query(max_length=100), Plain] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> Response:
        """What was proposed, the newest first; drafts are their author's alone."""
        reader = caller_account().name

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                found = rulebook.proposals(connection, code=code, states=state, reader=reader, limit=limit)
            return [proposal_told(one) for one in found]

        rows = await in_time(work)
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.get("/api/v1/rules/{code}", tags=["rules"])
    async def rule(code: Code) -> Response:
        """One rule as it stands, with its versions, the newest first, and what each changed."""

        def work() -> dict[str, Any] | None:
            with server.pool.connection() as connection:
                found = rulebook.rules(connection, code)
                if not found:
                    return None
                versions = rulebook.versions(connection, code, limit=_MOST)
            return standing_told(found[0]) | {"versions": versions_told(versions)}

        found = await in_time(work)
        if found is None:
            return JSONResponse({"detail": f"there is no rule {code}"}, 404)
        return Response(exports.to_json(found), media_type="application/json")


async def _decide(server: Server, proposal_id: int, state: str, body: Decision) -> Response:
    account = caller_account()

    def work(connection: Connection) -> Proposed:
        done = proposing.decide(
            connection,
            proposal_id,
            state=state,
            actor=account.name,
            remark=body.remark,
            one_person=server.settings.rules.one_person,
            now=utc_now(),
        )
        return Proposed(id=done.proposal_id, code=done.code, state=done.state)

    return await _done(server, work)


async def _done(server: Server, work: Callable[[Connection], Proposed]) -> Response:
    """What was done, or who was first, or which field is wrong."""

    def connected() -> Proposed:
        with server.pool.connection() as connection:
            return work(connection)

    try:
        return JSONResponse((await in_time(connected)).model_dump())
    except RuleError as error:
        return JSONResponse({"detail": mended(str(error)), "field": mended(error.field)}, 422)
    except ConflictError as error:
        return JSONResponse({"detail": mended(str(error)), "by": error.by}, 409)
    except AccessError as error:
        return JSONResponse({"detail": mended(str(error))}, 403)


def standing_told(rule: Standing) -> dict[str, Any]:
    """A rule as the API gives it."""
    waiting = None
    if rule.waiting is not None:
        waiting = {"id": rule.waiting, "state": rule.waiting_state, "author": rule.waiting_author}
    return {
        "code": rule.code, "version": rule.version, "rule": rule.document, "wrong": rule.wrong or None,
        "wrong_since": _told(rule.wrong_since), "edited_by": rule.edited_by, "edited_at": _told(rule.edited_at),
        "active_alarms": rule.active, "waiting": waiting,
    }  # fmt: skip


def proposal_told(one: Proposal) -> dict[str, Any]:
    """A proposal as the API gives it."""
    return {
        "id": one.proposal_id, "code": one.code, "base": one.base, "state": one.state, "rule": one.document,
        "back_to": one.back_to, "reason": one.reason, "effective_from": _told(one.effective_from), "author": one.author,
        "at": _told(one.at), "decided_by": one.decided_by, "decided_at": _told(one.decided_at), "remark": one.remark,
        "version": one.version, "in_force_at": _told(one.in_force_at),
    }  # fmt: skip


def versions_told(versions: list[Version]) -> list[dict[str, Any]]:
    """Versions, the newest first, each with what it changed."""
    return [
        {
            "version": one.version, "at": _told(one.at), "author": one.author, "approved_by": one.approved_by,
            "reason": one.reason, "rule": one.document,
            "changes": [] if old is None else [change._asdict() for change in changes(old.document, one.document)],
        }
        for one, old in rulebook.with_before(versions)
    ]  # fmt: skip


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
