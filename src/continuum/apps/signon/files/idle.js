// Asks whether somebody is still there before the session ends by itself. The server decides; this only shows it.
"use strict";

const idle = document.getElementById("idle");
const leftMs = Number(idle.dataset.leftS) * 1000;
const warningMs = Number(idle.dataset.warningS) * 1000;
let before = null;
setTimeout(() => {
  before = document.activeElement;
  idle.hidden = false;
  idle.querySelector("button").focus();
}, Math.max(0, leftMs - warningMs));
setTimeout(() => { window.location.assign(idle.dataset.out); }, leftMs + 1000);
idle.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { idle.hidden = true; if (before) before.focus(); }
});
