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
    if (everything) for (const place of places) if (domain === "all" || place[2] === domain) add(traces.place, place, "", "");
    for (const [code, kind, letter, what] of marks) {
      const place = by.get(code);
      if (place && (domain === "all" || place[2] === domain)) add(traces[kind], place, letter, what);
    }
    const names = meta.marks;
    const column = (key) => names.map((name) => traces[name][key]);
    window.Plotly.restyle(
      plot,
      { x: column("x"), y: column("y"), text: column("text"), customdata: column("customdata"), hovertext: column("hovertext") },
      names.map((_name, i) => meta.ground + i)
    );
    for (const entry of document.querySelectorAll("#map-list li")) entry.hidden = domain !== "all" && entry.dataset.domain !== domain;
  };

  const node = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const card = async (code) => {
    const place = document.getElementById("map-card");
    const known = places.find((entry) => entry[0] === code);
    if (!place || !known) return;
    const head = node("a", "strong card-name", known[1]);
    head.href = `/asset/${encodeURIComponent(code)}`;
    const facts = node("div", "muted", known[5] || code);
    const list = node("dl", "card-values");
    place.replaceChildren(head, facts, list);
    try {
      const answer = await fetch(`/api/v1/datastreams?thing=${encodeURIComponent(code)}&limit=12`);
      const { rows } = await answer.json();
      for (const row of rows) {
        const value = row.result === null ? "—" : row.state ?? new Intl.NumberFormat(hv.language(), { maximumFractionDigits: 2 }).format(row.result);
        const shownValue = node("dd", "num", row.state || row.unit === "1" ? String(value) : `${value} ${row.unit}`);
        const when = node("span", "age num");
        if (row.phenomenon_time) {
          when.dataset.since = String(Date.parse(row.phenomenon_time));
          if (row.expected_period_seconds) when.dataset.stale = String(4 * row.expected_period_seconds);
        }
        shownValue.append(" ", when);
        list.append(node("dt", "muted", row.property), shownValue);
      }
    } catch {
      facts.textContent = "—";
    }
    hv.tick();
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

  setInterval(() => {
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
