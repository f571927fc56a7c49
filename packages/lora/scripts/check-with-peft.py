"""Loads adapters that mk extracted at full rank onto their bases with PEFT, and compares every weight with the fine-tune's.

peft 0.21.2, transformers 5.24, torch 2.13 (CPU). Takes triples of folders:
python check-with-peft.py BASE FINETUNE ADAPTER [BASE FINETUNE ADAPTER …]
"""

import sys
import warnings

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def load(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


worst = 0.0
for base, fine, adapter in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    expected = load(fine).state_dict()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merged = PeftModel.from_pretrained(load(base), adapter).merge_and_unload()
    for warning in {str(one.message) for one in caught}:
        print("  warning:", warning[:300])
    found = merged.state_dict()
    errors = {
        name: ((found[name].float() - value.float()).norm() / value.float().norm().clamp(min=1e-12)).item()
        for name, value in expected.items()
        if name in found and found[name].shape == value.shape
    }
    missing = sorted(set(expected) - set(errors))
    name = max(errors, key=errors.get)
    print(f"{adapter}: worst {errors[name]:.2e} ({name}) of {len(errors)} tensors, missing {missing}")
    worst = max([worst, errors[name]] + [1.0] * bool(missing))
sys.exit(worst > 1e-2)
