// A table for some thousand lines: only those in sight are drawn. Keys and pointer stand in `39-hands.js`.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const AHEAD = 480; // Drawn above and below what is in sight [px].
  const SELECT = { id: "select", width: 40, fixed: true };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : hv.collator().compare(String(a ?? ""), String(b ?? "")));
  const collators = {};
  hv.collator = () => (collators[hv.language()] ??= new Intl.Collator(hv.language(), { numeric: true }));

  // columns: `{ id, label, width | grow and least [px] }`; cell(column, row), text(row), height(row), name(row): of a line;
  // lines(rows): what stands below each other, `{ id, data }` each, with `head` where it is the head of a group;
  // head(data): what stands in one; changed(): called when lines or the selection are others.
  hv.Table = class {
    constructor(place, { columns, rows, texts, ...given }) {
      Object.assign(this, { place, texts, given });
      this.columns = [{ ...SELECT, label: texts.all }, ...columns].map((column) => ({ ...column, usual: { ...column } }));
      this.only = null;
      this.rows = new Map(rows.map((row) => [row.id, row]));
      this.selected = new Set();
      this.anchor = null; // from where Shift selects
      this.sorting = []; // { id, down }: what the operator sorts by, before the usual order
      this.words = [];
      this.lines = [];
      this.places = new Map();
      this.drawn = new Map();
      // The cell that Tab leads to: null is the line of the heads, undefined the first line there is.
      this.at = { id: undefined, column: columns[0].id };
      this.texted = new WeakMap();
      this.heads = hv.make("div", { class: "grid-heads", role: "row", "aria-rowindex": 1 });
      this.body = hv.make("div", { class: "grid-body", role: "rowgroup" });
      this.sheet = hv.make("div", { class: "grid-sheet", role: "grid", "aria-label": texts.label, "aria-multiselectable": "true" }, this.heads, this.body);
      this.none = hv.make("p", { class: "grid-none empty", hidden: true }, texts.none);
      place.replaceChildren(this.sheet, this.none);
      this.sheet.addEventListener("scroll", () => this.draw(), { passive: true });
      this.sizes = new ResizeObserver(() => this.draw());
      this.sizes.observe(this.sheet);
      hv.handle(this);
      this.drawHeads();
      this.arrange();
    }

    end() {
      this.ended = true;
      this.sizes.disconnect();
      this.place.replaceChildren();
    }

    get shown() {
      return this.columns.filter((column) => (this.only ? this.only.includes(column.id) || column.fixed : !column.brief));
    }
    column(id) {
      return this.columns.find((column) => column.id === id);
    }

    // Narrow places have other columns, and higher lines.
    showOnly(ids, widths = {}) {
      const had = this.sheet.contains(document.activeElement);
      this.only = ids;
      for (const [id, width] of Object.entries(widths)) Object.assign(this.column(id), { width });
      if (!this.shown.some((column) => column.id === this.at.column)) this.at.column = this.shown.at(-1).id;
      for (const { node } of this.drawn.values()) node.remove();
      this.drawn.clear();
      this.drawHeads();
      this.arrange();
      this.mark(had);
    }
    resize(column, width) {
      Object.assign(column, width === null ? { width: column.usual.width, grow: column.usual.grow } : { width: Math.max(Math.round(width), 44), grow: 0 });
      this.widths();
    }
    moveColumn(column, to) {
      const others = this.columns.filter((each) => each !== column);
      others.splice(Math.max(1, Math.min(to, others.length)), 0, column);
      this.columns = others;
      this.showOnly(this.only);
    }
    widths() {
      const shown = this.shown;
      const least = shown.reduce((sum, column) => sum + (column.width || column.least || 44), 0);
      this.sheet.style.setProperty("--columns", shown.map((column) => (column.grow ? `minmax(${column.least ?? 44}px, ${column.grow}fr)` : `${column.width}px`)).join(" "));
      this.sheet.style.setProperty("--least", `${least}px`);
    }
    drawHeads() {
      const had = this.heads.contains(document.activeElement);
      this.widths();
      this.sheet.setAttribute("aria-colcount", this.shown.length);
      this.heads.replaceChildren(
        ...this.shown.map((column, i) => {
          const by = this.sorting.find((each) => each.id === column.id);
          const sorted = column.fixed || column.brief ? undefined : by ? (by.down ? "descending" : "ascending") : "none";
          const label = hv.make("span", { class: column.fixed ? "vh" : "grid-label" }, column.label);
          const mark = by ? hv.make("span", { "aria-hidden": "true" }, by.down ? "▾" : "▴") : null;
          const grip = column.fixed || column.brief ? null : hv.make("span", { class: "grid-grip", "data-grip": column.id });
          return hv.make("div", { role: "columnheader", "data-col": column.id, "aria-colindex": i + 1, "aria-sort": sorted, tabindex: -1, class: sorted ? "grid-sorts" : "" }, label, mark, grip);
        })
      );
      this.mark(had);
    }

    // Rows come, change and go. `still`: whatever changes, each line stays where it is.
    change({ put = [], drop = [], still = false }) {
      for (const id of drop) this.rows.delete(id), this.selected.delete(id);
      for (const row of put) this.rows.set(row.id, row);
      if (!still) return this.arrange();
      const heads = new Map(this.given.lines(this.found()).map((line) => [line.id, line]));
      for (const line of this.lines) line.data = line.head ? (heads.get(line.id)?.data ?? line.data) : (this.rows.get(line.id) ?? line.data);
      this.draw();
      this.given.changed();
    }
    filter(text) {
      const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      if (words.join(" ") === this.words.join(" ")) return;
      this.words = words;
      this.arrange();
    }
    sort(id, add = false) {
      const by = this.sorting.find((each) => each.id === id);
      const next = by ? (by.down ? [] : [{ id, down: true }]) : [{ id, down: false }];
      this.sorting = add ? [...this.sorting.filter((each) => each.id !== id), ...next] : next;
      this.drawHeads();
      this.arrange();
    }
    textOf(row) {
      if (!this.texted.has(row)) this.texted.set(row, this.given.text(row).toLocaleLowerCase());
      return this.texted.get(row);
    }
    // The rows that the filter finds, in their order.
    found() {
      const rows = [...this.rows.values()].filter((row) => this.words.every((word) => this.textOf(row).includes(word)));
      const by = this.sorting;
      return rows.sort((a, b) => {
        for (const { id, down } of by) {
          const order = compare(a[id], b[id]);
          if (order) return down ? -order : order;
        }
        return a.order - b.order;
      });
    }
    arrange() {
      if (this.ended) return;
      let top = 0;
      const was = this.places.get(this.at.id);
      this.lines = this.given.lines(this.found()).map((line) => {
        const height = this.given.height(line.head ? null : line.data);
        const placed = { ...line, top, height };
        top += height;
        return placed;
      });
      this.places = new Map(this.lines.map((line, i) => [line.id, i]));
      // A line that is gone leaves its place to the next one.
      if (was !== undefined && !this.places.has(this.at.id)) this.at.id = this.lines[Math.min(was, this.lines.length - 1)]?.id ?? null;
      this.body.style.height = `${top}px`;
      this.sheet.setAttribute("aria-rowcount", this.lines.length + 1);
      this.none.hidden = this.lines.length > 0;
      this.draw();
      this.given.changed();
    }
    // What is on the screen or would be by scrolling, without the heads of groups.
    visible() {
      return this.lines.filter((line) => !line.head).map((line) => line.data);
    }

    select(ids, { alone = false, on = true } = {}) {
      if (alone) this.selected.clear();
      for (const id of ids) on ? this.selected.add(id) : this.selected.delete(id);
      for (const [id, drawn] of this.drawn) this.markSelected(id, drawn);
      this.given.changed();
    }
    markSelected(id, { node, head, box }) {
      if (head) return;
      const on = this.selected.has(id);
      node.classList.toggle("line-selected", on);
      node.setAttribute("aria-selected", String(on));
      box.checked = on;
    }

    draw() {
      if (this.ended) return;
      const had = this.body.contains(document.activeElement);
      const above = this.sheet.scrollTop - AHEAD;
      const below = this.sheet.scrollTop + this.sheet.clientHeight + AHEAD;
      const wanted = [];
      let first = 0;
      for (let last = this.lines.length; first < last; ) {
        const middle = (first + last) >> 1;
        if (this.lines[middle].top + this.lines[middle].height < above) first = middle + 1;
        else last = middle;
      }
      for (let i = first; i < this.lines.length && this.lines[i].top < below; i += 1) wanted.push(i);
      // The line that has the focus is there wherever it is.
      const focused = this.places.get(this.at.id);
      if (focused !== undefined && !wanted.includes(focused)) wanted.push(focused), wanted.sort((a, b) => a - b);
      const ids = new Set(wanted.map((i) => this.lines[i].id));
      for (const [id, { node }] of this.drawn) if (!ids.has(id)) node.remove(), this.drawn.delete(id);
      let next = this.body.firstChild;
      for (const i of wanted) {
        const { node } = this.put(i);
        if (node === next) next = next.nextSibling;
        else this.body.insertBefore(node, next);
      }
      this.mark(had);
    }
    put(i) {
      const line = this.lines[i];
      let drawn = this.drawn.get(line.id);
      if (!drawn) this.drawn.set(line.id, (drawn = line.head ? this.emptyHead(line) : this.emptyLine(line)));
      const { node } = drawn;
      if (drawn.top !== line.top) node.style.top = `${(drawn.top = line.top)}px`;
      if (drawn.place !== i) node.setAttribute("aria-rowindex", (drawn.place = i) + 2);
      if (drawn.data === line.data) return drawn;
      drawn.data = line.data;
      if (line.head) {
        const told = JSON.stringify(line.data);
        if (drawn.told !== told) node.replaceChildren(...this.given.head(line.data));
        drawn.told = told;
        return drawn;
      }
      for (const [column, cell] of drawn.cells) {
        // A cell stays as it is unless what it tells is different: a link is not taken from under a click.
        const told = this.given.told(column, line.data);
        if (cell.told !== told) cell.node.replaceChildren(...this.given.cell(column, line.data));
        cell.told = told;
      }
      drawn.box.setAttribute("aria-label", this.texts.select.replace("{name}", () => this.given.name(line.data)));
      return drawn;
    }
    emptyHead(line) {
      const node = hv.make("div", { class: "line-group", role: "row", "data-row": line.id, tabindex: -1, style: `height: ${line.height}px` });
      return { node, head: true };
    }
    emptyLine(line) {
      const cells = new Map(this.shown.filter((column) => !column.fixed).map((column) => [column.id, { node: hv.make("div", { role: "gridcell", "data-col": column.id, tabindex: -1 }) }]));
      const box = hv.make("input", { type: "checkbox", tabindex: -1 });
      const select = hv.make("div", { role: "gridcell", "data-col": "select", tabindex: -1 }, box);
      const node = hv.make("div", { class: "line", role: "row", "data-row": line.id, style: `height: ${line.height}px` }, select, ...[...cells.values()].map((cell) => cell.node));
      const drawn = { node, box, cells };
      this.markSelected(line.id, drawn);
      return drawn;
    }

    // The element of the cell at which keys are, or at which they would begin.
    cellAt() {
      const { id = this.lines[0]?.id ?? null, column } = this.at;
      const row = id === null ? this.heads : this.drawn.get(id)?.node;
      return row?.matches(".line-group") ? row : row?.querySelector(`[data-col="${column}"]`);
    }
    // One cell at a time is reached by Tab. `had`: it had the focus, which drawing may have taken from it.
    mark(had) {
      const cell = this.cellAt();
      for (const node of this.sheet.querySelectorAll('[tabindex="0"]')) if (node !== cell) node.tabIndex = -1;
      if (cell && cell.tabIndex !== 0) cell.tabIndex = 0;
      if (had && cell && !cell.contains(document.activeElement)) cell.focus({ preventScroll: true });
    }
    go(at, { middle = false } = {}) {
      this.at = at;
      const line = this.lines[this.places.get(at.id)];
      if (line) {
        const high = this.sheet.clientHeight - this.heads.offsetHeight;
        const top = this.sheet.scrollTop;
        if (middle) this.sheet.scrollTop = line.top - (high - line.height) / 2;
        else if (line.top < top) this.sheet.scrollTop = line.top;
        else if (line.top + line.height > top + high) this.sheet.scrollTop = line.top + line.height - high;
      }
      this.draw();
      this.cellAt()?.focus({ preventScroll: true });
    }
  };
})();
