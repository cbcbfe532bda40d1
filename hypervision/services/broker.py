"""The embedded NATS server with MQTT: its configuration, and running it under guard."""

from __future__ import annotations

import logging
import resource
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

from hypervision.services import binaries, stale
from hypervision.services.broker_log import LogReader, store_failed
from hypervision.services.guard import Service
from hypervision.services.plan import log_file, secret
from hypervision.services.secrets import password, write_private
from hypervision.settings import Settings

_log = logging.getLogger(__name__)

# NATS bounds the sum of the windows of one session's filters; a collector's session has three (measured: the
# third subscription is refused when the sum exceeds it).
SESSION_WINDOW = 65_535
FILTERS = 3

# With less free space than this [byte] a restart of the broker is no remedy.
_ROOM = 64_000_000

# Before the topics of a divided traffic, then how many parts there are, then which of them, from 0.
PARTS = "parts"
_LEAVES = ("up", "status", "ack")

PLATFORM = "platform"
DEVICE = "device"


def window(settings: Settings) -> int:
    """Give the number of unacknowledged messages the broker allows per filter."""
    return min(settings.ingest.window, SESSION_WINDOW // FILTERS)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where one run of the broker listens, on loopback; `monitor` 0 for no monitoring page."""

    mqtt: int
    nats: int
    monitor: int = 0
    anonymous: bool = False


def configuration(data_dir: Path, settings: Settings, listen: Listen, *, passwords: dict[str, str]) -> str:
    """Write the broker's configuration.

    Parameters
    ----------
    data_dir : Path
        Where its store and its log are.
    settings : Settings
        Flush interval, redelivery timer, window, largest payload.
    listen : Listen
        Ports; with `anonymous` a client without a name is treated as a device (a demo's first
        `mosquitto_pub`).
    passwords : dict
        Of the users `platform`, `device` and `system`.
    """
    anonymous = f"\n  no_auth_user: {DEVICE}" if listen.anonymous else ""
    monitor = f'http: "127.0.0.1:{listen.monitor}"\n' if listen.monitor else ""
    parts = settings.ingest.collectors
    allowed = [f"urban.v1.*.*.{leaf}" for leaf in _LEAVES]
    # A device's right is looked at after the mapping. Whoever names a part himself is put where he belongs.
    allowed += [f"{PARTS}.{parts}.*.urban.v1.*.*.{leaf}" for leaf in _LEAVES if parts > 1]
    publish = ", ".join(f'"{subject}"' for subject in allowed)
    return f"""# Written at every start.
server_name: hypervision
host: 127.0.0.1
port: {listen.nats}
{monitor}max_payload: {settings.broker.max_payload}
log_file: {_quoted(log_file(data_dir, "broker"))}
logtime: true
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {_quoted(data_dir / "broker" / "store")}
  sync_interval: {_quoted(settings.broker.sync_interval)}
}}
mqtt {{
  host: 127.0.0.1
  port: {listen.mqtt}
  ack_wait: "{settings.broker.ack_wait:g}s"
  max_ack_pending: {window(settings)}{anonymous}
}}
system_account: SYSTEM
accounts {{
  SYSTEM: {{ users: [ {{user: system, password: {_quoted(passwords["system"])}}} ] }}
  CITY: {{
    jetstream: enabled{mappings(parts)}
    users: [
      {{user: {PLATFORM}, password: {_quoted(passwords[PLATFORM])}}}
      {{user: {DEVICE}, password: {_quoted(passwords[DEVICE])}, permissions: {{
        publish: {{ allow: [{publish}] }}
        # A QoS 1 subscription is delivered through a subject of its own below $MQTT.sub.
        subscribe: {{ allow: ["urban.v1.*.*.down", "$MQTT.sub.>"] }}
      }}}}
    ]
  }}
}}
"""


def mappings(parts: int) -> str:
    """Write the subject mapping that divides the traffic: all messages of a Thing get the same part.

    Parameters
    ----------
    parts : int
        How many collectors share it; with one nothing is mapped.

    Examples
    --------
    >>> mappings(1)
    ''
    >>> print(mappings(4).splitlines()[2].strip())
    "urban.v1.*.*.up": "parts.4.{{partition(4,2)}}.urban.v1.{{wildcard(1)}}.{{wildcard(2)}}.up"
    """
    if parts == 1:
        return ""
    lines = []
    for leaf in _LEAVES:
        for given, domain, thing in (("urban.v1.*.*", 1, 2), (f"{PARTS}.*.*.urban.v1.*.*", 3, 4)):
            into = (
                f"{PARTS}.{parts}.{{{{partition({parts},{thing})}}}}"
                f".urban.v1.{{{{wildcard({domain})}}}}.{{{{wildcard({thing})}}}}.{leaf}"
            )
            lines.append(f'      "{given}.{leaf}": "{into}"')
    return "\n".join(["\n    mappings: {", *lines, "    }"])


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def passwords(data_dir: Path) -> dict[str, str]:
    """Read the broker's passwords; made at the first start."""
    return {user: password(secret(data_dir, f"mqtt-{user}")) for user in (PLATFORM, DEVICE, "system")}


def url(data_dir: Path, port: int, user: str) -> str:
    """Give the MQTT URL of one user."""
    return f"mqtt://{user}:{passwords(data_dir)[user]}@127.0.0.1:{port}"


def service(data_dir: Path, settings: Settings, listen: Listen) -> Service:
    """Write the configuration and describe the broker as a service under guard."""
    path = data_dir / "broker" / "nats.conf"
    write_private(path, configuration(data_dir, settings, listen, passwords=passwords(data_dir)))
    return Service(
        name="the broker",
        argv=(str(binaries.nats_server()), "-c", str(path)),
        record=data_dir / "run" / "broker.json",
        stop=signal.SIGTERM,
        hurry=signal.SIGKILL,
        patience=10.0,
    )


class Stuck:
    """Tells a broker that goes on refusing what it cannot store although there is room again.

    NATS keeps a failed write to its store in mind: after a full disk it refuses every message until it is started
    anew (measured with 2.15).

    Parameters
    ----------
    data_dir : Path
        Its store and its log.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._log = LogReader(log_file(data_dir, "broker"), tell=store_failed)

    def __call__(self) -> str:
        """What is wrong; empty when nothing is, or when a restart would not mend it."""
        try:
            refused = self._log.read()["store_failed"]
            free = shutil.disk_usage(self._data_dir).free
        except OSError as error:
            _log.debug("the broker's log cannot be read: %s", error)
            return ""
        if not refused or free < _ROOM:
            return ""
        return f"it stores nothing, and {free // 1_000_000} MB are free"

    def close(self) -> None:
        """Close the log."""
        self._log.close()


def clear(data_dir: Path) -> None:
    """Stop a broker that an earlier guard left behind."""

    def ours(process: psutil.Process) -> bool:
        return str(data_dir / "broker" / "nats.conf") in process.cmdline()

    stale.clear(data_dir / "run" / "broker.json", name="the broker", ours=ours, hurry=signal.SIGTERM)


def raise_file_limit(wanted: int = 65_536) -> None:
    """Allow one open file per device; the soft limit of many systems is 256 or 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= ceiling:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    except (ValueError, OSError) as error:
        # macOS refuses values above its kernel's own limit.
        _log.warning("the limit of open files stays at %d (%s)", soft, error)
