// Keeps a page in step that somebody watches: asks whether there is anything newer, and shows it without being touched.
"use strict";

(() => {
  const part = document.querySelector("[data-watch]");
  const said = document.getElementById("watch-said");
  const EVERY_MS = 500;
  const AWAY_MS = 5_000; // while the server does not answer

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-watch]");
    part.dataset.latest = fresh.dataset.latest;
    part.replaceChildren(...fresh.childNodes);
    said.textContent = said.dataset.words;
  }

  async function look() {
    let waitMs = EVERY_MS;
    if (document.visibilityState === "visible") {
      try {
        const address = `${part.dataset.watch}?after=${encodeURIComponent(part.dataset.latest)}`;
        const answer = await fetch(address, { cache: "no-store", redirect: "manual" });
        if (answer.status === 200) show(await answer.text());
        else if (answer.type === "opaqueredirect" || answer.status === 403) return; // not, or no longer, for this person
        else if (answer.status !== 204) waitMs = AWAY_MS;
      } catch {
        waitMs = AWAY_MS;
      }
    }
    setTimeout(look, waitMs);
  }

  setTimeout(look, EVERY_MS);
})();
