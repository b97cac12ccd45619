"""How every contender does against one baseline on the same texts, with tests for a family of comparisons."""

from nlu_arena.comparing.baseline import Baseline, choose_baseline
from nlu_arena.comparing.comparison import Comparison, Order, Wish, compare
from nlu_arena.comparing.family import compare_pairs
from nlu_arena.comparing.omissions import Omission
from nlu_arena.comparing.pooling import pool
from nlu_arena.comparing.rows import ALL_TASKS, Method, Pair, Pool, Ratios, Row, Verdict

__all__ = [
    "ALL_TASKS",
    "Baseline",
    "Comparison",
    "Method",
    "Omission",
    "Order",
    "Pair",
    "Pool",
    "Ratios",
    "Row",
    "Verdict",
    "Wish",
    "choose_baseline",
    "compare",
    "compare_pairs",
    "pool",
]
