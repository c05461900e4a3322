"""TRPO's policy update in plain PyTorch, timed in a process of its own when asked: the fairest numeric peer.

Both ways to a Fisher-vector product: `jacobian` is ours, one Jacobian-vector and one vector-Jacobian product around the
distribution's metric, each with what can be kept between products kept (torch.func.linearize, torch.func.vjp); `double`
differentiates the mean KL divergence twice, as other packages do.

Questions, one a line, separated by tabs:

    make O A discrete|box N single|double     a problem of that shape, 64-64 tanh, normal numbers: "ok"
    load FOLDER discrete|box single|double    a problem from .npy files, as bench/learner.lua writes them: "ok"
    product FORM THREADS CALLS                the seconds of one product
    update FORM THREADS                       the seconds of one update: gradient, 10 products, one trial of the line search
    compare FORM FOLDER                       the largest differences from product.npy and step.npy there, relative to the
                                              largest entry

The first line of the output is PyTorch's version.
"""
import sys
import time

import numpy as np
import torch
from torch import func

HIDDEN, DELTA, DAMPING, PRODUCTS = (64, 64), 0.01, 0.1, 10


class Problem:
    """One batch, and the policy at theta: W_1, b_1, ... row by row, then the logarithms of the deviations of a box."""

    def __init__(self, obs, action, advantage, theta, discrete):
        self.obs, self.discrete = obs, discrete
        self.action = action.long().reshape(-1) if discrete else action
        self.advantage = (advantage - advantage.mean()) / advantage.std()
        self.theta = theta
        with torch.no_grad():
            self.old = self.outputs(theta)
            self.old_log_prob = self.log_prob(theta, self.old)

    def layers(self, theta):
        at = 0
        sizes = (self.obs.shape[1], *HIDDEN, self.outs(theta))
        for n, m in zip(sizes, sizes[1:]):
            yield theta[at:at + n * m].view(n, m), theta[at + n * m:at + n * m + m]
            at += n * m + m

    def outs(self, theta):
        n, h = self.obs.shape[1], HIDDEN
        rest = theta.numel() - (n + 1) * h[0] - (h[0] + 1) * h[1]
        return rest // (h[1] + 1 + (not self.discrete))

    def outputs(self, theta):
        h, layers = self.obs, list(self.layers(theta))
        for W, b in layers[:-1]:
            h = torch.tanh(torch.addmm(b, h, W))
        return torch.addmm(layers[-1][1], h, layers[-1][0])

    def log_std(self, theta):
        return theta[theta.numel() - self.outs(theta):]

    def log_prob(self, theta, out):
        if self.discrete:
            return torch.log_softmax(out, 1).gather(1, self.action[:, None])[:, 0]
        s = self.log_std(theta)
        return (-0.5 * ((self.action - out) * torch.exp(-s)) ** 2 - s - 0.9189385332046727).sum(1)

    def kl(self, theta, out):
        """Mean over the states of KL(old || theta)."""
        if self.discrete:
            p = torch.log_softmax(self.old, 1)
            return (p.exp() * (p - torch.log_softmax(out, 1))).sum(1).mean()
        s, s0 = self.log_std(theta), self.log_std(self.theta)
        var = torch.exp(-2 * s)
        return (s - s0 + 0.5 * (torch.exp(2 * s0) + (self.old - out) ** 2) * var - 0.5).sum(1).mean()

    def surrogate(self, theta, out):
        return (torch.exp(self.log_prob(theta, out) - self.old_log_prob) * self.advantage).mean()


def jacobian_product(p):
    """v -> F v as J' M J v."""
    _, jvp = func.linearize(p.outputs, p.theta)
    _, vjp = func.vjp(p.outputs, p.theta)
    N, A = p.old.shape
    if p.discrete:
        prob = torch.softmax(p.old, 1) / N
        metric = lambda d: prob * d - prob * N * (prob * d).sum(1, keepdim=True)  # noqa: E731
        return lambda v: vjp(metric(jvp(v)))[0]
    weight = torch.exp(-2 * p.log_std(p.theta)) / N

    def product(v):
        out = vjp(weight * jvp(v))[0]
        out[-A:] += 2 * v[-A:]
        return out

    return product


def double_product(p):
    """v -> F v by differentiating the gradient of the mean KL divergence."""
    theta = p.theta.clone().requires_grad_()
    gradient, = torch.autograd.grad(p.kl(theta, p.outputs(theta)), theta, create_graph=True)
    return lambda v: torch.autograd.grad(gradient @ v, theta, retain_graph=True)[0]


FORMS = {"jacobian": jacobian_product, "double": double_product}


def conjugate_gradients(product, b):
    x, r, p = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for _ in range(PRODUCTS):
        Ap = product(p) + DAMPING * p
        alpha = rr / (p @ Ap)
        x += alpha * p
        r -= alpha * Ap
        new = r @ r
        p = r + new / rr * p
        rr = new
    return x, b - r  # the second is (F + damping) x


def update(p, form):
    """The step of one update with one trial of the line search, accepted or not."""
    theta = p.theta.clone().requires_grad_()
    out = p.outputs(theta)
    before = p.surrogate(theta, out)
    gradient, = torch.autograd.grad(before, theta)
    x, Ax = conjugate_gradients(FORMS[form](p), gradient)
    step = torch.sqrt(2 * DELTA / (x @ Ax)) * x
    with torch.no_grad():
        new = p.theta + step
        out = p.outputs(new)
        accepted = bool((p.surrogate(new, out) > before) & (p.kl(new, out) <= DELTA))
    return step, accepted


def make(O, A, kind, N, precision):
    generator = torch.Generator().manual_seed(1)
    dtype, discrete = getattr(torch, {"single": "float32"}.get(precision, "float64")), kind == "discrete"

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    parts, sizes = [], (O, *HIDDEN, A)
    for n, m in zip(sizes, sizes[1:]):
        parts += [normal(n * m) / n**0.5 * (0.01 if m == A else 1), torch.zeros(m, dtype=dtype)]
    if not discrete:
        parts.append(torch.zeros(A, dtype=dtype))
    action = torch.randint(A, (N,), generator=generator) if discrete else normal(N, A)
    return Problem(normal(N, O), action, normal(N), torch.cat(parts), discrete)


def load(folder, kind, precision):
    dtype = torch.float32 if precision == "single" else torch.float64
    arrays = [torch.tensor(np.load(f"{folder}/{name}.npy"), dtype=dtype) for name in
              ("observations", "actions", "advantages", "theta")]
    arrays[1] -= int(kind == "discrete")  # counted from 1 there
    return Problem(*arrays, kind == "discrete")


def timed(calls, f, *arguments):
    start = time.perf_counter()
    for _ in range(calls):
        f(*arguments)
    return f"{(time.perf_counter() - start) / calls:.9g}"


def compare(p, form, folder):
    def distance(a, name):
        b = np.load(f"{folder}/{name}.npy")
        return f"{np.abs(a.double().numpy() - b).max() / np.abs(b).max():.3g}"

    v = torch.tensor(np.load(f"{folder}/direction.npy"), dtype=p.theta.dtype)
    return distance(FORMS[form](p)(v), "product") + "\t" + distance(update(p, form)[0], "step")


def main():
    print(torch.__version__, flush=True)
    problem, made = None, {}
    for line in sys.stdin:
        question, *rest = line.rstrip("\n").split("\t")
        answer = "ok"
        if question == "make":
            made.clear()
            problem = make(int(rest[0]), int(rest[1]), rest[2], int(rest[3]), rest[4])
        elif question == "load":
            made.clear()
            problem = load(*rest)
        elif question == "compare":
            answer = compare(problem, *rest)
        else:
            form = rest[0]
            torch.set_num_threads(int(rest[1]))
            if question == "update":
                answer = timed(1, update, problem, form)
            else:
                if form not in made:
                    made[form] = FORMS[form](problem), torch.ones_like(problem.theta)
                answer = timed(int(rest[2]), *made[form])
        print(answer, flush=True)


main()
