"""Training settings as the command line gives them."""

from __future__ import annotations

import pytest

from nlu_arena.errors import UsageError
from nlu_arena.settings import read_settings


def test_numbers_truth_values_and_words_are_read() -> None:
    texts = ["train.lr=1e-5", "train.epochs = 2", "train.lora.head=classifier", "train.lora.rank=8"]
    assert read_settings(texts) == {
        "train": {"lr": 1e-5, "epochs": 2, "lora": {"head": "classifier", "rank": 8}}
    }


def test_the_last_of_two_counts() -> None:
    assert read_settings(["train.lr=1e-5", "train.lr=3e-5"]) == {"train": {"lr": 3e-5}}


def test_nothing_is_set_by_nothing() -> None:
    assert read_settings([]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train.lr", "is not a setting"),
        ("train.lr=", "is not a setting"),
        ("lr=1e-5", "is not a setting"),
        ("train.lora.a.b=1", "is not a setting"),
        ("model.name=x", "only training settings"),
    ],
)
def test_anything_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings([text])
