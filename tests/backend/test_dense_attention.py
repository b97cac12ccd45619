"""Dense attention against torch's own: outputs and gradients, masks, shared heads, dropout."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from nlu_arena.backend import dense_attention as dense
from nlu_arena.backend.dense_attention import attend_dense, dense_attention
from nlu_arena.backend.encode import LabelTokens
from nlu_arena.backend.score import LabelScorer

PADDED = torch.arange(9) < torch.tensor([9, 4, 6])[:, None]


def draw(keys: int, heads: int, kept: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(2)
    shapes = ((3, heads, 9, 16), (3, kept, keys, 16), (3, kept, keys, 16))
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


def attend(function: Any, tensors: list[Tensor], mask: Tensor | None, causal: bool) -> list[Tensor]:
    """Return the output and the gradients."""
    heads, kept = tensors[0].shape[1], tensors[1].shape[1]
    module = SimpleNamespace(is_causal=causal, num_key_value_groups=heads // kept)
    # Layers pass the mask in its place or by its name.
    out, _ = function(module, *tensors, attention_mask=mask, dropout=0.0, scaling=0.3)
    gradients = torch.autograd.grad(
        (out.float() * torch.arange(out.numel()).view(out.shape).sin()).sum(), tensors
    )
    return [out.detach(), *gradients]


@pytest.mark.parametrize(
    ("keys", "mask", "causal"),
    [
        (9, None, True),
        (9, None, False),
        (9, PADDED[:, None, None], False),
        (14, (torch.arange(14) <= torch.arange(5, 14)[:, None])[None, None], True),
    ],
    ids=["causal", "all", "padded", "behind a prefix"],
)
@pytest.mark.parametrize("kept", [4, 2])
def test_outputs_and_gradients_are_those_of_torch(
    keys: int, mask: Tensor | None, causal: bool, kept: int
) -> None:
    tensors = draw(keys, 4, kept)
    plain, quick = (
        attend(function, tensors, mask, causal) for function in (sdpa_attention_forward, attend_dense)
    )
    for one, other in zip(plain, quick, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_in_bfloat16_it_is_as_near_to_float32_as_the_type_allows() -> None:
    exact = attend(sdpa_attention_forward, draw(9, 4, 2), None, True)
    found = attend(attend_dense, draw(9, 4, 2, torch.bfloat16), None, True)
    for one, other in zip(exact, found, strict=True):
        assert other.dtype == torch.bfloat16
        torch.testing.assert_close(one, other.float(), atol=0.06, rtol=0.06)


def test_dropout_drops_weights_and_its_gradient_belongs_to_the_same_mask() -> None:
    query, key, value = (tensor.detach().double().requires_grad_() for tensor in draw(9, 2, 2))
    module = SimpleNamespace(is_causal=False)

    def attend_once(*tensors: Tensor) -> Tensor:
        torch.manual_seed(5)
        return attend_dense(module, *tensors, None, dropout=0.4, scaling=0.3)[0]

    plain = attend_dense(module, query, key, value, None, scaling=0.3)[0]
    assert not torch.allclose(attend_once(query, key, value), plain)
    # Softmax is computed in float32, whatever comes in.
    assert torch.autograd.gradcheck(
        attend_once, (query, key, value), eps=1e-2, atol=1e-2, rtol=1e-2, fast_mode=True
    )


def test_long_rows_and_masks_of_numbers_go_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def note(*arguments: Any, **options: Any) -> tuple[Tensor, None]:
        calls.append(1)
        return arguments[1], None

    monkeypatch.setattr(dense, "sdpa_attention_forward", note)
    module = SimpleNamespace(is_causal=False)
    long, short = torch.zeros(1, 1, dense.MOST_KEYS + 1, 2), torch.zeros(1, 1, 3, 2)
    attend_dense(module, long, long, long, None)
    attend_dense(module, short, short, short, torch.zeros(1, 1, 3, 3))
    assert len(calls) == 2
    attend_dense(module, short, short, short, None)
    assert len(calls) == 2


def test_a_loss_behind_a_prefix_has_the_gradients_of_plain_reading(tiny_llama: Path) -> None:
    rows = [[1, 50, 51, *[60 + n] * (n + 1)] for n in range(4)]
    labels = LabelTokens(((20,), (30,)), single_position=True)
    found = []
    for attention, reuse in (("sdpa", True), ("eager", False)):
        model = AutoModelForCausalLM.from_pretrained(
            tiny_llama, dtype=torch.float32, attn_implementation=attention
        )
        scorer = LabelScorer(model, labels, 0, reuse_prefix=reuse)
        scorer.share_prefix(rows)
        loss = scorer.loss(rows, [0, 1, 0, 1])
        loss.backward()  # type: ignore[no-untyped-call]
        found.append((loss.detach(), [weight.grad for weight in model.base_model.parameters()]))
        assert model.config._attn_implementation == attention
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_it_takes_the_place_of_torchs_attention_alone(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, attention: str
) -> None:
    calls: list[str] = []

    def note(*arguments: Any, **options: Any) -> tuple[Tensor, None]:
        # Some architectures mask by the name.
        calls.append(model.config._attn_implementation)
        return attend_dense(*arguments, **options)

    monkeypatch.setattr(dense, "attend_dense", note)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, attn_implementation=attention)
    with dense_attention(model):
        model(input_ids=torch.ones(1, 3, dtype=torch.long))
    assert calls == (["sdpa"] * model.config.num_hidden_layers if attention == "sdpa" else [])


def test_torchs_attention_is_back_after_an_error(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    with pytest.raises(ValueError, match="broken"), dense_attention(model):
        raise ValueError("broken")
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is sdpa_attention_forward


def test_the_librarys_attention_takes_nothing_that_is_not_known_here() -> None:
    """What a later version of it heeds must be passed on to it, or be computed."""
    known = {"module", "query", "key", "value", "attention_mask", "dropout", "scaling", "is_causal"}
    assert set(signature(sdpa_attention_forward).parameters) == {*known, "position_bias", "cache", "kwargs"}
