// The page of rules: the form of a proposal, what is decided in two clicks, filters that were typed.
"use strict";
(() => {
  const LIMIT = 20000; // The server answers within its own patience [ms].
  const NUMBERS = ["limit", "deadband", "on_delay", "off_delay"];
  const byId = (id) => document.getElementById(id);
  const text = (key) => byId("rules-said")?.dataset[key.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())] ?? "";
  const filled = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const say = (message, bad = false) => {
    const place = byId("rules-said");
    if (!place) return;
    const line = document.createElement("p");
    line.textContent = message;
    line.className = bad ? "rules-bad" : "";
    place.replaceChildren(...(message ? [line] : []));
  };
  const refresh = () => window.dash_clientside.set_props("rules-refresh", { data: Date.now() });

  // What is sent stays on the screen until it was taken: a log-in that has ended loses nothing typed.
  const send = async (url, body) => {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(LIMIT),
      });
      if (answer.ok) return { done: await answer.json() };
      if (answer.status === 401) return { reason: text("log_in") };
      if (answer.status === 503) return { reason: text("away") };
      const told = await answer.json().catch(() => ({}));
      const detail = typeof told.detail === "string" ? told.detail : Array.isArray(told.detail) ? told.detail.map((one) => `${one.loc.slice(1).join(".")}: ${one.msg}`).join("; ") : `HTTP ${answer.status}`;
      return { reason: detail, field: told.field };
    } catch {
      return { reason: text("failed") };
    }
  };

  // The form.
  const clear = () => {
    for (const place of document.querySelectorAll("#rules-form .rules-wrong")) place.textContent = "";
    for (const field of document.querySelectorAll("#rules-form [aria-invalid]")) field.removeAttribute("aria-invalid");
  };
  const wrong = (field, message) => {
    const name = field ? field.split(".")[0] : "";
    const place = name ? byId(`rules-${name}-wrong`) : null;
    const typed = name ? (byId(`rules-${name}-box`) ?? byId(`rules-${name}`)) : null;
    if (!place) {
      byId("rules-form-wrong").textContent = message;
      return;
    }
    place.textContent = message;
    place.closest("details")?.setAttribute("open", "");
    const input = typed?.matches("input, textarea") ? typed : typed?.querySelector("input, textarea");
    if (!input) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", place.id);
    input.focus();
  };
  class Wrong extends Error {
    constructor(field, message) {
      super(message);
      this.field = field;
    }
  }
  const typedIn = (name) => {
    const place = byId(`rules-${name}-box`) ?? byId(`rules-${name}`);
    const input = place?.matches("input, textarea") ? place : place?.querySelector("input:checked, input:not([type=radio]), textarea");
    return input ? input.value.trim() : null;
  };
  const numberOf = (name, value) => {
    const number = Number(value.replace(/[\s\u00a0\u202f]/g, "").replace(",", "."));
    if (value === "" || !Number.isFinite(number)) throw new Wrong(name, filled(text("wrong_number"), { text: value }));
    return number;
  };
  const linesOf = (name) => {
    const found = {};
    for (const line of (typedIn(name) ?? "").split("\n").filter((each) => each.trim())) {
      const parts = /^\s*(.+?)\s*=\s*(.*?)\s*(?:\/\s*(.+?)\s*)?$/.exec(line);
      if (!parts || (!parts[2] && !parts[3])) throw new Wrong(name, filled(text("wrong_line"), { text: line.trim() }));
      const own = {};
      if (parts[2] === "off") own.enabled = false;
      else if (parts[2]) own.limit = numberOf(name, parts[2]);
      if (parts[3]) own.deadband = numberOf(name, parts[3]);
      found[parts[1]] = own;
    }
    return found;
  };
  const jsonOf = (name) => {
    const value = typedIn(name);
    if (!value) return name === "formula" ? null : [];
    try {
      return JSON.parse(value);
    } catch (error) {
      throw new Wrong(name, filled(text("wrong_json"), { reason: error.message }));
    }
  };
  const ruleOf = (isNew) => {
    const rule = {};
    for (const name of NUMBERS) rule[name] = numberOf(name, typedIn(name));
    rule.priority = typedIn("priority");
    rule.enabled = typedIn("enabled") === "true";
    rule.latched = typedIn("latched") === "true";
    for (const name of ["realarm_after", "escalate_after"]) rule[name] = typedIn(name) ? numberOf(name, typedIn(name)) : null;
    for (const name of ["fr", "en", "action_fr", "action_en", "consequence_fr", "consequence_en"]) rule[name] = typedIn(name);
    for (const name of ["things", "classes"]) rule[name] = linesOf(name);
    for (const name of ["schedule", "formula", "suppressed_by"]) rule[name] = jsonOf(name);
    if (isNew) for (const name of ["domain", "property", "kind"]) rule[name] = typedIn(name) || null;
    return rule;
  };
  // A local time of the installation, whatever zone the browser is in.
  const zoned = (value) => {
    const guess = new Date(`${value.replace(" ", "T")}:00Z`);
    const form = new Intl.DateTimeFormat("sv-SE", { timeZone: document.documentElement.dataset.zone, dateStyle: "short", timeStyle: "medium" });
    const off = (at) => new Date(`${form.format(at).replace(" ", "T")}Z`) - at;
    const first = new Date(guess - off(guess));
    return new Date(guess - off(first));
  };
  const instantOf = () => {
    const value = typedIn("effective_from");
    if (!value) return null;
    const at = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$/.test(value) ? zoned(value) : new Date(value);
    if (Number.isNaN(at.getTime())) throw new Wrong("effective_from", filled(text("wrong_time"), { text: value }));
    return at.toISOString();
  };
  let sending = false;
  const propose = async (form, draft) => {
    if (sending) return;
    clear();
    let body;
    const base = Number(form.dataset.base);
    const code = form.dataset.code || typedIn("code");
    try {
      body = { base, rule: ruleOf(base === 0), reason: typedIn("reason"), effective_from: instantOf(), draft };
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      return wrong(error.field, error.message);
    }
    if (!body.reason) return wrong("reason", filled(text("wrong_number"), { text: "" }));
    if (!/^[a-z0-9_.]{1,100}$/.test(code)) return wrong("code", filled(text("wrong_number"), { text: code }));
    sending = true;
    const outcome = await send(`/api/v1/rules/${code}/proposals`, body);
    sending = false;
    if (!outcome.done) return wrong(outcome.field, outcome.reason);
    say(text(draft ? "draft" : "proposed"));
    refresh();
  };

  // What is decided: the question, then the second click.
  let asked = null;
  let opener = null;
  const ask = (target) => {
    asked = JSON.parse(target.dataset.rulesAsk);
    opener = target;
    byId("rules-question").textContent = asked.question;
    byId("rules-why-wrong").textContent = "";
    // At once for who answers at once, and to Dash, whose field it is.
    byId("rules-why").value = asked.why ?? "";
    window.dash_clientside.set_props("rules-why", { value: asked.why ?? "" });
    byId("rules-confirm").showModal();
    document.querySelector("[data-rules-go]").focus();
  };
  const close = () => {
    byId("rules-confirm").close();
    opener?.focus();
  };
  const go = async () => {
    if (!asked || sending) return;
    sending = true;
    const outcome = await send(asked.url, { ...asked.body, [asked.says]: typedIn("why") });
    sending = false;
    if (!outcome.done) {
      byId("rules-why-wrong").textContent = outcome.reason;
      return;
    }
    const key = asked.said;
    asked = null;
    close();
    say(text(key));
    refresh();
    // It is in force a moment later.
    setTimeout(refresh, 1500);
    setTimeout(refresh, 4000);
  };

  document.addEventListener("click", async (event) => {
    const target = event.target.closest?.("button");
    if (!target || target.disabled) return;
    const data = target.dataset;
    if (data.rulesAsk) ask(target);
    else if (data.rulesGo) await go();
    else if (data.rulesCancel) close();
    else if (data.rulesRefresh) refresh();
    else if (data.rulesDraft) await propose(byId("rules-form"), true);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id === "rules-form") {
      event.preventDefault();
      await propose(form, false);
    } else if (form.id === "rules-filter") {
      event.preventDefault();
      const query = new URLSearchParams(Object.entries(JSON.parse(form.dataset.kept)).filter(([name, value]) => value && !(name === "show" && value === "all")));
      if (byId("rules-q").value.trim()) query.set("q", byId("rules-q").value.trim());
      const search = query.toString();
      window.hv.go(`${location.pathname}${search ? "?" : ""}${search}`);
    }
  });
})();
