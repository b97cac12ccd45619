from __future__ import annotations

import pytest

from nlu_arena.limits import LimitName, Limits, Miss
from nlu_arena.views.limits import describe_limits, describe_miss, relax_limit


def test_limits_are_told_in_the_units_in_which_they_were_given() -> None:
    limits = Limits(latency_ms=20.0, memory_bytes=2e9, labels=1)
    assert describe_limits(limits) == "20 ms for one text, 2 GB of memory (1.9 GiB), 1 labelled example"
    assert describe_limits(Limits()) == ""


@pytest.mark.parametrize(
    ("limit", "value", "most", "said", "option"),
    [
        ("latency_ms", 10.43, 5.0, "10 ms, 5.4 ms over", "--max-latency-ms 11"),
        ("latency_ms", 0.0312, 0.03, "0.031 ms, 0.0012 ms over", "--max-latency-ms 0.032"),
        ("memory_bytes", 3 * 1024**3, 1e9, "3.0 GiB, 2.1 GiB over", "--max-memory-gb 3.3"),
        ("labels", 1024, 100, "1,024 labels, 924 labels over", "--labels 1024"),
        ("labels", None, 100, "labels n/a", ""),
    ],
)
def test_a_miss_says_by_how_much_and_which_limit_would_do(
    limit: LimitName, value: float | None, most: float, said: str, option: str
) -> None:
    miss = Miss(limit=limit, value=value, most=most)
    assert (describe_miss(miss), relax_limit(miss)) == (said, option)
