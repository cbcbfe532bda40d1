"""Backups on the disk: whole or not there, checked, tried out."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hypervision.errors import ServiceError
from hypervision.services import backup, manifest, restore
from hypervision.store import backup as store
from hypervision.store.connection import connect
from tests.contract.test_store_backup import heat

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("several", "newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class TestFolder:
    """What stands on the disk, whatever fails."""

    def test_backup_that_fails_leaves_nothing(
        self, world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "backups"
        usage = shutil.disk_usage(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(backup.shutil, "disk_usage", lambda _: usage._replace(free=backup.RESERVE + 1000))
            with pytest.raises(ServiceError, match=r"a backup may take .* 512 MB are free on the disk of"):
                backup.write(world.url, folder / "a")
        with monkeypatch.context() as patched:
            patched.setattr(manifest, "files", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                backup.write(world.url, folder / "a")
        assert list(folder.iterdir()) == []
        assert world.rows("SELECT count(*) FROM hv.installation WHERE key = 'backup'") == [(0,)]

    def test_folder_that_cannot_be_made_is_one_sentence(self, world: Any, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for target in (tmp_path / "file" / "a", tmp_path / "file" / "b" / "c", tmp_path / ("n" * 300)):
            with pytest.raises(ServiceError, match="cannot be made"):
                backup.write(world.url, target)

    def test_leftover_of_a_killed_backup_is_cleared_and_the_oldest_are_dropped(
        self, world: Any, tmp_path: Path
    ) -> None:
        left = tmp_path / ".20261122T000000Z.part"
        left.mkdir()
        (left / "manifest.json").write_text("{}")
        (tmp_path / "mine").mkdir()
        others = tmp_path / ".download.part"
        others.mkdir()
        names = [backup.name_at(NOW + i * SECOND) for i in range(3)]
        first = backup.write(world.url, tmp_path / names[0])
        assert not left.exists()
        assert backup.needed(first.table_bytes, first) < first.table_bytes
        for name in names[1:]:
            shutil.copytree(tmp_path / names[0], tmp_path / name)
        assert backup.drop_oldest(tmp_path, keep=2) == [tmp_path / names[0]]
        assert [path.name for path in backup.whole(tmp_path)] == names[1:]
        assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, *names[1:], "mine"]
        with connect(world.url, application="test") as connection:
            assert store.last(connection, now=first.when + timedelta(hours=2)).startswith(f"{first.at}, 2.0 h ago, ")
        (others / "film").touch()
        with pytest.raises(ServiceError, match="exists and is no backup"):
            backup.write(world.url, tmp_path / "download")
        assert (others / "film").exists()
        killed = tmp_path / ".own.part"
        (killed / "dump").mkdir(parents=True)
        backup.write(world.url, tmp_path / "own")
        assert not killed.exists()

    def test_two_backups_into_one_folder_wait_for_each_other(self, world: Any, tmp_path: Path) -> None:
        with backup._alone(tmp_path), pytest.raises(ServiceError, match="another backup is being written"):
            backup.write(world.url, tmp_path / "a")
        assert list(tmp_path.iterdir()) == []

    def test_damaged_backup_is_refused_before_anything_is_done(self, world: Any, empty: str, tmp_path: Path) -> None:
        target = tmp_path / "town"
        backup.write(world.url, target)
        toc = target / "dump" / "toc.dat"
        data = toc.read_bytes()
        text = (target / "manifest.json").read_text()
        toc.write_bytes(data[:-1] + b"x")
        with pytest.raises(ServiceError, match=r"dump/toc.dat was changed"):
            restore.restore(target, world.server.restorer(empty))
        toc.unlink()
        with pytest.raises(ServiceError, match=r"dump/toc.dat is missing"):
            restore.restore(target, world.server.restorer(empty))
        toc.write_bytes(data)
        (target / "dump" / "other").touch()
        with pytest.raises(ServiceError, match=r"dump/other does not belong to it"):
            restore.restore(target, world.server.restorer(empty))
        (target / "dump" / "other").unlink()
        found = json.loads(text)
        for change, sentence in (
            ({"format": 2}, "is of format 2"),
            ({"migrations": ["9999_later"]}, "has the migration 9999_later"),
            ({"tables": 3}, "is damaged"),
            ({"tables": found["tables"] | {"thing": [1, "00"]}}, "the table thing has 0 rows"),
        ):
            (target / "manifest.json").write_text(json.dumps(found | change))
            with pytest.raises(ServiceError, match=sentence):
                restore.restore(target, world.server.restorer(empty))
        (target / "manifest.json").write_text(text)
        restore.restore(target, world.server.restorer(empty))

    def test_drill_restores_beside_and_leaves_nothing(
        self, world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
    ) -> None:
        world.send(world.intake(), heat("bin", 0, 70.0))
        written = backup.write(world.url, tmp_path / "town")
        monkeypatch.setattr(restore.tempfile, "tempdir", str(data_dir))
        done = restore.drill(tmp_path / "town")
        assert done.manifest == written
        assert 0 < done.read < done.seconds
        assert list(data_dir.iterdir()) == []
