// Puts everything in its place.

const RELOAD = 30;

const drawers = {
  cells: () => cellsDrawn(data.genotypes.map((_, place) => place), data.kind === "search"),
  weights: () => html("div", {}, ...weightFigures()),
  alphas: () => html("div", { class: "heats" },
    ...Object.entries(data.tables).map(([cell, table]) => heatTable(cell, table))),
};

function draw(name) {
  if (drawers[name]) return drawers[name]();
  const [kind, number] = name.split("-");
  if (kind === "cells") {
    return cellsDrawn([Number(number)], false);
  }
  const stop = name === "stopping" ? data.stop : null;
  const charts = data.charts[name].filter((chart) => chart.series.length);
  for (const { series } of charts.filter((chart) => chart.operations)) {
    const columns = series.map((one) => one.name);
    for (const one of series) Object.assign(one, columnLook({ columns }, one.name));
  }
  return html("div", { class: "charts" }, ...charts.map((chart, n) =>
    lineChart(chart, { stop: n === 0 ? stop : null })));
}

// One slider for the whole page.
function epochBar() {
  const last = data.epochs.length - 1;
  const slider = html("input", { type: "range", id: "epoch", min: 0, max: last, step: 1 });
  const told = html("output", { for: "epoch" });
  const step = (words, sign, by) => {
    const button = html("button", { type: "button", "aria-label": words }, sign);
    button.addEventListener("click", () => show(shown.index + by));
    return button;
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  watch((index) => {
    slider.value = index;
    slider.setAttribute("aria-valuetext", `epoch ${data.epochs[index]}`);
    told.textContent = `${data.epochs[index]} (${data.epochs[0]} to ${data.epochs[last]})`;
  });
  return html("div", { class: "epoch-bar" }, html("label", { for: "epoch" }, "Epoch"),
    step("The epoch before", "\u2039", -1), slider, step("The next epoch", "\u203a", 1), told);
}

// The address remembers a chosen epoch, so that a page that loads itself again keeps it.
function rememberEpoch() {
  const asked = /^#epoch=(\d+)$/.exec(location.hash);
  const place = asked ? data.epochs.indexOf(Number(asked[1])) : -1;
  if (place >= 0) show(place);
  let first = true;
  watch((index) => {
    const latest = index === data.epochs.length - 1;
    if (!first) history.replaceState(null, "", latest ? "#" : `#epoch=${data.epochs[index]}`);
    first = false;
  });
}

function keepFresh() {
  const note = document.querySelector(".again");
  note.textContent = `This page loads itself again every ${RELOAD} seconds while the run is under way.`;
  note.hidden = false;
  let touched = 0;
  for (const name of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
  setInterval(() => {
    const reading = Date.now() - touched < 10000 || !getSelection().isCollapsed;
    if (document.visibilityState === "visible" && !reading) location.reload();
  }, RELOAD * 1000);
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copies);
  const told = button.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  told.textContent = "Copied.";
  setTimeout(() => { told.textContent = ""; }, 4000);
}

for (const place of document.querySelectorAll("[data-draw]")) {
  place.append(draw(place.dataset.draw));
}
for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", () => copy(button));
}
markTerms();
if (data.epochs.length > 1) {
  document.querySelector("main").prepend(epochBar());
  rememberEpoch();
}
if (!data.finished) keepFresh();

// On paper: the last epoch, and all edges.
let before = null;
addEventListener("beforeprint", () => {
  before = shown.index;
  show(data.epochs.length - 1);
  for (const more of document.querySelectorAll(".cell-part details")) more.open = true;
});
addEventListener("afterprint", () => show(before));
