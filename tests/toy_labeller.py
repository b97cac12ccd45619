"""A worker without torch that labels: a text with "yes" in it gets the label yes; some texts do more."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

# Also where the package is not installed: a script finds only its own folder.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from nlu_arena import events
from nlu_arena.spec import Example

YES = (math.log(0.25), math.log(0.75))
NO = (math.log(0.875), math.log(0.125))


def say(event: events.Event) -> None:
    sys.stdout.buffer.write(events.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", required=True)
    parser.parse_args()
    say(events.Ready(device_kind="cpu", threads=1, code_version="toy", environment={}))
    for line in sys.stdin.buffer:
        command = events.decode_command(line)
        if isinstance(command, events.Open):
            say(events.Opened())
        elif isinstance(command, events.Label):
            label(command.rows)


def label(rows: list[Example]) -> None:
    for row in rows:
        if row.text in TROUBLE:
            TROUBLE[row.text]()
            return
    say(events.Labelled(scores=[list(YES if "yes" in f"{row.text}{row.pair}" else NO) for row in rows]))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    say(events.Failed(error="RunError", message="a score is not finite", hint="Use float32."))


def hang() -> None:
    threading.Event().wait()


TROUBLE: dict[str, Callable[[], None]] = {"crash": crash, "fail": fail, "hang": hang}


if __name__ == "__main__":
    main()
