"""`up` and `demo`: prepare everything, then run one supervised process per verb."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypervision.domains import catalogue_of
from hypervision.errors import ServiceError, SettingError
from hypervision.partitions import Partition
from hypervision.services import broker, database, datadir, endpoints, guard, ports, roles, supervise, why
from hypervision.services.plan import EARLIER_SESSIONS, Plan, log_file, secret
from hypervision.services.report import SERVICES, Start, Terminal, report
from hypervision.services.secrets import write_private
from hypervision.services.supervise import Program
from hypervision.settings import Settings
from hypervision.store.connection import url_of
from hypervision.store.provision import PROCESSES, Process


def programs(kind: datadir.Kind, *, own_database: bool, own_broker: bool, collectors: int = 1) -> list[Program]:
    """List the children of `up` or `demo`.

    Parameters
    ----------
    kind : {"up", "demo"}
        The command.
    own_database, own_broker : bool
        Whether the user brings the server, so that the embedded one is left out.
    collectors : int
        How many share the messages.
    """
    found = []

    def log_in(process: Process) -> dict[str, str]:
        # On a server of one's own everybody logs in as that URL says.
        return {} if own_database else {"HYPERVISION_DATABASE_URL_FILE": f"secrets/database-{process}-url"}

    if not own_database:
        # PostgreSQL writes all its memory to disk when it stops; give it the time.
        found.append(Program("database", ("database",), level=10, patience=30))
    if not own_broker:
        found.append(Program("broker", ("broker",), level=20, patience=15))
    found.append(Program("migrate", ("db", "migrate"), level=30, once=True))
    if collectors == 1:
        found.append(Program("collect", ("collect",), environment=log_in("collect")))
    else:
        found += [
            Program(f"collect-{part.number}", ("collect", "--partition", str(part)), environment=log_in("collect"))
            for part in Partition(collectors, 1).all
        ]
    found += [Program("watch", ("watch",), environment=log_in("watch"))]
    found += [Program("serve", ("serve",), environment=log_in("serve"))]
    # Readings, alarms and screens come before models and simulations when the processor is short.
    # A round of models can take long and leaves nothing behind: it need not be waited for.
    found.append(Program("analyse", ("analyse",), give_way=10, patience=4, environment=log_in("analyse")))
    if kind == "demo":
        device = {} if own_broker else {"HYPERVISION_MQTT_URL_FILE": "secrets/mqtt-device-url"}
        device |= log_in("verbs")
        found.append(Program("simulate", ("simulate", "--scenario", "town"), level=60, give_way=5, environment=device))
    return found


def run(
    options: argparse.Namespace,
    settings: Settings,
    *,
    name: datadir.Kind,
    children: Sequence[Program] | None = None,
) -> int:
    """Run the platform on this machine until it is asked to stop.

    Parameters
    ----------
    options : argparse.Namespace
        The command line.
    settings : Settings
        All settings.
    name : {"up", "demo"}
        Which command.
    children : sequence of Program, optional
        Other children than the platform's own.

    Returns
    -------
    int
        0 after an orderly stop.

    Raises
    ------
    HypervisionError
        Something is wrong before anything was started.
    """
    del options
    if settings.database_url is not None:
        # Read for its refusal: a child would take a wrong URL for a server that is away, and wait.
        url_of(settings)
    # A wrong domain file would end every child in its turn.
    catalogue_of(settings)
    terminal = Terminal(settings.language)
    data_dir = settings.data_dir
    terminal.say("preparing", data_dir=data_dir)
    os.umask(0o077)
    own_database, own_broker = settings.database_url is not None, settings.mqtt_url is not None
    check_division(settings)
    collectors = settings.ingest.collectors
    wanted = (
        programs(name, own_database=own_database, own_broker=own_broker, collectors=collectors)
        if children is None
        else list(children)
    )
    account = None if own_database else database.account_for(data_dir)
    # Everything that can be refused is looked at before anything is made. An earlier start's processes may still
    # hold the ports of a known directory.
    # The more telling sentence first: a cluster of another version may have lost its marker.
    if not own_database:
        database.check_version(data_dir)
    datadir.check(data_dir, kind=name)
    plan = None if (data_dir / "run").exists() else settle(settings, terminal, name)
    with datadir.prepare(data_dir, kind=name, account=account):
        if _children_left(data_dir):
            terminal.say("waiting_for_earlier")
        datadir.wait_for_children(data_dir)
        endpoints.remove(data_dir)
        (data_dir / "run" / "progress.json").unlink(missing_ok=True)
        plan = plan or settle(settings, terminal, name)
        if not own_database:
            if not (data_dir / "database").exists():
                terminal.say("create_database")
            database.clear(data_dir, database.prepare(data_dir, account=account))
        plan.write(data_dir)
        expect_earlier(data_dir, own_broker=own_broker)
        start = Start(name, settings, plan, wanted)
        _environment(start)
        _supervise(start, terminal)
    return 0


def expect_earlier(data_dir: Path, *, own_broker: bool) -> None:
    """Let the collectors wait until the broker has said what an earlier number of them left there.

    A broker of the user's own says nothing: what a start before this one left unsettled would be waited for for ever.
    """
    path = data_dir / "run" / EARLIER_SESSIONS
    if own_broker:
        path.unlink(missing_ok=True)
    else:
        write_private(path, "")


def check_division(settings: Settings) -> None:
    """Refuse settings that would leave a part of the messages to nobody.

    Raises
    ------
    SettingError
        The embedded broker divides by Thing alone, and among all the collectors of this start.
    """
    ingest = settings.ingest
    if ingest.partition != "1/1" and (ingest.collectors > 1 or settings.mqtt_url is None):
        raise SettingError(
            f"setting 'ingest.partition' cannot be {ingest.partition!r} here: nobody would take the other parts",
            remedy="leave it at 1/1, and set ingest.collectors to the number of collectors",
        )
    if ingest.division != "thing" and settings.mqtt_url is None:
        raise SettingError(
            f"setting 'ingest.division' cannot be {ingest.division!r} with the embedded broker",
            remedy="leave it at thing; other divisions are for a broker of your own",
        )


def settle(settings: Settings, terminal: Terminal, kind: datadir.Kind) -> Plan:
    """Choose the ports of this start and say which are not the usual ones.

    Raises
    ------
    ServiceError
        A port that was asked for is busy, or the host is no address of this machine.
    """
    ports.check_host(settings.http.host)
    http_wanted, mqtt_wanted = settings.http.port, settings.broker.port
    http = ports.choose(
        http_wanted,
        key="http.port",
        option="--http-port",
        explicit="port" in settings.http.model_fields_set,
        host=settings.http.host,
    )
    if http_wanted not in (0, http):
        terminal.say("http_moved", wanted=http_wanted, port=http)
    mqtt = nats = 0
    if settings.mqtt_url is None:
        mqtt = ports.choose(
            mqtt_wanted,
            key="broker.port",
            option="--mqtt-port",
            explicit="port" in settings.broker.model_fields_set,
            taken=frozenset((http,)),
        )
        if mqtt_wanted not in (0, mqtt):
            terminal.say("mqtt_moved", wanted=mqtt_wanted, port=mqtt)
        nats = ports.free(taken=frozenset((http, mqtt)))
    base = ports.free(taken=frozenset((http, mqtt, nats))) if settings.database_url is None else 0
    return Plan(http, mqtt, nats, base, anonymous=kind == "demo")


def environment(settings: Settings) -> dict[str, str]:
    """Write all settings but the secrets as the environment of the children.

    So a child sees the very settings of its parent, whatever file or option they came from.
    """
    found: dict[str, str] = {}

    def walk(prefix: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key.upper()}__", value)
            elif value is not None:
                found[f"{prefix}{key.upper()}"] = str(value)

    walk(
        "HYPERVISION_",
        settings.model_dump(exclude={"database_url": True, "mqtt_url": True, "oidc": {"client_secret"}}),
    )
    return found


def _environment(start: Start) -> None:
    settings, plan, data_dir = start.settings, start.plan, start.settings.data_dir
    write_private(secret(data_dir, "database-url"), start.database_url + "\n")
    write_private(secret(data_dir, "mqtt-platform-url"), start.mqtt_url + "\n")
    for process in PROCESSES:
        path = roles.url_file(data_dir, process)
        if settings.database_url is None:
            write_private(path, roles.url(data_dir, plan.database_port, process) + "\n")
        else:
            # What an earlier start has left is of another server.
            path.unlink(missing_ok=True)
    if settings.mqtt_url is None:
        device = broker.url(data_dir, plan.mqtt_port, broker.DEVICE)
        write_private(secret(data_dir, "mqtt-device-url"), device + "\n")
    for variable in [variable for variable in os.environ if variable.startswith("HYPERVISION_")]:
        del os.environ[variable]
    os.environ.update(environment(settings))
    if settings.oidc.client_secret is not None:
        given = secret(data_dir, "oidc-client-secret")
        write_private(given, settings.oidc.client_secret.get_secret_value() + "\n")
        os.environ["HYPERVISION_OIDC__CLIENT_SECRET_FILE"] = str(given)
    os.environ.update(
        {
            "HYPERVISION_HTTP__PORT": str(plan.http_port),
            "HYPERVISION_BROKER__PORT": str(plan.mqtt_port),
            "HYPERVISION_DATABASE_URL_FILE": str(secret(data_dir, "database-url")),
            "HYPERVISION_MQTT_URL_FILE": str(secret(data_dir, "mqtt-platform-url")),
            guard.VARIABLE: "stdin",
            # A models.py in the folder somebody starts from must not shadow the platform's own package.
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
        }
    )


def _children_left(data_dir: Path) -> bool:
    try:
        datadir.wait_for_children(data_dir, seconds=0.0)
    except ServiceError:
        return True
    return False


def _supervise(start: Start, terminal: Terminal) -> None:
    stopped = threading.Event()
    reporter = threading.Thread(target=report, args=(start, terminal, stopped), name="readiness", daemon=True)

    def stopping() -> None:
        stopped.set()
        terminal.say("stopping")

    data_dir = start.settings.data_dir
    logs = {name: why.sizes(log_file(data_dir, log) for log in names) for name, names in SERVICES.items()}
    terminal.say("starting")
    try:
        given_up = supervise.run(
            start.programs, data_dir, ready=reporter.start, stopping=stopping, hopeless=start.hopeless
        )
    finally:
        stopped.set()
        if reporter.ident is not None:
            reporter.join(timeout=5.0)
        endpoints.remove(data_dir)
    if given_up:
        log = next(iter(logs[given_up]))
        raise ServiceError(
            f"the {given_up} does not start ({why.since(logs[given_up]) or 'it logged nothing'})",
            remedy=f"mend that, or restore {data_dir} from a backup; {log} has all it said",
        )
    terminal.say("stopped")
