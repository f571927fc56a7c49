"""Singular values, eigenvalues, solutions and polar factors of made matrices, by numpy's LAPACK.

numpy 2.4.6. Run from anywhere: python make-decompositions.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(7)


def rows(array):
    return [[float(value) for value in row] for row in np.atleast_2d(array)]


def orthogonal(size):
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def graded(size, ratio):
    return orthogonal(size) @ np.diag(ratio ** np.arange(size)) @ orthogonal(size).T


matrices = {
    "square": rng.standard_normal((9, 9)),
    "tall": rng.standard_normal((12, 5)),
    "wide": rng.standard_normal((4, 11)),
    "one row": rng.standard_normal((1, 6)),
    "one column": rng.standard_normal((6, 1)),
    "rank 3": rng.standard_normal((8, 3)) @ rng.standard_normal((3, 10)),
    "graded": graded(10, 0.05),
    "equal singular values": 3 * orthogonal(7),
    "large": 1e200 * rng.standard_normal((4, 3)),
    "small": 1e-200 * rng.standard_normal((3, 4)),
}
cases = []
for name, matrix in matrices.items():
    gram = matrix.T @ matrix if abs(np.log10(np.abs(matrix).max())) < 100 else None
    case = {"name": name, "matrix": rows(matrix), "singular": np.linalg.svd(matrix, compute_uv=False).tolist()}
    if gram is not None:
        positive = gram + np.eye(len(gram))
        right = rng.standard_normal((len(gram), 2))
        case |= {
            "eigen": np.linalg.eigvalsh(gram)[::-1].tolist(),
            "right": rows(right),
            "solution": rows(np.linalg.solve(positive, right)),
        }
    cases.append(case)
path = Path(__file__).parent / "decompositions.json"
path.write_text(json.dumps(cases) + "\n")
