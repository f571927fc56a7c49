"""Computes masks, rescalers and the models of tasks by EMR-Merging (2405.17461, algorithm 1), in float64, for write-task-mask.test.ts.

    python make-emr.py > emr.json

Python 3.11, numpy 2.4.6; any version that draws the same numbers for a seed gives the same file.
"""

import json

import numpy as np

rng = np.random.default_rng(2405)
SHAPES = {"embed.weight": (7, 5), "layers.0.weight": (4, 6), "layers.0.bias": (3,), "one.weight": (1, 1)}
TASKS = ["code", "math", "prose"]


# On a grid of 1/64, so that differences are exact in float32 and signs tie where sums cancel.
def draw(shape, steps):
    return rng.integers(-steps, steps + 1, size=shape) / 64


base = {name: draw(shape, 64) for name, shape in SHAPES.items()}
tau = {task: {name: draw(shape, 3) for name, shape in SHAPES.items()} for task in TASKS}

# Elect.
unified = {}
for name in SHAPES:
    gamma = np.sign(sum(tau[task][name] for task in TASKS))
    epsilon = np.max([np.where(tau[task][name] * gamma > 0, np.abs(tau[task][name]), 0) for task in TASKS], axis=0)
    unified[name] = gamma * epsilon

# Mask and rescale.
tasks = {}
for task in TASKS:
    masks = {name: (tau[task][name] * unified[name] > 0) for name in SHAPES}
    rescaler = sum(np.abs(tau[task][name]).sum() for name in SHAPES) / sum(
        np.abs(masks[name] * unified[name]).sum() for name in SHAPES
    )
    tasks[task] = {
        "mask": {name: masks[name].astype(int).ravel().tolist() for name in SHAPES},
        "rescaler": rescaler,
        "model": {name: (base[name] + rescaler * masks[name] * unified[name]).ravel().tolist() for name in SHAPES},
    }

print(
    json.dumps(
        {
            "shapes": SHAPES,
            "base": {name: values.ravel().tolist() for name, values in base.items()},
            "models": {task: {name: (base[name] + tau[task][name]).ravel().tolist() for name in SHAPES} for task in TASKS},
            "merged": {name: (base[name] + unified[name]).ravel().tolist() for name in SHAPES},
            "tasks": tasks,
        }
    )
)
