"""A database URL that libpq cannot use is refused before anything waits for a server or is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hypervision import cli
from hypervision.errors import SettingError
from hypervision.settings import load
from hypervision.store.address import check, without_password
from hypervision.store.connection import connect, url_of

# What is wrong, and what the sentence says of it.
WRONG = {
    "postgresql://u:geheim@h/d?nonsense=1": '"nonsense"',
    "foo=bar": '"foo"',
    "postgresql://u:geheim@h/d?sslmode=always": '"always"',
    "postgresql://u:geheim@h/d?sslmode": '"sslmode"',
    "host=h port=many password=geheim": '"many"',
    "host=a,b port=1,2,3": "3 port numbers",
    "postgresql://u:geheim@h/d?service=nowhere": '"nowhere"',
    "host=h password=very geheim": "libpq cannot read it",
    "postgresql://u:geheim%zz@h/d": "libpq cannot read it",
    "postgresql://u:geheim?@h/d?sslpassword=geheim&x=1": '"x"',
}


@pytest.mark.parametrize("url", WRONG)
def test_wrong_url_is_refused_with_key_value_and_remedy_but_no_password(url: str) -> None:
    with pytest.raises(SettingError) as caught:
        check(url)
    said = str(caught.value)
    assert said.startswith("setting 'database_url' cannot be ")
    assert WRONG[url] in said
    assert repr(without_password(url)) in said
    assert "geheim" not in said
    assert "\n" not in said
    assert caught.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h/d",
        "postgresql://u:p%40@[::1]:5432,other/d?sslmode=require&target_session_attrs=read-write",
        "postgres:///d?host=/run/postgresql",
        "postgresql://u@%2Frun%2Fpostgresql/d",
        "hostaddr=192.0.2.1,192.0.2.2 port=1,2 user=x",
        "host=h dbname = 'a b' password='x://y'",
    ],
)
def test_url_that_libpq_takes_is_taken(url: str) -> None:
    check(url)
    assert url_of(load({}, overrides={"data_dir": "/d", "database_url": url})) == url


@pytest.mark.parametrize("url", ["postgresql://h/d?nonsense=1", "foo=bar"])
def test_verb_refuses_a_wrong_url_without_waiting(url: str) -> None:
    with pytest.raises(SettingError, match="database_url"):
        url_of(load({}, overrides={"data_dir": "/d", "database_url": url}))
    with pytest.raises(SettingError, match="database_url"):
        connect(url, application="test")


@pytest.mark.parametrize("url", ["postgresql://u:geheim@h/d?nonsense=1", "foo=bar"])
@pytest.mark.parametrize("verb", ["up", "demo"])
def test_start_with_a_wrong_url_makes_nothing(
    verb: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("HYPERVISION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HYPERVISION_DATABASE_URL", url)
    before = os.umask(0o022)
    try:
        assert cli.main([verb, "--data-dir", str(tmp_path / "data")]) == 1
    finally:
        os.umask(before)
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"hypervision {verb}: setting 'database_url' cannot be ")
    assert "geheim" not in err
    assert list(tmp_path.iterdir()) == []
