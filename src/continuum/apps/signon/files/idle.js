// Asks whether somebody is still there before the session ends by itself. The server decides; this only shows it.
"use strict";

(() => {
  const idle = document.getElementById("idle");
  const form = idle.querySelector("form");
  const away = document.getElementById("idle-away");
  const warningMs = Number(idle.dataset.warningS) * 1000;
  const AGAIN_MS = 15_000; // until a server that did not answer is asked once more
  let endsMs = performance.now() + Number(idle.dataset.leftS) * 1000; // as far as this page knows
  let actedMs = -Infinity; // when somebody last did something here that the server need not have seen
  let before = null; // what had the focus when the question came
  let staying = false; // whether the server is being told that somebody is here
  let atLimit = idle.dataset.atLimit === "yes"; // whether the session ends then whatever is done
  let told = false; // whether that was said
  let timer;

  const now = () => performance.now();

  function shown() {
    if (!idle.hidden) return;
    for (const part of idle.querySelectorAll("[data-end]")) {
      part.hidden = part.dataset.end !== (atLimit ? "limit" : "idle");
    }
    before = document.activeElement;
    idle.hidden = false;
    // There is nothing to answer at the limit, and somebody may be typing: it is read out, and takes no focus.
    if (atLimit) away.textContent = away.dataset.limit;
    else form.querySelector("button").focus();
  }

  function hidden() {
    if (idle.hidden) return;
    const inside = idle.contains(document.activeElement);
    idle.hidden = true;
    away.textContent = "";
    if (inside && before && before.isConnected) before.focus();
  }

  // Asks the server how long the session lasts; `stays` says that somebody is here. Seconds, 0 for one that is over,
  // null where the server does not answer.
  async function asked(stays) {
    const how = stays ? { method: "POST", body: new URLSearchParams(new FormData(form)) } : {};
    const address = stays ? form.getAttribute("action") : idle.dataset.left;
    try {
      const answer = await fetch(address, { ...how, cache: "no-store", redirect: "manual" });
      if (answer.ok) {
        const said = await answer.json();
        atLimit = said.at_limit;
        return said.left_s;
      }
      if (answer.status === 403 && stays) return asked(false); // forms of this page are void: signed in anew elsewhere
      return answer.type === "opaqueredirect" ? 0 : null;
    } catch {
      return null;
    }
  }

  function wake(afterMs) {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(0, afterMs));
  }

  function take(leftS) {
    if (leftS === 0) {
      window.location.assign(idle.dataset.out + (atLimit ? "limit" : "idle"));
      return;
    }
    if (leftS !== null) endsMs = now() + leftS * 1000;
    const leftMs = endsMs - now();
    if (leftMs > warningMs) {
      hidden();
      wake(leftMs - warningMs);
    } else {
      if (!told) shown();
      told = atLimit;
      // Nobody leaves a page for a server that is away: what is typed would be gone, and nothing in its place.
      wake(leftS === null ? AGAIN_MS : leftMs + 1000);
    }
  }

  // Time is up, for the question or for the session. Who typed or pointed at something just now is here, and not asked.
  async function look() {
    take(await asked(now() - actedMs < warningMs));
  }

  async function stay() {
    if (staying) return;
    staying = true;
    const leftS = await asked(true);
    staying = false;
    away.textContent = leftS === null ? away.dataset.words : "";
    take(leftS);
  }

  idle.querySelector("button[type=button]").addEventListener("click", hidden);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    stay();
  });

  idle.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hidden();
  });

  // Whoever goes on with their work after the question has answered it.
  function acted(event) {
    if (!event.isTrusted || idle.contains(event.target)) return;
    actedMs = now();
    if (actedMs > endsMs - warningMs && !told) stay();
  }
  for (const kind of ["keydown", "pointerdown", "input"]) {
    document.addEventListener(kind, acted, { capture: true, passive: true });
  }

  // Timers sleep with the machine; whoever comes back is told at once.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && now() > endsMs - warningMs) wake(0);
  });

  wake(endsMs - warningMs - now());
})();
