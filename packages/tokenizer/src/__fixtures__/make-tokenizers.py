"""Trains the small tokenizers beside this file: `pip install tokenizers==0.23.3`, then `python make-tokenizers.py`.

For each kind a `base` that knows English and code, and an `other` that knows more scripts and has added tokens of its own.
"""
import json
from pathlib import Path
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = Path(__file__).parent
parts = {}
for line in (here / "texts.txt").read_text("utf8").splitlines():
    if line in ("# code", "# prose", "# scripts", "# symbols"):
        parts[line[2:]] = lines = []
    else:
        lines.append(line)
western = parts["code"] + parts["prose"]
worldly = parts["prose"][:3] + parts["scripts"] + parts["symbols"]
bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]


def special(*tokens, **flags):
    return [AddedToken(token, special=True, normalized=False, **flags) for token in tokens]


def byte_level(ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, trainers.BpeTrainer(vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=special("<|endoftext|>"), show_progress=False)


def llama():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return tokenizer, trainers.BpeTrainer(vocab_size=1200, special_tokens=special("<unk>", "<s>", "</s>") + bytes_, show_progress=False)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.UnigramTrainer(vocab_size=1100, special_tokens=special("<pad>", "</s>", "<unk>"), unk_token="<unk>", show_progress=False)


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, trainers.WordPieceTrainer(vocab_size=1000, special_tokens=special("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), show_progress=False)


kinds = {"byte-level-bpe": byte_level, "whole-words-bpe": lambda: byte_level(ignore_merges=True), "llama-bpe": llama, "unigram": unigram, "wordpiece": wordpiece}
for kind, make in kinds.items():
    for name, text in (("base", western), ("other", worldly)):
        tokenizer, trainer = make()
        tokenizer.train_from_iterator(text * 3, trainer)
        if kind == "llama-bpe":  # sentencepiece's byte pieces are ordinary tokens that no text spells
            document = json.loads(tokenizer.to_str())
            document["added_tokens"] = [token for token in document["added_tokens"] if not token["content"].startswith("<0x")]
            tokenizer = Tokenizer.from_str(json.dumps(document))
        if name == "base":
            tokenizer.add_tokens(special("<|base_end|>"))
        else:
            tokenizer.add_tokens(special("<|im_start|>", "<|im_end|>") + [AddedToken("<tool_call>", normalized=True), AddedToken("<mark>", lstrip=True, rstrip=True), AddedToken("    ", normalized=True)])
        document = json.loads(tokenizer.to_str())
        path = here / "tokenizers" / f"{kind}-{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", "utf8")
        print(path.name, tokenizer.get_vocab_size())
