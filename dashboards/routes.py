"""Which action every route, callback and socket is; what is not here does not exist for anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from hypervision.accounts import Action

_CODE: Final = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
# Of an account, as hypervision.administration has it.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
_RULE: Final = r"[a-z0-9_.]{1,100}"

# The pages of the control room -> action; asked whichever way a page's content is fetched.
_PAGES: Final = tuple(
    (re.compile(pattern), action)
    for pattern, action in (
        (r"/(alarms(/(hidden|service))?|map)?", Action.SEE_SCREENS),
        (rf"/asset/{_CODE}", Action.SEE_SCREENS),
        (r"/trends", Action.SEE_TRENDS),
        (r"/quality", Action.SEE_ALARM_QUALITY),
        (r"/health", Action.SEE_SYSTEM),
        (r"/rejected", Action.SEE_REJECTED),
        (r"/administration", Action.SEE_ACCOUNTS),
        (r"/audit", Action.SEE_AUDIT),
        (r"/rules", Action.SEE_RULES),
    )
)

_THING: Final = re.compile(rf"/asset/({_CODE})")

# (method, path as a regular expression) -> action. The first that matches the whole path counts.
_ROUTES: Final = tuple(
    (method, re.compile(pattern), action)
    for method, pattern, action in (
        ("GET", r"/login", Action.LOG_IN),
        ("GET", r"/static/[a-z0-9.-]+", Action.LOG_IN),
        # For everybody, also who cannot log in because of it.
        ("GET", r"/accessibility", Action.LOG_IN),
        ("GET", r"/_favicon\.ico", Action.LOG_IN),
        ("POST", r"/api/v1/login", Action.LOG_IN),
        ("POST", r"/api/v1/logout", Action.LOG_OUT),
        # By the provider of the settings, and by the link that the first administrator was given.
        ("GET", r"/login/(provider|callback)", Action.LOG_IN),
        ("GET", r"/welcome", Action.LOG_IN),
        ("POST", r"/api/v1/welcome", Action.LOG_IN),
        ("GET", r"/account", Action.OWN_ACCOUNT),
        ("GET", r"/api/v1/account", Action.OWN_ACCOUNT),
        ("POST", r"/api/v1/account/(password|second-factor(/(confirm|remove))?|tokens)", Action.OWN_ACCOUNT),
        ("POST", r"/api/v1/account/tokens/[0-9]{1,9}/revoke", Action.OWN_ACCOUNT),
        ("POST", r"/api/v1/account/sessions/([0-9a-f]{16}|others)/end", Action.OWN_ACCOUNT),
        ("GET", r"/api/health/live", Action.READ_LIVENESS),
        ("GET", r"/api/health", Action.READ_HEALTH),
        ("GET", r"/metrics", Action.READ_METRICS),
        ("GET", r"/api/openapi\.json", Action.READ_DATA),
        ("GET", r"/api/docs", Action.READ_DATA),
        (
            "GET",
            r"/api/v1/(things|datastreams|observations|gaps|alarms|corrections|inhibitions|groups)",
            Action.READ_DATA,
        ),
        ("PUT", rf"/api/v1/groups/{_CODE}", Action.CHANGE_GROUP),
        ("DELETE", rf"/api/v1/groups/{_CODE}", Action.CHANGE_GROUP),
        ("GET", r"/api/v1/observations/(hourly|daily)", Action.READ_DATA),
        ("GET", r"/api/v1/alarms/[0-9]{1,18}(/transitions)?", Action.READ_DATA),
        ("GET", r"/api/v1/rejected(/counts|/[0-9]{1,18})?", Action.SEE_REJECTED),
        ("GET", r"/api/v1/audit", Action.SEE_AUDIT),
        ("POST", r"/api/v1/audit/verify", Action.SEE_AUDIT),
        ("GET", rf"/api/v1/rules(/proposals|/{_RULE})?", Action.SEE_RULES),
        ("POST", rf"/api/v1/rules/{_RULE}/proposals", Action.PROPOSE_RULE),
        ("POST", r"/api/v1/rules/proposals/[0-9]{1,18}/withdraw", Action.PROPOSE_RULE),
        ("POST", r"/api/v1/rules/proposals/[0-9]{1,18}/(approve|refuse)", Action.APPROVE_RULE),
        ("POST", rf"/api/v1/rules/{_RULE}/rollback", Action.APPROVE_RULE),
        ("GET", r"/api/v1/alarm-quality", Action.SEE_ALARM_QUALITY),
        ("GET", r"/api/v1/trends", Action.SEE_TRENDS),
        ("GET", r"/api/v1/search", Action.SEARCH),
        ("GET", r"/api/v1/views", Action.SEE_VIEWS),
        ("POST", r"/api/v1/views", Action.KEEP_VIEW),
        ("DELETE", r"/api/v1/views/[0-9]{1,9}", Action.KEEP_VIEW),
        ("GET", r"/api/v1/notes", Action.SEE_NOTES),
        ("POST", r"/api/v1/notes", Action.WRITE_NOTE),
        ("DELETE", r"/api/v1/notes/[0-9]{1,18}", Action.WRITE_NOTE),
        # Then by the page it asks for.
        ("GET", r"/api/v1/live", Action.SEE_SCREENS),
        ("GET", rf"/api/v1/(scopes|accounts(/{_NAME})?)", Action.SEE_ACCOUNTS),
        ("POST", r"/api/v1/accounts", Action.MANAGE_ACCOUNTS),
        ("PATCH", rf"/api/v1/accounts/{_NAME}", Action.MANAGE_ACCOUNTS),
        ("POST", rf"/api/v1/accounts/{_NAME}/(password|log-out)", Action.MANAGE_ACCOUNTS),
        ("POST", r"/api/v1/observations", Action.WRITE_OBSERVATION),
        ("POST", r"/api/v1/corrections", Action.CORRECT_OBSERVATION),
        ("POST", r"/api/v1/rejected/replay", Action.REPLAY_REJECTED),
        ("POST", r"/api/v1/alarms/[0-9]{1,18}/acknowledge", Action.ACKNOWLEDGE_ALARM),
        ("POST", r"/api/v1/alarms/[0-9]{1,18}/(un)?shelve", Action.SHELVE_ALARM),
        ("POST", r"/api/v1/inhibitions(/[0-9]{1,18}/end)?", Action.PLACE_OUT_OF_SERVICE),
        ("GET", r"/assets/[A-Za-z0-9._/-]+", Action.SEE_SCREENS),
        ("GET", r"/_dash-component-suites/[A-Za-z0-9_]+/[A-Za-z0-9@._/-]+", Action.SEE_SCREENS),
        ("GET", r"/_dash-(layout|dependencies)", Action.SEE_SCREENS),
        # Then by the callback it names, and that by the page it draws, below.
        ("POST", r"/_dash-update-component", Action.SEE_SCREENS),
        # Then by each page that is asked for through it.
        ("WEBSOCKET", r"/live", Action.SEE_SCREENS),
    )
)

# Dash callbacks by their output.
CALLBACKS: Final[Mapping[str, Action]] = {
    "frame.children": Action.SEE_SCREENS,
    "page.children": Action.SEE_SCREENS,
    "asset-trends.children": Action.SEE_SCREENS,
    "hidden-chosen.children": Action.SEE_SCREENS,
    "map-graph.figure": Action.SEE_SCREENS,
    "trends-set.children": Action.SEE_TRENDS,
    "quality-set.tree": Action.SEE_ALARM_QUALITY,
    "rejected-set.children": Action.SEE_REJECTED,
    "accounts-set.children": Action.SEE_ACCOUNTS,
    "audit-set.children": Action.SEE_AUDIT,
    "rules-set.children": Action.SEE_RULES,
}


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
    page = action_of_page(path) if wanted == "GET" else None
    return page or next((a for m, pattern, a in _ROUTES if m == wanted and pattern.fullmatch(path)), None)


def action_of_page(page: str) -> Action | None:
    """The action that the content of a page needs, fetched by whatever way; None: there is no such page.

    Parameters
    ----------
    page : str
        Decoded, as `page_of` gives it.

    Examples
    --------
    >>> action_of_page("/health").value, action_of_page("/asset/water-001").value, action_of_page("/etc")
    ('see_system', 'see_screens', None)
    """
    return next((action for pattern, action in _PAGES if pattern.fullmatch(page)), None)


def action_of_callback(asked: Mapping[str, Any]) -> Action | None:
    """The action of a callback's call, by its output and the page that it draws; None: no such callback."""
    output = asked.get("output")
    action = CALLBACKS.get(output) if isinstance(output, str) else None
    if action is None or output != "page.children":
        return action
    # A path that is no page is drawn too: as one that does not exist.
    return action_of_page(page_of(_path_in(asked.get("inputs"))) or "") or action


def _path_in(inputs: object) -> str:
    for entry in inputs if isinstance(inputs, list) else ():
        if isinstance(entry, dict) and (entry.get("id"), entry.get("property")) == ("url", "pathname"):
            return str(entry.get("value") or "/")
    return "/"


def page_of(address: str) -> str | None:
    """The page of the path in a browser's address line, where `:` may stand as `%3A`; None when it is no page.

    Notes
    -----
    Decoded once: what is encoded twice is no code of a Thing.

    Examples
    --------
    >>> page_of("/asset/dev%3Aeui%3A01"), page_of("/asset/dev%253Aeui"), page_of("/asset/a%2F..%2Fb")
    ('/asset/dev:eui:01', None, None)
    """
    # Broken UTF-8 decodes to what no code holds.
    page = unquote(address)
    return page if action_of_page(page) is not None else None


def thing_of_page(page: str) -> str | None:
    """The code of the Thing that a page shows; None for the other pages.

    Examples
    --------
    >>> thing_of_page("/asset/dev:eui:01"), thing_of_page("/alarms")
    ('dev:eui:01', None)
    """
    found = _THING.fullmatch(page)
    return None if found is None else found[1]


def is_page(path: str) -> bool:
    """Whether a decoded path is a page for people: without log-in it leads to the log-in page."""
    return path in ("/api/docs", "/account") or action_of_page(path) is not None
