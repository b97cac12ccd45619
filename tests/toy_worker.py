"""A worker without torch that speaks the real protocol; the experiment chooses its behaviour.

The task's name says what happens (see `BEHAVIOURS`). Answers depend on the index alone, so that every
undisturbed or continued run of an experiment ends with the same predictions.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

# Also where the package is not installed: a script finds only its own folder.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from nlu_arena import events
from nlu_arena.spec import Example, Prediction

EXAMPLES = 24
CHUNK = 4
EXAMPLE_SET = [Example(text=f"text {index}", label=index % 2) for index in range(EXAMPLES)]


class Toy:
    def __init__(self) -> None:
        self.assignments: queue.Queue[events.Assign] = queue.Queue()
        self.stop = threading.Event()

    def say(self, event: events.Event) -> None:
        sys.stdout.buffer.write(events.encode(event) + b"\n")
        sys.stdout.buffer.flush()

    def listen(self) -> None:
        for line in sys.stdin.buffer:
            command = events.decode_command(line)
            if isinstance(command, events.Stop):
                self.stop.set()
            else:
                self.stop.clear()
                self.assignments.put(command)
        os._exit(0)

    def serve(self) -> None:
        threading.Thread(target=self.listen, daemon=True).start()
        ready = events.Ready(
            device_kind="cpu", threads=1, code_version="toy", environment={"pid": os.getpid()}
        )
        self.say(ready)
        while True:
            self.do(self.assignments.get())

    def do(self, assign: events.Assign) -> None:
        behaviour = BEHAVIOURS.get(assign.experiment.task.name, answer_all)
        self.say(events.PhaseStarted(phase="evaluate"))
        self.say(events.ExampleSet(split="dev", fingerprint="toy", examples=EXAMPLE_SET))
        end = behaviour(self, assign)
        if isinstance(end, events.Finished):
            self.say(events.PhaseFinished(phase="evaluate", seconds=0.5))
            self.say(events.Facts(facts={"pid": os.getpid()}))
        self.say(end)

    def answer(self, assign: events.Assign, chunks: int | None = None, *, stops: bool = True) -> int:
        """Predict what is not answered yet, at most some chunks; return how many were predicted.

        `stops=False` goes on although a stop was asked for, which may come before the first chunk.
        """
        answered = set(assign.answered.get("dev", []))
        rest = [index for index in range(EXAMPLES) if index not in answered]
        pieces = [rest[start : start + CHUNK] for start in range(0, len(rest), CHUNK)][:chunks]
        for piece in pieces:
            if stops and self.stop.is_set():
                break
            self.say(events.Predictions(split="dev", rows=[predict(assign, index) for index in piece]))
            self.say(events.Progress(phase="evaluate", done=piece[-1] + 1, total=EXAMPLES))
        return sum(len(piece) for piece in pieces)


def predict(assign: events.Assign, index: int) -> Prediction:
    gold = index % 2
    predicted = (index * 7 + assign.experiment.seed) % 3 % 2
    scores = (-0.2, -1.7) if predicted == 0 else (-1.7, -0.2)
    return Prediction(index=index, gold=gold, predicted=predicted, scores=scores)


def answer_all(toy: Toy, assign: events.Assign) -> events.Event:
    # What was asked is left behind for the tests: the exact indices that each attempt predicted.
    count = toy.answer(assign)
    with (Path(assign.folder) / "attempts.txt").open("a") as file:
        file.write(f"{count}\n")
    return events.Stopped() if toy.stop.is_set() else events.Finished()


def tell(toy: Toy, assign: events.Assign) -> events.Event:
    toy.say(events.Log(level="info", text="the training goes on from its step 8"))
    toy.say(events.Log(level="warning", text="for the table of results"))
    return answer_all(toy, assign)


def fail(toy: Toy, assign: events.Assign) -> events.Event:
    toy.answer(assign, 2)
    return events.Failed(
        error="ValueError", message="the loss is not finite", hint="Lower the learning rate."
    )


def fail_once(toy: Toy, assign: events.Assign) -> events.Event:
    mark = Path(assign.folder).parent / "failed-once"
    if mark.exists():
        return answer_all(toy, assign)
    mark.touch()
    return fail(toy, assign)


def crash_once(toy: Toy, assign: events.Assign) -> events.Event:
    if not assign.answered:
        return crash_always(toy, assign)
    return answer_all(toy, assign)


def crash_always(toy: Toy, assign: events.Assign) -> events.Event:
    toy.answer(assign, 2)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def crash_at_each_chunk(toy: Toy, assign: events.Assign) -> events.Event:
    """Die after every chunk but the last one."""
    left = EXAMPLES - len(assign.answered.get("dev", []))
    toy.answer(assign, 1)
    if left <= CHUNK:
        return events.Finished()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def double_and_crash(toy: Toy, assign: events.Assign) -> events.Event:
    """Answer the first chunk twice, and die before the scheduler has taken the second for good."""
    rows = [predict(assign, index) for index in range(CHUNK)]
    for _ in range(2):
        toy.say(events.Predictions(split="dev", rows=rows))
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def leave(toy: Toy, assign: events.Assign) -> events.Event:
    print("these are my last words", file=sys.stderr, flush=True)
    os._exit(7)


def hang(toy: Toy, assign: events.Assign) -> events.Event:
    toy.answer(assign, 2)
    while True:
        time.sleep(60)


def wait_for_stop(toy: Toy, assign: events.Assign) -> events.Event:
    """Answer two chunks and stop when asked; on a continued run answer the rest."""
    if assign.answered:
        return answer_all(toy, assign)
    toy.answer(assign, 2, stops=False)
    toy.stop.wait()
    return events.Stopped()


def forget_one(toy: Toy, assign: events.Assign) -> events.Event:
    toy.answer(assign, 2)
    return events.Finished()


def shout(toy: Toy, assign: events.Assign) -> events.Event:
    """Write more to standard error than a pipe holds."""
    for number in range(4000):
        print(f"warning {number}: " + "x" * 100, file=sys.stderr)
    return answer_all(toy, assign)


def babble(toy: Toy, assign: events.Assign) -> events.Event:
    print("Some weights were not initialised", flush=True)
    return answer_all(toy, assign)


BEHAVIOURS: dict[str, Callable[[Toy, events.Assign], events.Event]] = {
    "tells": tell,
    "fails": fail,
    "fails-once": fail_once,
    "crashes-once": crash_once,
    "crashes": crash_always,
    "stumbles": crash_at_each_chunk,
    "doubles": double_and_crash,
    "leaves": leave,
    "hangs": hang,
    "waits": wait_for_stop,
    "forgets": forget_one,
    "shouts": shout,
    "babbles": babble,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", required=True)
    parser.add_argument("--dead", action="store_true", help="die before Ready")
    parser.add_argument("--mute", action="store_true", help="never say Ready")
    args = parser.parse_args()
    if args.dead:
        sys.exit("ModuleNotFoundError: No module named 'torch'")
    if args.mute:
        sys.stdin.read()
        return
    Toy().serve()


if __name__ == "__main__":
    main()
