"""Zero-shot and few-shot: the labels' log-likelihoods after a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.backend.encode import LabelTokens, PromptEncoder
from nlu_arena.backend.latency import probe_latency
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.weights import count_parameters
from nlu_arena.modes.answering import context_length
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.evaluation import EncodedSplit, announce_examples, evaluate
from nlu_arena.prompts import content_free_examples
from nlu_arena.sample import draw_shots
from nlu_arena.spec import Example


class PromptedTask(NamedTuple):
    """A task made ready for a decoder: its examples as encoded prompts, and the labels that may follow."""

    data: TaskExamples
    shots: list[Example]
    encoder: PromptEncoder
    labels: LabelTokens
    splits: list[EncodedSplit]
    content_free: list[Tokens]

    @property
    def first_split(self) -> list[Example]:
        """Return the examples of the first dev split."""
        return next(iter(self.data.dev.values()))

    @property
    def rows(self) -> list[Tokens]:
        """Return all prompts that are asked."""
        return [row for split in self.splits for row in split.rows] + self.content_free


def run(context: RunContext) -> None:
    """Do a zero-shot or few-shot experiment."""
    experiment = context.experiment
    with context.phase("load"):
        tokenizer = context.session.tokenizer(context.weights_dir)
        model = context.session.causal_model(experiment.model, context.weights_dir, experiment.precision)
    with context.phase("prepare"):
        prompted = prepare_prompts(context, tokenizer, context_length(model))
        scorer = build_scorer(context, model, prompted)
        context.facts(**count_parameters(model))
    evaluate_prompts(context, prompted, scorer)


def prepare_prompts(context: RunContext, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> PromptedTask:
    """Read the data, draw the examples, and encode all prompts within what the model can read."""
    experiment, task = context.experiment, context.experiment.task
    data = read_examples(experiment)
    announce_examples(context, data)
    asked = [example for examples in data.dev.values() for example in examples]
    shots = draw_shots(
        data.train,
        len(task.labels),
        experiment.shots,
        experiment.seed,
        exclude=asked,
        min_words=task.prompt.shot_min_words,
    )
    encoder = PromptEncoder(tokenizer, task, experiment.model.prompt_style, max_tokens)
    encoded = {name: encoder.encode(shots, examples) for name, examples in data.dev.items()}
    splits = [
        EncodedSplit(
            name, prompts.rows, [e.label for e in data.dev[name]], [len(row) for row in prompts.rows]
        )
        for name, prompts in encoded.items()
    ]
    labels = next(iter(encoded.values())).labels
    content_free, _ = encoder.encode_alone(shots, content_free_examples(task))
    prompted = PromptedTask(data, shots, encoder, labels, splits, content_free)
    _report(context, prompted, sum(prompts.shortened for prompts in encoded.values()))
    return prompted


def _report(context: RunContext, prompted: PromptedTask, shortened: int) -> None:
    """Record what the prompts look like, and how many of them had a text shortened."""
    (_, rows, *_), shots = prompted.splits[0], prompted.shots
    if shortened:
        context.warn(f"{shortened} texts were shortened to fit what the model can read")
    context.facts(
        prompt_example=prompted.encoder.render(shots, prompted.first_split[0]),
        prompt_tokens_mean=sum(map(len, rows)) / len(rows),
        label_tokens=[list(ids) for ids in prompted.labels.ids],
        scoring="first token" if prompted.labels.single_position else "sum of label tokens",
        # With these the same prompts can be asked of other texts, without the data that they come from.
        shots=[list(msgspec.structs.astuple(shot)) for shot in shots],
        shot_labels=[context.experiment.task.labels[shot.label] for shot in shots],
        shortened=shortened,
    )


def build_scorer(
    context: RunContext,
    model: PreTrainedModel,
    prompted: PromptedTask,
    train_rows: Sequence[Tokens] = (),
) -> LabelScorer:
    """Return the scorer of a model's answers, which runs once what all prompts share, also those of training.

    Raises:
        RunError: The model's own logits are not those that are scored.
    """
    context.session.check_logits(prompted.content_free[0])
    scorer = LabelScorer(model, prompted.labels, prompted.encoder.tokenizer.pad_token_id)
    rows = [*train_rows, *prompted.rows]
    scorer.share_prefix(rows)
    left_out = scorer.choose_ways(rows)
    context.facts(prefix_tokens=len(scorer.prefix), read_plainly=left_out)
    return scorer


def evaluate_prompts(context: RunContext, prompted: PromptedTask, scorer: LabelScorer, *notes: str) -> None:
    """Answer all dev prompts, raw and calibrated, and time the answers; `notes` say how they were timed."""
    with context.phase("evaluate"):
        prior: Tensor = scorer.score(prompted.content_free).mean(dim=0).cpu()
        context.facts(content_free_scores=prior.tolist())
        evaluate(context, prompted.splits, scorer.score, prior)
    with context.phase("latency"):

        def encode(batch: Sequence[Example]) -> list[Tokens]:
            return prompted.encoder.encode_alone(prompted.shots, batch)[0]

        latency = probe_latency(
            encode, scorer.score, prompted.first_split, context.device, context.check_stop
        )
        context.facts(latency=latency, latency_notes=["shared prefix cached", *notes])
