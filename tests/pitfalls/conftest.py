"""What the tests of the known pitfalls share: runs on tiny models, tokenizers in the real files' formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from nlu_arena.registry import Registry, load_registry
from nlu_arena.spec import DataRef, Experiment, LocalWeights
from tests.modes.conftest import make_cell, short_probe
from tests.standin.repository import Repository
from tests.tiny import build_decoder

__all__ = ["make_cell", "short_probe"]

MakeCase = Callable[..., Experiment]
WriteRows = Callable[[str, list[dict[str, str]]], None]


@pytest.fixture(scope="session")
def shipped() -> Registry:
    """The registry of the manifests that ship."""
    return load_registry()


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of tiny models in the real files' formats, by repository."""
    from tests.standin.checkpoints import build_models

    def write(repository: Repository) -> Path:
        folder = tmp_path_factory.mktemp(repository.name.rpartition("/")[2])
        for name, content in repository.files.items():
            if "/" not in name:
                (folder / name).write_bytes(content)
        return folder

    return {repository.name: write(repository) for repository in build_models()}


@pytest.fixture
def write_rows(opinion_data: Path) -> WriteRows:
    """Return a writer of a split of the opinion task."""

    def write(split: str, rows: list[dict[str, str]]) -> None:
        lines = (msgspec.json.encode(row).decode() + "\n" for row in rows)
        (opinion_data / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")

    return write


@pytest.fixture
def on_starter(make_cell: Callable[[str], Experiment], shipped: Registry) -> MakeCase:
    """Return a maker of experiments on a shipped task and its starter data, on a tiny model."""

    def make(cell: str, task: str, **changes: object) -> Experiment:
        starter = DataRef(source="starter", location="starter", identity="starter")
        settings = {"task": shipped.task(task), "data": starter, **changes}
        return msgspec.structs.replace(make_cell(cell), **settings)

    return make


def with_weights(experiment: Experiment, folder: Path, **changes: object) -> Experiment:
    """Return the experiment with the weights of another folder, and other changes of its model."""
    weights = LocalWeights(path=str(folder), allow_pickle=bool(changes.pop("allow_pickle", False)))
    model = msgspec.structs.replace(experiment.model, weights=weights, **changes)
    return msgspec.structs.replace(experiment, model=model)


def with_other_files(experiment: Experiment) -> Experiment:
    """Return the experiment on what is in its files by now."""
    data = msgspec.structs.replace(experiment.data, identity="other bytes")
    return msgspec.structs.replace(experiment, data=data)


def with_words(experiment: Experiment, **words: str) -> Experiment:
    """Return the experiment with other label words."""
    prompt = msgspec.structs.replace(experiment.task.prompt, words=words)
    return msgspec.structs.replace(experiment, task=msgspec.structs.replace(experiment.task, prompt=prompt))


@pytest.fixture(scope="session")
def bos_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama whose tokenizer begins every text with a BOS token."""
    return build_decoder(tmp_path_factory.mktemp("bos-llama"), add_bos=True)
