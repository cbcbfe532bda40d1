// Ages and clocks tick in the browser, once a second, from times the server sent.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  // How far the server's clock is ahead of this one [ms]: ages follow the server's.
  hv.ahead = 0;
  hv.lastMessage = performance.now();
  hv.now = () => Date.now() + hv.ahead;
  // The path of an asset's page: a code holds nothing that a path may not, and a colon stays one.
  hv.assetPath = (code) => `/asset/${encodeURIComponent(code).replaceAll("%3A", ":")}`;
  // A text that counts, from an element that has it for one and for many.
  hv.counted = (node, n) => {
    const one = new Intl.PluralRules(hv.language()).select(n) === "one";
    return (one ? node.dataset.templateOne : node.dataset.template).replace("{n}", new Intl.NumberFormat(hv.language()).format(n));
  };
  hv.language = () => document.querySelector(".frame")?.dataset.language || document.documentElement.lang || "fr";

  const formats = {};
  const units = (language) =>
    (formats[language] ??= Object.fromEntries(
      ["second", "minute", "hour", "day"].map((unit) => [
        unit,
        new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: language === "fr" || unit === "minute" ? "short" : "narrow", maximumFractionDigits: 0 }),
      ])
    ));
  hv.age = (seconds) => {
    const format = units(hv.language());
    const s = Math.max(0, Math.floor(seconds));
    if (s < 90) return format.second.format(s);
    if (s < 5400) return format.minute.format(Math.floor(s / 60));
    if (s < 172800) return format.hour.format(Math.floor(s / 3600));
    return format.day.format(Math.floor(s / 86400));
  };

  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  hv.ages = (place) => {
    const now = hv.now();
    for (const node of place.querySelectorAll("[data-since]")) {
      const age = (now - Number(node.dataset.since)) / 1000;
      write(node, hv.age(age));
      const stale = node.dataset.stale && age > Number(node.dataset.stale);
      const late = !stale && node.dataset.late && age > Number(node.dataset.late);
      node.classList.toggle("is-stale", Boolean(stale));
      node.classList.toggle("is-late", Boolean(late));
      node.parentElement?.classList.toggle("is-old", Boolean(stale));
    }
    const silent = (performance.now() - hv.lastMessage) / 1000;
    for (const node of place.querySelectorAll("[data-since-message]")) write(node, hv.age(silent));
  };
  hv.tick = () => {
    const now = hv.now();
    hv.ages(document);
    const at = new Date(now);
    const zone = document.documentElement.dataset.zone || "UTC";
    for (const node of document.querySelectorAll("[data-clock]")) {
      const timeZone = node.dataset.clock === "utc" ? "UTC" : zone;
      write(node, at.toLocaleTimeString("fr-FR", { timeZone, hour12: false }));
    }
    hv.judge?.();
  };
  setInterval(() => hv.tick(), 1000);
  // What waits blinks by one mark on the document, twice in 1.25 s: an animation for each symbol would be drawn anew with
  // every frame. The style sheet does nothing with it where the reader asked for reduced motion.
  const DIM = 400, BRIGHT = 850; // [ms]
  const blink = (dim) => {
    document.documentElement.toggleAttribute("data-dim", dim && !document.hidden);
    setTimeout(blink, dim ? DIM : BRIGHT, !dim);
  };
  blink(false);
  // Parts that were just drawn get their ages before the next tick; what is written here adds texts, and no part.
  const EMPTY = "[data-since]:empty, [data-since-message]:empty, [data-clock]:empty";
  const isNew = (node) => node.nodeType === Node.ELEMENT_NODE && (node.matches(EMPTY) || Boolean(node.firstElementChild && node.querySelector(EMPTY)));
  let asked = false;
  new MutationObserver((changes) => {
    if (asked || !changes.some((change) => [...change.addedNodes].some(isNew))) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      hv.tick();
      hv.markRail?.();
    });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
