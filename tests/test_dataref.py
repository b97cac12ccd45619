"""Data are named by their content: the same files are the same data wherever they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from nlu_arena.dataref import check_unchanged, resolve_data, split_files
from nlu_arena.errors import CannotStartError, RunError, UsageError
from nlu_arena.paths import starter_dir
from nlu_arena.registry import load_registry
from nlu_arena.spec import Columns, TableData, TaskData, TaskSpec


@pytest.fixture(scope="module")
def mnli() -> TaskSpec:
    return load_registry().tasks["mnli"]


@pytest.fixture
def glue(tmp_path: Path, mnli: TaskSpec) -> Path:
    """A folder in the layout of the GLUE download with the one task."""
    folder = tmp_path / "glue" / "MNLI"
    folder.mkdir(parents=True)
    for name in ("train.tsv", "dev_matched.tsv", "dev_mismatched.tsv"):
        (folder / name).write_text(f"sentence1\tsentence2\tgold_label\na\tb\tneutral\n{name}\tb\tneutral\n")
    return folder.parent


def test_hub_data_are_named_by_repository_commit_and_configuration(mnli: TaskSpec) -> None:
    ref = resolve_data(mnli, "hub")
    assert ref.source == "hub"
    assert ref.identity == "nyu-mll/glue@bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c/mnli"
    assert split_files(mnli, ref) == {}


def test_starter_data_are_named_by_the_content_of_all_splits(mnli: TaskSpec) -> None:
    ref = resolve_data(mnli, "starter")
    assert (ref.source, ref.location) == ("starter", "starter")
    assert ref.identity.startswith("sha256:")
    files = split_files(mnli, ref)
    assert list(files) == ["train", "matched", "mismatched"]
    assert all(path.is_file() and path.is_relative_to(starter_dir()) for path in files.values())


def test_a_glue_folder_is_the_same_data_wherever_it_is(mnli: TaskSpec, glue: Path, tmp_path: Path) -> None:
    first = resolve_data(mnli, str(glue))
    second = resolve_data(mnli, str(shutil.copytree(glue, tmp_path / "copy")))
    assert first.source == "glue-dir"
    assert Path(first.location) == glue
    assert first.identity == second.identity
    assert first.location != second.location


@pytest.mark.parametrize("name", ["train.tsv", "dev_matched.tsv", "dev_mismatched.tsv"])
def test_a_changed_file_is_other_data(mnli: TaskSpec, glue: Path, name: str) -> None:
    before = resolve_data(mnli, str(glue)).identity
    with (glue / "MNLI" / name).open("a") as file:
        file.write("x\ty\tneutral\n")
    assert resolve_data(mnli, str(glue)).identity != before


def test_splits_that_change_places_are_other_data(mnli: TaskSpec, glue: Path) -> None:
    before = resolve_data(mnli, str(glue)).identity
    matched, mismatched = glue / "MNLI" / "dev_matched.tsv", glue / "MNLI" / "dev_mismatched.tsv"
    texts = matched.read_text(), mismatched.read_text()
    mismatched.write_text(texts[0])
    matched.write_text(texts[1])
    assert resolve_data(mnli, str(glue)).identity != before


def test_a_relative_folder_is_seen_from_here(
    mnli: TaskSpec, glue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(glue.parent)
    assert Path(resolve_data(mnli, "glue").location) == glue


def test_a_missing_file_is_named(mnli: TaskSpec, glue: Path) -> None:
    missing = glue / "MNLI" / "dev_mismatched.tsv"
    missing.unlink()
    with pytest.raises(CannotStartError, match="task mnli are not complete") as caught:
        resolve_data(mnli, str(glue))
    assert str(missing) in caught.value.message


def test_a_misspelt_source_is_taken_for_a_folder_and_the_source_suggested(mnli: TaskSpec) -> None:
    with pytest.raises(CannotStartError, match="no data folder") as caught:
        resolve_data(mnli, "stater")
    assert "starter" in caught.value.hint


def with_data(task: TaskSpec, data: TaskData) -> TaskSpec:
    return msgspec.structs.replace(task, data=data)


def test_a_task_without_data_from_there_says_where_it_has_some(mnli: TaskSpec, glue: Path) -> None:
    task = with_data(mnli, TaskData(hub=mnli.data.hub))
    for data in ("starter", str(glue)):
        with pytest.raises(UsageError, match="task mnli has no data from") as caught:
            resolve_data(task, data)
        assert caught.value.hint == "It has: hub."


def test_files_that_change_after_the_planning_are_found_out(mnli: TaskSpec, glue: Path) -> None:
    ref = resolve_data(mnli, str(glue))
    check_unchanged(mnli, ref)
    file = split_files(mnli, ref)["train"]
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(RunError, match="the data of the task mnli have changed since the sweep began"):
        check_unchanged(mnli, ref)


def test_a_task_with_files_of_its_own_is_read_from_them(mnli: TaskSpec, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (rows / name).write_text("{}\n")
    table = TableData(
        folder=str(rows), columns=Columns(text="t", label="l"), train="a.jsonl", dev={"dev": "b.jsonl"}
    )
    task = with_data(mnli, TaskData(file=table))
    for data in ("hub", "starter"):
        ref = resolve_data(task, data)
        assert (ref.source, ref.location) == ("file", str(rows))
        assert split_files(task, ref) == {"train": rows / "a.jsonl", "dev": rows / "b.jsonl"}
