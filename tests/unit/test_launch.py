"""What `up` decides before it starts anything."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from hypervision import launch
from hypervision.errors import DomainError, SettingError
from hypervision.services import phrases
from hypervision.services.plan import Plan
from hypervision.services.report import Start, steps
from hypervision.settings import load

VERBS = ["collect", "watch", "serve", "analyse"]


def names(kind: str, **own: bool) -> list[str]:
    given = {"own_database": False, "own_broker": False} | own
    return [program.name for program in launch.programs(kind, **given)]  # type: ignore[arg-type]


def test_programs_of_up_and_demo() -> None:
    assert names("up") == ["database", "broker", "migrate", *VERBS]
    assert names("demo") == ["database", "broker", "migrate", *VERBS, "simulate"]


def test_programs_of_several_collectors() -> None:
    programs = launch.programs("up", own_database=True, own_broker=True, collectors=3)
    found = {program.name: list(program.arguments) for program in programs if program.name.startswith("collect")}
    assert found == {f"collect-{n}": ["collect", "--partition", f"{n}/3"] for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ingest": {"partition": "1/2"}}, "nobody would take the other parts"),
        ({"ingest": {"partition": "1/2", "collectors": 2}, "mqtt_url": "mqtt://h"}, "nobody would take the other"),
        ({"ingest": {"division": "domain"}}, "'ingest.division' cannot be 'domain' with the embedded broker"),
        ({"ingest": {"division": "domain", "collectors": 4}, "mqtt_url": "mqtt://h"}, ""),
        ({"ingest": {"partition": "1/2"}, "mqtt_url": "mqtt://h"}, ""),
        ({"ingest": {"collectors": 4}}, ""),
    ],
)
def test_division_that_leaves_a_part_to_nobody_is_refused(given: dict[str, object], words: str) -> None:
    settings = load({}, overrides={"data_dir": "/d", **given})
    if words:
        with pytest.raises(SettingError, match=words):
            launch.check_division(settings)
    else:
        launch.check_division(settings)


def test_programs_with_servers_of_ones_own_leave_the_embedded_ones_out() -> None:
    assert names("up", own_database=True) == ["broker", "migrate", *VERBS]
    assert names("up", own_broker=True) == ["database", "migrate", *VERBS]
    assert names("demo", own_database=True, own_broker=True) == ["migrate", *VERBS, "simulate"]


def test_programs_stop_the_services_last_and_devices_first() -> None:
    level = {program.name: program.level for program in launch.programs("demo", own_database=False, own_broker=False)}
    assert level["simulate"] > level["collect"] == level["serve"] > level["broker"] > level["database"]


def test_models_and_simulations_give_way_to_readings_and_screens() -> None:
    programs = launch.programs("demo", own_database=False, own_broker=False)
    assert {program.name for program in programs if program.give_way} == {"analyse", "simulate"}


def test_simulated_devices_log_in_as_devices() -> None:
    simulate = launch.programs("demo", own_database=False, own_broker=False)[-1]
    assert simulate.environment["HYPERVISION_MQTT_URL_FILE"] == "secrets/mqtt-device-url"
    assert launch.programs("demo", own_database=True, own_broker=True)[-1].environment == {}


def test_each_process_logs_in_to_the_embedded_database_with_its_own_role() -> None:
    found = {
        program.name: program.environment.get("HYPERVISION_DATABASE_URL_FILE")
        for program in launch.programs("demo", own_database=False, own_broker=False, collectors=2)
    }
    assert found == {
        "database": None, "broker": None, "migrate": None, "simulate": "secrets/database-verbs-url",
        "collect-1": "secrets/database-collect-url", "collect-2": "secrets/database-collect-url",
        "watch": "secrets/database-watch-url", "serve": "secrets/database-serve-url",
        "analyse": "secrets/database-analyse-url",
    }  # fmt: skip
    own = launch.programs("demo", own_database=True, own_broker=False)
    assert not any("HYPERVISION_DATABASE_URL_FILE" in program.environment for program in own)


@pytest.mark.parametrize("demo", [False, True])
def test_environment_gives_children_the_very_settings_of_their_parent(demo: bool) -> None:
    given = {
        "data_dir": "/somewhere/with space",
        "language": "en",
        "ingest": {"batch_age": 0.5, "partition": "2/3"},
        "broker": {"port": 0, "sync_interval": "always"},
        "http": {"host": "::1", "port": 1234},
    }
    settings = load({}, demo=demo, overrides=given)
    environ = launch.environment(settings)
    assert load(environ) == settings


def test_environment_holds_no_secret() -> None:
    given = {"data_dir": "/d", "database_url": "postgresql://u:hidden@h/d", "mqtt_url": "mqtt://u:hidden@h"}
    given["oidc"] = {"issuer": "https://id.example", "client_id": "x", "client_secret": "hidden"}  # type: ignore[assignment]
    environ = launch.environment(load({}, overrides=given))
    assert "hidden" not in repr(environ)
    assert "HYPERVISION_DATABASE_URL" not in environ


def test_wrong_domain_file_ends_the_start_before_anything_is_made(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "air.toml").write_text('code = "air"\ncolour = 1\n', "utf-8")
    with pytest.raises(DomainError, match=r"air\.toml: the file has the unknown key 'colour'"):
        launch.run(argparse.Namespace(), load({}, overrides={"data_dir": tmp_path}), name="up")
    assert capfd.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["domains"]


def start(kind: str = "up", **given: object) -> Start:
    settings = load({}, demo=kind == "demo", overrides={"data_dir": "/d", **given})
    programs = launch.programs(
        kind,  # type: ignore[arg-type]
        own_database=settings.database_url is not None,
        own_broker=settings.mqtt_url is not None,
    )
    return Start(kind, settings, Plan(8050, 1883, 4222, 5432, anonymous=kind == "demo"), programs)  # type: ignore[arg-type]


def test_steps_wait_for_each_part_in_order() -> None:
    assert [step.key for step in steps(start())] == ["database", "broker", "live", "health"]
    assert [step.key for step in steps(start("demo"))] == ["database", "broker", "live", "health", "town"]
    own = start(database_url="postgresql://h/d", mqtt_url="mqtt://h")
    assert [step.key for step in steps(own)] == ["live", "health"]


def test_urls_of_own_servers_are_handed_on_unchanged() -> None:
    own = start(database_url="postgresql://u:p@h/d", mqtt_url="mqtts://u:p@h:8883")
    assert own.database_url == "postgresql://u:p@h/d"
    assert own.mqtt_url == own.public_mqtt_url == "mqtts://u:p@h:8883"


def test_public_mqtt_url_of_a_demo_needs_no_password() -> None:
    assert start("demo").public_mqtt_url == "mqtt://127.0.0.1:1883"


@pytest.mark.parametrize(
    ("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7"), ("127.0.0.1", "127.0.0.1")]
)
def test_host_is_where_this_machine_reaches_the_server(host: str, reached: str) -> None:
    assert start(http={"host": host}).host == reached


@pytest.mark.parametrize("key", phrases.keys())
def test_phrase_takes_the_same_values_in_both_languages(key: str) -> None:
    import string

    french, english = phrases._PHRASES[key]
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (french, english)]
    assert fields[0] == fields[1]
    assert french
    assert english


def test_every_step_has_a_phrase() -> None:
    assert {step.key for step in steps(start("demo"))} | {"log_ins", "first_administrator"} <= set(phrases.keys())


def test_data_dir_of_tests_is_not_the_default() -> None:
    assert start().settings.data_dir == Path("/d")


def test_what_an_earlier_number_of_collectors_left_is_waited_for_at_the_embedded_broker_only(tmp_path: Path) -> None:
    noted = tmp_path / "run" / "earlier-sessions.json"
    noted.parent.mkdir()
    launch.expect_earlier(tmp_path, own_broker=False)
    assert noted.read_text("utf-8") == ""
    # That start is killed before anybody has looked; the next one has another broker.
    launch.expect_earlier(tmp_path, own_broker=True)
    assert not noted.exists()
    launch.expect_earlier(tmp_path, own_broker=True)
