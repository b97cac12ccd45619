"""The quick LoRA layer against PEFT's own: outputs, gradients, and whom it leaves alone."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import peft
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from nlu_arena.backend.adapter import adapted
from nlu_arena.backend.low_rank import quicken
from nlu_arena.spec import LoraSettings


def wrap(folder: Path, dtype: torch.dtype, dropout: float = 0.0, dora: bool = False) -> nn.Module:
    """Return a model whose adapters are no longer zero."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    config = peft.LoraConfig(
        r=4, lora_alpha=8, lora_dropout=dropout, target_modules="all-linear", use_dora=dora
    )
    torch.manual_seed(1)
    wrapped: nn.Module = peft.get_peft_model(model, config)
    for name, weight in wrapped.named_parameters():
        if "lora_" in name:
            nn.init.normal_(weight, std=0.1)
    return wrapped.train()


def differentiate(model: nn.Module) -> tuple[Tensor, list[Tensor]]:
    torch.manual_seed(2)
    logits = model(input_ids=torch.arange(1, 25).view(3, 8)).logits.float()
    logits.log_softmax(dim=-1)[..., 3].sum().backward()
    return logits.detach(), [w.grad for w in model.parameters() if w.requires_grad]


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_in_float32_outputs_and_gradients_are_those_of_peft(tiny_llama: Path, dropout: float) -> None:
    plain, quick = (wrap(tiny_llama, torch.float32, dropout) for _ in range(2))
    assert quicken(quick) > 0
    torch.testing.assert_close(differentiate(quick), differentiate(plain), atol=1e-4, rtol=1e-4)


def test_in_bfloat16_the_gradients_stay_float32_and_point_the_same_way(tiny_llama: Path) -> None:
    exact, plain, quick = (wrap(tiny_llama, d) for d in (torch.float32, torch.bfloat16, torch.bfloat16))
    quicken(quick)
    (logits, gradients), (found, others) = differentiate(exact), differentiate(quick)
    # PEFT's own distance, in float32 adapters on this base, is the measure.
    assert (found - logits).norm() < 1.5 * (differentiate(plain)[0] - logits).norm()
    assert {gradient.dtype for gradient in others} == {torch.float32}
    one, other = (torch.cat([g.flatten() for g in values]) for values in (gradients, others))
    assert float(torch.cosine_similarity(one, other, dim=0)) > 0.99


@pytest.mark.parametrize("is_training", [True, False])
def test_under_autocast_a_layer_computes_what_that_of_peft_does(tiny_llama: Path, is_training: bool) -> None:
    plain, quick = (wrap(tiny_llama, torch.float32).train(is_training) for _ in range(2))
    assert quicken(quick) > 0
    with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(is_training):
        logits, theirs = (model(input_ids=torch.arange(1, 25).view(3, 8)).logits for model in (quick, plain))
    assert torch.equal(logits, theirs)


def test_what_is_more_than_a_plain_adapter_is_left_alone(tiny_llama: Path) -> None:
    assert quicken(wrap(tiny_llama, torch.float32, dora=True)) == 0


def test_a_base_whose_biases_are_trained_is_left_alone(tiny_llama: Path) -> None:
    config = AutoConfig.from_pretrained(tiny_llama, attention_bias=True)
    lora = peft.LoraConfig(r=4, target_modules=["q_proj"], bias="all")
    assert quicken(peft.get_peft_model(AutoModelForCausalLM.from_config(config), lora)) == 0


def test_a_base_that_computes_in_a_way_of_its_own_is_left_alone(tiny_llama: Path) -> None:
    model = wrap(tiny_llama, torch.float32)
    layers = [m for m in model.modules() if isinstance(m, peft.tuners.lora.Linear)]
    layers[0].base_layer.forward = lambda values: values.new_zeros(*values.shape[:-1], layers[0].out_features)
    assert quicken(model) == len(layers) - 1
    assert type(layers[0]) is peft.tuners.lora.Linear


def test_an_input_without_rows_passes(tiny_llama: Path) -> None:
    model = wrap(tiny_llama, torch.float32)
    assert quicken(model) > 0
    layer = next(m for m in model.modules() if isinstance(m, peft.tuners.lora.Linear))
    assert layer(torch.zeros(0, layer.in_features)).shape == (0, layer.out_features)


def test_a_base_that_is_given_up_is_freed_at_once(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    gc.disable()
    try:
        with adapted(model, LoraSettings(), 1):
            held = weakref.ref(model.model.layers[0].self_attn.q_proj.base_layer.weight)
        del model
        assert held() is None
    finally:
        gc.enable()


def test_the_base_gets_no_gradient(tiny_llama: Path) -> None:
    model = wrap(tiny_llama, torch.float32)
    quicken(model)
    differentiate(model)
    assert all("lora_" in name for name, weight in model.named_parameters() if weight.grad is not None)


def test_scores_are_those_that_training_sees_bit_by_bit(tiny_llama: Path) -> None:
    model, ids = wrap(tiny_llama, torch.bfloat16), torch.arange(1, 25).view(3, 8)
    assert quicken(model) > 0
    trained = model(input_ids=ids).logits
    with torch.inference_mode():
        assert torch.equal(model(input_ids=ids).logits, trained)


def test_scores_are_as_near_to_the_exact_ones_as_those_of_peft(tiny_llama: Path) -> None:
    exact, plain, quick = (wrap(tiny_llama, d) for d in (torch.float32, torch.bfloat16, torch.bfloat16))
    quicken(quick)
    with torch.inference_mode():
        logits, theirs, ours = (
            m(input_ids=torch.arange(1, 97).view(12, 8)).logits for m in (exact, plain, quick)
        )
    assert (ours - logits).norm() < 1.2 * (theirs - logits).norm()
