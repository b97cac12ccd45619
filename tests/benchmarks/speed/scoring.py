"""The parts few-shot and zero-shot: the labels of prompts, beside lm-evaluation-harness.

From texts to labels, with the weights loaded before. Ours has all that `run` does in its phases prepare and
evaluate: rendering (theirs is given the rendered texts), encoding with its checks, the proof that the shared
prefix changes no answer, the content-free prompts of the calibration, and the records for the ledger.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

from nlu_arena.backend.score import shared_prefix_length
from nlu_arena.modes.context import Session
from nlu_arena.spec import Mode, PromptStyle
from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.case import Case, build_case
from tests.benchmarks.speed.engine import SCORE, WHOLE, run_mode
from tests.benchmarks.speed.harness import Harness
from tests.benchmarks.speed.limits import Limits, measure_limits
from tests.benchmarks.speed.operations import count_scoring, read_architecture
from tests.benchmarks.speed.pairing import Pairs, Spans, measure_pairs, median_of
from tests.benchmarks.speed.prompt_texts import PromptTexts, render_prompts
from tests.benchmarks.speed.results import Result, rate_result
from tests.benchmarks.speed.traffic import count_scoring_bytes

MODEL = "smollm2-135m"
SHARE_REACH = 0.6
# Rows that the mode scores together.
BATCH = 32


class Kind(NamedTuple):
    """A way to ask: how many times faster ours is to be, and how many examples of each task tell it."""

    mode: Mode
    style: PromptStyle
    reach: float
    sizes: dict[str, int]


KINDS = (
    Kind("few-shot", "chat", 8.0, {"sst2": 128, "rte": 64}),
    Kind("zero-shot", "plain", 1.8, {"sst2": 256, "rte": 128}),
    Kind("zero-shot", "chat", 3.0, {"sst2": 256, "rte": 128}),
)
QUICK_SIZES = {"sst2": 32, "rte": 16}


def compare_scoring(bench: Bench, part: str) -> Iterator[Result]:
    """Measure all kinds of a part."""
    for kind in (kind for kind in KINDS if kind.mode == part):
        for task in bench.tasks:
            for precision in bench.precisions:
                size = bench.size(kind.sizes[task], QUICK_SIZES[task])
                case = build_case(bench.glue, MODEL, task, kind.mode, precision, dev=size, style=kind.style)
                say(f"{part}: {case.title}, {case.size}")
                yield measure_scoring(bench, case, kind.reach)


def measure_scoring(bench: Bench, case: Case, reach: float) -> Result:
    """Measure one case on both sides, or on ours alone where there are to be no peers."""
    session, prompts = Session(bench.device), render_prompts(case)
    warm = run_mode(case, session)
    notes, answers = [], warm.predicted

    def ours() -> Spans:
        return run_mode(case, session).spans

    if bench.has_peers:
        harness = Harness(case.folder, case.experiment.precision, bench.device)
        check_tokens(harness, prompts)
        tokens = statistics.mean(map(len, prompts.rows))
        notes.append(f"prompts of {tokens:.0f} tokens in the mean, the same on both sides")
        tried = harness.choose_batch_size(prompts.texts, prompts.continuations)
        rates = ", ".join(f"{name}: {rate:.1f}" for name, rate in tried.items())
        notes.append(f"lm-eval by batch size (examples/s): {rates}; taken: {harness.batch_size}")

        def theirs() -> Spans:
            nonlocal answers
            began = time.perf_counter()
            answers = harness.answer(prompts.texts, prompts.continuations)
            return {WHOLE: time.perf_counter() - began}

        pairs = measure_pairs(ours, theirs, bench.repeats)
        different = sum(a != b for a, b in zip(warm.predicted, answers, strict=True))
        notes.append(f"{len(answers) - different} of {len(answers)} labels equal")
    else:
        pairs = Pairs([ours() for _ in range(bench.repeats)], [])
        different = 0
    result = finish(pairs, case, reach, find_limits(bench, case, prompts, session), notes)
    # In bfloat16 the sums' roundings, which differ with the batches, may turn near labels round.
    result.has_failed = different > 0 and case.experiment.precision == "float32"
    return result


def finish(pairs: Pairs, case: Case, reach: float, limits: Limits, notes: list[str]) -> Result:
    """Return the figure of a case."""
    part, count, seconds = case.experiment.mode, len(case.dev), median_of(pairs.ours, WHOLE)
    share, alone = limits.share(seconds), median_of(pairs.ours, SCORE)
    rest = {"part": part, "work": case.title, "size": case.size, "share": share, "share_reach": SHARE_REACH}
    notes = [
        *notes,
        limits.note(seconds),
        f"ours without preparation (phase evaluate alone): {count / alone:.1f} examples/s",
    ]
    return rate_result(pairs, WHOLE, count, reach=reach, notes=notes, **rest)


def check_tokens(harness: Harness, prompts: PromptTexts) -> None:
    """Demand that both sides read the same tokens: the work would not be the same."""
    first = prompts.continuations[0]
    for text, row in zip(prompts.texts, prompts.rows, strict=True):
        # Ours have no label yet.
        if harness.tokens(text, first)[: len(row)] != row:
            raise SystemExit(f"lm-eval reads other tokens of the prompt {text[-200:]!r}")


def find_limits(bench: Bench, case: Case, prompts: PromptTexts, session: Session) -> Limits:
    """Count the work of scoring the prompts, and measure how fast it could be done."""
    precision, rows = case.experiment.precision, prompts.rows
    architecture = read_architecture(session.causal_model(case.experiment.model, case.folder, precision))
    work = count_scoring(architecture, rows)
    moved = count_scoring_bytes(architecture, rows, precision, bench.device)
    own = statistics.mean(map(len, rows)) - shared_prefix_length(rows)
    return measure_limits(work, moved, architecture, round(BATCH * own), precision, bench.device)
