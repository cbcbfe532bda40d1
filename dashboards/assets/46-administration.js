// The page of administration: what was typed is sent; nothing of it is lost when it is refused.
"use strict";
(() => {
  const LIMIT = 30000; // A password takes a moment, and others may log in at the same time [ms].
  const byId = (id) => document.getElementById(id);
  const camel = (key) => key.replace(/_(\w)/g, (_whole, letter) => letter.toUpperCase());
  const text = (key) => byId("accounts-said")?.dataset[camel(key)] ?? "";
  const filled = (template, values) => template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  // The place belongs to Dash: what is said goes into an element of our own.
  const say = (message, bad = false, more = null) => {
    const place = byId("accounts-said");
    if (!place) return;
    const line = document.createElement("p");
    line.textContent = message;
    line.className = bad ? "accounts-bad" : "";
    if (more) line.append(" ", more);
    place.replaceChildren(...(message ? [line] : []));
  };
  const refresh = () => window.dash_clientside.set_props("accounts-refresh", { data: Date.now() });
  const go = (search) => window.hv.go(`${location.pathname}${search}`);

  const ask = (method, path, body) =>
    fetch(`/api/v1/accounts${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LIMIT),
    });
  const marked = (field) => {
    for (const node of document.querySelectorAll(".accounts-side [aria-invalid]")) node.removeAttribute("aria-invalid");
    const wrong = field && (byId(`accounts-${field}`) ?? document.querySelector(`.accounts-side [name="${field}"], .accounts-side [data-field="${field}"]`));
    if (!wrong) return;
    if (wrong.matches("input, select")) wrong.setAttribute("aria-invalid", "true");
    wrong.focus();
  };
  const logInAgain = () => {
    const link = document.createElement("a");
    link.href = `/login?next=${encodeURIComponent(location.pathname)}`;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = text("log_in");
    return link;
  };
  // Says why something was not done; the form stays as it was typed.
  const refused = async (answer) => {
    let told = {};
    try {
      told = await answer.json();
    } catch {
      // Only the number of the answer is known.
    }
    if (answer.status === 401) return say(text("expired"), true, logInAgain());
    if (answer.status === 403) return say(text("forbidden"), true);
    if (answer.status === 503) return say(text("away"), true);
    if (answer.status === 409) return say(filled(text(told.by ? "conflict" : "conflict_nobody"), { name: told.by }), true);
    if (Array.isArray(told.detail)) {
      const field = String(told.detail[0]?.loc?.[1] ?? "");
      say(filled(text("wrong"), { field: byId(`accounts-${field}`)?.labels?.[0]?.textContent ?? field }), true);
      return marked(field);
    }
    say(text(`why_${told.reason}`) || filled(text("failed"), { reason: told.detail ?? `HTTP ${answer.status}` }), true);
    return marked(told.field);
  };

  let running = false;
  // One at a time; what becomes of it is said in every case.
  const send = async (method, path, body, done) => {
    if (running) return;
    running = true;
    say("");
    marked("");
    try {
      const answer = await ask(method, path, body);
      if (answer.ok) {
        // Until the page is read anew, the next click goes on from what this one has made, and is no conflict with it.
        const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
        for (const node of document.querySelectorAll("[data-version]")) {
          const own = `/${encodeURIComponent(node.dataset.name)}`;
          if (path === own && told.version) node.dataset.version = told.version;
          else if (path === `${own}/password`) node.dataset.version = Number(node.dataset.version) + 1;
        }
        done();
      } else await refused(answer);
    } catch {
      say(text("unsure"), true);
    } finally {
      running = false;
    }
  };

  const words = (field) => {
    const found = [...document.querySelectorAll(`#accounts-form .chip[data-field="${field}"][aria-pressed="true"]`)].map((node) => node.dataset.word);
    return found.length ? found.sort() : null;
  };
  const typed = () => ({
    role: byId("accounts-role").value,
    organisation: byId("accounts-organisation").value || null,
    domains: words("domains"),
    districts: words("districts"),
    language: byId("accounts-language").value || null,
  });
  const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(Array.isArray(other) ? [...other].sort() : (other ?? null));
  const add = () => {
    const name = byId("accounts-name").value.trim();
    const body = { name, password: byId("accounts-password").value, ...typed() };
    return send("POST", "", body, () => {
      say(filled(text("added"), { name }));
      go(`?account=${encodeURIComponent(name)}`);
    });
  };
  const change = (form) => {
    const { name, version, before } = form.dataset;
    const was = JSON.parse(before);
    const changed = Object.fromEntries(Object.entries(typed()).filter(([key, value]) => !same(value, was[key])));
    if (!Object.keys(changed).length) return say(text("nothing"));
    return send("PATCH", `/${encodeURIComponent(name)}`, { version: Number(version), ...changed }, () => {
      say(filled(text("saved"), { name }));
      refresh();
    });
  };
  const password = (form) => {
    const { name, version } = form.dataset;
    const field = byId("accounts-new-password");
    return send("POST", `/${encodeURIComponent(name)}/password`, { password: field.value, version: Number(version) }, () => {
      say(filled(text("password_set"), { name }));
      refresh();
    });
  };

  // A change of language draws the form anew: what was typed is put back.
  const INPUTS = ["accounts-name", "accounts-password", "accounts-new-password"];
  const SELECTS = ["role", "organisation", "language"];
  let kept = null;
  const keep = (event) => {
    const form = byId("accounts-form");
    if (!form || !event.target.closest?.("[data-language-switch]")) return;
    const inputs = INPUTS.filter(byId).map((id) => [id, byId(id).value]);
    kept = { form, name: form.dataset.name, values: typed(), inputs };
  };
  const restore = () => {
    const form = kept && byId("accounts-form");
    if (!form || form === kept.form) return;
    const { name, values, inputs } = kept;
    kept = null;
    if (form.dataset.name !== name) return;
    for (const field of SELECTS) byId(`accounts-${field}`).value = values[field] ?? "";
    for (const chip of form.querySelectorAll(".chip")) {
      chip.setAttribute("aria-pressed", String((values[chip.dataset.field] ?? []).includes(chip.dataset.word)));
    }
    for (const [id, value] of inputs) window.dash_clientside.set_props(id, { value });
  };
  document.addEventListener("click", keep, true);
  setInterval(restore, 100);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id !== "accounts-form" && form.id !== "accounts-password-form") return;
    event.preventDefault();
    if (form.id === "accounts-password-form") password(form);
    else if (form.dataset.name) change(form);
    else add();
  });
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (!target || target.disabled) return;
    const { name, version, accountsState: way } = target.dataset;
    if (target.matches("#accounts-form .chip")) {
      target.setAttribute("aria-pressed", String(target.getAttribute("aria-pressed") !== "true"));
    } else if (way) {
      const out = way === "disable";
      send("PATCH", `/${encodeURIComponent(name)}`, { version: Number(version), disabled: out }, () => {
        say(filled(text(out ? "disabled" : "enabled"), { name }));
        refresh();
      });
    } else if (target.dataset.accountsLogOut) {
      send("POST", `/${encodeURIComponent(name)}/log-out`, {}, () => {
        say(filled(text("logged_out"), { name }));
        refresh();
      });
    }
  });
})();
