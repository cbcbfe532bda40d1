"""The Dash application: the shell, the pages by path, and its few callbacks."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import parse_qs

import dash
from dash import Input, Output, State
from dash.development.base_component import Component
from fastapi import FastAPI

from dashboards import frame
from dashboards.declaration import mention
from dashboards.elements import Drawn
from dashboards.pages import (
    administration,
    alarms,
    asset,
    audit,
    hidden,
    overview,
    quality,
    rejected,
    rules,
    service,
    system,
    town_map,
    trends,
)
from dashboards.routes import page_of, thing_of_page
from dashboards.server import Server
from dashboards.sessions import CALLER, caller_account
from dashboards.trees import tree_of
from dashboards.ui import div, el, link
from dashboards.views import Drawing, Scene, ViewKey

_INDEX: Final = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}" data-zone="{zone}">
<head>{{%metas%}}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>{{%title%}}</title>
<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">{{%css%}}</head>
<body>{{%app_entry%}}<footer class="dash-scripts">{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body>
</html>"""


class ControlRoom(dash.Dash):
    """Dash whose document carries the reader's language, theme and time zone from the first byte."""

    zone = "UTC"

    def index(self, *given: Any, **named: Any) -> str:
        """The document of any page. Dash looks for its scripts at the first request for `/`, and for `/` alone."""
        self._setup_server()  # type: ignore[no-untyped-call]
        return str(super().index(*given, **named))  # type: ignore[no-untyped-call]

    # Dash calls it by keywords only.
    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """Fill the document in for the caller of the request in progress."""
        caller = CALLER.get()
        document = _INDEX.format(language=caller.language, theme=caller.theme, zone=self.zone)
        parts.pop("favicon", None)
        for name, text in parts.items():
            document = document.replace("{%" + name + "%}", text)
        return document


def create_dash(fastapi: FastAPI, server: Server) -> Any:
    """Put Dash on the FastAPI application, everything served from here."""
    app = ControlRoom(
        "dashboards",
        server=cast("Any", fastapi),
        title="Hypervision",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        websocket_callbacks=False,
        enable_mcp=False,
        use_pages=False,
        index_string=_INDEX.format(language="en", theme="dark", zone="UTC"),
    )
    app.zone = server.settings.timezone
    app.enable_dev_tools(
        debug=False,
        dev_tools_ui=False,
        dev_tools_props_check=False,
        dev_tools_serve_dev_bundles=False,
        dev_tools_hot_reload=False,
        dev_tools_silence_routes_logging=True,
        dev_tools_prune_errors=True,
        dev_tools_disable_version_check=True,
    )

    def layout() -> Component:
        caller = CALLER.get()
        scene = server.scene_of(caller, "/")
        told = mention(scene.words, server.settings.accessibility)
        made = frame.shell(scene.words, caller_account(), theme=caller.theme, accessibility=told)
        fill(made, Drawing(frame.live(scene)))
        return made

    app.layout = layout

    @app.callback(Output("frame", "children"), Input("language", "data"), prevent_initial_call=True)
    def draw_frame(language: object) -> Component:
        scene = server.scene(ViewKey.of("/", str(language), caller_account()))
        told = mention(scene.words, server.settings.accessibility)
        made = frame.frame(scene.words, caller_account(), accessibility=told)
        fill(made, Drawing(frame.live(scene)))
        return made

    @app.callback(
        Output("page", "children"), Input("url", "pathname"), Input("frame", "children"), State("url", "search")
    )
    def draw_page_of_path(pathname: object, _frame: Any, search: object) -> Component:
        caller = CALLER.get()
        address = str(pathname or "/")
        asked = parse_qs(str(search or "").lstrip("?"))
        return lay_out(server.scene_of(caller, address), address, asked, theme=caller.theme)

    asset.register(app, server)
    hidden.register(app, server)
    town_map.register(app, server)
    trends.register(app, server)
    quality.register(app, server)
    rejected.register(app, server)
    administration.register(app, server)
    audit.register(app, server)
    rules.register(app, server)
    return app


def lay_out(scene: Scene, address: str, asked: dict[str, list[str]], *, theme: str) -> Component:
    """The page of an address, with the parts that change already in place.

    Parameters
    ----------
    address : str
        The path as the browser writes it; the page carries it, so that the browser knows its own page again.
    asked : dict
        The query of the address.
    """
    path = page_of(address) or ""
    drawing = draw_page(scene, path)
    code = thing_of_page(path)
    if path == "/":
        page = overview.layout(scene)
    elif path == "/alarms":
        page = alarms.layout(scene, list((drawing.rows or {}).values()))
    elif path == "/alarms/hidden":
        page = hidden.layout(scene)
    elif path == "/alarms/service":
        page = service.layout(scene)
    elif path == "/map":
        page = town_map.layout(scene, asked, theme=theme)
    elif path == "/health":
        page = system.layout(scene)
    elif path == "/trends":
        page = trends.layout(scene)
    elif path == "/quality":
        page = quality.layout(scene)
    elif path == "/rejected":
        page = rejected.layout(scene)
    elif path == "/administration":
        page = administration.layout(scene)
    elif path == "/audit":
        page = audit.layout(scene)
    elif path == "/rules":
        page = rules.layout(scene)
    elif code is not None:
        page = asset.layout(scene, code)
    else:
        page = div(el("H1", scene.words.t("page.unknown")), link(scene.words.t("rail.overview"), href="/"), cls="empty")
    fill(page, drawing)
    return div(page, cls="page-inner", data_page=address)


def fill(page: Component, drawing: Drawing) -> None:
    """Put the live parts into a page's places, so that it is whole before the first push."""
    for component in page._traverse():  # type: ignore[no-untyped-call] # noqa: SLF001
        ident = getattr(component, "id", None)
        for name, value in drawing.fragments.get(ident, {}).items() if isinstance(ident, str) else ():
            if isinstance(component, Drawn) and name == "children":
                component.tree = tree_of(value)
            else:
                setattr(component, name, value)


def draw_page(scene: Scene, path: str) -> Drawing:
    """The live parts of a page and of the frame; `path` is decoded."""
    code = thing_of_page(path)
    if path == "/":
        drawing = overview.draw(scene, path)
    elif path == "/alarms":
        drawing = alarms.draw(scene, path)
    elif path == "/alarms/hidden":
        drawing = hidden.draw(scene, path)
    elif path == "/alarms/service":
        drawing = service.draw(scene, path)
    elif path == "/map":
        drawing = town_map.draw(scene, path)
    elif path == "/health":
        drawing = system.draw(scene, path)
    elif path == "/trends":
        drawing = trends.draw(scene, path)
    elif path == "/quality":
        drawing = quality.draw(scene, path)
    elif path == "/rejected":
        drawing = rejected.draw(scene, path)
    elif path == "/administration":
        drawing = administration.draw(scene, path)
    elif code is not None:
        drawing = asset.draw(scene, code)
    else:
        drawing = Drawing({})
    return frame.page_parts(drawing, scene)
