/** Entry of the ordinary pages. Every form here works without it. */
import { copyButtons, say } from "./page/dom.js";
import { Downloads } from "./downloads.js";
import { sayLive, Search } from "./search.js";
import { readWords } from "./words.js";

/** `/` goes to the search box, by place on the keyboard; `?` opens the sheet of keys where a page has one. */
function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Slash" || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (document.activeElement?.matches("input, textarea, select, [contenteditable]")) return;
    const search = document.querySelector('input[type="search"]');
    const sheet = document.getElementById("keys");
    if (event.shiftKey && sheet instanceof HTMLDialogElement) sheet.showModal();
    else if (!event.shiftKey && search instanceof HTMLInputElement) search.select();
    else return;
    event.preventDefault();
  });
}

/** A form is sent once: its button rests until the answer, and says what is going on if it has words for it. */
function forms() {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || form.method !== "post") return;
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    setTimeout(() => {
      button.disabled = true;
      const label = button.querySelector("[data-label]") ?? button;
      if (button.dataset.busy) label.textContent = button.dataset.busy;
    }, 0);
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("form[method=post] button:disabled")) button.removeAttribute("disabled");
  });
}

/** Questions before what cannot be undone: `<button data-opens="dialog-id">`. */
function dialogs() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    const dialog = document.getElementById(/** @type {HTMLElement} */ (button).dataset.opens ?? "");
    if (dialog instanceof HTMLDialogElement) button.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
  }
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
}

/** Forms with `data-ask` are sent after a yes in the dialog `#ask`; without a script they are sent at once. */
function asks() {
  const dialog = document.getElementById("ask");
  if (!(dialog instanceof HTMLDialogElement)) return;
  /** @type {HTMLFormElement | null} */
  let asked = null;
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.dataset.ask || form === asked) return;
    event.preventDefault();
    asked = form;
    say(dialog.querySelector("h2"), form.dataset.ask);
    dialog.showModal();
  }, true);
  dialog.querySelector("[data-yes]")?.addEventListener("click", () => asked?.requestSubmit());
  dialog.addEventListener("close", () => { asked = null; });
}

const TOAST_MS = 8000;

/** A toast goes by itself, but not from under the pointer or the focus. */
function toasts() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    const timer = setInterval(() => {
      if (toast.matches(":hover, :focus-within")) return;
      toast.remove();
      clearInterval(timer);
    }, TOAST_MS);
  }
}

/** Choosing a dub shows it; without a script a button does. */
function dubs() {
  document.addEventListener("change", (event) => {
    const form = event.target instanceof HTMLInputElement ? event.target.form : null;
    if (form?.matches("[data-dubs]")) form.requestSubmit();
  });
}

readWords();
keys();
forms();
asks();
dialogs();
toasts();
dubs();
if (!document.querySelector(".player")) copyButtons(); // the player's own script wires them there
if (document.querySelector("[data-downloads], [data-wish]")) new Downloads(document.body.dataset.memberToken ?? "");
sayLive();
const search = document.querySelector("[data-search]");
if (search instanceof HTMLElement) void new Search(search).run();
