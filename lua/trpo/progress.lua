--- Shows a running experiment: one refreshing line on a terminal, one plain line per iteration elsewhere.
-- @module trpo.progress
local progress = {}
progress.__index = progress

--- A duration as people write it.
-- @tparam number seconds
-- @treturn string `0:07`, `12:30`, `3:02:11`
function progress.duration(seconds)
  local s = math.max(0, math.floor(seconds + 0.5))
  local hours, minutes = math.floor(s / 3600), math.floor(s % 3600 / 60)
  if hours > 0 then return ("%d:%02d:%02d"):format(hours, minutes, s % 60) end
  return ("%d:%02d"):format(minutes, s % 60)
end

--- A number of any size in a few characters.
-- @tparam number|nil x nil stands for a number that does not exist yet
-- @treturn string
function progress.short(x)
  if x == nil then return "-" end
  if x ~= x then return "nan" end
  if math.abs(x) >= 1e6 then return ("%.3g"):format(x) end
  if math.abs(x) >= 1000 then return ("%.0f"):format(x) end
  if math.abs(x) >= 100 then return ("%.1f"):format(x) end
  return math.abs(x) >= 0.1 and ("%.2f"):format(x) or ("%.2g"):format(x)
end

--- A number as a result is told: with four significant digits, or with more of them.
-- @tparam number|nil x nil stands for a number that does not exist
-- @tparam[opt=4] number digits
-- @treturn string `0.9043`, `38.69`, `481.6`, `20480`, `-`
function progress.number(x, digits)
  if x == nil then return "-" end
  if x ~= x then return "nan" end
  local size = math.abs(x)
  digits = digits or 4
  if size < 0.1 or size >= 1e6 then return ("%." .. digits .. "g"):format(x) end
  -- the digits before the point may become more by rounding
  local exponent = tonumber(("%." .. digits - 1 .. "e"):format(size):match "e(.*)")
  return ("%." .. math.max(0, digits - 1 - exponent) .. "f"):format(x)
end

--- A count with its noun.
-- @tparam number n
-- @tparam string noun
-- @treturn string `1 run`, `3 runs`
function progress.count(n, noun) return ("%.0f %s%s"):format(n, noun, n == 1 and "" or "s") end

--- How many columns an output has.
-- @tparam integer fd 1 for the standard output, 2 for the standard error output
-- @treturn number what COLUMNS says, or the width of the terminal, or 80
-- @treturn boolean whether it is a terminal
function progress.columns(fd)
  local ok, uv = pcall(require, "luv")
  local terminal = ok and uv.guess_handle(fd) == "tty"
  local width = tonumber(os.getenv("COLUMNS") or "")
  local handle = terminal and not width and uv.new_tty(fd, false)
  if handle then
    width = handle:get_winsize()
    handle:close()
    uv.run("nowait")
  end
  return width and width > 0 and width or 80, terminal
end

--- What the standard error output is.
-- @treturn table opts for `new`: `terminal`, `colour`, `unicode` (booleans), `width` (columns)
function progress.terminal()
  local width, terminal = progress.columns(2)
  terminal = terminal and os.getenv("TERM") ~= "dumb"
  local locale = os.getenv("LC_ALL") or os.getenv("LC_CTYPE") or os.getenv("LANG") or ""
  local no_colour = os.getenv("NO_COLOR")
  return {
    terminal = terminal,
    colour = terminal and not (no_colour and #no_colour > 0),
    unicode = locale:lower():find("utf%-?8") ~= nil,
    width = width,
  }
end

--- A display.
-- @tparam table opts `steps` (total), `label` (name of the run), `out` (file), and what `terminal` returns
-- @treturn Progress
function progress.new(opts)
  local self = { drawn = false, last = -math.huge, out = io.stderr, width = 80, label = "", steps_before = 0,
    elapsed_before = 0 }
  for key, value in pairs(opts) do self[key] = value end
  return setmetatable(self, progress)
end

--- Says what was done before: how long the rest takes is judged by the speed since then.
-- @tparam number steps
-- @tparam number elapsed seconds
function progress:resume(steps, elapsed) self.steps_before, self.elapsed_before = steps, elapsed end

-- seconds until all steps are done
function progress:left(steps, elapsed)
  local rest = math.max(0, self.steps - steps)
  -- an iteration whose evaluation was interrupted is shown before there are new steps
  if steps <= self.steps_before then return elapsed * rest / steps end
  return (elapsed - self.elapsed_before) * rest / (steps - self.steps_before)
end

-- the numbers of a record, as short texts
function progress:texts(record)
  local steps, elapsed = record["time/total_timesteps"], record["time/time_elapsed"]
  return {
    iteration = ("%d"):format(record["time/iterations"]),
    steps = ("%d/%d"):format(steps, self.steps),
    speed = ("%.0f steps/s"):format(record["time/fps"]),
    reward = "return " .. progress.short(record["rollout/ep_rew_mean"]),
    kl = "KL " .. progress.short(record["train/kl_divergence_loss"]),
    left = progress.duration(self:left(steps, elapsed)) .. " left",
  }
end

function progress:plain(record)
  local t = self:texts(record)
  local evaluated = record["eval/mean_reward"]
  return ("iteration %4s  steps %s  %s  %-14s %-11s %s%s"):format(t.iteration, t.steps, t.speed,
    t.reward, t.kl, t.left,
    evaluated and "  evaluation " .. progress.short(evaluated) or "")
end

local function paint(self, code, text)
  return self.colour and ("\27[%sm%s\27[0m"):format(code, text) or text
end

-- a bar of some columns
function progress:bar(columns, fraction)
  local full = math.floor(columns * math.min(1, fraction) + 0.5)
  local done, rest = self.unicode and "━" or "=", self.unicode and "─" or "-"
  return paint(self, "32", done:rep(full)) .. paint(self, "2", rest:rep(columns - full))
end

-- As many of some texts as fit into some columns, from the left.
-- @tparam {string,...} fields
-- @tparam number columns
-- @treturn string
function progress.fitting(fields, columns)
  local text = ""
  for i, entry in ipairs(fields) do
    local longer = i > 1 and text .. "  " .. entry or entry
    if #longer:gsub("%s+$", "") > columns then break end
    text = longer
  end
  return text:sub(1, columns)
end

function progress:line(record, doing)
  local t = self:texts(record)
  local fraction = record["time/total_timesteps"] / self.steps
  -- the most important ones first; each keeps its width from line to line
  local text = progress.fitting({
    ("%3.0f%%"):format(100 * math.min(1, fraction)), "iteration " .. t.iteration,
    (" "):rep(2 * #("%d"):format(self.steps) + 1 - #t.steps) .. t.steps,
    ("%-14s"):format(t.reward), ("%-10s"):format(t.kl), ("%-9s"):format(doing or t.left), ("%14s"):format(t.speed),
  }, self.width - 1)
  -- label and bar take the columns that the numbers leave
  local room = self.width - 1 - #text
  local label = #self.label > 0 and #self.label + 12 <= room and self.label .. " " or ""
  local columns = math.min(30, room - #label - 1)
  local bar = columns >= 4 and self:bar(columns, fraction) .. " " or ""
  return label .. bar .. text
end

--- Shows one more iteration.
-- @tparam table record see `trpo.logger`
function progress:update(record)
  if not self.terminal then
    self.out:write(self:plain(record), "\n")
    return
  end
  -- not more often than an eye can follow
  local now = record["time/time_elapsed"]
  self.pending = record
  if now - self.last < 0.05 then return end
  self.last = now
  self:draw()
end

--- Says that the policy of an iteration is being evaluated, which may take long.
-- @tparam table record what is known of the iteration
function progress:evaluating(record)
  if not self.terminal then return end
  self.pending = record
  self:draw "evaluating"
end

-- the present iteration, with what goes on instead of the time that is left
function progress:draw(doing)
  self.out:write("\r", self:line(self.pending, doing), "\27[K")
  self.out:flush()
  self.drawn, self.pending = true, nil
end

--- Ends the display; the last state stays on the screen.
function progress:finish()
  if self.pending then self:draw() end
  if self.drawn then self.out:write("\n") end
  self.out:flush()
  self.drawn = false
end

return progress
