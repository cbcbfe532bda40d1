// The alarm desk: the shelf, the question before several are acknowledged, out of service and maintenance windows.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const LIMIT = 20000; // An answer that is not there by then is not waited for [ms].
  const byId = (id) => document.getElementById(id);
  const text = (key) => byId("desk-said")?.dataset[key] ?? "";
  const filled = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  // The place belongs to Dash: what is said goes into an element of our own.
  const say = (message, bad = false) => {
    const line = document.createElement("p");
    line.textContent = message;
    line.className = bad ? "desk-bad" : "";
    byId("desk-said")?.replaceChildren(...(message ? [line] : []));
  };
  const moment = (at) => new Date(at).toLocaleString(hv.language(), { timeZone: zone(), dateStyle: "short", timeStyle: "short" });
  const zone = () => document.documentElement.dataset.zone || "UTC";

  // What the server answers, or why it does not; what was typed stays whatever happens.
  const ask = async (path, body) => {
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(LIMIT),
      });
      if (answer.status === 401) return { failure: text("loggedOut") };
      const told = await answer.json();
      if (answer.ok) return { told };
      const detail = Array.isArray(told.detail) ? told.detail.map((one) => `${one.loc?.at(-1)}: ${one.msg}`).join(", ") : told.detail;
      return { failure: filled(text("failed"), { reason: detail ?? `HTTP ${answer.status}` }) };
    } catch {
      return { failure: text("unsure") };
    }
  };

  // Several alarms at once: exactly those that were visible and selected when the question was asked.
  let decide = null;
  hv.confirmed = (rows) => {
    const dialog = byId("ack-dialog");
    if (!dialog) return Promise.resolve(false);
    const question = byId("ack-question");
    question.textContent = hv.counted(question, rows.length);
    const counts = new Map();
    for (const row of [...rows].sort((a, b) => a.rank - b.rank)) counts.set(row.priority_label, (counts.get(row.priority_label) ?? 0) + 1);
    byId("ack-summary").textContent = [...counts].map(([name, n]) => `${name} ${n}`).join(" · ");
    return new Promise((resolve) => {
      decide = resolve;
      dialog.addEventListener("close", () => resolve(false), { once: true });
      dialog.showModal();
    });
  };
  const answered = (yes) => {
    decide?.(yes);
    decide = null;
    byId("ack-dialog")?.close();
  };

  let wanted = [];
  hv.shelveSelected = () => offer(hv.selectedRows?.() ?? []);
  const offer = (rows) => {
    const dialog = byId("shelve-dialog");
    if (!rows.length || !dialog || byId("alarms-shelve")?.dataset.allowed !== "1") return;
    wanted = rows.map((row) => row.id);
    const limits = JSON.parse(dialog.dataset.limits);
    const most = Math.min(...rows.map((row) => limits[row.priority] ?? 0));
    for (const option of byId("shelve-for").options) option.hidden = option.disabled = option.value !== "once" && Number(option.value) > most;
    const chosen = byId("shelve-for").selectedOptions[0];
    if (!chosen || chosen.disabled) byId("shelve-for").value = [...byId("shelve-for").options].find((option) => !option.disabled)?.value ?? "once";
    const question = byId("shelve-question");
    question.textContent = hv.counted(question, wanted.length);
    byId("shelve-error").textContent = "";
    dialog.showModal();
    byId("shelve-reason").focus();
  };
  const wrong = (message) => {
    byId("shelve-error").textContent = message;
    byId("shelve-reason").focus();
  };
  let busy = false;
  const shelve = async () => {
    const reason = byId("shelve-reason").value.trim();
    if (busy) return;
    if (!reason) return wrong(text("reasonMissing"));
    const time = byId("shelve-for").value;
    busy = true;
    let done = 0;
    const before = [];
    const left = [];
    let failure = "";
    for (const id of wanted) {
      const answer = failure ? null : await ask(`/api/v1/alarms/${id}/shelve`, time === "once" ? { reason, once: true } : { reason, seconds: Number(time) });
      if (answer === null || answer.failure) {
        failure ||= answer.failure;
        left.push(id);
      } else if (answer.told.changed) done += 1;
      else before.push(filled(text("shelvedBefore"), { by: answer.told.by, at: moment(answer.told.until) }));
    }
    busy = false;
    const parts = [done ? filled(text(done === 1 ? "shelvedNOne" : "shelvedN"), { n: done }) : "", ...before].filter(Boolean);
    wanted = left;
    if (failure) return wrong([...parts, failure].join(" "));
    byId("shelve-dialog").close();
    hv.letAlarmsMove?.();
    window.dash_clientside.set_props("shelve-reason", { value: "" });
    say(parts.join(" "), done === 0);
  };

  const takeOff = async (target) => {
    target.disabled = true;
    const answer = await ask(`/api/v1/alarms/${target.dataset.unshelve}/unshelve`, {});
    target.disabled = false;
    if (answer.failure) say(answer.failure, true);
    else say(text(answer.told.changed ? "takenOff" : "notShelved"), !answer.told.changed);
  };
  const end = async (target) => {
    target.disabled = true;
    const answer = await ask(`/api/v1/inhibitions/${target.dataset.endInhibition}/end`, {});
    target.disabled = false;
    if (answer.failure) say(answer.failure, true);
    else say(answer.told.changed ? text("ended") : filled(text("endedBefore"), { by: answer.told.by }), !answer.told.changed);
  };

  // A local time of the town, whatever zone the browser is in; null when it is none.
  const instantOf = (typed) => {
    const found = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d))?$/.exec(typed);
    if (!found) return null;
    const [year, month, day, hour = 0, minute = 0] = found.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
    const wall = Date.UTC(year, month - 1, day, hour, minute);
    const shown = (at) => {
      const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: zone(), hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" }).formatToParts(at).map((part) => [part.type, Number(part.value)]));
      return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute);
    };
    let at = wall;
    for (let i = 0; i < 2; i += 1) at += wall - shown(at);
    return new Date(at);
  };
  const place = async () => {
    const value = (name) => byId(`service-${name}`)?.value?.trim() ?? "";
    const error = byId("service-error");
    error.textContent = "";
    const body = { kind: value("kind"), reason: value("reason"), things: value("things").split(/[\s,;]+/).filter(Boolean), children: value("children") === "yes" };
    if (value("property")) body.property = value("property");
    if (value("domain")) body.domains = [value("domain")];
    if (!body.reason) return void (error.textContent = text("reasonMissing"));
    if (body.kind === "maintenance") {
      const from = value("from") ? instantOf(value("from")) : new Date(hv.now());
      if (!from || Number.isNaN(from.getTime())) return void (error.textContent = filled(text("timeWrong"), { text: value("from") }));
      body.from = from.toISOString();
      body.to = new Date(from.getTime() + Number(value("lasts")) * 1000).toISOString();
    }
    const answer = await ask("/api/v1/inhibitions", body);
    if (answer.failure) return void (error.textContent = answer.failure);
    for (const name of ["things", "property", "reason", "from"]) window.dash_clientside.set_props(`service-${name}`, { value: "" });
    say(filled(text("placed"), { n: answer.told.hidden }));
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (!target || target.disabled) return;
    const data = target.dataset;
    if (data.shelveSelected) hv.shelveSelected();
    else if (data.shelveOne) {
      if (hv.justChanged(target)) hv.say("changed", {}, true);
      // It comes and goes: whether it is in the list just now or not.
      else offer([hv.rowOf(data.shelveOne) ?? { id: data.shelveOne, priority: data.priority }]);
    }
    else if (data.shelveGo) shelve();
    else if (data.shelveCancel) byId("shelve-dialog").close();
    else if (data.ackGo) answered(true);
    else if (data.ackCancel) answered(false);
    else if (data.unshelve) takeOff(target);
    else if (data.endInhibition) end(target);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "service-form") return;
    event.preventDefault();
    place();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "shelve-reason") {
      event.preventDefault();
      shelve();
    }
  });
})();
