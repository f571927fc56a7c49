"""Makes the .safetensors files beside this script: weights as each library quantizes them, and what that library, in float32, makes of them again.

A file has the tensors of a model, the expected weights under `expected.<name>`, and in its metadata what config.json says.

    python make-quantized.py SOURCES

SOURCES is a folder with three distributions unpacked, of which only the packing code is imported, since the rest wants a GPU:
auto_gptq-0.7.1 (wheel), autoawq-0.2.9 (sdist), nvidia_modelopt-0.47.0 (wheel). Installed: Python 3.11.7, torch 2.13.0 (CPU), numpy 2.4.6,
safetensors 0.8.0, transformers 5.24.0, accelerate 1.x, bitsandbytes 0.50.2, compressed-tensors 0.20.0, mlx[cpu] 0.32.4.
"""
import importlib, json, pathlib, sys, types

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SOURCES = pathlib.Path(sys.argv[1]).resolve()
draw = torch.Generator().manual_seed(17)


def weights(*shape):
    return torch.randn(*shape, generator=draw) * 0.05


def save(name, tensors, expected, config):
    tensors = {k: v.contiguous().clone() for k, v in tensors.items()}
    for key, value in expected.items():
        assert value.dtype == torch.float32, key
        tensors[f"expected.{key}"] = value.detach().contiguous().clone()
    save_file(tensors, HERE / f"{name}.safetensors", metadata={"config": json.dumps(config)})


def packages(folder, *names):
    """Lets modules of a distribution be imported without running what its packages import first."""
    for name in names:
        module = types.ModuleType(name)
        module.__path__ = [str(SOURCES / folder / name.replace(".", "/"))]
        sys.modules[name] = module


def config(method, **more):
    return {"model_type": "llama", "torch_dtype": "bfloat16", "quantization_config": {"quant_method": method, **more}}


def bitsandbytes():
    import bitsandbytes.functional as bnb

    for kind, double, size, block in (("nf4", False, (6, 40), 64), ("nf4", True, (66, 128), 32), ("fp4", False, (5, 64), 64)):
        codes, state = bnb.quantize_4bit(weights(*size), blocksize=block, quant_type=kind, compress_statistics=double)
        tensors = {"a.weight": codes, **{f"a.weight.{k}": v for k, v in state.as_dict(packed=True).items()}}
        expected = {"a.weight": bnb.dequantize_4bit(codes, state)}
        save(f"bitsandbytes-{kind}{'-double' if double else ''}", tensors, expected, config("bitsandbytes", load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=double))
    codes, scales, _ = bnb.int8_vectorwise_quant(weights(7, 24).half())
    tensors = {"a.weight": codes, "a.SCB": scales.float(), "a.weight_format": torch.tensor(0, dtype=torch.uint8)}
    save("bitsandbytes-int8", tensors, {"a.weight": bnb.int8_vectorwise_dequant(codes, scales)}, config("bitsandbytes", load_in_8bit=True))


def gptq():
    packages("auto_gptq", "auto_gptq", "auto_gptq.nn_modules", "auto_gptq.nn_modules.qlinear")
    QuantLinear = importlib.import_module("auto_gptq.nn_modules.qlinear.qlinear_cuda").QuantLinear
    inputs, outputs, group = 64, 32, 32
    # What GPTQModel adds to the words of version 1 for version 2.
    ones = {4: 0x11111111, 8: 0x01010101}
    for bits, order, version in ((2, False, 1), (3, True, 1), (4, True, 1), (8, False, 1), (4, False, 2)):
        linear = torch.nn.Linear(inputs, outputs, bias=False)
        linear.weight.data = weights(outputs, inputs)
        g_idx = torch.arange(inputs, dtype=torch.int32) // group
        if order:
            g_idx = g_idx[torch.randperm(inputs, generator=draw)]
        groups = [linear.weight.data[:, g_idx == g] for g in range(inputs // group)]
        low, high = (torch.stack([bound(x, 1) for x in groups], 1) for bound in (torch.amin, torch.amax))
        scales = ((high - low) / (2**bits - 1)).half().float()
        zeros = torch.clamp(torch.round(-low / scales), 1, 2**bits - 1)
        index = g_idx.long()
        codes = torch.clamp(torch.round(linear.weight.data / scales[:, index]) + zeros[:, index], 0, 2**bits - 1)
        linear.weight.data = (codes - zeros[:, index]) * scales[:, index]
        module = QuantLinear(bits, group, inputs, outputs, bias=False, weight_dtype=torch.float32)
        module.pack(linear, scales, zeros, g_idx)
        expected = module(torch.eye(inputs)).T.contiguous()
        assert torch.equal(expected, linear.weight.data)
        tensors = {"a.qweight": module.qweight, "a.qzeros": module.qzeros, "a.scales": module.scales.half(), "a.g_idx": module.g_idx}
        more = {}
        if version == 2:
            tensors["a.qzeros"] = (module.qzeros.long() + ones[bits]).to(torch.int32)
            more = {"checkpoint_format": "gptq_v2"}
        save(f"gptq-{bits}{'-act-order' if order else ''}{'-v2' if version == 2 else ''}", tensors, {"a.weight": expected}, config("gptq", bits=bits, group_size=group, desc_act=order, sym=False, **more))


def awq():
    packages("autoawq-0.2.9", "awq", "awq.modules", "awq.modules.linear", "awq.utils")
    WQLinear = importlib.import_module("awq.modules.linear.gemm").WQLinear_GEMM
    unpack = importlib.import_module("awq.utils.packing_utils").dequantize_gemm
    inputs, outputs, group = 64, 32, 32
    linear = torch.nn.Linear(inputs, outputs, bias=False)
    grouped = weights(outputs, inputs // group, group)
    low, high = grouped.amin(-1), grouped.amax(-1)
    scales = ((high - low) / 15).half().float()
    zeros = torch.clamp(torch.round(-low / scales), 0, 15)
    codes = torch.clamp(torch.round(grouped / scales[..., None]) + zeros[..., None], 0, 15)
    linear.weight.data = ((codes - zeros[..., None]) * scales[..., None]).reshape(outputs, inputs)
    module = WQLinear.from_linear(linear, 4, group, scales=scales.T.contiguous(), zeros=zeros.T.contiguous())
    expected = unpack(module.qweight, module.qzeros, module.scales.float(), 4, group).T.contiguous()
    assert torch.equal(expected, linear.weight.data)
    tensors = {"a.qweight": module.qweight, "a.qzeros": module.qzeros, "a.scales": module.scales}
    save("awq", tensors, {"a.weight": expected}, config("awq", bits=4, group_size=group, version="gemm", zero_point=True))


def compressed_tensors():
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    from compressed_tensors.quantization.lifecycle.forward import dequantize
    from compressed_tensors.quantization.utils import calculate_qparams

    cases = {
        "int-channel": ("int-quantized", dict(num_bits=8, strategy="channel"), (12, 20)),
        "int-asymmetric": ("int-quantized", dict(num_bits=8, strategy="group", group_size=16, symmetric=False), (9, 48)),
        "float-channel": ("float-quantized", dict(num_bits=8, type="float", strategy="channel"), (6, 20)),
        "float-block": ("float-quantized", dict(num_bits=8, type="float", strategy="block", block_structure=[4, 16]), (8, 48)),
        "pack-4": ("pack-quantized", dict(num_bits=4, strategy="group", group_size=32), (10, 64)),
        "pack-4-asymmetric": ("pack-quantized", dict(num_bits=4, strategy="group", group_size=32, symmetric=False), (13, 64)),
        "pack-3-asymmetric": ("pack-quantized", dict(num_bits=3, strategy="group", group_size=16, symmetric=False), (21, 48)),
        "pack-8-odd": ("pack-quantized", dict(num_bits=8, strategy="channel"), (5, 19)),
        "nvfp4": ("nvfp4-pack-quantized", dict(num_bits=4, type="float", strategy="tensor_group", group_size=16, scale_dtype=torch.float8_e4m3fn), (6, 64)),
        "mxfp8": ("mxfp8-quantized", dict(num_bits=8, type="float", strategy="group", group_size=32, scale_dtype=torch.uint8), (6, 64)),
        "mxfp4": ("mxfp4-pack-quantized", dict(num_bits=4, type="float", strategy="group", group_size=32, scale_dtype=torch.uint8), (6, 64)),
    }
    for name, (form, settings, size) in cases.items():
        args = QuantizationArgs(**settings)
        scheme = QuantizationScheme(targets=["Linear"], weights=args)
        weight = weights(*size)
        rows, columns = size
        if args.strategy == "block":
            height, width = args.block_structure
            parts = weight.reshape(rows // height, height, columns // width, width).transpose(1, 2).flatten(2)
        else:
            parts = weight.reshape(rows, -1, args.group_size or columns)
        whole = None
        if name == "nvfp4":
            whole = (448 * 6 / weight.abs().max()).reshape(1)
        scale, zero = calculate_qparams(parts.amin(-1), parts.amax(-1), args, global_scale=whole)
        # As stored: 16 bits, but for what has a width of its own.
        if name not in ("nvfp4", "mxfp4", "mxfp8"):
            scale = scale.bfloat16()
        state = {"weight": weight, "weight_scale": scale}
        if whole is not None:
            state["weight_global_scale"] = whole
        if not args.symmetric:
            state["weight_zero_point"] = zero.to(torch.int8)
        compressor = BaseCompressor.get_value_from_registry(form)
        stored = {k: v for k, v in compressor.compress(state, scheme).items() if v is not None}
        if name == "nvfp4":
            codes = unpack_fp4_from_uint8(stored["weight_packed"], *size)
            expected = dequantize(codes, stored["weight_scale"].bfloat16(), args=args, global_scale=whole, dtype=torch.float32)
        else:
            wide = stored if name in ("mxfp4", "mxfp8") else {**stored, "weight_scale": stored["weight_scale"].float()}
            expected = compressor.decompress(wide, scheme)["weight"].float()
        tensors = {f"a.{k}": v for k, v in stored.items()}
        groups = {"group_0": {"targets": ["Linear"], "weights": json.loads(args.model_dump_json())}}
        save(f"compressed-tensors-{name}", tensors, {"a.weight": expected}, config("compressed-tensors", format=form, config_groups=groups))


def modelopt():
    packages("modelopt", "modelopt", "modelopt.torch", "modelopt.torch.quantization", "modelopt.torch.quantization.qtensor", "modelopt.torch.quantization.backends", "modelopt.torch.quantization.utils")
    stand_in = types.ModuleType("modelopt.torch.quantization.backends.utils")
    stand_in.fp4_compatible = lambda: False
    sys.modules[stand_in.__name__] = stand_in
    numbers = types.ModuleType("modelopt.torch.quantization.utils.numeric_utils")
    sys.modules[numbers.__name__] = numbers
    # What only quantizing needs.
    numbers.__getattr__ = lambda name: None
    sys.modules["modelopt.torch.quantization.utils"].__getattr__ = lambda name: None
    NVFP4 = importlib.import_module("modelopt.torch.quantization.qtensor.nvfp4_tensor").NVFP4QTensor
    codes = torch.randint(0, 256, (6, 24), generator=draw, dtype=torch.uint8)
    scales = torch.rand(6, 3, generator=draw).mul(400).to(torch.float8_e4m3fn)
    whole = torch.tensor(0.00031)
    expected = NVFP4(torch.Size((6, 48)), torch.float32, codes).dequantize(torch.float32, scale=scales, double_scale=whole, block_sizes={-1: 16})
    tensors = {"a.weight": codes, "a.weight_scale": scales, "a.weight_scale_2": whole, "a.input_scale": torch.tensor(0.01)}
    save("modelopt-nvfp4", tensors, {"a.weight": expected}, config("modelopt", quant_algo="NVFP4"))


def gpt_oss():
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    experts, rows, groups = 2, 6, 2
    blocks = torch.randint(0, 256, (experts, rows, groups, 16), generator=draw, dtype=torch.uint8)
    scales = torch.randint(115, 130, (experts, rows, groups), generator=draw, dtype=torch.uint8)
    name = "model.layers.0.mlp.experts.gate_up_proj"
    expected = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
    save("mxfp4", {f"{name}_blocks": blocks, f"{name}_scales": scales}, {name: expected}, {**config("mxfp4"), "model_type": "gpt_oss"})


def mlx():
    import mlx.core as mx

    mx.set_default_device(mx.cpu)

    def as_torch(x):
        if x.dtype == mx.float32:
            return torch.from_numpy(np.array(x))
        if x.dtype == mx.uint32:
            return torch.from_numpy(np.array(x).view(np.int32)).view(torch.uint32)
        return torch.from_numpy(np.array(x)) if x.dtype != mx.bfloat16 else torch.from_numpy(np.array(x.view(mx.uint16)).view(np.int16)).view(torch.bfloat16)

    tensors, expected = {}, {}
    settings = {"group_size": 64, "bits": 4}
    for bits in (2, 3, 4, 5, 6, 8):
        stem, group = f"model.layers.{bits}", 64 if bits == 4 else 32
        codes, scales, biases = mx.quantize(mx.array(weights(5, 128).numpy()).astype(mx.bfloat16), group_size=group, bits=bits)
        wide = mx.dequantize(codes, scales.astype(mx.float32), biases.astype(mx.float32), group_size=group, bits=bits)
        tensors |= {f"{stem}.weight": as_torch(codes), f"{stem}.scales": as_torch(scales), f"{stem}.biases": as_torch(biases)}
        expected[f"{stem}.weight"] = as_torch(wide)
        if bits != 4:
            settings[stem] = {"group_size": group, "bits": bits}
    codes, scales, biases = mx.quantize(mx.array(weights(2, 3, 64).numpy()), group_size=64, bits=4)
    tensors |= {"stacked.weight": as_torch(codes), "stacked.scales": as_torch(scales), "stacked.biases": as_torch(biases)}
    expected["stacked.weight"] = as_torch(mx.dequantize(codes, scales, biases, group_size=64, bits=4))
    for mode, group, bits in (("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)):
        codes, scales = mx.quantize(mx.array(weights(3, 64).numpy()), group_size=group, bits=bits, mode=mode)
        tensors |= {f"{mode}.weight": as_torch(codes), f"{mode}.scales": as_torch(scales)}
        expected[f"{mode}.weight"] = as_torch(mx.dequantize(codes, scales, group_size=group, bits=bits, mode=mode, dtype=mx.float32))
        settings[mode] = {"group_size": group, "bits": bits, "mode": mode}
    save("mlx", tensors, expected, {"model_type": "llama", "torch_dtype": "bfloat16", "quantization": settings})


for make in (bitsandbytes, gptq, awq, compressed_tensors, modelopt, gpt_oss, mlx):
    make()
