"""The shipped domains hold the published table; a new domain is one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hypervision.domains import Catalogue, Domain, load
from hypervision.domains.reading import UNITS, parse
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
    if rule.kind == "talking":
        assert rule.limit == 0
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


@pytest.mark.parametrize("written", ["", "valid = [-1e308, 1e308]"])
def test_no_property_is_valid_beyond_what_can_be_added_up(air_text: str, written: str) -> None:
    prop = parse(air_text.replace("valid = [0, 1000]", written), name="air.toml").properties["pm25"]
    assert prop.valid == (-1e30, 1e30)


# What is written wrongly, and what the sentence says: the key and the value, or the key that is missing.
WRONG = [
    ('code = "air"\n', "", "the file lacks the key 'code'"),
    ('code = "air"', "code = ", "TOML"),
    ('code = "air"', 'code = "Air quality"', "code = 'Air quality'"),
    ("order = 9", 'order = "last"', "order = 'last'"),
    ("order = 9", "ordre = 9", "'ordre' (value 9)"),
    ('label = { fr = "Air", en = "Air" }', "", "the file lacks the key 'label'"),
    ('fr = "Air", en = "Air"', 'fr = "Air"', "label of the file lacks the key 'en'"),
    ('fr = "Air", en = "Air"', 'fr = "Air", en = "Air", de = "Luft"', "'de' (value 'Luft')"),
    ('fr = "Air", en = "Air"', 'fr = " ", en = "Air"', "fr = ' '"),
    ('fr = "Air", en = "Air"', 'fr = "A\\u0000", en = "Air"', r"fr = 'A\x00'"),
    ('{ fr = "Air", en = "Air" }', '"Air"', "label = 'Air'"),
    ("[[property]]", "[[proprty]]", "'proprty'"),
    ("[[property]]", "[property.a]", "TOML"),
    ('name = "pm25"\n', "", "property 1 lacks the key 'name'"),
    ('name = "pm25"', 'name = "PM 2.5"', "name = 'PM 2.5'"),
    ('name = "pm25"', 'name = "time"', "name = 'time'"),
    ('name = "fan"', 'name = "pm25"', "name = 'pm25'"),
    ('kind = "gauge"', 'kind = "guage"', "property 'pm25' has kind = 'guage'"),
    ('kind = "gauge"', "kind = [1]", "kind = [1]"),
    ('kind = "gauge"\n', "", "'kind'"),
    ('unit = "ug/m3"', "", "property 'pm25' lacks the key 'unit'"),
    ('unit = "ug/m3"', 'unit = "parsnip"', "unit = 'parsnip'"),
    ('unit = "ug/m3"', 'unit = "µg/m³"', "unit = 'µg/m³'"),
    ('unit = "1"', 'unit = "m"', "property 'fan' has unit = 'm'"),
    ("valid = [0, 1000]", "valid = [1000, 0]", "valid = [1000, 0]: it is an empty range"),
    ("valid = [0, 1000]", "valid = 7", "valid = 7"),
    ("valid = [0, 1000]", "valid = [0, nan]", "valid = [0, nan]"),
    ("valid = [0, 1000]", f"valid = [0, 1{'0' * 400}]", "valid = [0, 1000"),
    ("period = 600", "period = 0", "period = 0"),
    ("period = 600", "period = -600", "period = -600"),
    ("period = 600", "period = true", "period = True"),
    ("decimals = 1", "decimals = -1", "decimals = -1"),
    ("decimals = 1", "decimals = 1.5", "decimals = 1.5"),
    ("decimals = 1", "colour = 1", "property 'pm25' has the unknown key 'colour' (value 1)"),
    ("decimals = 1", 'derived = "no"', "derived = 'no'"),
    ("decimals = 1", 'states = [{ value = 1, code = "a", fr = "a", en = "a" }]', "property 'pm25' has states = "),
    ("states = [", "valid = [0, 1]\nstates = [", "valid = [0, 1]: widen it"),
    ("value = 2", "value = 0", "states 'fault' of property 'fan' has value = 0"),
    ('code = "fault"', 'code = "off"', "has code = 'off'"),
    ('value = 2, code = "fault", fr = "en défaut"', 'value = 2, code = "fault"', "lacks the key 'fr'"),
    ('code = "air.pm25.high"', 'code = "pm25.high"', "rule 'pm25.high' has code = 'pm25.high'"),
    ('code = "air.silence"', 'code = "air.pm25.high"', "code = 'air.pm25.high'"),
    ('kind = "high"', 'kind = "higher"', "rule 'air.pm25.high' has kind = 'higher'"),
    ('property = "pm25"\nkind = "high"', 'property = "pm10"\nkind = "high"', "property = 'pm10'"),
    ('property = "pm25"\nkind = "high"', 'kind = "high"', "lacks the key 'property'"),
    ('kind = "silence"', 'kind = "silence"\nproperty = "pm25"', "property = 'pm25'"),
    ('kind = "silence"', 'kind = "silence"\nlimit = 0', "limit = 0"),
    ('kind = "silence"', 'kind = "silence"\ndeadband = 1', "deadband = 1"),
    ("limit = 25", 'limit = "lots"', "limit = 'lots'"),
    ("limit = 25\n", "", "rule 'air.pm25.high' lacks the key 'limit'"),
    ("limit = 25", "limit = inf", "limit = inf"),
    ("limit = 25", "limit = 1000", "limit = 1000: give one below its end, the valid range of pm25 is 0 to 1000"),
    ("limit = 25", "limit = -1", "limit = -1"),
    ('kind = "high"\nlimit = 25', 'kind = "low"\nlimit = 0', "limit = 0: give one above its beginning"),
    ('kind = "high"\nlimit = 25', 'kind = "low"\nlimit = 996', "deadband = 5: give a smaller one"),
    ('kind = "high"\nlimit = 25', 'kind = "rate_of_change"\nlimit = 0', "limit = 0"),
    ('kind = "high"\nlimit = 25', 'kind = "rate_of_change"\nlimit = 4', "deadband = 5"),
    ('kind = "high"\nlimit = 25\ndeadband = 5', 'kind = "state_equals"\nlimit = 2', "property = 'pm25'"),
    (
        'property = "pm25"\nkind = "high"\nlimit = 25\ndeadband = 5',
        'property = "fan"\nkind = "state_equals"\nlimit = 1',
        "limit = 1: give one of the states of fan: 0, 2",
    ),
    ("deadband = 5", "dead_band = 5", "'dead_band' (value 5)"),
    ("deadband = 5", "deadband = -5", "deadband = -5"),
    ("deadband = 5", "deadband = 26", "deadband = 26: give a smaller one, or the alarm never returns"),
    ("on_delay = 60", "on_delay = -60", "on_delay = -60"),
    ("off_delay = 120", "off_delay = -0.5", "off_delay = -0.5"),
    ("off_delay = 120", "off_delay = nan", "off_delay = nan"),
    ('priority = "high"', 'priority = "urgent"', "priority = 'urgent': write one of critical, high, medium, low"),
    ('priority = "high"', "", "lacks the key 'priority'"),
    ('fr = "Air pollué", ', "", "label of rule 'air.pm25.high' lacks the key 'fr'"),
    ('fr = "Prévenir la préfecture.", ', "", "action of rule 'air.pm25.high' lacks the key 'fr'"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_wrong_domain_file_is_one_sentence_with_file_key_value_and_remedy(
    air_text: str, old: str, new: str, said: str
) -> None:
    assert old in air_text
    with pytest.raises(DomainError) as caught:
        parse(air_text.replace(old, new, 1), name="air.toml")
    assert "domain file air.toml" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "'code'"), ('property = 1\nrule = "x"\ncode = "a"\nlabel = { fr = "a", en = "b" }', "property = 1"),
     ('code = "a"\nlabel = { fr = "a", en = "b" }\nproperty = [1]', "property 1 is 1"),
     ('code = "a"\nlabel = { fr = "a", en = "b" }', "lacks the key 'property'")],
)  # fmt: skip
def test_file_of_another_shape_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(DomainError, match=r"domain file a\.toml") as caught:
        parse(text, name="a.toml")
    assert said in str(caught.value)
    assert caught.value.remedy


def test_state_without_states_is_refused(air_text: str) -> None:
    text = re.sub(r"states = \[.*?\n\]", "", air_text, flags=re.DOTALL)
    with pytest.raises(DomainError, match="'fan' lacks the key 'states': it is a state without states"):
        parse(text, name="air.toml")


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_unit_taken_unasked_is_known_to_the_library(unit: str) -> None:
    assert conversion("parsnip", "Cel").problem == "unknown_unit"
    assert conversion(unit, "K").problem in ("", "incompatible_unit")


def test_units_of_the_shipped_domains_are_taken_unasked() -> None:
    assert {prop.unit for prop in PROPERTIES} <= UNITS


@pytest.mark.parametrize("unit", ["dB[SPL]", "[pH]", "{car}/h", "m3/(h.m2)"])
def test_unit_of_ones_own_is_taken(air_text: str, unit: str) -> None:
    found = parse(air_text.replace('"ug/m3"', f'"{unit}"'), name="air.toml")
    assert found.properties["pm25"].unit == unit


@pytest.mark.parametrize(
    "rule",
    ['kind = "high"\nlimit = 0', 'kind = "high"\nlimit = 25\ndeadband = 25', 'kind = "low"\nlimit = 1000',
     'kind = "low"\nlimit = 900\ndeadband = 100', 'kind = "rate_of_change"\nlimit = 5000\ndeadband = 5000'],
)  # fmt: skip
def test_limit_and_deadband_may_reach_the_ends_of_the_range(air_text: str, rule: str) -> None:
    text = air_text.replace('kind = "high"\nlimit = 25\ndeadband = 5', rule)
    assert len(parse(text, name="air.toml").rules) == 2


def test_two_files_of_one_code_are_named(tmp_path: Path, air_text: str) -> None:
    for name in ("air.toml", "wind.toml"):
        (tmp_path / name).write_text(air_text, "utf-8")
    with pytest.raises(DomainError, match=r"air.toml and .*wind.toml share a code \('air'\)"):
        load(tmp_path)


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "air.toml").write_bytes(b"code = \xff")
    with pytest.raises(DomainError, match=r"cannot read the domain file .*air\.toml"):
        load(tmp_path)


def test_two_domains_of_one_code_are_refused() -> None:
    one = Domain("air", "dot", 1, "Air", "Air", {}, ())
    with pytest.raises(DomainError, match="share a code"):
        Catalogue([one, one])


def test_domains_of_one_order_stand_by_code() -> None:
    domains = [Domain(code, "dot", 1, code, code, {}, ()) for code in ("b", "a")]
    assert list(Catalogue(domains)) == ["a", "b"]
