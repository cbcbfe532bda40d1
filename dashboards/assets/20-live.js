// The link to the server: a WebSocket, polling when it does not open, and the watchdog over both.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  // Each link proves a beat a second; past this silence the screen says that it is no longer alive [ms].
  const SILENT = 3000;
  let socket = null;
  let seq = 0;
  let page = null;
  let language = null;
  let failures = 0;
  let polling = null;
  let nextPoll = 0;
  let feed = { state: "live" };

  // Bookmarks and other programs write a colon as %3A; pages, links and the server know it as itself.
  if (/%3a/i.test(location.pathname)) history.replaceState(history.state, "", location.pathname.replace(/%3a/gi, ":") + location.search);
  const here = () => location.pathname;
  hv.visit = 0; // counts the pages that were opened: what was told for an earlier one is not for this one
  const subscribe = () => {
    page = here();
    language = hv.language();
    seq = 0;
    hv.visit += 1;
    hv.dropHeld();
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ page, language, after: seq }));
  };
  // A log-in that has ended is made anew over the page, which then goes on; a screen that is being left is not.
  const logIn = () => hv.logInAgain()?.then(() => socket ?? connect());
  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const opened = new WebSocket(`${scheme}://${location.host}/live`);
    socket = opened;
    opened.onopen = () => {
      failures = 0;
      document.documentElement.dataset.transport = "socket";
      // What is told before the page is drawn would be lost: `follow` asks once it is.
      page = null;
      follow();
    };
    opened.onmessage = (event) => take(JSON.parse(event.data));
    opened.onclose = (event) => {
      if (socket !== opened) return;
      socket = null;
      if (event.code === 4401) return logIn();
      failures += 1;
      setTimeout(connect, Math.min(500 * 2 ** Math.min(failures, 4), 5000));
    };
  };
  const poll = async () => {
    if (socket?.readyState === WebSocket.OPEN || failures < 2 || polling || performance.now() < nextPoll) return;
    nextPoll = performance.now() + 950;
    polling = new AbortController();
    const timer = setTimeout(() => polling?.abort(), 3000);
    try {
      if (!page) return;
      const query = new URLSearchParams({ page, language, after: String(seq) });
      const answer = await fetch(`/api/v1/live?${query}`, { signal: polling.signal });
      if (answer.status === 401) return void hv.logInAgain();
      if (answer.ok) {
        document.documentElement.dataset.transport = "polling";
        take({ ...(await answer.json()), page, language });
      }
    } catch {
      // The watchdog tells the operator; the next second tries again.
    } finally {
      clearTimeout(timer);
      polling = null;
    }
  };

  const take = (message) => {
    hv.lastMessage = performance.now();
    hv.ahead = message.at - Date.now();
    feed = message.feed;
    // An answer for the page that was left, or in the language before, is not for this screen.
    if (message.page === here() && message.page === page && message.language === language) {
      if (message.full || message.seq > seq) {
        seq = message.seq;
        for (const [id, props] of Object.entries(message.set)) {
          if (id === "map-places" || id === "map-marks") hv.takeMap?.(id, props.data);
          else if (document.getElementById(id) || id === "asset-tick") hv.put(id, props);
        }
        if (message.rows) hv.takeRows?.(message);
      }
    }
    hv.judge();
  };

  hv.judge = () => {
    const silent = performance.now() - hv.lastMessage;
    const root = document.documentElement;
    const cause = silent > SILENT ? "link" : feed.state === "live" ? "" : feed.state;
    const since = cause === "link" ? hv.now() - silent : feed.since;
    const lost = document.getElementById("lost-age");
    if (lost) {
      if (cause && since) lost.dataset.since = String(since);
      else delete lost.dataset.since;
      if (!since) lost.textContent = "—";
    }
    if (root.dataset.feed && (root.dataset.cause || "") === cause) return;
    root.dataset.feed = cause ? "lost" : "live";
    if (cause) root.dataset.cause = cause;
    else delete root.dataset.cause;
  };

  // Several tabs are told apart by their page, and a dead one is seen from the others.
  const entitle = () => {
    const page = document.querySelector("#page h1")?.textContent;
    const title = `${document.documentElement.dataset.feed === "lost" ? "⚠ " : ""}${page ? `${page} · ` : ""}Hypervision`;
    if (document.title !== title) document.title = title;
  };

  hv.markRail = () => {
    for (const link of document.querySelectorAll(".rail-link")) {
      const target = link.getAttribute("href");
      const is = target === here();
      // A page that is reached from another stands below it in the rail.
      link.classList.toggle("is-here", is || (target === "/health" && here() === "/rejected") || (target === "/alarms" && here().startsWith("/alarms/")));
      if (is) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };

  const follow = () => {
    const drawn = document.querySelector("[data-page]")?.dataset.page;
    if (drawn === here() && (page !== here() || language !== hv.language())) subscribe();
    hv.markRail();
    entitle();
    poll();
  };
  setInterval(follow, 250);
  // A page that has just been drawn asks at once.
  let asked = false;
  hv.drewPage = () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      follow();
    });
  };
  // A tab that was hidden asks for everything once, instead of replaying what it missed.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) page = null;
  });
  connect();
})();
