"""The speed of this package beside what people would use instead: one table, and JSON.

    python -m tests.benchmarks.speed GLUE_DIR [--part P ...] [--task T ...] [--repeats 5] [--json FILE]
        [--examples N] [--train-rows N] [--device D] [--before REV] [--no-peers] [--quick] [--full]

Needs the extra `bench`. A figure is a ratio of two programs that do the same work in one process: the same
weights (from this package's cache), examples, type of the products and threads, after a warm-up of each, in
turns (A B, B A, ...), the median of the pairs' ratios with its quartiles. Ours is the engine as `run` uses
it: the modes themselves, with all their checks (`engine`).

- few-shot, zero-shot: against lm-evaluation-harness. Both go from texts to labels with the weights loaded
  before; both read the very same tokens, which is checked, and a prompt once for its one-token labels. Theirs
  takes the fastest of its batch sizes 1, 8, 32 and auto, found in the warm-up, and is given rendered texts;
  ours renders them, checks them, and reads the content-free prompts besides (`scoring`, `harness`).
- fine-tune, lora: against transformers' run_glue recipe as documented, the tuned `Trainer`, and peft with the
  latter: the same rows, batch size, steps and hyperparameters; each side's own batches, and its own loss in
  LoRA (`training`, `peer_training`). The documented recipe alone computes in float32, as its command line
  says, where ours takes what `run` takes. Whether accuracies are equal says `tests.benchmarks.trainer`.
- rate: the matrix rate at the models' own shapes, alone. In the other parts it is measured in the same run,
  and so is the bandwidth of the memory (`memory_rate`). A note says how long a minimal program would take by
  either, its counted operations over the rate (`operations`; the share is that of our seconds) and its bytes
  of weights over the bandwidth (`traffic`), beside what ours took.
- overhead: the whole quick sweep in a process of its own, in and out of model work, against a revision with
  --before.
- growth: `run` on 1,000 and 16,000 rows (60,000 with --full), speed and memory. plan: 10,000 experiments.

Exit code 1: labels differ in float32. A ratio below what is to be reached is shown and is no error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nlu_arena.backend.device import open_device
from nlu_arena.backend.weights import silence_libraries
from nlu_arena.hardware import find_devices
from tests.benchmarks.speed.bench import Bench
from tests.benchmarks.speed.growth import measure_growth
from tests.benchmarks.speed.matrix_rate import measure_rates
from tests.benchmarks.speed.overhead import measure_overhead
from tests.benchmarks.speed.planning import measure_planning
from tests.benchmarks.speed.results import Result, print_table, write_json
from tests.benchmarks.speed.scoring import compare_scoring
from tests.benchmarks.speed.training import compare_adapting, compare_tuning

PARTS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "few-shot": partial(compare_scoring, part="few-shot"),
    "zero-shot": partial(compare_scoring, part="zero-shot"),
    "fine-tune": compare_tuning,
    "lora": compare_adapting,
    "rate": measure_rates,
    "overhead": measure_overhead,
    "growth": measure_growth,
    "plan": measure_planning,
}
TASKS = ("sst2", "rte")
QUICK_REPEATS = 2


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("glue", type=Path, help="a folder in the layout of the GLUE download")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--task", choices=TASKS, nargs="+", default=TASKS)
    parser.add_argument("--repeats", type=int, help="pairs of executions; 5 unless --quick")
    parser.add_argument("--examples", type=int, help="scored examples of each case")
    parser.add_argument("--train-rows", type=int, help="trained examples of each case")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--before", metavar="REV", help="of the part overhead: measure this revision beside")
    parser.add_argument("--no-peers", action="store_true", help="ours alone, with its share of the rate")
    parser.add_argument("--quick", action="store_true", help="few examples, two pairs: does it work at all?")
    parser.add_argument("--full", action="store_true", help="of the part growth: 60,000 rows")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def build_bench(options: argparse.Namespace) -> Bench:
    """Return what the parts read of the command line."""
    found = next(device for device in find_devices() if device.name == options.device)
    return Bench(
        glue=options.glue.resolve(),
        device=open_device(options.device),
        fast="bfloat16" if found.fast_bfloat16 else "float32",
        repeats=options.repeats or (QUICK_REPEATS if options.quick else 5),
        tasks=options.task,
        examples=options.examples,
        train_rows=options.train_rows,
        before=options.before,
        is_quick=options.quick,
        is_full=options.full,
        has_peers=not options.no_peers,
    )


def main() -> None:
    """Measure; print every part as it ends, and write the JSON anew with every figure: it may be stopped."""
    options = parse_options()
    silence_libraries()
    bench = build_bench(options)
    results: list[Result] = []
    for name in options.part:
        begun = len(results)
        for result in PARTS[name](bench):
            results.append(result)
            if options.json is not None:
                write_json(results, options.json, bench.device)
        print_table(results[begun:])
    sys.exit(1 if any(result.has_failed for result in results) else 0)


if __name__ == "__main__":
    main()
