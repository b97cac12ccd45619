"""Small real tokenizers, trained on our own sentences, in the file formats of the four families."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from tests.standin.glue import LABELS, ROWS, read_rows

QWEN_TURNS = ("<|im_start|>", "<|im_end|>")
QWEN_END = "<|endoftext|>"
GEMMA_TURNS = ("<start_of_turn>", "<end_of_turn>")

# A system turn of its own comes first where the conversation has none.
QWEN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The template writes the first token itself, knows no system turn, and wants turns that take turns.
GEMMA_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{% if role not in ('user', 'model') %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% if (role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}"
    "{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def read_texts() -> Iterator[str]:
    """Yield every text of the data set, and the words that prompts are made of."""
    for config in LABELS:
        for row in islice(read_rows(config, "train"), ROWS["train"]):
            yield from (value for value in row.values() if isinstance(value, str))
    for _ in range(20):
        yield "Answer with one word: negative or positive. Sentence: Opinion: negative positive"
        yield "Answer with one word: yes, maybe or no. Premise: Hypothesis: True: Entailed: yes maybe no"


def build_bert_files() -> dict[str, bytes]:
    """Return BERT's tokenizer: lower case, word pieces, segment ids."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(read_texts(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return {
        "tokenizer.json": tokenizer.to_str().encode(),
        "tokenizer_config.json": to_json({"do_lower_case": True, "model_max_length": 512}),
        "vocab.txt": "".join(f"{word}\n" for word, _ in words).encode(),
    }


def build_deberta_files() -> dict[str, bytes]:
    """Return DeBERTa's tokenizer: a SentencePiece model and nothing that says how it is used."""
    pieces = {"pad": "[PAD]", "bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]"}
    ids: dict[str, Any] = {f"{name}_id": number for number, name in enumerate(pieces)}
    names: dict[str, Any] = {f"{name}_piece": piece for name, piece in pieces.items()}
    model = _train_sentencepiece(model_type="unigram", vocab_size=300, **ids, **names)
    return {
        "spm.model": model,
        "tokenizer_config.json": to_json({"do_lower_case": False, "vocab_type": "spm"}),
    }


def build_qwen_files() -> dict[str, bytes]:
    """Return Qwen2's tokenizer: byte pairs in every one of their formats, the chat template inside."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    raw.train_from_iterator(read_texts(), trainer)
    model = json.loads(raw.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    special = [QWEN_END, *QWEN_TURNS]
    tokenizer = Qwen2Tokenizer(model["vocab"], merges, extra_special_tokens=list(QWEN_TURNS))
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": _describe_added(tokenizer.convert_tokens_to_ids(special), special),
        "additional_special_tokens": list(QWEN_TURNS),
        "bos_token": None,
        "chat_template": QWEN_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": QWEN_TURNS[1],
        "errors": "replace",
        "model_max_length": 32768,
        "pad_token": QWEN_END,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    return {
        "merges.txt": "\n".join([*lines, ""]).encode(),
        "tokenizer.json": tokenizer.backend_tokenizer.to_str().encode(),
        "tokenizer_config.json": to_json(config),
        "vocab.json": json.dumps(model["vocab"], ensure_ascii=False).encode(),
    }


def build_gemma_files() -> dict[str, bytes]:
    """Return Gemma's tokenizer: a SentencePiece model of byte pairs, and the same as a fast tokenizer."""
    import sentencepiece
    from tokenizers import processors
    from transformers import GemmaTokenizer

    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    ids: dict[str, Any] = {f"{name.strip('<>')}_id": number for number, name in enumerate(special)}
    model = _train_sentencepiece(
        model_type="bpe",
        vocab_size=700,
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        user_defined_symbols=["<mask>", *GEMMA_TURNS, "\n"],
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
        unk_piece="<unk>",
        **ids,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocab = {pieces.id_to_piece(number): number for number in range(pieces.get_piece_size())}
    tokenizer = GemmaTokenizer(vocab, _find_merges(vocab), extra_special_tokens=list(GEMMA_TURNS))
    fast = tokenizer.backend_tokenizer
    fast.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", vocab["<bos>"])]
    )
    named = {
        name: f"<{name.removesuffix('_token')}>"
        for name in ("bos_token", "eos_token", "pad_token", "unk_token")
    }
    added = [*special, *GEMMA_TURNS]
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "added_tokens_decoder": _describe_added([vocab[token] for token in added], added),
        "additional_special_tokens": list(GEMMA_TURNS),
        "chat_template": GEMMA_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1000000000000000019884624838656,
        "sp_model_kwargs": {},
        "spaces_between_special_tokens": False,
        "tokenizer_class": "GemmaTokenizer",
        "use_default_system_prompt": False,
        **named,
    }
    return {
        "special_tokens_map.json": to_json({"additional_special_tokens": list(GEMMA_TURNS), **named}),
        "tokenizer.json": fast.to_str().encode(),
        "tokenizer.model": model,
        "tokenizer_config.json": to_json(config),
    }


def count_ids(files: dict[str, bytes]) -> int:
    """Return how many ids a tokenizer.json can give."""
    from tokenizers import Tokenizer

    return int(Tokenizer.from_str(files["tokenizer.json"].decode()).get_vocab_size())


def to_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _train_sentencepiece(**settings: Any) -> bytes:
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=read_texts(),
        model_writer=written,
        num_threads=1,
        minloglevel=2,
        hard_vocab_limit=False,
        **settings,
    )
    return written.getvalue()


def _find_merges(vocab: dict[str, int]) -> list[tuple[str, str]]:
    """Return the pairs that make up longer pieces, the earliest pieces first, as a merge list has them."""
    merges = []
    for piece in sorted(vocab, key=vocab.__getitem__):
        if len(piece) > 1 and not piece.startswith("<"):
            halves = ((piece[:cut], piece[cut:]) for cut in range(1, len(piece)))
            known = [half for half in halves if half[0] in vocab and half[1] in vocab]
            merges += sorted(known, key=lambda half: (vocab[half[0]], vocab[half[1]]))
    return merges


def _describe_added(ids: list[int], tokens: list[str]) -> dict[str, dict[str, Any]]:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {str(number): {"content": token, **flags} for number, token in zip(ids, tokens, strict=True)}
