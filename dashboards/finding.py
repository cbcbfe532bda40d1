"""The search over HTTP: what a few letters find, within what the caller may see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import FastAPI, Query
from fastapi.responses import Response

from dashboards import exports
from dashboards.frame import RAIL
from dashboards.plain import Plain
from dashboards.routes import action_of_page
from dashboards.searching import LONGEST, MOST, Hit, Index, search, search_series
from dashboards.server import Server
from dashboards.sessions import CALLER, caller_account
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.accounts import Account, may
from hypervision.store.screens import ThingRow


class Finder:
    """The index of a server process, made anew when the Things have changed."""

    def __init__(self) -> None:
        self._of: Mapping[int, ThingRow] | None = None
        self._words: list[tuple[int, str, str, str]] = []
        self._index = Index(())

    def index(self, things: Mapping[int, ThingRow]) -> Index:
        """The index of these Things, the same one while nothing but their status changes."""
        if self._of is not things:
            words = [(t.thing_id, t.code, t.name, t.place) for t in things.values()]
            if words != self._words:
                self._index, self._words = Index(things.values()), words
            self._of = things
        return self._index


def pages_of(account: Account, words: Words) -> dict[str, str]:
    """The pages that an account may see, by path."""
    named = {entry.path: words.t(f"rail.{entry.key}") for entry in RAIL}
    named["/rejected"] = words.t("rejected.title")
    return {path: name for path, name in named.items() if may(account, action_of_page(path))}


def register(app: FastAPI, server: Server) -> None:
    """Add the route."""
    finder = Finder()

    @app.get("/api/v1/search", tags=["things"])
    async def find(
        *,
        q: Annotated[str, Query(max_length=LONGEST, description="each word begins a word of what is found"), Plain],
        kind: Literal["any", "datastream"] = "any",
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    ) -> Response:
        """Pages, domains, places, open alarms, rules and Things; or datastreams alone."""
        scene = server.scene_of(CALLER.get(), "/")
        pages = pages_of(caller_account(), scene.words)
        # One town for index and scene: a Thing that came between the two is found the next time.
        whole = server.reader.town.things

        def work() -> tuple[list[Hit], bool]:
            return _asked(scene, finder.index(whole), q, kind, pages=pages, limit=limit)

        hits, more = await asyncio.to_thread(work)
        rows = [asdict(hit) for hit in hits]
        return Response(
            exports.to_json({"count": len(rows), "more": more, "rows": rows}), media_type="application/json"
        )


def _asked(
    scene: Scene, index: Index, question: str, kind: str, *, pages: Mapping[str, str], limit: int
) -> tuple[list[Hit], bool]:
    if kind == "datastream":
        return search_series(scene, index, question, limit=limit)
    return search(scene, index, question, pages=pages, limit=limit)
