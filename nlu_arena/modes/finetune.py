"""A classification head on a model: all weights trained, or an adapter and the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from transformers import PreTrainedModel

from nlu_arena.backend.adapter import adapted, save_adapter
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.backend.device import seed_everything
from nlu_arena.backend.encode import EncodedTexts, encode_texts
from nlu_arena.backend.latency import probe_latency
from nlu_arena.backend.train import TrainingRows
from nlu_arena.backend.weights import count_parameters, load_classifier, max_positions, set_padding
from nlu_arena.errors import RunError
from nlu_arena.modes.answering import trained_head
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.evaluation import EncodedSplit, announce_examples, evaluate
from nlu_arena.modes.gates import check_new_weights
from nlu_arena.modes.labeller import label_with_head
from nlu_arena.modes.proof import prove
from nlu_arena.modes.training import check_saved, repeat_report, train, train_settings
from nlu_arena.spec import Example, LoraSettings, TrainSettings


class Texts(NamedTuple):
    """The examples of a task as a head reads them."""

    data: TaskExamples
    train: TrainingRows
    splits: list[EncodedSplit]
    encode: Callable[[Sequence[Example]], EncodedTexts]

    @property
    def first_split(self) -> list[Example]:
        """Return the examples of the first dev split."""
        return next(iter(self.data.dev.values()))


def run(context: RunContext) -> None:
    """Do a fine-tuning experiment, or LoRA with a classification head.

    What is scored is always the saved model, built anew: the same in a run that goes on after training.
    """
    settings = train_settings(context)
    with context.phase("prepare"):
        texts = _prepare(context, settings)
    if context.best_model.is_dir():
        repeat_report(context)
    else:
        _train(context, texts, settings)
    with _trained(context, settings) as scorer:
        with context.phase("evaluate"):
            evaluate(context, texts.splits, scorer.score)
        with context.phase("latency"):
            latency = probe_latency(
                lambda batch: texts.encode(batch).rows,
                scorer.score,
                texts.first_split,
                context.device,
                context.check_stop,
            )
            notes = ["adapter unmerged"] if settings.lora else []
            context.facts(latency=latency, latency_notes=notes)


def _prepare(context: RunContext, settings: TrainSettings) -> Texts:
    tokenizer = context.session.tokenizer(context.weights_dir)
    data = read_examples(context.experiment)
    announce_examples(context, data)
    encode = partial(encode_texts, tokenizer, max_length=settings.max_length)
    encoded = encode(data.train)
    context.facts(train_shortened=encoded.truncated)
    rows = TrainingRows(encoded.rows, [example.label for example in data.train], encoded.lengths)
    return Texts(data, rows, _encode_dev(context, data, encode), encode)


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


def _train(context: RunContext, texts: Texts, settings: TrainSettings) -> None:
    """Train a new head; at the end nothing is held of the model but what was saved."""
    experiment = context.experiment
    with ExitStack() as stack:
        with context.phase("load"):
            context.session.forget_causal_model()
            tokenizer = context.session.tokenizer(context.weights_dir)
            # The new head is drawn at loading: the seed decides it, whatever ran before.
            seed_everything(experiment.seed)
            model, new = load_classifier(
                experiment.model, experiment.task, context.weights_dir, context.device
            )
            set_padding(model, tokenizer)
            _check_length(model, settings)
            save = _attach_adapter(context, model, new, settings.lora, stack)
            check_new_weights(model, new)
            scorer = ClassifierScorer(model, tokenizer, experiment.precision)

        def save_all(folder: Path) -> None:
            save(folder)
            tokenizer.save_pretrained(folder)

        labeller = label_with_head(scorer, settings.max_length)
        train(
            context,
            scorer,
            texts.train,
            save_all,
            prove=lambda: prove(labeller, texts.first_split),
            facts={**count_parameters(model), "new_weights": list(new)},
        )


def _attach_adapter(
    context: RunContext,
    model: PreTrainedModel,
    new_weights: Sequence[str],
    lora: LoraSettings | None,
    stack: ExitStack,
) -> Callable[[Path], object]:
    """Put the adapter on where there is one, and return how the trained weights are saved."""
    if lora is None:
        return model.save_pretrained  # type: ignore[no-any-return]
    wrapped = stack.enter_context(adapted(model, lora, context.experiment.seed, new_weights))
    return partial(save_adapter, wrapped, context.experiment.model.weights)


@contextmanager
def _trained(context: RunContext, settings: TrainSettings) -> Iterator[ClassifierScorer]:
    """Build the saved model anew and demand the answers that it was saved with."""
    with ExitStack() as stack:
        with context.phase("load"):
            opened = trained_head(
                context.session, context.experiment, context.weights_dir, context.best_model
            )
            scorer = stack.enter_context(opened)
            labeller = label_with_head(scorer, settings.max_length)
            check_saved(context, labeller)
        yield scorer


def _check_length(model: PreTrainedModel, settings: TrainSettings) -> None:
    """Refuse texts longer than the model has positions for: it would fail in the middle of training."""
    positions = max_positions(model)
    if positions is not None and settings.max_length > positions:
        raise RunError(
            f"max_length is {settings.max_length}, but the model reads at most {positions} tokens",
            "Lower max_length in the training settings.",
        )
