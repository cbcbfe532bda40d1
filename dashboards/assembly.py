"""The web server of one process put together: FastAPI and Dash behind the guard, the reader beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from dashboards import (
    account,
    administration,
    api,
    audit,
    corrections,
    declaration,
    desk,
    documents,
    failures,
    finding,
    groups,
    health,
    keeping,
    log_in,
    log_in_by,
    metrics,
    packed,
    push,
    quality,
    quarantine,
    rulebook,
    trend_api,
    welcome,
)
from dashboards.callbacks import fits_one_of
from dashboards.control_room import create_dash, draw_page
from dashboards.guard import Guard
from dashboards.hosts import known_hosts
from dashboards.live import LiveReader
from dashboards.server import Server
from dashboards.sessions import Sessions
from dashboards.views import Views
from dashboards.writing import HttpWriter
from hypervision.domains import catalogue_of
from hypervision.settings import Settings
from hypervision.store.connection import url_of
from hypervision.store.pool import ScreenPool


def create_server(settings: Settings) -> Server:
    """Assemble the control room and the API; nothing is opened yet."""
    url = url_of(settings)
    catalogue = catalogue_of(settings)
    pool = ScreenPool(url)
    server = Server(
        settings=settings,
        catalogue=catalogue,
        pool=pool,
        reader=LiveReader(url, catalogue),
        sessions=Sessions(pool),
        writer=HttpWriter(settings),
    )
    server.provider = log_in_by.provider_of(server)
    server.views = Views(draw_page, server.scene)
    server.hub = push.Hub(server.views, server.reader, server.sessions)
    server.fastapi = _fastapi(server)
    failed = failures.FailureLog()
    failures.register(server.fastapi, failed)
    log_in.register(server.fastapi, server)
    log_in_by.register(server.fastapi, server)
    welcome.register(server.fastapi, server)
    account.register(server.fastapi, server)
    health.register(server.fastapi, server)
    metrics.register(server.fastapi, server)
    api.register(server.fastapi, server)
    corrections.register(server.fastapi, server)
    groups.register(server.fastapi, server)
    quarantine.register(server.fastapi, server)
    administration.register(server.fastapi, server)
    audit.register(server.fastapi, server)
    desk.register(server.fastapi, server)
    rulebook.register(server.fastapi, server)
    quality.register(server.fastapi, server)
    trend_api.register(server.fastapi, server)
    finding.register(server.fastapi, server)
    keeping.register(server.fastapi, server)
    documents.register(server.fastapi, server)
    declaration.register(server.fastapi, server)
    push.register(server.fastapi, server.hub)
    server.dash = create_dash(server.fastapi, server)
    server.fastapi.add_middleware(GZipMiddleware, minimum_size=700, compresslevel=5)
    server.fastapi.add_middleware(packed.Packed)
    server.app = Guard(
        server.fastapi,
        server.sessions,
        language=settings.language,
        health_open=settings.http.health_open,
        hosts=known_hosts(settings.http),
        script_hashes=server.dash.csp_hashes(),
        fits=fits_one_of(server.dash._callback_list),  # noqa: SLF001 -- what /_dash-dependencies tells
        failures=failed,
    )
    return server


def _fastapi(server: Server) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        server.pool.open()
        server.hub.start(asyncio.get_running_loop())
        server.reader.start()
        server.writer.start()
        yield
        await asyncio.to_thread(server.writer.stop)
        await asyncio.to_thread(server.reader.stop)
        server.pool.close()

    return FastAPI(
        title="Hypervision",
        version=version("hypervision"),
        description="Things, observations and alarms of a city.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
