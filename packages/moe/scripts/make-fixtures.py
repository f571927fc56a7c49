"""Writes the fixtures of src/__fixtures__ from what transformers computes. Not part of any build or test.

    python packages/moe/scripts/make-fixtures.py [NAME ...]

NAME: hidden-states, mixture-logits, router-rows; all if none is given. Made with torch 2.13.0 (CPU) and transformers 5.24.0, in float32. The tiny models are those of goldens/models; variants differ from them in
config.json only. For the logits `mergekit-moe` has to be built: its outputs are what transformers reads.
"""

import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import tokenizers
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM

root = pathlib.Path(__file__).resolve().parents[3]
models = root / "goldens" / "models"
fixtures = root / "packages" / "moe" / "src" / "__fixtures__"

TEXTS = [[1, 17, 5, 33, 8, 60, 2, 41, 41, 9, 12, 3], [1, 9, 4]]

VARIANTS = [
    ("llama", "llama-base", {}),
    ("llama, rope linear", "llama-base", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}),
    (
        "llama, rope llama3",
        "llama-base",
        {
            "rope_parameters": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16,
                "rope_theta": 500.0,
            }
        },
    ),
    (
        "llama, rope yarn",
        "llama-base",
        {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 1000.0}},
    ),
    (
        "llama, rope yarn with mscale",
        "llama-base",
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "factor": 8.0,
                "original_max_position_embeddings": 32,
                "rope_theta": 100.0,
                "beta_fast": 4.0,
                "beta_slow": 0.5,
                "mscale": 0.7,
                "mscale_all_dim": 1.2,
                "truncate": False,
            }
        },
    ),
    ("llama, older keys", "llama-base", {"rope_parameters": None, "rope_theta": 300.0, "rms_norm_eps": 0.01}),
    (
        "mistral, window 4",
        "llama-base",
        {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 4},
    ),
    ("qwen2", "qwen-base", {}),
    (
        "qwen2, last layers with a window",
        "qwen-base",
        {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1, "layer_types": None},
    ),
    ("qwen3", "qwen3-base", {}),
]


def packed(tensor):
    return base64.b64encode(tensor.to(torch.float32).contiguous().numpy().tobytes()).decode()


def load(folder, overrides):
    with tempfile.TemporaryDirectory() as there:
        copy = pathlib.Path(there) / "model"
        shutil.copytree(models / folder, copy)
        config = json.loads((copy / "config.json").read_text())
        config.update(overrides)
        config = {key: value for key, value in config.items() if value is not None}
        (copy / "config.json").write_text(json.dumps(config))
        model = AutoModelForCausalLM.from_pretrained(copy, dtype=torch.float32, attn_implementation="eager").eval()
    return model, config


def hidden_states():
    cases = []
    for name, folder, overrides in VARIANTS:
        model, config = load(folder, overrides)
        states = []
        with torch.no_grad():
            for text in TEXTS:
                states.append(model(torch.tensor([text]), output_hidden_states=True).hidden_states)
        # What enters each layer, for all tokens of all texts.
        entering = [torch.cat([each[layer][0] for each in states]) for layer in range(config["num_hidden_layers"])]
        cases.append({"name": name, "model": folder, "config": config, "states": packed(torch.stack(entering))})
    return {"texts": TEXTS, "cases": cases}


MIXTURES = ["moe-mixtral-hidden", "moe-llama-cheap-4", "moe-qwen-hidden-shared", "moe-qwen3-hidden"]


def logits():
    cases = []
    for name in MIXTURES:
        with tempfile.TemporaryDirectory() as there:
            out = pathlib.Path(there) / "out"
            command = ["node", root / "apps/mergekit-moe/bin/mergekit-moe.cjs", f"siblings/{name}/config.yml", out, "-q"]
            subprocess.run(command, cwd=root / "goldens", check=True, capture_output=True)
            model, info = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
            assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
            with torch.no_grad():
                found = model.eval()(torch.tensor([TEXTS[0]])).logits[0]
        cases.append({"name": name, "logits": packed(found)})
    return {"tokens": TEXTS[0], "cases": cases}


ROWS = [
    ("moe-mixtral-hidden", "hidden"),
    ("moe-mixtral-hidden", "hidden_avg"),
    ("moe-mixtral-hidden-negative", "hidden"),
    ("moe-mixtral-hidden-tiny", "hidden"),
    ("moe-qwen-hidden-shared", "hidden"),
    ("moe-qwen-hidden-shared", "hidden_avg"),
    ("moe-qwen3-hidden", "hidden"),
]


def router_rows():
    """Rows of routers, expert by expert within each layer; those of a shared expert follow."""
    cases = []
    for name, mode in ROWS:
        recipe = yaml.safe_load((root / "goldens/siblings" / name / "config.yml").read_text())
        base = recipe["base_model"]
        folder = root / "goldens" / base if base.startswith("models/") else root / "examples/models" / base
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        begin = json.loads((folder / "tokenizer_config.json").read_text())["bos_token"]

        def direction(prompts):
            """[layers, hidden]: the mean over prompts of what enters each layer."""
            of_prompts = []
            for prompt in prompts:
                ids = tokenizer.encode(begin + prompt, add_special_tokens=False).ids
                with torch.no_grad():
                    states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
                entering = torch.stack([states[layer][0] for layer in range(model.config.num_hidden_layers)])
                of_prompts.append(entering.mean(dim=1) if mode == "hidden_avg" else entering[:, -1])
            return torch.stack(of_prompts).mean(dim=0)

        rows = []
        for expert in recipe["experts"] + recipe.get("shared_experts", []):
            row = direction(expert["positive_prompts"])
            if "negative_prompts" in expert:
                row = row - direction(expert["negative_prompts"])
            rows.append(row / row.norm(dim=-1, keepdim=True).clamp(min=1e-8))
        cases.append({"name": name, "mode": mode, "experts": len(recipe["experts"]), "rows": packed(torch.stack(rows, dim=1))})
    return {"cases": cases}


ALL = {"hidden-states": hidden_states, "mixture-logits": logits, "router-rows": router_rows}

fixtures.mkdir(exist_ok=True)
for name in sys.argv[1:] or ALL:
    (fixtures / f"{name}.json").write_text(json.dumps(ALL[name](), indent=1) + "\n")
