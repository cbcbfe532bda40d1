"""Accounts drawn: the list, the form of one of them, and what each role may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

from dash import dcc
from dash.development.base_component import Component

from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.ui import Node, button, div, el, icon, link, span
from dashboards.views import Scene
from dashboards.words import LANGUAGES, Words
from hypervision.accounts import SHORTEST_PASSWORD, Role
from hypervision.administration import ListedAccount
from hypervision.store.administration import Choices

NEW: Final = "new"
FIELDS: Final = ("name", "password", "role", "organisation", "domains", "districts", "language")
"""Of the form, each with its label."""
COLUMNS: Final = ("name", "role", "scope", "language", "sessions", "last", "state")
# A list of words in a cell says so many, and how many more.
_SHOWN: Final = 3
_NAMES: Final = {"fr": "Français", "en": "English"}


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says, and who asked.

    Attributes
    ----------
    caller : str
        Whose own account is changed by others alone.
    may_manage : bool
        Else everything is only read.
    """

    accounts: Sequence[ListedAccount]
    choices: Choices
    read_at: datetime
    caller: str
    may_manage: bool


def accounts(scene: Scene, found: Found, chosen: str, *, new: bool) -> Component:
    """Everything below the head of the page.

    Parameters
    ----------
    chosen : str
        The account of the address, empty for none.
    new : bool
        Whether the address asks for a new one.
    """
    words = scene.words
    one = next((each for each in found.accounts if each.name == chosen), None)
    if new and found.may_manage:
        side = _panel(words.t("accounts.add"), _form(scene, found, None))
    elif one is not None:
        side = _side(scene, found, one)
    elif chosen:
        side = _panel(words.t("accounts.unknown", name=chosen[:64]), _roles(words))
    else:
        side = _panel(words.t("accounts.roles"), _roles(words))
    return div(
        el(
            "Section",
            div(
                el("H2", words.n("accounts.listed", len(found.accounts))),
                span(span(words.t("accounts.read")), age(found.read_at), cls="fresh muted note"),
                link(words.t("accounts.add"), href=f"/administration?{NEW}=1", cls="btn btn-strong")
                if found.may_manage
                else None,
                cls="panel-head",
            ),
            _list(scene, found, chosen),
            cls="panel accounts-list",
        ),
        side,
        cls="accounts-columns",
    )


def _panel(title: str, *inner: Node) -> Component:
    return el("Section", div(el("H2", title), cls="panel-head"), *inner, cls="panel accounts-side")


def _list(scene: Scene, found: Found, chosen: str) -> Component:
    words = scene.words
    rows: list[list[Node]] = []
    for each in found.accounts:
        out = each.disabled_at is not None
        rows.append(
            [
                link(
                    each.name,
                    href=f"/administration?{urlencode({'account': each.name})}",
                    cls="strong underlined" + (" is-on" if each.name == chosen else ""),
                ),
                words.known("role", each.role),
                scope_text(scene, found.choices, each),
                _NAMES.get(each.language or "", words.t("accounts.usual")),
                span(words.number(each.sessions), cls="num"),
                age(each.logged_in_at) if each.logged_in_at is not None else "—",
                span(
                    icon("unlink" if out else "check"),
                    span(words.t("accounts.out" if out else "accounts.in")),
                    cls="part",
                ),
            ]
        )
    return table([words.t(f"accounts.column_{key}") for key in COLUMNS], rows, numeric=(4,))


def scope_text(scene: Scene, choices: Choices, account: ListedAccount) -> str:
    """What of the town an account may know, in words."""
    words = scene.words
    names = dict(choices.organisations)
    parts = []
    if account.organisation is not None:
        parts.append(names.get(account.organisation, account.organisation))
    if account.domains is not None:
        parts.append(_some(words, (_domain(scene, code) for code in account.domains)))
    if account.districts is not None:
        parts.append(_some(words, account.districts))
    return " · ".join(parts) or words.t("accounts.whole")


def _some(words: Words, names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" {words.t('accounts.more', n=words.number(more))}" if more > 0 else "")


def _domain(scene: Scene, code: str) -> str:
    known = scene.catalogue.get(code)
    return code if known is None else known.label(scene.words.language)


def _side(scene: Scene, found: Found, account: ListedAccount) -> Component:
    words = scene.words
    facts: list[Node] = [
        div(words.t("accounts.created", at=" ".join(words.moment(account.created_at))), cls="muted note")
    ]
    if account.changed_at is not None:
        at, by = " ".join(words.moment(account.changed_at)), account.changed_by or words.t("accounts.command_line")
        facts.append(div(words.t("accounts.changed", at=at, by=by), cls="muted note"))
    if not found.may_manage:
        return _panel(account.name, *facts, div(words.t("accounts.read_only"), cls="note"))
    own = account.name == found.caller
    return _panel(
        account.name,
        *facts,
        _form(scene, found, account),
        _state(words, account, own=own),
        _password(words, account),
    )


def _form(scene: Scene, found: Found, account: ListedAccount | None) -> Component:
    """The words of an account; what the browser changes is read by `assets/46-administration.js`."""
    words = scene.words
    own = account is not None and account.name == found.caller
    before = {} if account is None else values_of(account)
    fields: list[Node] = []
    if account is None:
        fields += [
            _field(words, "name", _text("name", "text", "off", 64)),
            _field(
                words, "password", _text("password", "password", "new-password", 1024),
                words.t("accounts.password_hint", n=SHORTEST_PASSWORD),
            ),
        ]  # fmt: skip
    roles = [(role.value, words.t(f"role.{role}")) for role in Role]
    organisations = [("", words.t("accounts.all")), *found.choices.organisations]
    languages = [("", words.t("accounts.usual")), *[(code, _NAMES[code]) for code in LANGUAGES]]
    role = before.get("role") or Role.VIEWER.value
    fields += [
        _field(words, "role", _select("role", roles, role, locked=own)),
        _field(
            words,
            "organisation",
            _select("organisation", organisations, before.get("organisation") or "", locked=own),
        ),
        _toggles(words, "domains", [(code, _domain(scene, code)) for code in scene.catalogue], before, locked=own),
        _toggles(words, "districts", [(name, name) for name in _districts(found, account)], before, locked=own),
        div(words.t("accounts.scope_hint"), cls="muted note"),
        _field(words, "language", _select("language", languages, before.get("language") or "")),
    ]
    if own:
        fields.append(div(words.t("accounts.own"), cls="note"))
    return el(
        "Form",
        *fields,
        div(
            el("Button", words.t("accounts.save"), cls="btn btn-strong", type="submit"),
            link(words.t("accounts.close"), href="/administration", cls="btn"),
            cls="accounts-answers",
        ),
        cls="accounts-form",
        ident="accounts-form",
        action="/administration",
        method="get",
        data_name="" if account is None else account.name,
        data_version="" if account is None else str(account.version),
        data_before=json.dumps(before),
    )


def values_of(account: ListedAccount) -> dict[str, Any]:
    """What the form shows of an account, as the API takes it."""
    return {
        "role": account.role,
        "organisation": account.organisation,
        "domains": None if account.domains is None else list(account.domains),
        "districts": None if account.districts is None else list(account.districts),
        "language": account.language,
    }


def _districts(found: Found, account: ListedAccount | None) -> list[str]:
    """Those that Things stand in, and those that the account was given once."""
    given = set() if account is None or account.districts is None else set(account.districts)
    return sorted({*found.choices.districts, *given})


def _field(words: Words, name: str, inner: Component, hint: str = "") -> Component:
    return div(
        el("Label", words.t(f"accounts.{name}"), htmlFor=f"accounts-{name}"),
        inner,
        span(hint, cls="muted note") if hint else None,
        cls="accounts-field",
    )


def _text(name: str, kind: Literal["text", "password"], complete: str, longest: int, ident: str = "") -> Component:
    made: Component = dcc.Input(
        id=ident or f"accounts-{name}", name=name, type=kind, value="", className="field", autoComplete=complete,
        maxLength=longest,
    )  # fmt: skip
    return made


def _select(name: str, options: Sequence[tuple[str, str]], chosen: str, *, locked: bool = False) -> Component:
    return el(
        "Select",
        *[el("Option", text, value=value, selected=True if value == chosen else None) for value, text in options],
        cls="field",
        ident=f"accounts-{name}",
        data_field=name,
        disabled=True if locked else None,
    )


def _toggles(
    words: Words, name: str, options: Sequence[tuple[str, str]], before: dict[str, Any], *, locked: bool
) -> Component:
    """Some of many, none chosen meaning all: buttons that stay pressed."""
    chosen = before.get(name) or ()
    label = f"accounts-{name}-label"
    return div(
        span(words.t(f"accounts.{name}"), ident=label, cls="accounts-label"),
        div(
            *[
                button(
                    text,
                    cls="chip",
                    data_field=name,
                    data_word=code,
                    aria_pressed="true" if code in chosen else "false",
                    disabled=True if locked else None,
                )
                for code, text in options
            ],
            cls="chips",
            role="group",
            aria_labelledby=label,
        )
        if options
        else span(words.t("accounts.none_known"), cls="muted note"),
        cls="accounts-field",
    )


def _state(words: Words, account: ListedAccount, *, own: bool) -> Component:
    out = account.disabled_at is not None
    way = "enable" if out else "disable"
    data = {"data_name": account.name, "data_version": str(account.version)}
    return div(
        None if own else button(words.t(f"accounts.{way}"), data_accounts_state=way, **data),
        button(words.t("accounts.log_out"), data_accounts_log_out="1", **data) if account.sessions else None,
        cls="accounts-answers",
    )


def _password(words: Words, account: ListedAccount) -> Component:
    ident = "accounts-new-password"
    return el(
        "Form",
        el("Label", words.t("accounts.new_password"), htmlFor=ident),
        _text("password", "password", "new-password", 1024, ident),
        el("Button", words.t("accounts.set_password"), cls="btn", type="submit"),
        span(words.t("accounts.password_hint", n=SHORTEST_PASSWORD), cls="muted note"),
        cls="accounts-password",
        ident="accounts-password-form",
        action="/administration",
        method="get",
        data_name=account.name,
        data_version=str(account.version),
    )


def _roles(words: Words) -> Component:
    """What each role may, for who is about to give one."""
    entries: list[Node] = []
    for role in Role:
        entries += [el("Dt", words.t(f"role.{role}"), cls="strong"), el("Dd", words.t(f"role_may.{role}"))]
    return div(el("Dl", *entries, cls="accounts-roles"), el("P", words.t("accounts.scope_means"), cls="muted note"))
