"""A page that says what it will show."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from dashboards.ui import div
from dashboards.views import Drawing, Scene


def layout(scene: Scene, *_asked: Any) -> Component:
    return div()


def draw(scene: Scene, _path: str) -> Drawing:
    return Drawing({})


def register(app: Any, server: Any) -> None:
    return None
