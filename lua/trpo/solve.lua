--- `trpo solve`: a process solved, evaluated or improved by the command line.
-- @module trpo.solve
local json = require "trpo.json"
local parameters = require "trpo.parameters"
local plot = require "trpo.plot"
local progress = require "trpo.progress"
local script = require "trpo.script"
local spelling = require "trpo.spelling"
local text = require "trpo.mdp.text"
local trpo = require "trpo"

local solve = {}

-- leaves with one sentence and an exit code
local function leave(code, format, ...)
  io.stderr:write("trpo: ", format:format(...), "\n")
  error({ exit = code }, 0)
end

-- a message of the face without the name of the function, nil when it has none
local function bare(message) return message:match "^mdp:[%w_]+: (.*)" or message:match "^trpo%.mdp%.?[%w_]*: (.*)" end

-- What a function of the face returns. A mistake that it raises is one of the command line's; a problem without an
-- answer is a failure.
local function call(f, ...)
  local ok, made, message = pcall(f, ...)
  if ok and made == nil then leave(1, "%s", bare(message) or message) end
  if ok then return made end
  local line = type(made) == "string" and made:gsub("^[^%s:]+:%d+: ", "")
  local complaint = line and bare(line)
  if not complaint or complaint:find "\n" then error(made, 0) end
  -- in the midst of improving, a problem without an answer is raised as well
  local failed = complaint:find "^iteration %d+: " or complaint:find "^the first policy: "
    or complaint:find("not enough memory", 1, true)
  leave(failed and 1 or 2, "%s", complaint)
end

-- ---- flags -------------------------------------------------------------------------------------

-- a number that a flag holds, or nil
local function number_flag(flags, name, expected, accept)
  if not flags[name] then return nil end
  local x = tonumber(flags[name])
  if x and accept(x) then return x end
  leave(2, "%s must be %s, got '%s'", name, expected, flags[name])
end

local function is_positive(x) return x > 0 and x < math.huge end

local function is_count(x) return is_positive(x) and x == math.floor(x) end

local function read_numbers(flags)
  return {
    gamma = number_flag(flags, "gamma", "a number in [0, 1]", function(x) return x >= 0 and x <= 1 end),
    tolerance = number_flag(flags, "tolerance", "a number > 0", is_positive),
    certify = number_flag(flags, "certify", "a number > 0", is_positive),
    iterations = number_flag(flags, "iterations", "an integer >= 1", is_count),
    horizon = number_flag(flags, "horizon", "an integer >= 1", is_count),
    temperature = number_flag(flags, "temperature", "a number > 0", is_positive),
    delta = number_flag(flags, "delta", "a number > 0", is_positive),
  }
end

-- a number, true, false, or a word as a table of options holds it
local function plain_value(word)
  if word == "true" or word == "false" then return word == "true" end
  return tonumber(word) or word
end

-- the options of a named process: words with commas are lists
local function read_options(flags)
  local found = {}
  for _, given in ipairs(flags.set or {}) do
    local name, value = parameters.split(given)
    if not name then leave(2, "%s", value) end
    if value:find(",", 1, true) then
      local list = {}
      for word in value:gmatch "[^,]+" do list[#list + 1] = plain_value(word) end
      found[name] = list
    else
      found[name] = plain_value(value)
    end
  end
  return found
end

-- methods of improvement whose steps are bounded by delta
local takes_delta = { trust_region_mean = true, trust_region_max = true, natural = true, gradient = true }

local function refuse_with(flags, names, other)
  for _, name in ipairs(names) do
    if flags[name] then leave(2, "--%s does not go with %s", name, other) end
  end
end

local function check_delta(flags)
  if not flags.delta then return end
  for method in (flags.improve or ""):gmatch "[^,]+" do
    if takes_delta[method] then return end
  end
  leave(2, "--delta goes with --improve by trust_region_mean, trust_region_max, natural or gradient only")
end

-- flags that make no sense together
local function check_flags(flags)
  check_delta(flags)
  if flags.improve then
    refuse_with(flags, { "method", "tolerance", "certify", "policy", "horizon", "temperature" }, "--improve")
  elseif flags.iterations then
    leave(2, "--iterations goes with --improve only; to solve takes as many as it needs")
  end
  if flags.policy == "uniform" then refuse_with(flags, { "horizon", "temperature" }, "--policy uniform") end
  if flags.json and flags.ascii then leave(2, "--ascii does not go with --json") end
  if flags.plot then
    local format, message = plot.format("--plot", flags.plot)
    if format == "-" then message = "--plot: to see a picture in the terminal, say --ascii" end
    if message then leave(2, "%s", message) end
  end
end

-- ---- the process -------------------------------------------------------------------------------

-- names and ids of the gallery, and whether one of them is meant
local function is_named(name)
  local known, found = {}, false
  for _, entry in ipairs(trpo.mdp.gallery()) do
    known[#known + 1] = entry.name
    for _, id in ipairs(entry.ids) do known[#known + 1] = id end
  end
  for _, other in ipairs(known) do found = found or other == name end
  return found, known
end

local function from_gallery(name, flags, numbers)
  local found, known = is_named(name)
  if not found then
    leave(2, "there is neither a file nor a process '%s'%s; trpo solve --list shows the processes", name,
      spelling.hint(name, known))
  end
  local options = read_options(flags)
  if numbers.gamma then options.gamma = numbers.gamma end
  return call(trpo.mdp.make, name, options)
end

local function from_script(path, judged)
  local made, message, why = script.load(path)
  if why == "refused" then leave(1, "%s: %s", path, bare(message) or message) end
  if made == nil then
    if message:find("must end with", 1, true) then leave(1, "%s must return a process, it returned nothing", path) end
    local said, code = judged(message, path)
    leave(code, "%s", said)
  end
  if trpo.mdp.is_mdp(made) then return made end
  leave(1, "%s must return a process such as trpo.mdp { ... }, it returned %s", path,
    type(made) == "userdata" and "something else" or "a " .. type(made))
end

local function from_file(path, flags, numbers, judged)
  if flags.set and #flags.set > 0 then leave(2, "--set is for named processes, '%s' is a file", path) end
  local ending = path:lower():match "%.(%w+)$"
  if ending and ending ~= "npz" and ending ~= "lua" then
    leave(2, "'%s' is neither an .npz file nor a Lua script; processes are saved by mdp:save or numpy.savez", path)
  end
  local mdp = ending == "npz" and call(trpo.mdp.load, path) or from_script(path, judged)
  return numbers.gamma and mdp:with_gamma(numbers.gamma) or mdp
end

local function process_of(flags, numbers, judged)
  local name = flags.file
  if not name then
    leave(2, "missing argument 'file': an .npz file, a Lua script or a name that trpo solve --list shows")
  end
  local file = io.open(name, "r")
  if not file then return from_gallery(name, flags, numbers) end
  local _, unreadable = file:read(0)
  file:close()
  if unreadable then
    leave(2, "cannot read '%s' (%s); give an .npz file, a Lua script or the name of a process", name, unreadable)
  end
  return from_file(name, flags, numbers, judged)
end

-- ---- what is shown -----------------------------------------------------------------------------

-- rows of a matrix that become lists when they are asked for: a large process shows a few
local function lazily(t)
  return t and setmetatable({}, { __index = function(_, s) return t[s]:totable() end })
end

local function name_of(mdp, flags) return mdp.name or flags.file end

local counted = progress.count

local function heading(mdp, flags)
  return ("%s: %s, %s, gamma %.14g"):format(name_of(mdp, flags), counted(mdp.S, "state"),
    counted(mdp.A, "action"), mdp.gamma)
end

-- "policy_iteration" as a reader says it
local function spoken(method) return (method:gsub("_", " ")) end

local function show_solution(mdp, flags, numbers, found, V, policy)
  print(heading(mdp, flags))
  local steps = found.iterations and ", " .. counted(found.iterations, "iteration") or ""
  print(("%s%s%s: %s"):format(flags.policy == "uniform" and "uniform policy, " or "", spoken(found.method), steps,
    tostring(found.status)))
  print(("expected return %.12g"):format(found.eta))
  if found.bound == math.huge then
    print "the values could not be certified"
  elseif flags.certify then
    print(("V is certified to within %.2g, to within %.2g as the pair V + V_lo that --json prints")
      :format(found.bound_rounded, found.bound))
  else
    print(("every V is certified to within %.2g"):format(found.bound_rounded))
  end
  print()
  if numbers.horizon then print(("of the first of %s:\n"):format(counted(numbers.horizon, "step"))) end
  local what = { V = V:totable(), policy = lazily(policy), Q = lazily(found.Q) }
  local shown = text.board(mdp, what)
  if shown then print(shown) end
  io.write(text.table(mdp, what))
end

-- numbers, words and truths of a record, which is what JSON holds
local function plain(record)
  local out = {}
  for key, value in pairs(record) do
    local kind = type(value)
    if kind == "number" or kind == "string" or kind == "boolean" then out[key] = value end
  end
  return out
end

local order = { "name", "states", "actions", "gamma", "method", "status", "iterations", "sweeps", "eta", "bound",
  "bound_rounded", "V", "V_lo", "policy", "Q", "A", "rho" }

local function print_json(mdp, flags, record)
  record.name, record.states, record.actions, record.gamma = name_of(mdp, flags), mdp.S, mdp.A, mdp.gamma
  print(json.encode(record, { order = order }))
end

local function as_list(t) return json.list(t:totable()) end

local function solution_json(mdp, flags, found, policy)
  local record = plain(found)
  record.policy = as_list(policy)
  for _, name in ipairs { "V", "V_lo", "Q", "A", "rho" } do record[name] = found[name] and as_list(found[name]) end
  print_json(mdp, flags, record)
end

-- ---- solving and evaluating --------------------------------------------------------------------

local function solved(mdp, flags, numbers)
  local options = { method = flags.method, tolerance = numbers.tolerance, certify = numbers.certify,
    horizon = numbers.horizon, temperature = numbers.temperature }
  if flags.policy ~= "uniform" then
    local found = call(mdp.solve, mdp, options)
    return found, found.policy
  end
  local policy = mdp:uniform_policy()
  return call(mdp.evaluate, mdp, policy, options), policy
end

local function title_of(mdp, flags, gamma)
  return ("%s, %s = %.6g"):format(name_of(mdp, flags), gamma or "γ", mdp.gamma)
end

-- draws in the terminal, where letters may be all there is, and into a file
local function draw(draw_into, mdp, flags, picture)
  if flags.ascii then
    print()
    picture.title = title_of(mdp, flags, "gamma")
    draw_into("-", picture)
  end
  if flags.plot then
    picture.title = title_of(mdp, flags)
    draw_into(flags.plot, picture)
  end
end

local function run_solution(mdp, flags, numbers)
  local found, policy = solved(mdp, flags, numbers)
  local V = found.V
  if flags.json then solution_json(mdp, flags, found, policy) end
  -- a horizon has values and a policy for each step
  if numbers.horizon then V, policy = V[1], policy[1] end
  if not flags.json then show_solution(mdp, flags, numbers, found, V, policy) end
  draw(function(file, picture) call(mdp.plot, mdp, file, picture) end, mdp, flags, { V = V, policy = policy })
end

-- ---- improving ---------------------------------------------------------------------------------

-- what a method did from the uniform policy on: its records with that policy's in front
local function improved(mdp, method, numbers, eta)
  local curve = { label = spoken(method), method = method, { iteration = 0, eta = eta } }
  local iterate = call(mdp.improve, mdp, { method = method, policy = mdp:uniform_policy(),
    iterations = numbers.iterations or 20, delta = takes_delta[method] and numbers.delta or nil })
  local function nextone() return { (iterate()) } end
  local found = call(nextone)
  while found[1] do
    curve[#curve + 1] = plain(found[1])
    found = call(nextone)
  end
  return curve
end

-- iterations that a table shows: all of a few, some of many
local function shown_iterations(last)
  local list, at = {}, 0
  while at <= last do
    list[#list + 1] = at
    at = at + (at < 5 and 1 or at < 20 and 5 or at < 100 and 20 or 100)
  end
  if list[#list] ~= last then list[#list + 1] = last end
  return list
end

local function number(x) return type(x) == "number" and ("%.6g"):format(x) or "" end

local function returns_table(curves)
  local last, heading_row = 0, { "iteration" }
  for i, curve in ipairs(curves) do
    last, heading_row[i + 1] = math.max(last, curve[#curve].iteration), curve.label
  end
  local rows = { heading_row }
  for _, iteration in ipairs(shown_iterations(last)) do
    local row = { ("%d"):format(iteration) }
    for i, curve in ipairs(curves) do row[i + 1] = number((curve[iteration + 1] or {}).eta) end
    rows[#rows + 1] = row
  end
  return text.aligned(rows, {})
end

-- the last step of each method
local function steps_table(curves)
  local rows = { { "last step of", "return", "lower bound", "KL max", "KL mean", "TV max", "step", "status" } }
  for _, curve in ipairs(curves) do
    local at = curve[#curve]
    rows[#rows + 1] = { curve.label, number(at.eta), number(at.lower_bound), number(at.kl_max), number(at.kl_mean),
      number(at.tv_max), number(at.step), tostring(at.status or "") }
  end
  return text.aligned(rows, { 1, 8 })
end

local function show_improvement(mdp, flags, curves)
  print(heading(mdp, flags))
  print(("from the uniform policy; the optimal return is %.12g"):format(curves.optimum))
  print()
  print("expected return after each iteration")
  print(returns_table(curves))
  io.write(steps_table(curves))
end

local function improvement_json(mdp, flags, curves)
  local list = {}
  for i, curve in ipairs(curves) do
    local records = {}
    for j, record in ipairs(curve) do records[j] = record end
    list[i] = { method = curve.method, records = json.list(records) }
  end
  print_json(mdp, flags, { optimum = curves.optimum, improve = json.list(list) })
end

local function run_improvement(mdp, flags, numbers)
  local curves = {}
  local start = call(mdp.evaluate, mdp, mdp:uniform_policy())
  curves.optimum = call(mdp.solve, mdp).eta
  for method in flags.improve:gmatch "[^,]+" do
    curves[#curves + 1] = improved(mdp, method, numbers, start.eta)
  end
  if #curves == 0 then leave(2, "--improve must name at least one method") end
  if flags.json then improvement_json(mdp, flags, curves) else show_improvement(mdp, flags, curves) end
  draw(function(file, picture) call(trpo.mdp.plot_improvement, file, picture) end, mdp, flags, curves)
end

-- ---- the gallery -------------------------------------------------------------------------------

local function run_list(flags)
  for name, value in pairs(flags) do
    local is_given = value and name ~= "list" and name ~= "json" and name ~= "command"
      and not (name == "set" and #value == 0) and not (name == flags.command)
    if is_given then leave(2, "--list goes with --json only") end
  end
  local list = trpo.mdp.gallery()
  if flags.json then
    for _, entry in ipairs(list) do entry.ids = json.list(entry.ids) end
    return print(json.encode(json.list(list), { order = { "name", "summary", "ids" } }))
  end
  for _, entry in ipairs(list) do
    local ids = #entry.ids > 0 and (" (%s)"):format(table.concat(entry.ids, ", ")) or ""
    print(("%-16s %s%s"):format(entry.name, entry.summary, ids))
  end
end

--- Solves, evaluates, improves or lists as the command line asks.
-- @tparam table flags of the command line, see `trpo.commands`
-- @tparam function judged what a script raised → message, exit code
-- @treturn number exit code: 0, 1 (failed), 2 (usage); the latter two are raised as `{ exit = code }`
function solve.run(flags, judged)
  trpo.signals.release() -- Ctrl-C ends a long solution at once; nothing is half written
  if flags.list then
    run_list(flags)
    return 0
  end
  check_flags(flags)
  local numbers = read_numbers(flags)
  local mdp = process_of(flags, numbers, judged)
  if flags.improve then run_improvement(mdp, flags, numbers) else run_solution(mdp, flags, numbers) end
  return 0
end

return solve
