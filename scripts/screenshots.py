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
JSON = {"content-type": "application/json"}
# name, path, what must be there before the picture is taken, as whom
PAGES = (
    ("overview", "/", ".tile .spark", "operator"),
    ("alarms", "/alarms", "#alarm-grid .line", "operator"),
    ("hidden", "/alarms/hidden", "#page h1", "operator"),
    ("service", "/alarms/service", "#page h1", "operator"),
    ("map", "/map", "#map-list li", "operator"),
    ("asset", "ASSET", ".chart .js-plotly-plot", "operator"),
    ("trends", "TRENDS", ".trend .js-plotly-plot", "operator"),
    ("quality", "/quality?span=7d", ".kpi", "operator"),
    ("rules", "/rules?rule=waste.fill.high", "#rules-set h2", "engineer"),
    ("system", "/health", "#health-parts tr", "operator"),
    ("rejected", "/rejected", "#rejected-set .table tbody tr", "engineer"),
    ("administration", "/administration?account=operator", "#accounts-form", "administrator"),
    ("audit", "/audit", "#audit-set .table tbody tr", "administrator"),
    ("account", "/account", "main h1, h1", "operator"),
    ("accessibility", "/accessibility", "h1", "operator"),
)
# As the French guide shows them, by night, and the English one, by day.
LOOKS = (("dark", "fr"), ("light", "en"))
# These are no pages of the room: they have no feed.
ALONE = ("account", "accessibility")


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
        prepare(browser, found["http"], log_ins)
        for page in PAGES:
            for look in LOOKS:
                take(entered(browser, found["http"], log_ins[page[3]]), found["http"], page, look, options.out)
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
                headers=JSON,
            )


def series(context: BrowserContext, base: str) -> str:
    """The page of trends with two series of each of two domains."""
    chosen = []
    for domain in ("water", "lighting"):
        rows = context.request.get(f"{base}/api/v1/datastreams?domain={domain}&limit=200").json()["rows"]
        gauges = [row for row in rows if row["kind"] == "gauge" and row["phenomenon_time"]]
        chosen += [f"s={row['thing']}/{row['domain']}/{row['property']}" for row in gauges[:2]]
    return f"/trends?{'&'.join(chosen)}"


def entered(browser: Browser, base: str, log_in: dict[str, str]) -> BrowserContext:
    """A browser in which somebody has logged in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    body = json.dumps({"user": log_in["user"], "password": log_in["password"]})
    context.request.post(f"{base}/api/v1/login", data=body, headers=JSON)
    return context


def prepare(browser: Browser, base: str, log_ins: dict[str, dict[str, str]]) -> None:
    """What people have done by the time that the pictures are taken: once, whatever number of times this runs."""
    context = entered(browser, base, log_ins["operator"])
    rows = context.request.get(f"{base}/api/v1/alarms?open=true&limit=100").json()["rows"]
    for row in [row for row in rows if row["domain"] == "parking"][:1]:
        body = {"reason": "Capteur bloqué, équipe prévenue", "seconds": 3600}
        context.request.post(f"{base}/api/v1/alarms/{row['id']}/shelve", data=json.dumps(body), headers=JSON)
    things = context.request.get(f"{base}/api/v1/things?domain=waste&limit=3").json()["rows"]
    placed = context.request.get(f"{base}/api/v1/inhibitions").json()["rows"]
    if not any(row["kind"] == "out_of_service" for row in placed):
        body = {"kind": "out_of_service", "things": [things[-1]["code"]], "reason": "Bac remplacé"}
        context.request.post(f"{base}/api/v1/inhibitions", data=json.dumps(body), headers=JSON)
    context.close()
    context = entered(browser, base, log_ins["engineer"])
    if not context.request.get(f"{base}/api/v1/rules/proposals").json()["rows"]:
        rule = context.request.get(f"{base}/api/v1/rules/waste.fill.high").json()
        body = {"base": rule["version"], "rule": {"limit": 93}, "reason": "Moins de tournées à vide"}
        context.request.post(f"{base}/api/v1/rules/waste.fill.high/proposals", data=json.dumps(body), headers=JSON)
    context.close()


def take(context: BrowserContext, base: str, shot: tuple[str, str, str, str], look: tuple[str, str], out: Path) -> None:
    """One picture, of the page as its reader sees it."""
    (name, path, awaited, _role), (theme, language) = shot, look
    chosen = {"hypervision_theme": theme, "hypervision_language": language}
    context.add_cookies([{"name": key, "value": value, "url": base} for key, value in chosen.items()])
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
    if name not in ALONE:
        page.wait_for_selector('html[data-feed="live"]', timeout=10_000)
        # The rest of what is live is drawn within the first pushes.
        page.wait_for_selector(".status-line .age:not(:empty)")
    page.wait_for_timeout(1_500)
    made = out / f"{name}-{theme}-{language}.png"
    page.screenshot(path=made)
    context.close()
    print(made)  # noqa: T201


if __name__ == "__main__":
    main()
