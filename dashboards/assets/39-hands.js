// How a table is used: keys as the grid pattern of ARIA has them (one cell is reached by Tab), and the pointer.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const STEP = 16; // By which a key makes a column wider [px].
  const FAR = 6; // A pointer that moves less has clicked [px].

  const spotOf = (table, node) => {
    const cell = node.closest?.("[data-col]");
    const row = node.closest?.("[data-row]");
    if (!table.sheet.contains(node) || (!cell && !row)) return null;
    return { id: row ? row.dataset.row : null, column: cell?.dataset.col ?? table.at.column };
  };
  const isHead = (table, id) => Boolean(table.lines[table.places.get(id)]?.head);

  // Selects as everywhere else: alone, with Ctrl besides the others, with Shift from the last one on.
  const pick = (table, id, event) => {
    const toggles = event.ctrlKey || event.metaKey;
    if (event.shiftKey && table.places.has(table.anchor)) {
      const [from, to] = [table.places.get(table.anchor), table.places.get(id)].sort((a, b) => a - b);
      const ids = table.lines.slice(from, to + 1).filter((line) => !line.head).map((line) => line.id);
      return table.select(ids, { alone: !toggles });
    }
    table.anchor = id;
    table.select([id], toggles ? { on: !table.selected.has(id) } : { alone: true });
  };
  const toggle = (table, id) => {
    table.anchor = id;
    table.select([id], { on: !table.selected.has(id) });
  };

  const onKey = (table, event) => {
    const spot = spotOf(table, event.target);
    if (!spot) return;
    const { key, shiftKey } = event;
    const control = event.ctrlKey || event.metaKey;
    const shown = table.shown;
    const column = shown.findIndex((each) => each.id === spot.column);
    const place = spot.id === null ? -1 : table.places.get(spot.id);
    const last = table.lines.length - 1;
    const screen = Math.max(1, Math.floor((table.sheet.clientHeight - table.heads.offsetHeight) / table.given.height({})) - 1);
    const to = (line, other = column) => {
      const at = Math.max(-1, Math.min(line, last));
      const id = at < 0 ? null : table.lines[at].id;
      table.go({ id, column: shown[Math.max(0, Math.min(other, shown.length - 1))].id });
      // With Shift the selection goes along.
      if (shiftKey && !control && id !== null && !isHead(table, id) && other === column) {
        if (!table.places.has(table.anchor) && spot.id !== null && !isHead(table, spot.id)) table.anchor = spot.id;
        pick(table, id, { shiftKey: true });
      }
    };
    const does = () => {
      if (event.altKey) return spot.id === null && !shown[column].fixed && alter(table, shown[column], event);
      if (key === "ArrowDown") return to(control ? last : place + 1);
      if (key === "ArrowUp") return to(control ? 0 : place - 1);
      if (key === "ArrowRight") return to(place, column + 1);
      if (key === "ArrowLeft") return to(place, column - 1);
      if (key === "Home") return to(control ? 0 : place, 0);
      if (key === "End") return to(control ? last : place, shown.length - 1);
      if (key === "PageDown") return to(Math.max(place, 0) + screen);
      if (key === "PageUp") return to(Math.max(0, place - screen));
      if (key.toLowerCase() === "a" && control) return table.select(table.visible().map((row) => row.id));
      if (spot.id === null) return (key === "Enter" || key === " ") && sorts(table, spot.column) && table.sort(spot.column, shiftKey);
      if (isHead(table, spot.id)) return false;
      if (key === " " || (key === "Enter" && spot.column === "select")) return toggle(table, spot.id);
      if (key === "Enter") return table.cellAt()?.querySelector("a")?.click() ?? false;
      return false;
    };
    if (does() !== false) event.preventDefault();
  };
  const sorts = (table, id) => !table.column(id).fixed && !table.column(id).brief;
  // Alt and an arrow on the head of a column: wider, narrower; with Shift to another place.
  const alter = (table, column, { key, shiftKey }) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!way) return false;
    if (shiftKey) table.moveColumn(column, table.columns.indexOf(column) + way);
    else table.resize(column, table.heads.querySelector(`[data-col="${column.id}"]`).offsetWidth + way * STEP);
    return true;
  };

  // A head follows the pointer at its edge; elsewhere it is taken to where it is let go, or sorts.
  const onHead = (table, event) => {
    const head = event.target.closest('[role="columnheader"]');
    if (!head || event.button !== 0) return;
    const column = table.column(head.dataset.col);
    const grip = event.target.closest("[data-grip]");
    const from = { x: event.clientX, width: head.offsetWidth };
    if (column.fixed || column.brief) return;
    if (grip) event.preventDefault();
    let far = false;
    const moved = (now) => {
      far ||= Math.abs(now.clientX - from.x) > FAR;
      if (grip) table.resize(column, from.width + now.clientX - from.x);
    };
    const up = (now) => {
      document.removeEventListener("pointermove", moved);
      document.removeEventListener("pointercancel", up);
      if (grip || now.type !== "pointerup") return;
      const over = document.elementFromPoint(now.clientX, now.clientY)?.closest?.('[role="columnheader"]');
      if (!far) table.sort(column.id, now.shiftKey);
      else if (over && over !== head && table.heads.contains(over)) table.moveColumn(column, table.columns.findIndex((each) => each.id === over.dataset.col));
    };
    document.addEventListener("pointermove", moved);
    document.addEventListener("pointerup", up, { once: true });
    document.addEventListener("pointercancel", up, { once: true });
  };

  hv.handle = (table) => {
    const { sheet } = table;
    sheet.addEventListener("keydown", (event) => onKey(table, event));
    sheet.addEventListener("focusin", (event) => {
      const spot = spotOf(table, event.target);
      if (!spot) return;
      table.at = spot;
      table.mark(false);
    });
    sheet.addEventListener("pointerdown", (event) => onHead(table, event));
    sheet.addEventListener("dblclick", (event) => {
      const grip = event.target.closest("[data-grip]");
      if (grip) table.resize(table.column(grip.dataset.grip), null);
    });
    sheet.addEventListener("click", (event) => {
      const line = event.target.closest(".line");
      if (!line || event.target.closest("a, button")) return;
      if (event.target.matches("input")) {
        table.anchor = line.dataset.row;
        table.select([line.dataset.row], { on: event.target.checked });
      } else pick(table, line.dataset.row, event);
    });
  };
})();
