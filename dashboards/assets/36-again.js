// A log-in that has ended in the middle of something: logged in anew over the page, which keeps all that was typed.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  // Somebody may log in in another tab, by the provider perhaps: looked for this often [ms].
  const LOOK = 2000;
  const data = () => document.getElementById("texts").dataset;
  let waiting = null;

  const field = (id, label, attributes) => {
    const place = document.createElement("p");
    const name = document.createElement("label");
    const input = document.createElement("input");
    name.htmlFor = input.id = id;
    name.textContent = label;
    Object.assign(input, attributes);
    place.append(name, input);
    return [place, input];
  };
  // Another person, or another role, has other pages: theirs begin anew.
  const same = (told) => {
    if (told.enrolling) return void location.assign("/account");
    if (told.user !== data().againWho || told.role !== data().againRole) return void location.reload();
    return true;
  };
  const open = (done) => {
    const dialog = document.createElement("dialog");
    dialog.id = "again";
    dialog.setAttribute("aria-labelledby", "again-title");
    const form = document.createElement("form");
    const title = document.createElement("h2");
    title.id = "again-title";
    title.textContent = data().againTitle;
    const lead = document.createElement("p");
    lead.textContent = data().againLead;
    const [userPlace, user] = field("again-user", data().againUser, { autocomplete: "username", required: true, maxLength: 64, value: data().againWho });
    const [passwordPlace, password] = field("again-password", data().againPassword, { type: "password", autocomplete: "current-password", required: true, maxLength: 1024 });
    const [codePlace, code] = field("again-code", data().againCode, { autocomplete: "one-time-code", maxLength: 32 });
    codePlace.hidden = true;
    const error = document.createElement("p");
    error.className = "again-error";
    error.setAttribute("role", "alert");
    const button = document.createElement("button");
    button.className = "btn";
    button.textContent = data().againButton;
    const other = document.createElement("a");
    other.href = "/login";
    other.target = "_blank";
    other.rel = "noopener";
    other.textContent = data().againOther;
    const leave = document.createElement("a");
    leave.href = `/login?next=${encodeURIComponent(location.pathname)}`;
    leave.textContent = data().againLeave;
    const links = document.createElement("p");
    links.className = "again-links";
    links.append(other, leave);
    form.append(title, lead, userPlace, passwordPlace, codePlace, error, button, links);
    dialog.append(form);
    const close = () => {
      clearInterval(looking);
      dialog.close();
      dialog.remove();
      // A page that was asked for in vain meanwhile is not there: what was typed stood on the one that was left.
      const drawn = document.querySelector("[data-page]")?.dataset.page;
      if (drawn !== undefined && drawn !== location.pathname) return location.reload();
      done();
    };
    const looking = setInterval(async () => {
      try {
        const answer = await fetch("/api/v1/account", { signal: AbortSignal.timeout(LOOK) });
        if (dialog.isConnected && answer.ok && same(await answer.json())) close();
      } catch {
        // Looked for again.
      }
    }, LOOK);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      error.textContent = "";
      try {
        const answer = await fetch("/api/v1/login", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ user: user.value, password: password.value, code: code.value }),
          signal: AbortSignal.timeout(10000),
        });
        const told = await answer.json().catch(() => ({}));
        if (answer.ok) {
          if (same(told) && dialog.isConnected) close();
          return;
        }
        if (told.second) {
          codePlace.hidden = false;
          code.required = true;
        }
        const wait = answer.headers.get("retry-after") ?? "60";
        error.textContent = answer.status === 429 ? data().againWait.replace("{n}", wait) : told.second ? data().againSecond : answer.status < 500 ? data().againWrong : data().againAway;
        (told.second ? code : password).select();
      } catch {
        error.textContent = data().againAway;
      }
      button.disabled = false;
    });
    // Esc would leave a screen that is told nothing any more.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    password.focus();
  };
  // Resolves once somebody is logged in again, the same as before.
  hv.logInAgain = () => {
    if (hv.leaving) return new Promise(() => {});
    if (!document.getElementById("texts")) return void location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    waiting ??= new Promise((resolve) => open(resolve)).finally(() => {
      waiting = null;
    });
    return waiting;
  };
})();
