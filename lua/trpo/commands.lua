--- The commands of `trpo` as data: the parser, the help texts and the completion scripts are made from it.
-- @module trpo.commands

-- options that `trpo train FILE` and a script itself understand
local train_options = {
  { flags = "--set", target = "set", value = "NAME=VALUE", repeats = true, complete = "parameters",
    help = "set a parameter, e.g. --set delta=0.02 --set policy.hidden=64,64 (repeats)" },
  { flags = "--seed", target = "seed", value = "N", help = "seed of all random numbers, in [0, 2^53)" },
  { flags = "--steps", target = "steps", value = "N", help = "environment steps to train for" },
  { flags = "--name", target = "name", value = "NAME",
    help = "name of the run (default ENV-ALGORITHM-sSEED)" },
  { flags = "--dir", target = "dir", value = "DIR", complete = "directories",
    help = "folder of runs (default runs)" },
  { flags = "--overwrite", target = "overwrite", help = "replace an earlier run of that name" },
  { flags = "--resume", target = "resume", value = "DIR", optional_value = true, complete = "directories",
    help = "go on with the run in DIR, or with the run of that name" },
  { flags = "--max-seconds", target = "max_seconds", value = "N",
    help = "stop after N seconds with a checkpoint and exit code 75" },
  { flags = "--threads", target = "threads", value = "N", help = "threads to compute with" },
  { flags = "-q --quiet", target = "quiet", help = "show no progress" },
  { flags = "--json", target = "json",
    help = "print one JSON object per iteration; the last one holds eval/mean_reward" },
}

-- options of `trpo eval`
local eval_options = {
  { flags = "--episodes", target = "episodes", value = "N", help = "episodes to play (default: the run's, or 100)" },
  { flags = "--deterministic", target = "deterministic", help = "take the most probable actions (default: as it did)" },
  { flags = "--stochastic", target = "stochastic", help = "sample actions" },
  { flags = "--best", target = "best", help = "the best evaluated policy instead of the last one" },
  { flags = "--seed", target = "seed", value = "N", help = "seed of initial states and noise (default: the run's)" },
  { flags = "--json", target = "json", help = "print JSON" },
}

-- options that `trpo sweep FILE` and a script that ends with a sweep understand
local sweep_options = {
  { flags = "-j --jobs", target = "jobs", value = "N", help = "processes at a time (default: the cores)" },
  { flags = "--set", target = "set", value = "NAME=VALUE", repeats = true, complete = "parameters",
    help = "set a parameter of every trial, e.g. --set steps=20000 (repeats)" },
  { flags = "--name", target = "name", value = "NAME", help = "name of the sweep (default: the script's)" },
  { flags = "--dir", target = "dir", value = "DIR", complete = "directories",
    help = "folder of sweeps (default sweeps)" },
  { flags = "--status", target = "status", help = "show how far the sweep is, and start nothing" },
  { flags = "--retry-failed", target = "retry_failed", help = "run the trials again that failed" },
  { flags = "--list", target = "list", help = "print one command per trial, e.g. for GNU parallel" },
  { flags = "--trial", target = "trial", value = "KEY", help = "run this trial only, if nobody else does" },
  { flags = "--slurm", target = "slurm", help = "write an array script and submit it with sbatch" },
  { flags = "-q --quiet", target = "quiet", help = "show no progress" },
  { flags = "--json", target = "json", help = "print the summary as JSON" },
}

-- what is looked for there and is said in another way
local sweep_instead = {
  ["--overwrite"] = "to begin anew remove the sweep's folder, or give another --name",
  ["--resume"] = "the same command goes on with what is not done yet",
  ["--seed"] = "the seeds of the trials are in the script, e.g. seeds = 10 or seeds = { 1, 2, 3 }",
  ["--seeds"] = "the seeds of the trials are in the script, e.g. seeds = 10 or seeds = { 1, 2, 3 }",
  ["--steps"] = "write --set steps=N",
  ["--threads"] = "each trial has one thread; --jobs N is how many run at a time",
}

-- options of `trpo plot`
local plot_options = {
  { flags = "-o --output", target = "output", value = "FILE", complete = "files",
    help = "picture: .svg, .png, .pdf (needs gnuplot) or .txt (default: beside the run or sweep)" },
  { flags = "--ascii", target = "ascii", help = "draw in letters on the standard output, as wide as the terminal" },
  { flags = "--kind", target = "kind", value = "KIND", words = { "curves", "heatmap", "cells", "diagnostics" },
    help = "curves, heatmap, cells or diagnostics (default: curves of runs, heatmap of a sweep)" },
  { flags = "-x", target = "x", value = "AXIS", words = { "steps", "time", "iterations" },
    help = "what curves are drawn over: steps, time or iterations (default steps)" },
  { flags = "-y", target = "y", value = "COLUMN",
    help = "column of progress.csv (default rollout/ep_rew_mean)" },
  { flags = "--group", target = "group", value = "NAME", complete = "parameters",
    help = "one curve for all runs that agree in this parameter, or in several with commas" },
  { flags = "--parameters", target = "parameters", value = "X,Y",
    help = "the two parameters of a heat map (default delta,gamma)" },
  { flags = "--fix", target = "fix", value = "NAME=VALUE", repeats = true,
    help = "take only these cells of a sweep: 'best', or a value of a parameter (repeats)" },
  { flags = "--title", target = "title", value = "TEXT", help = "title of the picture" },
}

local report_options = {
  { flags = "-o --output", target = "output", value = "FILE", complete = "files",
    help = "page to write (default: report.html in the sweep's folder)" },
}

-- options of `trpo solve`
local solve_options = {
  { flags = "--list", target = "list", help = "list the named processes" },
  { flags = "--method", target = "method", value = "METHOD",
    words = { "auto", "value_iteration", "gauss_seidel", "policy_iteration", "modified_policy_iteration", "krylov",
      "topological", "horizon", "entropy" },
    help = "how to solve (default auto)" },
  { flags = "--horizon", target = "horizon", value = "N", help = "solve for N steps, by the method horizon" },
  { flags = "--temperature", target = "temperature", value = "T",
    help = "reward entropy by T, by the method entropy" },
  { flags = "--gamma", target = "gamma", value = "G", help = "discount factor in [0, 1], in place of the process's" },
  { flags = "--tolerance", target = "tolerance", value = "T", help = "how far values may be from the true ones" },
  { flags = "--certify", target = "certify", value = "T",
    help = "certify values to within T, also below the precision of one double" },
  { flags = "--policy", target = "policy", value = "POLICY", choices = { "optimal", "uniform" },
    help = "whose values: optimal (default) or uniform" },
  { flags = "--set", target = "set", value = "NAME=VALUE", repeats = true,
    help = "set an option of a named process, e.g. --set map=8x8 (repeats)" },
  { flags = "--improve", target = "improve", value = "METHODS",
    words = { "policy_iteration", "cpi", "monotone", "monotone_tv", "monotone_mean_kl", "trust_region_mean",
      "trust_region_max", "natural", "gradient" },
    help = "improve the uniform policy by methods with commas between them, e.g. monotone,cpi" },
  { flags = "--iterations", target = "iterations", value = "N", help = "steps of each method (default 20)" },
  { flags = "--delta", target = "delta", value = "D",
    help = "KL divergence of a step of trust_region_mean, trust_region_max, natural and gradient (default 0.01)" },
  { flags = "--plot", target = "plot", value = "FILE", complete = "files",
    help = "draw a picture: .svg, .png, .pdf (needs gnuplot) or .txt" },
  { flags = "--ascii", target = "ascii", help = "draw the picture in letters" },
  { flags = "--json", target = "json", help = "print all numbers as JSON" },
}

local json_option = { flags = "--json", target = "json", help = "print JSON" }

return {
  {
    name = "train",
    summary = "train what a script describes, or the defaults on an environment",
    arguments = {
      { name = "file", optional = true, complete = "scripts",
        help = "a Lua script that ends with 'return run:main(...)', or the id of an environment" },
    },
    options = train_options,
    example = "trpo train examples/cartpole.lua --set delta=0.02 --seed 3",
  },
  {
    name = "eval",
    summary = "play episodes with the policy of a run",
    arguments = { { name = "run", complete = "directories", help = "folder of a run, or a checkpoint" } },
    options = eval_options,
    example = "trpo eval runs/CartPole-v1-TRPO-s1 --episodes 20",
  },
  {
    name = "sweep",
    summary = "run an experiment for many parameters and seeds; again: go on where it stopped",
    arguments = {
      { name = "file", complete = "scripts", help = "a Lua script that ends with 'return trpo.sweep {...}:main(...)'" },
    },
    options = sweep_options,
    instead = sweep_instead,
    example = "trpo sweep examples/sweep_delta_gamma.lua --jobs 2",
  },
  {
    name = "plot",
    summary = "draw learning curves of runs, or the heat map of a sweep",
    arguments = {
      { name = "paths", repeats = true, complete = "directories", help = "folders of runs, or of a sweep" },
    },
    options = plot_options,
    example = "trpo plot runs/CartPole-v1-TRPO-s1 runs/CartPole-v1-TRPO-s2 -o curves.svg",
  },
  {
    name = "report",
    summary = "write a sweep as one page of HTML",
    arguments = { { name = "sweep", complete = "directories", help = "folder of a sweep" } },
    options = report_options,
    example = "trpo report sweeps/sweep_delta_gamma",
  },
  {
    name = "solve",
    summary = "solve a finite process exactly, or improve a policy on it",
    arguments = {
      { name = "file", optional = true, complete = "processes",
        help = "a process: an .npz file, a Lua script that returns one, or a name such as frozen_lake" },
    },
    options = solve_options,
    example = "trpo solve frozen_lake --set map=8x8 --gamma 0.95 --plot lake.svg",
  },
  {
    name = "envs",
    summary = "list the environments that come with trpo",
    arguments = {},
    options = { json_option },
    example = "trpo envs",
  },
  {
    name = "info",
    summary = "show versions, the BLAS in use, the instruction set and threads",
    arguments = {},
    options = { json_option },
    example = "trpo info",
  },
  {
    name = "completion",
    summary = "print a completion script for a shell",
    arguments = {
      { name = "shell", choices = { "bash", "zsh", "fish" }, help = "bash, zsh or fish" },
    },
    options = {},
    example = 'eval "$(trpo completion bash)"',
  },
  {
    name = "help",
    summary = "show this help, or that of a command",
    arguments = { { name = "topic", optional = true, complete = "commands", help = "a command" } },
    options = {},
    example = "trpo help train",
  },
}
