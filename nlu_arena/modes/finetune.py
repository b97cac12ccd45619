"""A classification head on a model: all weights trained, or an adapter and the head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.adapter import adapted, restored, save_adapter
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.backend.device import seed_everything
from nlu_arena.backend.encode import EncodedTexts, encode_texts
from nlu_arena.backend.latency import probe_latency
from nlu_arena.backend.train import EpochEnd, Step, Trainer, TrainingRows
from nlu_arena.backend.weights import (
    Classifier,
    count_parameters,
    load_classifier,
    max_positions,
    set_padding,
)
from nlu_arena.errors import RunError
from nlu_arena.events import MetricPoint
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.evaluation import EncodedSplit, announce_examples, evaluate
from nlu_arena.spec import Example, TrainSettings


def run(context: RunContext) -> None:
    """Do a fine-tuning experiment, or LoRA with a classification head."""
    settings = train_settings(context)
    experiment = context.experiment
    trained = context.best_model.is_dir()
    with ExitStack() as stack:
        with context.phase("load"):
            context.session.forget_causal_model()
            # The new head is drawn at loading: the seed decides it, whatever ran before.
            seed_everything(experiment.seed)
            whole = trained and settings.lora is None
            source = context.best_model if whole else context.weights_dir
            tokenizer = context.session.tokenizer(context.weights_dir)
            classifier = load_classifier(experiment.model, experiment.task, source, context.device)
            set_padding(classifier.model, tokenizer)
            _check_length(classifier.model, settings)
            save = _attach(context, classifier, tokenizer, stack)
            scorer = ClassifierScorer(classifier.model, tokenizer, experiment.precision)
        with context.phase("prepare"):
            data = read_examples(experiment)
            announce_examples(context, data)
            encode = partial(encode_texts, tokenizer, max_length=settings.max_length)
            splits = _encode_dev(context, data, encode)
            rows = training_rows(data, encode(data.train))
            context.facts(**count_parameters(classifier.model))
        if not trained:
            train(context, Trainer(scorer, settings, experiment.seed), rows, save)
        with context.phase("evaluate"):
            evaluate(context, splits, scorer.score)
        with context.phase("latency"):
            examples = next(iter(data.dev.values()))
            latency = probe_latency(
                lambda batch: encode(batch).rows, scorer.score, examples, context.device, context.check_stop
            )
            notes = ["adapter unmerged"] if settings.lora else []
            context.facts(latency=latency, latency_notes=notes)


def train_settings(context: RunContext) -> TrainSettings:
    """Return the experiment's training settings.

    Raises:
        RunError: It has none.
    """
    if context.experiment.train is None:
        raise RunError(f"{context.experiment.title} has no training settings")
    return context.experiment.train


def training_rows(data: TaskExamples, encoded: EncodedTexts) -> TrainingRows:
    """Return encoded training texts with their gold labels."""
    return TrainingRows(encoded.rows, [example.label for example in data.train], encoded.lengths)


def train(context: RunContext, trainer: Trainer, rows: TrainingRows, save: Callable[[Path], None]) -> None:
    """Train, report the curve, and save what was kept before anything is scored with it.

    The saved model comes first because an interrupted evaluation then continues with it, without training.
    """
    total = trainer.settings.epochs * (len(rows.rows) - round(len(rows.rows) * trainer.settings.held_out))

    def on_step(step: Step) -> None:
        context.check_stop()
        for name, value in (("loss", step.loss), ("lr", step.lr)):
            context.emit(MetricPoint(step=step.number, epoch=step.epoch, name=name, value=value))
        context.progress("train", step.examples, total)

    def on_epoch(end: EpochEnd) -> None:
        point = MetricPoint(step=end.step, epoch=end.number, name="held_out_accuracy", value=end.accuracy)
        context.emit(point)

    with context.phase("train"):
        result = trainer.run(rows, on_step, on_epoch)
        context.facts(
            selection=result.selection,
            selected_epoch=result.epoch,
            steps=result.steps,
            micro_batch=result.micro_batch,
            out_of_memory_retries=result.out_of_memory_retries,
            held_out_accuracy=result.held_out,
        )
        context.save_model(save, {"selection": result.selection, "epoch": result.epoch})


def _attach(
    context: RunContext, classifier: Classifier, tokenizer: PreTrainedTokenizerBase, stack: ExitStack
) -> Callable[[Path], None]:
    """Put the adapter on where there is one, and return how the trained model is saved."""
    experiment = context.experiment
    lora = train_settings(context).lora

    def save_all(folder: Path) -> None:
        classifier.model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    if lora is None:
        return save_all
    model, new = classifier.model, classifier.new_weights
    wrapper: Any = (
        restored(model, context.best_model)
        if context.best_model.is_dir()
        else adapted(model, lora, experiment.seed, new)
    )
    wrapped = stack.enter_context(wrapper)

    def save_part(folder: Path) -> None:
        save_adapter(wrapped, experiment.model.weights, folder)
        tokenizer.save_pretrained(folder)

    return save_part


def _check_length(model: PreTrainedModel, settings: TrainSettings) -> None:
    """Refuse texts longer than the model has positions for: it would fail in the middle of training."""
    positions = max_positions(model)
    if positions is not None and settings.max_length > positions:
        raise RunError(
            f"max_length is {settings.max_length}, but the model reads at most {positions} tokens",
            "Lower max_length in the training settings.",
        )


def _encode_dev(
    context: RunContext, data: TaskExamples, encode: Callable[[Sequence[Example]], EncodedTexts]
) -> list[EncodedSplit]:
    splits = []
    for name, examples in data.dev.items():
        encoded = encode(examples)
        if encoded.truncated:
            context.warn(
                f"{encoded.truncated} of {len(examples)} texts of {name} were cut to the longest length"
            )
        splits.append(EncodedSplit(name, encoded.rows, [e.label for e in examples], encoded.lengths))
    return splits
