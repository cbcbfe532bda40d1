"""What a browser gets from a server that was started a moment ago, and how small its scripts come."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.browser.fake_town import PASSWORD, Town, running
from tests.integration.served import served

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


def test_first_page_after_a_start_has_its_scripts_whichever_it_is(town: Town) -> None:
    """Dash looked for them at the first request for `/` alone: a screen on the alarms stayed dead after a restart."""
    with served(town.settings) as base, httpx.Client(base_url=base, timeout=20) as client:
        assert client.post("/api/v1/login", json={"user": "operator", "password": PASSWORD}).status_code == 200
        first = client.get("/alarms").text
        assert '="/assets/20-live.js' in first
        assert '="/assets/10-theme.css' in first
        assert re.findall(r'src="([^"]+)"', client.get("/").text) == re.findall(r'src="([^"]+)"', first)


def test_scripts_come_packed_and_the_same(town: Town) -> None:
    with town.session("operator") as client:
        scripts = re.findall(r'src="(/[^"]+\.js[^"]*)"', client.get("/alarms").text)
        large = next(script for script in scripts if "dash_core_components.v" in script)
        plain = client.get(large, headers={"accept-encoding": "identity"})
        # httpx unpacks Brotli only where a library for it is installed: the bytes as they came are looked at.
        with client.stream("GET", large, headers={"accept-encoding": "gzip, br"}) as packed:
            size = sum(map(len, packed.iter_raw()))
        assert packed.headers["content-encoding"] == "br"
        assert packed.headers["cache-control"] == plain.headers["cache-control"]
        assert packed.headers["content-security-policy"] == plain.headers["content-security-policy"]
        assert int(packed.headers["content-length"]) == size < len(plain.content) / 3
        with httpx.Client(base_url=town.base) as nobody:
            answer = nobody.get("/assets/20-live.js", headers={"accept-encoding": "br"})
        assert answer.status_code == 401, "what is kept is not given to who is nobody"
