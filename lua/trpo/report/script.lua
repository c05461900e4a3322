--- What the page of a sweep does: plain JavaScript, without which the tables are there all the same.
-- @module trpo.report.script
local core = [==[
"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

// ---- elements: texts go in as texts, never as markup ----

function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function shape(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "") node.setAttribute(key, value);
  return node;
}

// a drawing without a name is left out of what is read aloud, but for the controls in it
function drawing(width, height, name) {
  const svg = shape("svg", { class: "draw", viewBox: "0 0 " + width + " " + height, width, height });
  if (name) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", name); }
  else if (name === undefined) svg.setAttribute("aria-hidden", "true");
  return svg;
}

function caption(x, y, anchor, text, kind) {
  const node = shape("text", { x, y, "text-anchor": anchor, class: kind || "" });
  node.textContent = text;
  return node;
}

function axisTitles(x, y, across, up) {
  return [caption(x, y, "end", across + " →", "title"), caption(0, 12, "start", "↑ " + up, "title")];
}

// round numbers around [low, high]; tight: the axis ends where the data end
function niceScale(low, high, count, tight) {
  if (!(low <= high)) { low = 0; high = 1; }
  if (low === high) { const pad = Math.abs(low) * 0.1 || 1; low -= tight ? 0 : pad; high += pad; }
  const raw = (high - low) / count, power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999) * power;
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9), ticks = [];
  const from = tight ? first : Math.floor(low / step + 1e-9), to = tight ? last : Math.ceil(high / step - 1e-9);
  for (let k = from; k <= to; k++) ticks.push(k * step);
  const places = -Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / power - 2.5) < 1e-9 ? 1 : 0);
  const plain = (x) => (Math.abs(x) >= 1e6 || step < 1e-6 ? String(+x.toPrecision(4)) : x.toFixed(Math.max(0, places)));
  const text = (x) => plain(x).replace(/-/g, "−");
  return { low: tight ? low : ticks[0], high: tight ? high : ticks[ticks.length - 1], ticks, text };
}

// ---- the cells that were picked, and the one under the pointer ----

const selection = {
  picked: new Set(),
  lit: -1,
  toggle(index) {
    if (!this.picked.delete(index)) this.picked.add(index);
    drawCurves();
    this.mark();
  },
  clear() {
    this.picked.clear();
    drawCurves();
    this.mark();
  },
  light(index) {
    if (index === this.lit) return;
    this.lit = index;
    drawCurves();
    document.querySelectorAll(".key").forEach((key) => key.classList.toggle("lit", Number(key.dataset.cell) === index));
  },
  // brings what is picked to the map and the legend
  mark() {
    const taken = colours();
    document.querySelectorAll("button[data-cell], g[data-cell]").forEach((node) => {
      const index = Number(node.dataset.cell), slot = taken.get(index);
      node.setAttribute("aria-pressed", String(this.picked.has(index)));
      node.classList.toggle("dim", slot === undefined);
      if (slot !== undefined) node.style.setProperty("--c", colour(slot));
      const line = node.querySelector(".key line");
      if (line) line.setAttribute("stroke-dasharray", slot === undefined ? "" : dashes(slot));
    });
    $("clear").hidden = this.picked.size === 0;
  },
};
]==]

local start = [==[
// ---- everything at its place ----

if (data.cells.length) {
  drawControls();
  drawKeys();
  drawMap();
  drawCurves();
  describe(data.cells[data.best] || data.cells[0]);
  $("clear").addEventListener("click", () => selection.clear());
  box.addEventListener("pointermove", point);
  box.addEventListener("pointerleave", unpoint);
  $("family").value = String(Math.max(0, data.curves.indexOf(family)));
  $("family").addEventListener("change", (event) => {
    family = data.curves[Number(event.target.value)];
    drawKeys();
    drawCurves();
    selection.mark();
  });
  // drawings are as wide as their place
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    drawMap();
    drawCurves();
  });
}
]==]

return table.concat({
  "(() => {\n", core, require "trpo.report.script_tables", require "trpo.report.script_map",
  require "trpo.report.script_curves", start, "})();\n",
}, "\n")
