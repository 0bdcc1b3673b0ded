"use strict";
// Elements, and charts over the epochs or over labels.

const data = JSON.parse(document.getElementById("data").textContent);
const SPACE = "http://www.w3.org/2000/svg";

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function html(name, attributes, ...children) {
  return dress(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return dress(document.createElementNS(SPACE, name), attributes, children);
}

// The epoch that the whole page shows, by its place in `data.epochs`.
const shown = { index: Math.max(0, data.epochs.length - 1), watchers: [] };

function watch(react) {
  shown.watchers.push(react);
  react(shown.index);
}

function show(index) {
  shown.index = Math.min(Math.max(index, 0), Math.max(0, data.epochs.length - 1));
  for (const react of shown.watchers) react(shown.index);
}

function written(value, whole = true) {
  if (value === null || value === undefined) return "";
  if (Number.isInteger(value) && whole) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return size >= 0.001 ? value.toFixed(4) : value.toExponential(1);
}

function ticks(low, high, count, whole) {
  const found = ticksBy(low, high, count, whole);
  return found.length > 1 || whole || count > 8 ? found : ticks(low, high, count + 1, whole);
}

function ticksBy(low, high, count, whole) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) || 10);
  if (whole) step = Math.max(1, Math.ceil(step));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n++) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

// What a series has for an epoch; one that ended earlier stays where it ended.
function at(values, index) {
  return values[Math.min(index, values.length - 1)];
}

// Curves nearer than this many pixels are drawn as one line in stripes of all their colors.
const NEAR = 1.5;
const STRIPE = 7;

function isNear(one, other) {
  return one && other && Math.abs(one[1] - other[1]) < NEAR;
}

// The pieces of a curve; in each it runs together with the same others.
function pieces(all, points) {
  const found = [];
  for (let n = 0; n + 1 < points.length; n++) {
    if (!points[n] || !points[n + 1]) continue;
    const together = all.filter((other) =>
      other === points || (isNear(other[n], points[n]) && isNear(other[n + 1], points[n + 1])));
    const last = found[found.length - 1];
    if (last && last.end === n && String(last.members) === String(together.map((o) => all.indexOf(o)))) {
      last.path += `L${points[n + 1].map((v) => v.toFixed(1)).join(" ")}`;
      last.end = n + 1;
      continue;
    }
    const ends = [points[n], points[n + 1]].map((end) => end.map((v) => v.toFixed(1)).join(" "));
    found.push({
      path: `M${ends.join("L")}`, end: n + 1,
      members: together.map((other) => all.indexOf(other)), rank: together.indexOf(points),
    });
  }
  return found;
}

function curve(all, points, look) {
  const group = svg("g", { class: "series" });
  const alone = pieces(all, points).filter((piece) => {
    const count = piece.members.length;
    if (count === 1) return true;
    group.append(svg("path", {
      ...look, d: piece.path, "stroke-dasharray": `${STRIPE} ${STRIPE * (count - 1)}`,
      "stroke-dashoffset": -STRIPE * piece.rank, class: `${look.class} striped`,
    }));
    return false;
  });
  group.append(svg("path", { ...look, d: joined(alone) }));
  return group;
}

// Pieces that follow one another as one line, whose dashes then go on.
function joined(found) {
  return found.map((piece, n) => {
    const follows = n > 0 && found[n - 1].path.split("L").pop() === piece.path.slice(1).split("L")[0];
    return follows ? piece.path.slice(piece.path.indexOf("L")) : piece.path;
  }).join("");
}

// The area between the low and the high values of a series, where it has both.
function band(series, x, y) {
  const places = series.low.map((value, n) => n).filter((n) => series.low[n] !== null);
  const edge = (values) => places.map((n) => `${x(n).toFixed(1)} ${y(values[n]).toFixed(1)}`);
  const corners = [...edge(series.low), ...edge(series.high).reverse()];
  const d = corners.length ? `M${corners.join("L")}Z` : "";
  return svg("path", { class: `band ${series.look}`, style: series.style, d });
}

function isPoints(spec, series) {
  return (spec.points || []).includes(series.name);
}

function swatch(spec, series) {
  const mark = isPoints(spec, series)
    ? svg("circle", { cx: 12, cy: 6, r: 4, class: `dot ${series.look}`, style: series.style })
    : svg("line", { x1: 1, x2: 23, y1: 6, y2: 6, class: `curve ${series.look}`, style: series.style });
  return svg("svg", { width: 24, height: 12, "aria-hidden": "true" }, mark);
}

// The range of a chart's values, with room around them.
function range(spec) {
  const values = spec.series.flatMap((series) => series.values.filter((v) => v !== null));
  if (spec.limit !== undefined) values.push(spec.limit);
  // Bands count for as much as the curves; what is wider is cut off.
  const [first, last] = [Math.min(...values), Math.max(...values)];
  const room = last - first || Math.abs(last) || 1;
  for (const series of spec.series) {
    for (const value of [...(series.low || []), ...(series.high || [])]) {
      if (value !== null) values.push(Math.min(Math.max(value, first - room), last + room));
    }
  }
  let low = spec.zero ? 0 : Math.min(...values);
  let high = Math.max(...values, low);
  if (high === low) {
    const room = spec.whole ? 1 : Math.abs(low) * 0.1 || 1;
    high += room;
    if (!spec.zero) low -= room;
  }
  if (!spec.zero) low -= (high - low) * 0.04;
  high += (high - low) * 0.04;
  return [low, high];
}

// A chart, drawn anew whenever its width changes. `chosen` returns the names of the series that
// stand out in an epoch, or null where none is to.
function lineChart(spec, { height = 210, legend = true, stop = null, chosen = null } = {}) {
  spec.series.forEach((series, number) => {
    series.look ||= `tone-${number % 6}${number > 5 ? " dashed" : ""}`;
  });
  const plot = html("div", { class: "plot" });
  const told = html("span", { class: "chosen-name" });
  const figure = html("figure", { class: "chart" }, html("h3", {}, spec.title, told), plot);
  const values = spec.series.map(() => html("output", {}));
  const items = spec.series.map((series, number) =>
    html("li", {}, swatch(spec, series), html("span", {}, series.name), values[number]));
  if (legend) figure.append(html("ul", { class: "legend" }, ...items));
  if (stop) {
    const text = `Ended after epoch ${stop.epoch}: ${stop.reason}.`;
    figure.append(html("figcaption", { class: "why" }, text));
  }
  const emphasize = (index) => {
    const names = chosen ? chosen(index) : null;
    spec.series.forEach((series, n) => {
      items[n].className = emphasis(names, series.name);
    });
    if (names) told.textContent = `: ${names.length ? names.join(", ") : "not in the genotype"}`;
    return names;
  };
  let mark = () => {};
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width < 40 || width === Number(plot.dataset.width)) return;
    plot.dataset.width = width;
    mark = drawPlot(plot, spec, width, height, stop);
    mark(shown.index, emphasize(shown.index));
  }).observe(plot);
  watch((index) => {
    mark(index, emphasize(index));
    spec.series.forEach((series, n) => {
      const place = spec.labels ? series.values.length - 1 : index;
      let value = at(series.values, place);
      if (isPoints(spec, series)) {
        // The latest one so far, or the first of those to come.
        const known = (until) => series.values.slice(0, until).filter((one) => one !== null);
        value = spec.labels ? null : [known()[0], ...known(index + 1)].pop();
      }
      values[n].textContent = written(value, Boolean(spec.whole) || value === 0);
    });
  });
  return figure;
}

function emphasis(names, name) {
  return names ? (names.includes(name) ? "chosen" : "pale") : "";
}

function described(spec) {
  const last = spec.series.map((series) => {
    const known = series.values.filter((value) => value !== null);
    return `${series.name} ${written(known[0])} to ${written(known[known.length - 1])}`;
  });
  const count = (spec.labels || data.epochs).length;
  return `${spec.title}, over ${count} ${spec.unit || "epoch"}s: ${last.join("; ")}`;
}

// Returns a function that marks an epoch.
function drawPlot(plot, spec, width, height, stop) {
  const labels = spec.labels || data.epochs;
  const count = labels.length;
  const [low, high] = range(spec);
  const top = stop ? 22 : 8;
  const levels = ticks(low, high, height < 150 ? 2 : 4, spec.whole);
  const left = 12 + 6.6 * Math.max(...levels.map((level) => String(level).length));
  const right = width - 10;
  const bottom = height - 22;
  const x = (n) => (count > 1 ? left + (n / (count - 1)) * (right - left) : (left + right) / 2);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": described(spec),
  });
  for (const level of levels) {
    picture.append(
      svg("line", { class: "grid", x1: left, x2: right, y1: y(level), y2: y(level) }),
      svg("text", { class: "tick", x: left - 6, y: y(level) + 3.5, "text-anchor": "end" }, level));
  }
  for (const n of ticks(0, count - 1, Math.min(8, Math.floor(width / 60)), true)) {
    picture.append(svg("text", {
      class: "tick", x: x(n), y: height - 6, "text-anchor": "middle",
    }, labels[n]));
  }
  if (spec.limit !== undefined) {
    const level = y(spec.limit);
    picture.append(svg("line", { class: "limit", x1: left, x2: right, y1: level, y2: level }));
  }
  const place = stop ? data.epochs.indexOf(stop.epoch) : -1;
  if (place >= 0) {
    const end = x(place) > width / 2;
    picture.append(
      svg("line", { class: "stop", x1: x(place), x2: x(place), y1: 6, y2: bottom }),
      svg("text", {
        class: "stop-text", x: x(place) + (end ? -6 : 6), y: 14, "text-anchor": end ? "end" : "start",
      }, `ended: ${stop.reason.split(":")[0]}`));
  }
  const cursor = svg("line", { class: "cursor", y1: top, y2: bottom });
  if (!spec.labels) picture.append(cursor);
  const dots = [];
  const groups = [];
  const every = spec.series.map((series) =>
    series.values.map((value, n) => (value === null ? null : [x(n), y(value)])));
  const lines = every.filter((points, n) => !isPoints(spec, spec.series[n]));
  for (const [number, series] of spec.series.entries()) {
    const points = every[number];
    if (isPoints(spec, series)) {
      picture.append(...points.map((point, n) => point && svg("circle", {
        class: `dot ${series.look}`, style: series.style, cx: point[0], cy: point[1], r: 4.5,
      }, svg("title", {}, `${spec.unit} ${labels[n]}: ${written(series.values[n])}`))).filter(Boolean));
      continue;
    }
    const look = { class: `curve ${series.look}`, style: series.style };
    if (series.low) {
      const inside = (value) => y(Math.min(Math.max(value, low), high));
      picture.append(band(series, x, inside));
    }
    const group = curve(lines, points, look);
    groups.push([group, series.name]);
    picture.append(group);
    if (!spec.labels) {
      const dot = { class: `dot ${series.look}`, style: series.style };
      dots.push([svg("circle", dot), points]);
    }
  }
  picture.append(...dots.map(([dot]) => dot));
  if (spec.limit !== undefined) {
    const name = { class: "tick limit-name", x: left + 6, y: y(spec.limit) - 5 };
    picture.append(svg("text", name, spec.limit_name));
  }
  const pick = (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * width;
    show(Math.round(((place - left) / (right - left)) * (count - 1)));
  };
  if (count > 1 && !spec.labels) {
    picture.addEventListener("pointerdown", pick);
    picture.addEventListener("pointermove", (event) => { if (event.buttons === 1) pick(event); });
  }
  plot.replaceChildren(picture);
  if (spec.labels) return () => {};
  return (index, names) => {
    cursor.setAttribute("x1", x(index));
    cursor.setAttribute("x2", x(index));
    for (const [group, name] of groups) {
      group.setAttribute("class", `series ${emphasis(names, name)}`);
    }
    dots.forEach(([dot, points], n) => {
      const point = at(points, index);
      dot.setAttribute("display", point ? "inline" : "none");
      // Equal values are rings around one another.
      const above = dots.slice(n + 1).filter(([, other]) => isNear(at(other, index), point));
      if (point) dress(dot, { cx: point[0], cy: point[1], r: 3.5 + 2 * Math.min(above.length, 3) }, []);
    });
  };
}
