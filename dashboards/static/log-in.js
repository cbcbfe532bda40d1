// The log-in page: sends the credentials as JSON and tells what went wrong.
"use strict";
(() => {
  const form = document.getElementById("form");
  const error = document.getElementById("error");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.textContent = "";
    try {
      const answer = await fetch("/api/v1/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: form.user.value, password: form.password.value }),
      });
      if (answer.ok) {
        // A log-out that was never confirmed has ended with the new log-in.
        localStorage.removeItem("hypervision_leaving");
        location.assign(form.dataset.next);
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
