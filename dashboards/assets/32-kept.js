// A change of language draws every control anew: what the operator had chosen in it is put back.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const CONTROLS = ["alarms-filter", "alarms-group", "alarms-comment", "shelve-reason", "service-things", "service-reason", "asset-range", "map-filter", "map-domain", "trend-note-text", "trend-note-at", "trend-note-thing"];
  let kept = null;
  hv.valueOf = (node) => (node.matches("input") ? node.value : node.querySelector("input:checked")?.value);

  hv.keep = () => {
    hv.keepSelection?.();
    const found = CONTROLS.map((id) => [id, document.getElementById(id)]).filter(([, node]) => node);
    kept = { page: location.pathname, nodes: new Map(found), values: new Map(found.map(([id, node]) => [id, hv.valueOf(node)])) };
  };
  // The value that a control is about to get back; undefined when there is none.
  hv.keptValue = (id) => (kept?.page === location.pathname ? kept.values.get(id) : undefined);
  hv.restore = () => {
    if (!kept) return;
    if (kept.page !== location.pathname) return void (kept = null);
    for (const [id, value] of kept.values) {
      const node = document.getElementById(id);
      if (!node || node === kept.nodes.get(id)) continue;
      if (value === undefined || hv.valueOf(node) === value) kept.values.delete(id);
      else window.dash_clientside.set_props(id, { value });
    }
    if (!kept.values.size) kept = null;
  };
  setInterval(() => hv.restore(), 60);
})();
