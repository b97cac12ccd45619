"""Signals while a command works: once to stop, twice to stop now."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

# A download whose threads do not end: Python waits for them, unless it is told not to.
STUBBORN = """
import threading, time
from nlu_arena.cli.interruption import Interruption
with Interruption():
    threading.Thread(target=time.sleep, args=(60,)).start()
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_second_ctrl_c_does_not_wait_for_the_threads_of_a_download() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    # The first is heard before the second comes: equal signals under way count once.
    assert process.stderr is not None
    assert process.stderr.readline() == "stopped\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    # By the signal itself, which a shell shows as 130.
    assert process.wait(timeout=30) == -signal.SIGINT
    assert time.monotonic() - began < 10
