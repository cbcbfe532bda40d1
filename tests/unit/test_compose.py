"""`docker-compose.yml` as far as it can be judged without Docker."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hypervision import cli
from hypervision.services import broker
from hypervision.settings import PREFIX, load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PLATFORM = ["migrate", "collect", "watch", "analyse", "serve"]

STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
# The part of the Compose specification that is used here; anything else is a mistake until it is added.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "services", "volumes", "configs"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "volumes": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}},
        "configs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["content"],
                "properties": {"content": {"type": "string", "minLength": 1}},
            },
        },
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["image", "restart", "volumes", "logging"],
                "properties": {
                    "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[A-Za-z0-9._-]+$"},
                    "build": {"type": "string"},
                    "command": STRINGS,
                    "restart": {"enum": ["unless-stopped", "on-failure"]},
                    "init": {"type": "boolean"},
                    "read_only": {"type": "boolean"},
                    "shm_size": {"type": "string", "pattern": r"^\d+(mb|gb)$"},
                    "tmpfs": STRINGS,
                    "cap_drop": STRINGS,
                    "security_opt": STRINGS,
                    "volumes": STRINGS,
                    "ports": STRINGS,
                    "environment": {"type": "object", "additionalProperties": {"type": "string"}},
                    "configs": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["source", "target"],
                            "properties": {"source": {"type": "string"}, "target": {"type": "string"}},
                        },
                    },
                    "logging": {
                        "type": "object",
                        "required": ["driver", "options"],
                        "properties": {"options": {"additionalProperties": {"type": "string"}}},
                    },
                    "depends_on": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["condition"],
                            "properties": {
                                "condition": {
                                    "enum": ["service_started", "service_healthy", "service_completed_successfully"]
                                }
                            },
                        },
                    },
                    "healthcheck": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["test", "interval", "timeout", "retries"],
                        "properties": {
                            "test": {**STRINGS, "prefixItems": [{"const": "CMD"}]},
                            "interval": DURATION,
                            "timeout": DURATION,
                            "start_period": DURATION,
                            "retries": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


def test_compose_file_has_the_structure_of_the_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_names_that_services_use_are_declared() -> None:
    for name, service in SERVICES.items():
        for volume in service["volumes"]:
            assert volume.split(":")[0] in COMPOSE["volumes"], name
        for config in service.get("configs", []):
            assert config["source"] in COMPOSE["configs"], name
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "on-failure"


def test_there_is_one_service_per_role_that_exists() -> None:
    assert sorted(SERVICES) == sorted(["database", "broker", *PLATFORM])
    for name in PLATFORM:
        assert SERVICES[name]["build"] == "."
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "timescaledb" in SERVICES["database"]["image"]
    assert SERVICES["database"]["image"].endswith("-pg18")


@pytest.mark.parametrize("name", PLATFORM)
def test_command_is_understood_by_the_real_parser(name: str) -> None:
    verb_name, *arguments = SERVICES[name]["command"]
    entry = next(entry for entry in entry_points(group=cli.GROUP) if entry.name == verb_name)
    verb = entry.load()
    assert verb.name == verb_name
    cli._parser(verb).parse_args(arguments)


@pytest.mark.parametrize("name", PLATFORM)
def test_environment_is_understood_by_the_real_settings(name: str) -> None:
    environ = {key: interpolate(value) for key, value in SERVICES[name]["environment"].items()}
    assert all(key.startswith(PREFIX) for key in environ)
    settings = load(environ | {"HYPERVISION_DATA_DIR": "/data"})
    assert settings.database_url is not None
    assert settings.mqtt_url is not None
    assert settings.registration == "closed"
    if name == "serve":
        assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8050)


def interpolate(text: str) -> str:
    """Fill variables as Compose does; a required one gets a value of the test."""
    filled = re.sub(r"(?<!\$)\$\{(\w+):-([^}]*)\}", r"\2", text)
    filled = re.sub(r"(?<!\$)\$\{(\w+):\?[^}]*\}", r"secret-of-\1", filled)
    return filled.replace("$$", "$")


def test_no_password_has_a_default() -> None:
    variables = re.findall(r"\$\{(\w*PASSWORD\w*)(:.)?", TEXT)
    assert len(variables) >= 6
    assert {operator for _, operator in variables} == {":?"}
    for line in TEXT.splitlines():
        if re.search(r"password\s*[:=]|PASSWORD\s*[:=']|//\w+:", line, re.IGNORECASE):
            assert "${" in line, line


def test_ports_are_opened_on_loopback_unless_asked_otherwise() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"broker", "serve"}
    for ports in published.values():
        for port in ports:
            assert interpolate(port).startswith("127.0.0.1:")


def test_broker_gives_the_same_rights_as_the_embedded_one() -> None:
    settings = load({}, overrides={"data_dir": "/d"})
    embedded = broker.configuration(
        Path("/d"),
        settings,
        broker.Listen(mqtt=1883, nats=4222),
        passwords={"platform": "p", "device": "d", "system": "s"},
    )
    ours = interpolate(COMPOSE["configs"]["broker"]["content"])
    for pattern in (r"publish: \{ allow: \[[^]]*\]", r"subscribe: \{ allow: \[[^]]*\]", r"max_payload: \d+"):
        assert re.findall(pattern, ours) == re.findall(pattern, embedded)
    for pattern in (r'ack_wait: "\w+"', r"max_ack_pending: \d+", r'sync_interval: "\w+"'):
        assert re.findall(pattern, ours) == re.findall(pattern, embedded)


def test_image_copies_what_the_wheel_lists() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    for package in packages:
        assert f"COPY {package} {package}\n" in dockerfile
        assert f"!{package}" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER (?!root)\w+", dockerfile, re.MULTILINE)
