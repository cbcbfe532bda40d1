"""The pure parts of the embedded services."""

from __future__ import annotations

import configparser
import json
import shlex
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from hypervision.accounts import Role
from hypervision.errors import ServiceError, SettingError
from hypervision.partitions import Partition
from hypervision.services import broker, database, demo, ports, supervise
from hypervision.services.broker_log import classify, count
from hypervision.services.plan import secret
from hypervision.services.supervise import Program
from hypervision.settings import Settings, load
from hypervision.store.provision import bootstrap_sql
from ingest.broker import earlier_sessions, missing_filters, session_hash
from ingest.division import FILTERS, client_id, filters_of
from ingest.earlier import Session

PREFIX = "[7] 2026/11/23 01:20:21.314354 [ERR] 127.0.0.1:47821 - mid:31"


def parsed(programs: list[Program], *, python: str = "/p/bin/python") -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(supervise.configuration(programs, python=python, uid=0))
    return parser


def test_supervisor_configuration_starts_verbs_and_opens_no_socket() -> None:
    found = parsed([Program("database", ("database",), level=10), Program("serve", ("serve",))])
    assert not [section for section in found.sections() if "http_server" in section or "rpc" in section]
    assert shlex.split(found["program:serve"]["command"]) == ["/p/bin/python", "-m", "hypervision", "serve"]
    assert found["program:serve"]["autorestart"] == "true"
    assert int(found["program:serve"]["startretries"]) > 1_000_000
    assert found["supervisord"]["user"] == "0"


def test_supervisor_configuration_stops_levels_in_turn() -> None:
    found = parsed([Program("a", ("a",), level=10), Program("b", ("b",), level=50), Program("c", ("c",), level=50)])
    assert (found["group:level10"]["programs"], found["group:level10"]["priority"]) == ("a", "10")
    assert (found["group:level50"]["programs"], found["group:level50"]["priority"]) == ("b,c", "50")


def test_supervisor_configuration_repeats_a_single_run_only_after_a_failure() -> None:
    found = parsed([Program("migrate", ("db", "migrate"), once=True)])["program:migrate"]
    assert (found["autorestart"], found["exitcodes"], found["startsecs"]) == ("unexpected", "0", "0")


def test_supervisor_configuration_escapes_what_it_would_expand() -> None:
    found = parsed([Program("a", ("a",), environment={"K": "50%"})], python="/odd %dir/python")
    assert found["program:a"]["command"] == "'/odd %%dir/python' -m hypervision a"
    assert found["program:a"]["environment"] == 'K="50%%"'


def test_supervisor_configuration_tells_a_child_to_give_way() -> None:
    found = parsed([Program("a", ("a",), give_way=7)])["program:a"]
    assert found["environment"] == 'HYPERVISION_YIELD="7"'
    assert "environment" not in parsed([Program("a", ("a",))])["program:a"]


def test_supervisor_log_of_the_guard_is_not_the_log_of_the_broker() -> None:
    assert parsed([Program("broker", ("broker",))])["program:broker"]["stdout_logfile"] == "logs/broker-guard.log"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (' - "d" - Publish Violation - Subject "foo.bar"', "publish_denied"),
        (' - "d" - Subscription Violation - Subject ">", SID >', "subscription_denied"),
        (' - "d" - character not supported for MQTT topics', "topic_refused"),
        (' - "d" - maximum payload exceeded: 2200030 vs 2097152', "payload_too_large"),
        (' - "d" - authentication error - User "device"', "log_in_refused"),
        (' - "d" - unable to connect: authentication error', None),
        (' - "a.b" - invalid character in client ID "a.b"', "client_id_refused"),
        (' - "" - unacceptable protocol version of 5', "protocol_refused"),
        (" - the first packet should be a CONNECT (16), got 240", "protocol_refused"),
        (" - something never seen before", "malformed"),
    ],
)
def test_classify_line_of_the_broker(text: str, reason: str | None) -> None:
    assert classify(PREFIX + text) == reason


def test_classify_is_not_fooled_by_the_name_of_a_client() -> None:
    hostile = r' - "x\" - Publish Violation - \"" - maximum payload exceeded: 3 vs 2'
    assert classify(PREFIX + hostile) == "payload_too_large"


def test_count_leaves_information_and_warnings_out() -> None:
    lines = [
        "[7] 2026/11/23 01:20:19.578330 [INF] Publish Violation",
        "[7] 2026/11/23 01:20:19.578459 [WRN] Plaintext passwords detected, use nkeys or bcrypt",
        PREFIX + ' - "d" - Publish Violation - Subject "a"',
    ]
    assert count(lines) == {"publish_denied": 1}


class Log:
    """A broker's log and the room on its disk."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = folder / "logs" / "broker.log"
        self.path.parent.mkdir()
        self.path.write_text("")
        self.free = 0
        monkeypatch.setattr(broker.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=self.free))

    def says(self, text: str) -> None:
        with self.path.open("a") as stream:
            stream.write(f"[7] 2026/11/23 06:05:32.690353 [ERR] {text}\n")


def test_broker_that_refuses_while_there_is_room_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, stuck = Log(tmp_path, monkeypatch), broker.Stuck(tmp_path)
    failed = "JetStream failed to store a msg on stream 'CITY > $MQTT_msgs': write 1.blk: no space left on device"
    assert stuck() == ""
    log.says(failed)
    assert stuck() == ""
    log.free = 5_000_000_000
    assert stuck() == ""
    log.says(failed)
    assert stuck() == "it stores nothing, and 5000 MB are free"
    assert stuck() == ""
    stuck.close()


def test_no_client_can_make_the_broker_seem_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, stuck = Log(tmp_path, monkeypatch), broker.Stuck(tmp_path)
    log.free = 5_000_000_000
    stuck()
    log.says('127.0.0.1:4 - mid:1 - "[7] a b [ERR] JetStream failed to store a msg" - authentication error')
    log.says('127.0.0.1:4 - mid:1 - "d" - authentication error - User "JetStream out of space"')
    assert stuck() == ""
    stuck.close()


def configured(**given: object) -> str:
    settings = load({}, overrides={"data_dir": "/d", **given})
    return broker.configuration(
        Path('/d "odd"'),
        settings,
        broker.Listen(mqtt=1883, nats=4222, anonymous=bool(given.get("demo"))),
        passwords={"platform": "PP", "device": "DD", "system": "SS"},
    )


def test_broker_configuration_states_what_the_settings_say() -> None:
    text = configured(broker={"sync_interval": "always", "ack_wait": 20, "max_payload": 1_000_000})
    for line in ('sync_interval: "always"', 'ack_wait: "20s"', "max_payload: 1000000", r'"/d \"odd\"/broker/store"'):
        assert line in text


def test_broker_configuration_lets_nobody_in_without_a_password_except_in_a_demo() -> None:
    assert "no_auth_user" not in configured()
    assert configured(demo=True).count("no_auth_user: device") == 1
    assert "http" not in configured()


def test_broker_window_fits_the_session_of_a_collector() -> None:
    settings = load({}, overrides={"data_dir": "/d", "ingest": {"window": 60_000}})
    assert broker.window(settings) * len(FILTERS) <= broker.SESSION_WINDOW
    assert len(FILTERS) == broker.FILTERS
    small = load({}, overrides={"data_dir": "/d", "ingest": {"window": 500}})
    assert broker.window(small) == 500


def report(*filters: str, client: str = "hv-1-1") -> dict[str, object]:
    consumers = [
        {"name": f"{session_hash(client)}_x{number}", "config": {"filter_subject": subject}}
        for number, subject in enumerate(filters)
    ]
    streams = [{"name": "$MQTT_sess"}, {"name": "$MQTT_msgs", "consumer_detail": consumers}]
    return {"account_details": [{"name": "CITY", "stream_detail": streams}]}


ALL = [f"$MQTT.msgs.urban.v1.*.*.{last}" for last in ("up", "status", "ack")]


def test_session_hash_is_that_of_the_broker() -> None:
    # Read from the consumers that NATS 2.15 made for this client id.
    assert session_hash("hv-1-1") == "UjDrqiGR"


def test_missing_filters_of_sessions() -> None:
    assert missing_filters({}, "hv-1-1", FILTERS) == list(FILTERS)
    assert missing_filters(report(*ALL), "hv-1-1", FILTERS) == []
    assert missing_filters(report(*ALL[:2]), "hv-1-1", FILTERS) == [FILTERS[2]]
    assert missing_filters(report(*ALL, client="other"), "hv-1-1", FILTERS) == list(FILTERS)


def test_earlier_sessions_are_those_of_another_number_of_collectors() -> None:
    told = report(*ALL, client="hypervision-collect-2-4")
    assert earlier_sessions(told, several(4)) == []
    assert earlier_sessions(told, several(2)) == [Session("2/4", 0, 0)]
    assert earlier_sessions(report(*ALL, client="elsewhere-collect-2-4"), several(2)) == []


def several(collectors: int, **ingest: object) -> Settings:
    return load({}, overrides={"data_dir": "/d", "ingest": {"collectors": collectors, **ingest}})


def test_broker_maps_every_topic_of_a_thing_to_one_part() -> None:
    assert "mappings" not in configured()
    text = broker.configuration(
        Path("/d"),
        several(4),
        broker.Listen(mqtt=1, nats=2),
        passwords=dict.fromkeys(("platform", "device", "system"), "x"),
    )
    for leaf in ("up", "status", "ack"):
        into = f"parts.4.{{{{partition(4,2)}}}}.urban.v1.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}.{leaf}"
        assert f'"urban.v1.*.*.{leaf}": "{into}"' in text
        # Whoever names a part himself is divided by his Thing all the same.
        assert f'"parts.*.*.urban.v1.*.*.{leaf}": "parts.4.{{{{partition(4,4)}}}}.' in text
        assert f'"parts.4.*.urban.v1.*.*.{leaf}"' in text.split("publish")[1].splitlines()[0]


def test_parts_have_no_topic_in_common_and_all_topics_together() -> None:
    by_thing = [filters_of(several(1), part) for part in Partition(3, 1).all]
    assert len({name for names in by_thing for name in names}) == 9
    assert by_thing[1][0] == "parts/3/1/urban/v1/+/+/up"
    by_domain = [filters_of(several(1, division="domain"), part) for part in Partition(3, 1).all]
    domains = ("lighting", "parking", "waste", "water")
    assert sorted(name for names in by_domain for name in names) == sorted(
        f"urban/v1/{code}/+/{leaf}" for code in domains for leaf in ("up", "status", "ack")
    )
    with pytest.raises(SettingError, match="4 domains cannot be divided into 5 partitions"):
        filters_of(several(1, division="domain"), Partition(5, 1))
    assert filters_of(several(1, division="domain"), Partition(1, 1)) == FILTERS


def test_client_id_is_one_that_the_broker_takes() -> None:
    name = client_id(several(1), Partition(3, 2))
    assert name == "hypervision-collect-2-3"
    assert not set(name) & set(".*> ")


def test_database_configuration_is_safe_and_small() -> None:
    text = database.configuration(5432, memory=2 * 1024**3)
    for line in ("listen_addresses = '127.0.0.1'", "fsync = 'on'", "synchronous_commit = 'on'", "port = '5432'"):
        assert line in text
    assert "unix_socket_directories = ''" in text
    assert "shared_buffers = '128MB'" in text
    assert "shared_buffers = '256MB'" in database.configuration(1, memory=10**12)


def test_bootstrap_refuses_a_password_that_would_need_quoting() -> None:
    with pytest.raises(ValueError, match="letters"):
        bootstrap_sql("x'; DROP DATABASE postgres; --")


def test_choose_keeps_a_free_port_and_moves_only_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = {1883, 1884}
    monkeypatch.setattr(ports, "is_free", lambda port, _host="": port not in busy)
    given = {"key": "broker.port", "option": "--mqtt-port"}
    assert ports.choose(1885, explicit=True, **given) == 1885
    assert ports.choose(1883, explicit=False, **given) == 1885
    assert ports.choose(1883, explicit=False, taken=frozenset({1885}), **given) == 1886
    with pytest.raises(ServiceError, match=r"broker\.port = 1883 .*--mqtt-port"):
        ports.choose(1883, explicit=True, **given)


def test_demo_has_a_log_in_of_every_role_and_keeps_the_passwords_of_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    first = demo.log_ins(tmp_path)
    assert {entry.role for entry in first} == {role.value for role in Role}
    kept = secret(tmp_path, "demo-log-ins.json")
    kept.write_text(json.dumps([asdict(entry) for entry in first if entry.role != "auditor"]), "utf-8")
    again = demo.log_ins(tmp_path)
    assert [entry for entry in again if entry.role != "auditor"] == [e for e in first if e.role != "auditor"]
    assert [entry.role for entry in again] == list(demo.ROLES)
    assert demo.log_ins(tmp_path) == again
