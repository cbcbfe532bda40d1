// Put into every page before its own scripts by `bench desk`: notes when what is looked for is on the screen.
"use strict";
(() => {
  if (window.top !== window || window.hvBench) return;
  const bench = (window.hvBench = {
    seen: {}, // alarm id -> when it was visible first [ms since the epoch]
    rings: {}, // alarm id -> { at, thing }: told as one that waits; noted while `listens`
    listens: false,
    ready: null, // { path, at, took }: when the page that was loaded could be used
    change: null, // { from, to, took }: of the last click on a link
    told: { bytes: 0, messages: 0, map: 0 },
    wanted: null, // { name, least, done }: a count that is waited for
  });
  // The frame that shows what stands now has been handed over when this is called.
  const painted = (act) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => act(Date.now(), performance.now());
      channel.port2.postMessage(0);
    });

  const drawn = () => document.querySelector("[data-page]")?.dataset.page;
  const traces = () => {
    const plot = document.querySelector("#map-graph .js-plotly-plot");
    const meta = plot?.layout?.meta;
    return meta ? plot.data.slice(meta.ground).map((trace) => trace.x?.length ?? 0) : [];
  };
  const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
  const counts = {
    marks: () => sum(traces()),
    abnormal: () => sum(traces().slice(1)),
  };
  bench.count = (name) => counts[name]();
  // What a page must show besides its frame before anybody can work with it.
  const parts = {
    "/alarms": () => document.querySelector("#alarm-grid .line, #alarm-grid .grid-none:not([hidden])"),
    "/map": () => document.querySelector("#map-list li, #map-list .empty") && traces().length,
    "/alarms/hidden": () => document.querySelector("#hidden-list")?.childElementCount,
  };
  const usable = (path) =>
    drawn() === path &&
    document.querySelector("#frame-banner .banner") &&
    document.documentElement.dataset.feed === "live" &&
    !document.querySelector('#page[data-dash-is-loading="true"], #page [data-dash-is-loading="true"]') &&
    Boolean(parts[path]?.() ?? true);
  bench.usable = usable;

  const note = () => {
    for (const node of document.querySelectorAll("#frame-banner [data-ack], #alarm-grid .line[data-row]")) {
      const id = node.dataset.ack ?? node.dataset.row;
      if (bench.seen[id] !== undefined) continue;
      bench.seen[id] = null;
      painted((at) => (bench.seen[id] = at));
    }
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ack", "data-row"] });

  // Each frame is looked at only while something is waited for: a loop that never ends would cost what is measured.
  const PATIENCE = 60000; // [ms]
  const waits = [];
  let running = false;
  const look = () => {
    running = waits.length > 0;
    if (!running) return;
    for (const wait of [...waits]) {
      const over = performance.now() - wait.began > PATIENCE;
      if (!over && !wait.holds()) continue;
      waits.splice(waits.indexOf(wait), 1);
      if (!over) painted(wait.act);
    }
    requestAnimationFrame(look);
  };
  const await_ = (holds, act) => {
    waits.push({ holds, act, began: performance.now() });
    if (!running) requestAnimationFrame(look);
    running = true;
  };
  await_(
    () => usable(location.pathname),
    (at, now) => (bench.ready = { path: location.pathname, at, took: now })
  );
  bench.want = (name, least) => {
    const wanted = (bench.wanted = { name, least, done: null });
    await_(
      () => counts[name]() >= least,
      (at, now) => (wanted.done = { at, now, told: bench.told.map })
    );
  };
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link) return;
      const to = new URL(link.href, location.href);
      // A browser's time of the event: also what it had to wait for is counted.
      if (to.origin !== location.origin) return;
      const change = (bench.change = { from: location.pathname, to: to.pathname, began: event.timeStamp, took: null });
      await_(
        () => location.pathname === change.to && usable(change.to),
        (_at, now) => (change.took = now - change.began)
      );
    },
    true
  );

  const listen = (data) => {
    bench.told.bytes += new TextEncoder().encode(data).length;
    bench.told.messages += 1;
    if (data.includes('"map-marks"')) bench.told.map = performance.now();
    if (!bench.listens) return;
    const at = Date.now();
    for (const row of JSON.parse(data).rows ?? []) if (row.waiting) bench.rings[row.id] ??= { at, thing: row.code };
  };
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => listen(event.data));
    }
  };
})();
