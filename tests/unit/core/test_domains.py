"""The shipped domains hold the published table; a new domain is one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hypervision.domains import Catalogue, Domain, load
from hypervision.domains.catalogue import parse
from hypervision.errors import DomainError
from hypervision.units import conversion

# The published table: name, UCUM unit, kind, and the numbers and English labels of states. States and events have unit 1.
TABLE: dict[str, dict[str, tuple[str, str, dict[float, str]]]] = {
    "water": {
        "flow": ("m3/h", "gauge", {}),
        "volume": ("m3", "counter", {}),
        "pressure": ("bar", "gauge", {}),
        "level": ("m", "gauge", {}),
        "pump_power": ("kW", "gauge", {}),
        "pump_state": ("1", "state", {0: "off", 1: "on", 2: "fault"}),
        "valve_position": ("%", "gauge", {}),
        "chlorine": ("mg/L", "gauge", {}),
        "turbidity": ("{NTU}", "gauge", {}),
        "conductivity": ("uS/cm", "gauge", {}),
        "temperature": ("Cel", "gauge", {}),
        "battery": ("%", "gauge", {}),
    },
    "lighting": {
        "power": ("kW", "gauge", {}),
        "energy": ("kW.h", "counter", {}),
        "voltage": ("V", "gauge", {}),
        "current": ("A", "gauge", {}),
        "lamp_state": ("1", "state", {0: "off", 1: "on", 2: "fault"}),
        "dimming": ("%", "gauge", {}),
        "burning_hours": ("h", "counter", {}),
        "door": ("1", "state", {0: "closed", 1: "open"}),
    },
    "parking": {
        "occupied": ("1", "state", {0: "free", 1: "occupied"}),
        "free_places": ("{place}", "gauge", {}),
        "battery": ("%", "gauge", {}),
    },
    "waste": {
        "fill": ("%", "gauge", {}),
        "temperature": ("Cel", "gauge", {}),
        "tilt": ("deg", "gauge", {}),
        "emptied": ("1", "event", {1: "emptied"}),
        "battery": ("%", "gauge", {}),
    },
}
PROPERTIES = [prop for domain in load().values() for prop in domain.properties.values()]
RULES = [rule for domain in load().values() for rule in domain.rules]


def test_catalogue_holds_the_four_domains_in_screen_order() -> None:
    assert list(load()) == ["water", "lighting", "parking", "waste"]


@pytest.mark.parametrize("domain", sorted(TABLE))
def test_domain_holds_the_published_table(domain: str) -> None:
    found = {
        prop.name: (prop.unit, prop.kind, {state.value: state.en for state in prop.states})
        for prop in load()[domain].properties.values()
        if not prop.derived
    }
    assert found == TABLE[domain]


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: f"{prop.domain}.{prop.name}")
def test_property_has_labels_a_unit_and_a_range(prop: object) -> None:
    from hypervision.domains import ObservedProperty

    assert isinstance(prop, ObservedProperty)
    assert prop.label("fr").strip()
    assert prop.label("en").strip()
    assert conversion(prop.unit, prop.unit).problem == ""
    assert prop.unit == "1" or conversion("parsnip", prop.unit).problem == "unknown_unit"
    assert all(abs(bound) < 1e12 for bound in prop.valid)
    assert prop.period is None or 1 <= prop.period <= 86_400
    assert (prop.period is None) == (prop.kind == "event")
    for state in prop.states:
        assert state.fr.strip()
        assert state.en.strip()
        assert re.fullmatch(r"[a-z_]+", state.code)
        assert prop.valid[0] <= state.value <= prop.valid[1]
    assert len({state.value for state in prop.states}) == len(prop.states)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_default_rule_is_plausible(rule: object) -> None:
    from hypervision.domains import RuleTemplate

    assert isinstance(rule, RuleTemplate)
    assert rule.code.startswith(f"{rule.domain}.")
    for text in (rule.fr, rule.en, rule.action_fr, rule.action_en):
        assert text.strip()
    assert 0 <= rule.on_delay <= 3600
    assert 0 <= rule.off_delay <= 3600
    if rule.kind == "silence":
        assert rule.limit == 2
        return
    assert rule.property is not None
    prop = load()[rule.domain].properties[rule.property]
    if rule.kind in ("high", "low"):
        assert prop.valid[0] < rule.limit < prop.valid[1]
        back = rule.limit - rule.deadband if rule.kind == "high" else rule.limit + rule.deadband
        assert prop.valid[0] < back < prop.valid[1]
        assert rule.deadband > 0, "a limit without a deadband chatters"
    if rule.kind == "state_equals":
        assert rule.limit in {state.value for state in prop.states}


def test_rule_codes_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_every_domain_has_one_silence_rule() -> None:
    assert sorted(rule.domain for rule in RULES if rule.kind == "silence") == sorted(load())


def test_find_knows_what_exists() -> None:
    catalogue = load()
    assert catalogue.find("water", "flow") is catalogue["water"].properties["flow"]
    assert catalogue.find("water", "occupied") is None
    assert catalogue.find("air", "pm25") is None


def test_a_new_domain_is_one_file(tmp_path: Path, air_text: str) -> None:
    (tmp_path / "air.toml").write_text(air_text, "utf-8")
    catalogue = load(tmp_path)
    assert list(catalogue) == ["water", "lighting", "parking", "waste", "air"]
    found = catalogue.find("air", "pm25")
    assert found is not None
    assert (found.unit, found.valid, found.period, found.label("fr")) == ("ug/m3", (0, 1000), 600, "Particules fines")
    rule = catalogue["air"].rules[0]
    assert (rule.code, rule.limit, rule.deadband, rule.on_delay, rule.off_delay) == ("air.pm25.high", 25, 5, 60, 120)
    assert catalogue["air"].label("en") == "Air"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('code = "air"', "", "code"),
        ('code = "air"', "code = ", "TOML"),
        ('kind = "gauge"', 'kind = "guage"', "guage"),
        ('unit = "ug/m3"', "", "unit"),
        ("valid = [0, 1000]", "valid = [1000, 0]", "empty range"),
        ("valid = [0, 1000]", "valid = 7", "int"),
        ("decimals = 1", "colour = 1", "colour"),
        ("deadband = 5", "dead_band = 5", "dead_band"),
        ('priority = "high"', 'priority = "urgent"', "urgent"),
        ('kind = "high"', 'kind = "higher"', "higher"),
        ('property = "pm25"\nkind = "high"', 'property = "pm10"\nkind = "high"', "pm10"),
        ('fr = "Air pollué", ', "", "fr"),
        ("limit = 25", 'limit = "lots"', "lots"),
        ("limit = 25\n", "", "limit"),
    ],
)
def test_wrong_domain_file_is_named_with_key_or_value(air_text: str, old: str, new: str, said: str) -> None:
    assert old in air_text
    with pytest.raises(DomainError) as caught:
        parse(air_text.replace(old, new, 1), name="air.toml")
    assert "air.toml" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_state_without_states_is_refused(air_text: str) -> None:
    text = re.sub(r"states = \[.*?\n\]", "", air_text, flags=re.DOTALL)
    with pytest.raises(DomainError, match="fan is a state without states"):
        parse(text, name="air.toml")


def test_two_domains_of_one_code_are_refused() -> None:
    one = Domain("air", "dot", 1, "Air", "Air", {}, ())
    with pytest.raises(DomainError, match="share a code"):
        Catalogue([one, one])


def test_domains_of_one_order_stand_by_code() -> None:
    domains = [Domain(code, "dot", 1, code, code, {}, ()) for code in ("b", "a")]
    assert list(Catalogue(domains)) == ["a", "b"]
