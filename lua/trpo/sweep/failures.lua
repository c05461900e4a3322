--- Failures that are withdrawn, so that their trials are as if they had not been run yet: whoever takes them runs them,
-- once, and a new failure stays. Each is withdrawn under a claim of its trial, so that no result of somebody who runs
-- it at this moment goes with it.
-- @module trpo.sweep.failures
local claims = require "trpo.sweep.claims"
local core = require "trpo.core"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"

local failures = {}

-- takes away the result of a trial that is ours and failed: its path and text; nil when there is no such result
local function withdrawn(uv, description, entry)
  local path = entry.dir .. "/" .. results.file(description, entry.rung)
  local outcome, text = results.outcome(description, entry), core.file.read(path)
  if not outcome or not text or outcome.status ~= "failed" then return nil end
  return uv.fs_unlink(path) and { path = path, text = text } or nil
end

--- Withdraws the failures of a sweep.
-- @tparam table sweep as `trpo.sweep.results.read` returns it
-- @treturn {table,...}|nil what was withdrawn, for `put_back`; of trials that others are at work on nothing
-- @treturn string|nil message
-- @treturn string|nil "io"
function failures.withdraw(sweep)
  local uv, list = rock("luv", "trpo sweep"), {}
  local held, message, code = claims.open(sweep.dir, true)
  if not held then return nil, message, code end
  for _, entry in ipairs(sweep.trials) do
    local claim = entry.status == "failed" and held:take(entry.key)
    if claim then
      list[#list + 1] = withdrawn(uv, sweep.description, entry)
      held:release(claim)
    end
  end
  return list
end

--- Puts failures back whose trials are not going to be run after all.
-- @tparam {table,...} list of `withdraw`
function failures.put_back(list)
  for _, failure in ipairs(list) do core.file.write(failure.path, failure.text) end
end

return failures
