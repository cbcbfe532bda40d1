from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Self

import pytest

from dashboards import writing
from dashboards.writing import HttpWriter


class _Intake:
    """An intake of which the first commit breaks in a way nobody foresaw."""

    opened = 0
    streams = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        return None

    def beat(self, **_at: object) -> None:
        return None

    def commit(self, _batch: object, **_at: object) -> str:
        if _Intake.opened == 1:
            raise RuntimeError("unforeseen")
        return "receipt"

    @classmethod
    def open(cls, _settings: object, **_more: object) -> _Intake:
        cls.opened += 1
        return cls()


def test_writer_tells_who_waits_and_begins_anew_after_an_unforeseen_error(
    monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> None:
    monkeypatch.setattr(_Intake, "opened", 0)
    monkeypatch.setattr(writing, "Intake", _Intake)
    monkeypatch.setattr(writing, "_BEAT", 0.01)
    monkeypatch.setattr(writing, "decoder", lambda _name: lambda *_parts, **_more: None)
    settings: Any = SimpleNamespace(ingest=SimpleNamespace(earliest=2000, future_tolerance=60.0, assume_time=True))
    writer = HttpWriter(settings)
    writer.start()
    try:
        wait_until(lambda: writer.ready)
        with pytest.raises(RuntimeError, match="unforeseen"):
            writer.post("water", "w1", b"{}").result(5)
        wait_until(lambda: writer.ready and _Intake.opened == 2)
        assert writer.post("water", "w1", b"{}").result(5).receipt == "receipt"  # type: ignore[comparison-overlap]
    finally:
        writer.stop()
