"""LoRA adapters: float32 on any base, the base untouched, the next experiment none the wiser."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from nlu_arena.backend.adapter import adapted, adapter_dtype, restored, save_adapter
from nlu_arena.backend.encode import LabelTokens
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.train import Trainer, TrainingRows
from nlu_arena.spec import LocalWeights, LoraSettings, TrainSettings

LABELS = LabelTokens(((20,), (30,)), single_position=True)
ROWS = [[1, 50, 60 + n, 70 + n % 2] for n in range(16)]
GOLD = [n % 2 for n in range(16)]
SETTINGS = TrainSettings(epochs=4, lr=5e-3, batch_size=8, lora=LoraSettings(rank=4, alpha=8))


def train(model: torch.nn.Module, seed: int = 3) -> torch.Tensor:
    """Train the adapted model and return its scores."""
    scorer = LabelScorer(model, LABELS, 0)
    scorer.share_prefix(ROWS)
    Trainer(scorer, SETTINGS, seed).run(
        TrainingRows(ROWS, GOLD, [4] * 16), on_step=lambda _: None, on_epoch=lambda _: None
    )
    return scorer.score(ROWS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_training_changes_the_answers_and_leaves_the_base_as_it_was(
    tiny_llama: Path, dtype: torch.dtype
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=dtype).requires_grad_(False).eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    untrained = LabelScorer(model, LABELS, 0).score(ROWS)
    with adapted(model, LoraSettings(rank=4, alpha=8), seed=3):
        assert adapter_dtype(model) == "float32"
        trained = train(model)
    assert not torch.allclose(trained, untrained, atol=0.05)
    assert trained.argmax(dim=-1).tolist() == GOLD
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(LabelScorer(model, LABELS, 0).score(ROWS), untrained)


def test_a_second_adapter_on_the_same_model_gives_the_same_answers(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).requires_grad_(False).eval()
    found = []
    for _ in range(2):
        with adapted(model, LoraSettings(rank=4, alpha=8), seed=3):
            found.append(train(model))
    assert torch.equal(found[0], found[1])


def test_a_training_that_breaks_off_leaves_a_model_without_dropout(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    settings = LoraSettings(rank=4, alpha=8)
    with contextlib.suppress(RuntimeError), adapted(model, settings, seed=3) as wrapped:
        wrapped.train()
        raise RuntimeError
    assert not any(module.training for module in model.modules())


def test_a_saved_adapter_answers_exactly_as_the_trained_one(tiny_llama: Path, tmp_path: Path) -> None:
    model = (
        AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.bfloat16).requires_grad_(False).eval()
    )
    with adapted(model, LoraSettings(rank=4, alpha=8), seed=3) as wrapped:
        trained = train(model)
        save_adapter(wrapped, LocalWeights(path=str(tiny_llama)), tmp_path)
    with restored(model, tmp_path):
        scorer = LabelScorer(model, LABELS, 0)
        scorer.share_prefix(ROWS)
        assert torch.equal(scorer.score(ROWS), trained)
    fresh = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16).eval()
    plain = fresh(input_ids=torch.tensor([ROWS[0]])).logits[0, -1, [20, 30]].float().log_softmax(dim=-1)
    torch.testing.assert_close(plain, trained[0], atol=0.05, rtol=0)


def test_a_new_head_is_trained_and_saved_whole(tiny_bert: Path, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert, num_labels=3, dtype=torch.float32)
    new = ["classifier.weight", "classifier.bias"]
    with adapted(model, LoraSettings(rank=2, head="classifier"), seed=1, new_weights=new) as wrapped:
        trainable = {name for name, weight in wrapped.named_parameters() if weight.requires_grad}
        assert any("classifier" in name and "modules_to_save" in name for name in trainable)
        assert all("lora_" in name or "classifier" in name for name in trainable)
        save_adapter(wrapped, LocalWeights(path=str(tiny_bert)), tmp_path)
        head = wrapped.base_model.model.classifier.modules_to_save["default"].weight.clone()
    other = AutoModelForSequenceClassification.from_pretrained(tiny_bert, num_labels=3, dtype=torch.float32)
    with restored(other, tmp_path) as wrapped:
        assert torch.equal(wrapped.base_model.model.classifier.modules_to_save["default"].weight, head)
