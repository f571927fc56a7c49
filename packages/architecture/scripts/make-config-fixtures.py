"""Writes what transformers itself says of config.json, for the tests of `reviseConfig`.

For every family of src/fixtures that transformers knows, a tiny model with three layers in each stack is made and saved.
Then each of its stacks is laid twice upon itself: tensors are renumbered, and the config of six layers is composed from
the classes of transformers alone (counts and derived settings as the class has them for six layers, lists with an entry per
layer twice, layer numbers counted on). The class must read that config and give it back, and the model that it builds must
have exactly the tensors of the stack, by name and shape; where it does not, the family has no config for that stack, and the
fixture says why. Other vocabularies, numbers of experts and widths tell which settings depend on them.

How to run it, in a virtual environment outside the repository:

    pip install torch==2.13.0 transformers==5.24.0 safetensors scipy
    python packages/architecture/scripts/make-config-fixtures.py

It writes packages/architecture/src/__fixtures__/transformers-configs.json and prints what a person should look at.
"""

import copy
import json
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from safetensors import safe_open
from transformers import CONFIG_MAPPING

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.manual_seed(0)

OUTPUT = Path(__file__).parent.parent / "src/__fixtures__/transformers-configs.json"
LAYERS = 3

# Small lengths for settings by name; none is 3 or 6, so that no other setting looks like a layer count.
WIDTHS = {
    "hidden_size": 16, "d_model": 16, "n_embd": 16, "dim": 16, "embed_dim": 16, "word_embed_proj_dim": 16,
    "attention_hidden_size": 16, "encoder_hidden_size": 16, "pooler_hidden_size": 16, "pooler_output_size": 16,
    "out_hidden_size": 16, "vision_output_dim": 16, "projection_dim": 8, "projection_size": 16, "embedding_size": 8,
    "intermediate_size": 20, "ffn_dim": 20, "d_ff": 20, "d_inner": 20, "n_inner": 20, "ffn_hidden_size": 20,
    "hidden_dim": 20, "encoder_ffn_dim": 20, "decoder_ffn_dim": 20, "intermediate_size_mlp": 20, "image_text_hidden_size": 8,
    "moe_intermediate_size": 12, "shared_expert_intermediate_size": 12, "shared_intermediate_size": 12,
    "moe_shared_expert_intermediate_size": 12, "output_hidden_size": 16, "codevector_dim": 8, "proj_codevector_dim": 8,
    "classifier_proj_size": 8, "xvector_output_dim": 8, "projector_input_dim": 16, "projector_output_dim": 16,
    "hidden_size_per_layer_input": 4, "block_multiple_of": 4, "kv_lora_rank": 8, "q_lora_rank": 8, "laurel_rank": 4,
}
HEADS = {
    "num_attention_heads": 4, "n_head": 4, "n_heads": 4, "num_heads": 4, "attention_heads": 4, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "num_key_value_heads": 2, "num_kv_heads": 2, "head_dim": 4, "d_kv": 4, "d_head": 4,
    "qk_nope_head_dim": 4, "qk_rope_head_dim": 4, "v_head_dim": 4, "mamba_n_heads": 8, "mamba_d_head": 4, "mamba_num_heads": 8,
    "mamba_head_dim": 4, "linear_key_head_dim": 4, "linear_value_head_dim": 4, "linear_num_key_heads": 2,
    "linear_num_value_heads": 4, "conf_num_attention_heads": 4, "rotary_dim": 4,
}
EXPERTS = {"num_local_experts": 4, "num_experts": 4, "n_routed_experts": 4, "moe_num_experts": 4}
VOCABULARY = {"vocab_size": 40, "decoder_vocab_size": 40, "vocab_size_per_layer_input": 36}
OTHER = {
    "num_experts_per_tok": 2, "moe_top_k": 2, "n_group": 1, "topk_group": 1, "max_position_embeddings": 32,
    "original_max_position_embeddings": 32, "n_positions": 32, "n_ctx": 32, "context_length": 32, "max_seq_len": 32,
    "max_source_positions": 32, "max_target_positions": 32, "image_size": 28, "patch_size": 14, "sliding_window": 8,
    "window_size": 8, "attention_chunk_size": 8, "state_size": 4, "ssm_state_size": 4, "mamba_d_state": 4, "n_groups": 1,
    "mamba_n_groups": 1, "time_step_rank": 2, "mamba_dt_rank": 2, "num_position_embeddings": 16, "num_mel_bins": 8,
    "input_feat_size": 8, "num_query_tokens": 5, "type_vocab_size": 2, "mrope_section": [1, 1, 0], "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2, "num_codevectors_per_group": 4, "conv_dim": [8, 8], "conv_stride": [2, 2],
    "conv_kernel": [4, 4], "tdnn_dim": [8, 8], "tdnn_kernel": [5, 1], "tdnn_dilation": [1, 1], "max_num_tiles": 4,
    "num_feat_extract_layers": 2, "sscp_conv_channel_size": [8, 4],
}
COUNTS = (
    "num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers",
    "depth", "conf_num_hidden_layers", "num_global_layers",
)
EXPLICIT_IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id", "forced_eos_token_id", "eod_token_id",
                "cls_token_id", "sep_token_id")

# family: (model_type, class, stacks, settings). A stack is named as a module of the layout is, and has the paths of its counts.
plain = [("default", ["num_hidden_layers"])]
n_layer = [("default", ["n_layer"])]
n_layers = [("default", ["n_layers"])]
sides = [("model.encoder", ["encoder_layers"]), ("model.decoder", ["decoder_layers"])]
t5_sides = [("encoder", ["num_layers"]), ("decoder", ["num_decoder_layers"])]


def towers(language, vision="vision_tower", depth="vision_config.num_hidden_layers"):
    return [(language, ["text_config.num_hidden_layers"]), (vision, [depth])]


sparse_tail = {"first_k_dense_replace": 1}
sliding = {"layer_types": ["full_attention", "sliding_attention", "sliding_attention"], "use_sliding_window": True,
           "max_window_layers": 1}
FAMILIES = {
    "llama": ("llama", "LlamaForCausalLM", plain, {}),
    "llama-buffers": ("llama", "LlamaForCausalLM", plain, {}),
    "llama-classifier": ("llama", "LlamaForSequenceClassification", plain, {}),
    "mistral": ("mistral", "MistralForCausalLM", plain, {}),
    "granite": ("granite", "GraniteForCausalLM", plain, {}),
    "hunyuan_v1_dense": ("hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM", plain, {"head_dim": 4}),
    "ernie4_5": ("ernie4_5", "Ernie4_5ForCausalLM", plain, {}),
    "seed_oss": ("seed_oss", "SeedOssForCausalLM", plain, {}),
    "arcee": ("arcee", "ArceeForCausalLM", plain, {}),
    "apertus": ("apertus", "ApertusForCausalLM", plain, {}),
    "nemotron": ("nemotron", "NemotronForCausalLM", plain, {"num_key_value_heads": 2}),
    "cohere": ("cohere", "CohereForCausalLM", plain, {"use_qk_norm": True}),
    "cohere2": ("cohere2", "Cohere2ForCausalLM", plain, {"layer_types": ["sliding_attention", "full_attention", "full_attention"]}),
    "gemma": ("gemma", "GemmaForCausalLM", plain, {}),
    "gemma2": ("gemma2", "Gemma2ForCausalLM", plain, {}),
    "gemma3_text": ("gemma3_text", "Gemma3ForCausalLM", plain, {"layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}),
    "glm4": ("glm4", "Glm4ForCausalLM", plain, {}),
    "olmo": ("olmo", "OlmoForCausalLM", plain, {}),
    "olmo2": ("olmo2", "Olmo2ForCausalLM", plain, {}),
    "phi": ("phi", "PhiForCausalLM", plain, {}),
    "phi3": ("phi3", "Phi3ForCausalLM", plain, {}),
    "persimmon": ("persimmon", "PersimmonForCausalLM", plain, {}),
    "qwen2": ("qwen2", "Qwen2ForCausalLM", plain, sliding),
    "qwen2-tied": ("qwen2", "Qwen2ForCausalLM", plain, {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", "Qwen3ForCausalLM", plain, sliding),
    "smollm3": ("smollm3", "SmolLM3ForCausalLM", plain, {"no_rope_layers": [1, 0, 1]}),
    "stablelm": ("stablelm", "StableLmForCausalLM", plain, {"use_qkv_bias": True}),
    "starcoder2": ("starcoder2", "Starcoder2ForCausalLM", plain, {}),
    "xglm": ("xglm", "XGLMForCausalLM", [("default", ["num_layers"])], {}),
    "lfm2": ("lfm2", "Lfm2ForCausalLM", plain, {"layer_types": ["conv", "full_attention", "conv"]}),
    "mixtral": ("mixtral", "MixtralForCausalLM", plain, {}),
    "mixtral-packed": ("mixtral", "MixtralForCausalLM", plain, {}),
    "phimoe": ("phimoe", "PhimoeForCausalLM", plain, {}),
    "qwen2_moe": ("qwen2_moe", "Qwen2MoeForCausalLM", plain, {"mlp_only_layers": [1], "sliding_window": None}),
    "qwen3_moe": ("qwen3_moe", "Qwen3MoeForCausalLM", plain, {"mlp_only_layers": [0], "sliding_window": None}),
    "qwen3_moe-packed": ("qwen3_moe", "Qwen3MoeForCausalLM", plain, {"decoder_sparse_step": 2, "sliding_window": None}),
    "olmoe": ("olmoe", "OlmoeForCausalLM", plain, {}),
    "granitemoe": ("granitemoe", "GraniteMoeForCausalLM", plain, {"tie_word_embeddings": True}),
    "gpt_oss": ("gpt_oss", "GptOssForCausalLM", plain, {"layer_types": ["sliding_attention", "full_attention", "full_attention"]}),
    "deepseek_v2": ("deepseek_v2", "DeepseekV2ForCausalLM", plain, sparse_tail),
    "deepseek_v3": ("deepseek_v3", "DeepseekV3ForCausalLM", plain, sparse_tail),
    "glm4_moe": ("glm4_moe", "Glm4MoeForCausalLM", plain, {"first_k_dense_replace": 0}),
    "afmoe": ("afmoe", "AfmoeForCausalLM", plain, {"num_dense_layers": 1, "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}),
    "dbrx": ("dbrx", "DbrxForCausalLM", n_layers,
             {"attn_config": {"rope_theta": 10000.0, "kv_n_heads": 2}, "ffn_config": {"moe_num_experts": 4, "moe_top_k": 2, "ffn_hidden_size": 20}}),
    "gpt2": ("gpt2", "GPT2LMHeadModel", n_layer, {}),
    "gpt2-bare": ("gpt2", "GPT2Model", n_layer, {}),
    "gpt2-classifier": ("gpt2", "GPT2ForSequenceClassification", n_layer, {}),
    "gpt_bigcode": ("gpt_bigcode", "GPTBigCodeForCausalLM", n_layer, {}),
    "gpt_neo": ("gpt_neo", "GPTNeoForCausalLM", [("default", ["num_layers"])],
                {"attention_types": [[["global", "local"], 1], [["global"], 1]]}),
    "gptj": ("gptj", "GPTJForCausalLM", n_layer, {}),
    "codegen": ("codegen", "CodeGenForCausalLM", n_layer, {}),
    "gpt_neox": ("gpt_neox", "GPTNeoXForCausalLM", plain, {}),
    "bloom": ("bloom", "BloomForCausalLM", n_layer, {}),
    "falcon": ("falcon", "FalconForCausalLM", plain, {"new_decoder_architecture": True, "tie_word_embeddings": False}),
    "mpt": ("mpt", "MptForCausalLM", n_layers, {}),
    "opt": ("opt", "OPTForCausalLM", plain, {}),
    "xlnet": ("xlnet", "XLNetLMHeadModel", n_layer, {}),
    "mamba": ("mamba", "MambaForCausalLM", plain, {}),
    "falcon_mamba": ("falcon_mamba", "FalconMambaForCausalLM", plain, {}),
    "mamba2": ("mamba2", "Mamba2ForCausalLM", plain, {"num_heads": 8}),
    "rwkv": ("rwkv", "RwkvForCausalLM", plain, {}),
    "jamba": ("jamba", "JambaForCausalLM", plain, {"attn_layer_period": 3, "attn_layer_offset": 1, "expert_layer_period": 3,
                                                   "expert_layer_offset": 2, "use_mamba_kernels": False}),
    "granitemoehybrid": ("granitemoehybrid", "GraniteMoeHybridForCausalLM", plain,
                         {"layer_types": ["linear_attention", "full_attention", "linear_attention"], "tie_word_embeddings": True}),
    "nemotron_h": ("nemotron_h", "NemotronHForCausalLM", [("default", [])],
                   {"layers_block_type": ["linear_attention", "mlp", "full_attention"], "use_mamba_kernels": False}),
    "qwen3_next": ("qwen3_next", "Qwen3NextForCausalLM", plain,
                   {"layer_types": ["linear_attention", "full_attention", "linear_attention"], "mlp_only_layers": [1]}),
    "bert": ("bert", "BertModel", plain, {}),
    "bert-masked-lm": ("bert", "BertForMaskedLM", plain, {}),
    "bert-gamma": ("bert", "BertForPreTraining", plain, {}),
    "bert-classifier": ("bert", "BertForSequenceClassification", plain, {}),
    "distilbert": ("distilbert", "DistilBertModel", n_layers, {}),
    "distilbert-classifier": ("distilbert", "DistilBertForSequenceClassification", n_layers, {}),
    "distilbert-tokens": ("distilbert", "DistilBertForTokenClassification", n_layers, {}),
    "distilbert-masked-lm": ("distilbert", "DistilBertForMaskedLM", n_layers, {}),
    "roberta": ("roberta", "RobertaModel", plain, {}),
    "roberta-masked-lm": ("roberta", "RobertaForMaskedLM", plain, {}),
    "roberta-classifier": ("roberta", "RobertaForSequenceClassification", plain, {}),
    "roberta-tokens": ("roberta", "RobertaForTokenClassification", plain, {}),
    "xlm-roberta": ("xlm-roberta", "XLMRobertaForMaskedLM", plain, {}),
    "electra": ("electra", "ElectraForPreTraining", plain, {}),
    "deberta-v2": ("deberta-v2", "DebertaV2ForMaskedLM", plain, {"relative_attention": True, "position_buckets": 4}),
    "modernbert": ("modernbert", "ModernBertForMaskedLM", plain, {"layer_types": ["full_attention", "sliding_attention", "full_attention"]}),
    "albert": ("albert", "AlbertForMaskedLM", [], {"num_hidden_layers": 3}),
    "vit": ("vit", "ViTForImageClassification", plain, {}),
    "dinov2": ("dinov2", "Dinov2Model", plain, {}),
    "swin": ("swin", "SwinModel", [], {"depths": [1, 2], "num_layers": 2, "num_heads": [2, 2], "window_size": 7}),
    "wav2vec2": ("wav2vec2", "Wav2Vec2ForCTC", plain, {}),
    "t5": ("t5", "T5ForConditionalGeneration", t5_sides, {}),
    "mt5": ("mt5", "MT5ForConditionalGeneration", t5_sides, {"tie_word_embeddings": False}),
    "bart": ("bart", "BartForConditionalGeneration", sides, {}),
    "mbart": ("mbart", "MBartForConditionalGeneration", sides, {}),
    "pegasus": ("pegasus", "PegasusForConditionalGeneration", sides, {}),
    "marian": ("marian", "MarianMTModel", sides, {}),
    "blenderbot": ("blenderbot", "BlenderbotForConditionalGeneration", sides, {}),
    "whisper": ("whisper", "WhisperForConditionalGeneration", sides, {"begin_suppress_tokens": [1, 2]}),
    "clip": ("clip", "CLIPModel", towers("text_model", "vision_model"), {}),
    "siglip": ("siglip", "SiglipModel", towers("text_model", "vision_model"), {}),
    "llava": ("llava", "LlavaForConditionalGeneration", towers("language_model"), {}),
    "llava-new-names": ("llava", "LlavaForConditionalGeneration", towers("language_model"), {"vision_feature_layer": [1, 2]}),
    "llava-defaults-unwritten": ("llava", "LlavaForConditionalGeneration", towers("language_model"), {"vision_feature_layer": 3}),
    "mistral3": ("mistral3", "Mistral3ForConditionalGeneration", towers("language_model"), {}),
    "gemma3": ("gemma3", "Gemma3ForConditionalGeneration", towers("language_model"),
               {"text_config": {"layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}}),
    "paligemma": ("paligemma", "PaliGemmaForConditionalGeneration", towers("language_model"), {}),
    "llama4": ("llama4", "Llama4ForConditionalGeneration", towers("language_model", "vision_model"),
               {"text_config": {"moe_layers": [1, 2], "no_rope_layers": [1, 0, 1],
                                "layer_types": ["chunked_attention", "full_attention", "chunked_attention"]}}),
    "qwen2_vl": ("qwen2_vl", "Qwen2VLForConditionalGeneration", towers("model", "visual", "vision_config.depth"), {}),
    "qwen2_5_vl": ("qwen2_5_vl", "Qwen2_5_VLForConditionalGeneration", towers("model", "visual", "vision_config.depth"),
                   {"vision_config": {"fullatt_block_indexes": [1, 2]}, "text_config": sliding}),
    "qwen3_vl": ("qwen3_vl", "Qwen3VLForConditionalGeneration", towers("model.language_model", "model.visual", "vision_config.depth"),
                 {"vision_config": {"deepstack_visual_indexes": [0, 2]}}),
    "qwen3_vl_moe": ("qwen3_vl_moe", "Qwen3VLMoeForConditionalGeneration",
                     towers("model.language_model", "model.visual", "vision_config.depth"),
                     {"vision_config": {"deepstack_visual_indexes": [1]}, "text_config": {"mlp_only_layers": [2]}}),
    "mllama": ("mllama", "MllamaForConditionalGeneration",
               [("language_model", ["text_config.num_hidden_layers"]),
                ("vision_model.transformer", ["vision_config.num_hidden_layers"]),
                ("vision_model.global_transformer", ["vision_config.num_global_layers"])],
               {"text_config": {"cross_attention_layers": [1]},
                "vision_config": {"intermediate_layers_indices": [0, 2], "vision_output_dim": 48}}),
    "gemma3n": ("gemma3n", "Gemma3nForConditionalGeneration",
                [("model.language_model", ["text_config.num_hidden_layers"]),
                 ("model.audio_tower", ["audio_config.conf_num_hidden_layers"])],
                {"text_config": {"intermediate_size": [20, 24, 28], "activation_sparsity_pattern": [0.95, 0.0, 0.5],
                                 "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
                                 "num_kv_shared_layers": 0},
                 "audio_config": {"vocab_size": 10, "vocab_offset": 50}, "vision_config": {"vocab_size": 10, "vocab_offset": 40}}),
    "idefics3": ("idefics3", "Idefics3ForConditionalGeneration", towers("model.text_model", "model.vision_model"), {"pad_token_id": 0}),
    "qwen2_audio": ("qwen2_audio", "Qwen2AudioForConditionalGeneration",
                    [("language_model", ["text_config.num_hidden_layers"]), ("audio_tower", ["audio_config.encoder_layers"])], {}),
    "blip-2": ("blip-2", "Blip2ForConditionalGeneration",
               [("language_model", ["text_config.num_hidden_layers"]), ("vision_model", ["vision_config.num_hidden_layers"]),
                ("qformer", ["qformer_config.num_hidden_layers"])], {"qformer_config": {"vocab_size": 50}}),
}
# Families that src/fixtures lacks, with settings that none of its families has.
local = ["sliding_attention", "full_attention", "sliding_attention"]
detr_backbone = {"backbone_config": {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "layer_type": "basic", "out_features": ["stage4"]}}
SIBLINGS = {
    "gemma3n_text": ("gemma3n_text", "Gemma3nForCausalLM", plain,
                     {"intermediate_size": [20, 24, 28], "activation_sparsity_pattern": [0.0, 0.95, 1.0], "layer_types": local,
                      "num_kv_shared_layers": 0}),
    "qwen3_5_text": ("qwen3_5_text", "Qwen3_5ForCausalLM", plain, {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}),
    "ernie4_5_moe": ("ernie4_5_moe", "Ernie4_5_MoeForCausalLM", plain, {"moe_layer_start_index": 0, "moe_layer_interval": 3}),
    "recurrent_gemma": ("recurrent_gemma", "RecurrentGemmaForCausalLM", plain, {"block_types": ["recurrent", "attention"], "lru_width": 16}),
    "switch_transformers": ("switch_transformers", "SwitchTransformersForConditionalGeneration", t5_sides,
                            {"num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 3}),
    "nllb-moe": ("nllb-moe", "NllbMoeForConditionalGeneration", sides, {"encoder_sparse_step": 3, "decoder_sparse_step": 3}),
    "longformer": ("longformer", "LongformerForMaskedLM", plain, {"attention_window": [4, 8, 4]}),
    "lfm2_moe": ("lfm2_moe", "Lfm2MoeForCausalLM", plain, {"layer_types": ["conv", "full_attention", "conv"], "num_dense_layers": 0}),
    "exaone4": ("exaone4", "Exaone4ForCausalLM", plain, {"layer_types": local}),
    "exaone_moe": ("exaone_moe", "ExaoneMoeForCausalLM", plain, {"layer_types": local, "mlp_layer_types": ["dense", "sparse", "dense"]}),
    "olmo3": ("olmo3", "Olmo3ForCausalLM", plain, {"layer_types": local}),
    "minimax": ("minimax", "MiniMaxForCausalLM", plain, {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}),
    "deepseek_v32": ("deepseek_v32", "DeepseekV32ForCausalLM", plain, {"mlp_layer_types": ["dense", "sparse", "dense"]}),
    "llama4_text": ("llama4_text", "Llama4ForCausalLM", plain, {"moe_layers": [1], "no_rope_layers": [0, 1, 1]}),
    "laguna": ("laguna", "LagunaForCausalLM", plain,
               {"num_attention_heads_per_layer": [4, 8, 4], "mlp_layer_types": ["dense", "sparse", "dense"],
                "layer_types": ["full_attention", "full_attention", "full_attention"]}),
    "granite_swa": ("granite_swa", "GraniteSWAForCausalLM", plain, {"layer_types": local, "layer_rope_theta": [10000.0, 5000.0, 1000.0]}),
    "mimo_v2_flash": ("mimo_v2_flash", "MiMoV2FlashForCausalLM", plain, {"mlp_layer_types": ["sparse", "dense", "sparse"]}),
    "mistral_large4_text": ("mistral_large4_text", "MistralLarge4TextModel", plain, {"kv_source_layers": [0, 0, 2], "no_rope_layers": [1, 0, 1]}),
    "pix2struct": ("pix2struct", "Pix2StructForConditionalGeneration",
                   [("encoder", ["vision_config.num_hidden_layers"]), ("decoder", ["text_config.num_layers"])], {}),
    "vitdet": ("vitdet", "VitDetModel", plain, {"window_block_indices": [0, 2], "residual_block_indices": [1]}),
    "exaone": ("exaone", "LlamaForCausalLM", plain, {}),
    "led": ("led", "LEDForConditionalGeneration", [("led.encoder", ["encoder_layers"]), ("led.decoder", ["decoder_layers"])], {"attention_window": [4, 8, 16]}),
    "longformer": ("longformer", "LongformerForMaskedLM", plain, {"attention_window": [4, 8, 16]}),
    "detr": ("detr", "DetrForObjectDetection", sides, detr_backbone),
    "conditional_detr": ("conditional_detr", "ConditionalDetrForObjectDetection", sides, detr_backbone),
    "table-transformer": ("table-transformer", "TableTransformerForObjectDetection", sides, detr_backbone),
    "mask2former": ("mask2former", "Mask2FormerForUniversalSegmentation", [("decoder", ["decoder_layers"])], {**detr_backbone, "decoder_layers": 4, "feature_size": 32, "mask_feature_size": 32, "encoder_feedforward_dim": 20, "dim_feedforward": 20}),
    "oneformer": ("oneformer", "OneFormerForUniversalSegmentation", [("decoder", ["decoder_layers"])], {**detr_backbone, "decoder_layers": 4, "conv_dim": 32, "mask_dim": 16, "encoder_feedforward_dim": 20, "dim_feedforward": 20, "text_encoder_width": 16, "text_encoder_num_layers": 2}),
    "fastspeech2_conformer": ("fastspeech2_conformer", "FastSpeech2ConformerModel", [("encoder", ["encoder_layers"]), ("decoder", ["decoder_layers"])], {}),
    "zamba2": ("zamba2", "Zamba2ForCausalLM", plain, {"layer_types": ["mamba", "hybrid", "hybrid"], "num_mem_blocks": 1, "hybrid_layer_ids": [1, 2]}),
    "pi0": ("pi0", "PI0ForConditionalGeneration", [
        ("gemma_expert", ["dit_config.num_hidden_layers"]), ("language_model", ["vlm_config.text_config.num_hidden_layers"]),
        ("vision_tower", ["vlm_config.vision_config.num_hidden_layers"])], {}),
}
FAMILIES.update(SIBLINGS)

# Models whose vision tower is of another library (timm): their other parts are built one by one.
PARTS = {
    "gemma3n": {"model.language_model": ("text_config", "Gemma3nTextModel"), "model.audio_tower": ("audio_config", "Gemma3nAudioEncoder")},
}
REMOTE = "its code is on the hub, transformers has no class for it"
UNKNOWN = {
    "solar": REMOTE, "minicpm": REMOTE, "deepseek": REMOTE, "baichuan": REMOTE, "internlm2": REMOTE, "phi3small": REMOTE,
    "stablelm_epoch": REMOTE, "nemotron-nas": REMOTE, "grok-1": REMOTE, "jais": REMOTE, "qwen": REMOTE, "chatglm": REMOTE,
    "phi-msft": REMOTE, "mixformer-sequential": REMOTE, "openelm": REMOTE, "internvl_chat": REMOTE, "phi3_v": REMOTE,
    "never-heard-of": "invented",
}
# Lists of layer numbers. Those of the second kind pair their entries with tensors outside the layers, so that a stack keeps
# their length: the last layer that was a copy of the one named is meant then. The third are numbers of hidden states, of
# which 0 is what enters the first layer. SOURCES have an entry per layer, which is the number of another layer.
# What a person found that makes six layers fit where the rule by which a layer is what it is can't go on.
FOUND = {
    "qwen3_moe-packed": {"default": {"decoder_sparse_step": 1, "mlp_only_layers": [0, 2, 3, 5]}},
    "recurrent_gemma": {"default": {"block_types": ["recurrent", "attention", "recurrent"] * 2}},
    "switch_transformers": {"encoder": {"num_sparse_encoder_layers": 2}, "decoder": {"num_sparse_decoder_layers": 6}},
}
INDICES = {"mlp_only_layers", "moe_layers", "cross_attention_layers", "fullatt_block_indexes", "window_block_indices",
           "residual_block_indices", "hybrid_layer_ids"}
SOURCES = {"kv_source_layers"}
PAIRED = {"deepstack_visual_indexes"}
STATES = {"intermediate_layers_indices", "vision_feature_layer"}
# Patterns and how often they are repeated, an entry per layer in all.
CYCLES = {"attention_types"}
# Only for new weights, and computed anew whatever is written.
UNREAD = {"final_w_init_variance_scale"}
# Counts that are one more than the layers.
ONE_MORE = {"mask2former", "oneformer"}
# The part of the config that counts its layers has lists for another stack alone.
WITHOUT_LISTS = {"vision_model.global_transformer", "led.decoder"}


def tiny(model_type, counts):
    """Settings of a small model: only those that its class has, and those of its parts."""
    default = CONFIG_MAPPING[model_type]().to_dict()
    settings = {}
    for key, value in default.items():
        for table in (WIDTHS, HEADS, EXPERTS, VOCABULARY, OTHER):
            if key in table and isinstance(value, list) == isinstance(table[key], list) and value is not None:
                settings[key] = table[key]
        if key in COUNTS:
            settings[key] = LAYERS
        if key in EXPLICIT_IDS and value is not None:
            settings[key] = EXPLICIT_IDS.index(key) % 3
        if isinstance(value, dict) and value.get("model_type") in CONFIG_MAPPING:
            settings[key] = {"model_type": value["model_type"], **tiny(value["model_type"], counts)}
    return settings


def merged(settings, more):
    result = copy.deepcopy(settings)
    for key, value in more.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


def at(value, path):
    for key in path.split("."):
        value = value[key]
    return value


def put(value, path, new):
    *parents, key = path.split(".")
    for parent in parents:
        value = value.setdefault(parent, {})
    value[key] = new


def leaves(value, path=""):
    """Paths and values of all that is no object; empty objects count as values."""
    for key, entry in value.items():
        if isinstance(entry, dict) and entry:
            yield from leaves(entry, f"{path}{key}.")
        else:
            yield f"{path}{key}", entry


def difference(before, after):
    old, new = dict(leaves(before)), dict(leaves(after))
    same = lambda a, b: json.dumps(a) == json.dumps(b)
    gone = [path for path in old if path not in new]
    if gone:
        raise SystemExit(f"settings disappear: {gone}")
    return {path: value for path, value in new.items() if path not in old or not same(old[path], value)}


class Family:
    def __init__(self, name):
        self.name = name
        self.model_type, self.architecture, self.stacks, self.more = FAMILIES[name]
        self.config_class = CONFIG_MAPPING[self.model_type]
        self.model_class = getattr(transformers, self.architecture)

    def config(self, settings):
        """The dictionary that save_pretrained writes."""
        config = self.config_class(**copy.deepcopy(settings))
        config.architectures = [self.architecture]
        return self.written(config)

    def written(self, config):
        result = json.loads(config.to_json_string(use_diff=False))
        for key in ("transformers_version", "_name_or_path"):
            result.pop(key, None)
        for part in result.values():
            if isinstance(part, dict):
                part.pop("_name_or_path", None)
                part.pop("transformers_version", None)
        return result

    def read(self, written):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "config.json").write_text(json.dumps(written))
            return self.config_class.from_pretrained(folder)

    def save(self, written):
        """The names and shapes of the model that the class builds from a config, as they are saved, and its config.json."""
        config = self.read(written)
        if self.name in PARTS:
            tensors = {}
            for prefix, (part, class_name) in PARTS[self.name].items():
                of_part, _ = saved_model(getattr(transformers, class_name)(getattr(config, part)))
                tensors.update({f"{prefix}.{name}": shape for name, shape in of_part.items()})
            return tensors, {**written, "dtype": "float32"}
        tensors, saved = saved_model(self.model_class(config))
        for value in (saved, *(part for part in saved.values() if isinstance(part, dict))):
            value.pop("transformers_version", None)
            value.pop("_name_or_path", None)
        return tensors, saved


def saved_model(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tensors = {}
        for file in sorted(Path(folder).glob("*.safetensors")):
            with safe_open(file, "pt") as opened:
                for name in opened.keys():
                    tensors[name] = list(opened.get_slice(name).get_shape())
        return tensors, json.loads(Path(folder, "config.json").read_text())


def stacked_settings(settings, within):
    """The recipe's own settings for six layers, in the part of the config that describes the stack."""
    result = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            result[key] = stacked_settings(value, within[1:]) if within[:1] == [key] else value
        elif not within and key in INDICES:
            result[key] = value + [index + LAYERS for index in value]
        elif not within and key in SOURCES:
            result[key] = value + [layer + LAYERS for layer in value]
        elif not within and key in CYCLES:
            result[key] = [[[entry for pattern, times in value for entry in pattern * times], 2]]
        elif not within and key in PAIRED:
            result[key] = [index + LAYERS for index in value]
        elif key in STATES and (not within or key == "vision_feature_layer" and within[0] == "vision_config"):
            shift = lambda state: state + LAYERS if state > 0 else state
            result[key] = [shift(state) for state in value] if isinstance(value, list) else shift(value)
        elif not within and isinstance(value, list) and len(value) == LAYERS:
            result[key] = value + value
        else:
            result[key] = value
    return result


def stack_path(three, six):
    """What precedes the layer's number: where the new names have a number that is three less in an old one."""
    votes = {}
    for name in set(six) - set(three):
        parts = name.split(".")
        for position, part in enumerate(parts):
            if part.isdigit() and LAYERS <= int(part) < 2 * LAYERS:
                old = ".".join([*parts[:position], str(int(part) - LAYERS), *parts[position + 1:]])
                if old in three:
                    path = ".".join(parts[:position])
                    votes[path] = votes.get(path, 0) + 1
    return max(votes, key=votes.get) if votes else None


def twice(tensors, path):
    result = dict(tensors)
    for name, shape in tensors.items():
        if name.startswith(f"{path}."):
            number, _, suffix = name[len(path) + 1:].partition(".")
            if number.isdigit():
                result[f"{path}.{int(number) + LAYERS}.{suffix}"] = shape
    return result


def make_stack(family, settings, base, tensors, stack, paths):
    within = paths[0].split(".")[:-1] if paths else []
    longer = copy.deepcopy(settings) if stack in WITHOUT_LISTS else stacked_settings(settings, within)
    for path in paths:
        put(longer, path, 2 * LAYERS + (family.model_type in ONE_MORE))
    longer = merged(longer, FOUND.get(family.name, {}).get(stack, {}))
    natural = family.config(longer)
    composed = copy.deepcopy(natural)
    for path, value in leaves(natural):
        old = dict(leaves(base)).get(path)
        is_own = path.split(".")[-1] in SOURCES | INDICES
        if not is_own and isinstance(old, list) and isinstance(value, list) and len(old) == LAYERS and len(value) == 2 * LAYERS:
            put(composed, path, old + old)
    try:
        accepted = family.written(family.read(composed))
    except Exception as error:
        return {"refused": str(error).strip().splitlines()[-1]}
    if accepted != composed:
        print(family.name, paths, "reads its config differently:", difference(composed, accepted))
    six, saved = family.save(accepted)
    path = stack_path(tensors, six)
    wanted = twice(tensors, path) if path else tensors
    changes = {key: value for key, value in difference(base, saved).items() if key not in UNREAD}
    result = {"path": path, "changes": changes}
    if wanted != six:
        missing = sorted(name for name in six if name not in wanted)
        unexpected = sorted(name for name in wanted if name not in six)
        shapes = {name: six[name] for name in wanted if name in six and wanted[name] != six[name]}
        result["unfit"] = {"missing": missing[:2], "unexpected": unexpected[:2], "shapes": shapes}
        print(family.name, path, "does not fit:", result["unfit"])
    return result


def vary(family, settings, keys, change):
    """Which settings change where those of `keys` do, and how."""
    def changed(part, changes):
        return {
            key: changed(value, changes) if isinstance(value, dict)
            else change(value) if key in changes and isinstance(value, int) else value
            for key, value in part.items()
        }
    present = {path.split(".")[-1] for path, _ in leaves(settings)} & set(keys)
    if not present:
        return {}
    try:
        return difference(family.config(settings), family.config(changed(settings, present)))
    except Exception as error:
        print(family.name, sorted(present), "can't vary:", str(error).splitlines()[-1])
        return {}


def folded(tensors):
    """One line for names that differ in one number that runs on, as in `h.{0-2}.ln.weight 16`."""
    lines = [(name.split("."), " ".join(map(str, shape))) for name, shape in tensors.items()]
    for position in range(max(len(parts) for parts, _ in lines)):
        groups = {}
        for parts, shape in lines:
            number = parts[position] if position < len(parts) and parts[position].isdigit() else None
            key = (tuple(parts[:position]), tuple(parts[position + 1:]), shape, None if number is not None else tuple(parts[position:position + 1]))
            groups.setdefault(key, []).append(number)
        lines = []
        for (before, after, shape, word), numbers in groups.items():
            if word is not None:
                lines.append(([*before, *word, *after], shape))
                continue
            values = sorted(map(int, numbers))
            runs = [[values[0], values[0]]]
            for value in values[1:]:
                if value == runs[-1][1] + 1:
                    runs[-1][1] = value
                else:
                    runs.append([value, value])
            lines += [([*before, str(first) if first == last else f"{{{first}-{last}}}", *after], shape) for first, last in runs]
    return sorted(f"{'.'.join(parts)} {shape}".strip() for parts, shape in lines)


def make(name):
    family = Family(name)
    settings = merged(tiny(family.model_type, LAYERS), family.more)
    tensors, base = family.save(family.config(settings))
    return {
        "config": base,
        "tensors": folded(tensors),
        "stacks": {stack: make_stack(family, settings, base, tensors, stack, paths) for stack, paths in family.stacks},
        "vocabulary": vary(family, settings, VOCABULARY, lambda size: size + 8 if size == VOCABULARY["vocab_size"] else size),
        "experts": sorted(vary(family, settings, EXPERTS, lambda count: count * 2)),
        "widths": sorted(vary(family, settings, WIDTHS, lambda width: width * 2)),
    }


def main():
    wanted = sys.argv[1:]
    families = {}
    for name in FAMILIES:
        if wanted and name not in wanted:
            continue
        try:
            families[name] = make(name)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error).strip()[:500]}")
            if wanted:
                raise
    if wanted:
        return print(json.dumps(families, indent=1))
    entry = lambda item: f"{json.dumps(item[0])}: {json.dumps(item[1], ensure_ascii=False)}"
    body = ",\n".join(map(entry, families.items()))
    OUTPUT.write_text(
        f'{{"transformers": {json.dumps(transformers.__version__)},\n"unknown": {json.dumps(UNKNOWN)},\n"families": {{\n{body}\n}}}}\n'
    )
    print(f"{len(families)} families, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
