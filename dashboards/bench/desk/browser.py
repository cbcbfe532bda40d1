"""A real Chromium, driven by Playwright: screens that log in, go to pages, click and type, and note what they see."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import psutil
from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page, sync_playwright

from hypervision.errors import ServiceError

FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PASSWORD: Final = "quatre mots pour entrer"  # noqa: S105 -- of a town that lives for the measurement
PATIENCE: Final = 60.0
_SIZE: Final = {"width": 1440, "height": 900}
_PROBE: Final = Path(__file__).parent / "probe.js"


@dataclass
class Hand:
    """A person's hand: what it clicks and presses is counted."""

    page: Page
    clicks: int = 0
    keys: int = 0

    def click(self, selector: str) -> None:
        """Click the middle of what is there."""
        self.page.locator(selector).first.click(timeout=PATIENCE * 1000)
        self.clicks += 1

    def press(self, key: str) -> None:
        """Press a key; with Shift held it is one."""
        self.page.keyboard.press(key)
        self.keys += 1


@dataclass
class Wire:
    """What a screen fetched over HTTP: addresses, and bytes as they came."""

    addresses: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, float] = field(default_factory=dict)

    def sent(self, event: dict[str, Any]) -> None:
        """Note a request."""
        self.addresses[event["requestId"]] = event["request"]["url"]

    def ended(self, event: dict[str, Any]) -> None:
        """Note what a request brought."""
        self.bytes[event["requestId"]] = event["encodedDataLength"]

    @property
    def total(self) -> float:
        """All of it [MB]."""
        return sum(self.bytes.values()) / 1e6

    def heaviest(self, number: int) -> list[tuple[str, int]]:
        """Paths and bytes of the largest answers."""
        found = sorted(self.bytes.items(), key=lambda item: -item[1])[:number]
        return [(urlsplit(self.addresses.get(key, "")).path, int(size)) for key, size in found]


class Screen:
    """One operator's screen.

    Attributes
    ----------
    addresses : list of str
        Of every request and WebSocket.
    errors : list of str
        That the page told of itself.
    """

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.base = base
        self.addresses: list[str] = []
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("websocket", lambda socket: self.addresses.append(socket.url.replace("ws", "http", 1)))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.hand = Hand(self.page)
        self._meter: CDPSession | None = None

    def log_in(self, user: str, target: str = "/") -> float:
        """Log in with the keyboard and wait until the page can be used; how long that took from the last key [s]."""
        self.page.goto(f"{self.base}/login?next={quote(target)}")
        self.page.fill("#user", user)
        self.page.fill("#password", PASSWORD)
        began = time.time()
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: urlsplit(url).path == target)
        return float(self.ready()["at"]) / 1000 - began

    def log_out(self) -> None:
        """End the session; what the browser keeps stays."""
        self.context.clear_cookies(name="hypervision_session")
        self.page.goto("about:blank")

    def go(self, path: str) -> dict[str, Any]:
        """Load a page of an address anew; what the page notes of it."""
        self.page.goto(self.base + path)
        return self.ready()

    def ready(self) -> dict[str, Any]:
        """Wait until the loaded page can be used: `at` [ms since the epoch], `took` [ms since the load began]."""
        self.page.wait_for_function("() => window.hvBench?.ready", timeout=PATIENCE * 1000)
        return dict(self.ask("() => hvBench.ready"))

    def ask(self, script: str, given: object = None) -> Any:
        """What a function answers in the page."""
        return self.page.evaluate(script, given)

    def wait(self, seconds: float) -> None:
        """Let time pass, with an ear for the browser."""
        self.page.wait_for_timeout(seconds * 1000)

    def until(self, script: str, given: object = None, *, seconds: float = PATIENCE) -> None:
        """Wait until a function is true in the page."""
        self.page.wait_for_function(script, arg=given, timeout=seconds * 1000)

    def tools(self) -> CDPSession:
        """The browser's own protocol for this page."""
        return self.context.new_cdp_session(self.page)

    def wire(self) -> Wire:
        """Listen to what is fetched from now on."""
        found, tools = Wire(), self.tools()
        tools.on("Network.requestWillBeSent", found.sent)
        tools.on("Network.loadingFinished", found.ended)
        tools.send("Network.enable")
        return found

    def busy(self) -> float:
        """For how long the page's main thread has worked so far [s]."""
        if self._meter is None:
            # It counts from the moment at which it is asked for first.
            self._meter = self.tools()
            self._meter.send("Performance.enable")
        told = {each["name"]: each["value"] for each in self._meter.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"])

    def heap(self) -> float:
        """JavaScript's heap after a forced collection [MB]."""
        tools = self.tools()
        tools.send("HeapProfiler.enable")
        tools.send("HeapProfiler.collectGarbage")
        used = float(tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
        tools.detach()
        return used

    def close(self) -> None:
        """Close the screen with its session's storage."""
        self.context.close()


class Screens:
    """The browser and the screens that were opened in it.

    Attributes
    ----------
    version : str
        Of the browser.
    """

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser = browser
        self._base = base
        self._opened: list[Screen] = []
        self.version = browser.version

    @property
    def host(self) -> str:
        """Name and port of the server."""
        return urlsplit(self._base).netloc

    def open(self) -> Screen:
        """A screen that keeps nothing of the others."""
        context = self._browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(path=_PROBE)
        self._opened.append(Screen(context, self._base))
        return self._opened[-1]

    @contextmanager
    def one(self, user: str = "", target: str = "/") -> Iterator[Screen]:
        """A screen, logged in where a user is named, closed at the end."""
        screen = self.open()
        try:
            if user:
                screen.log_in(user, target)
            yield screen
        finally:
            screen.close()

    def take(self) -> tuple[list[str], list[str]]:
        """Addresses that all screens asked for, and errors they told, since the last call."""
        addresses = [address for screen in self._opened for address in screen.addresses]
        errors = [error for screen in self._opened for error in screen.errors]
        for screen in self._opened:
            screen.addresses.clear()
            screen.errors.clear()
        return addresses, errors

    def renderers(self) -> dict[str, float]:
        """Memory of the processes that draw the screens, what they share in proportion, by their number [MB]."""
        tools = self._browser.new_browser_cdp_session()
        told = tools.send("SystemInfo.getProcessInfo")["processInfo"]
        tools.detach()
        found = {}
        for process in told:
            if process["type"] == "renderer":
                try:
                    full = psutil.Process(process["id"]).memory_full_info()
                except psutil.Error:
                    continue
                found[str(process["id"])] = float(getattr(full, "pss", 0) or full.uss) / 1e6
        return found


@contextmanager
def opened(base: str, *, program: str | None = None) -> Iterator[Screens]:
    """Open the browser before a server.

    Parameters
    ----------
    program : str, optional
        The browser's; the system's own by default, else the one that Playwright has.

    Raises
    ------
    ServiceError
        There is none.
    """
    found = program or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        except Error as error:
            raise ServiceError(
                f"no browser can be opened ({str(error).splitlines()[0]})",
                remedy="install chromium, or run `playwright install chromium`, or name one with --browser",
            ) from None
        try:
            yield Screens(browser, base)
        finally:
            browser.close()
