from __future__ import annotations

import math

import pytest

from nlu_arena.tui.curve import MARGIN, draw_curve, format_value, smooth, thin

FALLING = [(float(step), 2.0 - step / 50) for step in range(1, 101)]


def dots(line: str) -> int:
    """How many braille dots a line has."""
    return sum((ord(sign) - 0x2800).bit_count() for sign in line if 0x2800 < ord(sign) < 0x2900)


def test_a_falling_curve_goes_from_the_upper_left_to_the_lower_right() -> None:
    assert draw_curve([(1, 3), (5, 2), (9, 1)], 24, 5) == [
        "      3┤⠙⠲⢤⣀            ",
        "       │   ⠈⠉⠓⠦⣄⡀       ",
        "       │        ⠉⠓⠦⣄⡀   ",
        "      1┤            ⠉⠓⠦⣄",
        "        1              9",
    ]


@pytest.mark.parametrize("width", [16, 17, 40, 241])
@pytest.mark.parametrize("ascii", [True, False])
def test_every_line_has_the_width_that_was_asked_for(width: int, ascii: bool) -> None:
    lines = draw_curve(FALLING, width, 7, ascii=ascii)
    assert len(lines) == 7
    assert {len(line) for line in lines} == {width}


def test_without_room_there_is_no_curve() -> None:
    assert draw_curve(FALLING, 15, 7) == []
    assert draw_curve(FALLING, 40, 2) == []


def test_without_points_it_says_so() -> None:
    assert draw_curve([], 20, 5) == ["no points yet       "]


def test_in_ascii_there_is_nothing_else() -> None:
    lines = draw_curve(FALLING, 40, 8, ascii=True)
    assert all(line.isascii() for line in lines)
    assert lines[0][MARGIN] != " " and lines[6][-1] != " "


def test_one_column_after_the_other_has_a_dot() -> None:
    # Neighbouring points are joined, however few there are and however steep it is.
    lines = draw_curve([(0, 0), (10, 100), (20, 0)], 50, 6)
    columns = zip(*(line[MARGIN:] for line in lines[:5]), strict=True)
    assert all(any(dots(sign) for sign in column) for column in columns)


def test_a_spike_reaches_the_top_and_comes_back() -> None:
    points = [(float(step), 1.0) for step in range(100)]
    points[50] = (50.0, 9.0)
    lines = draw_curve(points, 50, 8)
    assert dots(lines[0]) and dots(lines[6]) > dots(lines[0])
    assert lines[0].startswith("      9┤") and lines[6].startswith("      1┤")


def test_one_value_throughout_runs_through_the_middle_and_is_named_once() -> None:
    lines = draw_curve([(1, 0.5), (9, 0.5)], 30, 6)
    assert [bool(dots(line)) for line in lines] == [False, False, True, False, False, False]
    assert "0.5" in lines[0] and "0.5" not in lines[4]


def test_one_point_is_one_dot() -> None:
    lines = draw_curve([(7, 1.0)], 30, 5)
    assert sum(map(dots, lines)) == 1
    assert lines[-1].strip() == "7"


def test_a_training_under_way_leaves_room_for_what_is_to_come() -> None:
    half = draw_curve([(0, 2), (50, 1)], 48, 6, right=100)
    assert all(not line[MARGIN + 21 :].strip() for line in half[:5])
    assert half[-1].rstrip().endswith("100")


def test_a_logarithmic_scale_gives_each_power_of_ten_the_same_room() -> None:
    powers = [(float(step), 10.0**-step) for step in range(5)]
    straight = draw_curve([(step, -step) for step, _ in powers], 40, 9)
    assert [line[MARGIN:] for line in draw_curve(powers, 40, 9, log_y=True)] == [
        line[MARGIN:] for line in straight
    ]
    assert draw_curve(powers, 40, 9, log_y=True)[0].startswith("      1┤")
    assert draw_curve(powers, 40, 9, log_y=True)[7].startswith("  1e-04┤")


def test_what_a_scale_cannot_show_is_left_out() -> None:
    odd = [(1.0, math.nan), (2.0, math.inf), (3.0, -1.0), (4.0, 0.0), (5.0, 2.0), (6.0, 1.0)]
    assert draw_curve(odd, 30, 5, log_y=True) == draw_curve(odd[4:], 30, 5, log_y=True)
    assert draw_curve(odd, 30, 5) == draw_curve(odd[2:], 30, 5)
    assert draw_curve([(1.0, 0.0)], 30, 5, log_y=True) == ["no value above 0".ljust(30)]


def test_smoothing_begins_at_the_first_value_and_keeps_a_constant() -> None:
    assert smooth([]) == []
    assert [value for _, value in smooth([(1, 4.0), (2, 4.0), (3, 4.0)])] == pytest.approx([4.0] * 3)
    assert smooth([(1, 4.0), (2, 0.0)])[0] == (1, pytest.approx(4.0))


def test_smoothing_weighs_the_past_as_it_says() -> None:
    # 0.1 * (0.9 * 1 + 2) / (0.1 + 0.09)
    assert smooth([(1, 1.0), (2, 2.0)])[1][1] == pytest.approx(0.29 / 0.19)


def test_smoothing_takes_noise_away() -> None:
    noisy = [(float(step), 1.0 + (-1) ** step) for step in range(200)]
    assert max(abs(value - 1.0) for _, value in smooth(noisy)[50:]) < 0.06


def test_thinning_keeps_the_extremes_the_order_and_the_bound() -> None:
    points = [(float(step), math.sin(step / 40)) for step in range(10_000)]
    points[1234] = (1234.0, 77.0)
    points[8765] = (8765.0, -77.0)
    few = thin(points, 500)
    assert len(few) <= 502
    assert points[1234] in few and points[8765] in few
    assert few == sorted(few) and set(few) <= set(points)
    assert thin(points[:500], 500) == points[:500]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (0.6934, "0.693"),
        (1234.5, "1234"),
        (0.00081, "8e-04"),
        (-0.00081, "-8e-04"),
        (2.5e7, "2.5e+07"),
        (2.54e7, "2.5e+07"),
        (-1234567.0, "-1e+06"),
        (-0.00123, "-0.0012"),
    ],
)
def test_a_value_takes_at_most_seven_cells(value: float, said: str) -> None:
    assert format_value(value) == said
    assert len(said) < MARGIN
