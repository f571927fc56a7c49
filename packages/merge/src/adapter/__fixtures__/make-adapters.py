"""Makes the adapters of the tests and what PEFT's add_weighted_adapter makes of them.

Run with PEFT 0.21.2, torch 2.13.0, transformers 5.24.0 and safetensors 0.8.0:

    python packages/merge/src/adapter/__fixtures__/make-adapters.py
"""

import json
import os
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
base = os.path.abspath(os.path.join(here, "../../../../../goldens/models/llama-base"))

q, k, v = [f"layers.0.self_attn.{name}_proj" for name in "qkv"]
up, down = "layers.0.mlp.up_proj", "layers.0.mlp.down_proj"
configs = {
    "a": dict(r=4, lora_alpha=8, target_modules=[q, v, down]),
    "b": dict(r=2, lora_alpha=3, use_rslora=True, target_modules=[q, up], rank_pattern={up: 3},
              alpha_pattern={up: 5}),
    "d": dict(r=4, lora_alpha=8, target_modules=[q, v, down]),
    "e": dict(r=2, lora_alpha=2, target_modules=["embed_tokens", "lm_head", q]),
    "f": dict(r=2, lora_alpha=2, target_modules=[k], modules_to_save=["layers.0.input_layernorm"]),
}
combinations = {
    "cat": (["a", "b"], dict(weights=[0.7, -0.3], combination_type="cat")),
    "svd": (["a", "b"], dict(weights=[0.7, 0.6], combination_type="svd", svd_rank=3)),
    "embedding": (["a", "e"], dict(weights=[0.5, 0.5], combination_type="svd", svd_rank=16)),
    "linear": (["a", "d"], dict(weights=[0.5, -1.5], combination_type="linear")),
    "ties": (["a", "d"], dict(weights=[1.0, 1.0], combination_type="ties", density=0.4)),
    "dare-linear": (["a", "d"], dict(weights=[0.3, 0.7], combination_type="dare_linear", density=1.0)),
    "magnitude-prune": (["a", "d"], dict(weights=[0.3, 0.7], combination_type="magnitude_prune", density=0.5)),
    "ties-svd": (["a", "d"], dict(weights=[1.0, 1.0], combination_type="ties_svd", svd_rank=16, density=0.4)),
    "dare-ties-svd": (["a", "d"], dict(weights=[1.0, 1.0], combination_type="dare_ties_svd", svd_rank=16, density=1.0)),
    "magnitude-prune-svd": (
        ["a", "d"],
        dict(weights=[0.3, 0.7], combination_type="magnitude_prune_svd", svd_rank=16, density=0.5),
    ),
}


def model():
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def main():
    for seed, (name, config) in enumerate(configs.items()):
        peft = get_peft_model(model(), LoraConfig(task_type="CAUSAL_LM", **config))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for key, parameter in peft.named_parameters():
                if "lora_" in key:
                    parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
                elif parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        folder = os.path.join(here, name)
        shutil.rmtree(folder, ignore_errors=True)
        peft.save_pretrained(folder, save_embedding_layers=False)
        os.remove(os.path.join(folder, "README.md"))
        path = os.path.join(folder, "adapter_config.json")
        with open(path) as file:
            found = json.load(file)
        keys = ["peft_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "target_modules", "modules_to_save",
                "use_rslora", "bias", "fan_in_fan_out"]
        kept = {key: sorted(found[key]) if key == "target_modules" else found[key] for key in keys}
        with open(path, "w") as file:
            json.dump(kept, file, indent=2)
            file.write("\n")

    expected = {}
    for name, (adapters, options) in combinations.items():
        peft = PeftModel.from_pretrained(model(), os.path.join(here, adapters[0]), adapter_name=adapters[0])
        for adapter in adapters[1:]:
            peft.load_adapter(os.path.join(here, adapter), adapter_name=adapter)
        peft.add_weighted_adapter(adapters, adapter_name="merged", **options)
        for module, layer in peft.base_model.model.named_modules():
            for side, store in [("A", "lora_A"), ("B", "lora_B"), ("A", "lora_embedding_A"), ("B", "lora_embedding_B")]:
                factors = getattr(layer, store, None)
                if factors is None or "merged" not in factors:
                    continue
                factor = factors["merged"] if "embedding" in store else factors["merged"].weight
                assert abs(layer.scaling["merged"] - 1) < 1e-9, (name, module, layer.scaling["merged"])
                expected[f"{name}/{module}.{side}"] = factor.detach().contiguous()
    save_file(expected, os.path.join(here, "expected.safetensors"))


main()
