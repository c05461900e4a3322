--- How the page of a sweep looks: light and dark, on a wide screen, on a narrow one, on paper.
-- @module trpo.report.style
return [==[
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2127; --muted: #57606a; --line: #d8dee4; --faint: #f5f7f9; --hover: #eef2f6;
  --accent: #0a58a6; --best: #c24a00; --done: #1f7a4d; --failed: #b3261e; --running: #0a58a6; --waiting: #c4cbd3;
  --low: #e6eff9; --high: #084a8c; --on-low: #000000; --on-high: #ffffff;
  --c1: #0072b2; --c2: #d55e00; --c3: #00865f; --c4: #b85c93; --c5: #1c2127; --c6: #3d9bd1; --c7: #c28400;
  --other: #c9d0d7;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e4e8ec; --muted: #9aa5b1; --line: #313942; --faint: #1a2027; --hover: #222a33;
    --accent: #79b8ff; --best: #ff9d5c; --done: #57c08a; --failed: #ff8f85; --running: #79b8ff; --waiting: #4b5560;
    --low: #1c2e42; --high: #9fd0ff; --on-low: #ffffff; --on-high: #000000;
    --c1: #58aee6; --c2: #f58b4a; --c3: #35c295; --c4: #e39ac5; --c5: #e4e8ec; --c6: #a3d8f7; --c7: #ebb23c;
    --other: #3a444e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial,
    sans-serif;
  font-variant-numeric: tabular-nums;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; z-index: 3; padding: .5rem .75rem; background: var(--paper); }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 650; letter-spacing: -.005em; }
h3 { font-size: .8125rem; font-weight: 600; color: var(--muted); }
section { padding: 2rem 0 0; margin-top: 2rem; border-top: 1px solid var(--line); }
main > section:first-child { border-top: 0; margin-top: 0; }
a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: 1px; }
code, pre, .id {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .8125rem;
}
button, input, select { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.over { color: var(--muted); font-size: .875rem; }
.lead { margin-top: .5rem; max-width: 46rem; color: var(--muted); text-wrap: pretty; }
.lead strong, .hint strong { color: var(--ink); font-weight: 600; }
.hint { color: var(--muted); font-size: .875rem; margin-top: .25rem; max-width: 46rem; }
nav { margin-top: 1rem; font-size: .875rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note {
  margin-top: 1rem; padding: .625rem .875rem; border-left: 3px solid var(--running); background: var(--faint);
  max-width: 46rem; font-size: .9375rem;
}
.note.bad { border-color: var(--failed); }
.note > code { white-space: nowrap; }
.note ul { margin-top: .25rem; padding-left: 1.25rem; }
.note li { overflow-wrap: anywhere; }

/* summary */
.summary {
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2rem 3.5rem; margin-top: 1.25rem;
}
.params { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem; margin-top: .375rem; }
.params dt { color: var(--muted); font-size: .8125rem; }
.params dd {
  font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; overflow-wrap: anywhere;
}
.score { margin-top: .875rem; }
.score b { font-weight: 600; color: var(--best); }
.strip { display: block; margin-top: .625rem; width: 100%; max-width: 26rem; height: 44px; overflow: visible; }
.strip text { font-size: 11px; fill: var(--muted); }
.strip .axis { stroke: var(--line); }
.strip .range { stroke: var(--best); stroke-width: 3; opacity: .4; }
.strip .dot { fill: var(--muted); fill-opacity: .55; }
.strip .mid { stroke: var(--best); stroke-width: 2.5; }
.big { font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; margin-top: .375rem; }
.big small { font-size: .9375rem; font-weight: 400; color: var(--muted); letter-spacing: 0; }
.bar { display: flex; gap: 2px; height: .625rem; margin-top: .75rem; border-radius: .3125rem; overflow: hidden; }
.bar i { min-width: 3px; background: var(--waiting); print-color-adjust: exact; }
.bar .done, .state.done::before { background: var(--done); }
.bar .failed, .state.failed::before { background: var(--failed); }
.bar .running, .state.running::before { background: var(--running); }
.states {
  list-style: none; display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin-top: .5rem; font-size: .875rem;
}
.state { white-space: nowrap; }
.state::before {
  content: ""; display: inline-block; width: .5625rem; height: .5625rem; margin-right: .4375rem;
  border-radius: 50%; background: var(--waiting); print-color-adjust: exact;
}
.state.failed::before { border-radius: 0; }
.facts {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.25rem; margin-top: 1rem;
  font-size: .875rem;
}
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }

/* map and curves: a picture, and what belongs to it at its side */
.controls { display: flex; flex-wrap: wrap; align-items: end; gap: .5rem 1rem; margin-top: 1rem; }
.controls:empty { display: none; }
.controls label { font-size: .8125rem; color: var(--muted); }
.controls label > * { display: block; margin-top: .125rem; color: var(--ink); }
select, input[type=search], .plain {
  padding: .3125rem .5rem; border: 1px solid var(--line); border-radius: .375rem; background: var(--paper);
  font-size: .875rem;
  max-width: 100%;
}
.plain { cursor: pointer; color: var(--accent); padding: .3125rem .75rem; }
.plain:hover { background: var(--hover); }
.beside {
  display: grid; grid-template-columns: minmax(0, 1fr) 19rem; gap: 1.5rem 2.5rem; margin-top: 1.25rem;
  align-items: start;
}
.scroll { overflow-x: auto; }
.heat { border-collapse: separate; border-spacing: 3px; width: 100%; table-layout: fixed; font-size: .875rem; }
.heat th { font-weight: 400; color: var(--muted); padding: 0 .375rem; overflow-wrap: anywhere; }
.heat .y { position: sticky; left: 0; z-index: 2; text-align: right; background: var(--paper); }
.heat col.y { width: 5.5rem; }
.heat td { padding: 0; }
.heat tbody td { height: 3.75rem; }
.heat .axis { padding: .125rem 0; font-weight: 600; font-size: .8125rem; color: var(--ink); }
.heat thead .axis { text-align: left; }
.heat .none { display: block; height: 100%; border: 1px dashed var(--line); border-radius: .25rem; }
.square {
  display: flex; align-items: center; justify-content: center; position: relative; width: 100%; height: 100%;
  padding: 0; border: 0; border-radius: .25rem; cursor: pointer; color: var(--on-low); font-size: .9375rem;
  line-height: 1.1;
  background: color-mix(in oklab, var(--low), var(--high) var(--t)); print-color-adjust: exact;
}
.square.strong { color: var(--on-high); }
@media screen and (prefers-color-scheme: dark) { .square.middle { color: var(--on-high); } }
.square.empty { background: none; border: 1px dashed var(--muted); color: var(--muted); }
.square.best { box-shadow: 0 0 0 3px var(--best); z-index: 1; }
.square.best::before {
  content: ""; position: absolute; top: .375rem; right: .375rem; width: .75rem; height: .75rem;
  background: currentColor;
  clip-path: polygon(50% 0, 62% 36%, 100% 36%, 69% 58%, 81% 95%, 50% 73%, 19% 95%, 31% 58%, 0 36%, 38% 36%);
}
.square:hover, .point:hover circle { filter: brightness(1.08); }
.square:focus-visible { outline-offset: 4px; z-index: 2; }
.square .tick, .key .tick { display: none; }
.square[aria-pressed=true] .tick {
  display: block; position: absolute; left: .375rem; bottom: .375rem; width: .6875rem; height: .6875rem;
  border-radius: 50%;
  background: var(--c); border: 2px solid var(--paper);
}
.dense .square { font-size: .75rem; }
.dense .square.best::before { top: .1875rem; right: .1875rem; width: .5625rem; height: .5625rem; }
.bare .square span { display: none; }
.bare tbody td { height: 2rem; }
.point { cursor: pointer; outline-offset: 3px; }
.point circle { fill: color-mix(in oklab, var(--low), var(--high) var(--t)); stroke: var(--muted); stroke-width: 1; }
.point.empty circle { fill: none; stroke-dasharray: 2 2; }
.point.best circle { stroke: var(--best); stroke-width: 3.5; }
.point path { fill: var(--on-high); }
.point[aria-pressed=true] circle { stroke: var(--c); stroke-width: 4; }
.point:focus-visible { outline: none; }
.point:focus-visible circle { stroke: var(--accent); stroke-width: 4; }
.point line { stroke: var(--muted); stroke-width: 1.5; }
.ramp {
  display: flex; align-items: center; gap: .625rem; margin-top: .875rem; font-size: .8125rem; color: var(--muted);
}
.ramp i {
  flex: 0 1 11rem; height: .625rem; border-radius: .1875rem; print-color-adjust: exact;
  background: linear-gradient(to right, var(--low), var(--high));
  background: linear-gradient(in oklab to right, var(--low), var(--high));
}
.ramp .mark { display: flex; align-items: center; gap: .4375rem; margin-left: .75rem; }
.ramp b { width: .875rem; height: .875rem; border: 3px solid var(--best); border-radius: .25rem; }
.readout { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.125rem; min-height: 11rem; }
.readout .params dd { font-size: 1.0625rem; }
.readout .facts { margin-top: .75rem; }
.mark { color: var(--best); font-weight: 600; white-space: nowrap; }
.chart { position: relative; }
svg.draw { display: block; width: 100%; height: auto; overflow: visible; }
.draw text { font-size: 12px; fill: var(--muted); }
.draw .title { fill: var(--ink); font-weight: 600; }
.draw .grid { stroke: var(--line); stroke-width: 1; }
.draw .curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.draw .curve.dim { stroke: var(--other); stroke-width: 1.25; }
.draw .curve.lit { stroke-width: 3.25; }
.draw .band { fill: var(--c); opacity: .14; }
.draw .band.lit { opacity: .28; }
.draw .lone { fill: var(--c); }
.draw .whisker { stroke: var(--c); stroke-width: 2; }
.draw .cross { stroke: var(--muted); stroke-dasharray: 3 3; }
.tip {
  position: absolute; top: .5rem; pointer-events: none; padding: .5rem .625rem; border: 1px solid var(--line);
  border-radius: .375rem; background: var(--paper); font-size: .8125rem; line-height: 1.4; max-width: 26rem;
  z-index: 2;
}
.tip b { font-weight: 600; }
.tip i {
  display: inline-block; width: .625rem; height: .625rem; margin-right: .4375rem; border-radius: 50%;
  background: var(--c);
}
.keys-head {
  display: flex; justify-content: space-between; padding: 0 0 .25rem 2rem; font-size: .8125rem; color: var(--muted);
}
.keys { list-style: none; max-height: 24rem; overflow-y: auto; margin: 0 -.5rem; }
.key {
  display: grid; grid-template-columns: 1.5rem minmax(0, 1fr) auto; gap: .5rem; align-items: center; width: 100%;
  text-align: left;
  padding: .25rem .5rem; border: 0; border-radius: .375rem; background: none; cursor: pointer; font-size: .875rem;
}
.key:hover, .key.lit { background: var(--hover); }
.key[aria-pressed=true] { background: var(--hover); }
.key:focus-visible { outline-offset: -2px; }
.key span { overflow-wrap: anywhere; }
.key svg { width: 1.5rem; height: .75rem; }
.key line { stroke: var(--c); stroke-width: 3; }
.key.dim line { stroke: var(--other); }

/* tables */
.tools {
  display: flex; flex-wrap: wrap; align-items: center; gap: .375rem .875rem; margin-top: .875rem; font-size: .875rem;
  color: var(--muted);
}
.tools input { width: 17rem; color: var(--ink); }
.tall { max-height: 40rem; overflow: auto; }
.wide {
  margin-top: .75rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem;
  /* a shadow where there is more to scroll to */
  background:
    linear-gradient(90deg, var(--paper) 40%, transparent) 0 0 / 2.5rem 100% no-repeat local,
    linear-gradient(-90deg, var(--paper) 40%, transparent) 100% 0 / 2.5rem 100% no-repeat local,
    linear-gradient(90deg, var(--waiting), transparent) 0 0 / 1rem 100% no-repeat scroll,
    linear-gradient(-90deg, var(--waiting), transparent) 100% 0 / 1rem 100% no-repeat scroll;
}
.list { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .8438rem; }
.list th, .list td { padding: .375rem .5rem; text-align: left; white-space: nowrap; vertical-align: top; }
.list thead th {
  position: sticky; top: 0; z-index: 1; padding: 0; background: var(--faint); border-bottom: 1px solid var(--line);
  font-weight: 600; white-space: normal; vertical-align: bottom;
}
.list thead button {
  display: block; position: relative; width: 100%; padding: .4375rem .5rem; border: 0; background: none;
  cursor: pointer; font-weight: 600; text-align: inherit;
}
.list .n button { padding-left: 1rem; }
.list .t button { padding-right: 1rem; }
.list thead button:hover { background: var(--hover); }
.list thead button:focus-visible { outline-offset: -2px; }
.list .t button::after, .list .n button::before {
  content: ""; position: absolute; bottom: .85rem; width: .5rem; height: .4375rem;
}
.list .t button::after { right: .25rem; }
.list .n button::before { left: .25rem; }
.list [aria-sort] button::after, .list [aria-sort] button::before {
  background: currentColor; clip-path: polygon(50% 0, 100% 100%, 0 100%);
}
.list [aria-sort=descending] button::after, .list [aria-sort=descending] button::before {
  clip-path: polygon(0 0, 100% 0, 50% 100%);
}
.list .n { text-align: right; }
.list tbody tr + tr > * { border-top: 1px solid var(--line); }
.list tbody tr:hover > * { background: var(--hover); }
.list tr.best td:first-child { box-shadow: inset 3px 0 var(--best); }
.list .strong { font-weight: 600; }
.list td.message { white-space: normal; min-width: 16rem; max-width: 32rem; overflow-wrap: anywhere; }
.empty-row { padding: .75rem; color: var(--muted); font-size: .875rem; }

/* probability of improvement */
.chances { list-style: none; margin-top: 1rem; max-width: 46rem; font-size: .875rem; }
.chances li {
  display: grid; grid-template-columns: minmax(0, 19rem) minmax(6rem, 1fr) 8rem; gap: .875rem; align-items: center;
  padding: .1875rem 0;
}
.chances li > :first-child { overflow-wrap: anywhere; }
.chances .track {
  position: relative; height: .75rem; border-radius: .1875rem; background: var(--hover); print-color-adjust: exact;
}
.chances .track i {
  position: absolute; inset: 0 auto 0 0; border-radius: .1875rem; background: var(--c1); print-color-adjust: exact;
}
.chances .track::after {
  content: ""; position: absolute; left: 50%; top: -.1875rem; bottom: -.1875rem; width: 1px; background: var(--ink);
}
.chances .track u {
  position: absolute; top: 50%; height: 1px; min-width: 1px; background: var(--ink); text-decoration: none;
}
.chances b { font-weight: 400; text-align: right; }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--accent); font-size: .875rem; }
.message details { margin-top: 0; }
.message summary { font-size: inherit; }
.message pre { max-height: 16rem; padding: .375rem .5rem; }
pre {
  margin: .5rem 0 0; padding: .875rem 1rem; overflow: auto; max-height: 32rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--faint); line-height: 1.45;
}
footer { margin-top: 3rem; padding-bottom: 3rem; color: var(--muted); font-size: .8125rem; }
[hidden] { display: none !important; }

@media (max-width: 60rem) {
  .summary, .beside { grid-template-columns: minmax(0, 1fr); }
  .readout { min-height: 0; }
  .keys { max-height: 16rem; }
}
@media (max-width: 32rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  header { padding-top: 1.5rem; }
  h1 { font-size: 1.5rem; }
  section { padding-top: 1.5rem; margin-top: 1.5rem; }
  .heat col.y { width: 3.75rem; }
  .long { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .long dd { margin-bottom: .375rem; }
  .heat th { padding: 0 .125rem; }
  .heat tbody td { height: 3rem; }
  .tools input { width: 100%; }
  .chances li { grid-template-columns: minmax(0, 1fr) 8rem; }
  .chances li { gap: .1875rem .875rem; padding: .3125rem 0; }
  .chances .track { grid-row: 2; grid-column: 1 / -1; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10pt; }
  header, main, footer { max-width: none; padding: 0; }
  nav, .tools, .controls, .skip, .tip { display: none; }
  section { break-inside: auto; }
  h2, section > .hint { break-after: avoid; break-inside: avoid; }
  .tall, .keys, pre { max-height: none; }
  .wide { overflow: visible; border: 0; }
  .list { font-size: 8pt; }
  .list th, .list td { padding: .125rem .375rem; white-space: normal; }
  .list thead th { position: static; padding: .125rem .375rem; }
  /* what is left of a button is not painted again on the next pages */
  .list thead button { display: contents; }
  .list thead .n button::before, .list thead .t button::after { content: none; }
  .readout, figure, .chances li, .heat, .draw { break-inside: avoid; }
}
]==]
