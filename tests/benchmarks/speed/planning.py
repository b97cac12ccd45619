"""The part plan: the seconds that 10,000 experiments take to be planned, with the key of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import msgspec

from nlu_arena.hardware import find_cpu
from nlu_arena.plan import build_plan
from nlu_arena.profile import Block, Profile
from nlu_arena.registry import load_registry
from nlu_arena.sources import weights_identity
from nlu_arena.spec import Mode
from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.results import Result

# Nine for each seed.
SEEDS = 1112
MODELS: dict[str, tuple[Mode, ...]] = {"minilm": ("fine-tune",), "smollm2-135m": ("few-shot", "lora")}
TASKS = ("sst2", "rte", "mnli")
MOST_SECONDS = 1.0


def measure_planning(bench: Bench) -> Iterator[Result]:
    """Measure the plan, with the reading of the manifests and the hashes of the data."""
    say("plan")
    blocks = tuple(Block(models=(name,), modes=modes, tasks=TASKS) for name, modes in MODELS.items())
    profile = Profile(
        name="many", description="", blocks=blocks, data="starter", seeds=tuple(range(1, SEEDS + 1))
    )
    seconds = []
    for _ in range(bench.repeats):
        began = time.perf_counter()
        plan = build_plan(profile, load_registry(), [find_cpu()], weights_identity=weights_identity)
        seconds.append(time.perf_counter() - began)
    taken = statistics.median(seconds)
    yield Result(
        part="plan",
        work=f"{len({experiment.key for experiment in plan}):,} experiments",
        size=f"{len(msgspec.json.encode(plan)) / 1e6:.0f} MB of definitions",
        unit="s",
        ours=taken,
        repeats=bench.repeats,
        notes=[f"to be under {MOST_SECONDS:g} s: {'ok' if taken < MOST_SECONDS else 'ABOVE'}"],
    )
