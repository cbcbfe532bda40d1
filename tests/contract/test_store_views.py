"""Saved views and notes: whose they are, who sees them; on every engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision.errors import SettingError
from hypervision.store import notes, saved_views
from hypervision.store.connection import connect

pytestmark = pytest.mark.integration


def opened(world: Any) -> Any:
    world.execute("INSERT INTO hv.organisation (code, name) VALUES ('a', 'A'), ('b', 'B')")
    world.execute(
        "INSERT INTO hv.thing (code, name, domain, organisation_id, registered_at)"
        " SELECT 'w-' || code, code, 'water', organisation_id, now() FROM hv.organisation"
    )
    return connect(world.url, application="test", autocommit=True)


def test_view_is_seen_by_its_owner_and_when_shared_by_its_organisation(world: Any) -> None:
    def keep(name: str, owner: str, organisation: int | None, *, shared: bool) -> None:
        saved_views.keep_view(
            connection, name=name, owner=owner, organisation=organisation, shared=shared, address="/alarms",
            now=world.now,
        )  # fmt: skip

    def seen(owner: str, organisation: int | None) -> list[str]:
        return [view.name for view in saved_views.read_views(connection, owner=owner, organisation=organisation)]

    with opened(world) as connection:
        keep("mine", "anne", 1, shared=False)
        keep("Ours", "anne", 1, shared=True)
        keep("town", "bert", None, shared=True)
        assert seen("anne", 1) == ["mine", "Ours"]
        assert seen("carl", 1) == ["Ours"]
        assert seen("dora", 2) == []
        # Shared by an account of the whole town: with accounts of the whole town.
        assert seen("emil", None) == ["town"]


def test_view_of_the_same_name_replaces_one_s_own_and_nobody_drops_another_s(world: Any) -> None:
    given = {"name": "night", "organisation": None, "now": world.now}
    with opened(world) as connection:
        first = saved_views.keep_view(connection, owner="anne", shared=False, address="/alarms", **given)
        again = saved_views.keep_view(connection, owner="anne", shared=True, address="/map", **given)
        other = saved_views.keep_view(connection, owner="bert", shared=False, address="/", **given)
        assert (first.view_id, again.address, again.shared) == (again.view_id, "/map", True)
        assert other.view_id != first.view_id
        assert saved_views.drop_view(connection, first.view_id, owner="bert") is False
        assert saved_views.drop_view(connection, first.view_id, owner="anne") is True
        assert [view.owner for view in saved_views.read_views(connection, owner="bert", organisation=None)] == ["bert"]


def test_account_keeps_so_many_views_and_no_more(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 2)
    given = {"owner": "anne", "organisation": None, "shared": False, "address": "/", "now": world.now}
    with opened(world) as connection:
        for name in ("a", "b"):
            saved_views.keep_view(connection, name=name, **given)
        with pytest.raises(SettingError, match="keeps 2 views"):
            saved_views.keep_view(connection, name="c", **given)


def test_note_is_read_by_whoever_sees_its_thing(world: Any) -> None:
    def write(text: str, organisation: int | None, thing: tuple[int, str] | None, *, hours: float = 1) -> notes.Note:
        return notes.write_note(
            connection, at=world.now - timedelta(hours=hours), text=text, author="anne", organisation=organisation,
            thing=thing, now=world.now,
        )  # fmt: skip

    def seen(organisation: int | None, things: list[int] | None = None) -> list[str]:
        given = {"since": world.now - timedelta(days=1), "until": world.now, "organisation": organisation}
        return [note.text for note in notes.read_notes(connection, things=things, **given)]

    with opened(world) as connection:
        codes = dict(connection.execute("SELECT code, thing_id FROM hv.thing").fetchall())
        write("of everything", None, None, hours=3)
        mine = write("of w-a", None, (codes["w-a"], "w-a"), hours=2)
        write("of b's own", 2, None)
        write("long ago", None, None, hours=30)
        assert mine.thing == "w-a"
        assert seen(None) == ["of everything", "of w-a", "of b's own"]
        assert seen(1) == ["of w-a"]
        assert seen(2) == ["of b's own"]
        assert seen(None, [codes["w-b"]]) == ["of everything", "of b's own"]


def test_note_is_taken_away_by_its_author_and_stays_with_who_did_it(world: Any) -> None:
    with opened(world) as connection:
        note = notes.write_note(
            connection, at=world.now, text="a", author="anne", organisation=1, thing=None, now=world.now
        )

        def remove(actor: str, author: str | None, organisation: int | None = None) -> bool:
            return notes.remove_note(
                connection, note.note_id, actor=actor, author=author, organisation=organisation, now=world.now
            )

        assert remove("bert", "bert") is False
        assert remove("admin of b", None, 2) is False
        assert remove("anne", "anne", 1) is True
        assert remove("anne", "anne", 1) is False
        given = {"since": world.now, "until": world.now, "organisation": None}
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
