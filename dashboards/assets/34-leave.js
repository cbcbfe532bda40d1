// Log-out: the screen is blank until the server has confirmed it, also after a reload and in every other tab.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const KEY = "hypervision_leaving";
  const LIMIT = 6000; // A server that has not answered by then hangs [ms].
  const AGAIN = 3000;
  let timer = null;

  const blank = () => {
    const texts = JSON.parse(localStorage.getItem(KEY) || "{}");
    document.documentElement.dataset.leaving = "1";
    if (document.getElementById("leaving")) return;
    const place = document.createElement("main");
    place.id = "leaving";
    place.setAttribute("role", "alert");
    for (const [tag, text] of [["h1", texts.title], ["p", texts.text], ["button", texts.retry]]) {
      const node = document.createElement(tag);
      node.textContent = text ?? "";
      if (tag === "button") {
        node.className = "btn";
        node.type = "button";
        node.addEventListener("click", attempt);
      }
      place.append(node);
    }
    document.body.append(place);
  };
  const attempt = async () => {
    hv.leaving = true;
    clearTimeout(timer);
    const late = setTimeout(blank, 1000);
    try {
      const answer = await fetch("/api/v1/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}", signal: AbortSignal.timeout(LIMIT) });
      // 401: there is no such session any more.
      if (answer.ok || answer.status === 401) {
        localStorage.removeItem(KEY);
        // Who came by a provider leaves there too, where it has a place for that.
        const told = answer.status === 200 ? await answer.json() : {};
        return location.assign(told.provider ?? "/login");
      }
    } catch {
      // Told below, and tried again.
    } finally {
      clearTimeout(late);
    }
    blank();
    timer = setTimeout(attempt, AGAIN);
  };
  hv.logOut = () => {
    const { leaveTitle: title, leaveText: text, leaveRetry: retry } = document.getElementById("texts").dataset;
    localStorage.setItem(KEY, JSON.stringify({ title, text, retry }));
    attempt();
  };
  if (localStorage.getItem(KEY)) {
    blank();
    attempt();
  }
  window.addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    hv.leaving = Boolean(event.newValue);
    if (hv.leaving) blank();
    else location.assign("/login");
  });
})();
