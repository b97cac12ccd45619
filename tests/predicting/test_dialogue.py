"""The talk with a worker: who waits for whom, and what is said when it fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pytest

from nlu_arena import events
from nlu_arena.datafile import DataRow
from nlu_arena.errors import CannotStartError, RunError
from nlu_arena.lane import Patience
from nlu_arena.predicting.dialogue import UNDER_WAY, label_chunks, open_model
from nlu_arena.predicting.texts import Chunk
from nlu_arena.spec import Example
from nlu_arena.workers import WorkerDied
from tests.toys import experiment

READY = events.Ready(device_kind="cpu", threads=1, code_version="", environment={})
OPENING = events.Open(experiment=experiment(), weights_dir="", folder="")
PATIENCE = Patience()


class Scripted:
    """A worker that says what is written for it; None is silence, and after the last word it is dead."""

    def __init__(self, *script: events.Event | None) -> None:
        self.script = deque(script)
        self.sent: list[events.Command] = []
        self.stopped = False

    pid = 1
    stderr = "warning\nno memory left"

    def start(self) -> None:
        pass

    def send(self, command: events.Command) -> None:
        self.sent.append(command)

    def receive(self, timeout: float) -> events.Event | None:
        if not self.script:
            raise WorkerDied("was killed", -9, self.stderr)
        return self.script.popleft()

    def stop(self, grace: float = 5.0) -> None:
        self.stopped = True


def chunk(*texts: str) -> Chunk:
    rows = [DataRow(number, {"text": text}) for number, text in enumerate(texts, 1)]
    return Chunk(rows, [Example(text=text, label=0) for text in texts])


def test_the_model_is_opened_once_the_worker_is_ready() -> None:
    worker = Scripted(READY, events.Opened())
    open_model(worker, OPENING, PATIENCE)
    assert worker.sent == [OPENING]


@pytest.mark.parametrize(
    ("script", "message", "hint"),
    [
        ([], "the worker was killed before the model was loaded", "Its last words: no memory left"),
        (
            [READY, events.Failed(error="RunError", message="it is torn", hint="Again.")],
            "it is torn",
            "Again.",
        ),
        (
            [READY, events.Failed(error="KeyError", message="'x'", traceback="lines")],
            "KeyError: 'x'",
            "",
        ),
        ([None], "gave no sign of life where Ready was expected before the model was loaded", "Its last"),
        ([READY, events.Finished()], "said Finished where Opened was expected", "Its last"),
    ],
)
def test_a_model_that_cannot_be_opened_is_an_obstacle_with_its_reason(
    script: list[events.Event | None], message: str, hint: str
) -> None:
    with pytest.raises(CannotStartError) as error:
        open_model(Scripted(*script), OPENING, PATIENCE)
    assert message in error.value.message
    assert hint in error.value.hint


def test_chunks_come_back_in_their_order_and_few_are_under_way() -> None:
    chunks = [chunk(f"text {number}") for number in range(5)]
    worker = Scripted(*(events.Labelled(scores=[[-float(number)]]) for number in range(5)))
    read = 0

    def read_chunks() -> Iterator[Chunk]:
        nonlocal read
        for read, one in enumerate(chunks, 1):  # noqa: B007
            yield one

    heard = []
    for answered, said in label_chunks(worker, read_chunks(), PATIENCE):
        heard.append((answered, said.scores))
        assert read - len(heard) < UNDER_WAY
    assert heard == [(one, [[-float(number)]]) for number, one in enumerate(chunks)]
    assert worker.sent == [events.Label(rows=one.examples) for one in chunks]


def test_a_chunk_without_texts_asks_nothing_and_keeps_its_place() -> None:
    empty = Chunk([DataRow(1, {})], [None])
    chunks = [chunk("a"), empty, empty, chunk("b")]
    worker = Scripted(events.Labelled(scores=[[0.0]]), events.Labelled(scores=[[-1.0]]))
    heard = [(answered, said.scores) for answered, said in label_chunks(worker, chunks, PATIENCE)]
    assert heard == [(chunks[0], [[0.0]]), (empty, []), (empty, []), (chunks[3], [[-1.0]])]
    assert [len(sent.rows) for sent in worker.sent if isinstance(sent, events.Label)] == [1, 1]


def test_a_worker_that_dies_is_said_after_what_it_had_answered() -> None:
    labelled = label_chunks(Scripted(events.Labelled(scores=[[0.0]])), [chunk("a"), chunk("b")], PATIENCE)
    assert next(labelled)[1].scores == [[0.0]]
    with pytest.raises(RunError, match="the worker was killed while it labelled") as error:
        next(labelled)
    assert error.value.hint == "Its last words: no memory left"


def test_a_worker_that_says_something_else_is_ended() -> None:
    worker = Scripted(events.Opened())
    with pytest.raises(RunError, match="said Opened where Labelled was expected"):
        list(label_chunks(worker, [chunk("a")], PATIENCE))
    assert worker.stopped
