"""Merges of made matrices by the formula of RegMean (arXiv 2212.09849), in float64 and by numpy's LAPACK.

numpy 2.4.6. Run from anywhere: python make-regmean.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(5)


def single(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


def regmean(models, grams, weights, alpha, damping):
    size = grams[0].shape[0]
    scaled = [
        weight * (alpha * gram + ((1 - alpha) * np.diag(gram) + damping * np.trace(gram) / size) * np.eye(size))
        for gram, weight in zip(grams, weights)
    ]
    return sum(model @ gram for model, gram in zip(models, scaled)) @ np.linalg.inv(sum(scaled))


def rows(array):
    return [[float(f"{value:.9g}") for value in row] for row in array]


def inputs(size, count, dead=()):
    x = rng.standard_normal((count, size)) @ rng.standard_normal((size, size))
    x[:, list(dead)] = 0
    return x


settings = {"weights": [1, 1, 1], "alpha": 0.9, "damping": 1e-6}
shapes = {
    "as the paper has it": (6, 9, 3, 40, (), {"alpha": 0.9, "damping": 0}),
    "the defaults": (9, 6, 3, 40, (), {}),
    "less data than columns": (5, 12, 2, 4, (), {"alpha": 0.5}),
    "an input that is always zero": (4, 7, 2, 30, (2,), {}),
    "the diagonal alone": (6, 6, 2, 30, (), {"alpha": 0}),
    "weights, and damping": (7, 5, 3, 30, (), {"weights": [1, 0.5, 0], "damping": 0.1}),
}
cases = []
for name, (height, width, count, samples, dead, given) in shapes.items():
    models = [single(rng.standard_normal((height, width))) for _ in range(count)]
    grams = []
    for _ in models:
        x = inputs(width, samples, dead)
        grams.append(single(x.T @ x))
    own = settings | given
    own["weights"] = own["weights"][:count]
    cases.append(
        {
            "name": name,
            "models": [rows(model) for model in models],
            "statistics": [rows(gram) for gram in grams],
            **own,
            "merged": rows(regmean(models, grams, **own)),
        }
    )
path = Path(__file__).parent / "regmean.json"
path.write_text(json.dumps(cases) + "\n")
