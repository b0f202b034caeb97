"use strict";
// Brings the page up to date in place, touching only what changed: focus, selection and scroll position stay.
const EVERY = 5000;
const lost = document.querySelector(".lost");
let seen = new Date();

function morph(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeName !== next.nodeName || now.id !== next.id) {
    now.replaceWith(next.cloneNode(true));
  } else if (now.nodeType !== Node.ELEMENT_NODE) {
    now.nodeValue = next.nodeValue;
  } else {
    for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
    for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    const [have, want] = [[...now.childNodes], [...next.childNodes]];
    want.forEach((child, i) => (have[i] ? morph(have[i], child) : now.append(child.cloneNode(true))));
    have.slice(want.length).forEach((child) => child.remove());
  }
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
    if (!answer.ok) throw new Error(answer.status);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    morph(document.querySelector("main"), next.querySelector("main"));
    document.title = next.title;
    seen = new Date();
    lost.hidden = true;
  } catch {
    if (lost.hidden) lost.textContent = `The exporter does not answer. This is how things stood at ${seen.toLocaleTimeString()}.`;
    lost.hidden = false;
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
