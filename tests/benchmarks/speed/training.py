"""The parts fine-tune and lora: training on the same rows in the same number of steps, beside the Trainer.

Two figures each: the training alone (our phase train, their `train()`), and the whole fit. The whole fit of
fine-tuning goes from texts to the dev labels of the saved model; ours reads that model anew, proves it, and
answers in float32. The whole fit of LoRA ends with the saved adapter, without the dev prompts.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from nlu_arena.backend.encode import encode_texts
from nlu_arena.backend.score import shared_prefix_length
from nlu_arena.backend.weights import load_classifier, load_tokenizer
from nlu_arena.modes.context import Session
from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.case import Case, build_case
from tests.benchmarks.speed.engine import SAVED, TRAIN, WHOLE, run_mode
from tests.benchmarks.speed.limits import Limits, measure_limits
from tests.benchmarks.speed.operations import count_adapting, count_tuning, read_architecture
from tests.benchmarks.speed.pairing import Pairs, Side, Spans, measure_pairs, median_of
from tests.benchmarks.speed.peer_training import adapt_decoder, tune_classifier
from tests.benchmarks.speed.prompt_texts import render_prompts
from tests.benchmarks.speed.results import Result, rate_result
from tests.benchmarks.speed.traffic import count_adapting_bytes, count_tuning_bytes

ENCODER, DECODER = "minilm", "smollm2-135m"
ROWS = {"fine-tune": {"sst2": 512, "rte": 256}, "lora": {"sst2": 128, "rte": 64}}
QUICK_ROWS = {"fine-tune": 64, "lora": 16}
DEV = {"fine-tune": 256, "lora": 8}
BATCH = 32
# One epoch, and texts cut where the documented recipe cuts them.
TUNING = {"epochs": 1, "batch_size": BATCH, "max_length": 128}
# Long enough that no prompt is cut.
ADAPTING = {"epochs": 1, "batch_size": BATCH, "max_length": 1024, "lora": {"rank": 16}}
DOCUMENTED_REACH = {"sst2": 10.0, "rte": 3.0}
TUNED_REACH, LORA_REACH = 1.2, 1.5
SHARE_REACH = {"fine-tune": 0.45, "lora": 0.4}


class Rival(NamedTuple):
    """What ours is measured against: its name, how to execute it, and how many times faster ours is to be."""

    name: str
    run: Side
    reach: float


def compare_tuning(bench: Bench) -> Iterator[Result]:
    """Measure fine-tuning against both recipes."""
    for task in bench.tasks:
        case = _build(bench, ENCODER, task, "fine-tune")
        rivals = [
            Rival(
                "run_glue documented",
                partial(tune_classifier, case, "documented", bench.device),
                DOCUMENTED_REACH[task],
            ),
            Rival("Trainer tuned", partial(tune_classifier, case, "tuned", bench.device), TUNED_REACH),
        ]
        yield from _compare(bench, case, rivals, _limit_tuning)


def compare_adapting(bench: Bench) -> Iterator[Result]:
    """Measure LoRA against peft."""
    for task in bench.tasks:
        case = _build(bench, DECODER, task, "lora")
        rival = partial(adapt_decoder, case, render_prompts(case), bench.device)
        yield from _compare(bench, case, [Rival("peft + Trainer tuned", rival, LORA_REACH)], _limit_adapting)


def _build(bench: Bench, model: str, task: str, mode: str) -> Case:
    tuned = mode == "fine-tune"
    return build_case(
        bench.glue,
        model,
        task,
        "fine-tune" if tuned else "lora",
        bench.fast,
        dev=bench.size(DEV[mode], 8),
        train=bench.rows(ROWS[mode][task], QUICK_ROWS[mode]),
        settings=TUNING if tuned else ADAPTING,
    )


def _compare(
    bench: Bench, case: Case, rivals: list[Rival], limit: Callable[[Bench, Case], Limits]
) -> Iterator[Result]:
    """Measure a case against each of its rivals, or ours alone where there are to be no peers."""

    def ours() -> Spans:
        # Both load tokenizer and weights within the clock: nothing is kept from the execution before.
        spans = run_mode(case, Session(bench.device)).spans
        # Their LoRA has no dev prompts to answer.
        return spans if case.experiment.mode == "fine-tune" else spans | {WHOLE: spans[SAVED]}

    say(f"{case.experiment.mode}: {case.title}, {case.size}")
    ours()
    if not bench.has_peers:
        yield from _figures(case, Pairs([ours() for _ in range(bench.repeats)], []), limit(bench, case), None)
        return
    for rival in rivals:
        say(f"  against {rival.name}")
        rival.run()
        pairs = measure_pairs(ours, rival.run, bench.repeats)
        yield from _figures(case, pairs, limit(bench, case), rival)


def _figures(case: Case, pairs: Pairs, limits: Limits, rival: Rival | None) -> Iterator[Result]:
    rows, mode = len(case.data.train), case.experiment.mode
    against = f" against {rival.name}" if rival else ""
    seconds = median_of(pairs.ours, TRAIN)
    yield rate_result(
        pairs,
        TRAIN,
        rows,
        part=mode,
        work=f"{case.title}, training{against}",
        size=case.size,
        reach=rival.reach if rival else None,
        share=limits.share(seconds),
        share_reach=SHARE_REACH[mode],
        notes=[limits.note(seconds)],
    )
    yield rate_result(pairs, WHOLE, rows, part=mode, work=f"{case.title}, whole fit{against}", size=case.size)


def _limit_tuning(bench: Bench, case: Case) -> Limits:
    experiment, tokenizer = case.experiment, load_tokenizer(case.folder)
    model = load_classifier(experiment.model, experiment.task, case.folder, bench.device).model
    architecture = read_architecture(model)
    texts = encode_texts(tokenizer, case.data.train, TUNING["max_length"])
    occurring = {token for row in texts.rows for token in row["input_ids"]}
    return measure_limits(
        count_tuning(architecture, texts.lengths, TUNING["epochs"]),
        count_tuning_bytes(
            architecture,
            len(occurring) * model.get_input_embeddings().embedding_dim,
            _count_steps(case, TUNING["epochs"]),
            experiment.precision,
        ),
        architecture,
        round(BATCH * statistics.mean(texts.lengths)),
        experiment.precision,
        bench.device,
    )


def _limit_adapting(bench: Bench, case: Case) -> Limits:
    precision, rows = case.experiment.precision, render_prompts(case).train_rows
    session = Session(bench.device)
    architecture = read_architecture(session.causal_model(case.experiment.model, case.folder, precision))
    lora = case.experiment.train.lora if case.experiment.train else None
    rank = lora.rank if lora else 0
    return measure_limits(
        count_adapting(architecture, rows, BATCH, 1, rank),
        count_adapting_bytes(architecture, rank, _count_steps(case, 1), precision),
        architecture,
        round(BATCH * (statistics.mean(map(len, rows)) - shared_prefix_length(rows))),
        precision,
        bench.device,
    )


def _count_steps(case: Case, epochs: int) -> int:
    return epochs * math.ceil(len(case.data.train) / BATCH)
