// What the pages do beyond links and forms. Nothing here is needed for reading.
"use strict";

(() => {
  // Menus: a button with `data-menu` folds what it controls.
  function toggleMenu(button) {
    button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
  }

  // Dialogs: the browser keeps the focus inside, closes on Escape and gives the focus back.
  function openDialog(button) {
    const dialog = document.getElementById(button.dataset.opens);
    if (dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector("h2")?.focus();
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-menu], [data-opens], [data-closes], [data-dismiss], [data-prints]");
    if (!button) {
      if (event.target instanceof HTMLDialogElement) event.target.close();
      return;
    }
    if ("menu" in button.dataset) toggleMenu(button);
    else if ("opens" in button.dataset) openDialog(button);
    else if ("closes" in button.dataset) button.closest("dialog")?.close();
    else if ("prints" in button.dataset) window.print();
    else button.closest("[data-toast]")?.remove();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.preferences[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  // Tabs: sections with headings become tabs (WAI-ARIA authoring practices: arrows, Home, End).
  function select(tabs, chosen, focus) {
    for (const tab of tabs) {
      const here = tab === chosen;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !here;
    }
    if (focus) chosen.focus();
  }

  function makeTabs(frame) {
    if (frame.classList.contains("tabs--live")) return;
    const panels = [...frame.querySelectorAll(":scope > [data-tab]")];
    if (panels.length < 2) return;
    const list = document.createElement("div");
    list.className = "tabs__list";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", frame.dataset.tabs);
    const tabs = panels.map((panel) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.className = "tabs__tab";
      tab.id = `${panel.id}-tab`;
      tab.textContent = panel.firstElementChild.textContent;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      panel.tabIndex = 0;
      list.append(tab);
      return tab;
    });
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) select(tabs, tab, false);
    });
    list.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      select(tabs, tabs[(to + tabs.length) % tabs.length], true);
    });
    frame.classList.add("tabs--live");
    frame.prepend(list);
    const wanted = panels.findIndex((panel) => `#${panel.id}` === location.hash);
    select(tabs, tabs[Math.max(wanted, 0)], false);
  }

  // What went wrong or well takes the focus once, on a new page as after a partial update.
  function giveFocus() {
    const found = document.querySelector("[data-takes-focus]");
    if (!found) return;
    found.removeAttribute("data-takes-focus");
    found.focus();
  }

  // A form with `data-steady` is sent only while the server answers: a browser's own page of errors would take its
  // place, and forget what was typed. Where it does not answer, the form says so and stays as it is.
  function notSent(form) {
    let said = form.querySelector("[data-not-sent]");
    if (!said) {
      said = document.createElement("div");
      said.className = "usa-alert usa-alert--error usa-alert--slim";
      said.dataset.notSent = "";
      said.tabIndex = -1;
      said.setAttribute("role", "alert");
      said.innerHTML = '<div class="usa-alert__body"><p class="usa-alert__text"></p></div>';
      form.prepend(said);
    }
    said.querySelector("p").textContent = form.dataset.away;
    said.focus();
  }

  async function sendSteadily(form, button) {
    try {
      const answer = await fetch("/livez", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
    } catch {
      form.dataset.steady = "";
      notSent(form);
      return;
    }
    form.dataset.steady = "sent";
    form.requestSubmit(button);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("steady" in form.dataset) || form.dataset.steady === "sent") return;
    event.preventDefault();
    if (form.dataset.steady === "asking") return;
    form.dataset.steady = "asking";
    sendSteadily(form, event.submitter);
  });

  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-steady]")) form.dataset.steady = "";
  });

  function prepare() {
    document.querySelectorAll("[data-tabs]").forEach(makeTabs);
    giveFocus();
  }

  document.addEventListener("DOMContentLoaded", prepare);
  document.addEventListener("htmx:after:swap", prepare);
})();
