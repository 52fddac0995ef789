/** Puts the newest main part of this page in place of the old one; the server draws it, nothing is built from text here. */

const GAP_MS = 1500;
let asked_ms = -Infinity;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Refreshes soon, once for all that ask meanwhile, and never while somebody types or answers a question. */
export function refreshSoon() {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    if (isBusy()) refreshSoon();
    else refresh();
  }, Math.max(400, asked_ms + GAP_MS - performance.now()));
}

function isBusy() {
  const focused = document.activeElement;
  const typing = focused?.matches("main input:not([type=radio]), main select, main textarea") ?? false;
  const asking = document.querySelector("dialog[open], main .adder[open], .wish--held") !== null;
  return document.hidden || typing || asking;
}

function refresh() {
  asked_ms = performance.now();
  const request = new XMLHttpRequest(); // parses into a document by itself, without scripts
  request.open("GET", location.href);
  request.responseType = "document";
  request.timeout = 15_000;
  request.addEventListener("load", () => {
    const fresh = request.responseXML?.querySelector("main");
    const old = document.querySelector("main");
    if (request.status !== 200 || !fresh || !old) return;
    const name = nameOf(document.activeElement, old);
    old.replaceWith(document.adoptNode(fresh));
    const same = name && [...fresh.querySelectorAll("a, button, input")].find((one) => nameOf(one, fresh) === name);
    if (same instanceof HTMLElement) same.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("kinodom:refreshed"));
  });
  request.send();
}

/** @param {Element | null} element @param {Element} root @returns {string} what the same element will be known by; empty: outside */
function nameOf(element, root) {
  if (!element || !root.contains(element)) return "";
  return `${element.localName} ${element.getAttribute("aria-label") ?? element.textContent}`;
}
