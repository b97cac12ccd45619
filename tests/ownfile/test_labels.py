"""Labels as found: in a fixed order, two to a hundred of them, and a hint at what else a column may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.errors import UsageError
from nlu_arena.ownfile.labels import check_dev_labels, find_labels, show_labels
from nlu_arena.ownfile.table import FileTable

FILE = Path("a.csv")


def find(names: list[str]) -> tuple[str, ...]:
    return find_labels(names, FILE, "stars")


def test_integers_are_in_the_order_of_their_values_and_names_in_that_of_their_text() -> None:
    assert find(["10", "9", "-1", "9", "1"]) == ("-1", "1", "9", "10")
    assert find(["10", "9", "many", "9"]) == ("10", "9", "many")
    assert find(["b", "a", "B", "b"]) == ("B", "a", "b")


def test_two_to_a_hundred_labels_work() -> None:
    assert len(find(["yes", "no"])) == 2
    assert len(find([f"class {number}" for number in range(100)])) == 100


def test_one_label_is_no_task() -> None:
    with pytest.raises(UsageError, match=r"a\.csv, column 'stars': all 3 rows have the one label 'x'"):
        find(["x", "x", "x"])


@pytest.mark.parametrize(
    ("names", "looks"),
    [
        ([f"{number / 7:.4f}" for number in range(101)], r"numbers to be estimated \(a regression\)"),
        ([f"A longer remark of some customer, number {n}" for n in range(101)], "look like free text"),
        ([f"customer{n}" for n in range(101)], "most rows have one of their own"),
        ([f"city{n % 101}" for n in range(1010)], "look like names"),
    ],
)
def test_more_labels_are_an_error_that_says_what_they_look_like(names: list[str], looks: str) -> None:
    with pytest.raises(UsageError, match=f"101 different labels, at most 100 .*; .*{looks}") as caught:
        find(names)
    assert names[0][:40] in caught.value.message


def test_a_dev_label_in_another_case_is_known_where_one_fits_only() -> None:
    dev = FileTable(Path("dev.csv"), ["t"] * 2, None, ["Good", "bad"], [1, 2])
    check_dev_labels(dev, ["bad", "good"], "stars")
    with pytest.raises(UsageError, match="no training row has the label 'Good'"):
        check_dev_labels(dev, ["bad", "good", "GOOD"], "stars")


def test_a_long_label_is_shown_by_its_beginning() -> None:
    assert show_labels(["a" * 40, "b" * 41, "c"], 2) == f"{'a' * 40}, {'b' * 40}…, …"
    with pytest.raises(UsageError, match=f"the one label '{'x' * 40}…'"):
        find(["x" * 100] * 2)


def test_a_dev_label_that_train_lacks_is_an_error_with_its_row() -> None:
    dev = FileTable(Path("dev.csv"), ["t"] * 4, None, ["a", "1", "c", "c"], [1, 3, 4, 5])
    check_dev_labels(dev, ["1", "a", "c"], "stars")
    with pytest.raises(
        UsageError,
        match=r"dev\.csv, row 3, column 'stars': no training row has the label '1' \(2 such",
    ) as caught:
        check_dev_labels(dev, ["a", "b"], "stars")
    assert "a, b" in caught.value.hint
