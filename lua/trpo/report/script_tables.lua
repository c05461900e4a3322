--- The part of the page's script that sorts and filters tables.
-- @module trpo.report.script_tables
return [==[
// ---- tables: a click on a heading sorts, words in the field above choose rows ----

// what a cell is sorted by; null is missing and comes last in both directions
function sortKey(cell, numeric) {
  const text = cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim();
  if (!numeric) return text === "" ? null : text;
  const x = text === "" ? NaN : Number(text);
  return Number.isNaN(x) ? null : x;
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b, numeric) {
  if (!numeric) return collator.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortRows(table, column, sign, numeric) {
  const rows = Array.from(table.tBodies[0].rows, (row, place) =>
    ({ row, place, key: sortKey(row.cells[column], numeric) }));
  rows.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
    return sign * compare(a.key, b.key, numeric) || a.place - b.place;
  });
  const sorted = document.createDocumentFragment();
  for (const { row } of rows) sorted.append(row);
  table.tBodies[0].append(sorted);
}

function makeSortable(table) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    sortRows(table, column, sign, head.dataset.kind === "number");
  }));
}

// a word is found anywhere in a row; name=value is the whole value in the column of that name
function chooser(word, names) {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(word) || [];
  const column = name === undefined ? -1 : names.indexOf(name);
  if (column < 0) return (texts) => texts.some((text) => text.includes(word));
  return (texts) => texts[column] === value;
}

function makeFilter(input) {
  const table = $(input.dataset.table), output = $(input.dataset.output);
  const names = Array.from(table.tHead.rows[0].cells, (head) => head.textContent.trim().toLowerCase());
  const texts = new Map();
  for (const row of table.tBodies[0].rows) {
    texts.set(row, Array.from(row.cells, (cell) => cell.textContent.trim().toLowerCase()));
  }
  function choose() {
    const tests = input.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => chooser(word, names));
    let shown = 0;
    for (const [row, text] of texts) {
      row.hidden = !tests.every((test) => test(text));
      shown += row.hidden ? 0 : 1;
    }
    output.textContent = shown === texts.size ? "" : shown + " of " + texts.size + " shown";
  }
  input.addEventListener("input", choose);
  // the browser may have kept what was typed before the page was loaded again
  if (input.value) choose();
}

document.querySelectorAll("table.list").forEach(makeSortable);
document.querySelectorAll("input[data-table]").forEach(makeFilter);

// a link to a table may choose rows
document.querySelectorAll("a[data-filter]").forEach((link) => link.addEventListener("click", () => {
  const input = $(link.dataset.input);
  input.value = link.dataset.filter;
  input.dispatchEvent(new Event("input"));
}));
]==]
