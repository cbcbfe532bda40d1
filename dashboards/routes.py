"""Which action every route, callback and socket is; what is not here does not exist for anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hypervision.accounts import Action

_CODE: Final = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"

# (method, path as a regular expression) -> action. The first that matches the whole path counts.
_ROUTES: Final = tuple(
    (method, re.compile(pattern), action)
    for method, pattern, action in (
        ("GET", r"/login", Action.LOG_IN),
        ("GET", r"/static/[a-z0-9.-]+", Action.LOG_IN),
        ("GET", r"/_favicon\.ico", Action.LOG_IN),
        ("POST", r"/api/v1/login", Action.LOG_IN),
        ("POST", r"/api/v1/logout", Action.LOG_OUT),
        ("GET", r"/api/health/live", Action.READ_LIVENESS),
        ("GET", r"/api/health", Action.READ_HEALTH),
        ("GET", r"/metrics", Action.READ_HEALTH),
        ("GET", r"/api/openapi\.json", Action.READ_DATA),
        ("GET", r"/api/docs", Action.READ_DATA),
        ("GET", r"/api/v1/(things|datastreams|observations|alarms)", Action.READ_DATA),
        ("GET", r"/api/v1/alarms/[0-9]{1,18}(/transitions)?", Action.READ_DATA),
        ("GET", r"/api/v1/live", Action.SEE_SCREENS),
        ("POST", r"/api/v1/observations", Action.WRITE_OBSERVATION),
        ("POST", r"/api/v1/alarms/[0-9]{1,18}/acknowledge", Action.ACKNOWLEDGE_ALARM),
        ("GET", r"/(alarms|map)?", Action.SEE_SCREENS),
        ("GET", rf"/asset/{_CODE}", Action.SEE_SCREENS),
        ("GET", r"/health", Action.SEE_SYSTEM),
        ("GET", r"/assets/[A-Za-z0-9._/-]+", Action.SEE_SCREENS),
        ("GET", r"/_dash-component-suites/[A-Za-z0-9_]+/[A-Za-z0-9@._/-]+", Action.SEE_SCREENS),
        ("GET", r"/_dash-(layout|dependencies)", Action.SEE_SCREENS),
        # Then by the callback it names, below.
        ("POST", r"/_dash-update-component", Action.SEE_SCREENS),
        ("WEBSOCKET", r"/live", Action.SEE_SCREENS),
    )
)

# Dash callbacks by their output.
CALLBACKS: Final[Mapping[str, Action]] = {
    "frame.children": Action.SEE_SCREENS,
    "page.children": Action.SEE_SCREENS,
    "asset-trends.children": Action.SEE_SCREENS,
    "map-graph.figure": Action.SEE_SCREENS,
}

# Pages a person may type into the address line: without log-in they lead to the log-in page.
_PAGES: Final = re.compile(rf"/(alarms|map|health|api/docs|asset/{_CODE})?")


def action_of(method: str, path: str) -> Action | None:
    """The action of a request; None: there is no such thing.

    Examples
    --------
    >>> action_of("GET", "/alarms").value
    'see_screens'
    >>> action_of("GET", "/_reload-hash") is None
    True
    """
    wanted = "GET" if method == "HEAD" else method
    return next((a for m, pattern, a in _ROUTES if m == wanted and pattern.fullmatch(path)), None)


def action_of_callback(output: object) -> Action | None:
    """The action of a callback by its output; None: no such callback."""
    return CALLBACKS.get(output) if isinstance(output, str) else None


def is_page(path: str) -> bool:
    """Whether a path is a page for people."""
    return _PAGES.fullmatch(path) is not None
