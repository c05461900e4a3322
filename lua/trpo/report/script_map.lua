--- The part of the page's script that draws the map of the cells over two parameters.
-- @module trpo.report.script_map
return [==[
// ---- the map: squares over two parameters with few values, points where there are many ----

// most values that make a row or a column of squares
const MOST = 16;

const map = $("map"), readout = $("readout");
const parameters = data.parameters;
const axes = { x: data.axes.x, y: data.axes.y, fixed: new Map() };

const finite = (x) => typeof x === "number" && Number.isFinite(x);
const ahead = (x, y) => (data.maximize ? x > y : x < y);
const better = (a, b) => finite(a.iqm) && (!finite(b.iqm) || ahead(a.iqm, b.iqm)
  || a.iqm === b.iqm && ahead(a.mean, b.mean));

// the range of the colours: that of the cells on the map
let lowest, highest;
function spread(cells) {
  const scores = cells.map((cell) => cell.iqm).filter(finite);
  lowest = scores.reduce((x, y) => Math.min(x, y), Infinity);
  highest = scores.reduce((x, y) => Math.max(x, y), -Infinity);
}

// how good a cell is among those on the map: 0 is the worst, 1 the best
function goodness(cell) {
  if (highest === lowest) return 1;
  const t = (cell.iqm - lowest) / (highest - lowest);
  return data.maximize ? t : 1 - t;
}

const interval = (cell) => (finite(cell.low) ? cell.text.low + " to " + cell.text.high : "–");

function sentence(cell) {
  const what = cell.n === 0 ? "no number yet"
    : "IQM " + cell.text.iqm + ", 95 % interval " + interval(cell) + ", n = " + cell.n;
  const failed = cell.failed ? ", " + cell.failed + " failed" : "";
  return cell.label + ": " + what + failed + (cell.index === data.best ? ", best cell" : "");
}

const bestMark = (cell) => (cell.index === data.best ? make("span", { class: "mark" }, " best") : "");

function term(list, name, value) { list.append(make("dt", {}, name), make("dd", {}, value)); }

function describe(cell) {
  const values = make("dl", { class: "params" });
  parameters.forEach((parameter, i) => {
    values.append(make("div", {}, make("dt", {}, parameter.name), make("dd", {}, parameter.values[cell.at[i]])));
  });
  const facts = make("dl", { class: "facts" });
  term(facts, "IQM", cell.text.iqm);
  term(facts, "95 % interval", interval(cell));
  term(facts, "Trials", cell.n + " of " + cell.total + " done" + (cell.failed ? ", " + cell.failed + " failed" : ""));
  if (cell.steps) term(facts, "Steps", cell.steps);
  if (cell.scores.length) term(facts, "Each seed", cell.scores.join("  "));
  readout.replaceChildren(
    make("h3", {}, "Cell " + (cell.index + 1), bestMark(cell)),
    values, facts);
}

// something that stands for a cell: shows it under the pointer or the focus, and picks it by a click
function attend(node, cell) {
  const show = () => { describe(cell); selection.light(cell.index); };
  node.dataset.cell = cell.index;
  node.addEventListener("pointerenter", show);
  node.addEventListener("focus", show);
  node.addEventListener("pointerleave", () => selection.light(-1));
  node.addEventListener("blur", () => selection.light(-1));
  node.addEventListener("click", () => selection.toggle(cell.index));
  return node;
}

// a square or a point of the map
function wire(node, cell) {
  node.setAttribute("aria-label", sentence(cell));
  if (finite(cell.iqm)) node.style.setProperty("--t", (100 * goodness(cell)).toFixed(1) + "%");
  else node.classList.add("empty");
  // where text is better read in the other colour (contrast 4.5 and more): earlier on the dark page
  const shade = finite(cell.iqm) ? goodness(cell) : 0;
  if (shade > 0.49) node.classList.add(shade > 0.71 ? "strong" : "middle");
  if (cell.index === data.best) node.classList.add("best");
  return attend(node, cell);
}

// the cells on the map: those with the fixed values; where several share a place, the best of them
function cellsOnMap() {
  return data.cells.filter((cell) => Array.from(axes.fixed).every(([i, value]) => value < 0 || cell.at[i] === value));
}

function bestAt(cells) {
  const places = new Map();
  for (const cell of cells) {
    const place = (axes.x < 0 ? 0 : cell.at[axes.x]) + " " + (axes.y < 0 ? 0 : cell.at[axes.y]);
    if (!places.has(place) || better(cell, places.get(place))) places.set(place, cell);
  }
  return places;
}

// arrow keys walk from square to square
function walk(event) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const from = event.target.closest("td");
  if (!step || !from) return;
  event.preventDefault();
  const rows = from.closest("tbody").rows;
  let column = from.cellIndex, row = from.parentNode.sectionRowIndex;
  do {
    column += step[0];
    row += step[1];
    const square = rows[row] && rows[row].cells[column] && rows[row].cells[column].querySelector("button");
    if (square) {
      square.focus();
      return;
    }
  } while (rows[row] && rows[row].cells[column]);
}

function squares(cells) {
  const xs = axes.x < 0 ? [""] : parameters[axes.x].values, ys = axes.y < 0 ? [""] : parameters[axes.y].values;
  const places = bestAt(cells);
  const body = make("tbody", {});
  for (let y = ys.length - 1; y >= 0; y--) {
    const row = make("tr", {}, make("th", { scope: "row", class: "y" }, ys[y]));
    for (let x = 0; x < xs.length; x++) {
      const cell = places.get(x + " " + y);
      const square = cell ? wire(make("button", { type: "button", class: "square" },
        make("span", {}, cell.n ? cell.text.short : cell.failed ? "×" : "–"), make("i", { class: "tick" })), cell)
        : make("span", { class: "none" });
      row.append(make("td", {}, square));
    }
    body.append(row);
  }
  body.addEventListener("keydown", walk);
  const names = make("tr", {}, make("td", {}));
  for (const x of xs) names.append(make("th", { scope: "col" }, x));
  const across = make("tr", {}, make("td", {}),
    make("th", { class: "axis", colspan: xs.length }, axes.x < 0 ? "" : parameters[axes.x].name + " →"));
  const up = make("thead", {}, make("tr", {},
    make("th", { class: "axis", colspan: xs.length + 1 }, axes.y < 0 ? "" : "↑ " + parameters[axes.y].name)));
  const style = xs.length > 12 ? " bare" : xs.length > 7 ? " dense" : "";
  const columns = [make("col", { class: "y" }), ...xs.map(() => make("col", {}))];
  const table = make("table", { class: "heat", style: "min-width:" + (3 * xs.length + 4) + "rem" }, ...columns,
    axes.y < 0 ? "" : up, body, make("tfoot", {}, names, across));
  return make("div", { class: "scroll" + style }, table);
}

// ---- points ----

// 1, 2 and 5 of each power of ten between two numbers, or only the powers when these are enough
function logTicks(low, high, count) {
  const all = [], powers = [];
  for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++) {
    for (const m of [1, 2, 5]) {
      const x = Number(m + "e" + k);
      if (x >= low * 0.999 && x <= high * 1.001) (m === 1 ? powers : all).push(x);
    }
  }
  const ticks = powers.length >= 3 ? powers : powers.concat(all).sort((a, b) => a - b);
  const every = Math.ceil(ticks.length / count);
  return ticks.filter((_, i) => i % every === 0);
}

// an axis over the values of a parameter: where each value lies, from 0 to 1, and what is written beside it
function parameterAxis(i, count) {
  const { name, values, numbers, logarithmic: log, listed } = parameters[i];
  if (!numbers) {
    const places = values.map((_, k) => (k + 0.5) / values.length), every = Math.ceil(values.length / (3 * count));
    const labels = values.map((text, k) => ({ at: places[k], text })).filter((_, k) => k % every === 0);
    return { title: name, labels, of: (cell) => places[cell.at[i]] };
  }
  const low = Math.min(...numbers), high = Math.max(...numbers);
  const scale = log ? Math.log : (x) => x, linear = niceScale(low, high, count, true);
  const place = (x) => (low === high ? 0.5 : (scale(x) - scale(low)) / (scale(high) - scale(low)));
  // values that were chosen from are all there is
  if (listed && numbers.length <= 2 * count) {
    const labels = numbers.map((x, k) => ({ at: place(x), text: values[k] }));
    return { title: name, labels, of: (cell) => place(numbers[cell.at[i]]) };
  }
  const round = log ? logTicks(low, high, count) : [], enough = round.length >= 2;
  const ticks = enough ? round : low === high ? [low] : linear.ticks;
  const labels = ticks.map((x) => ({ at: place(x), text: enough ? String(x) : linear.text(x) }));
  return { title: name, labels, of: (cell) => place(numbers[cell.at[i]]) };
}

// with one parameter, the height is the metric
function metricAxis(cells) {
  const ends = cells.flatMap((cell) => [cell.iqm, cell.low, cell.high]).filter(finite);
  const scale = niceScale(Math.min(...ends), Math.max(...ends), 5);
  const place = (x) => (x - scale.low) / (scale.high - scale.low);
  return { title: data.metric, labels: scale.ticks.map((x) => ({ at: place(x), text: scale.text(x) })),
    of: (cell) => place(cell.iqm), range: (cell) => [place(cell.low), place(cell.high)] };
}

// marks the best cell, whatever its ring says
const STAR = "M0-6.5 1.6-2 6.2-2 2.5.9 3.8 5.4 0 2.7-3.8 5.4-2.5.9-6.2-2-1.6-2Z";

// pixels of a letter beside an axis, in a wide font
const LETTER = 7.8;

function points(cells) {
  const width = Math.max(map.clientWidth, 260), height = Math.min(Math.max(width * 0.62, 240), 430);
  const right = 14, top = 26, bottom = 46;
  const shown = axes.y < 0 ? cells.filter((cell) => finite(cell.iqm)) : Array.from(bestAt(cells).values());
  const across = parameterAxis(axes.x, width < 480 ? 3 : 5);
  const up = axes.y < 0 ? metricAxis(shown) : parameterAxis(axes.y, 5);
  // names beside the axis may take a third of the width
  const most = Math.max(8, Math.floor(width / 3 / LETTER));
  for (const label of up.labels) if (label.text.length > most) label.text = label.text.slice(0, most - 1) + "…";
  const left = Math.max(66, 16 + LETTER * Math.max(0, ...up.labels.map((label) => label.text.length)));
  const px = (t) => left + 10 + t * (width - left - right - 20);
  const py = (t) => height - bottom - 10 - t * (height - top - bottom - 20);
  const svg = drawing(width, height, "");
  for (const label of across.labels) {
    svg.append(shape("line", { class: "grid", x1: px(label.at), x2: px(label.at), y1: top, y2: height - bottom }),
      caption(px(label.at), height - bottom + 17, "middle", label.text));
  }
  for (const label of up.labels) {
    svg.append(shape("line", { class: "grid", x1: left, x2: width - right, y1: py(label.at), y2: py(label.at) }),
      caption(left - 8, py(label.at) + 4, "end", label.text));
  }
  svg.append(...axisTitles(width - right, height - 6, across.title, up.title));
  // the best cell lies above the others
  shown.sort((a, b) => (a.index === data.best) - (b.index === data.best));
  for (const cell of shown) {
    const place = "translate(" + px(across.of(cell)).toFixed(1) + "," + py(up.of(cell)).toFixed(1) + ")";
    const node = shape("g", { class: "point", tabindex: 0, role: "button", transform: place });
    if (up.range && finite(cell.low)) {
      const [low, high] = up.range(cell);
      node.append(shape("line", { y1: py(low) - py(up.of(cell)), y2: py(high) - py(up.of(cell)) }));
    }
    node.append(shape("circle", { r: cell.index === data.best ? 10 : 8 }));
    if (cell.index === data.best) node.append(shape("path", { d: STAR }));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      selection.toggle(cell.index);
    });
    svg.append(wire(node, cell));
  }
  return svg;
}

// ---- which parameters ----

const count = (i) => (i < 0 ? 1 : parameters[i].values.length);

// many values, or most places empty, as when values were drawn
function needPoints(cells) {
  if (axes.x < 0 || axes.y < 0 && !cells.some((cell) => finite(cell.iqm))) return false;
  const places = count(axes.x) * count(axes.y);
  return count(axes.x) > MOST || count(axes.y) > MOST || places > 1 && 2 * bestAt(cells).size <= places;
}

function drawMap() {
  const cells = cellsOnMap();
  spread(Array.from(bestAt(cells).values()));
  map.replaceChildren(needPoints(cells) ? points(cells) : squares(cells));
  selection.mark();
}

function option(text, value, chosen) { return make("option", chosen ? { value, selected: "" } : { value }, text); }

function control(text, name, options, change) {
  const select = make("select", { "data-axis": name }, ...options);
  select.addEventListener("change", () => change(Number(select.value)));
  return make("label", {}, text, select);
}

function axisControl(name) {
  const other = name === "x" ? "y" : "x";
  const options = parameters.map((parameter, i) => option(parameter.name, i, axes[name] === i));
  return control(name === "x" ? "Across" : "Up", name, options, (i) => {
    if (axes[other] === i) axes[other] = axes[name];
    axes[name] = i;
    axes.fixed.clear();
    drawControls();
    drawMap();
  });
}

function drawControls() {
  if (parameters.length < 3) return;
  const nodes = [axisControl("x"), axisControl("y")];
  parameters.forEach((parameter, i) => {
    if (i === axes.x || i === axes.y) return;
    const fixed = axes.fixed.has(i) ? axes.fixed.get(i) : -1;
    const options = [option("best of all", -1, fixed < 0),
      ...parameter.values.map((value, k) => option(value, k, fixed === k))];
    nodes.push(control(parameter.name, "fixed", options, (value) => { axes.fixed.set(i, value); drawMap(); }));
  });
  $("axes").replaceChildren(...nodes);
}
]==]
