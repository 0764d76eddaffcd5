// The workspace beyond links and forms: the palette, keys that lead to pages, drafts, checks while typing.
"use strict";

(() => {
  const KEYS_OFF = "continuum-keys-off";
  const DRAFT_WAIT_MS = 3000;
  const RETRY_MS = 5000;
  const GO = { s: "", t: "timeline", m: "medicines", l: "labs", v: "vitals", n: "notes" };

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    (dialog.querySelector("input:not([type=checkbox])") ?? dialog.querySelector("h2")).focus();
  }

  // The palette: what is typed narrows the pages at once; patients come from the server.
  function narrow(input) {
    const wanted = input.value.trim().toLowerCase();
    for (const item of document.querySelectorAll("#palette-pages > li")) {
      item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
    }
  }

  function links() {
    return [...document.querySelectorAll("#palette a")].filter((link) => link.offsetParent !== null);
  }

  document.addEventListener("input", (event) => {
    if ("palette" in event.target.dataset) narrow(event.target);
  });

  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open("palette");
      return;
    }
    const palette = event.target.closest?.("#palette");
    if (palette && (event.key === "ArrowDown" || event.key === "ArrowUp" || event.key === "Enter")) {
      const all = links();
      const at = all.indexOf(document.activeElement);
      if (event.key === "Enter") {
        if (at < 0 && all.length) { event.preventDefault(); all[0].click(); }
        return;
      }
      event.preventDefault();
      const to = event.key === "ArrowDown" ? at + 1 : at - 1;
      (to < 0 ? palette.querySelector("input") : all[Math.min(to, all.length - 1)])?.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || localStorage.getItem(KEYS_OFF)) return;
    if (event.key === "?") { open("keys"); return; }
    if (event.key === "g") { leader = Date.now(); return; }
    if (Date.now() - leader > 1500) return;
    leader = 0;
    const chart = document.querySelector(".patient__name a");
    if (event.key === "p") window.location.assign("/workspace");
    else if (chart && event.key in GO) window.location.assign(GO[event.key] ? `${chart.href}/${GO[event.key]}` : chart.href);
  });

  // Single keys can be switched off (WCAG 2.1.4); the browser remembers it.
  const keysOn = document.getElementById("keys-on");
  if (keysOn) {
    keysOn.checked = !localStorage.getItem(KEYS_OFF);
    keysOn.addEventListener("change", () => {
      if (keysOn.checked) localStorage.removeItem(KEYS_OFF);
      else localStorage.setItem(KEYS_OFF, "1");
    });
  }

  // Drafts: what is typed is kept on the server a moment later, and again until the server has it.
  const form = document.querySelector("form[data-draft]");
  if (form) {
    const state = document.getElementById("draft-state");
    let timer = 0;
    let sending = false;
    let dirty = false;
    async function save() {
      if (sending) return;
      sending = true;
      dirty = false;
      try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        state.textContent = `${form.dataset.saved} ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
        form.dataset.kept = "yes";
      } catch {
        dirty = true;
        state.textContent = form.dataset.unsaved;
        clearTimeout(timer);
        timer = setTimeout(() => { timer = 0; save(); }, RETRY_MS);
      }
      sending = false;
      if (dirty && !timer) timer = setTimeout(() => { timer = 0; save(); }, DRAFT_WAIT_MS);
    }
    // Who types without a pause is saved all the same: a timer that runs is left alone.
    form.addEventListener("input", () => {
      dirty = true;
      if (!timer && !sending) timer = setTimeout(() => { timer = 0; save(); }, DRAFT_WAIT_MS);
    });
    form.addEventListener("submit", () => { clearTimeout(timer); dirty = false; });
    window.addEventListener("pagehide", () => { if (dirty) save(); });
  }

  // Answers to messages: a template is put where the cursor is; what is written stays.
  document.addEventListener("click", (event) => {
    const template = event.target.closest("[data-template]")?.dataset.template;
    const text = document.getElementById("text");
    if (template === undefined || !text) return;
    text.setRangeText(template, text.selectionStart, text.selectionEnd, "end");
    text.focus();
  });

  // Vital signs: what cannot be or is unusual is said while somebody types. The server decides again.
  const measures = document.querySelector(".measures");
  if (measures) {
    const toOurs = { "[degF]": (value) => (value - 32) * 5 / 9, "[lb_av]": (value) => value * 0.45359237, "[in_i]": (value) => value * 2.54 };
    function check(input) {
      const say = document.getElementById(`${input.id}-say`);
      const unit = document.getElementById(`${input.id}-unit`);
      const typed = input.value.trim().replace(",", ".");
      let value = Number(typed);
      if (unit && unit.value in toOurs) value = toOurs[unit.value](value);
      const cannot = typed !== "" && (Number.isNaN(value) || value < Number(input.dataset.low) || value > Number(input.dataset.high));
      const unusual = typed !== "" && !cannot && (value < Number(input.dataset.usualLow) || value > Number(input.dataset.usualHigh));
      say.textContent = cannot ? measures.dataset.sayCannot : unusual ? measures.dataset.sayUnusual : "";
      say.classList.toggle("measure__say--cannot", cannot);
    }
    measures.addEventListener("change", (event) => {
      const id = event.target.id.replace(/-unit$/, "");
      const input = document.getElementById(id);
      if (input && "low" in input.dataset) check(input);
    });
  }
})();
