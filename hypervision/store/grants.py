"""What each process may do in the database, and whether the audit log is out of reach of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from psycopg import Connection, sql

from hypervision.store.connection import mapped
from hypervision.store.provision import PROCESSES, STORAGE, Process, role_of
from hypervision.store.sql import query

Rights = Mapping[str, str]

_PUT: Final = "INSERT, UPDATE"
_ALL: Final = "INSERT, UPDATE, DELETE"

# Whoever commits readings (`Intake`): the collectors, what is posted, imports and replays, derived readings, timers.
_INTAKE: Final[Rights] = {
    "alarm": _PUT, "alarm_condition": _PUT, "alarm_transition": "INSERT", "datastream": _PUT, "journal": "INSERT",
    "late_day": _PUT, "latest": _PUT, "message_identity": _PUT, "observation": "INSERT", "organisation": _PUT,
    "outage": _PUT, "rejected_message": _PUT, "rollup_mark": "INSERT", "sensor": _PUT, "sequence": _ALL,
    "sequence_gap": _ALL, "thing": _PUT, "writer": _PUT, "writer_snapshot": _PUT,
    # Held by each batch until it is committed (FOR SHARE asks for it).
    "rollup_epoch": "UPDATE", "rule_set": "UPDATE",
    # A one-shot shelf ends with its alarm.
    "inhibition": "UPDATE", "rule_seam": _PUT,
}  # fmt: skip
# What people do, on a screen or by a verb.
_PEOPLE: Final[Rights] = {
    "correction": _PUT, "corrected_observation": _PUT, "journal": _PUT, "observation": _PUT, "session": _ALL,
    # What a second try took is put together with what it had become.
    "rejected_message": _ALL,
    "account": _PUT, "api_token": _PUT, "identity": "INSERT", "invitation": _ALL, "recovery_code": _ALL,
    "second_factor": _ALL,
    "inhibition": _PUT, "inhibition_target": "INSERT", "rule_proposal": _ALL,
    "note": _PUT, "saved_view": _ALL, "thing_group": _PUT, "thing_group_member": "INSERT, DELETE",
}  # fmt: skip

WRITES: Final[Mapping[Process, Rights]] = MappingProxyType({
    "collect": _INTAKE,
    "analyse": _INTAKE,
    "watch": {
        **_INTAKE, "corrected_observation": "DELETE", "hole": _ALL, "installation": _PUT, "journal": _PUT,
        "late_day": _ALL, "login_failure": "DELETE", "message_identity": _ALL, "outage": _ALL,
        "rejected_message": _ALL, "rollup": _ALL, "rollup_due": _ALL, "rollup_mark": "INSERT, DELETE",
        "session": "DELETE", "rule": _PUT, "rule_health": _ALL, "rule_override": _ALL, "rule_proposal": "UPDATE",
        "rule_version": "INSERT", "platform_part": "INSERT",
    },
    "serve": {**_INTAKE, **_PEOPLE, "login_failure": _ALL},
    # A simulated town and an import declare a registry.
    "verbs": {**_INTAKE, **_PEOPLE, "installation": _PUT},
})  # fmt: skip
"""By process: what it writes in which table. What it may read is in `reads`."""

# Tables that not every process may read, and who may.
_PRIVATE: Final[Mapping[str, frozenset[Process]]] = {
    "account": frozenset({"serve", "verbs"}),
    "session": frozenset({"serve", "verbs"}),
    "login_failure": frozenset({"serve", "verbs"}),
    "api_token": frozenset({"serve", "verbs"}),
    "identity": frozenset({"serve", "verbs"}),
    "invitation": frozenset({"serve", "verbs"}),
    "recovery_code": frozenset({"serve", "verbs"}),
    "second_factor": frozenset({"serve", "verbs"}),
    "audit": frozenset({"serve", "verbs"}),
    "audit_head": frozenset({"serve", "verbs"}),
    "audit_due": frozenset(),
}
# To delete by age, the age alone.
_COLUMNS: Final[Mapping[Process, Mapping[str, str]]] = {"watch": {"session": "expires_at", "login_failure": "at"}}

_MAKE_ROOM: Final = "make_room(text, date, date)"
_NOTE: Final = "audit_note(text, text, text, text, text, text, jsonb, jsonb)"
_SEAL: Final = "audit_seal(timestamptz, bigint, text, text, text)"
_CALLS: Final[Mapping[str, tuple[Process, ...]]] = {_MAKE_ROOM: PROCESSES, _NOTE: ("serve", "verbs"), _SEAL: ()}


def reads(process: Process, table: str) -> bool:
    """Whether a process may read a table.

    Examples
    --------
    >>> reads("collect", "thing"), reads("collect", "account")
    (True, False)
    """
    return table not in _PRIVATE or process in _PRIVATE[table]


def apply(connection: Connection) -> list[str]:
    """Give every role of the processes that the server has its rights, and no more; as the owner. Does not commit.

    Returns
    -------
    list of str
        Which roles there are. None on a server where nobody made them: then everything is the owner's as before.
    """
    there: dict[str, bool] = dict(connection.execute(query("roles_there")).fetchall())
    for call in _CALLS:
        # A restore brings no rights along, and a function is everybody's unless that is taken back.
        connection.execute(sql.SQL("REVOKE ALL ON FUNCTION hv.{} FROM PUBLIC").format(_raw(call)))
    # Where TimescaleDB's schema is closed to it, the readings stay the owner's.
    if there.get(STORAGE) and connection.execute(query("storage_able"), {"owner": STORAGE}).fetchone() == (True,):
        _give_readings(connection)
    found: list[Process] = [process for process in PROCESSES if role_of(process) in there]
    if found:
        _grant(connection, found)
    return [role_of(process) for process in found]


def _give_readings(connection: Connection) -> None:
    """The readings belong to a role of their own, so that who keeps them owns nothing else."""
    storage = sql.Identifier(STORAGE)
    connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA hv TO {}").format(storage))
    for (name,) in connection.execute(query("not_in_storage"), {"owner": STORAGE}).fetchall():
        connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier("hv", name), storage))
    connection.execute(sql.SQL("ALTER FUNCTION hv.{} OWNER TO {}").format(_raw(_MAKE_ROOM), storage))


def _grant(connection: Connection, processes: list[Process]) -> None:
    everybody = sql.SQL(", ").join(sql.Identifier(role_of(process)) for process in processes)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA hv TO {}").format(everybody))
    for schema, name in connection.execute(query("readable_tables")).fetchall():
        place = sql.Identifier(schema, name)
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(place, everybody))
        for process in processes:
            rights = [WRITES[process].get(name, "")] if schema == "hv" else []
            rights += ["SELECT"] if schema != "hv" or reads(process, name) else []
            if column := _COLUMNS.get(process, {}).get(name) if schema == "hv" else None:
                rights.append(f"SELECT ({column})")
            given = ", ".join(right for right in rights if right)
            if given:
                role = sql.Identifier(role_of(process))
                connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(_raw(given), place, role))
    for name, _column, sequence in connection.execute(query("identities")).fetchall():
        # Some numbers are asked for before their row is written.
        able = [sql.Identifier(role_of(p)) for p in processes if "INSERT" in WRITES[p].get(name, "")]
        if able:
            names = sql.SQL(", ").join(able)
            connection.execute(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(_raw(sequence), names))
    for call, callers in _CALLS.items():
        connection.execute(sql.SQL("REVOKE ALL ON FUNCTION hv.{} FROM {}").format(_raw(call), everybody))
        able = [sql.Identifier(role_of(process)) for process in callers if process in processes]
        if able:
            names = sql.SQL(", ").join(able)
            connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION hv.{} TO {}").format(_raw(call), names))


def _raw(text: str) -> sql.SQL:
    """Words of this module, or a name that the catalogue has quoted; nobody else gives any."""
    return sql.SQL(text)


@dataclass(frozen=True, slots=True)
class Held:
    """Whether the audit log is out of reach of the processes.

    Attributes
    ----------
    missing : list of str
        Roles that the server does not have: of processes, or that of the readings.
    able : list of str
        Roles of processes that could change the log.
    owners : list of str
        Processes at work that have logged in as somebody who could.
    """

    missing: list[str]
    able: list[str]
    owners: list[str]

    @property
    def holds(self) -> bool:
        """Whether no process can change the log; without roles of their own, triggers alone refuse it."""
        return not (self.missing or self.able or self.owners)


def held(connection: Connection) -> Held:
    """Look at roles and connections."""
    names = [STORAGE, *(role_of(process) for process in PROCESSES)]
    with mapped():
        rights: dict[str, bool] = dict(connection.execute(query("audit_rights"), {"roles": names}).fetchall())
        owners = [row[0] for row in connection.execute(query("connected_owners")).fetchall()]
    return Held(
        missing=[name for name in names if name not in rights],
        able=[name for name in names if rights.get(name)],
        owners=owners,
    )
