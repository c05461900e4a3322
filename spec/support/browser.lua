--- Opens pages in a real browser, without a window: headless Chromium.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local quoted = project.quoted

local browser = {}

--- The browser's program, or nil.
browser.program = project.lines("command -v chromium || command -v chromium-browser || command -v google-chrome; true")[1]

-- comes before everything else on a page: remembers all that goes wrong on it
local watch = [[
<script>
window.problems = [];
addEventListener("error", (event) => problems.push("error: " + (event.message || event.target.outerHTML)), true);
addEventListener("unhandledrejection", (event) => problems.push("rejection: " + event.reason));
document.addEventListener("securitypolicyviolation", (event) => problems.push("blocked: " + event.blockedURI));
for (const kind of ["error", "warn"]) console[kind] = (...words) => problems.push(kind + ": " + words.join(" "));
</script>
]]

-- comes last: `test` fills in what it finds
local report = [[
<script>
(() => {
  const found = {};
  const click = (node) => node.click();
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const one = (selector) => document.querySelector(selector);
  const text = (node) => node.textContent.trim();
  const type = (input, words) => { input.value = words; input.dispatchEvent(new Event("input")); };
  const hover = (node, kind) => node.dispatchEvent(new PointerEvent(kind || "pointerenter"));
  try { %s } catch (error) { problems.push("test: " + error.stack); }
  found.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  found.problems = problems;
  const verdict = document.createElement("pre");
  verdict.id = "verdict";
  verdict.textContent = encodeURIComponent(JSON.stringify(found));
  document.body.append(verdict);
})();
</script>
</body>]]

-- the page with what watches it and what tests it
local function instrumented(page, test)
  local function insert(text, mark, addition)
    local from, to = text:find(mark, 1, true)
    assert(from and not text:find(mark, to + 1, true), "a page has one " .. mark)
    return text:sub(1, from - 1) .. addition .. text:sub(to + 1)
  end
  page = insert(page, "<head>", "<head>\n" .. watch)
  return insert(page, "</body>", (report:gsub("%%s", function() return test end)))
end

local arguments = "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking "
  .. "--disable-component-update --disable-extensions --disable-sync --enable-logging=stderr --v=0 "
  .. "--virtual-time-budget=3000 --dump-dom"

local function start(folder, name, width)
  -- a profile and a home of its own: nothing is left behind
  return ("HOME=%s timeout 60 %s %s --user-data-dir=%s --window-size=%d,900 %s >%s 2>%s &"):format(
    quoted(folder), quoted(browser.program), arguments, quoted(folder .. "/profile-" .. name), width,
    quoted("file://" .. folder .. "/" .. name .. ".html"), quoted(folder .. "/" .. name .. ".dom"),
    quoted(folder .. "/" .. name .. ".log"))
end

local function verdict(folder, name)
  local dom = command.read(folder .. "/" .. name .. ".dom")
  local log = command.read(folder .. "/" .. name .. ".log")
  local text = dom:match '<pre id="verdict">(.-)</pre>'
  assert(text, "the browser told nothing about " .. name .. ": " .. log)
  local found = json.decode((text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)))
  found.log, found.dom = log, dom
  return found
end

--- Opens pages at the same time, and runs a test in each.
-- A test is JavaScript; what it stores in `found` comes back, with `problems` (errors, warnings, what the page's policy
-- blocked), `requests` (addresses that were asked for), `log` and `dom`.
-- @tparam string folder for files of the browser
-- @tparam table pages by name: { page = HTML, test = JavaScript, width = 1200 }
-- @treturn table what was found, by name
function browser.open(folder, pages)
  local lines, found = {}, {}
  for name, page in pairs(pages) do
    command.write(folder .. "/" .. name .. ".html", instrumented(page.page, page.test or ""))
    lines[#lines + 1] = start(folder, name, page.width or 1200)
  end
  project.run("unset LD_PRELOAD\n" .. table.concat(lines, "\n") .. "\nwait")
  for name in pairs(pages) do found[name] = verdict(folder, name) end
  return found
end

return browser
