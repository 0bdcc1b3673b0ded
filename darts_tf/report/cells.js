// A cell as a graph, laid out as `trainers.draw` does it.

// Pixels of a point: at most, and at least, before a drawing scrolls.
const POINT = { most: 1.25, least: 1 };
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

// A line along the points of a way, every other stretch of which is level.
function wayPath(points) {
  return points.map(([x, y], n) => {
    if (n === 0) return `M${x} ${y}`;
    if (n % 2 === 0) return `L${x} ${y}`;
    const [x0, y0] = points[n - 1];
    const bend = [x0 + 0.4 * (x - x0), x - 0.5 * (x - x0)].map((value) => value.toFixed(1));
    return `C${bend[0]} ${y0} ${bend[1]} ${y} ${x} ${y}`;
  }).join("");
}

// A line that ends with the head of an arrow.
function arrow(points) {
  const [[x0, y0], [x, y]] = points.slice(-2);
  // The last stretch bends at first; its end is level, or straight between two points.
  const level = points.length > 2 || Math.abs(x - x0) > 20;
  const way = level ? x - x0 : Math.hypot(x - x0, y - y0);
  const [dx, dy] = level ? [1, 0] : [(x - x0) / way, (y - y0) / way];
  const corner = (n) => `${(x - 7 * dx - n * dy).toFixed(1)},${(y - 7 * dy + n * dx).toFixed(1)}`;
  const inner = [x - 4 * dx, y - 4 * dy];
  return [
    svg("path", { class: "line", d: wayPath([...points.slice(0, -1), inner]) }),
    svg("polygon", { class: "head", points: `${x},${y} ${corner(-3)} ${corner(3)}` }),
  ];
}

function linkDrawing(link, [width, height], fresh) {
  if (!link.operation) return svg("g", { class: "link op-none" }, ...arrow(link.way));
  const look = lookOf(link.operation);
  const group = svg("g", { class: `link ${look.class}${fresh ? " fresh" : ""}`, style: look.style });
  const [x, y] = link.way[link.way.length - 1];
  group.append(svg("path", { class: "line", d: wayPath(link.way) }),
    ...arrow([[x + width, y], link.arrival]));
  if (width) {
    group.classList.add("wire");
    group.append(
      svg("rect", { class: "pill", x, y: y - height / 2, width, height, rx: height / 3 }),
      svg("text", { x: x + width / 2, y: y + 3.6, "text-anchor": "middle" }, link.operation));
  }
  return group;
}

function nodeDrawing(name, [x, y, halfWidth, halfHeight]) {
  const shape = halfWidth === halfHeight
    ? svg("circle", { cx: x, cy: y, r: halfWidth })
    : svg("rect", {
      x: x - halfWidth, y: y - halfHeight, width: 2 * halfWidth, height: 2 * halfHeight, rx: 6,
    });
  return svg("g", { class: "node" }, shape,
    svg("text", { x, y: y + 3.8, "text-anchor": "middle" }, name));
}

// The size is that of the widest and the highest drawing of the cell: no epoch moves the others.
function drawCell(title, cell, before, drawing, [width, height]) {
  const known = new Set(edgeTexts(before || cell));
  const last = drawing.nodes.length - 1;
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", class: "cell", "aria-label": cellText(title, cell),
    style: `width: ${POINT.most * width}px; min-width: ${POINT.least * width}px`,
  });
  for (const link of drawing.links) {
    const fresh = link.operation && !known.has(`${link.ends.join(" ")} ${link.operation}`);
    picture.append(linkDrawing(link, drawing.label, fresh));
  }
  drawing.nodes.forEach((place, node) =>
    picture.append(nodeDrawing(nodeName(node, cell.inputs, last), place)));
  return picture;
}

// Draws the cells of genotypes, by their places, following the epochs if there is one for each.
function cellFigures(places, follows) {
  const genotypes = places.map((place) => data.genotypes[place]);
  const drawingOf = (name, index) => {
    const number = data.layouts.places[places[index]][name];
    return data.layouts.drawings[number];
  };
  const names = Object.keys(genotypes.find((genotype) => genotype) || {});
  return names.map((name) => {
    const title = data.captions[name] || name;
    const drawings = places.map((_, index) => drawingOf(name, index)).filter(Boolean);
    const size = [0, 1].map((side) => Math.max(...drawings.map((drawing) => drawing.size[side])));
    const place = html("div", {
      class: "drawing wide", "data-cell": name, tabindex: 0, role: "region", "aria-label": title,
    });
    const draw = (index) => {
      const now = genotypes[index] && genotypes[index][name];
      const before = index > 0 && genotypes[index - 1] ? genotypes[index - 1][name] : null;
      const drawn = now && drawCell(title, now, before, drawingOf(name, index), size);
      place.replaceChildren(drawn || "No genotype in this epoch.");
    };
    if (follows) watch(draw);
    else draw(0);
    return html("figure", {}, html("h3", {}, title), place);
  });
}

// The operations of the cells, with their colors.
function cellLegend(places) {
  const cells = places.flatMap((place) => Object.values(data.genotypes[place] || {}));
  const used = new Set(cells.flatMap((cell) => cell.nodes.flat().map(([operation]) => operation)));
  const items = Object.keys(data.looks).filter((name) => used.has(name)).map((name) => {
    const look = lookOf(name);
    return [name, { look: look.class, style: look.style }];
  });
  return html("ul", { class: "legend", "aria-label": "Operations" },
    ...items.map(([name, series]) => html("li", {}, swatch({}, series), html("span", {}, name))),
    html("li", {}, swatch({}, { look: "op-none" }), html("span", {}, "into the output")));
}

function cellsDrawn(places, follows) {
  return html("div", {}, html("div", { class: "cells" }, ...cellFigures(places, follows)),
    cellLegend(places));
}
