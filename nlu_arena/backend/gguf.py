"""De-quantise a GGUF file into a folder in the hub's layout: `python -m nlu_arena.backend.gguf FILE DEST`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from gguf import GGUFReader, ReaderTensor, dequantize
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3TextConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerBase,
)

from nlu_arena.errors import ArenaError, CannotStartError

# Rows are unpacked in float32 this many values at a time: an embedding of 168 million is 0.7 GB whole.
_CHUNK_VALUES = 1 << 22
_PROBE = "Hello, world! 12 déjà vu 🎉 你好\n"

_TOP_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NORM_NAMES = {
    "llama": {"ffn_norm": "post_attention_layernorm"},
    "gemma3": {
        "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm",
        "post_attention_norm": "post_attention_layernorm",
        "ffn_norm": "pre_feedforward_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
    },
}
# What a file may say of its architecture: anything else could change the computation, so it is refused.
_COMMON_KEYS = {
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "vocab_size",
    "rope.freq_base",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.layer_norm_rms_epsilon",
    "attention.key_length",
    "attention.value_length",
}
_OWN_KEYS = {"llama": {"rope.dimension_count"}, "gemma3": {"attention.sliding_window"}}
_PRE_TOKENIZERS = ("default", "smollm")


class Header(NamedTuple):
    """What the file says of itself: the architecture's name and every metadata value but long lists."""

    architecture: str
    values: dict[str, Any]

    def own(self, key: str, default: Any = None) -> Any:
        """Return a value of the architecture's own section."""
        value = self.values.get(f"{self.architecture}.{key}", default)
        if value is None:
            raise CannotStartError(f"The GGUF file lacks {self.architecture}.{key}.")
        return value

    def token(self, key: str) -> Any:
        """Return a value of the tokenizer's section, or none."""
        return self.values.get(f"tokenizer.ggml.{key}")


def convert(source: Path, folder: Path) -> None:
    """Write config, tokenizer and bfloat16 weights of a GGUF file into a folder.

    Args:
        source: a GGUF file of the llama or gemma3 architecture.
        folder: an existing, empty folder.

    Raises:
        CannotStartError: the file has something that this conversion does not know.
    """
    reader = GGUFReader(source)
    header = _read_header(reader)
    config = _build_config(header, reader.tensors)
    _save_tokenizer(source, header, config, folder)
    tensors = dict(_unpack_all(reader.tensors, header, config))
    _check_tensors(tensors, config)
    config.save_pretrained(folder)
    weights_file = folder / "model.safetensors"
    save_file(tensors, weights_file, metadata={"format": "pt"})
    # safetensors writes for the owner alone; a cache may be shared.
    weights_file.chmod((folder / "config.json").stat().st_mode & 0o777)


def _read_header(reader: GGUFReader) -> Header:
    values = {name: field.contents() for name, field in reader.fields.items() if len(field.data) == 1}
    architecture = values.get("general.architecture")
    if architecture not in _NORM_NAMES:
        known = ", ".join(_NORM_NAMES)
        raise CannotStartError(f"GGUF architecture {architecture!r} is not supported (only {known}).")
    own = {name.removeprefix(f"{architecture}.") for name in values if name.startswith(f"{architecture}.")}
    if unknown := sorted(own - _COMMON_KEYS - _OWN_KEYS[architecture]):
        raise CannotStartError(
            f"The GGUF file sets {', '.join(unknown)}, which this conversion does not know."
        )
    return Header(architecture, values)


def _build_config(header: Header, tensors: Sequence[ReaderTensor]) -> PretrainedConfig:
    """Return the model's configuration from the file's metadata."""
    shapes = {tensor.name: _shape(tensor) for tensor in tensors}
    hidden, heads = header.own("embedding_length"), header.own("attention.head_count")
    head_dim = header.own("attention.key_length", header.own("rope.dimension_count", hidden // heads))
    shared = {
        "vocab_size": shapes["token_embd.weight"][0],
        "hidden_size": hidden,
        "intermediate_size": header.own("feed_forward_length"),
        "num_hidden_layers": header.own("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": header.own("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "max_position_embeddings": header.own("context_length"),
        "rms_norm_eps": _shortest(header.own("attention.layer_norm_rms_epsilon")),
        "tie_word_embeddings": "output.weight" not in shapes,
        "bos_token_id": header.token("bos_token_id"),
        "eos_token_id": header.token("eos_token_id"),
        "pad_token_id": header.token("padding_token_id"),
        "dtype": "bfloat16",
    }
    theta = _shortest(header.own("rope.freq_base", 10_000.0))
    if header.architecture == "llama":
        rope = {"rope_type": "default", "rope_theta": theta}
        return LlamaConfig(**shared, rope_parameters=rope, architectures=["LlamaForCausalLM"])
    # The file does not carry the scale of the queries, nor the local layers' rope base of 10000 and their
    # share of five in six: these are the architecture's own (Gemma 3 technical report, arXiv 2503.19786).
    return Gemma3TextConfig(
        **shared,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
        sliding_window=header.own("attention.sliding_window"),
        query_pre_attn_scalar=head_dim,
        architectures=["Gemma3ForCausalLM"],
    )


def _shortest(value: float) -> float:
    """Undo the float32 of the file: 9.999999747378752e-06 was written as 1e-05."""
    return float(str(np.float32(value)))


# ── Tensors ───────────────────────────────────────────────────────────────────────────────────────────


def _unpack_all(
    tensors: Sequence[ReaderTensor], header: Header, config: PretrainedConfig
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every tensor under its name in transformers, unpacked in float32 and rounded once to bfloat16."""
    for tensor in tensors:
        offset = header.architecture == "gemma3" and tensor.name.endswith("norm.weight")
        # A Gemma norm multiplies by 1 + w: the file holds the sum, the model wants w.
        unpacked = _unpack(tensor, minus=1.0 if offset else 0.0)
        if header.architecture == "llama" and tensor.name.endswith("attn_q.weight"):
            unpacked = _unpair(unpacked, config.num_attention_heads)
        if header.architecture == "llama" and tensor.name.endswith("attn_k.weight"):
            unpacked = _unpair(unpacked, config.num_key_value_heads)
        yield rename_tensor(tensor.name, header.architecture), unpacked


def rename_tensor(name: str, architecture: str) -> str:
    """Return the name that transformers gives to a tensor of a GGUF file."""
    stem, _, kind = name.rpartition(".")
    if kind == "weight" and stem in _TOP_NAMES:
        return f"{_TOP_NAMES[stem]}.weight"
    block = re.fullmatch(r"blk\.(\d+)\.(\w+)", stem)
    part = (_LAYER_NAMES | _NORM_NAMES[architecture]).get(block[2]) if block else None
    if block is None or part is None or kind != "weight":
        raise CannotStartError(
            f"The GGUF file holds the tensor {name!r}, which this conversion does not know."
        )
    return f"model.layers.{block[1]}.{part}.weight"


def _shape(tensor: ReaderTensor) -> tuple[int, ...]:
    """Return a tensor's shape as torch has it: GGUF lists the fastest dimension first."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _unpack(tensor: ReaderTensor, *, minus: float) -> torch.Tensor:
    shape = _shape(tensor)
    rows = max(1, _CHUNK_VALUES // shape[-1]) if len(shape) > 1 else shape[0]
    unpacked = torch.empty(shape, dtype=torch.bfloat16)
    for start in range(0, shape[0], rows):
        part = dequantize(tensor.data[start : start + rows], tensor.tensor_type).astype(np.float32)
        unpacked[start : start + rows] = torch.from_numpy(part - minus if minus else part)
    return unpacked


def _unpair(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Undo the order in which a llama file keeps each head's rows for rotary positions.

    The file interleaves the two halves that transformers rotates against each other.
    """
    paired = weight.reshape(heads, weight.shape[0] // heads // 2, 2, weight.shape[1])
    return paired.swapaxes(1, 2).reshape(weight.shape).contiguous()


def _check_tensors(tensors: dict[str, torch.Tensor], config: PretrainedConfig) -> None:
    """Compare names and shapes with the model's, so that no weight is left out or made up."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        expected.pop("lm_head.weight")
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wrong := sorted(name for name in expected.keys() | found if expected.get(name) != found.get(name)):
        details = ", ".join(f"{name}: {found.get(name)} for {expected.get(name)}" for name in wrong[:3])
        raise CannotStartError(f"{len(wrong)} tensors of the GGUF file do not fit the model: {details}.")


# ── Tokenizer ─────────────────────────────────────────────────────────────────────────────────────────


def _save_tokenizer(source: Path, header: Header, config: PretrainedConfig, folder: Path) -> None:
    """Write the tokenizer (and its chat template) that the file carries."""
    splitter = header.token("pre") or "default"
    if splitter not in _PRE_TOKENIZERS:
        raise CannotStartError(f"GGUF pre-tokenizer {splitter!r} is not supported.")
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    if splitter == "smollm":
        # transformers leaves this one out; without it "\n\n7" and " 7" get other tokens than in training.
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    tokenizer.model_max_length = config.max_position_embeddings
    _check_tokenizer(tokenizer, header, config)
    tokenizer.save_pretrained(folder)


def _check_tokenizer(tokenizer: PreTrainedTokenizerBase, header: Header, config: PretrainedConfig) -> None:
    """Refuse a tokenizer that adds another BOS than the file says, loses text or outgrows the embedding."""
    ids = tokenizer(_PROBE)["input_ids"]
    wanted = int(bool(header.token("add_bos_token")))
    if ids.count(tokenizer.bos_token_id) != wanted:
        raise CannotStartError(f"The tokenizer of the GGUF file adds another number of BOS than {wanted}.")
    if (decoded := tokenizer.decode(ids, skip_special_tokens=True)) != _PROBE:
        raise CannotStartError(f"The tokenizer of the GGUF file turns {_PROBE!r} into {decoded!r}.")
    if len(tokenizer) > config.vocab_size:
        raise CannotStartError(
            f"The tokenizer of the GGUF file has {len(tokenizer)} tokens, its embedding {config.vocab_size}."
        )


def main() -> int:
    """Convert the file named first on the command line into the folder named second."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    source, folder = map(Path, sys.argv[1:3])
    try:
        convert(source, folder)
    except ArenaError as error:
        print(error.message, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
