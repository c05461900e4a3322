"""Solves an MDP with another package, in a process of its own that times it when asked.

    python bench/peer_mdp.py PEER FOLDER GAMMA TOLERANCE LIMIT

FOLDER holds the model as bench/mdp_peers.lua writes it: pair.npy, next.npy, prob.npy (one entry of P each; pair and next
count from 1, pair (s, a) is (s - 1) A + a), reward.npy [S, A] and V.npy, our values. What is missing to 1 in a row ends the
episode; the peers do not know that, so it leads to one more state without rewards.

The first line of the output is the version of the package, as soon as the model is built in its form. Every line of the
input asks for one solution; the answer is `seconds<TAB>iterations<TAB>sup norm of the difference from V.npy`, or the
name of an exception; a solution that takes longer than LIMIT seconds ends the process. Each solution starts from nothing:
building the model is not timed, solving it is.
"""
import os
import signal
import sys
import time
from importlib.metadata import version

import numpy as np
import scipy.sparse as sp


def load(folder):
    """P [S A, S] in CSR with rows that sum to one, R [S, A], our V."""
    pair, next_, prob, reward, V = (
        np.load(os.path.join(folder, name + ".npy")) for name in ("pair", "next", "prob", "reward", "V"))
    S, A = reward.shape
    assert np.isfinite(reward).all(), "the peers are given full action sets only"
    P = sp.csr_matrix((prob, (pair.astype(np.int64) - 1, next_.astype(np.int64) - 1)), shape=(S * A, S))
    missing = 1.0 - np.asarray(P.sum(1)).ravel()
    if missing.max() < 1e-9:
        return P, reward, V
    missing[missing < 1e-9] = 0.0
    P = sp.hstack([P, sp.csr_matrix(missing[:, None])])
    end = sp.csr_matrix((np.ones(A), (np.arange(A), np.full(A, S))), shape=(A, S + 1))
    return sp.vstack([P, end]).tocsr(), np.vstack([reward, np.zeros((1, A))]), np.append(V, 0.0)


def quantecon(method):
    def build(P, R, gamma, tolerance):
        from quantecon.markov import DiscreteDP

        S, A = R.shape
        ddp = DiscreteDP(R.ravel(), P, gamma, np.repeat(np.arange(S), A), np.tile(np.arange(A), S))

        def solve():
            # its modified policy iteration ends when the values are known to epsilon / 2
            result = ddp.solve(method, epsilon=2 * tolerance, max_iter=10**9)
            return result.v, result.num_iter

        return None, solve

    return "quantecon", build


def mdpsolver(**options):
    def build(P, R, gamma, tolerance):
        import mdpsolver as package

        S, A = R.shape
        start, column, value = P.indptr.tolist(), P.indices.tolist(), P.data.tolist()

        def nested(flat):
            return [[flat[start[k]:start[k + 1]] for k in range(s * A, s * A + A)] for s in range(S)]

        data = dict(discount=gamma, rewards=R.tolist(), tranMatProbs=nested(value), tranMatColumns=nested(column))
        made = []

        def prepare():
            # a model starts from its last solution when it is solved again
            made[:] = [package.model()]
            made[0].mdp(**data)

        def solve():
            made[0].solve(tolerance=tolerance, **options)
            return np.array(made[0].getValueVector()), 0

        return prepare, solve

    return "mdpsolver", build


def toolbox(kind):
    def build(P, R, gamma, tolerance):
        from mdptoolbox import mdp

        S, A = R.shape
        by_action = [P[a::A] for a in range(A)]
        # its own looks for negative entries in a dense S x S comparison
        mdp._util.check = lambda transitions, reward: None

        def policy_matrix(self):
            # its own makes a dense S x S matrix
            rows = np.arange(S) * A + self.policy
            return P[rows], R.ravel()[rows]

        class Modified(mdp.PolicyIterationModified):
            _computePpolicyPRpolicy = policy_matrix

        class Values(mdp.ValueIteration):
            def _boundIter(self, epsilon):
                # its own bound on the number of iterations looks at each column of each matrix
                pass

        made = []

        def prepare():
            made[:] = [Modified(by_action, R, gamma, epsilon=2 * tolerance, max_iter=20) if kind == "modified" else
                       Values(by_action, R, gamma, epsilon=2 * tolerance, max_iter=10**9)]

        def solve():
            solver = made[0]
            solver.run()
            # it stops by the span and leaves the values where they are: the last step of the theorem
            V = np.array(solver.V)
            _, TV = solver._bellmanOperator(V)
            step = TV - V
            return TV + (step.max() + step.min()) / 2 * gamma / (1 - gamma), solver.iter

        return prepare, solve

    return "pymdptoolbox", build


PEERS = {
    "quantecon_mpi": quantecon("modified_policy_iteration"),
    "quantecon_pi": quantecon("policy_iteration"),
    "mdpsolver_mpi": mdpsolver(algorithm="mpi"),
    "mdpsolver_gs": mdpsolver(algorithm="mpi", update="gs"),
    "toolbox_mpi": toolbox("modified"),
    "toolbox_vi": toolbox("values"),
}


def main():
    peer, folder = sys.argv[1:3]
    gamma, tolerance, limit = map(float, sys.argv[3:6])
    package, build = PEERS[peer]
    P, R, V = load(folder)
    prepare, solve = build(P, R, gamma, tolerance)
    print(version(package), flush=True)
    for _ in sys.stdin:
        try:
            if prepare:
                prepare()
            # the signal's default: it also ends C code that never returns to Python
            signal.alarm(int(limit))
            start = time.perf_counter()
            values, iterations = solve()
            seconds = time.perf_counter() - start
            signal.alarm(0)
            print(f"{seconds:.9g}\t{iterations}\t{np.abs(values - V).max():.3g}", flush=True)
        except Exception as fault:  # what a peer cannot do is an answer too
            print(f"{type(fault).__name__}: {fault}".replace("\n", " "), flush=True)


main()
