"""Writes torch-zip.bin, torch-old.bin and nested.ckpt with torch 2.13.0, and what they hold to expected.json.

    pip install torch==2.13.0 && python make-torch-files.py
"""
import collections
import json
import pathlib

import torch

here = pathlib.Path(__file__).parent
grid = torch.arange(24, dtype=torch.float32).reshape(4, 6)
halves = torch.linspace(-2, 2, 10, dtype=torch.bfloat16)

tensors = collections.OrderedDict(
    grid=grid,
    transposed=grid.t(),
    column=grid[:, 2],
    block=grid[1:3, 1:4],
    rows=grid[2:],
    expanded=torch.tensor([[1.5], [2.5]]).expand(2, 3),
    scalar=torch.tensor(7.25, dtype=torch.float64),
    empty=torch.empty(0, 5),
    halves=halves,
    shared=halves[5:],
    f16=torch.linspace(-1, 1, 7, dtype=torch.float16),
    i64=torch.tensor([-(2**40), 3]),
    i32=torch.tensor([1, -2], dtype=torch.int32),
    i16=torch.tensor([300, -2], dtype=torch.int16),
    i8=torch.tensor([-3, 4], dtype=torch.int8),
    u8=torch.tensor([255, 0], dtype=torch.uint8),
    flags=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.ones(2, 2)),
)
# These have no storage type of their own; torch pickles them by dtype, over bytes.
by_dtype = dict(fp8=torch.tensor([0.5, -448.0, 1.0]).to(torch.float8_e4m3fn), u16=torch.tensor([1, 65535], dtype=torch.uint16))

torch.save({**tensors, **by_dtype}, here / "torch-zip.bin")
torch.save(tensors, here / "torch-old.bin", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "state_dict": {"w": grid}, "lr": [0.1], "optimizer": {"m": grid}}, here / "nested.ckpt")
torch.save(torch.nn.Linear(2, 2), here / "whole-module.pt")

expected = {
    name: {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "hex": bytes(tensor.detach().contiguous().reshape(-1).view(torch.uint8).tolist()).hex() if tensor.numel() else "",
    }
    for name, tensor in {**tensors, **by_dtype}.items()
}
(here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
