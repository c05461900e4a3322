--- Opens pages in a real browser, without a window: headless Chromium.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local quoted = project.quoted

local browser = {}

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
  .. "--disable-component-update --disable-extensions --disable-sync --disable-dev-shm-usage --enable-logging=stderr --v=0 "
  .. "--virtual-time-budget=3000 --dump-dom"

local function line(program, folder, name, width, address)
  -- a profile and a home of its own: nothing is left behind
  return ("HOME=%s timeout 300 %s %s --user-data-dir=%s --window-size=%d,900 %s >%s 2>%s &"):format(
    quoted(folder), quoted(program), arguments, quoted(folder .. "/profile-" .. name), width, quoted(address),
    quoted(folder .. "/" .. name .. ".dom"), quoted(folder .. "/" .. name .. ".log"))
end

-- runs browsers beside each other
local function run(lines) project.run("unset LD_PRELOAD\n" .. table.concat(lines, "\n") .. "\nwait") end

-- whether it opens an empty page: it does not in every container
local function works(program)
  local folder = command.scratch()
  run { line(program, folder, "empty", 800, "about:blank") }
  local there = command.read(folder .. "/empty.dom"):find("<html", 1, true)
  command.remove(folder)
  return there ~= nil
end

--- The browser's program; nil where there is none, or it cannot run. None is asked for where it would not be used.
browser.program = not command.watched
  and project.lines("command -v chromium || command -v chromium-browser || command -v google-chrome; true")[1] or nil
if browser.program and not works(browser.program) then browser.program = nil end

-- what a page's test has written into it, or nil
local function told(folder, name)
  return command.read(folder .. "/" .. name .. ".dom"):match '<pre id="verdict">(.-)</pre>'
end

local function verdict(folder, name)
  local dom = command.read(folder .. "/" .. name .. ".dom")
  local log = command.read(folder .. "/" .. name .. ".log")
  local text = told(folder, name)
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
    lines[name] = line(browser.program, folder, name, page.width or 1200, "file://" .. folder .. "/" .. name .. ".html")
  end
  local all, again = {}, {}
  for _, text in pairs(lines) do all[#all + 1] = text end
  run(all)
  -- a browser that broke down, as for want of memory, has not seen the page
  for name, text in pairs(lines) do
    if not told(folder, name) then again[#again + 1] = text end
  end
  if #again > 0 then run(again) end
  for name in pairs(pages) do found[name] = verdict(folder, name) end
  return found
end

return browser
