"""The declaration of accessibility after the model of the French RGAA 4.1: a page for everybody, without log-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Final, Literal

from babel.dates import format_date
from fastapi import FastAPI, Request
from fastapi.responses import Response

from dashboards.server import Server
from dashboards.sessions import CALLER
from dashboards.words import LANGUAGES, Words, language_of
from hypervision.sections import AccessibilitySettings

PATH: Final = "/accessibility"
Conformity = Literal["full", "partial", "none"]
CONFORMITIES: Final = ("full", "partial", "none")
MADE: Final = date(2026, 11, 23)
"""When what follows was last compared with the product and its tests."""

# Keys of texts, in the order in which they stand; a tuple is a list.
TECHNOLOGIES: Final = ("html", "css", "js", "aria", "svg")
TESTED: Final = ("axe", "contrast", "keyboard", "motion", "narrow")
UNTESTED: Final = ("audit", "readers", "browsers", "people")
EXCEPTIONS: Final = ("map", "charts", "sparks", "rows", "live", "documents", "names")
PAGES: Final = (
    "log_in", "overview", "alarms", "hidden", "service", "map", "asset", "trends", "quality", "rules", "health",
    "rejected", "administration", "audit", "dialogs",
)  # fmt: skip
SHOWN: Final = (
    "title", "lead", "scope", "state", "results", "results_none", "results_audit", "tested", "untested", "exceptions",
    "exceptions_lead", "made", "made_on", "technologies", "environment", "environment_text", "tools", "tools_text",
    "pages", "contact", "contact_lead", "contact_none", "email", "form", "post", "recourse", "recourse_lead",
    "defender_form", "defender_delegate", "defender_post", "home", "mention",
)  # fmt: skip
"""Every other text of the page."""
# Of the French Defender of Rights, as the model names them.
_DEFENDER: Final = (
    ("defender_form", "https://formulaire.defenseurdesdroits.fr/"),
    ("defender_delegate", "https://www.defenseurdesdroits.fr/saisir/delegues"),
)

_PAGE: Final = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>{title} · Hypervision</title>
<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">
<link rel="stylesheet" href="/static/account.css"></head>
<body><header><a class="home" href="/">{home}</a><h1>{title}</h1>
<a href="/accessibility?language={other}" hreflang="{other}" lang="{other}">{other_name}</a></header>
<main>{sections}</main></body></html>"""


def conformity_of(settings: AccessibilitySettings) -> Conformity:
    """The state that the RGAA knows: without an audit nothing conforms, whatever the tests say.

    Examples
    --------
    >>> conformity_of(AccessibilitySettings())
    'none'
    >>> conformity_of(AccessibilitySettings(audited_by="an auditor", audited_on="2026-11-02", rate=72.5))
    'partial'
    """
    if not settings.audited_by or settings.rate < 50:
        return "none"
    return "full" if settings.rate >= 100 else "partial"


def mention(words: Words, settings: AccessibilitySettings) -> str:
    """What the first page of a site has to say of it."""
    return words.t("declaration.mention", state=words.t(f"declaration.mention_{conformity_of(settings)}"))


def page(words: Words, settings: AccessibilitySettings, *, theme: str) -> str:
    """The page.

    Parameters
    ----------
    settings : AccessibilitySettings
        Who runs this installation, how they are reached, and what an audit found, if there was one.
    """

    def t(key: str, **values: object) -> str:
        return escape(words.t(f"declaration.{key}", **values))

    def listed(family: str, keys: Sequence[str]) -> str:
        return "<ul>" + "".join(f"<li>{t(f'{family}_{key}')}</li>" for key in keys) + "</ul>"

    who = settings.organisation or words.t("declaration.nobody")
    state = conformity_of(settings)
    audited = "" if settings.audited_on is None else _day(settings.audited_on, words)
    results = t("results_none")
    if settings.audited_by:
        rate = words.number(settings.rate, 1)
        results = t("results_audit", by=settings.audited_by, on=audited, rate=rate)
    sections = [
        _section("", f"<p>{t('lead', who=who)}</p><p>{t('scope')}</p>"),
        _section(t("state"), f"<p><strong>{t(f'state_{state}')}</strong></p>"),
        _section(
            t("results"),
            f"<p>{results}</p><h3>{t('tested')}</h3>{listed('tested', TESTED)}"
            f"<h3>{t('untested')}</h3>{listed('untested', UNTESTED)}",
        ),
        _section(t("exceptions"), f"<p>{t('exceptions_lead')}</p>{listed('exception', EXCEPTIONS)}"),
        _section(
            t("made"),
            f"<p>{t('made_on', on=_day(MADE, words))}</p>"
            f"<h3>{t('technologies')}</h3>{listed('technology', TECHNOLOGIES)}"
            f"<h3>{t('environment')}</h3><p>{t('environment_text')}</p>"
            f"<h3>{t('tools')}</h3><p>{t('tools_text')}</p><h3>{t('pages')}</h3>{listed('page', PAGES)}",
        ),
        _section(t("contact"), _contact(words, settings)),
        _section(
            t("recourse"),
            f"<p>{t('recourse_lead')}</p><ul>"
            + "".join(f'<li><a href="{escape(address)}">{t(key)}</a></li>' for key, address in _DEFENDER)
            + f"<li>{t('defender_post')}</li></ul>",
        ),
    ]
    other = next(language for language in LANGUAGES if language != words.language)
    return _PAGE.format(
        language=words.language,
        theme=theme,
        title=t("title"),
        home=t("home"),
        other=other,
        other_name="English" if other == "en" else "Français",
        sections="".join(sections),
    )


def _section(title: str, inner: str) -> str:
    return f"<section>{f'<h2>{title}</h2>' if title else ''}{inner}</section>"


def _day(at: date, words: Words) -> str:
    return format_date(at, "long", locale="fr_FR" if words.language == "fr" else "en_GB")


def _contact(words: Words, settings: AccessibilitySettings) -> str:
    def t(key: str) -> str:
        return escape(words.t(f"declaration.{key}"))

    ways = []
    if settings.email:
        address = escape(settings.email)
        ways.append(f'{t("email")} <a href="mailto:{address}">{address}</a>')
    if settings.form:
        ways.append(f'<a href="{escape(settings.form)}">{t("form")}</a>')
    if settings.post:
        ways.append(f"{t('post')} {escape(settings.post)}")
    told = f"<ul>{''.join(f'<li>{way}</li>' for way in ways)}</ul>" if ways else f"<p>{t('contact_none')}</p>"
    return f"<p>{t('contact_lead')}</p>{told}"


def register(app: FastAPI, server: Server) -> None:
    """Add the page."""

    @app.get(PATH, include_in_schema=False)
    async def show(request: Request) -> Response:
        caller = CALLER.get()
        words = Words(language_of(request.query_params.get("language"), caller.language), server.settings.zone)
        text = page(words, server.settings.accessibility, theme=caller.theme)
        return Response(text, media_type="text/html")
