"use strict";
// Brings the page up to date in place, touching only what changed: focus, selection and scroll position stay.
const EVERY = 5000;
const lost = document.querySelector(".lost");
let seen = new Date();
let turn = 0;

const alike = (a, b) => a.nodeName === b.nodeName && a.id === b.id;

function morph(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeType !== Node.ELEMENT_NODE) {
    now.nodeValue = next.nodeValue;
    return;
  }
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  const wanted = new Set([...next.children].map((child) => child.id));
  for (const child of [...now.children]) if (child.id && !wanted.has(child.id)) child.remove();
  // What stays is never moved, for that would cost it the focus: others come in before it.
  let at = now.firstChild;
  for (const child of next.childNodes) {
    if (at && alike(at, child)) {
      morph(at, child);
      at = at.nextSibling;
    } else {
      const fresh = child.cloneNode(true);
      if (at && !at.id) at.replaceWith(fresh);
      else now.insertBefore(fresh, at);
      at = fresh.nextSibling;
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// The filter as the form has it, which began as the address had it.
function asked() {
  const query = new URLSearchParams(new FormData(document.querySelector("#filter")));
  if (!query.get("find").trim()) query.delete("find");
  return query.size ? `?${query}` : "";
}

async function refresh() {
  if (document.hidden) return;
  const mine = ++turn;
  const url = location.pathname + asked();
  try {
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
    if (!answer.ok) throw new Error(answer.status);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return;
    morph(document.querySelector("main"), next.querySelector("main"));
    if (url !== location.pathname + location.search) history.replaceState(null, "", url + location.hash);
    document.title = next.title;
    seen = new Date();
    lost.hidden = true;
  } catch {
    if (mine !== turn) return;
    if (lost.hidden) lost.textContent = `The exporter does not answer. This is how things stood at ${seen.toLocaleTimeString()}.`;
    lost.hidden = false;
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
document.addEventListener("input", refresh);
document.addEventListener("submit", (event) => event.preventDefault());
