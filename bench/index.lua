-- The benchmarks, in the order of docs/performance.md; those `apart` run in short runs and by name, those with
-- `peers` can leave them out.
return {
  { name = "fisher", peers = true, title = "Fisher-vector product" },
  { name = "update", peers = true, title = "policy update" },
  { name = "kfac", title = "preconditioned conjugate gradients" },
  { name = "critic", title = "fitting the critic" },
  { name = "inference", title = "acting" },
  { name = "rollout", title = "environments and rollouts" },
  { name = "training", peers = true, title = "training" },
  { name = "threshold", title = "from process start until solved" },
  { name = "trials", title = "sweeps" },
  { name = "mdp", peers = true, title = "exact solution of finite processes", argument = "grid" },
  { name = "mdp_steps", title = "exact steps of policy improvement" },
  { name = "process", peers = true, title = "start, memory, allocations, bits" },
  { name = "logging", title = "logs" },
  { name = "tensor", title = "arithmetic beside NumPy", apart = true },
}
