"""Cutting dev from train: a share of each label, every text on one side, the same whoever does it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from nlu_arena.ownfile.cut import cut_dev
from nlu_arena.spec import DevSplit

RULE = DevSplit()
# What the rule has drawn since it exists: another draw needs another name in the experiments' identity.
FIRST_DRAW = [2, 6, 7, 8, 19, 23]


def sides(labels: Sequence[int], in_dev: Sequence[bool]) -> tuple[Counter[int], Counter[int]]:
    pairs = list(zip(labels, in_dev, strict=True))
    return Counter(n for n, dev in pairs if not dev), Counter(n for n, dev in pairs if dev)


def test_each_label_gives_its_share() -> None:
    labels = [0] * 1000 + [1] * 100 + [2] * 10
    train, dev = sides(labels, cut_dev([str(row) for row in range(1110)], labels, RULE))
    assert dev == {0: 200, 1: 20, 2: 2}
    assert train == {0: 800, 1: 80, 2: 8}
    _, half = sides(labels, cut_dev([str(row) for row in range(1110)], labels, DevSplit(share=0.5)))
    assert half == {0: 500, 1: 50, 2: 5}


def test_all_rows_of_a_text_are_on_one_side() -> None:
    generator = random.Random(0)
    texts = [str(generator.randrange(300)) for _ in range(2000)]
    labels = [int(text) % 3 for text in texts]
    in_dev = cut_dev(texts, labels, RULE)
    assert not {t for t, dev in zip(texts, in_dev, strict=True) if dev} & {
        t for t, dev in zip(texts, in_dev, strict=True) if not dev
    }
    assert 0.15 < sum(in_dev) / len(in_dev) <= 0.2


def test_a_label_with_two_texts_has_one_on_either_side_and_one_with_a_single_text_is_in_train() -> None:
    texts = ["a", "b", "c", "c", "c", *map(str, range(20))]
    labels = [0, 0, 1, 1, 1, *[2] * 20]
    train, dev = sides(labels, cut_dev(texts, labels, RULE))
    assert (train[0], dev[0]) == (1, 1)
    assert (train[1], dev[1]) == (3, 0)
    assert (train[2], dev[2]) == (16, 4)


def test_one_text_of_most_rows_does_not_make_dev_the_larger_part() -> None:
    texts, labels = ["spam"] * 90 + [str(row) for row in range(10)], [0] * 100
    for seed in range(20):
        assert sum(cut_dev(texts, labels, DevSplit(seed=seed))) == 10


@pytest.mark.parametrize("seed", range(50))
def test_texts_with_contradicting_labels_leave_no_label_on_one_side_where_that_can_be(seed: int) -> None:
    generator = random.Random(seed)
    texts = [str(generator.randrange(12)) for _ in range(60)]
    labels = [generator.randrange(3) for _ in range(60)]
    in_dev = cut_dev(texts, labels, DevSplit(seed=seed))
    train, dev = sides(labels, in_dev)
    assert set(train) == {0, 1, 2}
    assert set(dev) == {0, 1, 2}


def test_what_cannot_be_on_both_sides_is_in_train() -> None:
    # Each text has two of the three labels: one of them must miss a side.
    texts, labels = ["a", "a", "b", "b", "c", "c"], [0, 1, 1, 2, 0, 2]
    for seed in range(20):
        train, _ = sides(labels, cut_dev(texts, labels, DevSplit(seed=seed)))
        assert set(train) == {0, 1, 2}


def test_the_seed_decides_and_nothing_else() -> None:
    texts, labels = [str(row) for row in range(30)], [row % 2 for row in range(30)]
    assert [row for row, dev in enumerate(cut_dev(texts, labels, RULE)) if dev] == FIRST_DRAW
    assert cut_dev(texts, labels, RULE) != cut_dev(texts, labels, DevSplit(seed=1))
    code = (
        "from nlu_arena.ownfile.cut import cut_dev; from nlu_arena.spec import DevSplit;"
        "d = cut_dev([str(n) for n in range(30)], [n % 2 for n in range(30)], DevSplit());"
        "print([n for n, x in enumerate(d) if x])"
    )
    for salt in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": salt},
        )
        assert found.stdout.strip() == str(FIRST_DRAW)


@pytest.mark.parametrize("share", [0, -0.1, 0.6, float("nan")])
def test_a_share_that_leaves_less_for_training_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most"):
        DevSplit(share=share)
