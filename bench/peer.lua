-- Peers: processes that time something when asked, in turn with ours.
local peer = {}

local function quoted(s) return "'" .. s:gsub("'", [['\'']]) .. "'" end
peer.quoted = quoted

--- Starts a shell command that answers each line of its input with a line. The result has `ask(line)`, which returns
-- the answer or nil when the process is gone, `read()`, and `close()`.
function peer.start(command)
  local answers = os.tmpname()
  os.remove(answers)
  assert(os.execute("mkfifo " .. quoted(answers)) == 0)
  local questions = assert(io.popen(("%s > %s"):format(command, quoted(answers)), "w"))
  questions:setvbuf "line"
  local lines = assert(io.open(answers, "r"))
  os.remove(answers)
  return {
    read = function() return lines:read "*l" end,
    ask = function(line)
      questions:write(line, "\n")
      return lines:read "*l"
    end,
    close = function()
      questions:close()
      lines:close()
    end,
  }
end

--- The first Python of a list of names that can import a module, or nil.
function peer.python(names, module)
  for _, name in ipairs(names) do
    if os.execute(("%s -c 'import %s' 2>/dev/null"):format(quoted(name), module)) == 0 then return name end
  end
end

--- Starts NumPy under TRPO_PYTHON (else python3, else /usr/bin/python3). Returns nil when there is none.
-- The result has `version` and `time(setup, statement, calls)`, the seconds of one call.
function peer.numpy()
  local python = peer.python({ os.getenv "TRPO_PYTHON" or "python3", "/usr/bin/python3" }, "numpy")
  if not python then return nil end
  local process = peer.start(("OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 %s bench/peer_numpy.py"):format(quoted(python)))
  return {
    version = process.read(),
    time = function(setup, statement, calls)
      local answer = process.ask(("%s\t%s\t%d"):format(setup, statement, calls))
      return assert(tonumber(answer), "NumPy failed at: " .. statement)
    end,
    close = process.close,
  }
end

return peer
