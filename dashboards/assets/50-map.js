// The marks on the map: filled from what the server pushes, filtered here, chosen by pointer or from the list.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  let places = [];
  let marks = [];
  let drawn = null;
  let shown = "";
  let home = null;

  const graph = () => document.querySelector("#map-graph .js-plotly-plot");
  const choice = (id) => document.querySelector(`#${id} input:checked`)?.value ?? "all";
  // Names come from devices and people: plotly must not take them for markup.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  hv.takeMap = (id, data) => {
    if (id === "map-places") places = data;
    if (id === "map-marks") marks = data;
    drawn = null;
  };

  const fill = (plot) => {
    const meta = plot.layout.meta;
    const domain = choice("map-domain");
    const everything = choice("map-filter") === "all";
    const by = new Map(places.map((place) => [place[0], place]));
    const traces = Object.fromEntries(meta.marks.map((name) => [name, { x: [], y: [], text: [], customdata: [], hovertext: [] }]));
    const add = (trace, place, letter, what) => {
      trace.x.push(place[3]);
      trace.y.push(place[4]);
      trace.text.push(letter);
      trace.customdata.push(place[0]);
      trace.hovertext.push(`<b>${plain(place[1])}</b>${what ? `<br>${plain(what)}` : ""}${place[5] ? `<br>${plain(place[5])}` : ""}`);
    };
    if (everything) for (const place of places) if (domain === "all" || place[2].includes(domain)) add(traces.place, place, "", "");
    // A Thing of several domains has a mark for each, the worst first: it shows the first of those asked for.
    const marked = new Set();
    for (const [code, kind, letter, what, of] of marks) {
      const place = by.get(code);
      if (!place || marked.has(code) || !(domain === "all" || (of ? of === domain : place[2].includes(domain)))) continue;
      marked.add(code);
      add(traces[kind], place, letter, what);
    }
    // Not by `restyle`: Dash would keep all that it was told, and compare it whenever anything on the screen changes.
    const data = plot.data.map((trace, i) => (i < meta.ground ? trace : { ...trace, ...traces[meta.marks[i - meta.ground]] }));
    window.Plotly.react(plot, data, plot.layout);
    for (const entry of document.querySelectorAll("#map-list li")) entry.hidden = domain !== "all" && entry.dataset.domain !== domain;
  };

  const node = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  // The card of the chosen Thing: its name here, its values as the page of the asset draws them, read again and again.
  const AGAIN = 2000;
  let chosen = null;
  let holder = null;
  let known = { language: "", seq: 0, asked: -AGAIN, busy: false };
  const card = (code) => {
    const place = document.getElementById("map-card");
    const found = places.find((entry) => entry[0] === code);
    if (!place || !found) return;
    if (code !== chosen) {
      hv.put("map-card-values", { children: [] });
      known.seq = 0;
    }
    chosen = code;
    known.asked = -AGAIN;
    const head = node("a", "strong card-name", found[1]);
    head.href = hv.assetPath(code);
    place.replaceChildren(head, node("div", "muted", found[5] || code));
    values();
  };
  const values = async () => {
    const [code, language] = [chosen, hv.language()];
    if (known.busy || performance.now() - known.asked < AGAIN) return;
    if (known.language !== language) known.seq = 0;
    known = { ...known, language, asked: performance.now(), busy: true };
    try {
      const query = new URLSearchParams({ page: hv.assetPath(code), language, after: String(known.seq) });
      const answer = await fetch(`/api/v1/live?${query}`, { signal: AbortSignal.timeout(3000) });
      const told = answer.ok ? await answer.json() : null;
      if (told && code === chosen && language === hv.language() && document.getElementById("map-card-values")) {
        known.seq = told.seq;
        if (told.set["asset-values"]) hv.put("map-card-values", told.set["asset-values"]);
      }
    } catch {
      // The values on the screen grow old by their own ages; the next round asks again.
    } finally {
      known.busy = false;
    }
  };

  document.addEventListener("click", (event) => {
    const way = event.target.closest?.("[data-map-zoom]")?.dataset.mapZoom;
    const plot = graph();
    if (!way || !plot) return;
    home ??= { x: [...plot.layout.xaxis.range], y: [...plot.layout.yaxis.range] };
    if (way === "reset") return window.Plotly.relayout(plot, { "xaxis.range": home.x, "yaxis.range": home.y });
    const factor = way === "in" ? 0.6 : 1 / 0.6;
    const scaled = ([low, high]) => [(low + high) / 2 - (factor * (high - low)) / 2, (low + high) / 2 + (factor * (high - low)) / 2];
    window.Plotly.relayout(plot, { "xaxis.range": scaled(plot.layout.xaxis.range), "yaxis.range": scaled(plot.layout.yaxis.range) });
  });

  const hint = () => {
    const place = document.getElementById("map-card");
    if (place && !place.childNodes.length) place.append(node("p", "muted", place.dataset.hint));
  };

  const keepCard = () => {
    if (location.pathname !== "/map") chosen = null;
    const place = document.getElementById("map-card");
    if (!place || !chosen) return;
    // Drawn anew, in another language: the choice stays.
    if (place !== holder) known.seq = 0;
    if (place !== holder && places.length) card(chosen);
    holder = place;
    values();
  };

  setInterval(() => {
    keepCard();
    const plot = graph();
    if (!plot || !plot.layout?.meta || !window.Plotly || !places.length) return;
    const asked = `${choice("map-domain")} ${choice("map-filter")} ${hv.language()}`;
    if (drawn !== plot || shown !== asked || !plot.data[plot.layout.meta.ground]) {
      drawn = plot;
      shown = asked;
      fill(plot);
      hint();
      const wanted = document.getElementById("map-card")?.dataset.wanted;
      if (wanted) {
        delete document.getElementById("map-card").dataset.wanted;
        card(wanted);
      }
    }
    if (!plot.dataset.listening) {
      plot.dataset.listening = "1";
      plot.on("plotly_click", (event) => card(event.points[0].customdata));
    }
    // A new figure (theme, language) comes without marks.
    const filled = plot.data.slice(plot.layout.meta.ground).some((trace) => trace.x?.length);
    if (!filled && (marks.length || choice("map-filter") === "all")) drawn = null;
  }, 200);
})();
