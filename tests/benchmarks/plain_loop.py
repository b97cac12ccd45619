"""Label scores of the engine against a plain loop over transformers: are they equal?

    python -m tests.benchmarks.plain_loop GLUE_DIR [--examples N] [--model M] [--task T] [--mode M]
        [--words shipped|long]

Seeded dev examples of SST-2 and RTE, float32, the same prompt text on both sides. The engine scores them as
the modes do: shared prefix, batches, label columns. The plain loop reads each label string by itself, one
text at a time, without cache, batch or padding, and adds up the log-probabilities of the label's tokens.

Two sets of label words: "shipped", the manifests' own, one token each in both tokenizers, where one position
decides; and "long", words of several tokens that share the first one, where token log-likelihoods are summed
(on RTE one word begins the other, so that the end token counts too). Compared for each example and label are

- predicted labels: the mode's prediction against the plain loop's best label;
- normalised scores: the mode's log-probabilities over the labels against the plain ones, normalised alike;
- raw log-likelihoods, before normalisation: the engine's sums over the label's tokens against the plain ones.
  For the shipped words the engine is made to sum as well, on the same prompts: where one position decides it
  never computes the normaliser over the vocabulary.

Exit code 1: a label differs, or a score by more than 1e-4.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.batching import plan_batches
from nlu_arena.backend.data import read_examples
from nlu_arena.backend.encode import LabelTokens, PromptEncoder
from nlu_arena.backend.prefix import run_prefix
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.weights import load_causal_model, load_tokenizer, silence_libraries
from nlu_arena.dataref import resolve_data
from nlu_arena.modes.evaluation import predict
from nlu_arena.modes.labeller import BATCH_SIZE
from nlu_arena.prompts import content_free_examples, label_continuations
from nlu_arena.registry import load_registry
from nlu_arena.sample import draw_shots
from nlu_arena.sources import fetch_weights
from nlu_arena.spec import Experiment, Mode, ModelSpec, Subset, TaskSpec

MODELS = ("smollm2-135m", "gemma3-270m")
TASKS = ("sst2", "rte")
MODES: tuple[Mode, ...] = ("zero-shot", "few-shot")
WORDS = ("shipped", "long")
SHOTS = 5
# More than any of the prompts has, less than the models read: none is shortened.
MAX_TOKENS = 4096
TOLERANCE = 1e-4
# The answers need not be good ones: both sides read the same words.
LONG_WORDS = {
    "sst2": {"negative": "rather negative", "positive": "rather positive"},
    "rte": {"entailment": "it follows", "not_entailment": "it follows not"},
}


class Engines(NamedTuple):
    """One model twice from the same files: as the modes load it, and as anyone would."""

    spec: ModelSpec
    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    plain_tokenizer: PreTrainedTokenizerBase
    plain_model: PreTrainedModel


class Prompted(NamedTuple):
    """The prompts of one case, as text for the plain loop and as tokens for the engine."""

    texts: list[str]
    gold: list[int]
    rows: list[list[int]]
    content_free: list[list[int]]
    labels: LabelTokens
    continuations: list[str]


class Comparison(NamedTuple):
    """How far the two sides are apart on one case."""

    examples: int
    equal_labels: int
    normalised_gap: float
    raw_gap: float
    closest_call: float

    @property
    def holds(self) -> bool:
        """Say whether the two sides are equal; a score that is no number is not."""
        near = self.normalised_gap <= TOLERANCE and self.raw_gap <= TOLERANCE
        return near and self.equal_labels == self.examples


def load_engines(spec: ModelSpec) -> Engines:
    """Load a model for both sides in float32."""
    folder = fetch_weights(spec, lambda _: None)
    return Engines(
        spec,
        load_tokenizer(folder),
        load_causal_model(spec, folder, "float32", torch.device("cpu")),
        AutoTokenizer.from_pretrained(folder),
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
    )


def score_plainly(engines: Engines, prompt: str, continuations: Sequence[str]) -> list[float]:
    """Return each label's log-likelihood after a prompt, one forward pass of one text for each label."""
    tokenizer = engines.plain_tokenizer
    # A chat template has written the special tokens already.
    special = engines.spec.prompt_style == "plain"
    context = tokenizer(prompt, add_special_tokens=special)["input_ids"]
    answers = []
    for continuation in continuations:
        whole = tokenizer(prompt + continuation, add_special_tokens=special)["input_ids"]
        answers.append(whole[len(context) :])
    if any(a != b and b[: len(a)] == a for a in answers for b in answers):
        answers = [[*answer, tokenizer.eos_token_id] for answer in answers]
    totals = []
    for answer in answers:
        ids = torch.tensor([context + answer])
        with torch.inference_mode():
            logits = engines.plain_model(input_ids=ids, use_cache=False).logits[0]
        total = 0.0
        for place, token in enumerate(answer, start=len(context)):
            # The model runs in float32; the normaliser of its logits is taken in float64, because torch's
            # float32 log_softmax is off by 1e-5 a token over vocabularies of this size, on either side.
            total += float(logits[place - 1].double().log_softmax(dim=-1)[token])
        totals.append(total)
    return totals


def prepare_prompts(engines: Engines, experiment: Experiment) -> Prompted:
    """Read the examples, draw the shots and encode the prompts as the prompted modes do."""
    task, style = experiment.task, experiment.model.prompt_style
    data = read_examples(experiment)
    (asked,) = data.dev.values()
    shots = draw_shots(
        data.train,
        len(task.labels),
        experiment.shots,
        experiment.seed,
        exclude=asked,
        min_words=task.prompt.shot_min_words,
    )
    encoder = PromptEncoder(engines.tokenizer, task, style, MAX_TOKENS)
    encoded = encoder.encode(shots, asked)
    if encoded.shortened:
        raise SystemExit("a prompt was shortened: the plain loop would read another text")
    return Prompted(
        [encoder.render(shots, example) for example in asked],
        [example.label for example in asked],
        encoded.rows,
        encoder.encode_alone(shots, content_free_examples(task))[0],
        encoded.labels,
        label_continuations(task, style),
    )


def score_in_batches(engines: Engines, prompts: Prompted, labels: LabelTokens, *, raw: bool) -> Tensor:
    """Return the engine's scores in the prompts' order, [prompts, labels], as the modes batch them."""
    scorer = LabelScorer(engines.model, labels, engines.tokenizer.pad_token_id)
    scorer.share_prefix(prompts.rows + prompts.content_free)
    batches = plan_batches([len(row) for row in prompts.rows], BATCH_SIZE)
    found = torch.empty(len(prompts.rows), len(labels.ids))
    with torch.inference_mode():
        prefix = run_prefix(engines.model, scorer.prefix) if raw else None
        for batch in batches:
            rows = [prompts.rows[index] for index in batch]
            # What `score` normalises is not public: no mode asks for it.
            found[batch] = scorer._likelihoods(rows, prefix) if raw else scorer.score(rows)
    return found


def compare(engines: Engines, prompts: Prompted) -> Comparison:
    """Score the prompts both ways and measure the differences."""
    plain = torch.tensor(
        [score_plainly(engines, text, prompts.continuations) for text in prompts.texts], dtype=torch.float64
    )
    scores = score_in_batches(engines, prompts, prompts.labels, raw=False)
    summed = prompts.labels._replace(single_position=False)
    raw = score_in_batches(engines, prompts, summed, raw=True)
    answers = predict(range(len(prompts.rows)), prompts.gold, scores, None)
    best = plain.argmax(dim=-1).tolist()
    first, second = plain.topk(2, dim=-1).values.unbind(dim=-1)
    return Comparison(
        examples=len(answers),
        equal_labels=sum(answer.predicted == label for answer, label in zip(answers, best, strict=True)),
        normalised_gap=float((scores - plain.log_softmax(dim=-1)).abs().max()),
        raw_gap=float((raw - plain).abs().max()),
        closest_call=float((first - second).min()),
    )


def build_experiment(spec: ModelSpec, task: TaskSpec, mode: Mode, glue: Path, examples: int) -> Experiment:
    """Return the experiment whose data and shots both sides read."""
    return Experiment(
        model=spec,
        task=task,
        mode=mode,
        data=resolve_data(task, str(glue)),
        weights_identity=spec.weights.identity,  # type: ignore[union-attr]
        precision="float32",
        subset=Subset(dev=examples),
        shots=SHOTS if mode == "few-shot" else 0,
    )


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("glue", type=Path)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--task", choices=TASKS, action="append")
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--words", choices=WORDS, action="append")
    return parser.parse_args()


def choose_words(task: TaskSpec, words: str) -> TaskSpec:
    """Return the task with its own label words or the long ones."""
    if words == "shipped":
        return task
    prompt = msgspec.structs.replace(task.prompt, words=LONG_WORDS[task.name])
    return msgspec.structs.replace(task, prompt=prompt)


def report(experiment: Experiment, words: str, labels: LabelTokens, found: Comparison) -> None:
    """Print one case on one line."""
    tokens = "/".join(str(len(ids)) for ids in labels.ids)
    scoring = "one position" if labels.single_position else "sums"
    print(
        f"{experiment.title}, {words} words ({tokens} tokens, {scoring}): "
        f"{found.equal_labels} of {found.examples} labels equal; largest difference "
        f"{found.normalised_gap:.1e} normalised, {found.raw_gap:.1e} raw; "
        f"the closest two labels are {found.closest_call:.1e} apart",
        flush=True,
    )


def main() -> None:
    """Compare and print."""
    options = parse_options()
    silence_libraries()
    registry = load_registry()
    cases = list(product(options.task or TASKS, options.mode or MODES, options.words or WORDS))
    equal = True
    for name in options.model or MODELS:
        engines = load_engines(registry.model(name))
        for task_name, mode, words in cases:
            task = choose_words(registry.task(task_name), words)
            experiment = build_experiment(engines.spec, task, mode, options.glue, options.examples)
            prompts = prepare_prompts(engines, experiment)
            found = compare(engines, prompts)
            report(experiment, words, prompts.labels, found)
            equal = equal and found.holds
    print("equal" if equal else f"NOT EQUAL: a label differs, or a score by more than {TOLERANCE:g}")
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
