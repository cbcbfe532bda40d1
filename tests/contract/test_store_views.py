"""Saved views and notes: whose they are, who sees them; on every engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision.errors import SettingError
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import notes, saved_views
from hypervision.store.connection import connect

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("plain_tables")]


def opened(world: Any) -> Any:
    world.execute("INSERT INTO hv.organisation (code, name) VALUES ('a', 'A'), ('b', 'B')")
    world.execute(
        "INSERT INTO hv.thing (code, name, domain, organisation_id, registered_at)"
        " SELECT 'w-' || code, code, 'water', organisation_id, now() FROM hv.organisation"
    )
    return connect(world.url, application="test", autocommit=True)


def test_view_is_seen_by_its_owner_and_when_shared_by_who_sees_the_same(world: Any) -> None:
    def keep(name: str, owner: str, scope: Scope, *, shared: bool) -> None:
        saved_views.keep_view(
            connection, name=name, owner=owner, scope=scope, shared=shared, address="/alarms",
            now=world.now,
        )  # fmt: skip

    def seen(owner: str, scope: Scope) -> list[str]:
        return [view.name for view in saved_views.read_views(connection, owner=owner, scope=scope)]

    with opened(world) as connection:
        keep("mine", "anne", Scope(1), shared=False)
        keep("Ours", "anne", Scope(1), shared=True)
        keep("town", "bert", EVERYTHING, shared=True)
        assert seen("anne", Scope(1)) == ["mine", "Ours"]
        assert seen("carl", Scope(1)) == ["Ours"]
        assert seen("dora", Scope(2)) == []
        # Shared by an account of the whole town: with accounts of the whole town.
        assert seen("emil", EVERYTHING) == ["town"]


def test_view_of_the_same_name_replaces_one_s_own_and_nobody_drops_another_s(world: Any) -> None:
    given = {"name": "night", "scope": EVERYTHING, "now": world.now}
    with opened(world) as connection:
        first = saved_views.keep_view(connection, owner="anne", shared=False, address="/alarms", **given)
        again = saved_views.keep_view(connection, owner="anne", shared=True, address="/map", **given)
        other = saved_views.keep_view(connection, owner="bert", shared=False, address="/", **given)
        assert (first.view_id, again.address, again.shared) == (again.view_id, "/map", True)
        assert other.view_id != first.view_id
        assert saved_views.drop_view(connection, first.view_id, owner="bert") is False
        assert saved_views.drop_view(connection, first.view_id, owner="anne") is True
        assert [view.owner for view in saved_views.read_views(connection, owner="bert", scope=EVERYTHING)] == ["bert"]


def test_account_keeps_so_many_views_and_no_more(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 2)
    given = {"owner": "anne", "scope": EVERYTHING, "shared": False, "address": "/", "now": world.now}
    with opened(world) as connection:
        for name in ("a", "b"):
            saved_views.keep_view(connection, name=name, **given)
        with pytest.raises(SettingError, match="keeps 2 views"):
            saved_views.keep_view(connection, name="c", **given)


def test_note_is_read_by_whoever_sees_its_thing(world: Any) -> None:
    def write(text: str, scope: Scope, thing: tuple[int, str] | None, *, hours: float = 1) -> notes.Note:
        return notes.write_note(
            connection, at=world.now - timedelta(hours=hours), text=text, author="anne", scope=scope,
            thing=thing, now=world.now,
        )  # fmt: skip

    def seen(scope: Scope, things: list[int] | None = None) -> list[str]:
        given = {"since": world.now - timedelta(days=1), "until": world.now, "scope": scope}
        return [note.text for note in notes.read_notes(connection, things=things, **given)]

    with opened(world) as connection:
        codes = dict(connection.execute("SELECT code, thing_id FROM hv.thing").fetchall())
        write("of everything", EVERYTHING, None, hours=3)
        mine = write("of w-a", EVERYTHING, (codes["w-a"], "w-a"), hours=2)
        write("of b's own", Scope(2), None)
        write("long ago", EVERYTHING, None, hours=30)
        assert mine.thing == "w-a"
        assert seen(EVERYTHING) == ["of everything", "of w-a", "of b's own"]
        assert seen(Scope(1)) == ["of w-a"]
        assert seen(Scope(2)) == ["of b's own"]
        assert seen(EVERYTHING, [codes["w-b"]]) == ["of everything", "of b's own"]


def test_note_is_taken_away_by_its_author_and_stays_with_who_did_it(world: Any) -> None:
    with opened(world) as connection:
        note = notes.write_note(
            connection, at=world.now, text="a", author="anne", scope=Scope(1), thing=None, now=world.now
        )

        def remove(actor: str, author: str | None, scope: Scope = EVERYTHING) -> bool:
            return notes.remove_note(connection, note.note_id, actor=actor, author=author, scope=scope, now=world.now)

        assert remove("bert", "bert") is False
        assert remove("admin of b", None, Scope(2)) is False
        assert remove("anne", "anne", Scope(1)) is True
        assert remove("anne", "anne", Scope(1)) is False
        given = {"since": world.now, "until": world.now, "scope": EVERYTHING}
        assert notes.read_notes(connection, **given) == []
        assert connection.execute("SELECT text, removed_by FROM hv.note").fetchall() == [("a", "anne")]


def test_corrections_that_touch_the_time_are_drawn(world: Any) -> None:
    intake = world.intake()
    world.history(intake, *[("water", "p1", "flow", world.now - timedelta(hours=n), 1.0) for n in range(1, 6)])
    world.close()
    world.execute(
        "INSERT INTO hv.correction (datastream_id, kind, since, until, operation, reason, author, at)"
        " VALUES (1, 'invalidate', %(since)s, %(until)s, '{}', 'dirt', 'emil', now())",
        {"since": world.now - timedelta(hours=4), "until": world.now - timedelta(hours=3)},
    )
    with connect(world.url, application="test", autocommit=True) as connection:
        given = {"since": world.now - timedelta(hours=3, minutes=30), "until": world.now}
        assert [one.reason for one in notes.read_corrections(connection, [1], **given)] == ["dirt"]
        assert notes.read_corrections(connection, [2], **given) == []
        late = {"since": world.now - timedelta(hours=2), "until": world.now}
        assert notes.read_corrections(connection, [1], **late) == []
