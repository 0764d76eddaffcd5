// Writing a message: drafts go to the server every ten seconds; where somebody says that the device is theirs, an
// encrypted copy stays on it while the server cannot be reached. Its key comes with the page and is kept nowhere.
"use strict";

(() => {
  const KEEP_EVERY_MS = 10_000;
  const RETRY_MS = 5_000;
  const OWN_DEVICE = "continuum-own-device";
  const NOT_KEPT = new Set(["csrf", "id", "signature", "files"]);

  const form = document.querySelector("form[data-draft]");
  const signature = document.querySelector("[data-signature]");
  if (signature) {
    const show = () => { signature.hidden = !document.querySelector("[data-signs]:checked"); };
    document.addEventListener("change", show);
    show();
  }
  if (!form) return;

  const state = document.getElementById("draft-state");
  const own = form.querySelector("[data-own-device]");
  const place = `continuum-copy:${form.dataset.local ?? ""}`;
  let timer = 0;
  let dirty = false;
  let sending = false;
  let leaving = false;

  function fields() {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && (!NOT_KEPT.has(name) || name === "csrf")) found.append(name, value);
    }
    return found;
  }

  function key() {
    const bytes = Uint8Array.from(form.dataset.localKey.match(/../g), (pair) => parseInt(pair, 16));
    return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }

  async function copy() {
    if (!own?.checked || !form.dataset.localKey) return;
    const words = fields();
    words.delete("csrf");
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify({ at: Date.now(), words: words.toString() }));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await key(), plain);
    localStorage.setItem(place, btoa(String.fromCharCode(...nonce, ...new Uint8Array(sealed))));
  }

  async function found() {
    const text = localStorage.getItem(place);
    if (!text || !form.dataset.localKey) return null;
    try {
      const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.slice(0, 12) }, await key(), bytes.slice(12));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      // Another session's: its key is gone for good, and so is what it kept.
      localStorage.removeItem(place);
      return null;
    }
  }

  async function keep() {
    clearTimeout(timer);
    timer = 0;
    if (sending || !dirty) return;
    sending = true;
    dirty = false;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: fields(), keepalive: leaving });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      state.textContent = `${form.dataset.saved} ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
      if (!dirty) localStorage.removeItem(place);
    } catch {
      dirty = true;
      state.textContent = form.dataset.unsaved;
      await copy();
      timer = setTimeout(keep, RETRY_MS);
    }
    sending = false;
    if (dirty && !timer) timer = setTimeout(keep, KEEP_EVERY_MS);
  }

  form.addEventListener("input", () => {
    dirty = true;
    if (!timer && !sending) timer = setTimeout(keep, KEEP_EVERY_MS);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    dirty = false;
    localStorage.removeItem(place);
  });
  window.addEventListener("pagehide", () => { leaving = true; keep(); });

  const box = form.querySelector("[data-local]");
  if (box && own && window.crypto?.subtle) {
    box.hidden = false;
    own.checked = localStorage.getItem(OWN_DEVICE) === "yes";
    own.addEventListener("change", () => {
      if (own.checked) { localStorage.setItem(OWN_DEVICE, "yes"); return; }
      localStorage.removeItem(OWN_DEVICE);
      localStorage.removeItem(place);
    });
    found().then((kept) => {
      if (!kept || kept.at < Number(form.dataset.keptMs || 0)) return;
      for (const [name, value] of new URLSearchParams(kept.words)) {
        const field = form.elements.namedItem(name);
        if (field && "value" in field) field.value = value;
      }
      state.textContent = form.dataset.back;
      dirty = true;
      keep();
    });
  }
})();
