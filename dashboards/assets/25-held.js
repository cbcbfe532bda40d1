// Nothing that can be acknowledged changes under the pointer or the focus: what comes meanwhile waits.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const HELD = ["frame-banner", "overview-waiting", "asset-head", "alarms-flood", "alarms-chattering"];
  // What stands above the list: where it grows or shrinks, every line of the list moves.
  const ABOVE = ["alarms-flood", "alarms-chattering"];
  // What a click would act on.
  const MARKS = ["data-ack", "data-look", "data-shelve-one"];
  // A pointer that rests for so long is not about to click, and a new alarm must be seen [ms].
  const PATIENCE = 8000;
  // So soon after a change under the pointer a click is meant for what stood there before [ms].
  const SETTLE = 700;
  const waiting = new Map();
  const used = new Map();
  const changed = new Map();
  hv.acknowledged = new Set(); // by this screen: what follows them need not wait

  const engaged = (node) => node.matches(":hover") || node.contains(document.activeElement);
  const shown = (node) => [...node.querySelectorAll(MARKS.map((mark) => `[${mark}]`).join())].map((button) => MARKS.map((mark) => button.getAttribute(mark)).find(Boolean));
  const told = (props) => [...JSON.stringify(props).matchAll(/"data-(?:ack|look|shelve-one)":"(\d+)"/g)].map((found) => found[1]);
  const holds = (node, props) => {
    if (ABOVE.includes(node.id) && hv.inAlarms?.() && shown(node).join() !== told(props).join()) return true;
    const now = shown(node);
    if (!now.length || now.join() === told(props).join() || now.some((id) => hv.acknowledged.has(id))) return false;
    return engaged(node) && performance.now() - (used.get(node.id) ?? 0) < PATIENCE;
  };
  const give = (id, node, props) => (hv.draws(node) ? hv.draw(node, props.children) : window.dash_clientside.set_props(id, props));
  const set = (node, props) => {
    if (engaged(node) && shown(node).length && shown(node).join() !== told(props).join()) changed.set(node.id, performance.now());
    waiting.delete(node.id);
    node.classList.remove("is-held");
    give(node.id, node, props);
  };

  // What the server tells of one part of the screen, now or when the pointer has left it.
  hv.put = (id, props) => {
    const node = document.getElementById(id);
    if (!node || !HELD.includes(id)) return give(id, node, props);
    if (!holds(node, props)) return set(node, props);
    waiting.set(id, props);
    node.classList.add("is-held");
  };
  hv.dropHeld = () => {
    for (const id of waiting.keys()) document.getElementById(id)?.classList.remove("is-held");
    waiting.clear();
  };
  hv.justChanged = (target) => {
    const place = HELD.find((id) => target.closest(`#${id}`));
    return place !== undefined && performance.now() - (changed.get(place) ?? -SETTLE) < SETTLE;
  };

  const note = (event) => {
    const place = event.target.closest?.(HELD.map((id) => `#${id}`).join());
    if (place) used.set(place.id, performance.now());
  };
  for (const kind of ["pointermove", "pointerdown", "focusin", "keydown"]) document.addEventListener(kind, note, { passive: true });
  setInterval(() => {
    for (const [id, props] of waiting) {
      const node = document.getElementById(id);
      if (!node) waiting.delete(id);
      else if (!holds(node, props)) set(node, props);
    }
  }, 150);
})();
