// The weights of every edge as curves, and the architecture parameters as heat maps.

function edgeName([source, target]) {
  return `${nodeName(source, -1)} \u2192 ${target - 2}`;
}

function candidateLook(name) {
  const first = data.candidates.find((other) => kindOf(other) === kindOf(name));
  return `${kindOf(name)}${first === name ? "" : " dashed"}`;
}

function edgeChart(table, edge, title, high, look) {
  const series = data.candidates.map((name, column) => ({
    name, look: candidateLook(name), values: table.weights.map((epoch) => epoch[edge][column]),
  }));
  return lineChart({ title, series, zero: true, high }, look);
}

function weightFigures() {
  return Object.entries(data.tables).map(([cell, table]) => {
    const last = table.edges.length - 1;
    const high = Math.max(...table.weights.flat(2)) * 1.04;
    const front = [[0, "Shallowest edge"], [last, "Deepest edge"]].map(([edge, words]) =>
      edgeChart(table, edge, `${words}, ${edgeName(table.edges[edge])}`, high, {}));
    const all = html("div", { class: "small-charts" });
    const more = html("details", {}, html("summary", {}, `All ${last + 1} edges`), all);
    more.addEventListener("toggle", () => {
      if (all.childElementCount) return;
      table.edges.forEach((edge, n) =>
        all.append(edgeChart(table, n, edgeName(edge), high, { height: 120, legend: false })));
    });
    return html("div", { class: "cell-part" }, html("h3", { class: "cell-name" }, data.captions[cell]),
      html("div", { class: "charts" }, ...front), more);
  });
}

// A colour between those of the smallest and the greatest parameter, 0 being that of the page.
function heat(value, most) {
  const share = Math.min(62, Math.round((62 * Math.abs(value)) / (most || 1)));
  return `color-mix(in srgb, var(--${value < 0 ? "cold" : "warm"}) ${share}%, var(--card))`;
}

function heatTable(cell, table) {
  const head = data.candidates.map((name) =>
    html("th", { scope: "col" }, html("span", {}, name)));
  const boxes = table.edges.map(() => data.candidates.map(() => html("td", {})));
  const rows = table.edges.map((edge, n) =>
    html("tr", {}, html("th", { scope: "row" }, edgeName(edge)), ...boxes[n]));
  const most = Math.max(...table.alphas.flat(2).map(Math.abs));
  watch((index) => {
    const genotype = data.genotypes[index];
    const links = genotype ? genotype[cell].links : [];
    const kept = new Set(links.map(([name, source], n) => `${source} ${(n >> 1) + 2} ${name}`));
    table.edges.forEach((edge, row) => data.candidates.forEach((name, column) => {
      const value = table.alphas[index][row][column];
      const box = boxes[row][column];
      box.textContent = (Math.round(value * 100) / 100 || 0).toFixed(2).replace("-", "\u2212");
      box.style.background = heat(value, most);
      box.className = kept.has(`${edge[0]} ${edge[1]} ${name}`) ? "kept" : "";
    }));
  });
  return html("table", { class: "heat" },
    html("caption", {}, data.captions[cell]),
    html("thead", {}, html("tr", {}, html("td", {}), ...head)),
    html("tbody", {}, ...rows));
}
