// The page of the first administrator: the link's token stands behind the #, which no server and no log sees.
"use strict";
(() => {
  const form = document.getElementById("welcome");
  const said = JSON.parse(form.dataset.said);
  const error = document.getElementById("error");
  const button = form.querySelector("button");
  const token = location.hash.slice(1);
  if (!token) error.textContent = said.refused_none;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    if (form.password.value !== form.again.value) {
      error.textContent = said.differ;
      form.again.focus();
      return;
    }
    button.disabled = true;
    try {
      const answer = await fetch("/api/v1/welcome", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token: token || "-", user: form.user.value, password: form.password.value }),
      });
      if (answer.ok) {
        location.assign("/login");
        return;
      }
      const told = await answer.json().catch(() => ({}));
      error.textContent = answer.status === 422 ? (said[`refused_${told.reason}`] ?? said.refused_name) : said.away;
    } catch {
      error.textContent = said.away;
    }
    button.disabled = false;
  });
  document.querySelector("[data-language]").addEventListener("click", (event) => {
    document.cookie = `hypervision_language=${event.target.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  });
})();
