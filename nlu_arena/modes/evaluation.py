"""From encoded dev examples to predictions, for every mode: planned batches, committed in chunks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from nlu_arena.backend.batching import plan_batches
from nlu_arena.backend.data import TaskExamples, fingerprint
from nlu_arena.backend.halving import Row, Score, score_batch
from nlu_arena.census import find_differences
from nlu_arena.dataref import TRAIN
from nlu_arena.events import Predictions
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.labeller import BATCH_SIZE
from nlu_arena.spec import Prediction

# Answers are handed over in whole batches, about twice a second: a commit for each would cost more than a
# small model's work, and no more than this is lost when the machine dies.
CHUNK_SECONDS = 0.5


class EncodedSplit(NamedTuple):
    """A dev split as token ids, with the gold label and the token count of each example."""

    name: str
    rows: Sequence[Row]
    gold: Sequence[int]
    lengths: Sequence[int]


def announce_examples(context: RunContext, data: TaskExamples) -> None:
    """Hand over every dev split with its fingerprint, and note what else is known of the data."""
    for name, examples in data.dev.items():
        context.examples(name, fingerprint(examples, context.experiment.task), examples)
    _compare_with_published(context, data)
    for note in data.notes:
        if context.experiment.mode in note.modes:
            context.warn(note.text)
    context.facts(
        train_fingerprint=fingerprint(data.train, context.experiment.task),
        train_rows=len(data.train),
        tokenizer=context.session.tokenizer_hash(context.weights_dir),
        dev_rows={name: len(examples) for name, examples in data.dev.items()},
    )


def _compare_with_published(context: RunContext, data: TaskExamples) -> None:
    """Record where the whole splits that the mode uses differ from the published ones of their name."""
    experiment = context.experiment
    published = experiment.task.published
    # Starter data never claim to be the published ones.
    if published is None or experiment.data.source == "starter":
        return
    uses_train = experiment.mode != "zero-shot"
    used = {split: found for split, found in data.counts.items() if uses_train or split != TRAIN}
    differences = find_differences(experiment.task, used)
    context.facts(data_differences=differences)
    if differences:
        found = "; ".join(f"{split}: {difference}" for split, difference in differences.items())
        context.warn(f"not the published {published.name} splits ({found})")


def evaluate(
    context: RunContext, splits: Sequence[EncodedSplit], score: Score, prior: Tensor | None = None
) -> None:
    """Predict every example that has no answer yet and hand the answers over.

    Args:
        context: The run.
        splits: The encoded dev splits.
        score: Gives log-probabilities, [rows, labels].
        prior: Mean log-probabilities of content-free inputs, [labels]; with it calibrated scores are kept.
    """
    total = sum(len(split.rows) for split in splits)
    done = answered = sum(len(rows) for rows in context.assignment.answered.values())
    began = time.perf_counter()
    for split in splits:
        finished = set(context.assignment.answered.get(split.name, ()))
        chunk: list[Prediction] = []
        handed_over = time.monotonic()
        for batch in plan_batches(split.lengths, BATCH_SIZE):
            if finished.issuperset(batch):
                continue
            scores = score_batch([split.rows[index] for index in batch], score, context.device)
            chunk += predict(batch, [split.gold[index] for index in batch], scores, prior)
            done += len(batch)
            if time.monotonic() - handed_over >= CHUNK_SECONDS:
                context.emit(Predictions(split=split.name, rows=chunk))
                chunk, handed_over = [], time.monotonic()
                context.check_stop()
            context.progress("evaluate", done, total)
        if chunk:
            context.emit(Predictions(split=split.name, rows=chunk))
    seconds = time.perf_counter() - began
    if done > answered:
        context.facts(evaluate_examples_per_second=(done - answered) / seconds)


def predict(
    indices: Sequence[int], gold: Sequence[int], scores: Tensor, prior: Tensor | None
) -> list[Prediction]:
    """Turn log-probabilities into predictions: the label with the highest score, the first of equal ones."""
    best = scores.argmax(dim=-1)
    tied = (scores == scores.gather(1, best[:, None])).sum(dim=-1) > 1
    # Zhao et al. 2021: what the prompt prefers without content is taken off, then normalised again.
    calibrated = None if prior is None else (scores - prior).log_softmax(dim=-1).tolist()
    columns = zip(indices, gold, best.tolist(), scores.tolist(), tied.tolist(), strict=True)
    return [
        Prediction(
            index=index,
            gold=label,
            predicted=predicted,
            scores=tuple(values),
            calibrated=None if calibrated is None else tuple(calibrated[place]),
            tied=tie,
        )
        for place, (index, label, predicted, values, tie) in enumerate(columns)
    ]
