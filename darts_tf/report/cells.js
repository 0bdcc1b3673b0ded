// A cell as a graph. Nodes have fixed places, so that the eye sees what an epoch has changed.

const RADIUS = 13;
const PITCH = 56;
const ROW = 27;
const PILL = { near: 42, far: 138, half: 11, letter: 6.9, most: 12 };
const LANES = { first: 9, step: 7, fewest: 4 };
// Of graphs, whose edges are nothing but lines.
const ARCS = { pitch: 34, first: 22, step: 9 };
// The families whose colors the style sheet has, for light and dark pages.
const FAMILIES = ["none", "pool", "skip", "separable", "dilated", "convolution", "noise", "bottleneck", "activation"];

function nodeName(node, inputs, last) {
  if (node < inputs) return `c(k\u2212${inputs - node})`;
  return node === last ? "c(k)" : String(node - inputs);
}

function familyOf(operation) {
  return (data.looks[operation] || { family: "none" }).family;
}

// The class and the color of an operation.
function lookOf(operation) {
  const family = familyOf(operation);
  if (FAMILIES.includes(family)) return { class: `op-${family}` };
  const { color } = data.looks[operation];
  return { class: "op-other", style: `--hue: color-mix(in srgb, ${color} 72%, var(--ink))` };
}

// The inputs of each node, the farther ones at the left; and for each a lane beside the pills,
// which it shares with no other on that stretch.
function wires(cell) {
  const all = [];
  cell.nodes.forEach((edges, node) => {
    const sorted = [...edges].sort((a, b) => a[1] - b[1]);
    const left = Math.ceil(sorted.length / 2);
    const rows = (side) => (side < 0 ? left : sorted.length - left);
    sorted.forEach(([operation, source], n) => {
      const side = n < left ? -1 : 1;
      const row = n < left ? n : n - left;
      const raised = (row - (rows(side) - 1) / 2) * ROW;
      all.push({ operation, source, target: node + cell.inputs, side, raised });
    });
  });
  for (const side of [-1, 1]) {
    const placed = [];
    const mine = all.filter((wire) => wire.side === side);
    mine.sort((a, b) => a.target - a.source - (b.target - b.source) || a.target - b.target);
    for (const wire of mine) {
      const taken = placed.filter((o) => o.source < wire.target && wire.source < o.target);
      wire.lane = 0;
      while (taken.some((o) => o.lane === wire.lane)) wire.lane += 1;
      placed.push(wire);
    }
    // The farther a wire goes out, the higher it leaves: those of one node never cross.
    const outermost = Math.max(0, ...mine.map((wire) => wire.lane));
    const step = Math.min(3.5, 24.5 / Math.max(1, outermost));
    for (const wire of mine) wire.drop = 17 + step * (outermost - wire.lane);
  }
  return all;
}

// The heights of the nodes, and half of the height that the pills of each take beyond one row.
function heights(cell) {
  const last = cell.nodes.length + cell.inputs;
  const extra = (node) => {
    const edges = node < cell.inputs || node === last ? 0 : cell.nodes[node - cell.inputs].length;
    return (Math.max(1, Math.ceil(edges / 2)) - 1) * (ROW / 2);
  };
  const y = [16];
  for (let node = 1; node <= last; node++) {
    const pitch = PITCH - (node === 1 ? 12 : 0);
    y.push(y[node - 1] + pitch + extra(node - 1) + extra(node));
  }
  return { y: (node) => y[node], extra };
}

function triangle(x, y, dx, dy, look) {
  const corner = (n) => `${x - 8 * dx - n * dy},${y - 8 * dy + n * dx}`;
  return svg("polygon", { points: `${x},${y} ${corner(-4)} ${corner(4)}`, class: look });
}

function wireDrawing(wire, { y, extra }, reach, fresh) {
  const { side, lane } = wire;
  const look = lookOf(wire.operation);
  const far = side * (reach + LANES.first + LANES.step * lane);
  const from = y(wire.source) + RADIUS - 1;
  const level = y(wire.source) + extra(wire.source) + wire.drop;
  const middle = y(wire.target);
  const to = middle + wire.raised;
  const path =
    `M${side * 4} ${from} Q${side * 4} ${level} ${side * 18} ${level} H${far - side * 6} ` +
    `Q${far} ${level} ${far} ${level + 6} V${to - 6} Q${far} ${to} ${far - side * 6} ${to} ` +
    `H${side * reach}`;
  const way = Math.hypot(PILL.near, wire.raised);
  const [dx, dy] = [(-side * PILL.near) / way, -wire.raised / way];
  const end = [-dx * (RADIUS + 1), middle - dy * (RADIUS + 1)];
  const center = (side * (PILL.near + reach)) / 2;
  return svg("g", { class: `wire ${look.class}${fresh ? " fresh" : ""}`, style: look.style },
    svg("path", { class: "line", d: path }),
    svg("path", {
      class: "line",
      d: `M${side * PILL.near} ${to} L${end[0] - 4 * dx} ${end[1] - 4 * dy}`,
    }),
    triangle(end[0], end[1], dx, dy, "head"),
    svg("rect", {
      class: "pill", x: center - (reach - PILL.near) / 2, y: to - PILL.half,
      width: reach - PILL.near, height: 2 * PILL.half, rx: PILL.half,
    }),
    svg("text", { x: center, y: to + 4, "text-anchor": "middle" }, wire.operation));
}

function cellText(title, cell) {
  const name = (node) => nodeName(node, cell.inputs, -1);
  const nodes = cell.nodes.map((edges, node) => {
    const parts = edges.map(([operation, source]) => `${operation} of ${name(source)}`);
    return `node ${node}: ${parts.join(" and ") || "no edge"}`;
  });
  return `${title}. ${nodes.join("; ")}`;
}

// The edges of a cell, each as one text.
function edgeTexts(cell) {
  return cell.nodes.flatMap((edges, node) =>
    edges.map(([operation, source]) => `${source} ${node + cell.inputs} ${operation}`));
}

// An arc from one node down to a later one, at the right (side 1) or at the left (side -1).
function arc(from, to, side, y, look) {
  const far = side * (ARCS.first + ARCS.step * (to - from));
  const [start, end] = [y(from), y(to)];
  const edge = side * RADIUS;
  return svg("g", look,
    svg("path", {
      class: "line",
      d: `M${edge} ${start} C${far + edge} ${start} ${far + edge} ${end} ${edge + side * 6} ${end}`,
    }),
    triangle(edge + side, end, -side, 0, "head"));
}

// A graph: its nodes in a column, its edges at the right, and what forms the output at the left.
function drawGraph(title, cell, before) {
  const last = cell.nodes.length + cell.inputs;
  const y = (node) => 16 + ARCS.pitch * node;
  const known = new Set(edgeTexts(before || cell));
  const reach = (ARCS.first + ARCS.step * last) * 0.75 + 2 * RADIUS;
  const picture = svg("svg", {
    viewBox: `${-reach} 0 ${2 * reach} ${y(last) + 18}`, role: "img", class: "cell graph",
    "aria-label": cellText(title, cell),
  });
  for (const node of cell.output) {
    picture.append(arc(node, last, -1, y, { class: "arc op-none" }));
  }
  cell.nodes.forEach((edges, node) => {
    for (const [operation, source] of edges) {
      const target = node + cell.inputs;
      const look = lookOf(operation);
      const fresh = known.has(`${source} ${target} ${operation}`) ? "" : " fresh";
      const style = { class: `arc ${look.class}${fresh}`, style: look.style };
      picture.append(arc(source, target, 1, y, style));
    }
  });
  drawNodes(picture, cell, last, y);
  return picture;
}

function drawNodes(picture, cell, last, y) {
  for (let node = 0; node <= last; node++) {
    const end = node < cell.inputs || node === last;
    const shape = end
      ? svg("rect", { x: -30, y: y(node) - 12, width: 60, height: 24, rx: 6 })
      : svg("circle", { cy: y(node), r: RADIUS });
    const name = nodeName(node, cell.inputs, last);
    picture.append(svg("g", { class: "node" }, shape,
      svg("text", { y: y(node) + 4.5, "text-anchor": "middle" }, name)));
  }
}

function drawCell(title, cell, before) {
  const last = cell.nodes.length + cell.inputs;
  const places = heights(cell);
  const { y } = places;
  const known = new Set(edgeTexts(before || cell));
  const drawn = wires(cell);
  const longest = Math.max(PILL.most, ...drawn.map((wire) => wire.operation.length));
  const reach = PILL.far + PILL.letter * (longest - PILL.most);
  const lanes = Math.max(0, ...drawn.map((wire) => wire.lane)) + 1;
  const half = reach + LANES.first + LANES.step * Math.max(lanes, LANES.fewest);
  const picture = svg("svg", {
    viewBox: `${-half} 0 ${2 * half} ${y(last) + 18}`, role: "img", class: "cell",
    "aria-label": cellText(title, cell),
  });
  const bus = 25;
  for (const node of cell.output) {
    const start = y(node) + 9;
    const path = `M9 ${start} Q${bus} ${start + 6} ${bus} ${start + 24} V${y(last) - 18}`;
    picture.append(svg("path", { class: "bus", d: path }));
  }
  picture.append(triangle(bus, y(last) - 12, 0, 1, "bus-head"));
  for (const wire of drawn) {
    const edge = `${wire.source} ${wire.target} ${wire.operation}`;
    picture.append(wireDrawing(wire, places, reach, !known.has(edge)));
  }
  drawNodes(picture, cell, last, y);
  return picture;
}

function isGraph(cell) {
  const edges = cell.nodes.flat();
  return edges.length > 0 && edges.every(([operation]) => familyOf(operation) === "wire");
}

// Draws the cells of a genotype, following the epochs if there is one for each.
function cellFigures(genotypes, follows) {
  const names = Object.keys(genotypes.find((genotype) => genotype) || {});
  return names.map((name) => {
    const title = data.captions[name] || name;
    const place = html("div", { class: "drawing", "data-cell": name });
    const draw = (index) => {
      const now = genotypes[index] && genotypes[index][name];
      const before = index > 0 && genotypes[index - 1] ? genotypes[index - 1][name] : null;
      const drawn = now && (isGraph(now) ? drawGraph : drawCell)(title, now, before);
      place.replaceChildren(drawn || "No genotype in this epoch.");
    };
    if (follows) watch(draw);
    else draw(0);
    return html("figure", {}, html("h3", {}, title), place);
  });
}
