// What every page has: dialogs, shortcuts, pages that are read again, and filters that the address keeps.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const byId = (id) => document.getElementById(id);
  // An element of our own: text goes in as text, whatever it holds.
  hv.make = (tag, given = {}, ...inner) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined || value === null || value === false) continue;
      if (typeof value === "function") node.addEventListener(key, value);
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    node.append(...inner.filter((each) => each !== null && each !== undefined));
    return node;
  };
  hv.filled = (template, values) => (template ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  hv.number = (n) => new Intl.NumberFormat(hv.language()).format(n);
  hv.tell = (text, bad = false) => {
    if (!text) return;
    const toast = hv.make("div", { class: bad ? "toast toast-bad" : "toast" }, text);
    byId("toasts")?.append(toast);
    setTimeout(() => toast.remove(), bad ? 9000 : 4000);
  };
  // A page of the control room, with what is chosen on it; no page load.
  hv.go = (address) => {
    const target = new URL(address, location.origin);
    const { pathname, search, href } = target;
    // The page that is open is not drawn anew for another choice on it: what it has said stays.
    const page = pathname === location.pathname ? {} : { pathname };
    window.dash_clientside.set_props("url", { ...page, search, href });
  };
  // The same by a key: the focus goes along, so that the next Tab is the page's first and not the rail's.
  hv.enter = (address) => {
    hv.go(address);
    byId("main")?.focus({ preventScroll: true });
  };
  hv.textsOf = (node) => JSON.parse(node?.dataset.texts ?? "{}");
  // An answer of the API; `{ failed }` says why there is none, in the server's words where it has some.
  hv.ask = async (address, { method = "GET", body, signal, failed = "" } = {}) => {
    try {
      const sent = body === undefined && method === "GET" ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) };
      const answer = await fetch(address, { method, ...sent, signal: signal ?? AbortSignal.timeout(8000) });
      if (answer.status === 401) {
        if (!hv.logInAgain) {
          location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
          return { failed };
        }
        await hv.logInAgain();
        return hv.ask(address, { method, body, failed });
      }
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) return told;
      const detail = Array.isArray(told.detail) ? told.detail.map((each) => `${each.loc?.at(-1) ?? ""}: ${each.msg}`).join("; ") : told.detail;
      return { failed: detail || failed || `HTTP ${answer.status}` };
    } catch (error) {
      if (error.name === "AbortError") return { aborted: true, failed: "" };
      return { failed };
    }
  };

  hv.open = (id) => {
    const dialog = byId(id);
    if (!dialog || dialog.open || hv.wall) return;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("hv:open"));
  };
  const outside = ({ target, clientX: x, clientY: y }) => {
    const box = target.getBoundingClientRect();
    return x < box.left || x > box.right || y < box.top || y > box.bottom;
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button, a");
    if (event.target.matches?.("dialog.room-dialog") && outside(event)) return event.target.close();
    if (!target) return;
    if (target.dataset.open) hv.open(target.dataset.open);
    else if (target.dataset.close) target.closest("dialog")?.close();
    else if (target.dataset.refresh) refresh(target.dataset.refresh);
    else if (target.dataset.shortcuts) toggle();
  });
  const refresh = (store) => window.dash_clientside.set_props(store, { data: Date.now() });
  // Some pages are read again by themselves: not while somebody reads a table that would fold up, nor in a hidden tab.
  let read = performance.now();
  setInterval(() => {
    const place = document.querySelector("[data-refresh-every]");
    if (!place) return void (read = performance.now());
    const due = performance.now() - read > 1000 * Number(place.dataset.refreshEvery);
    const busy = document.querySelector("dialog[open]") || place.querySelector("details[open]") || place.contains(document.activeElement) || document.hidden;
    if (!due || busy || new URLSearchParams(location.search).has("to")) return;
    read = performance.now();
    refresh(place.dataset.refreshes);
  }, 1000);

  // Shortcuts of single characters can be turned off (WCAG 2.1.4); the buttons stay.
  const OFF = "hypervision_shortcuts";
  const on = () => localStorage.getItem(OFF) !== "off";
  const say = () => {
    const button = byId("room-shortcuts");
    const text = button && (on() ? button.dataset.off : button.dataset.on);
    if (button && button.textContent !== text) button.textContent = text;
  };
  const toggle = () => {
    localStorage.setItem(OFF, on() ? "off" : "on");
    say();
  };
  const typing = (node) => Boolean(node.closest?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]"));
  // The alarm of the banner, and since when it stands there: a key is meant for what was read, not for what came just now.
  const SETTLE = 700;
  let banner = { id: "", since: 0 };
  const acknowledgeWorst = () => {
    const button = document.querySelector("#frame-banner [data-ack]");
    if (!button || button.disabled) return;
    if (button.dataset.ack !== banner.id || performance.now() - banner.since < SETTLE) return hv.say("changed", {}, true);
    button.click();
  };
  let going = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (hv.wall || typing(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key;
    // Where nothing has the focus, the arrow leads into the list.
    if (key === "ArrowDown" && hv.nowhere() && hv.enterAlarms()) return event.preventDefault();
    if (!on()) return;
    if (performance.now() - going < 1500) {
      going = -Infinity;
      const path = JSON.parse(byId("room-keys")?.dataset.go ?? "{}")[key.toLowerCase()];
      if (path) {
        event.preventDefault();
        hv.enter(path);
      }
      return;
    }
    if (key === "/") hv.open("room-search");
    else if (key === "?") hv.open("room-keys");
    else if (key === "g") going = performance.now();
    else if (key === "A" && event.shiftKey) acknowledgeWorst();
    else return;
    event.preventDefault();
  });

  // Filters stand in the address, so that a link or a saved view brings them back.
  const FILTERS = ["alarms-filter", "alarms-group", "asset-range", "map-filter", "map-domain"];
  const usual = new Map(); // What a control shows before anybody has chosen.
  let page = null;
  let pending = new Map();
  let met = new Set();
  // Whether what a control shows is known, so that another choice of it goes to the address.
  hv.knows = (id) => met.has(id);
  let known = "";
  let led = false; // By a link within the page: what it does not name is as usual again.
  const filters = () => {
    const drawn = document.querySelector("[data-page]");
    if (drawn?.dataset.page !== location.pathname) return;
    // Another page, or a link to this one with another choice.
    if (drawn !== page || location.search !== known) {
      led = drawn === page;
      page = drawn;
      known = location.search;
      pending = new Map();
      met = new Set();
    }
    const there = FILTERS.map((id) => [id, byId(id)]).filter(([, node]) => node);
    const asked = new URLSearchParams(location.search);
    for (const [id, node] of there) {
      const value = hv.valueOf(node) ?? "";
      if (!usual.has(id)) usual.set(id, node.matches("input") ? "" : value);
      if (!met.has(id) && (asked.has(id) || led)) pending.set(id, { value: asked.get(id) ?? usual.get(id), until: performance.now() + 10000 });
      met.add(id);
      const wanted = pending.get(id);
      if (wanted) {
        if (value === wanted.value || performance.now() > wanted.until) pending.delete(id);
        // Again and again: a control that is only just being drawn takes nothing.
        else window.dash_clientside.set_props(id, { value: wanted.value });
      } else if (value && value !== usual.get(id)) asked.set(id, value);
      else asked.delete(id);
    }
    if (there.length && asked.toString() !== new URLSearchParams(location.search).toString()) {
      rewrite(asked);
    }
  };
  const rewrite = (asked) => {
    const search = asked.toString();
    history.replaceState(history.state, "", location.pathname + (search ? `?${search}` : "") + location.hash);
    known = location.search;
    // Dash must know its own address, all of it: else a link to the bare page would change nothing, and the first
    // change would give back the address of before.
    window.dash_clientside.set_props("url", { search: location.search, href: location.href });
  };
  // What a page keeps in its address besides its filters.
  hv.readdress = (change) => {
    const asked = new URLSearchParams(location.search);
    change(asked);
    rewrite(asked);
  };
  setInterval(() => {
    say();
    filters();
    const id = document.querySelector("#frame-banner [data-ack]")?.dataset.ack ?? "";
    if (id !== banner.id) banner = { id, since: performance.now() };
    byId("frame-banner")?.toggleAttribute("data-settled", Boolean(id) && performance.now() - banner.since >= SETTLE);
  }, 200);
})();
