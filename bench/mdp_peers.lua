-- Other solvers of MDPs as peers of ours: they get the very same model, and are timed in turn with us.
local peer = require "bench.peer"
local trpo = require "trpo"

local peers = {}

--- What is compared with: a name for bench/peer_mdp.py, and one for the table. QuantEcon's policy iteration is for
-- grids: sparse LU of a random graph fills up. The strong ones are the fastest on random graphs.
peers.list = {
  { name = "quantecon_mpi", title = "QuantEcon MPI", strong = true },
  { name = "quantecon_pi", title = "QuantEcon PI", grids = true },
  { name = "mdpsolver_mpi", title = "MDPSolver", strong = true },
  { name = "toolbox_mpi", title = "pymdptoolbox MPI" },
  { name = "toolbox_vi", title = "pymdptoolbox VI" },
}

--- The Python that has them, or nil.
function peers.python()
  return peer.python({ os.getenv "TRPO_PYTHON" or "bench/.venv/bin/python" }, "quantecon, mdpsolver, mdptoolbox")
end

--- Writes a model and our values where bench/peer_mdp.py reads them. Returns the folder.
function peers.export(mdp, V)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. peer.quoted(folder)) == 0)
  local pair, next, prob = mdp.P:triplets()
  for name, tensor in pairs { pair = pair, next = next, prob = prob, reward = mdp.r, V = V } do
    assert(trpo.save(("%s/%s.npy"):format(folder, name), tensor))
  end
  return folder
end

function peers.remove(folder) os.execute("rm -r " .. peer.quoted(folder)) end

--- Starts one, with a limit on the seconds that a solution may take. The result has `version` (nil when it cannot be),
-- `solve()`, which returns seconds, iterations and the distance from our values, or nil and why, and `close()`.
function peers.start(python, name, folder, gamma, tolerance, limit)
  local process = peer.start(("%s -W ignore bench/peer_mdp.py %s %s %.17g %.17g %d 2>/dev/null"):format(
    peer.quoted(python), name, peer.quoted(folder), gamma, tolerance, limit))
  return {
    version = process.read(),
    solve = function()
      local answer = process.ask "solve"
      if not answer then return nil, ("> %d s"):format(limit) end
      local seconds, iterations, difference = answer:match "^(%S+)\t(%S+)\t(%S+)$"
      if not seconds then return nil, answer end
      return tonumber(seconds), tonumber(iterations), tonumber(difference)
    end,
    close = process.close,
  }
end

return peers
