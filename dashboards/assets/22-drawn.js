// Long lists that change are drawn here from what the server tells, and not by Dash: it asks each of its components, at each
// change of any of them, whether it is concerned, so that two hundred lines kept a browser busy for many seconds.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const NAMES = { className: "class", htmlFor: "for", tabIndex: "tabindex", colSpan: "colspan", rowSpan: "rowspan" };
  const attribute = (node, name, value) => {
    if (value === null || value === undefined || value === false) return;
    if (name === "style") for (const [key, each] of Object.entries(value)) node.style[key] = each;
    else node.setAttribute(NAMES[name] ?? name, value === true ? (name.startsWith("aria-") ? "true" : "") : String(value));
  };
  // A tree of elements as Dash writes it; text goes in as text, whatever it holds.
  const built = (tree) => {
    if (tree === null || tree === undefined) return [];
    if (Array.isArray(tree)) return tree.flatMap(built);
    if (typeof tree !== "object") return [document.createTextNode(String(tree))];
    const link = tree.namespace === "dash_core_components";
    const node = document.createElement(link ? "a" : tree.type.toLowerCase());
    for (const [name, value] of Object.entries(tree.props)) if (name !== "children") attribute(node, name, value);
    if (link) node.dataset.inside = "1";
    node.append(...built(tree.props.children));
    return [node];
  };
  // Dash may take the place for another one: what stands in it tells whose it is.
  const sweep = () => {
    for (const node of document.querySelectorAll("[data-of]")) if (node.parentElement.id !== node.dataset.of) node.remove();
  };
  hv.draws = (node) => node?.dataset.drawn === "1";
  hv.draw = (node, tree) => {
    let holder = node.querySelector(":scope > [data-of]");
    if (!holder) {
      holder = document.createElement("div");
      holder.dataset.of = node.id;
      holder.className = "drawn";
      node.append(holder);
    }
    holder.replaceChildren(...built(tree));
  };
  // A link within the control room loads no page.
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("a[data-inside]");
    if (!target || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    hv.go(target.getAttribute("href"));
  });
  setInterval(sweep, 250);
})();
