// Saved views: the page that is open with everything chosen on it, under a name.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const dialog = () => document.getElementById("room-views");
  const texts = () => hv.textsOf(dialog());
  // Theme and language are the reader's, wall mode the screen's: none of them belongs to a view.
  const address = () => {
    const asked = new URLSearchParams(location.search);
    for (const name of ["wall", "pages", "every"]) asked.delete(name);
    const search = asked.toString();
    return location.pathname + (search ? `?${search}` : "");
  };
  const line = (view) => {
    const t = texts();
    const link = hv.make("a", { href: view.address, class: "underlined strong", click: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      dialog().close();
      hv.go(view.address);
    } }, hv.make("bdi", {}, view.name));
    const forget = view.mine
      ? hv.make("button", { type: "button", class: "btn btn-small", "aria-label": `${t.forget} ${view.name}`, click: async () => {
          const told = await hv.ask(`/api/v1/views/${view.id}`, { method: "DELETE", failed: t.failed });
          if (told.failed !== undefined) return hv.tell(hv.filled(t.refused, { reason: told.failed }), true);
          hv.tell(t.forgotten);
          draw();
        } }, t.forget)
      : hv.make("span", { class: "muted note" }, hv.filled(t.by, { name: view.owner }));
    return hv.make("li", {}, link, hv.make("span", { class: "muted note" }, view.mine && view.shared ? t.shared : ""), forget);
  };
  const group = (title, views) => (views.length ? [hv.make("h3", {}, title), hv.make("ul", { class: "room-views" }, ...views.map(line))] : []);
  const form = () => {
    const t = texts();
    const name = hv.make("input", { id: "room-view-name", class: "combo-input", maxlength: 80, autocomplete: "off", required: true });
    const shared = hv.make("input", { id: "room-view-shared", type: "checkbox" });
    return hv.make("form", { class: "room-view-form", submit: async (event) => {
      event.preventDefault();
      const told = await hv.ask("/api/v1/views", { method: "POST", body: { name: name.value, address: address(), shared: shared.checked }, failed: t.failed });
      if (told.failed !== undefined) return hv.tell(hv.filled(t.refused, { reason: told.failed }), true);
      hv.tell(t.kept);
      draw();
    } },
      hv.make("label", { for: "room-view-name" }, t.name), name,
      hv.make("label", { class: "room-check" }, shared, t.shared),
      hv.make("button", { type: "submit", class: "btn btn-strong" }, t.keep));
  };
  const draw = async () => {
    const t = texts();
    const told = await hv.ask("/api/v1/views", { failed: t.failed });
    const views = told.rows ?? [];
    const list = told.failed !== undefined ? [hv.make("p", { class: "empty" }, told.failed)]
      : views.length ? [...group(t.mine, views.filter((view) => view.mine)), ...group(t.of_others, views.filter((view) => !view.mine))]
      : [hv.make("p", { class: "empty" }, t.no_views)];
    // Beside the form: a name that is being typed is not lost to a list that comes late.
    document.getElementById("room-views-list")?.replaceChildren(...list);
  };
  document.addEventListener("hv:open", (event) => {
    if (event.target.id !== "room-views") return;
    document.getElementById("room-views-set").replaceChildren(form(), hv.make("div", { id: "room-views-list" }));
    document.getElementById("room-view-name").focus();
    draw();
  }, true);
})();
