"""Training: the loss falls, the batch is what it says, the same seed gives the same weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from nlu_arena.backend.checkpoint import Snapshot
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.device import seed_everything
from nlu_arena.backend.encode import LabelTokens, encode_texts
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.train import (
    EpochEnd,
    Step,
    Trainer,
    TrainingResult,
    TrainingRows,
    hold_out,
    learning_rate_share,
)
from nlu_arena.backend.weights import load_classifier, load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.spec import Example, TrainSettings
from tests.conftest import MakeExperiment

SETTINGS = TrainSettings(epochs=12, lr=5e-3, batch_size=8, max_length=32)
EXAMPLES = [
    Example(text=f"number {n} was {'warm and funny' if n % 2 else 'dull and cold'}", label=n % 2)
    for n in range(30)
]


class Outcome:
    """A finished training with its curve."""

    def __init__(
        self, scorer: ClassifierScorer, result: TrainingResult, steps: list[Step], ends: list[EpochEnd]
    ):
        self.scorer, self.result, self.steps, self.ends = scorer, result, steps, ends

    @property
    def weights(self) -> dict[str, Tensor]:
        return self.scorer.model.state_dict()


@pytest.fixture
def train_tiny(tiny_bert: Path, make_experiment: MakeExperiment):  # type: ignore[no-untyped-def]
    """Return a function that trains the tiny BERT."""

    def train(
        settings: TrainSettings = SETTINGS, seed: int = 1, scorer_class: type = ClassifierScorer
    ) -> Outcome:
        experiment = make_experiment("encoder", tiny_bert, "fine-tune", train=settings)
        tokenizer = load_tokenizer(tiny_bert)
        seed_everything(seed)
        model = load_classifier(experiment.model, experiment.task, tiny_bert, torch.device("cpu")).model
        scorer = scorer_class(model, tokenizer, "float32")
        encoded = encode_texts(tokenizer, EXAMPLES, settings.max_length)
        rows = TrainingRows(encoded.rows, [e.label for e in EXAMPLES], encoded.lengths)
        steps: list[Step] = []
        ends: list[EpochEnd] = []
        result = Trainer(scorer, settings, seed).run(rows, steps.append, ends.append)
        return Outcome(scorer, result, steps, ends)

    return train


def test_the_loss_falls_and_the_examples_are_learned(train_tiny) -> None:  # type: ignore[no-untyped-def]
    outcome = train_tiny()
    assert outcome.steps[-1].loss < 0.2 < outcome.steps[0].loss
    tokenizer = outcome.scorer.tokenizer
    scores = outcome.scorer.score(encode_texts(tokenizer, EXAMPLES, 32).rows)
    assert scores.argmax(dim=-1).tolist() == [e.label for e in EXAMPLES]
    assert outcome.result.selection == "last epoch"
    assert [step.number for step in outcome.steps] == list(range(1, 49))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(train_tiny) -> None:  # type: ignore[no-untyped-def]
    first, again, other = train_tiny(seed=1), train_tiny(seed=1), train_tiny(seed=2)
    assert all(torch.equal(first.weights[name], again.weights[name]) for name in first.weights)
    assert [s.loss for s in first.steps] == [s.loss for s in again.steps]
    assert not torch.equal(first.weights["classifier.weight"], other.weights["classifier.weight"])


def test_a_micro_batch_that_does_not_fit_is_halved_and_the_batch_stays(train_tiny) -> None:  # type: ignore[no-untyped-def]
    class SmallMemory(ClassifierScorer):
        def loss(self, rows: Sequence[dict[str, list[int]]], gold: Sequence[int]) -> Tensor:
            if len(rows) > 2:
                raise torch.OutOfMemoryError("out of memory")
            return super().loss(rows, gold)

    # Without dropout the gradients of a batch do not depend on how it is cut.
    tight, roomy = train_tiny(scorer_class=SmallMemory), train_tiny()
    assert (tight.result.position.micro_batch, tight.result.position.retries) == (2, 2)
    assert tight.result.steps == roomy.result.steps
    assert [s.examples for s in tight.steps] == [s.examples for s in roomy.steps]
    assert tight.steps[-1].loss < 0.2


def test_accumulated_gradients_equal_those_of_the_whole_batch(train_tiny) -> None:  # type: ignore[no-untyped-def]
    scorer = train_tiny(TrainSettings(epochs=1, lr=1e-4)).scorer
    scorer.model.train(False)
    encoded = encode_texts(scorer.tokenizer, EXAMPLES, 32)
    rows = TrainingRows(encoded.rows, [e.label for e in EXAMPLES], encoded.lengths)
    gradients = []
    for size in (30, 7):
        trainer = Trainer(scorer, SETTINGS, 1)
        trainer.position.micro_batch = size
        scorer.model.zero_grad()
        loss = trainer._accumulate(rows)
        gradients.append((loss, scorer.model.classifier.weight.grad.clone()))
    assert gradients[0][0] == pytest.approx(gradients[1][0], abs=1e-5)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-5, rtol=1e-4)


def test_one_example_that_does_not_fit_in_memory_is_an_error(train_tiny) -> None:  # type: ignore[no-untyped-def]
    class NoMemory(ClassifierScorer):
        def loss(self, rows: Sequence[dict[str, list[int]]], gold: Sequence[int]) -> Tensor:
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(RunError, match="single example"):
        train_tiny(scorer_class=NoMemory)


def test_a_loss_that_is_not_finite_is_an_error(train_tiny) -> None:  # type: ignore[no-untyped-def]
    class Broken(ClassifierScorer):
        def loss(self, rows: Sequence[dict[str, list[int]]], gold: Sequence[int]) -> Tensor:
            return super().loss(rows, gold) * float("nan")

    with pytest.raises(RunError, match="not finite"):
        train_tiny(scorer_class=Broken)


def test_with_a_held_out_slice_the_best_epoch_is_kept(train_tiny) -> None:  # type: ignore[no-untyped-def]
    outcome = train_tiny(TrainSettings(epochs=4, lr=2e-3, batch_size=8, max_length=32, held_out=0.3))
    accuracies = [end.accuracy for end in outcome.ends]
    assert outcome.result.position.held_out == accuracies
    assert outcome.result.selection == "best on held-out train"
    assert outcome.result.epoch == accuracies.index(max(accuracies)) + 1
    # 21 of 30 rows train: three steps an epoch.
    assert outcome.result.steps == 12


def test_scores_with_the_kept_epoch_are_those_of_its_weights(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared prefix of the last held-out check was run with weights that are no longer there."""
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    scorer = LabelScorer(model, LabelTokens(((20,), (30,)), single_position=True), 0)
    rows = [[1, 50, 51, 52, 60 + n, 70 + n % 2] for n in range(16)]
    scorer.share_prefix(rows)
    measure, falling = Trainer._accuracy, iter((0.9, 0.5, 0.4))

    def pretend(trainer: Trainer, held: TrainingRows) -> float:
        measure(trainer, held)
        return next(falling)

    monkeypatch.setattr(Trainer, "_accuracy", pretend)
    settings = TrainSettings(epochs=3, lr=1e-2, batch_size=4, held_out=0.25)
    data = TrainingRows(rows, [n % 2 for n in range(16)], [6] * 16)
    result = Trainer(scorer, settings, 1).run(data, lambda _: None, lambda _: None)
    assert result.epoch == 1
    plain = LabelScorer(model, scorer.labels, 0, reuse_prefix=False)
    torch.testing.assert_close(scorer.score(rows), plain.score(rows), atol=1e-4, rtol=0)


class Snapshots:
    """Keeps the names and shapes of what a checkpoint would hold; a training begins anew."""

    def __init__(self) -> None:
        self.shapes: dict[str, torch.Size] = {}

    def read(self) -> Snapshot | None:
        return None

    def offer(self, take: Callable[[], Snapshot]) -> None:
        self.shapes = {name: tensor.shape for name, tensor in take().tensors.items()}


@pytest.mark.parametrize("use_tree", [True, False])
def test_a_decoder_trains_the_embeddings_alone_that_it_reads(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, use_tree: bool
) -> None:
    """Those of its rows, of labels of several tokens and of the padding, held-out rows too."""
    rows = [[1, 50, 51, *[60 + n] * (1 + n % 3), 80 + n % 2] for n in range(12)]
    labels, padding = LabelTokens(((20, 21), (30, 31)), single_position=False), 2

    def train() -> tuple[LabelScorer, list[float], dict[str, torch.Size]]:
        model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
        model.get_input_embeddings().padding_idx = None
        scorer, checkpoints = LabelScorer(model, labels, padding), Snapshots()
        scorer.share_prefix(rows)
        scorer._use_tree = use_tree
        settings = TrainSettings(epochs=2, lr=1e-3, batch_size=4, held_out=0.25)
        data = TrainingRows(rows, [n % 2 for n in range(12)], list(map(len, rows)))
        losses: list[float] = []
        Trainer(scorer, settings, 1, checkpoints).run(data, lambda s: losses.append(s.loss), lambda _: None)
        return scorer, losses, checkpoints.shapes

    scorer, losses, shapes = train()
    monkeypatch.setattr("nlu_arena.backend.train.occurring_embeddings", lambda *_: nullcontext())
    whole, expected, whole_shapes = train()
    name = "model/model.embed_tokens.weight"
    assert shapes[name][0] < whole_shapes[name][0]
    assert losses == pytest.approx(expected, abs=1e-5)
    for one, other in zip(scorer.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_head_is_trained_on_the_padding_too(train_tiny) -> None:  # type: ignore[no-untyped-def]
    scorer = train_tiny(TrainSettings(epochs=1)).scorer
    rows = [{"input_ids": [5, 6]}, {"input_ids": [6]}]
    assert scorer.tokens(rows) == {5, 6, scorer.tokenizer.pad_token_id}


def test_held_out_rows_never_train() -> None:
    train, held = hold_out(30, 0.3, seed=5)
    assert len(held) == 9
    assert sorted(train + held) == list(range(30))
    assert (train, held) == hold_out(30, 0.3, seed=5)
    assert hold_out(30, 0.0, seed=5) == (list(range(30)), [])


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    shares = [learning_rate_share(step, 100, 0.1) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == 1.0 == shares[9]
    assert shares[-1] == pytest.approx(1 / 90)
    assert all(a > b for a, b in itertools.pairwise(shares[10:]))
    assert learning_rate_share(0, 1, 0.0) == 1.0
    assert all(math.isfinite(learning_rate_share(s, 3, 0.1)) for s in range(3))


def test_a_step_clips_as_torch_does(train_tiny, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    settings = TrainSettings(epochs=2, lr=1e-3, batch_size=8, clip=0.05)
    quick = train_tiny(settings)

    def clip_first(optimizer: torch.optim.Optimizer) -> Tensor:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(weights, settings.clip)
        assert norm > settings.clip
        # Small enough that nothing is left to clip.
        return torch.zeros(())

    monkeypatch.setattr("nlu_arena.backend.train.measure_gradient", clip_first)
    plain = train_tiny(settings)
    assert [s.loss for s in quick.steps] == pytest.approx([s.loss for s in plain.steps], abs=1e-4)
