// Sound: the worst priority that waits is heard again and again until somebody has acknowledged it.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const KEY = "hypervision_sound";
  // Tones [Hz] of 0.16 s each, and the time to the next turn [s]: the worse, the more often and the higher.
  const PATTERNS = {
    critical: { tones: [988, 740, 988, 740], every: 3 },
    high: { tones: [784, 784], every: 8 },
    medium: { tones: [587], every: 20 },
    low: { tones: [440], every: 60 },
  };
  const ORDER = Object.keys(PATTERNS);
  const QUIET = 600000; // A mute ends by itself [ms].
  const TONE = 0.16, GAP = 0.05;
  const usual = { on: true, volume: 0.5, critical: true, high: true, medium: false, low: false };
  const settings = () => {
    try {
      return { ...usual, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
    } catch {
      return usual;
    }
  };
  const change = (given) => localStorage.setItem(KEY, JSON.stringify({ ...settings(), ...given }));
  const dialog = () => document.getElementById("room-sound");
  const texts = () => hv.textsOf(dialog());

  let context = null;
  let muted = 0;
  let last = { priority: "", at: -Infinity };
  hv.heard = []; // What was played, for who cannot hear it.
  // A browser lets no page sound before somebody has touched it, unless it was told to: it is asked now and then.
  const AGAIN = 15000;
  let tried = -AGAIN;
  const ready = async () => {
    context ??= new AudioContext();
    if (context.state === "suspended" && (navigator.userActivation?.hasBeenActive || performance.now() - tried > AGAIN)) {
      tried = performance.now();
      await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 250))]);
    }
    return context.state === "running";
  };
  const play = async (priority) => {
    if (!(await ready())) return false;
    const volume = settings().volume;
    PATTERNS[priority].tones.forEach((tone, i) => {
      const begins = context.currentTime + i * (TONE + GAP);
      const source = new OscillatorNode(context, { type: "triangle", frequency: tone });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, begins);
      gain.gain.linearRampToValueAtTime(volume, begins + 0.015);
      gain.gain.linearRampToValueAtTime(0, begins + TONE);
      source.connect(gain).connect(context.destination);
      source.start(begins);
      source.stop(begins + TONE);
    });
    hv.heard = [...hv.heard.slice(-20), { priority, at: Date.now() }];
    return true;
  };
  // The counters blink for what waits: what is seen and what is heard is the same.
  const waiting = () => {
    const chosen = settings();
    return chosen.on ? ORDER.find((name) => chosen[name] && document.querySelector(`.counters .sym-${name}.sym-waiting`)) : undefined;
  };
  const badge = (blocked) => {
    const node = document.getElementById("sound-badge");
    if (node && node.hidden === blocked) node.hidden = !blocked;
    const tool = document.querySelector(".tool-sound .icon");
    const off = !settings().on || performance.now() < muted;
    tool?.classList.toggle("icon-mute", off);
    tool?.classList.toggle("icon-sound", !off);
  };
  let busy = false;
  const turn = async () => {
    if (busy || document.documentElement.dataset.leaving) return;
    busy = true;
    try {
      const worst = waiting();
      // Where sounds are wanted, it is known before the first alarm whether they will be heard.
      const heard = !settings().on || (await ready());
      badge(!heard);
      if (!worst || performance.now() < muted) return;
      const due = worst !== last.priority || performance.now() - last.at >= 1000 * PATTERNS[worst].every;
      if (due && (await play(worst))) last = { priority: worst, at: performance.now() };
    } finally {
      if (!waiting()) last = { priority: "", at: -Infinity };
      busy = false;
    }
  };

  const switchOf = (label, on, act) => {
    const box = hv.make("input", { type: "checkbox", change: () => act(box.checked) });
    box.checked = on;
    return hv.make("label", { class: "room-check" }, box, label);
  };
  const draw = () => {
    const place = document.getElementById("room-sound-set");
    if (!place) return;
    const t = texts();
    const names = JSON.parse(dialog().dataset.priorities);
    const chosen = settings();
    const volume = hv.make("input", { type: "range", min: 0.05, max: 1, step: 0.05, value: chosen.volume, id: "room-volume", change: () => change({ volume: Number(volume.value) }) });
    place.replaceChildren(
      switchOf(t.sound_on, chosen.on, (on) => change({ on })),
      hv.make("div", { class: "room-volume" }, hv.make("label", { for: "room-volume" }, t.volume), volume),
      ...ORDER.map((name) =>
        hv.make("div", { class: "room-sound" },
          switchOf(names[name], chosen[name], (on) => change({ [name]: on })),
          hv.make("button", { type: "button", class: "btn btn-small", "data-sound-test": name, click: async () => badge(!(await play(name))) }, `${t.test} · ${names[name]}`))
      ),
      hv.make("button", { type: "button", class: "btn", "data-sound-mute": "1", click: () => {
        muted = performance.now() + QUIET;
        hv.tell(t.muted);
        badge(false);
      } }, t.mute)
    );
  };
  document.addEventListener("hv:open", (event) => event.target.id === "room-sound" && draw(), true);
  document.addEventListener("click", async (event) => {
    if (event.target.closest?.("[data-sound-unblock]")) badge(!(await ready()));
  });
  setInterval(turn, 1000);
})();
