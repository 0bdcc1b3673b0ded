// A cell as a graph. Nodes have fixed places, so that the eye sees what an epoch has changed.

const RADIUS = 13;
const PITCH = 56;
const PILL = { near: 42, far: 138, half: 11 };
const LANES = { first: 9, step: 7 };

function nodeName(node, last) {
  if (node < 2) return `c(k\u2212${2 - node})`;
  return node === last ? "c(k)" : String(node - 2);
}

function kindOf(operation) {
  return `op-${operation.includes("pool") ? "pool" : operation.split("_")[0]}`;
}

// The inputs of each node, the farther one at the left; and for each a lane beside the pills,
// which it shares with no other on that stretch.
function wires(links) {
  const all = [];
  for (let i = 0; i < links.length; i += 2) {
    const pair = [links[i], links[i + 1]].sort((a, b) => a[1] - b[1]);
    pair.forEach(([operation, source], n) => {
      all.push({ operation, source, target: i / 2 + 2, side: n ? 1 : -1 });
    });
  }
  for (const side of [-1, 1]) {
    const placed = [];
    const mine = all.filter((wire) => wire.side === side);
    mine.sort((a, b) => a.target - a.source - (b.target - b.source) || a.target - b.target);
    for (const wire of mine) {
      const taken = placed.filter((o) => o.source < wire.target && wire.source < o.target);
      wire.lane = [0, 1, 2, 3, 4, 5, 6, 7].find((n) => taken.every((o) => o.lane !== n)) ?? 8;
      placed.push(wire);
    }
    // The farther a wire goes out, the higher it leaves: those of one node never cross.
    const outermost = Math.max(0, ...mine.map((wire) => wire.lane));
    for (const wire of mine) wire.drop = 17 + 3.5 * (outermost - wire.lane);
  }
  return all;
}

function triangle(x, y, dx, dy, look) {
  const corner = (n) => `${x - 8 * dx + n * dy},${y - 8 * dy + n * dx}`;
  return svg("polygon", { points: `${x},${y} ${corner(-4)} ${corner(4)}`, class: look });
}

function wireDrawing(wire, y, fresh) {
  const { side, lane } = wire;
  const look = kindOf(wire.operation);
  const far = side * (PILL.far + LANES.first + LANES.step * lane);
  const from = y(wire.source) + RADIUS - 1;
  const level = y(wire.source) + wire.drop;
  const to = y(wire.target);
  const path =
    `M${side * 4} ${from} Q${side * 4} ${level} ${side * 18} ${level} H${far - side * 6} ` +
    `Q${far} ${level} ${far} ${level + 6} V${to - 6} Q${far} ${to} ${far - side * 6} ${to} ` +
    `H${side * PILL.far}`;
  const middle = (side * (PILL.near + PILL.far)) / 2;
  return svg("g", { class: `wire ${look}${fresh ? " fresh" : ""}` },
    svg("path", { class: "line", d: path }),
    svg("path", { class: "line", d: `M${side * PILL.near} ${to} H${side * (RADIUS + 5)}` }),
    triangle(side * (RADIUS + 1), to, -side, 0, "head"),
    svg("rect", {
      class: "pill", x: middle - (PILL.far - PILL.near) / 2, y: to - PILL.half,
      width: PILL.far - PILL.near, height: 2 * PILL.half, rx: PILL.half,
    }),
    svg("text", { x: middle, y: to + 4, "text-anchor": "middle" }, wire.operation));
}

function cellText(title, links) {
  const last = links.length / 2 + 2;
  const nodes = [];
  for (let i = 0; i < links.length; i += 2) {
    const pair = [links[i], links[i + 1]];
    const parts = pair.map(([name, source]) => `${name} of ${nodeName(source, last)}`);
    nodes.push(`node ${i / 2}: ${parts.join(" and ")}`);
  }
  return `${title}. ${nodes.join("; ")}`;
}

function drawCell(title, cell, before) {
  const last = cell.links.length / 2 + 2;
  const y = (node) => 16 + PITCH * node - (node > 0 ? 12 : 0);
  const known = new Set((before ? before.links : cell.links).map((link, n) => `${n >> 1} ${link}`));
  const drawn = wires(cell.links);
  const lanes = Math.max(...drawn.map((wire) => wire.lane)) + 1;
  const half = PILL.far + LANES.first + LANES.step * Math.max(lanes, 4);
  const picture = svg("svg", {
    viewBox: `${-half} 0 ${2 * half} ${y(last) + 18}`, role: "img", class: "cell",
    "aria-label": cellText(title, cell.links),
  });
  const bus = 25;
  for (const node of cell.concat) {
    const start = y(node) + 9;
    const path = `M9 ${start} Q${bus} ${start + 6} ${bus} ${start + 24} V${y(last) - 18}`;
    picture.append(svg("path", { class: "bus", d: path }));
  }
  picture.append(triangle(bus, y(last) - 12, 0, 1, "bus-head"));
  for (const wire of drawn) {
    const link = `${wire.target - 2} ${[wire.operation, wire.source]}`;
    picture.append(wireDrawing(wire, y, !known.has(link)));
  }
  for (let node = 0; node <= last; node++) {
    const end = node < 2 || node === last;
    const shape = end
      ? svg("rect", { x: -30, y: y(node) - 12, width: 60, height: 24, rx: 6 })
      : svg("circle", { cy: y(node), r: RADIUS });
    picture.append(svg("g", { class: "node" }, shape,
      svg("text", { y: y(node) + 4.5, "text-anchor": "middle" }, nodeName(node, last))));
  }
  return picture;
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
      place.replaceChildren(now ? drawCell(title, now, before) : "No genotype in this epoch.");
    };
    if (follows) watch(draw);
    else draw(0);
    return html("figure", {}, html("h3", {}, title), place);
  });
}
