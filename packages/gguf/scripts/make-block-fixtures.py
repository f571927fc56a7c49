# Makes src/__fixtures__/blocks.json: random blocks of each type with what `gguf` for Python makes of them, and random elements with
# the blocks that it makes of those. Run with Python 3.11 or later, gguf 0.19.0 and numpy 2.4.6, from packages/gguf:
#   python scripts/make-block-fixtures.py
import base64
import json

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

random = np.random.default_rng(17)


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


# Where each type has F16 scales: their bytes must not be those of NaN, whose bits nobody specifies.
scales = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": [], "F16": [0], "BF16": [], "F32": [],
}
halves = np.array([1, -2.5, 6.1e-5, 6e-8, -0.0, 0.0333, 65504, 3.1e-3], dtype=np.float16)


def make_blocks(name, count):
    block_elements, block_bytes = GGML_QUANT_SIZES[T[name]]
    blocks = random.integers(0, 256, (count, block_bytes), dtype=np.uint8)
    if name in ("F32", "BF16"):
        values = random.standard_normal(count).astype(np.float32)
        return quantize(values.reshape(count, 1), T[name]).view(np.uint8).reshape(count, block_bytes)
    for at in scales[name]:
        some = random.choice(halves, count)
        some[: count // 2] = (random.standard_normal(count // 2) * 0.05).astype(np.float16)
        blocks[:, at : at + 2] = some.view(np.uint8).reshape(count, 2)
    return blocks


decoded = {}
for name in scales:
    block_elements, _ = GGML_QUANT_SIZES[T[name]]
    blocks = make_blocks(name, 8 if block_elements > 1 else 64)
    values = dequantize(blocks, T[name]).astype(np.float32)
    decoded[name] = {"blocks": text(blocks), "values": text(values)}

plain = [
    random.standard_normal((40, 32)) * 0.02,
    random.standard_normal((10, 32)) * 10.0 ** random.integers(-40, 38, (10, 1)),
    random.integers(-5, 6, (10, 32)) / 2,
    # Halves, exactly, where the scale is one: 127 and −8 as the largest.
    np.concatenate([np.array([[127.0], [-8.0]]), (random.integers(-14, 14, (2, 31)) + 0.5) / 1], axis=1),
    np.zeros((1, 32)),
    np.full((1, 32), -0.0),
    np.tile([3.0, -3.0], (1, 16)),
    np.tile([-3.0, 3.0], (1, 16)),
    np.concatenate([np.full((1, 1), 1e-45), np.zeros((1, 31))], axis=1),
    np.full((1, 32), 3e38),
]
special = np.ones((4, 32))
special[0, 5] = np.inf
special[1, 7] = -np.inf
special[2, 9] = np.nan
special[3, :2] = [np.inf, np.nan]
values = np.concatenate([*plain, special]).astype(np.float32)
with np.errstate(all="ignore"):
    encoded = {name: text(quantize(values, T[name])) for name in ("Q8_0", "Q4_0")}

with open("src/__fixtures__/blocks.json", "w") as file:
    json.dump({"decoded": decoded, "encoded": {"values": text(values), "blocks": encoded}}, file, indent=1)
    file.write("\n")
