from __future__ import annotations

import pytest

from nlu_arena.views import figures


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_times_have_at_most_two_units(seconds: float, text: str) -> None:
    assert figures.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3.2 s"), (59.6, "1.0 min"), (221, "3.7 min"), (7560, "2.1 h")]
)
def test_times_in_a_field_have_one_unit(seconds: float, text: str) -> None:
    assert figures.format_short_seconds(seconds) == text


def test_estimates_claim_no_precision() -> None:
    assert [figures.format_estimate(s) for s in (8.04, 40.4, 221)] == ["~8 s", "~40 s", "~3.7 min"]


def test_shares_and_sizes_are_written_as_tables_write_them() -> None:
    assert [figures.format_share(s) for s in (0.7874, 1.0, 0.0)] == [".787", "1.000", ".000"]
    assert [figures.format_share(s) for s in (-0.0321, -1.0, -0.0001)] == ["-.032", "-1.000", ".000"]
    assert figures.format_interval((0.639, 0.797)) == "63.9\u201379.7"
    assert [figures.format_bytes(b) for b in (20 * 2**20, 3 * 2**29)] == ["20 MiB", "1.5 GiB"]
    sizes = [figures.format_parameters(n) for n in (22_713_216, 134_515_008, 1_543_714_304)]
    assert sizes == ["22.7M", "135M", "1.5B"]
    assert [figures.format_count(n, "warning") for n in (1, 1200)] == ["1 warning", "1,200 warnings"]
