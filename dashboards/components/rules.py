"""Rules drawn: the queue of proposals, the list with its filters, one rule with its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from dashboards.components.rule_form import form
from dashboards.components.rule_texts import change_text, delay_text, field_text, limit_text, otherwise_text
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.rule_choice import SHOWS, RuleChoice
from dashboards.ui import Node, button, div, el, hidden, icon, link, span
from dashboards.views import Scene
from hypervision.ruling import changes
from hypervision.store.rulebook import WAITING, Proposal, Standing, Version, with_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the database said.

    Attributes
    ----------
    proposals : sequence of Proposal
        Those that wait, and the reader's own drafts.
    versions : sequence of Version
        Of the rule that is shown alone, the newest first.
    one_person : bool
        Whoever proposes may approve.
    """

    read_at: datetime
    rules: Sequence[Standing]
    proposals: Sequence[Proposal]
    versions: Sequence[Version]
    reader: str
    one_person: bool


def drawn(scene: Scene, choice: RuleChoice, found: Found) -> Component:
    """Everything below the head of the page."""
    rule = next((one for one in found.rules if one.code == choice.rule), None)
    if rule is not None:
        return _one(scene, choice, rule, found)
    words = scene.words
    if choice.rule == "new":
        return _new(scene, choice)
    rules = [one for one in found.rules if choice.chooses(one)]
    return div(
        div(words.t("rules.no_such", code=choice.rule), cls="rules-wrong", role="alert") if choice.rule else None,
        _queue(scene, [one for one in found.proposals if one.state in WAITING], found),
        _filters(scene, choice, found),
        el(
            "Section",
            div(
                span(words.n("rules.count", len(rules), total=words.number(len(found.rules)))),
                link(words.t("rules.make_new"), href=choice.href(rule="new")),
                span(words.t("rules.read"), " ", age(found.read_at), cls="muted fresh"),
                cls="rules-head",
            ),
            _list(scene, choice, rules) if rules else div(words.t("rules.none_fit"), cls="empty"),
            cls="panel rules-list",
        ),
    )


def _new(scene: Scene, choice: RuleChoice) -> Component:
    """The form of a rule that is not there yet."""
    words = scene.words
    blank = {"domain": choice.domain, "kind": "high", "deadband": 0.0, "on_delay": 0.0, "off_delay": 0.0,
             "priority": "medium", "enabled": True}  # fmt: skip
    return div(
        div(link(words.t("rules.back"), href=choice.href(rule="")), cls="rules-back"),
        el("Section", el("H2", words.t("rules.make_new")), form(scene, None, blank, None), cls="panel rules-propose"),
    )


def _queue(scene: Scene, waiting: Sequence[Proposal], found: Found) -> Component | None:
    """What waits for a decision, or for its time."""
    if not waiting:
        return None
    words = scene.words
    return el(
        "Section",
        el("H2", words.n("rules.queue", len(waiting))),
        *[_proposal(scene, one, found) for one in waiting],
        cls="panel rules-queue",
    )


def _proposal(scene: Scene, one: Proposal, found: Found) -> Component:
    words = scene.words
    before = next((rule.document for rule in found.rules if rule.code == one.code), {})
    named = _label(scene, one.document)
    mine = one.author == found.reader
    approves = one.state == "proposed" and (not mine or found.one_person)
    waits_for_another = one.state == "proposed" and not approves
    buttons: list[Node] = []
    if approves:
        buttons.append(_decides(scene, one, "approve", named, strong=True))
    buttons.append(_decides(scene, one, "withdraw" if mine else "refuse", named))
    state = words.t(f"rules.state_{one.state}")
    if one.effective_from is not None:
        state = f"{state}, {words.t('rules.from_time', at=' '.join(words.moment(one.effective_from)))}"
    return el(
        "Article",
        div(
            el("H3", link(named, href=RuleChoice(rule=one.code).href() if before else "/rules")),
            span(state, cls="rules-state"),
            span(words.t("rules.proposed_by", author=one.author), " ", age(one.at), cls="muted"),
            cls="rules-head",
        ),
        el("P", one.reason),
        _changes(scene, before, one.document),
        div(
            *buttons,
            span(words.t("rules.second"), cls="muted note") if waits_for_another else None,
            cls="rules-actions",
        ),
        cls="rules-proposal",
    )


def _decides(scene: Scene, one: Proposal, what: str, named: str, *, strong: bool = False) -> Component:
    words = scene.words
    asked = {
        "url": f"/api/v1/rules/proposals/{one.proposal_id}/{what}", "body": {}, "says": "remark",
        "question": words.t(f"rules.ask_{what}", name=named), "said": what,
    }  # fmt: skip
    return button(
        words.t(f"rules.{what}"),
        hidden(f" {named}"),
        cls="btn-strong" if strong else "",
        data_rules_ask=json.dumps(asked, ensure_ascii=False),
    )


def _changes(scene: Scene, before: Mapping[str, Any], after: Mapping[str, Any]) -> Component:
    found = changes(before, after) if before else []
    if not before:
        return el("P", scene.words.t("rules.new_rule"), " ", limit_text(scene, after), cls="rules-changes")
    return el(
        "Ul",
        *[
            el(
                "Li",
                span(f"{field_text(scene, change.field)} ", cls="muted"),
                span(change_text(scene, after, change.field, change.before), cls="rules-before num"),
                span(" → ", aria_hidden="true"),
                hidden(f" {scene.words.t('rules.becomes')} "),
                span(change_text(scene, after, change.field, change.after), cls="strong num"),
            )
            for change in found
        ],
        cls="rules-changes",
    )


def _filters(scene: Scene, choice: RuleChoice, found: Found) -> Component:
    words = scene.words
    shows = [
        _choice(
            scene, choice, "show", name, f"{words.t(f'rules.show_{name}')} {words.number(sum(map(fits, found.rules)))}"
        )
        for name, fits in SHOWS.items()
    ]
    domains = [_choice(scene, choice, "domain", "", words.t("rules.all_domains"))]
    domains += [
        _choice(scene, choice, "domain", one.code, one.label(words.language)) for one in scene.catalogue.ruled.values()
    ]
    looked: Component = dcc.Input(
        id="rules-q", name="q", type="search", value=choice.q, className="field", maxLength=100,
        placeholder=words.t("rules.search_hint"),
    )  # fmt: skip
    return div(
        el("Nav", *shows, cls="choices", aria_label=words.t("rules.show")),
        el("Nav", *domains, cls="choices", aria_label=words.t("rules.domain")),
        el(
            "Form",
            el("Label", words.t("rules.search"), htmlFor="rules-q", cls="vh"),
            looked,
            el("Button", words.t("rules.apply"), cls="btn", type="submit"),
            ident="rules-filter",
            cls="rules-search",
            action="/rules",
            method="get",
            data_kept=json.dumps({"show": choice.show, "domain": choice.domain}),
        ),
        cls="rules-filters",
    )


def _choice(scene: Scene, choice: RuleChoice, name: str, value: str, text: str) -> Component:
    here = getattr(choice, name) == value
    mark = [hidden(f" ({scene.words.t('rules.chosen')})")] if here else []
    return link(text, *mark, href=choice.href(**{name: value}), cls="choice is-on" if here else "choice")


def _list(scene: Scene, choice: RuleChoice, rules: Sequence[Standing]) -> Component:
    words = scene.words
    heads = [words.t(f"rules.column_{name}") for name in ("rule", "limit", "delays", "priority", "state", "edited")]
    rows: list[list[Node]] = []
    for rule in rules:
        document = rule.document
        rows.append(
            [
                div(
                    link(_label(scene, document), href=choice.href(rule=rule.code), cls="strong"),
                    span(rule.code, cls="muted mono"),
                    cls="rules-name",
                ),
                div(
                    span(limit_text(scene, document), cls="num"),
                    span(otherwise_text(scene, document), cls="muted"),
                    cls="rules-name",
                ),
                span(delay_text(scene, document), cls="num"),
                words.t(f"priority.{document['priority']}"),
                _state(scene, rule),
                div(
                    span(words.t("rules.version", n=rule.version), cls="num"),
                    span(rule.edited_by, cls="muted"),
                    cls="rules-name",
                ),
            ]
        )
    return table(heads, rows)


def _label(scene: Scene, document: Mapping[str, Any]) -> str:
    domain = scene.catalogue.ruled.get(document["domain"])
    named = document["domain"] if domain is None else domain.label(scene.words.language)
    return f"{named} · {scene.words.pick(document['fr'], document['en'])}"


def _state(scene: Scene, rule: Standing) -> Component:
    words = scene.words
    told: list[Node] = []
    if rule.wrong:
        told.append(span(words.t("rules.is_wrong"), cls="rules-bad"))
    if not rule.document["enabled"]:
        told.append(span(words.t("rules.is_off"), cls="rules-state"))
    if rule.active:
        told.append(span(words.n("rules.is_active", rule.active), cls="rules-state"))
    if rule.waiting is not None:
        told.append(span(words.t(f"rules.state_{rule.waiting_state}"), cls="rules-state"))
    return div(*(told or [span(words.t("rules.is_well"), cls="muted")]), cls="rules-states")


def _one(scene: Scene, choice: RuleChoice, rule: Standing, found: Found) -> Component:
    """One rule: how it stands, what waits, the form, the history."""
    words = scene.words
    own = [one for one in found.proposals if one.code == rule.code]
    waiting = [one for one in own if one.state in WAITING]
    draft = next((one for one in own if one.state == "draft"), None)
    before = next(
        (one for one in found.versions if one.version < rule.version and changes(rule.document, one.document)), None
    )
    return div(
        div(link(words.t("rules.back"), href=choice.href(rule="", draft="")), cls="rules-back"),
        el(
            "Section",
            div(
                el("H2", _label(scene, rule.document)),
                span(rule.code, cls="muted mono"),
                _state(scene, rule),
                # Whoever takes back a change in a hurry does not look for it below the form.
                None if before is None else _goes_back(scene, rule, before, words.t("rules.back_to", n=before.version)),
                cls="rules-head",
            ),
            div(icon("unlink"), span(rule.wrong), cls="rules-wrong", role="alert") if rule.wrong else None,
            el("P", limit_text(scene, rule.document), " · ", delay_text(scene, rule.document), cls="num"),
            el("P", words.pick(rule.document["action_fr"], rule.document["action_en"]), cls="muted"),
            cls="panel",
        ),
        _queue(scene, waiting, found),
        _propose(scene, choice, rule, draft, waits=bool(waiting)),
        _history(scene, rule, found.versions),
        # While others decide there is no form in which something could be lost: the page follows by itself.
        **({"data_refresh_every": "2", "data_refreshes": "rules-refresh"} if waiting else {}),
    )


def _propose(scene: Scene, choice: RuleChoice, rule: Standing, draft: Proposal | None, *, waits: bool) -> Component:
    """The form, with what stands or with the reader's draft."""
    words = scene.words
    opened = draft if choice.draft else None
    offer = None
    if draft is not None and opened is None:
        there = link(words.t("rules.open_draft"), href=choice.href(draft="1"))
        offer = el("P", words.t("rules.has_draft"), " ", there, cls="note")
    if waits:
        body = el("P", words.t("rules.waits_already"), cls="note")
    else:
        body = form(scene, rule, rule.document if opened is None else opened.document, opened)
    return el("Section", el("H2", words.t("rules.propose_title")), offer, body, cls="panel rules-propose")


def _history(scene: Scene, rule: Standing, versions: Sequence[Version]) -> Component:
    words = scene.words
    rows: list[list[Node]] = []
    for one, old in with_before(versions):
        here = one.version == rule.version
        same = not changes(rule.document, one.document)
        by = (
            one.author
            if one.approved_by is None
            else words.t("rules.with_approval", author=one.author, by=one.approved_by)
        )
        rows.append(
            [
                div(span(words.t("rules.version", n=one.version), cls="strong num"), age(one.at), cls="rules-name"),
                by,
                div(
                    span(one.reason or "—"),
                    _changes(scene, old.document, one.document) if old is not None else None,
                    cls="rules-name",
                ),
                span(words.t("rules.in_force"), cls="rules-state")
                if here
                else _goes_back(
                    scene, rule, one, words.t("rules.rollback"), hidden(f" {words.t('rules.version', n=one.version)}")
                )
                if not same
                else span(words.t("rules.same"), cls="muted"),
            ]
        )
    heads = [words.t(f"rules.column_{name}") for name in ("version", "author", "reason", "back")]
    return el("Section", el("H2", words.t("rules.history")), table(heads, rows), cls="panel rules-history")


def _goes_back(scene: Scene, rule: Standing, one: Version, *text: Node) -> Component:
    """The first of the two clicks that put an older version in force again."""
    words = scene.words
    asked = {
        "url": f"/api/v1/rules/{rule.code}/rollback", "body": {"version": one.version, "base": rule.version},
        "says": "reason", "question": words.t("rules.ask_rollback", n=one.version), "said": "rollback",
        "why": words.t("rules.why_rollback", n=one.version),
    }  # fmt: skip
    return button(*text, cls="btn-small", data_rules_ask=json.dumps(asked, ensure_ascii=False))
