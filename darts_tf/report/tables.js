// The weights of every edge as curves, and the architecture parameters as heat maps.

const DASHES = ["", " dashed", " dotted", " dash-dotted", " long-dashed", " far-dotted"];

// The color of an operation's family; within a family lines differ in their dashes.
function columnLook(table, name) {
  const family = table.columns.filter((other) => familyOf(other) === familyOf(name));
  const look = lookOf(name);
  return { look: `${look.class}${DASHES[family.indexOf(name) % DASHES.length]}`, style: look.style };
}

// The edges of a cell's genotype in an epoch; null where none of the table's edges is among them,
// as in a search whose edges are not known.
function keptEdges(cell, table, index) {
  const genotype = data.genotypes[index];
  const kept = new Set(genotype && genotype[cell] ? edgeTexts(genotype[cell]) : []);
  const has = ([source, target]) =>
    table.columns.some((name) => kept.has(`${source} ${target} ${name}`));
  return table.edges.some(has) ? kept : null;
}

function edgeChart(cell, edge, title, options) {
  const table = data.tables[cell];
  const all = table.columns.map((name, column) => ({
    name, ...columnLook(table, name), values: table.weights.map((epoch) => epoch[edge][column]),
  }));
  const series = all.filter((one) => one.values.some((value) => value !== null));
  const ends = table.edges[edge].join(" ");
  const chosen = (index) => {
    const kept = keptEdges(cell, table, index);
    return kept && table.columns.filter((name) => kept.has(`${ends} ${name}`));
  };
  return lineChart({ title, series }, { ...options, chosen });
}

function weightFigures() {
  return Object.entries(data.tables).map(([cell, table]) => {
    const last = table.edges.length - 1;
    const ends = last > 0 ? [[0, "Shallowest edge"], [last, "Deepest edge"]] : [[0, "Only edge"]];
    const front = ends.map(([edge, words]) =>
      edgeChart(cell, edge, `${words}, ${table.names[edge]}`, {}));
    const all = html("div", { class: "small-charts" });
    const more = html("details", {}, html("summary", {}, `All ${last + 1} edges`), all);
    more.addEventListener("toggle", () => {
      if (all.childElementCount) return;
      table.names.forEach((name, edge) =>
        all.append(edgeChart(cell, edge, name, { height: 120, legend: false })));
    });
    const part = html("div", { class: "cell-part" },
      html("h3", { class: "cell-name" }, data.captions[cell]),
      html("div", { class: "charts" }, ...front));
    if (last > 0) part.append(more);
    return part;
  });
}

// A color between those of the smallest and the greatest parameter, 0 being that of the page.
function heat(value, most) {
  const share = Math.min(62, Math.round((62 * Math.abs(value)) / (most || 1)));
  return `color-mix(in srgb, var(--${value < 0 ? "cold" : "warm"}) ${share}%, var(--card))`;
}

function heatTable(cell, table) {
  const head = table.columns.map((name) =>
    html("th", { scope: "col" }, html("span", {}, name)));
  const boxes = table.edges.map(() => table.columns.map(() => html("td", {})));
  const rows = table.names.map((name, n) =>
    html("tr", {}, html("th", { scope: "row" }, name), ...boxes[n]));
  const most = Math.max(...table.alphas.flat(2).map(Math.abs));
  watch((index) => {
    const kept = keptEdges(cell, table, index) || new Set();
    table.edges.forEach((edge, row) => table.columns.forEach((name, column) => {
      const value = table.alphas[index][row][column];
      const box = boxes[row][column];
      box.textContent = value === null
        ? "" : (Math.round(value * 100) / 100 || 0).toFixed(2).replace("-", "\u2212");
      box.style.background = value === null ? "none" : heat(value, most);
      box.className = kept.has(`${edge[0]} ${edge[1]} ${name}`) ? "kept" : "";
    }));
  });
  return html("table", { class: "heat" },
    html("caption", {}, data.captions[cell]),
    html("thead", {}, html("tr", {}, html("td", {}), ...head)),
    html("tbody", {}, ...rows));
}
