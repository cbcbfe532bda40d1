"""Settings: every wrong value is one sentence with the key, the value and the remedy."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hypervision.errors import SettingError
from hypervision.settings import Settings, default_data_dir, load

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> list[tuple[str, Any]]:
    """(key, default) of every setting."""
    found = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += leaves(field.annotation, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", None if field.is_required() else field.default))
    return found


def variable(key: str) -> str:
    return "HYPERVISION_" + key.upper().replace(".", "__")


# For every key: values that must be refused.
WRONG: dict[str, list[str]] = {
    "installation": ["a b", "a.b", "-x", "x" * 33],
    "timezone": ["Mars/Olympus", "../etc/passwd", "Europe", "/etc/localtime"],
    "language": ["de", "FR"],
    "registration": ["maybe"],
    "log_level": ["loud"],
    "log_format": ["xml", "JSON"],
    "demo": ["perhaps"],
    "ingest.batch_size": ["0", "30001", "many", "2.5"],
    "ingest.batch_age": ["0", "-1", "nan", "inf", "61", "soon"],
    "ingest.window": ["99", "60001"],
    "ingest.future_tolerance": ["0", "inf", "nan", "1e30"],
    "ingest.assume_time": ["perhaps", "2"],
    "ingest.earliest": ["1969", "2101", "y2k"],
    "ingest.horizon": ["0", "inf", "1e18"],
    "ingest.rate": ["-1", "inf", "1e9"],
    "ingest.burst": ["0", "1.5", "1e300"],
    "ingest.live_age": ["0", "inf", "1e300"],
    "ingest.partition": ["2", "0/1", "3/2", "a/b", "1/1/1"],
    "ingest.collectors": ["0", "17", "two"],
    "ingest.division": ["city", "THING"],
    "broker.port": ["-1", "65536", "mqtt"],
    "broker.sync_interval": ["sometimes", "2", "-1s"],
    "broker.ack_wait": ["0", "1e-9", "3601", "inf"],
    "broker.max_payload": ["1", "99999999"],
    "http.port": ["-1", "65536"],
    "http.session_hours": ["0", "1e-9", "8761", "nan"],
    "http.health_open": ["perhaps"],
    "http.hosts": ["a b", "http://a", "a,,b", "a,"],
    "http.proxies": ["proxy.example", "10.0.0.1/8", "*", "10.0.0.1,,::1"],
    "log_in.second_factor": ["everybody", "operator;viewer", "Administrator"],
    "oidc.issuer": ["id.example", "http://id.example", "ftp://id.example", "https://", "https://id.example?x=1"],
    "oidc.client_id": ["x" * 256],
    "oidc.public_url": ["city.example", "https://city.example/", "https://a b", "javascript:alert(1)"],
    "oidc.label": ["x" * 65],
    "oidc.scopes": ["profile", "openid,profile", "openid  profile"],
    "oidc.name_claim": ["x" * 129],
    "oidc.role_claim": ["x" * 129],
    "oidc.roles": ["ops", "ops=king", "=viewer", "ops=viewer,"],
    "oidc.accounts": ["anybody", "made"],
    "oidc.skew": ["-1", "601", "nan"],
    "alarms.grace": ["0", "inf", "1e300"],
    "alarms.stale_periods": ["0.5", "0", "nan", "inf", "1e300"],
    **{f"alarms.shelve_{p}": ["0", "59", "604801", "nan"] for p in ("critical", "high", "medium", "low")},
    **{f"alarms.realarm_{p}": ["-1", "inf", "1e300"] for p in ("critical", "high", "medium", "low")},
    **{f"alarms.escalate_{p}": ["-1", "inf", "1e300"] for p in ("critical", "high", "medium", "low")},
    "alarms.escalate_to": ["viewer", "everybody"],
    "rules.one_person": ["perhaps", "2"],
    "rules.country": ["FR", "france", "xx"],
    "rules.holidays": ["tomorrow", "2026-1-1", "12-26;12-27"],
    "alarms.shifts": ["6:00", "06:05", "14:00,06:00", "06:00,,14:00", "night", "24:00"],
    "alarms.operators": ["0", "-1", "1.5", "1001"],
    "accessibility.organisation": ["x" * 201],
    "accessibility.email": ["nobody", "a@b c", "javascript:alert(1)", "<a@b.example>"],
    "accessibility.form": ["city.example", "javascript:alert(1)", "https://a b", 'https://a"b'],
    "accessibility.post": ["x" * 301],
    "accessibility.audited_by": ["x" * 201],
    "accessibility.audited_on": ["yesterday", "02/11/2026", "2026-13-01"],
    "accessibility.rate": ["-1", "100.1", "nan", "half"],
    "rejected.keep_days": ["-1", "1.5", "36501", "never"],
    "backup.folder": ["backups", "./x", "~/x"],
    "platform.disks": ["srv", "/srv,db", "/srv,,/db"],
    "backup.keep": ["0", "-1", "many", "10001"],
    "storage.pack_after": ["-1", "1", "2", "36501", "7.5", "never"],
    "storage.keep_readings": ["-1", "30", "36501", "1e9"],
    "storage.keep_hours": ["-1", "30", "36501", "ever"],
    "storage.keep_days": ["-1", "30", "36501"],
    "storage.keep_gaps": ["-1", "30", "36501", "nan"],
}
# The same for values that are never shown.
WRONG_SECRETS: dict[str, list[str]] = {
    "database_url": [
        "geheim", "http://u:geheim@h/d", "mysql://u:geheim@h/d", "=geheim", "postgresql://u:geheim@h:99999/d",
        "postgresql://u:geheim@h:0/d", "postgresql://u:geheim@h:port/d", "postgresql://u:geheim@x@h/d",
    ],
    "mqtt_url": [
        "geheim", "http://u:geheim@x", "mqtt://", "mqtt://u:geheim@", "mqtt://u:geheim@h:99999", "mqtt://u:geheim@h:0",
        "mqtt://u:geheim@h:port", "mqtt://[geheim", "//u:geheim@h",
    ],
}  # fmt: skip
# Any text is a value of these.
FREE = {"data_dir", "http.host", "oidc.client_secret"}


def test_wrong_values_are_known_for_every_setting() -> None:
    assert {key for key, _ in leaves()} == set(WRONG) | set(WRONG_SECRETS) | FREE


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_wrong_value_is_one_sentence_with_key_value_and_remedy(key: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({variable(key): value, "HYPERVISION_DATA_DIR": "/tmp/x"})
    text = str(caught.value)
    assert f"'{key}'" in text
    assert value in text
    assert caught.value.remedy.startswith(("write ", "give "))
    assert "\n" not in text


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG_SECRETS.items() for value in values])
def test_wrong_url_is_one_sentence_that_does_not_show_it(key: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({variable(key): value, "HYPERVISION_DATA_DIR": "/tmp/x"})
    text = str(caught.value)
    assert f"'{key}'" in text
    assert "geheim" not in text
    assert caught.value.remedy.startswith("write ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("database_url", "postgresql://u:p%40@h:5432/d"),
        ("database_url", "postgres://h"),
        ("database_url", "postgresql:///d?host=/run/postgresql"),
        ("database_url", "postgresql://u:p#x@[::1]:5432,other/d?sslmode=require"),
        ("database_url", "postgresql://u@%2Frun%2Fpostgresql/d"),
        ("database_url", "host=h dbname = 'a b' password='x://y'"),
        ("mqtt_url", "mqtt://h"),
        ("mqtt_url", "mqtts://u:p%40@broker.example:65535"),
        ("mqtt_url", "mqtt://u@[::1]:1883"),
    ],
)
def test_url_of_ones_own_server_is_taken_as_it_is(key: str, value: str) -> None:
    assert getattr(load({variable(key): value}), key).get_secret_value() == value


@pytest.mark.parametrize(
    "name", ["HYPERVISION_COLOUR", "HYPERVISION_INGEST__SPEED", "HYPERVISION_HTTP__HOST__NAME", "HYPERVISION_INGEST"]
)
def test_unknown_setting_is_named_with_its_value(name: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({name: "7", "HYPERVISION_DATA_DIR": "/tmp/x", "HYPERVISION_INGEST__WINDOW": "700"})
    assert "7" in str(caught.value)
    assert "setting" in str(caught.value) or name in str(caught.value)
    assert caught.value.remedy


def test_defaults_hold_without_anything() -> None:
    settings = load({"HYPERVISION_DATA_DIR": "/tmp/x"})
    assert (settings.registration, settings.demo, settings.timezone) == ("closed", False, "Europe/Paris")
    assert settings.ingest.batch_size == 5_000
    assert str(settings.zone) == "Europe/Paris"


def test_demo_has_defaults_of_its_own() -> None:
    settings = load({}, demo=True)
    assert (settings.registration, settings.demo) == ("open", True)
    assert settings.data_dir.name == "hypervision-demo"
    assert load({}).data_dir.name == "hypervision"


def test_environment_beats_the_file_and_options_beat_both(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('language = "en"\n[http]\nport = 1\nhost = "::1"\n[ingest]\nbatch_size = 7\n', "utf-8")
    settings = load(
        {"HYPERVISION_HTTP__PORT": "2", "HYPERVISION_INGEST__BATCH_SIZE": "8", "HOME": "/"},
        config=file,
        overrides={"http": {"port": 3}, "log_level": None},
    )
    assert (settings.language, settings.http.port, settings.http.host, settings.ingest.batch_size) == (
        "en",
        3,
        "::1",
        8,
    )
    assert settings.log_level == "info"


def test_empty_variable_is_no_value() -> None:
    assert load({"HYPERVISION_LANGUAGE": "", "HYPERVISION_DATA_DIR": ""}).language == "fr"


def test_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://u:geheim@h/d\n", "utf-8")
    settings = load({"HYPERVISION_DATABASE_URL_FILE": str(file)})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:geheim@h/d"
    assert "geheim" not in repr(settings)
    assert "geheim" not in settings.model_dump_json()


def test_empty_secret_file_is_refused_rather_than_taken_for_unset(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("\n", "utf-8")
    with pytest.raises(SettingError, match=r"HYPERVISION_DATABASE_URL_FILE is empty: write the value"):
        load({"HYPERVISION_DATABASE_URL_FILE": str(file)})


def test_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="HYPERVISION_MQTT_URL_FILE") as caught:
        load({"HYPERVISION_MQTT_URL_FILE": str(tmp_path / "none")})
    assert str(tmp_path / "none") in str(caught.value)


def test_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("database_url = 4711\n", "utf-8")
    with pytest.raises(SettingError) as caught:
        load({}, config=file)
    assert "4711" not in str(caught.value)
    assert "'database_url'" in str(caught.value)


@pytest.mark.parametrize("text", ["language = ", "= 3", "\x00"])
def test_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingError, match=re.escape(str(file))) as caught:
        load({}, config=file)
    assert caught.value.remedy


def test_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b'language = "\xff"')
    with pytest.raises(SettingError, match=re.escape(str(file))):
        load({}, config=file)


def test_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--config"):
        load({}, config=tmp_path / "none.toml")


def test_file_with_a_section_that_is_a_number_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("http = 3\n", "utf-8")
    with pytest.raises(SettingError, match="'http'"):
        load({}, config=file)


def test_data_dir_is_absolute_and_knows_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert load({"HYPERVISION_DATA_DIR": "~/city"}).data_dir == tmp_path / "city"
    assert load({"HYPERVISION_DATA_DIR": "city"}).data_dir == tmp_path / "city"


@pytest.mark.parametrize("folder", ["~nosuchuser/x", "a\0b"])
def test_data_dir_that_is_none_is_one_sentence(folder: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({}, overrides={"data_dir": folder})
    text = str(caught.value)
    assert text.startswith(f"setting 'data_dir' cannot be {folder!r}")
    assert caught.value.remedy
    assert "\n" not in text


def test_settings_know_what_was_given() -> None:
    given = load({"HYPERVISION_LANGUAGE": "en", "HYPERVISION_MQTT_URL": ""}, demo=True, overrides={"log_level": None})
    assert given.model_fields_set == {"language"}
    assert given == load({"HYPERVISION_LANGUAGE": "en"}, demo=True)


# What the platform computes with a setting, in the units it does it in.
LARGEST: dict[str, float] = {"alarms.stale_periods": 31_622_400e6}


@pytest.mark.parametrize("key", [key for key, default in leaves() if isinstance(default, float)])
def test_number_that_is_taken_can_be_computed_with(key: str) -> None:
    """A sum of now and a setting is a time, and a setting in microseconds a 64-bit number."""
    high = 1e308
    while True:
        try:
            taken = load({variable(key): repr(high), "HYPERVISION_DATA_DIR": "/tmp/x"})
        except SettingError:
            high /= 2
            continue
        break
    section, name = key.split(".")
    value = getattr(getattr(taken, section), name)
    assert int(value * LARGEST.get(key, 1e6)) < 2**63
    assert datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=value) > datetime(1970, 1, 1, tzinfo=UTC)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).language = "en"


def test_default_data_dir_of_root_is_a_system_folder() -> None:
    assert default_data_dir("hypervision", root=True).parent in (Path("/var/lib"), Path("/Library/Application Support"))
    assert default_data_dir("hypervision", root=False) != default_data_dir("hypervision", root=True)


def test_every_setting_stands_in_the_docs_with_its_default() -> None:
    text = DOCS.read_text("utf-8")
    lines = {
        line.split("|")[1].strip(" `"): line.split("|")[2].strip(" `")
        for line in text.splitlines()
        if line.startswith("| `")
    }
    expected = dict(leaves())
    assert set(lines) == set(expected)
    for key, default in expected.items():
        if key in ("data_dir", "registration", "demo"):  # `up` and `demo` differ, and the text tells how
            continue
        shown = "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
        assert lines[key] == shown, f"docs/settings.md says {lines[key]!r} for {key}, the default is {shown!r}"
