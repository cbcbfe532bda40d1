// The page of the audit log: filters that were typed, and the proof that the chain is whole.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const LIMIT = 130000; // The server answers within two minutes [ms].
  const byId = (id) => document.getElementById(id);
  const number = (n) => new Intl.NumberFormat(hv.language()).format(n);
  const text = (key) => byId("audit-said")?.dataset[key] ?? "";
  const filled = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  // The place belongs to Dash: what is said goes into elements of our own.
  const say = (messages, bad = false) => {
    const place = byId("audit-said");
    if (!place) return;
    const lines = messages.map((message, i) => {
      const line = document.createElement("p");
      line.textContent = message;
      line.className = bad && i === 0 ? "audit-bad" : "";
      return line;
    });
    place.replaceChildren(...lines);
  };
  const refresh = () => window.dash_clientside.set_props("audit-refresh", { data: Date.now() });

  let running = false;
  const verify = async (head) => {
    if (running) return;
    running = true;
    say([text("proving")]);
    try {
      const answer = await fetch("/api/v1/audit/verify", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ heads: head ? [head] : [] }),
        signal: AbortSignal.timeout(LIMIT),
      });
      if (answer.status === 401) return void location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
      const told = await answer.json();
      if (!answer.ok) throw new Error(typeof told.detail === "string" ? told.detail : `HTTP ${answer.status}`);
      const last = told.head.split(":")[0];
      let said = text("empty");
      if (!told.whole) {
        const fault = text(`fault${told.fault[0].toUpperCase()}${told.fault.slice(1)}`);
        said = filled(text("broken"), { number: number(told.broken), fault });
      } else if (told.lines) said = filled(text("whole"), { lines: number(told.lines), first: number(told.first), last: number(last) });
      say([said, ...told.unknown.map(() => text("unknown")), filled(text("head"), { head: told.head })], !told.whole);
    } catch (error) {
      say([filled(text("failed"), { reason: error.message })], true);
    } finally {
      running = false;
    }
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("button")?.dataset.auditRefresh) refresh();
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    // Not `form.id`: a field of the form is called so.
    const id = form.getAttribute("id");
    if (id === "audit-verify") {
      event.preventDefault();
      await verify(byId("audit-head").value.trim());
    } else if (id === "audit-filter") {
      // Without this the browser would load the whole page for a filter.
      event.preventDefault();
      const query = new URLSearchParams();
      for (const field of form.querySelectorAll("input[name]")) if (field.value.trim()) query.set(field.name, field.value.trim());
      const search = query.toString();
      window.hv.go(`${location.pathname}${search ? "?" : ""}${search}`);
    }
  });
})();
