"""A training of the occurring embeddings alone makes the weights that a training of all makes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    CanineConfig,
    CanineForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    PreTrainedModel,
)

from nlu_arena.backend.embedding import occurring_embeddings
from nlu_arena.backend.optimizer import build_optimizer, clip_gradient, measure_gradient
from nlu_arena.spec import TrainSettings

VOCABULARY = 50
# Neither the first nor the last of those that occur: its place in the small table is another than its id.
PAD = 20
ROWS = torch.tensor([[3, 7, 7, 9], [11, 3, PAD, PAD], [40, 41, 42, PAD]])
OCCURRING = set(ROWS.flatten().tolist())
ABSENT = sorted(set(range(VOCABULARY)) - OCCURRING)
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": PAD,
}
SETTINGS = TrainSettings(lr=1e-2, weight_decay=0.1, clip=1.0)


def build_bert() -> PreTrainedModel:
    """Return a small BERT, whose padding has no gradient."""
    torch.manual_seed(5)
    return BertForSequenceClassification(BertConfig(**SIZES, max_position_embeddings=8)).eval()


def build_llama() -> PreTrainedModel:
    """Return a small decoder with a head, whose table knows no padding."""
    torch.manual_seed(5)
    model = LlamaForSequenceClassification(LlamaConfig(**SIZES, num_key_value_heads=1)).eval()
    model.get_input_embeddings().padding_idx = None
    return model


def train(model: PreTrainedModel, steps: int = 6) -> list[float]:
    """Do some steps with decay and clipping; return the losses."""
    optimizer = build_optimizer(model, SETTINGS)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(input_ids=ROWS, attention_mask=(ROWS != PAD).long()).logits
        loss = nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0]))
        loss.backward()
        clip_gradient(optimizer, float(measure_gradient(optimizer)), SETTINGS.clip, model.device)
        optimizer.step()
        losses.append(loss.item())
    return losses


def table(model: PreTrainedModel) -> Tensor:
    weight: Tensor = model.get_input_embeddings().weight
    return weight.detach().clone()


@pytest.mark.parametrize("build", [build_bert, build_llama])
def test_the_same_losses_and_weights_result_as_from_the_whole_table(build) -> None:  # type: ignore[no-untyped-def]
    plain, shrunk = build(), build()
    before = table(plain)
    losses = train(plain)
    with occurring_embeddings(shrunk, OCCURRING):
        assert train(shrunk) == pytest.approx(losses, abs=1e-6)
    for (name, one), (_, other) in zip(plain.named_parameters(), shrunk.named_parameters(), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-6, msg=name)
    # Those that never occur have moved as well: they are decayed like the others.
    assert (table(shrunk)[ABSENT] - before[ABSENT]).abs().max() > 1e-4


def test_weights_gradients_and_moments_are_as_small_as_what_occurs() -> None:
    model = build_bert()
    module = model.get_input_embeddings()
    with occurring_embeddings(model, OCCURRING):
        # One more stands for all that is absent.
        assert module.weight.shape == (len(OCCURRING) + 1, 16)
        train(model, 1)
        assert module.weight.grad.shape == module.weight.shape
    assert module.weight.shape == (VOCABULARY, 16)
    assert module.padding_idx == PAD


def test_a_token_that_was_not_named_is_an_error_and_never_another_embedding() -> None:
    model = build_bert()
    with pytest.raises(IndexError), occurring_embeddings(model, OCCURRING - {7}):
        train(model, 1)


def test_ids_may_be_given_by_name() -> None:
    model = build_bert()
    module = model.get_input_embeddings()
    found = module(ROWS)
    with occurring_embeddings(model, OCCURRING):
        assert torch.equal(module(input=ROWS), found)


def test_a_training_that_breaks_off_leaves_the_table_whole() -> None:
    model = build_bert()
    before = table(model)
    with pytest.raises(KeyboardInterrupt), occurring_embeddings(model, OCCURRING):
        raise KeyboardInterrupt
    assert torch.equal(table(model), before)
    model(input_ids=torch.tensor([ABSENT[:8]]))


def test_a_model_that_has_no_table_of_tokens_trains_as_it_is() -> None:
    config = CanineConfig(**SIZES, max_position_embeddings=16, num_hash_functions=2, num_hash_buckets=8)
    model = CanineForSequenceClassification(config)
    shapes = [weight.shape for weight in model.parameters()]
    with occurring_embeddings(model, OCCURRING):
        assert [weight.shape for weight in model.parameters()] == shapes


def test_embeddings_that_are_frozen_shared_or_changed_by_a_look_stay_as_they_are() -> None:
    frozen, shared, renormed = build_bert(), build_bert(), build_bert()
    frozen.get_input_embeddings().weight.requires_grad_(False)
    shared.output = nn.Linear(16, VOCABULARY, bias=False)
    shared.output.weight = shared.get_input_embeddings().weight
    renormed.get_input_embeddings().max_norm = 1.0
    for model in (frozen, shared, renormed):
        weight = model.get_input_embeddings().weight
        with occurring_embeddings(model, OCCURRING):
            assert model.get_input_embeddings().weight is weight
