"""Tiny tokenizers of the kinds that the families have. Used by make-fixtures.py."""

import json
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def byte_level(folder: Path, corpus: str, *, regex: str | None, ignore_merges: bool, normalizer, added, bos: str | None, config, size: int) -> None:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(regex), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])
        if regex
        else pre_tokenizers.ByteLevel(add_prefix_space=False)
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        corpus.split("\n\n"),
        trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False),
    )
    tokenizer.add_tokens([AddedToken(text, special=special, normalized=False) for text, special in added])
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "tokenizer.json", json.loads(tokenizer.to_str()))
    write_json(folder / "tokenizer_config.json", config)


def sentence_piece(path: Path, corpus: str, *, size: int, dummy_prefix: bool, ids: dict[str, int], symbols: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus.split("\n")),
            model_writer=out,
            model_type="bpe",
            vocab_size=size,
            byte_fallback=True,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=dummy_prefix,
            remove_extra_whitespaces=False,
            user_defined_symbols=symbols,
            minloglevel=2,
            num_threads=1,
            **ids,
        )


def tokenizer_json_of(model: Path, *, dummy_prefix: bool, added) -> dict:
    """tokenizer.json as transformers writes it for Llama (dummy prefix) and Gemma (none) from a sentencepiece model."""
    spm = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = [spm.id_to_piece(i) for i in range(spm.get_piece_size())]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    ranked = sorted((-spm.get_score(i), i) for i, piece in enumerate(pieces) if not (spm.is_byte(i) or spm.is_control(i) or spm.is_unknown(i)))
    merges = []
    for _, i in ranked:
        piece = pieces[i]
        splits = [(piece[:k], piece[k:]) for k in range(1, len(piece)) if piece[:k] in vocab and piece[k:] in vocab]
        merges += sorted(splits, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
    tokenizer = Tokenizer(models.BPE(vocab, merges, byte_fallback=True, fuse_unk=True, unk_token=spm.id_to_piece(spm.unk_id())))
    tokenizer.normalizer = normalizers.Sequence(
        ([normalizers.Prepend("▁")] if dummy_prefix else []) + [normalizers.Replace(" ", "▁")]
    )
    strip = [decoders.Strip(" ", 1, 0)] if dummy_prefix else []
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    bos = spm.id_to_piece(spm.bos_id())
    specials = [spm.id_to_piece(i) for i in range(spm.get_piece_size()) if spm.is_control(i) or spm.is_unknown(i)]
    tokenizer.add_tokens(
        [AddedToken(text, special=True, normalized=False) for text in specials]
        + [AddedToken(text, special=special, normalized=False) for text, special in added]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
    return json.loads(tokenizer.to_str())


def make_tokenizers(root: Path, corpus: str) -> None:
    chat = "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}"
    byte_level(
        root / "llama3", corpus, regex=LLAMA3, ignore_merges=True, normalizer=None, size=320,
        added=[("<|begin_of_text|>", True), ("<|end_of_text|>", True), ("<|eot_id|>", True)], bos="<|begin_of_text|>",
        config={
            "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "clean_up_tokenization_spaces": True,
            "model_max_length": 512, "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": chat,
        },
    )
    byte_level(
        root / "qwen2", corpus, regex=QWEN2, ignore_merges=False, normalizer=normalizers.NFC(), size=330,
        added=[("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True), ("<tool_call>", False)], bos=None,
        config={
            "add_bos_token": False, "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
            "model_max_length": 512, "tokenizer_class": "Qwen2Tokenizer",
        },
    )
    (root / "qwen2" / "chat_template.jinja").write_text(chat)
    byte_level(
        root / "phi4", corpus, regex=LLAMA3, ignore_merges=False, normalizer=None, size=310,
        added=[("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True)], bos=None,
        config={
            "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
            "model_max_length": 512, "tokenizer_class": "GPT2Tokenizer",
        },
    )
    spm = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
    config = {
        "add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        "legacy": True, "model_max_length": 512, "tokenizer_class": "LlamaTokenizer",
    }
    decoder = {
        str(i): {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        for i, text in enumerate(["<unk>", "<s>", "</s>"])
    }
    # sentencepiece alone, as Llama 2 and the first Mistral came
    sentence_piece(root / "spm" / "tokenizer.model", corpus, size=380, dummy_prefix=True, ids=spm, symbols=[])
    write_json(root / "spm" / "tokenizer_config.json", {**config, "added_tokens_decoder": decoder})
    # tokenizer.json alone, made of the same pieces, as later fine-tunes have it
    (root / "spm-json").mkdir(exist_ok=True)
    write_json(root / "spm-json" / "tokenizer.json", tokenizer_json_of(root / "spm" / "tokenizer.model", dummy_prefix=True, added=[]))
    write_json(root / "spm-json" / "tokenizer_config.json", config)
    # both, with tokens added after the vocabulary, as Phi-3 has it
    (root / "phi3").mkdir(exist_ok=True)
    (root / "phi3" / "tokenizer.model").write_bytes((root / "spm" / "tokenizer.model").read_bytes())
    added = [("<|endoftext|>", True), ("<|assistant|>", True), ("<|end|>", True), ("<|custom|>", False)]
    write_json(root / "phi3" / "tokenizer.json", tokenizer_json_of(root / "spm" / "tokenizer.model", dummy_prefix=True, added=added))
    write_json(root / "phi3" / "tokenizer_config.json", {
        **config, "add_bos_token": False, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "chat_template": chat,
        "added_tokens_decoder": decoder | {
            str(380 + i): {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": special}
            for i, (text, special) in enumerate(added)
        },
    })
    gemma = root / "gemma" / "tokenizer.model"
    symbols = ["<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "▁▁", "▁▁▁▁"]
    sentence_piece(gemma, corpus, size=390, dummy_prefix=False, ids={"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "pad_piece": "<pad>", "eos_piece": "<eos>", "bos_piece": "<bos>"}, symbols=symbols)
    write_json(root / "gemma" / "tokenizer.json", tokenizer_json_of(gemma, dummy_prefix=False, added=[(text, text.startswith("<")) for text in symbols]))
    spm = sentencepiece.SentencePieceProcessor(model_file=str(gemma))
    special = [(text, True) for text in ["<pad>", "<eos>", "<bos>", "<unk>"]] + [(text, text.startswith("<start") or text.startswith("<end")) for text in symbols]
    write_json(root / "gemma" / "tokenizer_config.json", {
        "add_bos_token": True, "add_eos_token": False, "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
        "chat_template": chat, "model_max_length": 512, "tokenizer_class": "GemmaTokenizer",
        "added_tokens_decoder": {
            str(spm.piece_to_id(text)): {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": flag}
            for text, flag in special
        },
    })


# Ways of splitting text as released tokenizers define them, by llama.cpp's name. Source of the patterns: llama.cpp's
# src/llama-vocab.cpp, which quotes those of tokenizer.json, and the tokenizers of the models that it names there.
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PREFIX = r"[^\r\n\p{L}\p{N}]?"


def cased(end: str) -> str:
    return f"{PREFIX}{UPPER}*{LOWER}+{end}|{PREFIX}{UPPER}+{LOWER}*{end}"


SPLITS = {
    "gpt-2": [],
    "llama-bpe": [LLAMA3],
    "dbrx": [LLAMA3],
    "qwen2": [QWEN2],
    "qwen35": [rf"{CONTRACTIONS}|{PREFIX}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "tekken": [cased("") + r"|\p{N}|" + REST.replace(r"[\r\n]*", r"[\r\n/]*")],
    "gpt-4o": [cased(CONTRACTIONS + "?") + r"|\p{N}{1,3}|" + REST.replace(r"[\r\n]*", r"[\r\n/]*")],
    "smollm": ["digits"],
    "deepseek-v3": [
        r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    ],
    "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", "digits"],
}


def split_cases(text: str) -> dict:
    """One vocabulary whose merges cross all bounds, and how a text is tokenized by it when it is split in each way."""
    whole = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    whole.train_from_iterator(
        [text] * 4, trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    )
    base = json.loads(whole.to_str())
    cases = []
    for name, splits in SPLITS.items():
        parts = [
            pre_tokenizers.Digits(individual_digits=True) if split == "digits" else pre_tokenizers.Split(Regex(split), "isolated")
            for split in splits
        ]
        uses_regex = name in ("gpt-2", "smollm")
        base["model"]["ignore_merges"] = name in ("llama-bpe", "tekken")
        tokenizer = Tokenizer.from_str(json.dumps(base))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*parts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=uses_regex)])
        written = json.loads(tokenizer.to_str())
        # llama.cpp takes combining marks off their letters in these two.
        own = text.replace("e\u0301a\u0300 ", "") if name in ("tekken", "gpt-4o") else text
        cases.append({
            "name": name, "preTokenizer": written["pre_tokenizer"], "ignoreMerges": base["model"]["ignore_merges"],
            "text": own, "ids": tokenizer.encode(own).ids,
        })
    return {"vocab": base["model"]["vocab"], "merges": base["model"]["merges"], "cases": cases}
