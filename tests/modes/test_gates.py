"""The gates: a run whose training or model is not what it must be fails with the reason."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from nlu_arena.backend.encode import LabelTokens
from nlu_arena.errors import RunError
from nlu_arena.modes.gates import check_new_weights, supervised_share
from tests.modes.runs import TRAINED, MakeCell, do

ONE_POSITION = LabelTokens(((7,), (8, 9)), single_position=True)
WHOLE_STRINGS = LabelTokens(((7, 1), (7, 2, 3)), single_position=False)


@pytest.mark.parametrize("cell", TRAINED)
def test_the_saved_model_answers_as_the_trained_one(cell: str, make_cell: MakeCell, tmp_path: Path) -> None:
    assert do(make_cell(cell), tmp_path / "run").facts["reread_difference"] <= 1e-6


@pytest.mark.parametrize("cell", TRAINED)
def test_a_weight_that_is_not_saved_fails_the_run(
    cell: str, make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(folder: Path) -> None:
        (file,) = folder.glob("*.safetensors")
        tensors = load_file(file)
        name = max(tensors, key=lambda name: ("lora_B" in name, "classifier" in name, "score" in name))
        save_file({**tensors, name: torch.randn_like(tensors[name])}, file, metadata={"format": "pt"})

    from nlu_arena.modes.context import RunContext

    save = RunContext.save_model
    monkeypatch.setattr(RunContext, "save_model", lambda self, *writers: save(self, *writers, spoil))
    with pytest.raises(RunError, match="the saved model gives other answers than the trained one"):
        do(make_cell(cell), tmp_path / "run")


def test_a_model_of_another_experiment_in_the_folder_is_not_taken_for_this_ones(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    do(experiment, tmp_path / "run")
    with pytest.raises(RunError, match="holds the model of tiny-encoder/opinions/fine-tune, not of"):
        do(msgspec.structs.replace(experiment, seed=7), tmp_path / "run")


@pytest.mark.parametrize("order", [("positive", "negative"), ("bad", "good")])
def test_a_checkpoint_with_a_head_for_other_labels_is_refused(
    order: tuple[str, str], make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert)
    model.config.id2label = dict(enumerate(order))
    experiment = with_weights(make_cell("encoder fine-tune"), model, tiny_bert, tmp_path / "weights")
    with pytest.raises(RunError, match=f"the head's labels are {order[0]}, {order[1]}"):
        do(experiment, tmp_path / "run")


def test_a_head_of_another_size_is_drawn_anew_and_trained(
    make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert, num_labels=5)
    experiment = with_weights(make_cell("encoder lora"), model, tiny_bert, tmp_path / "weights")
    assert do(experiment, tmp_path / "run").facts["new_weights"] == ["classifier.bias", "classifier.weight"]


def with_weights(experiment, model, tokenizer_folder: Path, folder: Path):  # type: ignore[no-untyped-def]
    """Return an experiment that begins from a model's weights."""
    from transformers import AutoTokenizer

    from nlu_arena.spec import LocalWeights

    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(folder)
    spec = msgspec.structs.replace(experiment.model, weights=LocalWeights(path=str(folder)))
    return msgspec.structs.replace(experiment, model=spec)


def test_a_new_weight_that_is_frozen_is_found() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    model[1].requires_grad_(False)
    check_new_weights(model, ["0.weight"])
    with pytest.raises(RunError, match=r"2 weights .* would stay random, first 1\.bias"):
        check_new_weights(model, ["0.weight", "1.bias", "1.weight"])


def test_the_share_of_supervised_tokens_counts_answers_alone() -> None:
    rows = [[1] * 9, [1] * 8]
    assert supervised_share(rows, [0, 1], ONE_POSITION) == pytest.approx(2 / 20)
    assert supervised_share(rows, [0, 1], WHOLE_STRINGS) == pytest.approx(5 / 22)


def test_a_loss_over_more_than_answers_is_refused() -> None:
    with pytest.raises(RunError, match="60% of the training tokens are supervised"):
        supervised_share([[1, 1]], [1], WHOLE_STRINGS)
