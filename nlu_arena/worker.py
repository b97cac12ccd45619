"""The child process that computes: commands come in as JSON lines, events go out as JSON lines.

It exits when its input closes, so a scheduler that dies leaves no orphan behind.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from nlu_arena.errors import ArenaError
from nlu_arena.events import (
    Assign,
    Event,
    Failed,
    Finished,
    Label,
    Open,
    Ready,
    Stop,
    Stopped,
    decode_command,
    encode,
)


def main() -> None:
    """Serve experiments until standard input closes."""
    parser = argparse.ArgumentParser(prog="python -m nlu_arena.worker")
    parser.add_argument("--device", required=True)
    serve(parser.parse_args().device, sys.stdin.buffer, claim_stdout())


def claim_stdout() -> BinaryIO:
    """Keep standard output for events alone: what libraries print there goes to standard error instead."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return events


def serve(device_name: str, commands: BinaryIO, events: BinaryIO) -> None:
    """Announce the worker, then do one assignment after the other, or label texts."""
    tasks: queue.Queue[Assign | Open | Label] = queue.Queue()
    stop = threading.Event()
    # Started before the slow imports: a scheduler that is gone by then must not be waited for.
    threading.Thread(target=listen, args=(commands, tasks, stop), daemon=True).start()

    from nlu_arena.backend.device import code_version, describe_environment, open_device
    from nlu_arena.backend.weights import silence_libraries
    from nlu_arena.modes import finetune, labelling, lora, prompting
    from nlu_arena.modes.context import RunContext, Session

    silence_libraries()
    device = open_device(device_name)
    session = Session(device)
    modes: dict[str, Callable[[RunContext], None]] = {
        "fine-tune": finetune.run,
        "zero-shot": prompting.run,
        "few-shot": prompting.run,
        "lora": lora.run,
    }

    def emit(event: Event) -> None:
        events.write(encode(event) + b"\n")
        events.flush()

    environment = describe_environment(device)
    emit(
        Ready(
            device_kind=device.type,
            threads=environment["threads"],
            code_version=code_version(),
            environment=environment,
        )
    )
    while True:
        match tasks.get():
            case Assign() as assignment:
                mode = modes[assignment.experiment.mode]
                emit(attempt(partial(mode, RunContext(assignment, session, emit, stop))))
            case Open() as opening:
                emit(attempt(partial(labelling.serve_labels, opening, session, tasks.get, emit)))
            case Label():
                # It was under way when the labelling failed, which has been said.
                continue


def attempt(work: Callable[[], None]) -> Event:
    """Do one experiment and return how it ended; an error ends the experiment, never the worker."""
    from nlu_arena.backend.device import is_out_of_memory
    from nlu_arena.modes.context import StopRequestedError

    try:
        work()
    except StopRequestedError:
        return Stopped()
    except ArenaError as error:
        return Failed(error=type(error).__name__, message=error.message, hint=error.hint)
    except Exception as error:
        hint = "Use a smaller model, or free memory." if is_out_of_memory(error) else ""
        return Failed(
            error=type(error).__name__, message=str(error), hint=hint, traceback=traceback.format_exc()
        )
    return Finished()


def listen(commands: BinaryIO, tasks: queue.Queue[Assign | Open | Label], stop: threading.Event) -> None:
    """Read commands until the scheduler is gone, then leave at once, in the middle of work if need be."""
    for line in commands:
        command = decode_command(line)
        if isinstance(command, Stop):
            stop.set()
        else:
            # Here and not when it is taken up: a stop may already be behind it in the pipe.
            stop.clear()
            tasks.put(command)
    os._exit(0)


if __name__ == "__main__":
    main()
