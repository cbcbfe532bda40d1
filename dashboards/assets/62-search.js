// Fields that look up as one types: the search on `/`, and the series of the trends.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const PAUSE = 120; // Between two letters nobody is asked [ms].
  const make = hv.make;

  const build = (place) => {
    const { id, dataset } = place;
    const texts = () => hv.textsOf(place);
    const input = make("input", {
      id: `${id}-input`, type: "search", class: "combo-input", role: "combobox", "aria-label": dataset.label, placeholder: dataset.hint, autocomplete: "off",
      maxlength: 100, "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
    });
    const list = make("div", { id: `${id}-list`, role: "listbox", class: "combo-list", hidden: true, "aria-label": dataset.label });
    const status = make("div", { id: `${id}-status`, role: "status", class: "combo-status muted note" });
    place.append(input, list, status);

    let rows = [];
    let at = -1;
    let timer = null;
    let asking = null;
    const show = (text) => {
      if (status.textContent !== text) status.textContent = text;
    };
    const point = (n) => {
      at = n;
      [...list.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === at)));
      const active = list.children[at];
      if (active) input.setAttribute("aria-activedescendant", active.id);
      else input.removeAttribute("aria-activedescendant");
      active?.scrollIntoView({ block: "nearest" });
    };
    const fold = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      point(-1);
    };
    const clear = () => {
      clearTimeout(timer);
      asking?.abort();
      asking = null;
      rows = [];
      list.replaceChildren();
      input.value = "";
      show("");
      fold();
    };
    const draw = (told) => {
      rows = told.rows;
      list.replaceChildren(
        ...rows.map((row, i) =>
          make("div", { role: "option", id: `${id}-option-${i}`, class: "combo-option", "aria-selected": "false" },
            make("span", { class: "combo-kind muted" }, texts()[`kind_${row.kind}`] ?? row.kind),
            make("bdi", { class: "strong" }, row.label), make("bdi", { class: "muted" }, row.detail))
        )
      );
      list.hidden = rows.length === 0;
      input.setAttribute("aria-expanded", String(rows.length > 0));
      point(rows.length ? 0 : -1);
      const counted = rows.length === 0 ? texts().nothing : hv.filled(rows.length === 1 ? texts().found_one : texts().found, { n: hv.number(rows.length) });
      show(told.more ? `${counted} ${texts().more}` : counted);
    };
    const ask = async () => {
      asking?.abort();
      const q = input.value.trim();
      if (!q) return clear();
      const mine = (asking = new AbortController());
      const late = setTimeout(() => mine.abort("late"), 8000);
      const told = await hv.ask(`/api/v1/search?${new URLSearchParams({ q, kind: dataset.combo })}`, { signal: mine.signal, failed: texts().failed });
      clearTimeout(late);
      if (mine !== asking) return;
      if (told.failed !== undefined) {
        rows = [];
        list.replaceChildren();
        fold();
        return show(texts().failed);
      }
      draw(told);
    };
    const choose = (n) => {
      const row = rows[n];
      if (!row) return;
      if (row.kind === "place" && !row.href) {
        // A place leads on to what stands there.
        input.value = row.label;
        input.focus();
        return void ask();
      }
      clear();
      if (dataset.combo === "datastream") return hv.addSeries?.(row.value);
      place.closest("dialog")?.close();
      hv.enter(row.href);
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    input.addEventListener("keydown", (event) => {
      const last = rows.length - 1;
      if (event.key === "ArrowDown" && last >= 0) point(at >= last ? 0 : at + 1);
      else if (event.key === "ArrowUp" && last >= 0) point(at <= 0 ? last : at - 1);
      else if (event.key === "Enter") choose(Math.max(at, 0));
      else if (event.key === "Escape" && (input.value || !list.hidden)) {
        clear();
        if (place.closest("dialog")) return; // The dialog closes as well.
      } else return;
      event.preventDefault();
    });
    // Before the field loses the focus, so that the list is still there.
    list.addEventListener("pointerdown", (event) => {
      const option = event.target.closest(".combo-option");
      if (!option) return;
      event.preventDefault();
      choose([...list.children].indexOf(option));
    });
    place.closest("dialog")?.addEventListener("hv:open", () => {
      clear();
      input.focus();
    });
    if (!place.closest("dialog")) input.addEventListener("blur", fold);
  };

  // Of the trends: one more series in the address.
  hv.addSeries = (key) => {
    const place = document.getElementById("trend-said");
    const asked = new URLSearchParams(location.pathname === "/trends" ? location.search : "");
    const there = asked.getAll("s");
    if (there.includes(key)) return;
    if (there.length >= Number(place?.dataset.most ?? 8)) return hv.tell(hv.filled(place?.dataset.tooMany, { n: place?.dataset.most }), true);
    asked.append("s", key);
    hv.go(`/trends?${asked}`);
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id === "trend-times") {
      event.preventDefault();
      const asked = new URLSearchParams(location.search);
      asked.delete("range");
      for (const field of form.querySelectorAll("input[name]")) {
        if (field.value.trim()) asked.set(field.name, field.value.trim());
        else asked.delete(field.name);
      }
      hv.go(`/trends?${asked}`);
    } else if (form.id === "trend-note") {
      event.preventDefault();
      const said = document.getElementById("trend-said").dataset;
      const given = Object.fromEntries([...form.querySelectorAll("input[name]")].map((field) => [field.name, field.value.trim()]));
      const told = await hv.ask("/api/v1/notes", { method: "POST", body: { text: given.text, at: given.at, thing: given.thing || null }, failed: said.noAnswer });
      // What was typed stays until it is kept.
      if (told.failed !== undefined) return hv.tell(hv.filled(said.notKept, { reason: told.failed }), true);
      for (const name of ["text", "at"]) window.dash_clientside.set_props(`trend-note-${name}`, { value: "" });
      window.dash_clientside.set_props("trend-note-thing", { value: form.dataset.about ?? "" });
      hv.tell(said.noteWritten);
      window.dash_clientside.set_props("trends-refresh", { data: Date.now() });
    }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-note-remove]");
    if (!button) return;
    const said = document.getElementById("trend-said").dataset;
    const told = await hv.ask(`/api/v1/notes/${button.dataset.noteRemove}`, { method: "DELETE", failed: said.noAnswer });
    if (told.failed !== undefined) return hv.tell(hv.filled(said.notKept, { reason: told.failed }), true);
    hv.tell(said.noteRemoved);
    window.dash_clientside.set_props("trends-refresh", { data: Date.now() });
  });

  setInterval(() => {
    for (const place of document.querySelectorAll("[data-combo]")) if (!place.firstChild) build(place);
    // The times of the address stand in their fields.
    const form = document.getElementById("trend-times");
    const asked = new URLSearchParams(location.search);
    const drawn = `${asked.get("from") ?? ""}|${asked.get("to") ?? ""}`;
    if (form && form.dataset.drawn !== drawn) {
      form.dataset.drawn = drawn;
      for (const name of ["from", "to"]) window.dash_clientside.set_props(`trend-${name}`, { value: asked.get(name) ?? "" });
    }
    // Where all series are of one asset, a note is about that one until somebody says otherwise.
    const note = document.getElementById("trend-note");
    const things = new Set(asked.getAll("s").map((key) => key.split("/")[0]));
    const about = things.size === 1 ? [...things][0] : "";
    const field = document.getElementById("trend-note-thing");
    if (field && (note.dataset.about ?? "") !== about) {
      if (field.value === (note.dataset.about ?? "")) window.dash_clientside.set_props("trend-note-thing", { value: about });
      note.dataset.about = about;
    }
  }, 150);
  // Who opens the form writes.
  document.addEventListener("toggle", ({ target }) => target.matches?.(".trend-note-place[open]") && document.getElementById("trend-note-text")?.focus(), true);
})();
