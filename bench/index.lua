-- The benchmarks, in the order of docs/performance.md, where `id` stands; those `apart` run in short runs and by name.
return {
  { name = "fisher", id = "B1", title = "Fisher-vector product" },
  { name = "update", id = "B2", title = "policy update" },
  { name = "kfac", title = "preconditioned conjugate gradients" },
  { name = "critic", id = "B3", title = "fitting the critic" },
  { name = "inference", id = "B4", title = "acting" },
  { name = "rollout", id = "B5", title = "environments and rollouts" },
  { name = "training", id = "B6", title = "training" },
  { name = "threshold", id = "B7", title = "from process start until solved" },
  { name = "trials", id = "B8", title = "sweeps" },
  { name = "mdp", id = "B10", title = "exact solution of finite processes", argument = "grid" },
  { name = "process", id = "B11", title = "start, memory, allocations, bits" },
  { name = "tensor", title = "arithmetic beside NumPy", apart = true },
  { name = "logging", title = "logs", apart = true },
}
