"""Zero-shot and few-shot: the labels' log-likelihoods after a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.backend.encode import PromptEncoder, Tokens
from nlu_arena.backend.latency import probe_latency
from nlu_arena.backend.score import LabelScorer, check_label_logits
from nlu_arena.backend.weights import count_parameters, max_positions
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.evaluation import EncodedSplit, announce_examples, evaluate
from nlu_arena.prompts import content_free_examples
from nlu_arena.sample import draw_shots
from nlu_arena.spec import Example

# A model that does not say how much it can read is taken to read this much.
DEFAULT_CONTEXT = 2048


class PromptedTask(NamedTuple):
    """A task made ready for a decoder: encoded prompts and the scorer that answers them."""

    data: TaskExamples
    shots: list[Example]
    encoder: PromptEncoder
    scorer: LabelScorer
    splits: list[EncodedSplit]
    content_free: list[Tokens]


def run(context: RunContext) -> None:
    """Do a zero-shot or few-shot experiment."""
    experiment = context.experiment
    with context.phase("load"):
        tokenizer = context.session.tokenizer(context.weights_dir)
        model = context.session.causal_model(experiment.model, context.weights_dir, experiment.precision)
    with context.phase("prepare"):
        prompted = prepare_prompts(context, model, tokenizer)
        context.facts(**count_parameters(model))
    evaluate_prompts(context, prompted)


def prepare_prompts(
    context: RunContext, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> PromptedTask:
    """Read the data, draw the examples, encode all prompts and find what they share."""
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
    longest = max_positions(model) or DEFAULT_CONTEXT
    encoder = PromptEncoder(tokenizer, task, experiment.model.prompt_style, longest)
    encoded = {name: encoder.encode(shots, examples) for name, examples in data.dev.items()}
    labels = next(iter(encoded.values())).labels
    content_free = encoder.encode_alone(shots, content_free_examples(task))
    check_label_logits(model, content_free[0])
    scorer = LabelScorer(model, labels, tokenizer.pad_token_id)
    scorer.share_prefix([row for prompts in encoded.values() for row in prompts.rows] + content_free)
    splits = [
        EncodedSplit(
            name, prompts.rows, [e.label for e in data.dev[name]], [len(row) for row in prompts.rows]
        )
        for name, prompts in encoded.items()
    ]
    prompted = PromptedTask(data, shots, encoder, scorer, splits, content_free)
    _report(context, prompted, sum(prompts.shortened for prompts in encoded.values()))
    return prompted


def _report(context: RunContext, prompted: PromptedTask, shortened: int) -> None:
    """Record what the prompts look like, and how many of them had a text shortened."""
    scorer, (name, rows, *_) = prompted.scorer, prompted.splits[0]
    if shortened:
        context.warn(f"{shortened} texts were shortened to fit what the model can read")
    context.facts(
        prompt_example=prompted.encoder.render(prompted.shots, prompted.data.dev[name][0]),
        prompt_tokens_mean=sum(map(len, rows)) / len(rows),
        prefix_tokens=len(scorer.prefix),
        label_tokens=[list(ids) for ids in scorer.labels.ids],
        scoring="first token" if scorer.labels.single_position else "sum of label tokens",
        shot_labels=[context.experiment.task.labels[shot.label] for shot in prompted.shots],
        shortened=shortened,
    )


def evaluate_prompts(context: RunContext, prompted: PromptedTask, *notes: str) -> None:
    """Answer all dev prompts, raw and calibrated, and time the answers; `notes` say how they were timed."""
    with context.phase("evaluate"):
        prior: Tensor = prompted.scorer.score(prompted.content_free).mean(dim=0).cpu()
        context.facts(content_free_scores=prior.tolist())
        evaluate(context, prompted.splits, prompted.scorer.score, prior)
    with context.phase("latency"):
        examples = next(iter(prompted.data.dev.values()))

        def encode(batch: Sequence[Example]) -> list[Tokens]:
            return prompted.encoder.encode_alone(prompted.shots, batch)

        latency = probe_latency(encode, prompted.scorer.score, examples, context.device, context.check_stop)
        context.facts(latency=latency, latency_notes=["shared prefix cached", *notes])
