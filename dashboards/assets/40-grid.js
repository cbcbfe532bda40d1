// The alarm list: what its cells show, rows that arrive while the pointer is in it, what is done with the selection.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const make = (tag, cls, ...inner) => hv.make(tag, { class: cls }, ...inner);
  hv.symbolOf = (row) => hv.make("span", { class: `sym sym-${row.priority}${row.waiting ? " sym-waiting" : ""}`, "aria-hidden": "true" }, make("span", "sym-letter", row.letter));
  const state = (row) => (row.waiting || !row.by ? row.state_label : `${row.state_label} · ${row.by}`);
  // A link inside the application: no page load. Keys reach it by its cell.
  hv.linkTo = (href, given, text) => hv.make("a", { href, "data-inside": "1", tabindex: -1, ...given }, text);
  // What the alarm is, and what hangs on it: which came first, its consequences one click away, how often it rings.
  const marks = (row) => [
    row.first || row.after ? make("span", row.first ? "aside aside-first" : "aside", row.first || row.after) : null,
    row.explains ? hv.linkTo(hv.causeAddress(row.id), { class: "aside underlined" }, row.explains) : null,
    row.rings ? make("span", "aside", row.rings) : null,
  ];
  const plain = (name) => (row) => hv.make("span", { class: "clamp", title: row[name] }, row[name]);
  const age = (row) => hv.make("span", { class: "age num", "data-since": row.raised });
  const asset = (row) => (row.code ? hv.linkTo(hv.assetPath(row.code), { class: "cell-asset clamp", title: row.name }, row.name) : make("span", "cell-asset clamp", row.name));
  const CELLS = {
    rank: (row) => make("span", "cell-priority", hv.symbolOf(row), make("span", "priority-word", row.priority_label)),
    state_label: (row) => hv.make("span", { class: row.waiting ? "clamp strong" : "clamp cell-acked", title: state(row) }, state(row)),
    raised: age,
    name: asset,
    label: (row) =>
      hv.make("span", { class: "cell-label", title: [row.label, row.first || row.after, row.explains, row.rings].filter(Boolean).join(" · ") },
        make("span", "strong cut", row.label), make("span", "asides", ...marks(row))),
    value: plain("value"),
    place: plain("place"),
    action: plain("action"),
    // Where the columns have no room: what, where, in which state and what to do, one below the other.
    brief: (row) =>
      make("div", "brief",
        hv.make("span", { class: "brief-wide strong cut", title: row.label }, row.label),
        make("span", "brief-wide asides cut", ...marks(row)),
        make("span", "brief-wide cut", asset(row)),
        make("span", "num cut", row.value), age(row),
        make("span", `brief-wide cut ${row.waiting ? "" : "cell-acked"}`, state(row)),
        hv.make("span", { class: "brief-wide muted clamp", title: row.action }, row.action)),
  };
  // What of a row a cell tells; where it is the same, the cell stays as it is.
  const TELLS = {
    rank: ["priority", "waiting", "letter", "priority_label"], state_label: ["waiting", "by", "state_label"], name: ["code", "name"],
    label: ["label", "first", "after", "explains", "rings"],
  };
  TELLS.brief = [...TELLS.state_label, ...TELLS.name, ...TELLS.label, "value", "raised", "action"];
  // What the filter finds: what the eye reads, and nothing else. A time in milliseconds is not.
  const textOf = (row) => [row.priority_label, row.state_label, row.by, row.name, row.label, row.first, row.after, row.explains, row.rings, row.value, row.place, row.action].join(" ");

  const ROOM = 1090; // The least widths of all columns together [px].
  const BRIEF = { row: 134, rank: 50 }, FULL = { row: 40, rank: 124 }, HEAD = 38; // Heights and widths [px].
  let list = null;
  let narrow = false;
  const fit = () => {
    const place = document.getElementById("alarms-place");
    if (!place?.clientWidth || !list || narrow === place.clientWidth < ROOM) return;
    narrow = !narrow;
    place.classList.toggle("is-narrow", narrow);
    list.showOnly(narrow ? ["rank", "brief"] : null, { rank: (narrow ? BRIEF : FULL).rank });
  };
  hv.alarmList = () => list;
  // The page has been drawn, with the rows that were known then; what it answers is done when it goes.
  hv.listAlarms = (place, { columns, rows, texts }) => {
    queued = null;
    narrow = false;
    document.getElementById("alarms-place")?.classList.remove("is-narrow");
    let made = null;
    made = list = new hv.Table(place, {
      columns, rows, texts,
      cell: (column, row) => [CELLS[column](row)],
      told: (column, row) => JSON.stringify((TELLS[column] ?? [column]).map((name) => row[name])),
      text: textOf,
      name: (row) => `${row.label}, ${row.name}`,
      height: (row) => (row === null ? HEAD : narrow ? BRIEF.row : FULL.row),
      lines: hv.inGroups,
      head: hv.groupHead,
      changed: () => made && list === made && count(),
    });
    const sizes = new ResizeObserver(fit);
    sizes.observe(place);
    follow();
    return () => {
      sizes.disconnect();
      made.end();
      if (list === made) list = null;
    };
  };

  let inside = false;
  let keyed = -Infinity; // when a key was last used in the table
  let queued = null; // rows and removals that wait until pointer and keys have left
  // Who moves by keys rests on a line as a pointer does; after so long nobody is about to press one [ms].
  const PATIENCE = 8000;
  const engaged = () => inside || (performance.now() - keyed < PATIENCE && Boolean(document.activeElement?.closest("#alarm-grid")));
  hv.inAlarms = engaged;
  // What waits has come in, and what is gone has gone.
  const apply = (message) => {
    const drop = message.full ? [...list.rows.keys()].filter((id) => !message.rows.some((row) => row.id === id)) : message.gone;
    list.change({ put: message.rows, drop });
  };

  // Rows that were told before the list was drawn; those of a page that was left meanwhile are nobody's.
  let early = [];
  const catchUp = () => {
    const told = early.filter((message) => message.visit === hv.visit && message.page === location.pathname);
    early = list ? [] : told;
    if (list) for (const message of told) hv.takeRows(message);
  };

  hv.takeRows = (message) => {
    if (!list) return void early.push({ ...message, visit: hv.visit });
    if (!engaged() && !queued) return apply(message);
    // Nothing moves under the pointer: what is on the screen is brought up to date in place, the rest waits.
    const onScreen = new Set(list.rows.keys());
    const stays = ({ order, district, place, event, event_label }) => ({ order, district, place, event, event_label });
    const inPlace = message.rows.filter((row) => onScreen.has(row.id)).map((row) => ({ ...row, ...stays(list.rows.get(row.id)) }));
    if (inPlace.length) list.change({ put: inPlace, still: true });
    queued = queued || { rows: new Map(), gone: new Set() };
    for (const row of message.rows) queued.rows.set(row.id, row), queued.gone.delete(row.id);
    const gone = message.full ? [...onScreen].filter((id) => !message.rows.some((row) => row.id === id)) : message.gone;
    for (const id of gone) queued.gone.add(id), queued.rows.delete(id);
    bar([...queued.rows.keys()].filter((id) => !onScreen.has(id)).length);
    count();
  };
  hv.showQueued = () => {
    if (!list || !queued) return;
    const waiting = queued;
    queued = null;
    bar(0);
    apply({ full: false, rows: [...waiting.rows.values()], gone: [...waiting.gone] });
  };
  const bar = (n) => {
    const place = document.getElementById("alarms-queued");
    const text = document.getElementById("alarms-queued-text");
    if (!place || !text) return;
    text.textContent = hv.counted(text, n);
    place.classList.toggle("is-waiting", n > 0);
  };
  document.addEventListener("pointerover", (event) => {
    const now = Boolean(event.target.closest?.("#alarm-grid, #alarms-queued"));
    if (inside && !now) {
      inside = false;
      if (!engaged()) hv.showQueued();
    }
    inside = now;
  });
  document.documentElement.addEventListener("pointerleave", () => {
    inside = false;
    if (!engaged()) hv.showQueued();
  });
  document.addEventListener("keydown", (event) => event.target.closest?.("#alarm-grid") && (keyed = performance.now()), true);
  // What somebody did to the list themselves is seen at once.
  hv.letAlarmsMove = () => void (keyed = -Infinity);

  // Only what is selected and visible is acknowledged; the button says how many that are.
  hv.selectedRows = () => list?.visible().filter((row) => list.selected.has(row.id)) ?? [];
  hv.rowOf = (id) => list?.rows.get(id);
  const chosen = () => hv.selectedRows().filter((row) => row.waiting);
  let busy = false;
  const count = () => {
    const button = document.getElementById("alarms-acknowledge");
    const text = document.getElementById("alarms-selected");
    if (!button || !text) return;
    text.dataset.none ??= text.textContent;
    const n = chosen().length;
    const label = n ? hv.counted(text, n) : text.dataset.none;
    if (text.textContent !== label) text.textContent = label;
    button.disabled = busy || n === 0 || button.dataset.allowed !== "1";
    const shelve = document.getElementById("alarms-shelve");
    if (shelve) shelve.disabled = busy || !hv.selectedRows().length || shelve.dataset.allowed !== "1";
  };
  hv.acknowledgeSelected = async () => {
    const rows = chosen();
    const ids = rows.map((row) => row.id);
    if (busy || !ids.length || document.getElementById("alarms-acknowledge")?.dataset.allowed !== "1") return;
    const comment = document.getElementById("alarms-comment")?.value ?? "";
    busy = true;
    // It cannot be undone: of several the number is said, and confirmed.
    if (ids.length > 1 && !(await hv.confirmed(rows))) {
      busy = false;
      return count();
    }
    count();
    const done = await hv.acknowledge(ids, comment);
    busy = false;
    // What failed stays selected, with the comment that was meant for it; a comment never goes on to other alarms.
    list?.select(done, { on: false });
    if (done.size === ids.length && document.getElementById("alarms-comment")) window.dash_clientside.set_props("alarms-comment", { value: "" });
    count();
  };
  document.addEventListener("keydown", (event) => {
    // A single letter is a shortcut only while the focus is in the table (WCAG 2.1.4).
    const does = { a: hv.acknowledgeSelected, s: hv.shelveSelected, c: showConsequences, enter: showAsset }[event.key.toLowerCase()];
    // With Shift it is meant for the banner, not for what happens to be selected here.
    if (!does || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // A link or a box within a line has an Enter of its own.
    if (does === showAsset && event.target.closest?.("a, button, input")) return;
    if (event.target.closest?.("#alarm-grid")) {
      event.preventDefault();
      does();
    }
  });

  const focusedRow = () => list?.lines[list.places.get(list.at.id)]?.data;
  const showAsset = () => focusedRow()?.code && hv.go(hv.assetPath(focusedRow().code));
  // To the first line, for who comes by keys, as soon as it is there; false where there is no list.
  hv.nowhere = () => [document.body, document.getElementById("main")].includes(document.activeElement);
  hv.enterAlarms = (tries = 30) => {
    if (!document.getElementById("alarm-grid")) return false;
    if (list?.lines.length) {
      keyed = performance.now();
      list.go({ id: list.lines[0].id, column: narrow ? "brief" : "name" });
    }
    if (tries) setTimeout(() => hv.nowhere() && hv.enterAlarms(tries - 1), 100);
    return true;
  };
  // From the line that has the focus to what it explains.
  const showConsequences = () => {
    const row = focusedRow();
    if (row?.consequences) hv.go(hv.causeAddress(row.key === undefined ? row.id : row.cause));
  };
  // Leads to one line of the list, whatever is folded or filtered; it alone is selected then.
  hv.lookAt = (id, tries = 100) => {
    hv.showQueued();
    const row = hv.rowOf(id);
    if (row) {
      hv.unfoldFor(row);
      if (!list.places.has(id) && list.words.length) window.dash_clientside.set_props("alarms-filter", { value: "" });
    }
    if (!list?.places.has(id)) return void (tries && setTimeout(() => hv.lookAt(id, tries - 1), 100));
    list.select([id], { alone: true });
    list.go({ id, column: narrow ? "brief" : "label" }, { middle: true });
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button[data-look]");
    if (!target) return;
    if (hv.justChanged(target)) hv.say("changed", {}, true);
    else hv.lookAt(target.dataset.look);
  });

  // Selection outlives a change of language: the rows are drawn anew, their ids stay. Until the operator takes the table
  // in hand again it is put back, whenever the rows are there.
  const REDRAWN = 15000; // A page that is not drawn by then will not be [ms].
  let kept = null;
  hv.keepSelection = () => {
    const ids = [...(list?.selected ?? [])];
    kept = ids.length ? { ids, until: performance.now() + REDRAWN } : null;
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, (event) => event.target.closest?.("#alarm-grid, #alarms-acknowledge") && (kept = null), true);
  const follow = () => {
    if (kept && (location.pathname !== "/alarms" || performance.now() > kept.until)) kept = null;
    if (!list) return;
    fit();
    catchUp();
    // The filter is in force before the selection is back: never does a selection cover more than was seen.
    list.filter(hv.keptValue("alarms-filter") ?? document.getElementById("alarms-filter")?.value ?? "");
    hv.regroup(list);
    if (queued && !engaged()) hv.showQueued();
    const back = kept?.ids.filter((id) => list.rows.has(id) && !list.selected.has(id)) ?? [];
    if (back.length) list.select(back);
    count();
  };
  document.addEventListener("input", (event) => event.target.id === "alarms-filter" && follow());
  setInterval(follow, 200);
})();
