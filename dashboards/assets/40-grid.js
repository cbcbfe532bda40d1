// The alarm list: cells, rows that arrive while the pointer is in the table, keys.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const cells = ((window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {}));
  const make = (...rest) => window.React.createElement(...rest);
  const symbol = (row) =>
    make("span", { className: `sym sym-${row.priority}${row.waiting ? " sym-waiting" : ""}`, "aria-hidden": true }, make("span", { className: "sym-letter" }, row.letter));
  cells.HvPriority = ({ data }) => make("span", { className: "cell-priority" }, symbol(data), make("span", { className: "priority-word" }, data.priority_label));
  const state = (row) => (row.waiting || !row.by ? row.state_label : `${row.state_label} · ${row.by}`);
  cells.HvState = ({ data }) => make("span", { className: data.waiting ? "clamp strong" : "clamp cell-acked", title: state(data) }, state(data));
  cells.HvAge = ({ data }) => make("span", { className: "age num", "data-since": String(data.raised) });
  // What the alarm is, and what hangs on it: which came first, its consequences one click away, how often it rings.
  const marks = (row) => [
    row.first || row.after ? make("span", { key: "first", className: row.first ? "aside aside-first" : "aside" }, row.first || row.after) : null,
    row.explains ? make("a", { key: "explains", className: "aside underlined", href: hv.causeAddress(row.id), onClick: hv.within }, row.explains) : null,
    row.rings ? make("span", { key: "rings", className: "aside" }, row.rings) : null,
  ];
  cells.HvLabel = ({ data }) =>
    make("span", { className: "cell-label", title: [data.label, data.first || data.after, data.explains, data.rings].filter(Boolean).join(" · ") },
      make("span", { className: "strong cut" }, data.label), make("span", { className: "asides" }, ...marks(data)));
  cells.HvText = ({ value }) => make("span", { className: "clamp", title: value }, value);
  cells.HvAsset = ({ data }) => (data.code ? make("a", { className: "cell-asset clamp", title: data.name, href: hv.assetPath(data.code) }, data.name) : make("span", { className: "cell-asset clamp" }, data.name));

  // Where the columns have no room: what, where, in which state and what to do, one below the other.
  cells.HvBrief = (cell) =>
    make("div", { className: "brief" },
      make("span", { className: "brief-wide strong cut", title: cell.data.label }, cell.data.label),
      make("span", { className: "brief-wide asides cut" }, ...marks(cell.data)),
      make("span", { className: "brief-wide cut" }, cells.HvAsset(cell)),
      make("span", { className: "num cut" }, cell.data.value), cells.HvAge(cell),
      make("span", { className: `brief-wide cut ${cell.data.waiting ? "" : "cell-acked"}` }, state(cell.data)),
      make("span", { className: "brief-wide muted clamp", title: cell.data.action }, cell.data.action));
  const ROOM = 1090; // The least widths of all columns together [px].
  const BRIEF = { row: 134, rank: 50 }, FULL = { row: 40, rank: 124 }; // Heights and widths [px].
  const fit = (grid) => {
    const place = document.getElementById("alarms-place");
    if (!place?.clientWidth || !grid.getColumn("brief")) return;
    const narrow = place.clientWidth < ROOM;
    if (narrow === grid.getColumn("brief").isVisible()) return;
    place.classList.toggle("is-narrow", narrow);
    const others = ["state_label", "raised", "name", "label", "value", "place", "action"];
    const size = narrow ? BRIEF : FULL;
    grid.applyColumnState({ state: [{ colId: "rank", width: size.rank }, { colId: "brief", hide: !narrow }, ...others.map((colId) => ({ colId, hide: narrow }))] });
    grid.setGridOption("rowHeight", size.row);
    grid.resetRowHeights();
  };

  // The filter finds what is on the screen: without this "12" would also find a time whose milliseconds hold a 12.
  const searched = { label: (row) => [row.label, row.first, row.after, row.explains, row.rings].join(" "), rank: (row) => row.priority_label, state_label: (row) => `${row.state_label} ${row.by}`, raised: () => "", order: () => "", brief: () => "" };
  (window.dashAgGridFunctions = window.dashAgGridFunctions || {}).HvSearched = ({ colDef, data }) => (data.head ? heard(colDef.field) : searched[colDef.field](data));
  // A head has no text of its own: as long as it stands, it has what is asked for.
  const heard = (field) => (field === "label" ? (api()?.getGridOption("quickFilterText") ?? "") : "");

  let inside = false;
  let keyed = -Infinity; // when a key was last used in the table
  let queued = null; // rows and removals that wait until pointer and keys have left
  // Who moves by keys rests on a line as a pointer does; after so long nobody is about to press one [ms].
  const PATIENCE = 8000;
  const engaged = () => inside || (performance.now() - keyed < PATIENCE && Boolean(document.activeElement?.closest("#alarm-grid")));
  hv.inAlarms = engaged;
  const api = () => {
    if (!document.getElementById("alarm-grid")) return null;
    try {
      const found = window.dash_ag_grid?.getApi("alarm-grid");
      // The one before is found until the new one is ready.
      return found && !found.isDestroyed() ? found : null;
    } catch {
      return null; // the grid is being built
    }
  };

  hv.alarmGrid = () => api();
  // The focus stays on its alarm, wherever that goes.
  const focused = (grid) => {
    const cell = document.activeElement?.closest("#alarm-grid") ? grid.getFocusedCell() : null;
    return cell && { id: grid.getDisplayedRowAtIndex(cell.rowIndex)?.data.id, column: cell.column };
  };
  const refocus = (grid, before) => {
    const node = before?.id === undefined ? null : grid.getRowNode(before.id);
    if (node && node.rowIndex !== null) grid.setFocusedCell(node.rowIndex, before.column);
  };
  const apply = (grid, message) => {
    const before = focused(grid);
    const known = new Map();
    grid.forEachNode((node) => node.data.head || known.set(node.data.id, node.data));
    const remove = message.full
      ? [...known.keys()].filter((id) => !message.rows.some((row) => row.id === id)).map((id) => ({ id }))
      : message.gone.filter((id) => known.has(id)).map((id) => ({ id }));
    const add = message.rows.filter((row) => !known.has(row.id));
    const update = message.rows.filter((row) => known.has(row.id));
    if (add.length || update.length || remove.length) grid.applyTransaction({ add, update, remove });
    hv.headLines(grid);
    refocus(grid, before);
    count();
  };

  // Rows that were told before the grid was built; those of a page that was left meanwhile are nobody's.
  let early = [];
  const catchUp = () => {
    const told = early.filter((message) => message.visit === hv.visit && message.page === location.pathname);
    early = api() ? [] : told;
    if (api()) for (const message of told) hv.takeRows(message);
  };

  hv.takeRows = (message) => {
    const grid = api();
    if (!grid) return void early.push({ ...message, visit: hv.visit });
    if (!engaged() && !queued) return apply(grid, message);
    // Nothing moves under the pointer: what is on the screen is brought up to date in place, the rest waits.
    const onScreen = new Set();
    grid.forEachNode((node) => node.data.head || onScreen.add(node.data.id));
    const stays = ({ order, district, place, event, event_label }) => ({ order, district, place, event, event_label });
    const inPlace = message.rows.filter((row) => onScreen.has(row.id)).map((row) => ({ ...row, ...stays(grid.getRowNode(row.id).data) }));
    if (inPlace.length) grid.applyTransaction({ update: inPlace });
    queued = queued || { rows: new Map(), gone: new Set() };
    for (const row of message.rows) queued.rows.set(row.id, row), queued.gone.delete(row.id);
    const gone = message.full ? [...onScreen].filter((id) => !message.rows.some((row) => row.id === id)) : message.gone;
    for (const id of gone) queued.gone.add(id), queued.rows.delete(id);
    bar([...queued.rows.keys()].filter((id) => !onScreen.has(id)).length);
    count();
  };
  hv.showQueued = () => {
    const grid = api();
    if (!grid || !queued) return;
    const waiting = queued;
    queued = null;
    bar(0);
    apply(grid, { full: false, rows: [...waiting.rows.values()], gone: [...waiting.gone] });
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
  hv.selectedRows = () => {
    const found = [];
    api()?.forEachNodeAfterFilter((node) => node.isSelected() && !node.data.head && found.push(node.data));
    return found;
  };
  hv.rowOf = (id) => api()?.getRowNode(id)?.data;
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
    for (const id of done) api()?.getRowNode(id)?.setSelected(false);
    if (done.size === ids.length && document.getElementById("alarms-comment")) window.dash_clientside.set_props("alarms-comment", { value: "" });
    count();
  };
  document.addEventListener("keydown", (event) => {
    // A single letter is a shortcut only while the focus is in the table (WCAG 2.1.4).
    const does = { a: hv.acknowledgeSelected, s: hv.shelveSelected, c: showConsequences }[event.key.toLowerCase()];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("#alarm-grid")) {
      event.preventDefault();
      does();
    }
  });

  // From the line that has the focus to what it explains.
  const showConsequences = () => {
    const cell = api()?.getFocusedCell();
    const row = cell && api().getDisplayedRowAtIndex(cell.rowIndex)?.data;
    if (row?.consequences) hv.go(hv.causeAddress(row.head ? row.cause : row.id));
  };
  // Leads to one line of the list, whatever is folded or filtered; it alone is selected then.
  hv.lookAt = (id, tries = 20) => {
    const grid = api();
    hv.showQueued();
    const node = grid?.getRowNode(id);
    if (node) {
      hv.unfoldFor(node.data);
      if (!node.displayed && grid.getGridOption("quickFilterText")) window.dash_clientside.set_props("alarms-filter", { value: "" });
    }
    if (!node?.displayed) return void (tries && setTimeout(() => hv.lookAt(id, tries - 1), 100));
    grid.deselectAll();
    node.setSelected(true);
    grid.ensureNodeVisible(node, "middle");
    grid.setFocusedCell(node.rowIndex, grid.getColumn("brief").isVisible() ? "brief" : "label");
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
    const ids = api()?.getSelectedNodes().map((node) => node.data.id) ?? [];
    kept = ids.length ? { ids, until: performance.now() + REDRAWN } : null;
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, (event) => event.target.closest?.("#alarm-grid, #alarms-acknowledge") && (kept = null), true);
  let seen = null;
  setInterval(() => {
    const grid = api();
    if (kept && (location.pathname !== "/alarms" || performance.now() > kept.until)) kept = null;
    if (!grid) {
      seen = null;
      return;
    }
    if (grid !== seen) {
      queued = null;
      hv.groupGrid(grid);
    }
    seen = grid;
    fit(grid);
    catchUp();
    // The filter is in force before the selection is back: never does a selection cover more than was seen.
    const filter = hv.keptValue("alarms-filter") ?? document.getElementById("alarms-filter")?.value ?? "";
    if (grid.getGridOption("quickFilterText") !== filter) grid.setGridOption("quickFilterText", filter);
    hv.headLines(grid);
    if (queued && !engaged()) hv.showQueued();
    for (const id of kept?.ids ?? []) {
      const node = grid.getRowNode(id);
      if (node && !node.isSelected()) node.setSelected(true);
    }
    count();
  }, 200);
})();
