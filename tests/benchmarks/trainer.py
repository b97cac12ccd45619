"""Fine-tuning of minilm by this package against `transformers.Trainer`: the same losses, the same accuracy?

    python -m tests.benchmarks.trainer GLUE_DIR [--part P] [--steps N] [--task T] [--seeds N] [--train-rows N]

Part "losses": dropout 0 in the configuration of both sides, the head of one copied to the other, the very
batches that our side formed replayed to the other, our warm-up and decay; decay groups, clipping, optimiser,
padding and loss are each side's own. The losses of 50 steps on SST-2, one epoch of 800 rows, must be equal to
1e-4.

Part "accuracy": the same hyperparameters, and all else each side's own: shuffling, batches, dropout, the
shape of the warm-up. Three seeds on SST-2 (4,000 rows, 1 epoch) and on RTE (all rows, 3 epochs); the mean dev
accuracies must lie within 2.8 standard errors of their difference.

Exit code 1: one of them does not hold.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PrinterCallback,
    TrainingArguments,
)

from nlu_arena.backend.batching import plan_batches
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.backend.device import seed_everything
from nlu_arena.backend.encode import encode_texts
from nlu_arena.backend.train import Trainer, TrainingRows
from nlu_arena.backend.weights import load_classifier, load_tokenizer, set_padding, silence_libraries
from nlu_arena.dataref import resolve_data
from nlu_arena.modes.labeller import BATCH_SIZE
from nlu_arena.registry import load_registry
from nlu_arena.sample import take_subset
from nlu_arena.settings import manifest_overrides, resolve_train
from nlu_arena.sources import fetch_weights
from nlu_arena.spec import Example, Experiment, ModelSpec, Subset, TaskSpec, TrainSettings

MODEL = "minilm"
TOLERANCE = 1e-4
# Of a difference of two means: the 5 % point of Student's t with the 4 degrees of freedom of 3 + 3 seeds.
STANDARD_ERRORS = 2.8
CPU = torch.device("cpu")


class Recipe(NamedTuple):
    """What both sides share: the weights, the examples and the hyperparameters."""

    spec: ModelSpec
    task: TaskSpec
    folder: Path
    settings: TrainSettings
    data: TaskExamples

    @property
    def dev(self) -> list[Example]:
        """Return the examples that accuracy is measured on."""
        (examples,) = self.data.dev.values()
        return examples


def build_recipe(glue: Path, task_name: str, epochs: int, train_rows: int | None) -> Recipe:
    """Read the data, and the settings that the manifests give minilm on the task, but for the epochs."""
    registry = load_registry()
    spec, task = registry.model(MODEL), registry.task(task_name)
    overrides = [*manifest_overrides(spec, task, "fine-tune"), {"epochs": epochs}]
    settings = resolve_train(spec.family, "fine-tune", overrides, "the benchmark")
    experiment = Experiment(
        model=spec,
        task=task,
        mode="fine-tune",
        data=resolve_data(task, str(glue)),
        weights_identity=spec.weights.identity,  # type: ignore[union-attr]
        precision="float32",
        subset=Subset(train=train_rows),
        train=settings,
    )
    return Recipe(spec, task, fetch_weights(spec, lambda _: None), settings, read_examples(experiment))


def copy_without_dropout(weights: Path, folder: Path) -> Path:
    """Give a weights folder a second one whose configuration has no dropout."""
    for file in weights.iterdir():
        if file.name != "config.json":
            (folder / file.name).symlink_to(file.resolve())
    config = json.loads((weights / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


class RecordingScorer(ClassifierScorer):
    """Our scorer, which notes which rows each loss was of."""

    batches: list[list[int]]

    def watch(self, rows: Sequence[dict[str, list[int]]]) -> None:
        """Begin a new record; the rows are numbered as they stand here."""
        self.batches, self._numbers = [], {id(row): number for number, row in enumerate(rows)}

    def loss(self, rows: Sequence[dict[str, list[int]]], gold: Sequence[int]) -> Tensor:
        """Return the loss, and note the rows."""
        self.batches.append([self._numbers[id(row)] for row in rows])
        return super().loss(rows, gold)


class ReplayingTrainer(transformers.Trainer):  # type: ignore[misc]
    """Their trainer, fed with given batches under our schedule, which keeps its losses unrounded."""

    batches: list[list[int]]
    warmup: float
    losses: list[float]

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the given batches in their order."""
        return DataLoader(self.train_dataset, batch_sampler=self.batches, collate_fn=self.data_collator)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
        """Rise to the full rate at the last step of the warm-up, from the first step on; then fall to 0.

        Their own schedule is one step behind in the warm-up: its first step has the rate 0.
        """
        warm = math.ceil(num_training_steps * self.warmup)
        rest = num_training_steps - warm
        self.lr_scheduler = LambdaLR(
            self.optimizer,
            lambda step: (step + 1) / warm if step < warm else (num_training_steps - step) / max(1, rest),
        )
        return self.lr_scheduler

    def training_step(self, *args: Any, **options: Any) -> Tensor:
        """Do a step and note its loss."""
        loss: Tensor = super().training_step(*args, **options)
        self.losses.append(float(loss))
        return loss


def encode_ours(recipe: Recipe, examples: Sequence[Example]) -> TrainingRows:
    """Tokenise as the mode does."""
    encoded = encode_texts(load_tokenizer(recipe.folder), examples, recipe.settings.max_length)
    return TrainingRows(encoded.rows, [example.label for example in examples], encoded.lengths)


def encode_theirs(recipe: Recipe, examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Tokenise as transformers' run_glue does, with the labels in place; the collator pads."""
    tokenizer, longest = load_tokenizer(recipe.folder), recipe.settings.max_length
    rows = [tokenizer(e.text, e.pair, max_length=longest, truncation=True) for e in examples]
    return [{**row, "labels": e.label} for row, e in zip(rows, examples, strict=True)]


def load_theirs(recipe: Recipe, folder: Path) -> Any:
    """Load the classifier as transformers' run_glue does."""
    return AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(recipe.task.labels), dtype=torch.float32
    )


def build_theirs(
    kind: type[Any], recipe: Recipe, model: Any, train: Sequence[Example], folder: Path, seed: int
) -> Any:
    """Return their trainer with the same hyperparameters; what is not said here is their default."""
    settings, tokenizer = recipe.settings, load_tokenizer(recipe.folder)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.lr,
        # Below 1 it is a share of all steps.
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip,
        seed=seed,
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    rows = encode_theirs(recipe, train)
    trainer = kind(model, arguments, data_collator=DataCollatorWithPadding(tokenizer), train_dataset=rows)
    trainer.remove_callback(PrinterCallback)
    return trainer


def record_losses(recipe: Recipe, train: Sequence[Example], seed: int) -> tuple[list[float], list[float]]:
    """Train both sides on the same batches without dropout and return the losses of all steps, ours first."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_without_dropout(recipe.folder, Path(scratch))
        seed_everything(seed)
        ours = load_classifier(recipe.spec, recipe.task, folder, CPU).model
        theirs = load_theirs(recipe, folder)
        # Head and all; copied now, before our side's training changes them.
        theirs.load_state_dict(ours.state_dict())
        rows = encode_ours(recipe, train)
        scorer = RecordingScorer(ours, load_tokenizer(recipe.folder), "float32")
        scorer.watch(rows.rows)
        losses: list[float] = []
        Trainer(scorer, recipe.settings, seed).run(
            rows, lambda step: losses.append(step.loss), lambda _: None
        )
        trainer = build_theirs(ReplayingTrainer, recipe, theirs, train, Path(scratch), seed)
        trainer.batches, trainer.warmup, trainer.losses = scorer.batches, recipe.settings.warmup, []
        trainer.train()
    return losses, trainer.losses


def compare_losses(recipe: Recipe, steps: int) -> bool:
    """Print the largest difference of the two sides' losses."""
    train = take_subset(recipe.data.train, steps * recipe.settings.batch_size, seed=1)
    ours, theirs = record_losses(recipe, train, seed=1)
    gaps = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    # Asked of every one: the largest of them could hide one that is no number.
    equal = all(gap <= TOLERANCE for gap in gaps)
    print(
        f"losses on {recipe.task.name}, {len(gaps)} steps: from {ours[0]:.4f} to {ours[-1]:.4f}; largest "
        f"difference {max(gaps):.1e}: {'equal' if equal else 'NOT EQUAL'} to {TOLERANCE:g}",
        flush=True,
    )
    return equal


def train_ours(recipe: Recipe, seed: int) -> float:
    """Fine-tune as the mode does and return the dev accuracy."""
    tokenizer = load_tokenizer(recipe.folder)
    seed_everything(seed)
    model = load_classifier(recipe.spec, recipe.task, recipe.folder, CPU).model
    set_padding(model, tokenizer)
    scorer = ClassifierScorer(model, tokenizer, "float32")
    rows = encode_ours(recipe, recipe.data.train)
    Trainer(scorer, recipe.settings, seed).run(rows, lambda _: None, lambda _: None)
    dev = encode_ours(recipe, recipe.dev)
    right = 0
    for batch in plan_batches(dev.lengths, BATCH_SIZE):
        rows = dev.take(batch)
        best = scorer.score(rows.rows).argmax(dim=-1).tolist()
        right += sum(label == gold for label, gold in zip(best, rows.gold, strict=True))
    return right / len(dev.rows)


def train_theirs(recipe: Recipe, seed: int) -> float:
    """Fine-tune as transformers' run_glue does and return the dev accuracy."""
    transformers.set_seed(seed)
    model = load_theirs(recipe, recipe.folder)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = build_theirs(transformers.Trainer, recipe, model, recipe.data.train, Path(scratch), seed)
        trainer.train()
        answers = trainer.predict(encode_theirs(recipe, recipe.dev))
    return float((answers.predictions.argmax(axis=-1) == answers.label_ids).mean())


def compare_accuracies(recipe: Recipe, seeds: int) -> bool:
    """Train both sides with several seeds and print the difference of their mean dev accuracies."""
    ours: list[float] = []
    theirs: list[float] = []
    for seed in range(1, seeds + 1):
        ours.append(train_ours(recipe, seed))
        theirs.append(train_theirs(recipe, seed))
        print(f"{recipe.task.name}, seed {seed}: ours {ours[-1]:.4f}, theirs {theirs[-1]:.4f}", flush=True)
    difference = statistics.mean(ours) - statistics.mean(theirs)
    # Pooled, as of independent runs: a seed does not mean the same shuffling and dropout on both sides.
    error = math.sqrt((statistics.variance(ours) + statistics.variance(theirs)) / seeds)
    within = abs(difference) <= STANDARD_ERRORS * error
    print(
        f"accuracy on {recipe.task.name}, {len(recipe.data.train)} rows, {recipe.settings.epochs} epochs, "
        f"{len(recipe.dev)} dev rows: ours {statistics.mean(ours):.4f}, "
        f"theirs {statistics.mean(theirs):.4f}, difference {difference:+.4f}, standard error {error:.4f}: "
        f"{'within' if within else 'NOT WITHIN'} {STANDARD_ERRORS} standard errors",
        flush=True,
    )
    return within


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("glue", type=Path)
    parser.add_argument("--part", choices=("losses", "accuracy"), action="append")
    parser.add_argument("--task", choices=("sst2", "rte"), action="append", help="of the part accuracy")
    parser.add_argument("--steps", type=int, default=50, help="of the part losses")
    parser.add_argument("--seeds", type=int, default=3, help="at least 2")
    parser.add_argument("--train-rows", type=int, help="of the part accuracy, instead of 4,000 and all")
    return parser.parse_args()


def main() -> None:
    """Compare and print."""
    options = parse_options()
    silence_libraries()
    parts = options.part or ("losses", "accuracy")
    held = []
    if "losses" in parts:
        held.append(compare_losses(build_recipe(options.glue, "sst2", 1, None), options.steps))
    if "accuracy" in parts:
        for task, rows, epochs in (("sst2", 4000, 1), ("rte", None, 3)):
            if task in (options.task or (task,)):
                recipe = build_recipe(options.glue, task, epochs, options.train_rows or rows)
                held.append(compare_accuracies(recipe, options.seeds))
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
