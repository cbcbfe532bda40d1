// The alarm list by district, place or cause: heads with counts that fold; the address keeps what is folded.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const byId = (id) => document.getElementById(id);
  const FOLDED = "alarms-fold"; // In the address, once for each head that is folded: `cause:12`.
  const KEYS = { district: (row) => row.district, place: (row) => row.place, cause: (row) => row.event };
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...rest) => window.React.createElement(...rest);
  const texts = () => JSON.parse(byId("alarms-groups")?.dataset.texts ?? "{}");
  const counted = (key, n, values = {}) => {
    const t = texts();
    const one = new Intl.PluralRules(hv.language()).select(n) === "one";
    return hv.filled(one ? t[`${key}_one`] : t[key], { n: hv.number(n), ...values });
  };

  (window.dashAgGridFunctions = window.dashAgGridFunctions || {}).HvIsHead = (params) => Boolean(params.rowNode.data?.head);
  cells.HvGroup = ({ data }) => {
    const t = texts();
    return make("div", { className: "group-head", role: "gridcell" },
      make("button", { type: "button", className: "btn btn-small group-fold", "data-fold": data.key, "aria-expanded": !data.folded, title: data.folded ? t.unfold : t.fold },
        make("span", { "aria-hidden": true, className: "group-mark" }, data.folded ? "▸" : "▾"),
        make("span", { className: `sym sym-${data.priority}${data.waiting ? " sym-waiting" : ""}`, "aria-hidden": true }, make("span", { className: "sym-letter" }, data.letter)),
        make("span", { className: "strong" }, data.label),
        make("span", { className: "num muted" }, counted("count", data.n, { waiting: hv.number(data.waiting) }))),
      data.consequences ? make("a", { className: "underlined", href: hv.causeAddress(data.cause), onClick: hv.within }, counted("explains", data.consequences)) : null);
  };
  hv.causeAddress = (id) => `/alarms/hidden${id ? `?cause=${id}` : ""}`;
  // A link inside the application that is drawn here, not by Dash: no page load.
  hv.within = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    hv.go(event.currentTarget.getAttribute("href"));
  };

  const mode = () => {
    const chosen = byId("alarms-group") && hv.valueOf(byId("alarms-group"));
    return KEYS[chosen] ? chosen : "none";
  };
  const keyOf = (row) => (mode() === "none" ? null : (KEYS[mode()](row) ?? ""));
  const folded = () => new Set(new URLSearchParams(location.search).getAll(FOLDED).filter((each) => each.startsWith(`${mode()}:`)).map((each) => each.slice(mode().length + 1)));
  // Read once a round, not once a line.
  let shut = new Set();

  // What the filter field would find; a head is there as long as one of its lines is.
  const textOf = (row) => [row.priority_label, row.state_label, row.by, row.name, row.label, row.first, row.after, row.explains, row.rings, row.value, row.place, row.action].join(" ").toLocaleLowerCase();
  const headsOf = (grid) => {
    const heads = new Map();
    if (mode() === "none") return heads;
    const words = (grid.getGridOption("quickFilterText") ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const t = texts();
    const none = { district: t.no_district, place: t.no_place, cause: t.no_event }[mode()];
    grid.forEachNode(({ data: row }) => {
      if (row.head || !words.every((word) => textOf(row).includes(word))) return;
      const key = keyOf(row);
      const head = heads.get(key) ?? { id: `head ${key}`, head: true, key, label: (mode() === "cause" && key ? row.event_label : key) || none, n: 0, waiting: 0, consequences: 0, cause: mode() === "cause" ? key : "", worst: [2, 9], folded: shut.has(key), order: row.order };
      head.n += 1;
      head.order = Math.min(head.order, row.order);
      head.waiting += row.waiting ? 1 : 0;
      head.consequences += row.consequences;
      const rank = [row.waiting ? 0 : 1, row.rank];
      if (rank[0] < head.worst[0] || (rank[0] === head.worst[0] && rank[1] < head.worst[1])) Object.assign(head, { worst: rank, priority: row.priority, letter: row.letter });
      heads.set(key, head);
    });
    return new Map([...heads.values()].map((head) => [head.id, head]));
  };
  let known = { grid: null, mode: "none" };
  // Makes the heads what the lines say; called whenever lines, choice, filter or language may have changed.
  hv.headLines = (grid) => {
    const now = folded();
    const turned = [...now].join("\n") !== [...shut].join("\n");
    shut = now;
    const wanted = headsOf(grid);
    const there = new Map();
    grid.forEachNode(({ data: row }) => row.head && there.set(row.id, row));
    const add = [...wanted.values()].filter((head) => !there.has(head.id));
    const update = [...wanted.values()].filter((head) => there.has(head.id) && JSON.stringify(head) !== JSON.stringify(there.get(head.id)));
    const remove = [...there.values()].filter((head) => !wanted.has(head.id)).map(({ id }) => ({ id }));
    if (add.length || update.length || remove.length) grid.applyTransaction({ add, update, remove });
    const other = known.grid !== grid || known.mode !== mode();
    known = { grid, mode: mode() };
    if (other || turned) grid.onFilterChanged();
    if (other) grid.refreshClientSideRowModel("sort");
    byId("alarms-groups")?.classList.toggle("is-grouped", mode() !== "none");
  };
  hv.groupGrid = (grid) => {
    grid.setGridOption("isExternalFilterPresent", () => mode() !== "none");
    grid.setGridOption("doesExternalFilterPass", ({ data }) => data.head || !shut.has(keyOf(data)));
    // Whatever the list is sorted by, the lines of a group stand together below their head, where its first line stood.
    grid.setGridOption("postSortRows", ({ nodes }) => {
      if (mode() === "none") return;
      const heads = new Map();
      const groups = new Map();
      for (const node of nodes) {
        if (node.data.head) heads.set(node.data.key, node);
        else (groups.get(keyOf(node.data)) ?? groups.set(keyOf(node.data), []).get(keyOf(node.data))).push(node);
      }
      // A folded group keeps its place: that of the worst line it had when it was put together.
      const place = (key) => heads.get(key)?.data.order ?? 0;
      const keys = [...new Set([...groups.keys(), ...heads.keys()])];
      if (heads.size > groups.size) keys.sort((a, b) => place(a) - place(b));
      nodes.splice(0, nodes.length, ...keys.flatMap((key) => [...(heads.has(key) ? [heads.get(key)] : []), ...(groups.get(key) ?? [])]));
    });
    grid.setGridOption("getRowHeight", ({ data }) => (data.head ? 38 : undefined));
  };

  const refold = (change) => {
    const asked = folded();
    change(asked);
    hv.readdress((address) => {
      const others = address.getAll(FOLDED).filter((each) => !each.startsWith(`${mode()}:`));
      address.delete(FOLDED);
      for (const each of [...others, ...[...asked].map((key) => `${mode()}:${key}`)]) address.append(FOLDED, each);
    });
    const grid = hv.alarmGrid();
    if (grid) hv.headLines(grid);
  };
  const turn = (key, shutIt) => refold((asked) => ((shutIt ?? !asked.has(key)) ? asked.add(key) : asked.delete(key)));
  hv.unfoldFor = (row) => mode() !== "none" && folded().has(keyOf(row)) && turn(keyOf(row), false);
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (target?.dataset.fold !== undefined) turn(target.dataset.fold);
    else if (target?.dataset.foldAll) {
      const keys = [];
      hv.alarmGrid()?.forEachNode(({ data }) => data.head && keys.push(data.key));
      refold((asked) => (target.dataset.foldAll === "1" ? keys.forEach((key) => asked.add(key)) : asked.clear()));
    }
  });
  // A head that has the focus itself, as the arrow keys bring it there.
  document.addEventListener("keydown", (event) => {
    const line = event.target.matches?.(".ag-full-width-row") ? event.target : null;
    const shutIt = { Enter: null, " ": null, ArrowLeft: true, ArrowRight: false }[event.key];
    if (!line || shutIt === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const head = hv.rowOf(line.getAttribute("row-id"));
    if (!head?.head) return;
    event.preventDefault();
    event.stopPropagation();
    turn(head.key, shutIt ?? undefined);
  }, true);
})();
