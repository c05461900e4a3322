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

const stepText = (x) => (x >= 1e6 ? +(x / 1e6).toPrecision(4) + "M" : x >= 1e4 ? +(x / 1e3).toPrecision(4) + "k" : String(+x.toPrecision(6)));

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
  for (const t of l.x.ticks) svg.append(caption(l.px(t), l.height - l.bottom + 18, "middle", stepText(t)));
  svg.append(caption(l.width - l.right, l.height - 6, "end", "steps →", "title"), caption(0, 12, "start", "↑ " + family.name, "title"));
  return svg;
}

function line(l, curve, list, extra) {
  const place = (i) => l.px(curve.x[i]).toFixed(1) + "," + l.py(list[i]).toFixed(1);
  const d = pieces(curve, list).map((piece) => "M" + piece.map(place).join("L") + (piece.length === 1 ? "h0.01" : "")).join("");
  return shape("path", Object.assign({ d }, extra));
}

function band(l, curve, extra) {
  const place = (list) => (i) => l.px(curve.x[i]).toFixed(1) + "," + l.py(list[i]).toFixed(1);
  const d = pieces(curve, curve.low, curve.high).map((piece) =>
    "M" + piece.map(place(curve.high)).join("L") + "L" + piece.slice().reverse().map(place(curve.low)).join("L") + "Z").join("");
  return shape("path", Object.assign({ d }, extra));
}

// few points are shown as such
function dots(l, curve, style) {
  if (curve.x.length > 12) return [];
  return curve.x.map((_, i) => i).filter((i) => finite(curve.y[i])).flatMap((i) => {
    const x = l.px(curve.x[i]), range = finite(curve.low[i]) && curve.x.length === 1
      ? [shape("line", { class: "whisker", x1: x, x2: x, y1: l.py(curve.low[i]), y2: l.py(curve.high[i]), style })] : [];
    return range.concat(shape("circle", { class: "lone", cx: x, cy: l.py(curve.y[i]), r: 3.5, style }));
  });
}

function drawCurves() {
  if (!family) return;
  const l = frame = layout(), svg = frameOf(l), taken = colours();
  const cells = drawn().reverse();
  const lit = selection.lit;
  const style = (cell) => (taken.has(cell.index) ? "--c:" + colour(taken.get(cell.index)) : "--c:var(--ink)");
  const strong = (cell) => taken.has(cell.index) || cell.index === lit;
  for (const cell of cells) if (!strong(cell)) svg.append(line(l, family.cells[cell.index], family.cells[cell.index].y, { class: "curve dim" }));
  for (const cell of cells) {
    if (strong(cell)) svg.append(band(l, family.cells[cell.index], { class: "band" + (cell.index === lit ? " lit" : ""), style: style(cell) }));
  }
  // the one under the pointer is drawn last
  for (const cell of cells.filter(strong).sort((a, b) => (a.index === lit) - (b.index === lit))) {
    svg.append(line(l, family.cells[cell.index], family.cells[cell.index].y, { class: "curve" + (cell.index === lit ? " lit" : ""),
      style: style(cell), "stroke-dasharray": taken.has(cell.index) ? dashes(taken.get(cell.index)) : "", "data-cell": cell.index }));
  }
  for (const cell of cells.filter(strong)) svg.append(...dots(l, family.cells[cell.index], style(cell)));
  svg.append(shape("line", { class: "cross", id: "cross", y1: l.top, y2: l.height - l.bottom, visibility: "hidden" }));
  box.querySelectorAll("svg").forEach((old) => old.remove());
  box.prepend(svg);
}

// ---- the legend ----

function drawKeys() {
  keys.replaceChildren(...drawn().map((cell) => {
    const swatch = drawing(24, 12);
    swatch.append(shape("line", { x1: 1, x2: 23, y1: 6, y2: 6 }));
    const key = make("button", { type: "button", class: "key", "data-cell": cell.index }, swatch,
      make("span", {}, cell.label, cell.index === data.best ? make("span", { class: "mark" }, " best") : ""), make("span", {}, cell.text.short));
    const show = () => { describe(cell); selection.light(cell.index); };
    key.addEventListener("pointerenter", show);
    key.addEventListener("focus", show);
    key.addEventListener("pointerleave", () => selection.light(-1));
    key.addEventListener("blur", () => selection.light(-1));
    key.addEventListener("click", () => selection.toggle(cell.index));
    return make("li", {}, key);
  }));
}

// ---- what the pointer is at ----

function nearest(list, x) {
  let best = 0;
  for (let i = 1; i < list.length; i++) if (Math.abs(list[i] - x) < Math.abs(list[best] - x)) best = i;
  return best;
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
    ...rows.slice(0, 8).map(({ cell, curve, i }) => make("div", { style: "color:" + colour(slots.get(cell.index)) },
      cell.label + "  ", make("b", {}, l.y.text(curve.y[i])), finite(curve.low[i]) ? "  (" + l.y.text(curve.low[i]) + " to " + l.y.text(curve.high[i]) + ")" : "")));
  tip.hidden = false;
  const room = l.width - across > tip.offsetWidth + 16;
  tip.style.left = Math.max(0, room ? across + 12 : across - tip.offsetWidth - 12) + "px";
}

function unpoint() {
  tip.hidden = true;
  if ($("cross")) $("cross").setAttribute("visibility", "hidden");
}
]==]
