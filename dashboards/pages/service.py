"""The page of what is out of service or maintained: Things, datastreams, domains; and the form that places them."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboards.components import desk
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.hidden import placed
from dashboards.pages.hidden import end_button
from dashboards.ui import Node, div, drawn, el, icon, link, span
from dashboards.views import Drawing, Scene
from hypervision.store.inhibitions import About, Inhibition


def layout(scene: Scene) -> Component:
    """The page with what is known now."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("desk.service_title")),
            drawn("alarms-tabs"),
            span(words.t("desk.service_lead"), cls="muted note"),
            cls="page-head",
        ),
        desk.said(words),
        _form(scene) if scene.may_shelve else None,
        drawn("service-list"),
        cls="desk",
    )


def _form(scene: Scene) -> Component:
    words = scene.words
    kinds = [el("Option", words.t(f"desk.{kind}"), value=kind) for kind in ("out_of_service", "maintenance")]
    domains = [
        el("Option", domain.label(words.language), value=code)
        for code, domain in scene.catalogue.items()
        if scene.scope.holds_domain(code)
    ]
    children = [el("Option", words.t(f"desk.children_{key}"), value=key) for key in ("no", "yes")]
    windows = [el("Option", desk.hours(value, words), value=str(value * 3600)) for value in desk.WINDOWS]
    reason, thing = desk.text_field("service-reason", words.t("desk.reason_hint")), words.t("desk.things_hint")
    fields = [
        desk.labelled(words.t("desk.kind"), "service-kind", _select("kind", kinds)),
        desk.labelled(words.t("desk.things"), "service-things", desk.text_field("service-things", thing), wide=True),
        desk.labelled(
            words.t("desk.property"), "service-property", desk.text_field("service-property", "", longest=64)
        ),
        desk.labelled(words.t("desk.children"), "service-children", _select("children", children)),
        _domain(scene, domains),
        desk.labelled(
            words.t("desk.from"), "service-from", desk.text_field("service-from", words.t("rejected.time_hint"))
        ),
        desk.labelled(words.t("desk.lasts"), "service-lasts", _select("lasts", windows)),
        desk.labelled(words.t("desk.reason"), "service-reason", reason, wide=True),
        el("Button", words.t("desk.place"), cls="btn btn-strong", type="submit"),
    ]
    return el(
        "Section",
        el("H2", words.t("desk.place_title")),
        el("Form", *fields, cls="rejected-form", ident="service-form"),
        el("P", ident="service-error", cls="desk-bad", role="alert"),
        cls="panel",
    )


def _domain(scene: Scene, domains: list[Component]) -> Component | None:
    """A whole domain is everybody's: an account of a part of the town can place those that are all its own."""
    if not domains:
        return None
    none = el("Option", "—", value="")
    return desk.labelled(scene.words.t("desk.domain"), "service-domain", _select("domain", [none, *domains]))


def _select(name: str, options: list[Component]) -> Component:
    return el("Select", *options, ident=f"service-{name}", cls="select")


def draw(scene: Scene, _path: str) -> Drawing:
    """The live parts."""
    found = placed(scene.town)
    if found:
        words = scene.words
        keys = ("kind", "about", "why", "since", "back", "hidden", "do")
        heads = [words.t(f"desk.column_{key}") for key in keys]
        listed = el("Section", table(heads, [_row(scene, each) for each in found], numeric=(5,)), cls="panel")
    else:
        listed = div(icon("check"), span(scene.words.t("desk.nothing_placed")), cls="empty")
    return Drawing({"alarms-tabs": {"children": desk.tabs(scene, "service")}, "service-list": {"children": listed}})


def _row(scene: Scene, each: Inhibition) -> list[Node]:
    words = scene.words
    ahead = each.began_at > scene.now
    return [
        span(words.t(f"desk.{each.kind}"), cls="strong"),
        div(*[_about(scene, one) for one in each.about]),
        words.t("desk.reason_by", reason=each.reason, by=each.author),
        words.t("desk.begins_at", at=words.clock(each.began_at)) if ahead else age(each.began_at),
        words.t("desk.back_person") if each.ends_at is None else words.t("desk.back_at", at=words.clock(each.ends_at)),
        link(words.number(each.hidden), href="/alarms/hidden", cls="num underlined") if each.hidden else "0",
        end_button(scene, each.inhibition_id, words.t("desk.end")),
    ]


def _about(scene: Scene, one: About) -> Component:
    words = scene.words
    if one.thing is None:
        domain = scene.catalogue.get(one.domain or "")
        return div(one.domain if domain is None else domain.label(words.language))
    more = f" · {one.property}" if one.property else f" {words.t('desk.with_children')}" if one.children else ""
    return div(link(one.name or one.thing, href=f"/asset/{one.thing}", cls="underlined"), span(more, cls="muted"))
