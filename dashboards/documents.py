"""The page that shows the API's description; it loads nothing from elsewhere."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from dashboards.server import Server
from dashboards.sessions import CALLER

_PAGE: Final = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">
<title>API · Hypervision</title><link rel="icon" type="image/svg+xml" href="/static/favicon.svg">
<link rel="stylesheet" href="/static/documents.css"><script src="/static/documents.js" defer></script></head>
<body><header><a href="/">Hypervision</a><h1>API</h1><a href="/api/openapi.json">openapi.json</a></header>
<main id="operations" data-source="/api/openapi.json"><p>Loading…</p></main></body></html>"""


def register(app: FastAPI, _server: Server) -> None:
    """Add the page."""

    @app.get("/api/docs", include_in_schema=False)
    async def documents() -> Response:
        return Response(_PAGE.format(theme=CALLER.get().theme), media_type="text/html")
