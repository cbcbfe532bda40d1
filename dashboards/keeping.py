"""Saved views over HTTP: kept in one's own name, shared or not with who sees the same of the town."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.routes import action_of_page, page_of
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.accounts import Account, may
from hypervision.errors import SettingError
from hypervision.naming import name_of
from hypervision.store import saved_views as store
from hypervision.store.saved_views import SavedView

_LONGEST: Final = 4_000


def address_of(text: str) -> str:
    """The address of a page with what is chosen on it.

    Raises
    ------
    ValueError
        It is none of the control room.

    Examples
    --------
    >>> address_of("/alarms?alarms-filter=pump")
    '/alarms?alarms-filter=pump'
    """
    parts = urlsplit(text)
    own = not parts.scheme and not parts.netloc and not parts.fragment and text.startswith("/")
    if not own or "\\" in text or page_of(parts.path) is None or not text.isprintable():
        raise ValueError("this is no page of the control room: save the page that is open")
    return text


def _name(text: str) -> str:
    try:
        return name_of(text.strip(), of="the view")
    except SettingError as error:
        raise ValueError(str(error)) from None


class NewView(BaseModel):
    """A page with everything chosen on it; one of the same name is replaced."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=80), Plain, AfterValidator(_name)]
    address: Annotated[str, Field(max_length=_LONGEST), Plain, AfterValidator(address_of)]
    shared: bool = Field(default=False, description="with who sees the same of the town")


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/views", tags=["views"])
    async def views() -> Response:
        """One's own views, and those that others share with one."""
        account = caller_account()

        def work() -> list[SavedView]:
            with server.pool.connection() as connection:
                return store.read_views(connection, owner=account.name, scope=account.scope)

        rows = [told(each, account) for each in await in_time(work) if _may_open(account, each.address)]
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.post("/api/v1/views", tags=["views"])
    async def keep(body: NewView) -> Response:
        """Keep a view."""
        account = caller_account()

        def work() -> SavedView:
            with server.pool.connection() as connection:
                return store.keep_view(
                    connection, name=body.name, owner=account.name, scope=account.scope,
                    shared=body.shared, address=body.address, now=utc_now(),
                )  # fmt: skip

        try:
            kept = await in_time(work)
        except SettingError as error:
            return JSONResponse({"detail": str(error)}, 422)
        return Response(exports.to_json(told(kept, account)), media_type="application/json")

    @app.delete("/api/v1/views/{view_id}", tags=["views"])
    async def forget(view_id: int) -> Response:
        """Forget a view of one's own."""
        account = caller_account()

        def work() -> bool:
            with server.pool.connection() as connection:
                return store.drop_view(connection, view_id, owner=account.name)

        if not await in_time(work):
            return JSONResponse({"detail": f"there is no view {view_id} of yours"}, 404)
        return JSONResponse({"id": view_id})


def told(view: SavedView, account: Account) -> dict[str, Any]:
    """A view as the API gives it."""
    values = asdict(view)
    return {"id": values.pop("view_id"), **values, "mine": view.owner == account.name}


def _may_open(account: Account, address: str) -> bool:
    """Whether the page of a view is one for this account; a view of a page that is gone is none."""
    page = page_of(urlsplit(address).path)
    return page is not None and may(account, action_of_page(page))
