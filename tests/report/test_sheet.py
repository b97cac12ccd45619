from __future__ import annotations

import pytest

from nlu_arena.report.sheet import LARGEST, NUMBERED, SMALLEST, plan_sheet


@pytest.mark.parametrize("splits", [1, 2])
@pytest.mark.parametrize("labels", [2, 3, 10, 20, 21, 77, 100])
@pytest.mark.parametrize("length", [1, 24])
def test_no_picture_is_larger_than_twelve_inches_and_its_letters_can_be_read(
    splits: int, labels: int, length: int
) -> None:
    sheet = plan_sheet(["x" * length] * labels, splits)
    assert max(sheet.size) <= LARGEST + 1e-9
    assert sheet.label_size >= SMALLEST
    assert sheet.number_size is None or (sheet.number_size >= SMALLEST and labels <= NUMBERED)


def test_three_labels_have_numbers_at_full_size_and_level_names() -> None:
    sheet = plan_sheet(["entailment", "neutral", "contradiction"], 2)
    assert (sheet.number_size, sheet.label_size, sheet.label_step) == (10.0, 9.0, 1)
    assert not sheet.is_upright


def test_names_that_are_wider_than_a_field_stand_upright() -> None:
    assert plan_sheet(["x" * 20, "y"], 1).is_upright


def test_many_labels_have_small_names_and_where_even_these_do_not_fit_some_of_them() -> None:
    labels = ["x" * 24] * 77
    one, two = plan_sheet(labels, 1), plan_sheet(labels, 2)
    assert one.number_size is two.number_size is None
    assert (one.label_step, two.label_step) == (1, 2)
    assert two.label_size < one.label_size < 9
