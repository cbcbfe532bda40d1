// The log-in page: sends the credentials as JSON and tells what went wrong.
"use strict";
(() => {
  const form = document.getElementById("form");
  const error = document.getElementById("error");
  const button = form.querySelector("button");
  const second = document.getElementById("second");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.textContent = "";
    try {
      const answer = await fetch("/api/v1/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: form.user.value, password: form.password.value, code: second.hidden ? "" : form.code.value }),
      });
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) {
        // A log-out that was never confirmed has ended with the new log-in.
        localStorage.removeItem("hypervision_leaving");
        location.assign(told.enrolling ? "/account" : form.dataset.next);
        return;
      }
      if (answer.status === 401 && told.second) {
        // The password was right: the code is asked for where it is known that there is one.
        error.textContent = second.hidden ? form.dataset.second : form.dataset.secondWrong;
        second.hidden = false;
        form.code.required = true;
        button.disabled = false;
        form.code.focus();
        form.code.select();
        return;
      }
      if (answer.status === 429) error.textContent = form.dataset.wait.replace("{n}", answer.headers.get("retry-after") || "60");
      else error.textContent = answer.status === 401 || answer.status === 422 ? form.dataset.wrong : form.dataset.away;
    } catch {
      error.textContent = form.dataset.away;
    }
    button.disabled = false;
    form.password.select();
  });
  document.querySelector("[data-language]").addEventListener("click", (event) => {
    document.cookie = `hypervision_language=${event.target.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  });
})();
