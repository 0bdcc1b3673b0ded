// Terms that are explained where a pointer hovers over them, a finger touches them or focus is on
// them. In each section, the first occurrence of a term is marked.

const TERM_PLACES =
  "h2, h3, header > p, section > p, .facts dt, figcaption, caption, .legend span, thead th";

// Names of operations, one of which is "none", are terms in legends alone.
function termPattern(inLegend) {
  const words = Object.keys(data.terms || {}).filter((word) => inLegend || !(word in data.looks));
  words.sort((a, b) => b.length - a.length);
  const quoted = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return words.length ? new RegExp(`(?<![\\w-])(?:${quoted.join("|")})s?(?![\\w:-])`, "gi") : null;
}

// The term that a word is, which may be its plural.
function termOf(word) {
  const term = word.toLowerCase();
  return term in data.terms ? term : term.slice(0, -1);
}

function markTerms() {
  const [plain, inLegends] = [termPattern(false), termPattern(true)];
  if (!plain) return;
  const tip = html("div", { class: "tip", role: "tooltip", hidden: "" });
  const texts = html("div", { hidden: "" });
  document.body.append(tip, texts);
  const ids = new Map();
  for (const part of document.querySelectorAll("header, section")) {
    const done = new Set();
    for (const place of part.querySelectorAll(TERM_PLACES)) {
      markIn(place, place.matches(".legend span") ? inLegends : plain, done);
    }
  }
  for (const button of document.querySelectorAll(".term")) {
    const term = termOf(button.textContent);
    if (!ids.has(term)) {
      ids.set(term, `term-${ids.size}`);
      texts.append(html("div", { id: ids.get(term) }, data.terms[term]));
    }
    button.setAttribute("aria-describedby", ids.get(term));
  }
  explainOn(tip);
}

function markIn(place, pattern, done) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    if (node.parentElement.closest(".term, svg, output")) continue;
    const parts = [];
    let end = 0;
    for (const found of node.data.matchAll(pattern)) {
      const term = termOf(found[0]);
      if (done.has(term)) continue;
      done.add(term);
      parts.push(node.data.slice(end, found.index),
        html("button", { type: "button", class: "term" }, found[0]));
      end = found.index + found[0].length;
    }
    if (parts.length) node.replaceWith(...parts, node.data.slice(end));
  }
}

function explainOn(tip) {
  let current = null;
  const hide = () => { tip.hidden = true; current = null; };
  const explain = (term) => {
    current = term;
    tip.textContent = data.terms[termOf(term.textContent)];
    tip.hidden = false;
    const box = term.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left, width - tip.offsetWidth - 8));
    const fits = box.bottom + tip.offsetHeight + 8 < innerHeight || box.top < tip.offsetHeight + 8;
    const top = fits ? box.bottom + 4 : box.top - tip.offsetHeight - 4;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
  };
  const termAt = (event) => event.target.closest && event.target.closest(".term");
  document.addEventListener("pointerover", (event) => {
    const term = termAt(event);
    if (term) explain(term);
    else if (event.target !== tip && document.activeElement !== current) hide();
  });
  document.addEventListener("focusin", (event) => {
    if (termAt(event)) explain(termAt(event));
    else hide();
  });
  document.addEventListener("focusout", hide);
  // A touch of a term explains it, also where it gets no focus by that; any other hides it.
  document.addEventListener("click", (event) => {
    if (termAt(event)) explain(termAt(event));
    else if (event.target !== tip) hide();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}
