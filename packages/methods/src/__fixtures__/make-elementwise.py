"""Computes elementwise merges by the formulas of their papers, in float64, for elementwise.test.ts to compare with.

    python make-elementwise.py > elementwise.json

Python 3.11, numpy 2.4.6; any version that draws the same numbers for a seed gives the same file.
"""

import json

import numpy as np

rng = np.random.default_rng(19)
SHAPE, LAYERS, MODELS = (4, 6), 3, 3


def draw(scale):
    return (scale * rng.standard_normal(SHAPE)).astype(np.float32)


# One tensor before the layers, one in each, with changes of different size in each model, a few of them none.
bases = [draw(1.0) for _ in range(LAYERS + 1)]
models = []
for m in range(MODELS):
    tensors = []
    for base in bases:
        delta = draw(0.05 * (m + 1))
        delta[rng.random(SHAPE) < 0.2] = 0
        tensors.append((base + delta).astype(np.float32))
    models.append(tensors)
importances = [[np.abs(draw(1.0)) ** 2 for _ in bases] for _ in range(MODELS)]
for per_model in importances:
    for importance in per_model:
        importance[rng.random(SHAPE) < 0.3] = 0
        importance[0, 0] = 0
depths = [None] + [layer / (LAYERS - 1) for layer in range(LAYERS)]

theta0 = [base.astype(np.float64) for base in bases]
thetas = [[tensor.astype(np.float64) for tensor in tensors] for tensors in models]
taus = [[w - w0 for w, w0 in zip(tensors, theta0)] for tensors in thetas]


def per_tensor(merge):
    """merge(tensor index) for each tensor."""
    return [merge(t) for t in range(len(bases))]


def squared_norm(tensors):
    return sum(float((tensor**2).sum()) for tensor in tensors)


# MetaGPT (2406.11385), eq. 16: the share of a task vector's squared norm, over the whole model.
metagpt = np.array([squared_norm(tensors) for tensors in taus])
metagpt /= metagpt.sum()
# NAN (2505.16148): the inverse of the norm of the parameters, made to sum to 1.
inverse_norm = np.array([1 / np.sqrt(squared_norm(tensors)) for tensors in thetas])
inverse_norm /= inverse_norm.sum()


def task_arithmetic(weights, factor=lambda t: 1.0):
    return per_tensor(lambda t: theta0[t] + factor(t) * sum(w * tau[t] for w, tau in zip(weights, taus)))


# LiNeS (2410.17146), eq. 4, and the released code for what is in no block.
def lines(alpha, beta):
    return lambda t: alpha if depths[t] is None else alpha + beta * depths[t]


# TALL masks and Consensus TA (2405.07813), eq. 3 to 5.
def consensus(weights, mask_lambda, k):
    def merge(t):
        tau_mtl = sum(tau[t] for tau in taus)
        masks = [np.abs(tau[t]) >= np.abs(tau_mtl - tau[t]) * mask_lambda for tau in taus]
        keep = sum(mask.astype(int) for mask in masks) >= k
        return theta0[t] + keep * sum(w * tau[t] for w, tau in zip(weights, taus))

    return per_tensor(merge)


# EMR-Merging (2405.17461), algorithm 1.
def emr_unified(t):
    gamma = np.sign(sum(tau[t] for tau in taus))
    epsilon = np.max([np.where(tau[t] * gamma > 0, np.abs(tau[t]), 0) for tau in taus], axis=0)
    return gamma * epsilon


# Fisher merging (2111.09832), eq. 4; where no model has any importance the plain weighted average.
def fisher(weights):
    def merge(t):
        total = sum(w * f[t].astype(np.float64) for w, f in zip(weights, importances))
        weighted = sum(w * f[t].astype(np.float64) * x[t] for w, f, x in zip(weights, importances, thetas))
        plain = sum(w * x[t] for w, x in zip(weights, thetas)) / sum(weights)
        return np.where(total > 0, weighted / np.where(total > 0, total, 1), plain)

    return per_tensor(merge)


def listed(tensors):
    return [np.asarray(tensor).ravel().tolist() for tensor in tensors]


print(
    json.dumps(
        {
            "shape": SHAPE,
            "depths": depths,
            "base": listed(bases),
            "models": [listed(tensors) for tensors in models],
            "importances": [listed(tensors) for tensors in importances],
            "metagptWeights": metagpt.tolist(),
            "inverseNormWeights": inverse_norm.tolist(),
            "metagpt": listed(task_arithmetic(metagpt)),
            "inverseNorm": listed(task_arithmetic(inverse_norm)),
            "lines": listed(task_arithmetic([0.5, 0.5, 0.5], lines(0.3, 0.6))),
            "consensus": listed(consensus([1, 1, 1], 0.4, 2)),
            "consensusWeighted": listed(consensus([0.5, 0.25, 1], 0.8, 1)),
            "emr": listed([w0 + emr_unified(t) for t, w0 in enumerate(theta0)]),
            "fisher": listed(fisher([1, 1, 1])),
            "fisherWeighted": listed(fisher([1, 0.5, 2])),
        },
    )
)
