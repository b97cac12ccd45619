"""What many tests share: a calm environment, tiny models, a task and an experiment on it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

# Before anything imports a screen or a numerical library: colours and widths are fixed, threads are few.
for name in (
    "NO_COLOR",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "COLORTERM",
    "NLU_ARENA_DATA",
    "NLU_ARENA_MODELS",
    "NLU_ARENA_RESULTS",
    "NLU_ARENA_DISPLAY",
):
    os.environ.pop(name, None)
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# A test run in the background (`nohup`, `&`) is born deaf to these, and so would be the programs it starts.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

from nlu_arena.spec import (  # noqa: E402
    Columns,
    DataRef,
    Experiment,
    LocalWeights,
    ModelSpec,
    PromptSpec,
    TableData,
    TaskData,
    TaskSpec,
)

MakeExperiment = Callable[..., Experiment]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach: those of tmp_path are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="arena-test-"))
    folder.chmod(0o755)
    yield folder
    for item in (folder, *folder.rglob("*")):
        item.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT encoder."""
    from tests.tiny import build_bert

    return build_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama decoder with a chat template."""
    from tests.tiny import build_decoder

    return build_decoder(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture
def opinion_task() -> TaskSpec:
    """A two-label task on single texts whose data lie in a folder "opinions"."""
    return TaskSpec(
        name="opinions",
        title="Opinions",
        type="sentiment",
        labels=("negative", "positive"),
        train_rows=32,
        difficulty="easy",
        licence="Apache-2.0",
        prompt=PromptSpec(
            instruction="Is the review negative or positive?",
            template="Sentence: {text}",
            cue="Opinion:",
            words={"negative": "negative", "positive": "positive"},
        ),
        data=TaskData(
            file=TableData(
                folder="opinions",
                columns=Columns(text="text", label="label"),
                train="train.jsonl",
                dev={"dev": "dev.jsonl"},
            )
        ),
    )


@pytest.fixture
def opinion_data(tmp_path: Path) -> Path:
    """The folder that holds the opinion task's files: 32 training and 21 dev rows, easily told apart."""
    folder = tmp_path / "data" / "opinions"
    folder.mkdir(parents=True)
    praise = ["warm and funny", "a surprise", "positive from start to end", "music for everybody"]
    blame = ["dull", "cold soup", "wrong twice", "nothing to say"]
    subjects = ["The film", "A book", "The waiter", "The theatre", "The bill", "The premise"]

    def row(number: int) -> dict[str, str]:
        word = (praise if number % 2 else blame)[number // 2 % 4]
        tail = " and so am I" * (number % 5)
        label = "positive" if number % 2 else "negative"
        return {"text": f"{subjects[number // 3 % 6]} number {number} was {word}{tail}.", "label": label}

    for name, numbers in (("train", range(32)), ("dev", range(32, 53))):
        lines = [msgspec.json.encode(row(number)).decode() for number in numbers]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def make_experiment(opinion_task: TaskSpec, opinion_data: Path) -> MakeExperiment:
    """Return a maker of experiments with a tiny model on the opinion task."""

    def make(family: str, weights: Path, mode: str, **settings: object) -> Experiment:
        model = ModelSpec(
            name=f"tiny-{family}",
            title="Tiny",
            slug="tiny",
            family=family,  # type: ignore[arg-type]
            parameters=1000,
            use_case="tests",
            licence="Apache-2.0",
            weights=LocalWeights(path=str(weights)),
            prompt_style="chat",
        )
        data = DataRef(source="file", location=str(opinion_data), identity="opinions")
        defaults: dict[str, object] = {
            "model": model,
            "task": opinion_task,
            "mode": mode,
            "data": data,
            "weights_identity": "local:tiny",
            "precision": "float32",
        }
        return Experiment(**{**defaults, **settings})  # type: ignore[arg-type]

    return make
