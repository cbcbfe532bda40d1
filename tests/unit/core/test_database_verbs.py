"""What the database's verbs hand on, without a database."""

from __future__ import annotations

import psycopg
import pytest

from hypervision.errors import SettingError, TemporaryStoreError
from hypervision.store import address, versions
from hypervision.store.connection import to_store_error


def test_url_with_a_service_and_a_hidden_secret_is_refused() -> None:
    with pytest.raises(SettingError, match="'sslpassword'") as caught:
        address.for_tools("service=town sslpassword=geheim")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused', "start the platform with"),
        ('FATAL:  password authentication failed for user "me"', "check user and password"),
        ("failed to resolve host 'nowhere.example': [Errno -2] Name or service not known", "check the host"),
        ('FATAL:  database "nosuch" does not exist', "make the database"),
        ("permission denied for database town", "make the role the owner"),
        ("deadlock detected", ""),
    ],
)
def test_error_of_the_database_tells_what_to_do(said: str, remedy: str) -> None:
    assert to_store_error(psycopg.OperationalError(said)).remedy.startswith(remedy)
    assert bool(to_store_error(psycopg.OperationalError(said)).remedy) == bool(remedy)


class _Fails:
    """A connection that breaks as soon as it is asked."""

    closed = False

    def execute(self, *_: object) -> None:
        raise TemporaryStoreError("database: gone")

    def close(self) -> None:
        self.closed = True


def test_connection_that_breaks_at_the_first_question_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[_Fails] = []

    def connect(_url: str, **_: object) -> _Fails:
        opened.append(_Fails())
        return opened[-1]

    monkeypatch.setattr(versions, "connect", connect)
    with pytest.raises(TemporaryStoreError, match="gone"):
        versions.wait_for_schema("postgresql://h/d", application="test", wait=0.0)
    assert [one.closed for one in opened] == [True]
