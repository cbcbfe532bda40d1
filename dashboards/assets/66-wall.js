// Wall mode, by `?wall=1`: larger text, no pointer, nothing to press, pages in turn, a reload in the night.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const PAGES = ["/", "/alarms", "/map", "/health"];
  const LEAST = 10, USUAL = 30; // How long a page stands [s].
  const NIGHT = 4; // The local hour at which the screen is loaded anew: nothing grows for weeks.
  const asked = new URLSearchParams(location.search);
  hv.wall = asked.get("wall") === "1";
  if (!hv.wall) return;
  const root = document.documentElement;
  root.dataset.wall = "1";
  const own = (address) => /^\/(?![/\\])/.test(address);
  const pages = (asked.get("pages") ?? "").split(",").map((each) => each.trim()).filter(own);
  const turn = pages.length ? pages : PAGES;
  const every = 1000 * Math.max(LEAST, Number(asked.get("every")) || USUAL);
  const carried = () => {
    const kept = new URLSearchParams({ wall: "1" });
    for (const name of ["pages", "every"]) if (asked.get(name)) kept.set(name, asked.get(name));
    return kept;
  };
  let shown = 0;
  let since = performance.now();
  const next = () => {
    shown = (shown + 1) % turn.length;
    const target = new URL(turn[shown], location.origin);
    const search = new URLSearchParams([...target.searchParams, ...carried()]);
    hv.go(`${target.pathname}?${search}`);
  };
  const local = () => {
    const zone = root.dataset.zone || "UTC";
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", hourCycle: "h23" }).formatToParts(hv.now());
    const part = (name) => parts.find((each) => each.type === name).value;
    return { day: `${part("year")}-${part("month")}-${part("day")}`, hour: Number(part("hour")) };
  };
  // The night whose reload was done: after the reload it is not done again.
  const DONE = "hypervision_wall_reload";
  const night = () => {
    const now = local();
    if (now.hour !== NIGHT || sessionStorage.getItem(DONE) === now.day || performance.now() < 60000) return;
    // A server that is away now would leave a blank wall.
    if (root.dataset.feed !== "live") return;
    sessionStorage.setItem(DONE, now.day);
    location.reload();
  };
  setInterval(() => {
    night();
    // What is shown stays while the feed is lost: the strip tells of it on any page.
    if (turn.length < 2 || performance.now() - since < every) return;
    since = performance.now();
    next();
  }, 1000);
  // Nothing on a wall is pressed: neither by a pointer nor by a key.
  for (const kind of ["click", "keydown", "submit"]) {
    document.addEventListener(kind, (event) => {
      // The log-in of a session that has ended, and the browser's own keys, stay.
      if (event.ctrlKey || event.metaKey || event.altKey || /^F\d/.test(event.key ?? "") || event.target.closest?.("#sound-badge, dialog[open]")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
  }
})();
