"""Whole splits are told from samples and from other data by their rows and labels."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.census import count_labels, find_differences
from nlu_arena.dataref import resolve_data, split_files
from nlu_arena.registry import load_registry
from nlu_arena.spec import Example, Published, TaskSpec
from nlu_arena.tables import read_file_split

GLUE = Path(__file__).resolve().parents[1].parent / "shared" / "glue"


@pytest.fixture
def task(opinion_task: TaskSpec) -> TaskSpec:
    """A task whose train is published by its size, and whose dev split by its labels too."""
    published = Published(name="Opinions 1", counts={"train": 67_000, "dev": (428, 444)})
    return msgspec.structs.replace(opinion_task, published=published)


def test_the_rows_of_each_label_are_counted_in_the_order_of_the_labels() -> None:
    examples = [Example(text="x", label=label) for label in (2, 0, 2, 2)]
    assert count_labels(examples, 4) == (1, 0, 3, 0)
    assert count_labels([], 2) == (0, 0)


def test_what_is_published_differs_in_nothing(task: TaskSpec) -> None:
    assert find_differences(task, {"train": (30_000, 37_000), "dev": (428, 444)}) == {}
    assert find_differences(task, {}) == {}


def test_another_number_of_rows_is_said(task: TaskSpec) -> None:
    assert find_differences(task, {"train": (500, 700), "dev": (60, 60)}) == {
        "train": "1,200 rows, Opinions 1 has 67,000",
        "dev": "120 rows, Opinions 1 has 872",
    }


def test_other_labels_of_as_many_rows_are_said_also_when_they_are_exchanged(task: TaskSpec) -> None:
    assert find_differences(task, {"dev": (430, 442)}) == {"dev": "labels 430/442, Opinions 1 has 428/444"}
    assert find_differences(task, {"dev": (444, 428)}) == {"dev": "labels 444/428, Opinions 1 has 428/444"}


def test_where_nothing_is_published_nothing_differs(task: TaskSpec) -> None:
    assert find_differences(task, {"other": (1, 1)}) == {}
    assert find_differences(msgspec.structs.replace(task, published=None), {"dev": (1, 1)}) == {}


@pytest.mark.skipif(not GLUE.is_dir(), reason="needs GLUE data in a folder beside the checkout")
@pytest.mark.parametrize(
    ("name", "differences"),
    [
        ("sst2", {}),
        ("rte", {}),
        (
            "mnli",
            {
                "train": "1,200 rows, GLUE has 392,702",
                "matched": "500 rows, GLUE has 9,815",
                "mismatched": "300 rows, GLUE has 9,832",
            },
        ),
    ],
)
def test_real_splits_are_recognised_and_samples_are_not(name: str, differences: dict[str, str]) -> None:
    task = load_registry().task(name)
    ref = resolve_data(task, str(GLUE))
    counts = {
        split: count_labels(read_file_split(task, ref, split), len(task.labels))
        for split in split_files(task, ref)
    }
    assert find_differences(task, counts) == differences
