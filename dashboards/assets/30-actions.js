// What buttons do: acknowledge, theme, language. One listener for the document.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  hv.say = (key, values = {}, bad = false) => {
    // The frame carries the texts, in its language.
    let text = document.getElementById("texts")?.dataset[key] ?? "";
    for (const [name, value] of Object.entries(values)) text = text.replace(`{${name}}`, value);
    const place = document.getElementById("toasts");
    const toast = document.createElement("div");
    toast.className = bad ? "toast toast-bad" : "toast";
    toast.textContent = text;
    place?.append(toast);
    setTimeout(() => toast.remove(), bad ? 9000 : 4000);
  };
  const cookie = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };

  const LIMIT = 8000; // An answer that is not there by then is not waited for [ms].
  const REASONS = { 403: "forbidden", 404: "missing", 413: "refused", 422: "refused", 503: "away" };
  const text = (key) => document.getElementById("texts")?.dataset[key] ?? "";

  const acknowledgeOne = async (id, comment) => {
    try {
      const answer = await fetch(`/api/v1/alarms/${id}/acknowledge`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ comment }),
        signal: AbortSignal.timeout(LIMIT),
      });
      if (answer.status === 401) {
        await hv.logInAgain();
        return acknowledgeOne(id, comment);
      }
      if (!answer.ok) return { reason: REASONS[answer.status] ?? "failed" };
      const told = await answer.json();
      return { done: true, changed: told.changed, by: told.by };
    } catch {
      return { reason: "unsure" };
    }
  };
  // Returns the ids that are acknowledged for certain; what is told counts them.
  hv.acknowledge = async (ids, comment = "") => {
    const done = new Set();
    let changed = 0;
    let reason = "";
    const others = new Set();
    for (const id of ids) {
      const outcome = await acknowledgeOne(id, comment);
      if (outcome.done) {
        done.add(id);
        hv.acknowledged.add(id);
        changed += outcome.changed ? 1 : 0;
        if (!outcome.changed && outcome.by) others.add(outcome.by);
        continue;
      }
      reason = outcome.reason;
      // One alarm may be gone; whatever else fails would fail for the next one too.
      if (reason !== "missing") break;
    }
    if (reason && ids.length > 1) hv.say("partly", { done: done.size, total: ids.length, reason: text(reason) }, true);
    else if (reason === "unsure") hv.say("unsure", {}, true);
    else if (reason) hv.say("notDone", { reason: text(reason) }, true);
    // Two operators at once: one was faster, and the other is told who.
    else if (changed === 0 && others.size) hv.say("alreadyBy", { by: [...others].join(", ") });
    else if (changed === 0) hv.say("already");
    else if (changed === 1) hv.say("done");
    else hv.say("doneN", { n: changed });
    return done;
  };

  document.addEventListener("click", async (event) => {
    const target = event.target.closest("button");
    if (!target || target.disabled) return;
    const data = target.dataset;
    if (data.ack) {
      if (hv.justChanged(target)) return hv.say("changed", {}, true);
      target.disabled = true;
      await hv.acknowledge([data.ack]);
      target.disabled = false;
    } else if (data.themeSwitch) {
      const theme = document.documentElement.dataset.theme === "light" ? "dark" : "light";
      cookie("hypervision_theme", theme);
      document.documentElement.dataset.theme = theme;
      window.dash_clientside.set_props("theme", { data: theme });
    } else if (data.languageSwitch) {
      hv.keep();
      cookie("hypervision_language", data.languageSwitch);
      document.documentElement.lang = data.languageSwitch;
      window.dash_clientside.set_props("language", { data: data.languageSwitch });
    } else if (data.logOut) {
      hv.logOut();
    } else if (data.acknowledgeSelected) {
      hv.acknowledgeSelected?.();
    } else if (data.showQueued) {
      hv.showQueued?.();
    }
  });
})();
