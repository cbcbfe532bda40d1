"""Every setting of the platform, read in one place: TOML file, environment, `…_FILE` secrets."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from hypervision.entry import LogInSettings, OidcSettings
from hypervision.errors import SettingError
from hypervision.sections import AccessibilitySettings, AlarmSettings, PlatformSettings, RuleSettings, Seconds, Section
from hypervision.urls import is_database_url, is_mqtt_url

PREFIX = "HYPERVISION_"

Port = Annotated[int, Field(ge=0, le=65535)]
Days = Annotated[int, Field(ge=0, le=36_500)]
LEAST_KEPT = 31


class IngestSettings(Section):
    """How readings are taken in."""

    batch_size: Annotated[int, Field(ge=1, le=30_000)] = 5_000
    batch_age: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 0.2
    # NATS grants at most 65,535 unacknowledged messages a session; 30,000 was measured to be accepted on `#`.
    window: Annotated[int, Field(ge=100, le=60_000)] = 30_000
    future_tolerance: Seconds = 600.0
    earliest: Annotated[int, Field(ge=1970, le=2100)] = 2000
    assume_time: bool = True
    # Longer than the broker's redelivery, so that a crossing delivered again after a crash still rings.
    horizon: Seconds = 60.0
    # What is older than this at receipt is history and never rings.
    live_age: Seconds = 3_600.0
    # What a Thing may send for ever, by the times of its readings [messages/s], 0 for any number; and beyond that.
    rate: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 20.0
    burst: Annotated[int, Field(ge=1, le=10_000_000)] = 2_000
    partition: str = "1/1"
    # How many of them `up` starts; one keeps a core busy, so more than the machine has cores bring nothing.
    collectors: Annotated[int, Field(ge=1, le=16)] = 1
    division: Literal["thing", "domain"] = "thing"

    @field_validator("partition")
    @classmethod
    def _part_of_all(cls, value: str) -> str:
        part = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", value)
        if part is None or int(part[1]) > int(part[2]):
            raise ValueError("write which part of how many, such as 1/1 or 2/4")
        return value


class BrokerSettings(Section):
    """The embedded broker and how it is reached."""

    port: Port = 1883
    # JetStream answers a publish before the disk has it: at a power cut at most this much is lost.
    # "always" was measured to cost fifteen times the rate.
    sync_interval: Annotated[str, Field(pattern=r"^(always|[1-9]\d{0,5}(ms|s|m))$")] = "2s"
    # NATS reads it as a Go duration; below a second it would send again what is being stored.
    ack_wait: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 15.0
    max_payload: Annotated[int, Field(ge=65_536, le=8_388_608)] = 2_097_152


class HttpSettings(Section):
    """The control room and the API."""

    host: str = "127.0.0.1"
    port: Port = 8050
    session_hours: Annotated[float, Field(ge=0.1, le=8760)] = 12.0
    health_open: bool = False
    # Other names by which this machine asks for health and metrics, with commas.
    hosts: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,253}( *, *[A-Za-z0-9._:-]{1,253})*$")] = ""
    # Addresses and networks of proxies, with commas: what they say of the browser is believed.
    proxies: str = "127.0.0.1,::1"

    @field_validator("proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for each in value.split(","):
            try:
                ipaddress.ip_network(each.strip())
            except ValueError:
                raise ValueError("write addresses and networks with commas, such as 127.0.0.1,172.18.0.0/16") from None
        return value


class RejectedSettings(Section):
    """The quarantine."""

    # Days; 0: for ever. `watch` removes what is older once a day.
    keep_days: Annotated[int, Field(ge=0, le=36_500)] = 90


class BackupSettings(Section):
    """What `db backup` does when it is not told where."""

    folder: Path | None = None
    keep: Annotated[int, Field(ge=1, le=10_000)] = 7

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("write the whole path, beginning with /")
        return value


class StorageSettings(Section):
    """How long what is kept is kept, and when it is packed [days]; 0 for ever, or never."""

    # Younger days take late readings every hour; packed ones look each of them up.
    pack_after: Annotated[int, Field(ge=0, le=36_500)] = 7
    keep_readings: Days = 0
    keep_hours: Days = 0
    keep_days: Days = 0
    keep_gaps: Days = 0

    @field_validator("pack_after")
    @classmethod
    def _not_recent(cls, value: int) -> int:
        if value in (1, 2):
            raise ValueError("write 0 for never, or 3 and more: readings of yesterday still come")
        return value

    @field_validator("keep_readings", "keep_hours", "keep_days", "keep_gaps")
    @classmethod
    def _not_the_present(cls, value: int) -> int:
        if 0 < value < LEAST_KEPT:
            raise ValueError(f"write 0 for ever, or {LEAST_KEPT} and more")
        return value

    @model_validator(mode="after")
    def _longer_by_level(self) -> Self:
        for name, longer in (("keep_readings", "keep_hours"), ("keep_hours", "keep_days")):
            shorter, value = getattr(self, name), getattr(self, longer)
            if value and (not shorter or value < shorter):
                raise ValueError(f"keep {longer} at least as long as {name} (0 is for ever)")
        return self


class Settings(Section):
    """All settings; frozen once read."""

    data_dir: Path
    database_url: SecretStr | None = None
    mqtt_url: SecretStr | None = None
    # Part of the collector's MQTT client id: two installations on one broker must differ.
    installation: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")] = "hypervision"
    timezone: str = "Europe/Paris"
    language: Literal["fr", "en"] = "fr"
    registration: Literal["open", "closed"] = "closed"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    demo: bool = False
    ingest: IngestSettings = IngestSettings()
    broker: BrokerSettings = BrokerSettings()
    http: HttpSettings = HttpSettings()
    log_in: LogInSettings = LogInSettings()
    oidc: OidcSettings = OidcSettings()
    alarms: AlarmSettings = AlarmSettings()
    rules: RuleSettings = RuleSettings()
    accessibility: AccessibilitySettings = AccessibilitySettings()
    rejected: RejectedSettings = RejectedSettings()
    backup: BackupSettings = BackupSettings()
    storage: StorageSettings = StorageSettings()
    platform: PlatformSettings = PlatformSettings()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            # A folder of zones such as `Europe` is an OSError.
            raise ValueError("give an IANA name such as Europe/Paris") from error
        return value

    # Read here, before anything is made: a service would take a wrong URL for a server that is away, and wait.
    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_database_url(value.get_secret_value()):
            raise ValueError("write postgresql://user:password@host:port/name, with %40 for an @ in the password")
        return value

    @field_validator("mqtt_url")
    @classmethod
    def _broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_mqtt_url(value.get_secret_value()):
            raise ValueError("write mqtt://user:password@host:1883, or mqtts://…:8883, and %40 for an @")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The installation's time zone."""
        return ZoneInfo(self.timezone)


def default_data_dir(name: str, *, root: bool) -> Path:
    """Where data live without `--data-dir`.

    Parameters
    ----------
    name : str
        `hypervision` or `hypervision-demo`.
    root : bool
        Whether the caller is root: its home may be closed (mode 0700) to the account that must run the
        database, so a system folder is used.
    """
    if root:
        return Path("/Library/Application Support" if sys.platform == "darwin" else "/var/lib") / name
    return Path(platformdirs.user_data_dir(name, appauthor=False))


def load(
    environ: dict[str, str] | None = None,
    *,
    config: Path | None = None,
    demo: bool = False,
    overrides: dict[str, Any] | None = None,
) -> Settings:
    """Read the settings: defaults, then the TOML file, then the environment, then `overrides`.

    Parameters
    ----------
    environ : dict, optional
        The environment; the process's own by default.
    config : Path, optional
        The TOML file of `--config`.
    demo : bool
        Whether the defaults of `demo` hold.
    overrides : dict, optional
        Values of command-line options, nested by section.

    Raises
    ------
    SettingError
        One sentence with the key, the value and the remedy.
    """
    env = dict(os.environ) if environ is None else environ
    given: dict[str, Any] = {}
    for layer in (_read_file(config), _read_environment(env), overrides or {}):
        _merge(given, layer)
    merged = {"registration": "open" if demo else "closed", "demo": demo} | given
    if not merged.get("data_dir"):
        name = "hypervision-demo" if merged.get("demo") in (True, "true", "1") else "hypervision"
        merged["data_dir"] = default_data_dir(name, root=os.geteuid() == 0)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _setting_error(error) from None
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    values["data_dir"] = _folder(settings.data_dir)
    # `model_fields_set` tells what somebody wrote down from what was left to us.
    return Settings.model_construct(_fields_set={key for key, value in given.items() if value}, **values)


def _folder(path: Path) -> Path:
    try:
        found = path.expanduser().absolute()
    except RuntimeError:
        raise SettingError(
            f"setting 'data_dir' cannot be {str(path)!r} (nobody of that name has a home here)",
            remedy="write the folder out, from / on",
        ) from None
    if "\0" in str(found):
        raise SettingError(f"setting 'data_dir' cannot be {str(path)!r}", remedy="give the name of a folder")
    return found


def _merge(base: dict[str, Any], layer: dict[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        elif value is not None:
            base[key] = dict(value) if isinstance(value, dict) else value


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(
            f"cannot read --config {path} ({error.strerror})", remedy="check the path and its rights"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML ({error})", remedy="mend that line") from None


def _read_environment(env: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in sorted(env):
        if not name.startswith(PREFIX):
            continue
        key, value = name[len(PREFIX) :], env[name]
        if key.endswith("_FILE"):
            key, value = key[: -len("_FILE")], _read_secret(name, value)
        parts = key.lower().split("__")
        section = found
        for part in parts[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise SettingError(
                    f"the variable {name} (value {value!r}) treats {part!r} as a section, and another as a value",
                    remedy=f"unset {PREFIX}{part.upper()} or {name}",
                )
        if value != "":
            section[parts[-1]] = value
    return found


def _read_secret(name: str, path: str) -> str:
    try:
        value = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"cannot read the file {path!r} of {name} ({error})", remedy="check the path and its rights"
        ) from None
    # Taken for "not set", a lost secret would start an embedded server in place of one's own.
    if not value:
        raise SettingError(f"the file {path!r} of {name} is empty", remedy=f"write the value into it, or unset {name}")
    return value


_HOW: Final = {
    "int_parsing": "write a whole number",
    "float_parsing": "write a number",
    "bool_parsing": "write true or false",
    "finite_number": "write a finite number",
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "date_parsing": "write a date such as 2026-11-02",
    "date_from_datetime_parsing": "write a date such as 2026-11-02",
    "literal_error": "write {expected}",
    "string_too_long": "write {max_length} characters or less",
    "string_too_short": "write at least one character",
    "string_pattern_mismatch": "write it as docs/settings.md tells",
}
"""What to write instead, by pydantic's type of an error, where its own words are not for people."""


def _setting_error(error: ValidationError) -> SettingError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingError(
            f"there is no setting {key!r} (value {first['input']!r})",
            remedy="check its spelling in docs/settings.md",
        )
    value = "(secret)" if key in ("database_url", "mqtt_url") or "secret" in key else repr(first["input"])
    how = _HOW.get(first["type"])
    message = how.format(**first.get("ctx", {})) if how else first["msg"].removeprefix("Value error, ")
    return SettingError(f"setting {key!r} cannot be {value}", remedy=message[:1].lower() + message[1:])
