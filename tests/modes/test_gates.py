"""The gates: a run whose training or model is not what it must be fails with the reason."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from nlu_arena.backend.score import LabelScorer
from nlu_arena.errors import RunError
from nlu_arena.events import ExampleSet
from nlu_arena.modes.gates import check_new_weights
from nlu_arena.modes.proof import check_alike, check_same
from nlu_arena.modes.record import read_record
from nlu_arena.spec import Example
from tests.modes.runs import TRAINED, MakeCell, do


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


@pytest.mark.parametrize("words", ["one position", "several tokens"])
def test_the_loss_looks_at_answers_alone(words: str, make_cell: MakeCell, tmp_path: Path) -> None:
    experiment = make_cell("decoder lora")
    if words == "several tokens":
        said = {"negative": "It is dull.", "positive": "It is warm."}
        prompt = msgspec.structs.replace(experiment.task.prompt, words=said)
        task = msgspec.structs.replace(experiment.task, prompt=prompt)
        experiment = msgspec.structs.replace(experiment, task=task)
    facts = do(experiment, tmp_path / "run").facts
    assert (facts["scoring"] == "first token") == (words == "one position")
    seen = facts["supervised_token_share"] * facts["probed_tokens"]
    answers = 4 if words == "one position" else sum(len(facts["label_tokens"][n % 2]) for n in range(4))
    assert seen == pytest.approx(answers)
    assert facts["supervised_token_share"] < 0.3


def test_a_loss_over_more_than_answers_fails_the_run(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The classic: cross-entropy over every token of the prompt.
    def loss(self: LabelScorer, rows: list[list[int]], gold: list[int]) -> torch.Tensor:
        hidden, _ = self._hidden(rows, None)
        return hidden.square().sum()

    monkeypatch.setattr(LabelScorer, "share_prefix", lambda self, rows: None)
    monkeypatch.setattr(LabelScorer, "loss", loss)
    with pytest.raises(RunError, match=r"the training loss looks at \d+ of \d+ tokens"):
        do(make_cell("decoder lora"), tmp_path / "run")


def test_a_proof_is_about_the_same_on_another_machine_and_far_from_a_random_heads(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    said = do(make_cell("encoder fine-tune"), tmp_path / "run")
    proof = read_record(tmp_path / "run" / "best_model", make_cell("encoder fine-tune")).proof
    assert len(proof.examples) == 8
    assert said.of(ExampleSet)[0].examples[2] == proof.examples[1]

    class Machine:
        def __init__(self, noise: float) -> None:
            self.noise = noise

        def answer(self, examples: list[Example]) -> torch.Tensor:
            known = torch.tensor(proof.scores[proof.examples.index(examples[0])])
            return (known + torch.tensor([self.noise, -self.noise]))[None].log_softmax(dim=-1)

    assert check_alike(Machine(0.05), proof) < 0.05  # type: ignore[arg-type]
    for check, noise in ((check_alike, 1.0), (check_same, 0.001)):
        with pytest.raises(RunError, match="gives other answers"):
            check(Machine(noise), proof)  # type: ignore[arg-type]


def test_a_saved_model_that_failed_its_proof_is_not_used_again(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("nlu_arena.modes.proof.SAME_RUN", -1.0)
        with pytest.raises(RunError, match="gives other answers"):
            do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert not (tmp_path / "run" / "best_model").exists()
    assert len(do(make_cell("encoder fine-tune"), tmp_path / "run").answers) == 21


def test_a_head_that_is_there_is_checked_whatever_else_is_missing(
    make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert)
    model.config.id2label = {0: "positive", 1: "negative"}
    experiment = with_weights(make_cell("encoder fine-tune"), model, tiny_bert, tmp_path / "weights")
    file = tmp_path / "weights" / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(file).items() if "pooler" not in name}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(RunError, match="the head's labels are positive, negative"):
        do(experiment, tmp_path / "run")


def test_weights_of_another_shape_outside_the_head_are_refused(
    make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert)
    experiment = with_weights(make_cell("encoder fine-tune"), model, tiny_bert, tmp_path / "weights")
    file = tmp_path / "weights" / "model.safetensors"
    name = "bert.embeddings.word_embeddings.weight"
    save_file({**load_file(file), name: load_file(file)[name][:-5]}, file, metadata={"format": "pt"})
    with pytest.raises(RunError, match=r"word_embeddings\.weight of tiny-encoder has another shape"):
        do(experiment, tmp_path / "run")


def test_a_tokenizer_that_saves_folders_is_saved_too(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PreTrainedTokenizerBase

    save = PreTrainedTokenizerBase.save_pretrained

    def save_more(self: PreTrainedTokenizerBase, folder: Path, **options: object) -> None:
        save(self, folder, **options)
        (Path(folder) / "additional_chat_templates").mkdir()
        (Path(folder) / "additional_chat_templates" / "tool.jinja").write_text("{{ messages }}")

    monkeypatch.setattr(PreTrainedTokenizerBase, "save_pretrained", save_more)
    do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert (tmp_path / "run" / "best_model" / "additional_chat_templates" / "tool.jinja").is_file()
