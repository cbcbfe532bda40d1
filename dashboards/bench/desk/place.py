"""A town of one's own with its database, its server, its timers and readings that never stop."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dashboards.bench.desk.browser import PASSWORD
from dashboards.bench.desk.counting import HiddenAlarm
from dashboards.bench.desk.replay import Replay
from dashboards.bench.desk.town import Key, MadeTown, make, standing
from hypervision.accounts import Role
from hypervision.errors import ServiceError
from hypervision.services import ports, roles
from hypervision.services.stage import Stage, stage
from hypervision.store import administration, alarms, periods, screens
from hypervision.store.connection import connect
from hypervision.store.registry import register_things
from hypervision.store.screens import AlarmRow

OPERATORS: Final = 8
_PATIENCE: Final = 120.0


@dataclass
class Place:
    """The town that is measured.

    Attributes
    ----------
    standing : dict
        By which readings alarms stand from the beginning.
    """

    stage: Stage
    town: MadeTown
    replay: Replay
    base: str
    standing: dict[Key, float]

    def alarms(self) -> list[AlarmRow]:
        """The open alarms, hidden ones among them, as the database has them now."""
        with connect(self.stage.database_url, application="bench") as connection:
            return screens.read_alarms(connection)

    def codes(self) -> dict[int, str]:
        """Codes of the Things, by their numbers."""
        with connect(self.stage.database_url, application="bench") as connection:
            return {thing.thing_id: thing.code for thing in screens.read_things(connection)}

    def hidden(self, codes: dict[int, str]) -> list[HiddenAlarm]:
        """The open alarms that something hides."""
        return [
            HiddenAlarm(alarm.alarm_id, codes.get(alarm.thing_id or 0, ""), alarm.explained_by)
            for alarm in self.alarms()
            if alarm.suppression != "none"
        ]

    def acknowledge(self, wanted: Sequence[int]) -> None:
        """Acknowledge alarms without a screen, to clear what a measurement has raised."""
        with connect(self.stage.database_url, application="bench") as connection:
            for alarm_id in wanted:
                alarms.acknowledge(connection, alarm_id, actor="operator-0", comment="", now=datetime.now(UTC))

    def clear(self, keys: Sequence[Key]) -> None:
        """Let what was raised return, and be acknowledged, so that what stands is what stood before."""
        self.replay.usual(keys)
        codes, wrong = self.codes(), {code for code, _ in keys}
        self.acknowledge([one.alarm_id for one in self.alarms() if codes.get(one.thing_id or 0) in wrong])

    def expect(self, codes: Sequence[str], name: str, seconds: float) -> None:
        """Say how often Things send a property."""
        with connect(self.stage.database_url, application="bench") as connection:
            wanted = {
                stream: seconds
                for code in codes
                for stream in periods.streams(connection, code)
                if stream.property == name
            }
            periods.put(connection, wanted, actor="bench", now=datetime.now(UTC))


@contextmanager
def place(*, things: int, alarms: int, rate: float) -> Iterator[Place]:
    """Make the town, start everything, and clear it away afterwards."""
    town = make(things)
    wrong = standing(town, alarms)
    with stage(with_broker=False) as made:
        now = datetime.now(UTC)
        with connect(made.database_url, application="bench") as connection:
            register_things(connection, town.things, now=now, organisations={"town": "Ville"})
            for number in range(OPERATORS):
                administration.add_account(
                    connection, name=f"operator-{number}", password=PASSWORD, role=Role.OPERATOR, now=now
                )
        replay = Replay(made.settings, town, rate=rate)
        replay.history(hours=24.0, every=25)
        replay.all_once()
        with replay:
            replay.put(wrong)
            port = ports.free()
            url = {name: roles.url(made.folder, made.plan.database_port, name) for name in ("serve", "watch")}
            made.start("watch", HYPERVISION_DATABASE_URL=url["watch"])
            made.start("serve", "--http-port", str(port), HYPERVISION_DATABASE_URL=url["serve"])
            found = Place(made, town, replay, f"http://127.0.0.1:{port}", wrong)
            _wait(found, port)
            # One that nobody acknowledges is told to others after a while, and stands above every newer one then.
            found.acknowledge([alarm.alarm_id for alarm in found.alarms() if alarm.priority == "critical"])
            yield found


def _wait(place: Place, port: int) -> None:
    """Wait until the server is ready."""
    deadline, told = time.monotonic() + _PATIENCE, ""
    while time.monotonic() < deadline and all(role.running for role in place.stage.roles.values()):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/health")
            answer = connection.getresponse()
            told = answer.read().decode("utf-8", "replace")
            if answer.status == 200:
                return
        except OSError as error:
            told = str(error)
        finally:
            connection.close()
        time.sleep(0.2)
    tails = "\n".join(role.tail(500) for role in place.stage.roles.values())
    raise ServiceError(f"the control room is not ready ({told[:200]})", remedy=tails)
