--- The part of the page's script that draws the learning curves.
-- @module trpo.report.script_curves
return [==[
// ---- learning curves: some in colour with their bands, the others in grey behind them ----

// how many curves have a colour of their own
const COLOURS = 7;
// with more cells than colours, so many of the best stand out at first
const FIRST = 3;

const box = $("chart"), keys = $("keys"), tip = $("tip");
// the first family with curves, not only points; the metric may have been measured at the end only
const isCurve = (one) => one.cells.some((curve) => curve && curve.x.length > 2);
let family = data.curves.find(isCurve) || data.curves[0];

// cells from best to worst: the order of the legend
const ranked = data.cells.slice().sort((a, b) => (better(a, b) ? -1 : better(b, a) ? 1 : a.index - b.index));
const drawn = () => ranked.filter((cell) => family && family.cells[cell.index]);

// cells that stand out: those that were picked, or the best ones
function outstanding() {
  const picked = ranked.filter((cell) => selection.picked.has(cell.index));
  if (picked.length) return picked;
  const cells = drawn();
  return cells.length > COLOURS ? cells.slice(0, FIRST) : cells;
}

// colour and dashes of the cells that stand out; a cell keeps its colour while others come and go
const slots = new Map();
function colours() {
  const cells = outstanding();
  const present = new Set(cells.map((cell) => cell.index));
  for (const index of Array.from(slots.keys())) if (!present.has(index)) slots.delete(index);
  for (const cell of cells) {
    if (slots.has(cell.index)) continue;
    const taken = new Set(slots.values());
    let slot = 0;
    while (taken.has(slot)) slot++;
    slots.set(cell.index, slot);
  }
  return slots;
}
const colour = (slot) => "var(--c" + (slot % COLOURS + 1) + ")";
const dashes = (slot) => ["", "7 4", "2 4", "10 3 2 3"][Math.floor(slot / COLOURS) % 4];

// a number of steps in the unit that another one asks for: the ticks of an axis share that of the largest
function stepText(x, largest = x) {
  if (x === 0) return "0";
  if (largest >= 1e6) return +(x / 1e6).toPrecision(4) + "M";
  return largest >= 1e4 ? +(x / 1e3).toPrecision(4) + "k" : String(+x.toPrecision(6));
}

function extent(lists) {
  let low = Infinity, high = -Infinity;
  for (const list of lists) for (const x of list) if (finite(x)) { low = Math.min(low, x); high = Math.max(high, x); }
  return [low, high];
}

// the pieces of a curve between its gaps, as lists of positions
function pieces(curve, ...lists) {
  const found = [];
  let open = null;
  curve.x.forEach((_, i) => {
    if (lists.every((list) => finite(list[i]))) {
      if (!open) found.push(open = []);
      open.push(i);
    } else open = null;
  });
  return found;
}

let frame = null;

function layout() {
  const width = Math.max(box.clientWidth, 260), height = Math.min(Math.max(width * 0.56, 250), 440);
  const curves = drawn().map((cell) => family.cells[cell.index]);
  const [first, last] = extent(curves.map((curve) => curve.x));
  const [low, high] = extent(curves.flatMap((curve) => [curve.y, curve.low, curve.high]));
  const x = niceScale(0, last > 0 ? last : first + 1, width < 480 ? 4 : 6, true), y = niceScale(low, high, 5);
  const left = 14 + 7.2 * Math.max(...y.ticks.map((t) => y.text(t).length)), right = 18, top = 26, bottom = 46;
  return { width, height, x, y, left, right, top, bottom,
    px: (v) => left + (v - x.low) / (x.high - x.low) * (width - left - right),
    py: (v) => height - bottom - (v - y.low) / (y.high - y.low) * (height - top - bottom) };
}

function frameOf(l) {
  const svg = drawing(l.width, l.height, "Learning curves of " + family.name + " over steps");
  for (const t of l.y.ticks) {
    svg.append(shape("line", { class: "grid", x1: l.left, x2: l.width - l.right, y1: l.py(t), y2: l.py(t) }),
      caption(l.left - 8, l.py(t) + 4, "end", l.y.text(t)));
  }
  const last = l.x.ticks[l.x.ticks.length - 1];
  for (const t of l.x.ticks) svg.append(caption(l.px(t), l.height - l.bottom + 18, "middle", stepText(t, last)));
  svg.append(...axisTitles(l.width - l.right, l.height - 6, "steps", family.name));
  return svg;
}

// the corners of a line through some positions of a curve
const through = (l, curve, list, positions) =>
  positions.map((i) => l.px(curve.x[i]).toFixed(1) + "," + l.py(list[i]).toFixed(1)).join("L");

function line(l, curve, extra) {
  const parts = pieces(curve, curve.y).map((piece) => "M" + through(l, curve, curve.y, piece));
  return shape("path", { d: parts.join(""), ...extra });
}

function band(l, curve, extra) {
  const parts = pieces(curve, curve.low, curve.high).map((piece) => "M" + through(l, curve, curve.high, piece)
    + "L" + through(l, curve, curve.low, piece.slice().reverse()) + "Z");
  return shape("path", { d: parts.join(""), ...extra });
}

// few points are shown as such
function dots(l, curve, style) {
  if (curve.x.length > 12) return [];
  const shapes = [];
  curve.x.forEach((step, i) => {
    const x = l.px(step);
    if (curve.x.length === 1 && finite(curve.low[i])) {
      const y1 = l.py(curve.low[i]), y2 = l.py(curve.high[i]);
      shapes.push(shape("line", { class: "whisker", x1: x, x2: x, y1, y2, style }));
    }
    if (finite(curve.y[i])) shapes.push(shape("circle", { class: "lone", cx: x, cy: l.py(curve.y[i]), r: 3.5, style }));
  });
  return shapes;
}

// all shapes of the curves, from those behind to those in front
function layers(l) {
  const taken = colours(), cells = drawn().reverse(), lit = selection.lit;
  const shapes = { dim: [], bands: [], lines: [], dots: [] };
  for (const cell of cells) {
    const curve = family.cells[cell.index], slot = taken.get(cell.index);
    if (slot === undefined && cell.index !== lit) {
      shapes.dim.push(line(l, curve, { class: "curve dim" }));
      continue;
    }
    const style = "--c:" + (slot === undefined ? "var(--ink)" : colour(slot)), mark = cell.index === lit ? " lit" : "";
    shapes.bands.push(band(l, curve, { class: "band" + mark, style }));
    const front = line(l, curve, { class: "curve" + mark, style, "data-cell": cell.index,
      "stroke-dasharray": slot === undefined ? "" : dashes(slot) });
    // the one under the pointer is drawn last
    if (mark) shapes.lit = front;
    else shapes.lines.push(front);
    shapes.dots.push(...dots(l, curve, style));
  }
  return [...shapes.dim, ...shapes.bands, ...shapes.lines, ...shapes.dots, shapes.lit || ""];
}

function drawCurves() {
  if (!family) return;
  const l = frame = layout(), svg = frameOf(l);
  svg.append(...layers(l));
  svg.append(shape("line", { class: "cross", id: "cross", y1: l.top, y2: l.height - l.bottom, visibility: "hidden" }));
  box.querySelectorAll("svg").forEach((old) => old.remove());
  box.prepend(svg);
}

// ---- the legend ----

// a label that may be parted behind = and _
const parted = (text) => (text.match(/[^=_]*[=_]|[^=_]+/g) || []).flatMap((part) => [part, make("wbr", {})]);

function drawKeys() {
  keys.replaceChildren(...drawn().map((cell) => {
    const swatch = drawing(24, 12);
    swatch.append(shape("line", { x1: 1, x2: 23, y1: 6, y2: 6 }));
    const key = make("button", { type: "button", class: "key", }, swatch,
      make("span", {}, ...parted(cell.label), bestMark(cell)), make("span", {}, cell.text.short));
    return make("li", {}, attend(key, cell));
  }));
}

// ---- what the pointer is at ----

function nearest(list, x) {
  let best = 0;
  for (let i = 1; i < list.length; i++) if (Math.abs(list[i] - x) < Math.abs(list[best] - x)) best = i;
  return best;
}

// one line of numbers: a curve where the pointer is
function reading({ cell, curve, i }) {
  const text = (x) => String(+x.toPrecision(4)).replace(/-/g, "−");
  const range = finite(curve.low[i]) ? " (" + text(curve.low[i]) + " to " + text(curve.high[i]) + ")" : "";
  return make("div", {}, make("i", { style: "--c:" + colour(slots.get(cell.index)) }), make("b", {}, text(curve.y[i])),
    range + "  " + cell.label);
}

function point(event) {
  const l = frame, cross = $("cross");
  if (!l || !cross) return;
  const across = event.clientX - box.getBoundingClientRect().left;
  const x = l.x.low + (across - l.left) / (l.width - l.left - l.right) * (l.x.high - l.x.low);
  const rows = [];
  for (const cell of ranked.filter((one) => slots.has(one.index) && family.cells[one.index])) {
    const curve = family.cells[cell.index], i = nearest(curve.x, x);
    if (finite(curve.y[i]) && x <= curve.x[curve.x.length - 1] * 1.02) rows.push({ cell, curve, i });
  }
  if (across < l.left || across > l.width - l.right || !rows.length) return unpoint();
  rows.sort((a, b) => b.curve.y[b.i] - a.curve.y[a.i]);
  cross.setAttribute("x1", across);
  cross.setAttribute("x2", across);
  cross.setAttribute("visibility", "visible");
  tip.replaceChildren(make("div", {}, make("b", {}, stepText(Math.round(rows[0].curve.x[rows[0].i])) + " steps")),
    ...rows.slice(0, 8).map(reading));
  tip.hidden = false;
  const room = l.width - across > tip.offsetWidth + 16;
  tip.style.left = Math.max(0, room ? across + 12 : across - tip.offsetWidth - 12) + "px";
}

function unpoint() {
  tip.hidden = true;
  if ($("cross")) $("cross").setAttribute("visibility", "hidden");
}
]==]
