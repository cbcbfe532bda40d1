"""What a start says about a data directory it cannot use, and that it leaves no trace then."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections import namedtuple
from pathlib import Path

import pytest

from hypervision.errors import ServiceError
from hypervision.services import datadir, endpoints, secrets

pytestmark = pytest.mark.integration

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024


def test_disk_that_is_nearly_full_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 9 * 10**8, 10**8))
    with pytest.raises(ServiceError, match=r"only 100 MB .*: free 500 MB, or choose another --data-dir"):
        datadir.prepare(tmp_path / "data", kind="up")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('{"kind": "demo", "version": 1}', "is a data directory of `hypervision demo`"),
        ('{"kind": "up", "version": 2}', "is of version 2, this program knows version 1"),
        ('{"kind": "up"}', "cannot be understood"),
        ("nonsense", "cannot be understood"),
    ],
)
def test_marker_that_does_not_fit_is_refused(marker: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / datadir.MARKER).write_text(marker)
    with pytest.raises(ServiceError, match=sentence):
        datadir.prepare(tmp_path, kind="up")
    assert os.listdir(tmp_path) == [datadir.MARKER]  # noqa: PTH208


@pytest.mark.parametrize("name", ["thesis.txt", ".git/config", "logs/other.log", "run", "database/PG_VERSION"])
def test_folder_of_somebody_else_is_refused_untouched(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    tmp_path.chmod(0o755)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ServiceError, match=r"no data directory of ours and not empty .*: choose an empty") as caught:
        datadir.prepare(tmp_path, kind="up")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_directory_of_a_first_start_that_failed_is_taken(tmp_path: Path) -> None:
    with datadir.prepare(tmp_path, kind="up"):
        pass
    (tmp_path / datadir.MARKER).rename(tmp_path / f".{datadir.MARKER}.x1")
    (tmp_path / "lost+found").mkdir()
    with datadir.prepare(tmp_path, kind="up"):
        assert (tmp_path / datadir.MARKER).exists()


def test_prepared_directory_is_private_and_marked(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with datadir.prepare(folder, kind="demo"):
        assert json.loads((folder / datadir.MARKER).read_text()) == {"kind": "demo", "version": 1}
        for path in (folder, *(folder / name for name in datadir.FOLDERS)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        with pytest.raises(ServiceError, match="another `hypervision` runs"):
            datadir.prepare(folder, kind="demo")
    with datadir.prepare(folder, kind="demo"):
        pass


def test_private_file_is_replaced_in_one_step_and_never_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    previous = os.umask(0)
    try:
        secrets.write_private(path, "one")
        secrets.write_private(path, "two")
    finally:
        os.umask(previous)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_password_is_kept_and_needs_no_quoting(tmp_path: Path) -> None:
    first = secrets.password(tmp_path / "password")
    assert secrets.password(tmp_path / "password") == first
    assert len(first) >= 32
    assert first.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b'a"b } c', b"two\nlines"])
def test_password_file_that_lost_its_content_is_refused_and_not_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(ServiceError, match=r"secret .*password is empty or damaged: restore that file"):
        secrets.password(tmp_path / "password")
    assert (tmp_path / "password").read_bytes() == content


def test_endpoints_of_a_demo_name_the_log_ins(tmp_path: Path) -> None:
    up = endpoints.Endpoints("http://127.0.0.1:1", "mqtt://127.0.0.1:2", "postgresql://u@127.0.0.1/d")
    up.write(tmp_path)
    assert set(json.loads((tmp_path / "endpoints.json").read_text())) == {"http", "mqtt", "database"}
    demo = endpoints.Endpoints(up.http, up.mqtt, up.database, [endpoints.LogIn("viewer", "x", "viewer")])
    demo.write(tmp_path)
    found = json.loads((tmp_path / "endpoints.json").read_text())
    assert found["log_ins"] == [{"user": "viewer", "password": "x", "role": "viewer"}]
    endpoints.remove(tmp_path)
    endpoints.remove(tmp_path)
    assert not list(tmp_path.iterdir())
