--- Processes in `.npz` files, which NumPy writes and reads, too.
--
-- A file holds the outcomes in columns, counting from 0 as NumPy does: `state`, `action`, `next`, `probability`,
-- `reward`, `done` (0 or 1), all of one length; `gamma`, a number; `rho0` [S]; and `size` = { S, A }. Dense files are
-- read as well: `P` [S, A, S], `r` ([S], [S, A] or [S, A, S]), `gamma`, and optionally `rho0`, `terminal` (states from
-- 0, or a truth for each state) and `actions` [S, A]. Labels such as `name` and `grid` are not stored.
-- @submodule trpo.mdp
local blame = require "trpo.blame"
local core = require "trpo.core"
local options = require "trpo.options"
local spelling = require "trpo.spelling"

local COLUMNS = { "state", "action", "next", "probability", "reward", "done" }

-- what a file may hold, and whether it must; the first name tells which of the two it is
local TRIPLETS = { state = true, action = true, next = true, probability = true, reward = true, done = false,
  size = true, gamma = true, rho0 = false }
local DENSE = { P = true, r = true, gamma = true, rho0 = false, terminal = false, actions = false }

-- ---- checks: each raises { message } -----------------------------------------------------------

local function wrong(format, ...) error({ message = format:format(...) }, 0) end

local function shape(t)
  local sizes = {}
  for d = 1, t:dim() do sizes[d] = ("%.0f"):format(t:size(d)) end
  return "[" .. table.concat(sizes, ", ") .. "]"
end

local function check_names(tensors, known)
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  for name in pairs(tensors) do
    if known[name] == nil then wrong("unknown entry '%s'%s", name, spelling.hint(name, names)) end
  end
  for _, name in ipairs(names) do
    if known[name] and not tensors[name] then wrong("the entry '%s' is missing", name) end
  end
end

local function check_vector(tensors, name, n)
  local t = tensors[name]
  if t and (t:dim() ~= 1 or n and t:size(1) ~= n) then
    wrong("%s must have size [%s], it has %s", name, n and ("%.0f"):format(n) or "n", shape(t))
  end
  return t
end

-- the one number of an entry
local function number_of(tensors, name)
  local t = tensors[name]
  if t:nelement() ~= 1 then wrong("%s must be one number, it has size %s", name, shape(t)) end
  return t:item()
end

local function is_integer_in(x, low, high) return x >= low and x <= high and x == math.floor(x) end

-- integers in [0, n), which become those in [1, n]
local function from_one(tensors, name, n)
  local t = tensors[name]
  local count = t:nelement()
  if count > 0 and not (t:floor():equal(t) and t:min() >= 0 and t:max() < n) then
    wrong("%s must hold integers in [0, %.0f), counting from 0", name, n)
  end
  return t + 1
end

-- every entry is 0 or 1
local function check_truths(tensors, name)
  local t = tensors[name]
  if not t or (t * t):equal(t) and t:max() <= 1 then return end
  for i = 1, t:size(1) do
    local x = t[i]
    if x ~= 0 and x ~= 1 then
      wrong("%s must hold 0 and 1, entry %.0f (counting from 0) is %s", name, i - 1, options.describe(x))
    end
  end
end

-- the states of a mask, from 1
local function states_of(mask)
  local list = {}
  for s = 1, mask:size(1) do
    if mask[s] ~= 0 then list[#list + 1] = s end
  end
  return list
end

-- a list of states, from 1; a mask of zeros and ones that is none by its type would be taken for one
local function terminal_of(tensors, truths, S)
  local t = check_vector(tensors, "terminal", truths.terminal and S)
  if not t or truths.terminal then return t and states_of(t) end
  local list, seen = from_one(tensors, "terminal", S):totable(), {}
  for _, s in ipairs(list) do
    if seen[s] then
      wrong("terminal must be indices of states, counting from 0, each at most once, but %.0f stands there twice "
        .. "(a mask must be of NumPy's type bool)", s - 1)
    end
    seen[s] = true
  end
  return list
end

local function gamma_of(tensors)
  local gamma = number_of(tensors, "gamma")
  if not (gamma >= 0 and gamma <= 1) then wrong("gamma must be in [0, 1], it is %s", options.describe(gamma)) end
  return gamma
end

-- ---- reading -----------------------------------------------------------------------------------

-- options of from_triplets
local function triplets_of(tensors)
  check_names(tensors, TRIPLETS)
  local size = check_vector(tensors, "size", 2)
  local S, A = size[1], size[2]
  local n = check_vector(tensors, "state"):size(1)
  for _, name in ipairs(COLUMNS) do check_vector(tensors, name, n) end
  -- every state has an outcome, so a small file cannot ask for much memory
  if not (is_integer_in(S, 1, n) and is_integer_in(A, 1, 2 ^ 31 - 1)) then
    wrong("size must be the numbers of states and actions, at most one state for each of the %.0f outcomes; "
      .. "it is {%.14g, %.14g}", n, S, A)
  end
  check_truths(tensors, "done")
  check_vector(tensors, "rho0", S)
  return {
    S = S, A = A, gamma = gamma_of(tensors), rho0 = tensors.rho0, state = from_one(tensors, "state", S),
    action = from_one(tensors, "action", A), next = from_one(tensors, "next", S), done = tensors.done,
    probability = tensors.probability, reward = tensors.reward,
  }
end

local function sizes_match(t, ...)
  local sizes = { ... }
  if t:dim() ~= #sizes then return false end
  for d, n in ipairs(sizes) do
    if t:size(d) ~= n then return false end
  end
  return true
end

-- options of trpo.mdp
local function dense_of(tensors, truths)
  check_names(tensors, DENSE)
  local P, r, actions = tensors.P, tensors.r, tensors.actions
  if P:dim() ~= 3 or P:size(1) ~= P:size(3) or P:nelement() == 0 then
    wrong("P must have size [S, A, S], it has %s", shape(P))
  end
  local S, A = P:size(1), P:size(2)
  if not (sizes_match(r, S) or sizes_match(r, S, A) or sizes_match(r, S, A, S)) then
    wrong("r must have size [%.0f], [%.0f, %.0f] or [%.0f, %.0f, %.0f], it has %s", S, S, A, S, A, S, shape(r))
  end
  if actions and not sizes_match(actions, S, A) then
    wrong("actions must have size [%.0f, %.0f], it has %s", S, A, shape(actions))
  end
  check_vector(tensors, "rho0", S)
  return { P = P, r = r, gamma = gamma_of(tensors), rho0 = tensors.rho0, terminal = terminal_of(tensors, truths, S),
    actions = actions }
end

-- options and constructor for what a file holds
local function interpret(tensors, truths)
  if tensors.P then return dense_of(tensors, truths), core.mdp.new end
  if not tensors.state then
    wrong("it holds no process: neither 'state' (outcomes in columns) nor 'P' (a dense one)")
  end
  return triplets_of(tensors), core.mdp.from_triplets
end

local counted = { state = true, action = true, outcome = true }

-- a message of the core, which counts from 1, for a file, which counts from 0
local function from_zero(message)
  local said, n = message:gsub("^trpo%.mdp[%w_.]*: ", ""), 0
  said = said:gsub("(%a+) (%d+)", function(word, number)
    if not counted[word] then return nil end
    n = n + 1
    return ("%s %.0f"):format(word, number - 1)
  end)
  return n == 0 and said or said .. " (counting from 0)"
end

-- message and code for what was raised; what is no fault of the file's is raised again
local function refused(failure)
  if type(failure) == "table" and failure.message then return failure.message, "format" end
  local text = tostring(failure)
  if text:find("not enough memory", 1, true) then return "not enough memory", "no_memory" end
  if text:find "^trpo%.mdp" then return from_zero(text), "format" end
  error(failure, 0)
end

local function load(path)
  if type(path) ~= "string" then blame("trpo.mdp.load: path must be a string, got " .. options.describe(path)) end
  local tensors, truths, code = require("trpo.npz").read(path)
  if not tensors then return nil, truths, code end
  local made, message
  local ok, failure = pcall(function()
    local given, make = interpret(tensors, truths)
    made, message, code = make(given)
  end)
  if ok and made then return made end
  if not ok then message, code = refused(failure) end
  -- without the name of a function that the user did not call
  return nil, ("cannot read '%s': %s"):format(path, ok and from_zero(message) or message), code
end

-- ---- writing -----------------------------------------------------------------------------------

local function save(mdp, path)
  if not core.mdp.is_mdp(mdp) then blame("mdp:save: mdp must be a trpo.Mdp, got " .. options.describe(mdp)) end
  if type(path) ~= "string" then blame("mdp:save: path must be a string, got " .. options.describe(path)) end
  if not path:lower():find "%.npz$" then blame(("mdp:save: path must end in .npz, got '%s'"):format(path)) end
  local tensors = mdp:triplets()
  for _, name in ipairs { "state", "action", "next" } do tensors[name] = tensors[name] - 1 end
  tensors.size = core.tensor { mdp.S, mdp.A }
  tensors.gamma = core.tensor { mdp.gamma }
  tensors.rho0 = mdp.rho0
  return require("trpo.npz").write(path, tensors)
end

return function(mdp)

--- Reads a process from a file.
-- @function trpo.mdp.load
-- @tparam string path a `.npz` file as @{Mdp:save} writes it, or a dense one; docs/exact.md has the entries of both
-- @treturn[1] Mdp
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "format", "not_stochastic", "not_finite", "too_large", "no_memory"
-- @raise when the module `trpo.zip` is missing
-- @usage -- numpy.savez("model.npz", P=P, r=r, gamma=0.9)
-- local mdp = assert(trpo.mdp.load "model.npz")
mdp.load = load

--- Writes the process to a file, whole or not at all; @{trpo.mdp.load} reads back every bit of it.
-- @function Mdp:save
-- @tparam string path ends in `.npz`
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "no_memory"
-- @raise when the module `trpo.zip` is missing
mdp.methods.save = save

end
