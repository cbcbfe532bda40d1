"""What `bench ingest` refuses before anything is started."""

import pytest

from hypervision.cli import main


def test_database_url_that_cannot_be_is_refused_before_anything_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ingest", "--database-url", "postgresql://me:geheim@h/d?nonsense=1"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "'database_url'" in told.err
    assert "nonsense" in told.err
    assert "geheim" not in told.err
    assert told.err.count("\n") == 1
