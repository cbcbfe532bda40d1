// What buttons do: acknowledge, theme, language, log out. One listener for the document.
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

  hv.acknowledge = async (ids, comment = "") => {
    let changed = 0;
    try {
      for (const id of ids) {
        const answer = await fetch(`/api/v1/alarms/${id}/acknowledge`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ comment }),
        });
        const told = await answer.json();
        if (answer.status === 401) return location.assign("/login");
        if (!answer.ok) return hv.say("failed", { reason: told.detail }, true);
        changed += told.changed ? 1 : 0;
      }
      if (changed === 0) hv.say("already");
      else if (changed === 1) hv.say("done");
      else hv.say("doneN", { n: changed });
    } catch {
      hv.say("offline", {}, true);
    }
  };

  document.addEventListener("click", async (event) => {
    const target = event.target.closest("button");
    if (!target || target.disabled) return;
    const data = target.dataset;
    if (data.ack) {
      target.disabled = true;
      await hv.acknowledge([data.ack]);
      target.disabled = false;
    } else if (data.themeSwitch) {
      const theme = document.documentElement.dataset.theme === "light" ? "dark" : "light";
      cookie("hypervision_theme", theme);
      document.documentElement.dataset.theme = theme;
      document.documentElement.dataset.mantineColorScheme = theme;
      window.dash_clientside.set_props("theme", { data: theme });
    } else if (data.languageSwitch) {
      cookie("hypervision_language", data.languageSwitch);
      document.documentElement.lang = data.languageSwitch;
      window.dash_clientside.set_props("language", { data: data.languageSwitch });
    } else if (data.logOut) {
      await fetch("/api/v1/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
      location.assign("/login");
    } else if (data.acknowledgeSelected) {
      hv.acknowledgeSelected?.();
    } else if (data.showQueued) {
      hv.showQueued?.();
    }
  });
})();
