"""Groups of Things over HTTP, as far as the caller's scope goes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from dashboards import exports
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.store import groups as store


def register(app: FastAPI, server: Server) -> None:
    """Add the route."""

    @app.get("/api/v1/groups", tags=["things"])
    async def groups() -> Response:
        """Groups that are shown at a Thing of one's scope, with the members that are in it."""
        scope = caller_account().scope

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                return [asdict(one) for one in store.listed(connection, scope=scope)]

        rows = await in_time(work)
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")
