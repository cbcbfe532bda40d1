// My account: asks for what the account has, draws it as text, and sends what its owner changes.
"use strict";
(() => {
  const main = document.getElementById("account");
  const said = JSON.parse(main.dataset.said);
  const byId = (id) => document.getElementById(id);
  const language = document.documentElement.lang;
  const zone = document.querySelector("[data-zone]")?.dataset.zone;
  const moment = (text) => (text ? new Intl.DateTimeFormat(language === "fr" ? "fr-FR" : "en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: zone }).format(new Date(text)) : said.never);
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const tell = (text, bad = false) => {
    const place = byId("said");
    place.textContent = text;
    place.className = bad ? "bad" : "";
    if (bad) place.scrollIntoView({ block: "nearest" });
  };
  let enrolling = Boolean(main.dataset.enrolling);

  const ask = async (path, body) => {
    try {
      const answer = await fetch(`/api/v1/account${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(15000),
      });
      if (answer.status === 401) {
        location.assign("/login?next=/account");
        return null;
      }
      const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
      if (answer.ok) return told;
      const known = said[`refused_${told.reason}`];
      const detail = typeof told.detail === "string" ? told.detail : "";
      tell(known ? filled(known, { n: answer.headers.get("retry-after") ?? "60" }) : answer.status >= 500 ? said.away : answer.status === 404 ? said.refused_session : detail || said.away, true);
    } catch {
      tell(said.away, true);
    }
    return null;
  };
  const cell = (row, ...nodes) => {
    const made = document.createElement("td");
    made.append(...nodes);
    row.append(made);
  };
  const button = (text, name, work) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", `${text} ${name}`);
    made.addEventListener("click", work);
    return made;
  };
  const sure = (text, yes) =>
    new Promise((resolve) => {
      const dialog = byId("sure");
      byId("sure-text").textContent = text;
      byId("sure-yes").textContent = yes;
      dialog.returnValue = "no";
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
      dialog.showModal();
    });

  const drawFactor = (found) => {
    const had = found.second_factor;
    byId("factor-state").textContent = !found.has_password ? said.factor_by_provider : had.enrolled ? filled(said.factor_on, { n: had.recovery_codes }) : said.factor_off;
    byId("factor-begin").hidden = had.enrolled || !found.has_password || !byId("factor-confirm").hidden;
    for (const node of document.querySelectorAll(".asks-password")) node.hidden = enrolling;
    byId("factor-remove").hidden = !had.enrolled;
  };
  const drawSessions = (found) => {
    byId("sessions").replaceChildren(
      ...found.sessions.map((one) => {
        const row = document.createElement("tr");
        const where = `${one.address || "—"} · ${said[`way_${one.way}`]}`;
        const agent = document.createElement("div");
        agent.className = "muted";
        agent.textContent = one.agent;
        cell(row, where, agent);
        cell(row, moment(one.created_at));
        cell(row, moment(one.seen_at));
        cell(
          row,
          one.own
            ? said.session_own
            : button(said.session_end, where, async () => {
                if (!(await sure(filled(said.confirm_end, { name: where }), said.session_end))) return;
                if (await ask(`/sessions/${one.id}/end`, {})) tell(said.ended);
                refresh();
              }),
        );
        return row;
      }),
    );
    byId("end-others").hidden = found.sessions.length < 2;
  };
  const drawTokens = (found) => {
    const rows = found.tokens.map((one) => {
      const row = document.createElement("tr");
      cell(row, one.name);
      cell(row, one.scopes.join(", "));
      cell(row, moment(one.used_at));
      cell(row, one.expired ? `${moment(one.expires_at)} · ${said.expired}` : moment(one.expires_at));
      cell(
        row,
        button(said.token_revoke, one.name, async () => {
          if (!(await sure(filled(said.confirm_revoke, { name: one.name }), said.token_revoke))) return;
          if (await ask(`/tokens/${one.id}/revoke`, {})) tell(said.revoked);
          refresh();
        }),
      );
      return row;
    });
    if (!rows.length) {
      const row = document.createElement("tr");
      cell(row, said.token_none);
      row.firstChild.colSpan = 5;
      rows.push(row);
    }
    byId("tokens").replaceChildren(...rows);
    for (const node of document.querySelectorAll("[data-scope]")) node.hidden = !found.scopes.includes(node.dataset.scope);
  };
  const refresh = async () => {
    const found = await ask("");
    if (!found) return;
    enrolling = found.enrolling;
    byId("enrolling").hidden = !enrolling;
    for (const node of document.querySelectorAll(".later")) node.hidden = enrolling;
    drawFactor(found);
    if (enrolling) return;
    byId("password-form").hidden = !found.has_password;
    if (!found.has_password) byId("password-lead").textContent = said.password_by_provider;
    drawSessions(found);
    drawTokens(found);
  };
  const submitted = (id, work) => {
    const form = byId(id);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const pressed = form.querySelector("button");
      tell("");
      pressed.disabled = true;
      await work(form);
      pressed.disabled = false;
    });
  };
  const copies = (id, text) => {
    const place = byId(id);
    place.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text());
      } catch {
        // Over plain HTTP a browser gives no clipboard to a page: the old way still works.
        const area = document.createElement("textarea");
        area.value = text();
        place.after(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      tell(said.copied);
    });
  };

  submitted("factor-begin", async (form) => {
    const made = await ask("/second-factor", { password: byId("factor-password").value });
    if (!made) return;
    form.reset();
    form.hidden = true;
    byId("factor-picture").src = made.picture;
    byId("factor-key").textContent = made.secret.replace(/(.{4})(?=.)/g, "$1 ");
    byId("factor-confirm").hidden = false;
    byId("factor-code").focus();
  });
  submitted("factor-confirm", async (form) => {
    const made = await ask("/second-factor/confirm", { code: byId("factor-code").value });
    if (!made) return byId("factor-code").select();
    form.reset();
    form.hidden = true;
    byId("factor-picture").removeAttribute("src");
    byId("codes-title").textContent = said.codes;
    byId("codes-lead").textContent = said.codes_lead;
    byId("codes-copy").textContent = said.codes_copy;
    byId("codes-list").replaceChildren(
      ...made.recovery_codes.map((code) => {
        const line = document.createElement("li");
        line.textContent = code;
        return line;
      }),
    );
    byId("codes").hidden = false;
    byId("codes").focus();
    tell(said.factor_done);
    await refresh();
  });
  submitted("factor-remove", async (form) => {
    if (!(await ask("/second-factor/remove", { password: byId("remove-password").value, code: byId("remove-code").value }))) return;
    form.reset();
    byId("codes").hidden = true;
    tell(said.factor_removed);
    await refresh();
  });
  submitted("password-form", async (form) => {
    if (byId("new").value !== byId("again").value) {
      tell(said.differ, true);
      return byId("again").focus();
    }
    if (!(await ask("/password", { current: byId("current").value, new: byId("new").value }))) return;
    form.reset();
    tell(said.changed);
    await refresh();
  });
  submitted("token-form", async (form) => {
    const scopes = [...form.querySelectorAll("input[name=scope]:checked")].map((node) => node.value);
    if (!scopes.length) {
      tell(said.token_no_scope, true);
      return form.querySelector("[data-scope]:not([hidden]) input")?.focus();
    }
    const name = byId("token-name").value;
    const made = await ask("/tokens", { name, scopes, days: Number(byId("token-days").value) });
    if (!made) return;
    form.reset();
    byId("token-said").textContent = filled(said.token_made, { name });
    byId("token-text").textContent = made.token;
    byId("token-copy").textContent = said.token_copy;
    byId("token-made").hidden = false;
    byId("token-made").focus();
    await refresh();
  });
  copies("codes-copy", () => [...byId("codes-list").children].map((node) => node.textContent).join("\n"));
  copies("token-copy", () => byId("token-text").textContent);
  byId("end-others").addEventListener("click", async () => {
    if (await ask("/sessions/others/end", {})) tell(said.ended);
    refresh();
  });
  byId("log-out").addEventListener("click", async () => {
    // As in assets/34-leave.js: every other tab goes blank, and leaves once it is done.
    localStorage.setItem("hypervision_leaving", "{}");
    try {
      const answer = await fetch("/api/v1/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}", signal: AbortSignal.timeout(8000) });
      const told = answer.status === 200 ? await answer.json() : {};
      if (!answer.ok && answer.status !== 401) return tell(said.away, true);
      localStorage.removeItem("hypervision_leaving");
      location.assign(told.provider ?? "/login");
    } catch {
      tell(said.away, true);
    }
  });
  const cookie = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };
  for (const node of document.querySelectorAll("[data-switch]")) {
    node.addEventListener("click", () => {
      if (node.dataset.switch === "language") {
        cookie("hypervision_language", node.dataset.to);
        return location.reload();
      }
      const theme = document.documentElement.dataset.theme === "light" ? "dark" : "light";
      cookie("hypervision_theme", theme);
      document.documentElement.dataset.theme = theme;
    });
  }
  refresh();
})();
