"""The page *My account*, and the page on which the first administrator makes theirs; both stand outside Dash.

They answer before a log-in may do anything else, so that nothing of the control room is needed for them.
"""

from __future__ import annotations

import json
from html import escape
from typing import Final

from dashboards.words import Words
from hypervision.accounts import Account
from hypervision.tokens import LONGEST_NAME, SCOPES

SHOWN: Final = (
    "title", "back", "log_out", "lead", "enrolling",
    "factor", "factor_lead", "factor_begin", "factor_scan", "factor_key", "factor_code", "factor_confirm",
    "factor_remove", "factor_code_or",
    "password", "password_lead", "current", "new", "again", "change",
    "sessions", "sessions_lead", "end_others", "session_where", "session_since", "session_seen",
    "tokens", "tokens_lead", "token_name", "token_scopes", "token_days", "token_make", "token_scope", "token_used",
    "token_until", "action", "cancel",
)  # fmt: skip
"""What stands on the page from the start."""
SAID: Final = (
    "factor_on", "factor_off", "factor_by_provider", "factor_done", "factor_removed", "codes", "codes_lead",
    "codes_copy", "changed", "password_by_provider", "differ", "session_own", "session_end", "ended", "way_password",
    "way_provider", "token_revoke", "token_none", "token_made", "token_copy", "copied", "revoked", "never", "expired",
    "token_no_scope", "refused_password", "refused_code", "refused_short_password", "refused_soon", "refused_many",
    "refused_begin", "refused_session", "away", "confirm_end", "confirm_revoke",
)  # fmt: skip
"""What its script may say."""
WELCOMED: Final = (
    "title", "lead", "user", "user_help", "password", "password_help", "again", "button", "differ",
    "refused_short_password", "refused_name", "refused_link", "refused_none", "away",
)  # fmt: skip
"""What stands on the page of the first administrator."""
DAYS: Final = (7, 30, 90, 180, 366)

_HEAD: Final = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><meta name="referrer" content="no-referrer">
<title>{title} · Hypervision</title><link rel="icon" type="image/svg+xml" href="/static/favicon.svg">
<link rel="stylesheet" href="/static/{style}.css"><script src="/static/{script}.js" defer></script></head>
"""

_ACCOUNT: Final = """<body data-zone="{zone}"><header><a class="home" href="/">{back}</a><h1>{title}</h1>
<span class="who"><b id="user">{user}</b> <span class="muted">{role}</span></span>
<button type="button" data-switch="language" data-to="{other}" lang="{other}">{other_name}</button>
<button type="button" data-switch="theme">{theme_name}</button>
<button type="button" id="log-out">{log_out}</button></header>
<main id="account" data-said="{said}" data-enrolling="{enrolled_late}">
<p class="muted">{lead}</p><p class="warning" id="enrolling" role="alert"{enrolling_hidden}>{enrolling}</p>
<p id="said" role="status" aria-live="polite"></p>

<section aria-labelledby="h-factor"><h2 id="h-factor">{factor}</h2><p class="muted">{factor_lead}</p>
<p id="factor-state"></p>
<form id="factor-begin" hidden><p class="asks-password"><label for="factor-password">{current}</label>
<input id="factor-password" type="password" autocomplete="current-password" maxlength="1024"></p>
<button class="main">{factor_begin}</button></form>
<form id="factor-confirm" hidden><p id="scan">{factor_scan}</p>
<img id="factor-picture" alt="{factor_scan}" width="225" height="225">
<p>{factor_key} <code id="factor-key"></code></p><p><label for="factor-code">{factor_code}</label>
<input id="factor-code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required></p>
<button class="main">{factor_confirm}</button></form>
<div id="codes" hidden tabindex="-1"><h3 id="codes-title"></h3><p id="codes-lead"></p><ol id="codes-list"></ol>
<button type="button" id="codes-copy"></button></div>
<form id="factor-remove" hidden><p><label for="remove-password">{current}</label>
<input id="remove-password" type="password" autocomplete="current-password" maxlength="1024" required></p>
<p><label for="remove-code">{factor_code_or}</label>
<input id="remove-code" autocomplete="one-time-code" maxlength="32" required></p>
<button>{factor_remove}</button></form></section>

<section aria-labelledby="h-password" class="later"><h2 id="h-password">{password}</h2>
<p class="muted" id="password-lead">{password_lead}</p><form id="password-form">
<input type="text" autocomplete="username" value="{user}" hidden readonly>
<p><label for="current">{current}</label>
<input id="current" type="password" autocomplete="current-password" maxlength="1024" required></p>
<p><label for="new">{new}</label>
<input id="new" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required></p>
<p><label for="again">{again}</label>
<input id="again" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required></p>
<button class="main">{change}</button></form></section>

<section aria-labelledby="h-sessions" class="later"><h2 id="h-sessions">{sessions}</h2>
<p class="muted">{sessions_lead}</p><div class="wide"><table aria-labelledby="h-sessions"><thead><tr>
<th scope="col">{session_where}</th><th scope="col">{session_since}</th><th scope="col">{session_seen}</th>
<th scope="col">{action}</th></tr></thead><tbody id="sessions"></tbody></table></div>
<button type="button" id="end-others">{end_others}</button></section>

<section aria-labelledby="h-tokens" class="later"><h2 id="h-tokens">{tokens}</h2><p class="muted">{tokens_lead}</p>
<div class="wide"><table aria-labelledby="h-tokens"><thead><tr><th scope="col">{token_name}</th>
<th scope="col">{token_scope}</th><th scope="col">{token_used}</th><th scope="col">{token_until}</th>
<th scope="col">{action}</th></tr></thead><tbody id="tokens"></tbody></table></div>
<div id="token-made" hidden tabindex="-1"><p id="token-said"></p><p><code id="token-text"></code></p>
<button type="button" id="token-copy"></button></div>
<form id="token-form"><p><label for="token-name">{token_name}</label>
<input id="token-name" maxlength="{longest}" required></p>
<fieldset><legend>{token_scopes}</legend>{scopes}</fieldset>
<p><label for="token-days">{token_days}</label><select id="token-days">{days}</select></p>
<button class="main">{token_make}</button></form></section>

<dialog id="sure" aria-labelledby="sure-text"><p id="sure-text"></p><form method="dialog">
<button value="no" autofocus>{cancel}</button> <button value="yes" class="main" id="sure-yes"></button></form></dialog>
</main></body></html>"""

_WELCOME: Final = """<body><main>
<div class="brand" aria-hidden="true"></div><h1>{title}</h1><p class="muted">{lead}</p>
<form id="welcome" data-said="{said}">
<label for="user">{user}</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required
autofocus aria-describedby="user-help"><p id="user-help" class="muted small">{user_help}</p>
<label for="password">{password}</label>
<input id="password" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required
aria-describedby="password-help"><p id="password-help" class="muted small">{password_help}</p>
<label for="again">{again}</label>
<input id="again" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required>
<p id="error" role="alert"></p><button type="submit">{button}</button></form>
<p class="tools"><button type="button" data-language="{other}" lang="{other}">{other_name}</button></p>
</main></body></html>"""


def page(words: Words, account: Account, *, theme: str) -> str:
    """The page of one's own account; what it has, its script asks for.

    Parameters
    ----------
    account : Account
        Whose page it is; one that lacks its second factor sees that part alone.
    """
    shown = {key: escape(words.t(f"account.{key}")) for key in SHOWN}
    late = account.granted is not None
    return _HEAD.format(
        language=words.language, theme=theme, title=shown["title"], style="account", script="account"
    ) + _ACCOUNT.format(
        **shown,
        **_other(words),
        zone=escape(str(words.zone)),
        user=escape(account.name),
        role=escape(words.t(f"role.{account.role}")),
        theme_name=escape(words.t("frame.theme")),
        said=_attribute({key: words.t(f"account.{key}") for key in SAID}),
        enrolled_late="1" if late else "",
        enrolling_hidden="" if late else " hidden",
        longest=LONGEST_NAME,
        scopes="".join(
            f'<label class="check" hidden data-scope="{name}"><input type="checkbox" name="scope" value="{name}"> '
            f"<b>{name}</b> {escape(words.t(f'scope.{name}'))}</label>"
            for name in SCOPES
        ),
        days="".join(
            f'<option value="{days}"{" selected" if days == DAYS[2] else ""}>'
            f"{escape(words.n('account.days', days))}</option>"
            for days in DAYS
        ),
    )


def welcome(words: Words, *, theme: str) -> str:
    """The page that the link of the first administrator opens; the link's token stays in the browser's address."""
    shown = {key: words.t(f"welcome.{key}") for key in WELCOMED}
    return _HEAD.format(
        language=words.language, theme=theme, title=escape(shown["title"]), style="log-in", script="welcome"
    ) + _WELCOME.format(**{key: escape(text) for key, text in shown.items()}, **_other(words), said=_attribute(shown))


def _attribute(texts: dict[str, str]) -> str:
    return escape(json.dumps(texts, ensure_ascii=False))


def _other(words: Words) -> dict[str, str]:
    other = "en" if words.language == "fr" else "fr"
    return {"other": other, "other_name": "English" if other == "en" else "Français"}
