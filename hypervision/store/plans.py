"""What the server does for a query that a function has just asked: for benchmarks and tests of indexes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from psycopg import Connection, Cursor, sql

from hypervision.store.connection import mapped

_EXPLAIN: Final = sql.SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ")
_ASKED: Final = ("SELECT", "WITH")


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one query.

    Attributes
    ----------
    nodes : tuple of str
        What it does, from the top, each kind once: `Limit`, `Index Scan`.
    indexes : frozenset of str
        Indexes it uses; those of a partition by the name of the partition's own.
    scanned : frozenset of str
        Tables it reads from end to end.
    seconds : float
        What the server took to plan and to execute it, without giving the rows to anybody [s].
    """

    nodes: tuple[str, ...]
    indexes: frozenset[str]
    scanned: frozenset[str]
    seconds: float = 0.0


class _Noting(Cursor[Any]):
    """A cursor that notes what is asked."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Note and ask."""
        _noted.setdefault(id(self.connection), []).append((query, params))
        return super().execute(query, params, **options)


_noted: dict[int, list[tuple[Any, Any]]] = {}


def note(connection: Connection) -> None:
    """Note from now on what this connection is asked."""
    _noted[id(connection)] = []
    connection.cursor_factory = _Noting


def plans(connection: Connection) -> list[Plan]:
    """The plans of the noted queries, as the server makes them for their values; nothing is noted any more.

    The queries run once more for it; what writes has no plan.
    """
    connection.cursor_factory = Cursor
    found = []
    with mapped():
        for text, values in _noted.pop(id(connection), []):
            bare = "\n".join(line for line in str(text).splitlines() if not line.startswith("--")).strip()
            if not bare.upper().startswith(_ASKED):
                continue
            row = connection.execute(_EXPLAIN + sql.SQL(bare.rstrip(";")), values).fetchone()
            assert row is not None
            told = row[0][0]
            took = (told["Planning Time"] + told["Execution Time"]) / 1000
            found.append(replace(plan_of(told["Plan"]), seconds=took))
    return found


def plan_of(document: dict[str, Any]) -> Plan:
    """Read a plan from the server's JSON.

    Examples
    --------
    >>> plan_of({"Node Type": "Limit", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "alarm"}]})
    Plan(nodes=('Limit', 'Seq Scan'), indexes=frozenset(), scanned=frozenset({'alarm'}), seconds=0.0)
    """
    nodes: dict[str, None] = {}
    indexes, scanned = set(), set()
    waiting = [document]
    while waiting:
        node = waiting.pop(0)
        nodes[node["Node Type"]] = None
        if "Index Name" in node:
            indexes.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan":
            scanned.add(node["Relation Name"])
        waiting += node.get("Plans", [])
    return Plan(tuple(nodes), frozenset(indexes), frozenset(scanned))
