// The page of rejected messages: filters that were typed, copies of payloads, and the second try.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const LIMIT = 130000; // The server answers for a portion within two minutes [ms].
  const byId = (id) => document.getElementById(id);
  const number = (n) => new Intl.NumberFormat(hv.language()).format(n);
  const text = (key) => byId("rejected-said")?.dataset[key] ?? "";
  const filled = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  // The place belongs to Dash: what is said goes into an element of our own.
  const say = (message, bad = false) => {
    const place = byId("rejected-said");
    if (!place) return;
    const line = document.createElement("p");
    line.textContent = message;
    line.className = bad ? "rejected-bad" : "";
    place.replaceChildren(...(message ? [line] : []));
  };
  const refresh = () => window.dash_clientside.set_props("rejected-refresh", { data: Date.now() });
  const reasonOf = async (answer) => {
    try {
      const told = (await answer.json()).detail;
      return typeof told === "string" ? told : `HTTP ${answer.status}`;
    } catch {
      return `HTTP ${answer.status}`;
    }
  };
  const wordOf = (reason) => {
    for (const node of document.querySelectorAll("[data-reason]")) if (node.dataset.reason === reason) return node.dataset.word;
    return reason;
  };

  let wanted = null;
  let running = false;
  const ask = (target) => {
    if (running) return;
    wanted = JSON.parse(target.dataset.rejectedReplay);
    const question = byId("rejected-question");
    question.textContent = filled(question.dataset.template, { named: target.dataset.named });
    byId("rejected-confirm").showModal();
  };
  // In portions, so that it can be said how far it has come; each portion is whole when it is answered.
  const replay = async () => {
    byId("rejected-confirm").close();
    if (!wanted || running) return;
    running = true;
    const sum = { messages: 0, stored: 0, refused: 0 };
    const reasons = new Map();
    let failure = "";
    try {
      for (let after = null; ; ) {
        say(filled(text("progress"), { done: number(sum.messages) }));
        const answer = await fetch("/api/v1/rejected/replay", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(after === null ? wanted : { ...wanted, after }),
          signal: AbortSignal.timeout(LIMIT),
        });
        if (answer.status === 401) {
          await hv.logInAgain();
          continue;
        }
        if (!answer.ok) {
          failure = await reasonOf(answer);
          break;
        }
        const done = await answer.json();
        for (const key of Object.keys(sum)) sum[key] += done[key];
        for (const [reason, n] of Object.entries(done.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + n);
        if (done.next === null) break;
        after = done.next;
      }
    } catch (error) {
      failure = error.message;
    } finally {
      running = false;
    }
    const counted = Object.fromEntries(Object.entries(sum).map(([key, n]) => [key, number(n)]));
    const parts = [sum.messages || failure ? filled(text("result"), counted) : text("nothingSent")];
    if (reasons.size) parts.push(filled(text("resultReasons"), { reasons: [...reasons].map(([reason, n]) => `${wordOf(reason)} ${number(n)}`).join(", ") }));
    if (failure) parts.push(filled(text("stopped"), { reason: failure }));
    say(parts.join(" "), Boolean(failure));
    refresh();
  };

  const write = async (value) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(value);
    // Over plain HTTP a browser gives no clipboard to a page: the old way still works.
    const area = document.createElement("textarea");
    area.value = value;
    area.className = "vh";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("clipboard");
  };
  const copy = async (id) => {
    try {
      const answer = await fetch(`/api/v1/rejected/${id}`, { signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new Error(await reasonOf(answer));
      await write((await answer.json()).payload);
      say(text("copied"));
    } catch (error) {
      say(filled(text("copyFailed"), { reason: error.message }), true);
    }
  };

  document.addEventListener("click", async (event) => {
    const target = event.target.closest?.("button");
    if (!target || target.disabled) return;
    const data = target.dataset;
    if (data.rejectedReplay) ask(target);
    else if (data.rejectedGo) await replay();
    else if (data.rejectedCancel) byId("rejected-confirm").close();
    else if (data.rejectedRefresh) refresh();
    else if (data.rejectedCopy) {
      await copy(data.rejectedCopy);
      target.focus();
    }
  });
  // Without this the browser would load the whole page for a filter.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id !== "rejected-form") return;
    event.preventDefault();
    const query = new URLSearchParams(JSON.parse(form.dataset.kept));
    for (const field of form.querySelectorAll("input[name]")) if (field.value.trim()) query.set(field.name, field.value.trim());
    const search = query.toString();
    window.hv.go(`${location.pathname}${search ? "?" : ""}${search}`);
  });
})();
