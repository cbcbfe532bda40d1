// What changes is drawn here from what the server tells, and not by Dash: it asks each of its components, at each change of
// any of them, whether it is concerned, so that two hundred lines kept a browser busy for many seconds.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  // Ages are written by `10-ages.js`, and so is what becomes of them.
  const CLOCKS = ["data-since", "data-since-message", "data-clock"];
  const OLD = ["is-stale", "is-late", "is-old"];
  const given = new WeakMap(); // of each element that is drawn here
  const attribute = (node, name, value, before) => {
    const own = (each) => node.classList.contains(each) && !before?.split(" ").includes(each);
    if (name === "class") node.className = [value, ...OLD.filter(own)].join(" ");
    else if (name !== "style") node.setAttribute(name, value);
    else for (const [key, each] of Object.entries(value)) if (node.style[key] !== each) node.style[key] = each;
  };
  // Elements stay where the tree has the same: who rests on a button keeps it, and an open list stays open.
  const patch = (node, [, now, ...inner]) => {
    const before = given.get(node) ?? {};
    for (const name of Object.keys(before)) if (!(name in now)) node.removeAttribute(name);
    for (const [name, value] of Object.entries(now)) if (before[name] !== value) attribute(node, name, value, before[name]);
    given.set(node, now);
    if (!CLOCKS.some((name) => name in now)) patchInner(node, inner);
  };
  const built = (tree) => {
    // Text goes in as text, whatever it holds.
    if (typeof tree === "string") return document.createTextNode(tree);
    const node = document.createElement(tree[0]);
    patch(node, tree);
    return node;
  };
  const fits = (node, tree) => (typeof tree === "string" ? node.nodeType === Node.TEXT_NODE : given.has(node) && node.localName === tree[0]);
  const patchInner = (place, trees) => {
    let node = place.firstChild;
    for (const tree of trees) {
      if (node && fits(node, tree)) {
        if (typeof tree !== "string") patch(node, tree);
        else if (node.data !== tree) node.data = tree;
        node = node.nextSibling;
      } else place.insertBefore(built(tree), node);
    }
    while (node) {
      const next = node.nextSibling;
      node.remove();
      node = next;
    }
  };
  hv.draws = (node) => node?.dataset.drawn === "1";
  hv.draw = (place, trees) => {
    patchInner(place, trees);
    hv.ages(place);
  };
  // A link within the control room loads no page.
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("a[data-inside]");
    if (!target || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    hv.go(target.getAttribute("href"));
  });
})();
