"""Merges of made matrices by the formulas of the papers, in float64 and by numpy's LAPACK:
Iso-C (arXiv 2502.04959), TSV-M (2412.00081), ACE-Merging (2603.02945).

numpy 2.4.6. Run from anywhere: python make-spectral.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(11)


def single(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


def polar(stack):
    u, _, vh = np.linalg.svd(stack, full_matrices=False)
    return u @ vh


def iso_c(deltas):
    u, values, vh = np.linalg.svd(sum(deltas), full_matrices=False)
    return values.mean() * u @ vh


def tsv_m(deltas):
    kept = min(deltas[0].shape) // len(deltas)
    parts = [np.linalg.svd(delta, full_matrices=False) for delta in deltas]
    left = np.hstack([u[:, :kept] for u, _, _ in parts])
    values = np.concatenate([s[:kept] for _, s, _ in parts])
    right = np.vstack([vh[:kept] for _, _, vh in parts])
    return polar(left) @ np.diag(values) @ polar(right)


def ace(deltas, eps=0.01, k_frac=0.3):
    columns = deltas[0].shape[1]
    traces = np.array([np.sum(delta**2) for delta in deltas])
    logs = np.log(traces)
    differ = len(deltas) > 1 and logs.var(ddof=1) / logs.mean() ** 2 > 0.3
    centered = [delta - delta.mean(axis=0) for delta in deltas]
    covariances = [delta.T @ delta for delta in centered]
    added = [eps] * len(deltas)
    if differ:
        added = [eps / np.trace(covariance) for covariance in covariances]
        covariances = [covariance / np.trace(covariance) for covariance in covariances]
    regular = [covariance + e * np.eye(columns) for covariance, e in zip(covariances, added)]
    prior = sum(covariances).mean(axis=0)
    if differ:
        prior = prior / traces.mean()
    weighted = sum(delta @ covariance for delta, covariance in zip(centered, regular))
    first = weighted @ np.linalg.inv(sum(regular) + prior)
    if not differ:
        return first, False
    mean = sum(regular) / len(deltas)
    fused = first + sum(delta @ (covariance - mean) for delta, covariance in zip(deltas, covariances))
    u, values, vh = np.linalg.svd(fused, full_matrices=False)
    kept = int(len(values) * k_frac)
    return first + values[:kept].mean() * u[:, :kept] @ vh[:kept], True


def graded(rows, columns, ratio):
    size = min(rows, columns)
    u = np.linalg.qr(rng.standard_normal((rows, size)))[0]
    v = np.linalg.qr(rng.standard_normal((columns, size)))[0]
    return u @ np.diag(ratio ** np.arange(size)) @ v.T


shapes = {
    "tall": [rng.standard_normal((14, 6)) for _ in range(3)],
    "wide": [rng.standard_normal((6, 14)) for _ in range(2)],
    "square": [rng.standard_normal((8, 8)) for _ in range(2)],
    "one model": [rng.standard_normal((9, 5))],
    "falling spectra": [graded(12, 8, 0.5) for _ in range(2)],
    "sizes that differ": [scale * rng.standard_normal((10, 7)) for scale in (0.05, 1.0, 6.0)],
    "wide, sizes that differ": [scale * rng.standard_normal((5, 9)) for scale in (0.1, 2.0)],
}


def rows(array):
    return [[float(f"{value:.9g}") for value in row] for row in array]


cases = []
for name, deltas in shapes.items():
    base = single(rng.standard_normal(deltas[0].shape))
    models = [single(base + delta) for delta in deltas]
    # What float32 arithmetic makes of them.
    deltas = [single(model - base) for model in models]
    by_ace, differ = ace(deltas)
    cases.append(
        {
            "name": name,
            "base": rows(base),
            "models": [rows(model) for model in models],
            "iso_c": rows(base + iso_c(deltas)),
            "tsv_m": rows(base + tsv_m(deltas)),
            "ace": rows(base + by_ace),
            "differ": bool(differ),
        }
    )
path = Path(__file__).parent / "spectral.json"
path.write_text(json.dumps(cases) + "\n")
