"""The platform's own parts: what is measured of them, and how it is judged."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.alarms import Alarm, Delays, Reading, apply
from hypervision.collecting import FORGOTTEN
from hypervision.domains import load
from hypervision.errors import RuleError, SettingError
from hypervision.minding import folders
from hypervision.parts import UNSEEN_US, Beaten, Measure, judge, of_backup, of_writers, seen_again
from hypervision.progress import progressed
from hypervision.rules import Limit
from hypervision.ruling import understand
from hypervision.settings import load as load_settings

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND_US = 1_000_000
DELAYS = Delays(60 * SECOND_US, 10 * SECOND_US)


def beaten(name: str, **changes: Any) -> Beaten:
    return Beaten(name, 0.5, False, "connected", 0, 0, 0, 0, {})._replace(**changes)


def measured(*writers: Beaten, held: float = 0.0) -> dict[tuple[str, str], float | None]:
    before = progressed({}, writers, now=NOW - timedelta(seconds=held))
    found = of_writers(writers, progressed(before, writers, now=NOW), now=NOW)
    assert len({(one.part, one.property) for one in found}) == len(found)
    return {(one.part, one.property): one.value for one in found}


def test_town_without_collectors_is_not_judged() -> None:
    assert measured() == {}
    assert measured(beaten("import"), beaten("watch"), beaten("devices")) == {}


def test_collector_at_work_is_measured_with_its_broker() -> None:
    assert measured(beaten("collector-1/1", in_flight=3), held=40) == {
        ("collector-1/1", "collector_state"): 1.0,
        ("collector-1/1", "held_for"): 40.0,
        ("broker", "broker_link"): 1.0,
    }


@pytest.mark.parametrize(
    ("links", "value"), [(("connected", "connected"), 1.0), (("connected", "lost"), 0.0), (("lost", "lost"), 0.0), (("", ""), None)]
)  # fmt: skip
def test_broker_is_one_part_whatever_the_collectors(links: tuple[str, str], value: float | None) -> None:
    writers = [beaten(f"collector-{n}/2", link=link) for n, link in enumerate(links, 1)]
    assert measured(*writers)["broker", "broker_link"] == value


def test_of_a_collector_that_stopped_nothing_else_is_known() -> None:
    assert measured(beaten("collector-1/1", age=90.0, link="lost", in_flight=9), held=500) == {
        ("collector-1/1", "collector_state"): 0.0,
        ("collector-1/1", "held_for"): None,
        ("broker", "broker_link"): None,
    }


def test_part_of_the_messages_that_nobody_takes_is_a_collector_that_stopped() -> None:
    assert measured(beaten("collector-1/2"))["collector-2/2", "collector_state"] == 0.0


def test_retired_and_forgotten_parts_are_not_measured() -> None:
    gone = [beaten("collector-1/1", age=90.0, retired=True), beaten("analyse", age=FORGOTTEN + 1)]
    assert measured(*gone, beaten("http", age=FORGOTTEN + 1)) == {}


def test_models_tell_how_long_ago_they_computed() -> None:
    told = {"computed": 120.0, "failing": 2, "series": 9}
    assert measured(beaten("analyse", detail=told)) == {
        ("analyse", "analysis_state"): 1.0,
        ("analyse", "analysis_age"): 2.0,
        ("analyse", "detectors_failing"): 2.0,
    }


@pytest.mark.parametrize("detail", [None, {}, {"computed": "long", "failing": True}])
def test_models_of_another_version_are_judged_by_their_beat_alone(detail: dict[str, Any] | None) -> None:
    found = measured(beaten("analyse", detail=detail))
    assert found == {
        ("analyse", "analysis_state"): 1.0, ("analyse", "analysis_age"): None, ("analyse", "detectors_failing"): None,
    }  # fmt: skip


def test_models_that_stopped_are_not_late_as_well() -> None:
    found = measured(beaten("analyse", age=60.0, detail={"computed": 9e9, "failing": 3}))
    assert [name for name, value in found.items() if value is not None] == [("analyse", "analysis_state")]


def test_backup_is_measured_in_hours_where_there_is_one() -> None:
    assert of_backup(None, now=NOW) == []
    assert of_backup(NOW - timedelta(hours=30), now=NOW) == [Measure("backup", "backup_age", 30.0)]
    assert of_backup(NOW + timedelta(hours=1), now=NOW) == [Measure("backup", "backup_age", 0.0)]


@given(
    st.sampled_from(["high", "low", "state_equals"]),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
    st.floats(-1e6, 1e6),
)
def test_number_never_violates_and_clears_at_once(kind: str, limit: float, deadband: float, value: float) -> None:
    violates, clears = judge(kind, Limit(limit, deadband, enabled=True), value)
    assert not (violates and clears)
    assert violates or clears or deadband > 0
    assert judge(kind, Limit(limit, deadband, enabled=False), value) == (False, True)


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=60))
def test_alarm_rings_only_after_its_delay_has_been_watched(looks: list[tuple[int, bool]]) -> None:
    """However looks and pauses fall: an unbroken row of bad looks, none further apart than allowed, lasts as long."""
    alarm, at, row_since = Alarm(), 0, None
    for step, bad in looks:
        # Twenty stands for a restart of `watch`, which takes a minute.
        at += UNSEEN_US * 2 if step == 20 else step * SECOND_US
        if step == 20:
            row_since = None
        if bad and row_since is None:
            row_since = at
        alarm = seen_again(alarm, at)
        alarm, steps = apply(alarm, Reading(at, bad, not bad, float(bad)), DELAYS)
        if any(one.to_state == "UNACK" for one in steps):
            # What is seen to be well may have ended the delay of the row before it.
            assert row_since is not None
            assert at - row_since >= DELAYS.on_us
        if not bad:
            row_since = None


def test_delay_that_ran_while_nobody_looked_is_counted_anew() -> None:
    pending = Alarm("pending", "NORM", 0, 0, 1.0)
    late = UNSEEN_US + 1
    assert seen_again(pending, UNSEEN_US) is pending
    assert seen_again(pending, late).phase == "normal"
    assert seen_again(replace(pending, phase="returning", state="UNACK"), late).phase == "active"
    active = replace(pending, phase="active", state="ACKED")
    assert seen_again(active, late) == active


def test_clock_that_was_set_back_holds_no_alarm_up() -> None:
    hour = 3600 * SECOND_US
    active = Alarm("active", "UNACK", 2 * hour, 3 * hour, 0.0)
    alarm, at = active, hour
    for _ in range(3):
        alarm, steps = apply(seen_again(alarm, at), Reading(at, violates=False, clears=True, value=1.0), DELAYS)
        at += 10 * SECOND_US
    assert alarm.state == "RTNUN"
    pending = Alarm("pending", "NORM", 2 * hour, 3 * hour, 0.0)
    alarm, at = pending, hour
    while alarm.state == "NORM":
        alarm, steps = apply(seen_again(alarm, at), Reading(at, violates=True, clears=False, value=0.0), DELAYS)
        at += 5 * SECOND_US
        assert at < hour + DELAYS.on_us + 20 * SECOND_US
    assert steps[0].at_us == hour + DELAYS.on_us


def test_rules_of_the_platform_are_rules_as_others_and_no_sensor_domain() -> None:
    catalogue = load()
    platform = catalogue.ruled["platform"]
    assert not {"platform", "groups"} & set(catalogue)
    assert catalogue.find("platform", "disk_used") is None
    assert all(prop.domain != "platform" for prop in catalogue.properties)
    assert list(catalogue.ruled) == [*catalogue, "groups", "platform"]
    disk = catalogue.judged("platform", "disk_used")
    assert disk is not None
    assert disk.unit == "%"
    assert catalogue.judged("water", "flow") is catalogue.find("water", "flow")
    assert catalogue.judged("water", None) is catalogue.judged("nowhere", "flow") is None
    for rule in (*platform.rules, *catalogue.ruled["groups"].rules):
        assert all([rule.fr, rule.en, rule.action_fr, rule.action_en, rule.consequence_fr, rule.consequence_en])
        assert rule.property in catalogue.ruled[rule.domain].properties
        assert math.isfinite(rule.limit)
    assert {rule.property for rule in platform.rules} == set(platform.properties)


FULL: dict[str, Any] = {
    "code": "platform.disk.mine", "domain": "platform", "property": "disk_used", "kind": "high", "priority": "high",
    "limit": 80, "fr": "Disque", "en": "Disk",
}  # fmt: skip


def test_rule_of_the_platform_is_written_as_others() -> None:
    made = understand({**FULL, "schedule": [{"from": "22:00", "to": "06:00", "limit": 95}]}, load())
    assert understand(made.document(), load()).document() == made.document()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "silence", "property": None}, "kind"),
        ({"kind": "rate_of_change"}, "kind"),
        ({"property": "flow"}, "property"),
        ({"limit": 100}, "limit"),
        ({"things": {"p1": {"limit": 2}}}, "things"),
        ({"classes": {"pump": {"limit": 2}}}, "classes"),
        ({"suppressed_by": [{"rule": "water.flow.excess"}]}, "suppressed_by"),
        ({"formula": {"expression": ["own", "disk_used"], "unit": "%"}}, "formula"),
        ({"domain": "water"}, "code"),
    ],
)
def test_rule_of_the_platform_that_cannot_be_judged_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(RuleError) as caught:
        understand({**FULL, **fields}, load())
    assert caught.value.field == named
    assert caught.value.remedy


def test_rule_of_groups_may_have_limits_by_thing_and_no_formula() -> None:
    given = {**FULL, "code": "groups.mine", "domain": "groups", "property": "in_alarm", "limit": 3}
    made = understand({**given, "things": {"cabinet-1": {"limit": 5}}}, load())
    assert made.things["cabinet-1"].limit == 5
    with pytest.raises(RuleError) as caught:
        understand({**given, "suppressed_by": [{"rule": "water.flow.excess"}]}, load())
    assert caught.value.field == "suppressed_by"


def test_folders_whose_disks_are_looked_at() -> None:
    environ = {"HYPERVISION_PLATFORM__DISKS": "/srv/db, /srv/broker", "HYPERVISION_BACKUP__FOLDER": "/mnt/backup"}
    found = folders(load_settings(environ, overrides={"data_dir": "/data"}))
    assert {part: str(folder) for part, folder in found.items()} == {
        "disk": "/data", "disk /srv/db": "/srv/db", "disk /srv/broker": "/srv/broker", "disk /mnt/backup": "/mnt/backup",
    }  # fmt: skip


def test_folder_that_no_disk_has_is_refused() -> None:
    with pytest.raises(SettingError) as caught:
        load_settings({"HYPERVISION_PLATFORM__DISKS": "/a\0b"}, overrides={"data_dir": "/data"})
    assert caught.value.remedy
