"""Make docs/screenshots/*.png from a running product: `python scripts/screenshots.py [DATA_DIR]`.

Reads the address and the log-ins from `endpoints.json` of a running demo, so that no picture is made by hand.
"""  # noqa: INP001

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from hypervision import endpoints
from hypervision.settings import load

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# name, path, theme, language, what must be there before the picture is taken, and as whom if not as an operator
SHOTS = (
    ("overview-dark-fr", "/", "dark", "fr", ".tile .spark"),
    ("overview-light-en", "/", "light", "en", ".tile .spark"),
    ("alarms-dark-fr", "/alarms", "dark", "fr", "#alarm-grid .ag-row"),
    ("map-dark-fr", "/map", "dark", "fr", "#map-list li"),
    ("map-light-en", "/map", "light", "en", "#map-list li"),
    ("asset-dark-fr", "ASSET", "dark", "fr", ".chart .js-plotly-plot"),
    ("trends-dark-fr", "TRENDS", "dark", "fr", ".trend .js-plotly-plot"),
    ("trends-light-en", "TRENDS", "light", "en", ".trend .js-plotly-plot"),
    ("quality-dark-fr", "/quality", "dark", "fr", ".kpi"),
    ("quality-light-en", "/quality?span=7d", "light", "en", ".kpi"),
    ("system-dark-en", "/health", "dark", "en", "#health-parts tr"),
    ("rejected-dark-fr", "/rejected", "dark", "fr", "#rejected-set .table tbody tr", "engineer"),
    ("rejected-light-en", "/rejected", "light", "en", "#rejected-set .table tbody tr", "engineer"),
    ("administration-dark-fr", "/administration?account=operator", "dark", "fr", "#accounts-form", "administrator"),
    ("administration-light-en", "/administration?account=operator", "light", "en", "#accounts-form", "administrator"),
)


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path, nargs="?", help="of the running demo")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "screenshots")
    options = parser.parse_args()
    folder = options.data_dir or load(demo=True).data_dir
    found = endpoints.read(folder)
    if found is None or not found.get("log_ins"):
        parser.error(f"no demo runs in {folder}: start it with `make demo`, or name its folder")
    log_ins = {entry["role"]: entry for entry in found["log_ins"]}
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for shot in SHOTS:
            take(browser, found["http"], log_ins, shot, options.out)
        browser.close()


# What devices get wrong, as an engineer posts it in their place: a demo's own devices send nothing that is refused.
WRONG = (
    '{"time": "2026-11-22 10:00:00", "pressure": 3.1}',
    '{"time": "2026-11-22T10:00:00Z", "presure": 3.1}',
    '{"pressure": {"value": 12, "unit": "m3/h"}}',
    '{"flow": "n/a"}',
    "{'pressure': 3.1}",
)


def send_wrong(context: BrowserContext, base: str) -> None:
    """A few messages of a few Things that cannot be taken, for the page that shows them."""
    things = context.request.get(f"{base}/api/v1/things?domain=water&limit=4").json()["rows"]
    for i, thing in enumerate(things):
        for payload in WRONG[: len(WRONG) - i]:
            context.request.post(
                f"{base}/api/v1/observations?domain=water&thing={thing['code']}",
                data=payload,
                headers={"content-type": "application/json"},
            )


def series(context: BrowserContext, base: str) -> str:
    """The page of trends with two series of each of two domains."""
    chosen = []
    for domain in ("water", "lighting"):
        rows = context.request.get(f"{base}/api/v1/datastreams?domain={domain}&limit=200").json()["rows"]
        gauges = [row for row in rows if row["kind"] == "gauge" and row["phenomenon_time"]]
        chosen += [f"s={row['thing']}/{row['domain']}/{row['property']}" for row in gauges[:2]]
    return f"/trends?{'&'.join(chosen)}"


def take(browser: Browser, base: str, log_ins: dict[str, dict[str, str]], shot: tuple[str, ...], out: Path) -> None:
    """One picture, of the page as its reader sees it."""
    name, path, theme, language, awaited, *role = shot
    log_in = log_ins[role[0] if role else "operator"]
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    chosen = {"hypervision_theme": theme, "hypervision_language": language}
    context.add_cookies([{"name": key, "value": value, "url": base} for key, value in chosen.items()])
    body = json.dumps({"user": log_in["user"], "password": log_in["password"]})
    context.request.post(f"{base}/api/v1/login", data=body, headers={"content-type": "application/json"})
    if path == "ASSET":
        rows = context.request.get(f"{base}/api/v1/alarms?open=true&limit=100").json()["rows"]
        # A value with a course says more than a state.
        things = [row["thing"] for row in rows if row["property"] and row["value"] != row["limit_value"]]
        path = f"/asset/{things[0]}" if things else "/"
    if path == "TRENDS":
        path = series(context, base)
    if path == "/rejected":
        send_wrong(context, base)
    page = context.new_page()
    page.goto(base + path)
    page.wait_for_selector(awaited, timeout=30_000)
    page.wait_for_selector('html[data-feed="live"]', timeout=10_000)
    # The rest of what is live is drawn within the first pushes.
    page.wait_for_selector(".status-line .age:not(:empty)")
    page.wait_for_timeout(1_500)
    page.screenshot(path=out / f"{name}.png")
    context.close()
    print(out / f"{name}.png")  # noqa: T201


if __name__ == "__main__":
    main()
