// The alarm list by district, place or cause: heads with counts that fold; the address keeps what is folded.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const byId = (id) => document.getElementById(id);
  const FOLDED = "alarms-fold"; // In the address, once for each head that is folded: `cause:12`.
  const KEYS = { district: (row) => row.district, place: (row) => row.place, cause: (row) => row.event };
  const texts = () => JSON.parse(byId("alarms-groups")?.dataset.texts ?? "{}");
  const counted = (key, n, values = {}) => {
    const t = texts();
    const one = new Intl.PluralRules(hv.language()).select(n) === "one";
    return hv.filled(one ? t[`${key}_one`] : t[key], { n: hv.number(n), ...values });
  };

  // What stands in the head of a group.
  hv.groupHead = (head) => {
    const t = texts();
    const count = counted("count", head.n, { waiting: hv.number(head.waiting) });
    const fold = hv.make("button", { type: "button", class: "btn btn-small group-fold", "data-fold": head.key, tabindex: -1, "aria-expanded": String(!head.folded), title: head.folded ? t.unfold : t.fold },
      hv.make("span", { "aria-hidden": "true", class: "group-mark" }, head.folded ? "▸" : "▾"),
      hv.symbolOf(head),
      hv.make("span", { class: "strong" }, head.label),
      hv.make("span", { class: "num muted" }, count));
    const leads = head.consequences ? hv.linkTo(hv.causeAddress(head.cause), { class: "underlined" }, counted("explains", head.consequences)) : null;
    return [hv.make("div", { class: "group-head", role: "gridcell", "aria-colspan": document.querySelector("#alarm-grid [role=grid]")?.getAttribute("aria-colcount") }, fold, leads)];
  };
  hv.causeAddress = (id) => `/alarms/hidden${id ? `?cause=${id}` : ""}`;

  const mode = () => {
    const chosen = byId("alarms-group") && hv.valueOf(byId("alarms-group"));
    return KEYS[chosen] ? chosen : "none";
  };
  const folded = () => new Set(new URLSearchParams(location.search).getAll(FOLDED).filter((each) => each.startsWith(`${mode()}:`)).map((each) => each.slice(mode().length + 1)));
  // Read once a round, not once a line.
  let shut = new Set();

  const headOf = (key, rows) => {
    const t = texts();
    const none = { district: t.no_district, place: t.no_place, cause: t.no_event }[mode()];
    const urgent = (a, b) => Number(b.waiting) - Number(a.waiting) || a.rank - b.rank;
    const worst = rows.reduce((one, other) => (urgent(other, one) < 0 ? other : one));
    return {
      key, label: (mode() === "cause" && key ? rows[0].event_label : key) || none, cause: mode() === "cause" ? key : "",
      n: rows.length, waiting: rows.filter((row) => row.waiting).length, consequences: rows.reduce((sum, row) => sum + row.consequences, 0),
      priority: worst.priority, letter: worst.letter, folded: shut.has(key),
    };
  };
  // Lines as they stand below each other: those of a group together below its head, where its first line stood.
  hv.inGroups = (rows) => {
    const of = KEYS[mode()];
    if (!of) return rows.map((row) => ({ id: row.id, data: row }));
    const groups = new Map();
    for (const row of rows) {
      const key = of(row) ?? "";
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    return [...groups].flatMap(([key, own]) => [
      { id: `head ${key}`, head: true, data: headOf(key, own) },
      ...(shut.has(key) ? [] : own.map((row) => ({ id: row.id, data: row }))),
    ]);
  };
  let known = "";
  let grouped = null;
  // What is chosen and folded may have changed.
  hv.regroup = (list) => {
    shut = folded();
    const now = JSON.stringify([mode(), ...shut]);
    if (now !== known || list !== grouped) {
      known = now;
      grouped = list;
      list.arrange();
    }
    byId("alarms-groups")?.classList.toggle("is-grouped", mode() !== "none");
  };

  const refold = (change) => {
    const asked = folded();
    change(asked);
    hv.readdress((address) => {
      const others = address.getAll(FOLDED).filter((each) => !each.startsWith(`${mode()}:`));
      address.delete(FOLDED);
      for (const each of [...others, ...[...asked].map((key) => `${mode()}:${key}`)]) address.append(FOLDED, each);
    });
    if (hv.alarmList()) hv.regroup(hv.alarmList());
  };
  const turn = (key, shutIt) => refold((asked) => ((shutIt ?? !asked.has(key)) ? asked.add(key) : asked.delete(key)));
  hv.unfoldFor = (row) => {
    const key = KEYS[mode()]?.(row) ?? "";
    if (mode() !== "none" && folded().has(key)) turn(key, false);
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (target?.dataset.fold !== undefined) turn(target.dataset.fold);
    else if (target?.dataset.foldAll) {
      const keys = hv.alarmList()?.lines.filter((line) => line.head).map((line) => line.data.key) ?? [];
      refold((asked) => (target.dataset.foldAll === "1" ? keys.forEach((key) => asked.add(key)) : asked.clear()));
    }
  });
  // A head that has the focus itself, as the arrow keys bring it there.
  document.addEventListener("keydown", (event) => {
    const line = event.target.closest?.("#alarm-grid .line-group");
    const shutIt = { Enter: null, " ": null, ArrowLeft: true, ArrowRight: false }[event.key];
    if (!line || shutIt === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const list = hv.alarmList();
    const head = list?.lines[list.places.get(line.dataset.row)]?.data;
    if (!head || event.target.closest("a")) return;
    event.preventDefault();
    event.stopPropagation();
    turn(head.key, shutIt ?? undefined);
  }, true);
})();
