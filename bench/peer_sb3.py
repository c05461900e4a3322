"""Stable-Baselines3-contrib's TRPO, timed in a process of its own when asked.

Questions, one a line, separated by tabs:

    make O A N                 a model for boxes of these sizes whose rollout buffer holds N steps of normal numbers: "ok"
    update THREADS             the seconds of train() without the critic (n_critic_updates = 0), 10 iterations of conjugate
                               gradients, one trial of the line search
    learn ENV STEPS THREADS    the seconds of learn() with its own hyper-parameters, the making of the model apart

The first line of the output is its version and that of PyTorch.
"""
import sys
import time
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from sb3_contrib import TRPO
from stable_baselines3.common.logger import configure


class Shape(gymnasium.Env):
    """Says how large observations and actions are, and is never stepped."""

    def __init__(self, O, A):
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (O,), np.float32)
        self.action_space = gymnasium.spaces.Box(-10, 10, (A,), np.float32)


class Update:
    def __init__(self, O, A, N):
        model = TRPO("MlpPolicy", Shape(O, A), n_steps=N, batch_size=N, n_critic_updates=0, cg_max_steps=10,
                     line_search_max_iter=1, seed=1, device="cpu")
        model.set_logger(configure(None, []))
        self.model, rng = model, np.random.default_rng(1)
        self.theta = {name: value.clone() for name, value in model.policy.state_dict().items()}
        self.arrays = {"observations": rng.standard_normal((N, 1, O)), "actions": rng.standard_normal((N, 1, A)),
                       "advantages": rng.standard_normal((N, 1)), "returns": rng.standard_normal((N, 1)),
                       "values": np.zeros((N, 1))}
        self.arrays = {name: array.astype(np.float32) for name, array in self.arrays.items()}
        with torch.no_grad():
            obs, actions = (torch.as_tensor(self.arrays[name][:, 0]) for name in ("observations", "actions"))
            log_prob = model.policy.get_distribution(obs).log_prob(actions)
        self.arrays["log_probs"] = log_prob.numpy()[:, None]

    def seconds(self):
        buffer = self.model.rollout_buffer
        self.model.policy.load_state_dict(self.theta)
        buffer.reset()
        for name, array in self.arrays.items():
            setattr(buffer, name, array.copy())
        buffer.pos, buffer.full = buffer.buffer_size, True
        start = time.perf_counter()
        self.model.train()
        return time.perf_counter() - start


def learn(env, steps):
    model = TRPO("MlpPolicy", env, seed=1, device="cpu")
    start = time.perf_counter()
    model.learn(steps)
    return time.perf_counter() - start


def main():
    print(version("sb3-contrib"), "with PyTorch", torch.__version__, flush=True)
    update = None
    for line in sys.stdin:
        question, *rest = line.rstrip("\n").split("\t")
        answer = "ok"
        if question == "make":
            update = Update(*map(int, rest))
        else:
            torch.set_num_threads(int(rest[-1]))
            answer = f"{update.seconds() if question == 'update' else learn(rest[0], int(rest[1])):.9g}"
        print(answer, flush=True)


main()
