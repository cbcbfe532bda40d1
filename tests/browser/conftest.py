"""A real Chromium before a real server; every request to a foreign host and every page error fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from dashboards.sessions import COOKIE
from tests.browser.fake_town import PASSWORD, Town, running

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Playwright waits 5 s for what is expected: on a machine that is busy otherwise a chart takes longer [s].
PATIENCE = 30.0
SIZE = {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        except Error as error:
            pytest.skip(f"NO BROWSER: install chromium, or run `playwright install chromium` ({error})")
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def _shared_town(_database_server: tuple[Path, int]) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture(scope="module")
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """The town of this process; a module that leaves it otherwise than it was says `OWN_TOWN = True`.

    To start one takes several seconds, and the first pages of a server several more.
    """
    if not getattr(request.module, "OWN_TOWN", False):
        yield request.getfixturevalue("_shared_town")
        return
    with running(request.getfixturevalue("_database_server")) as made:
        yield made


@dataclass
class Screen:
    """One operator's screen, and what went wrong on it."""

    town: Town
    context: BrowserContext
    page: Page
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def choose(self, **chosen: str) -> None:
        """Language and theme of the next page, as the browser remembers them."""
        self.context.add_cookies(
            [{"name": f"hypervision_{key}", "value": value, "url": self.town.base} for key, value in chosen.items()]
        )

    def enter(self, user: str) -> None:
        """Be logged in from the next page on."""
        self.context.add_cookies([{"name": COOKIE, "value": self.town.token(user), "url": self.town.base}])

    def log_in(self, user: str) -> None:
        """Log in as a person does, by the form."""
        self.page.goto(f"{self.town.base}/login")
        self.page.fill("#user", user)
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)
        self.ready()

    def go(self, path: str) -> None:
        self.page.goto(self.town.base + path)
        self.ready(path.split("?", maxsplit=1)[0])

    def ready(self, path: str = "/") -> None:
        self.page.wait_for_selector(f'[data-page="{path}"]', timeout=20_000)
        self.page.wait_for_selector(".banner", timeout=10_000)


@pytest.fixture
def open_screen(browser: Browser, town: Town) -> Iterator[Callable[..., Screen]]:
    """Open screens: `open_screen("operator", at="/map", language="en", theme="light")`; None: of nobody, still empty."""
    opened: list[Screen] = []

    def make(user: str | None = None, *, at: str = "/", language: str = "fr", theme: str = "dark") -> Screen:
        context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
        page = context.new_page()
        screen = Screen(town, context, page)
        screen.choose(language=language, theme=theme)
        host = urlsplit(town.base).netloc

        def note_request(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
                screen.foreign.append(url)

        page.on("request", lambda request: note_request(request.url))
        page.on("websocket", lambda socket: note_request(socket.url))
        page.on("pageerror", lambda error: screen.errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                screen.errors.append(message.text)
                if message.type == "error"
                and "Failed to load resource" not in message.text
                and "WebSocket" not in message.text
                else None
            ),
        )
        opened.append(screen)
        if user is not None:
            screen.enter(user)
            screen.go(at)
        return screen

    yield make
    for screen in opened:
        screen.context.close()
    assert [screen.foreign for screen in opened if screen.foreign] == []
    assert [screen.errors for screen in opened if screen.errors] == []
