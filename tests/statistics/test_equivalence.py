from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import binom, multinomial

from nlu_arena.statistics import LEVEL, equivalent_p, not_inferior_p, paired_interval
from nlu_arena.statistics.equivalence import UNLIKELY
from nlu_arena.statistics.outcomes import bracket_share, order_outcomes, score, sum_outcomes
from tests.statistics.enumeration import Outcomes


def score_by_hand(n: int, wins: int, losses: int, margin: float) -> float:
    """Return the distance from the margin in standard errors, the likelihood maximised by search."""

    def unlikelihood(win: float) -> float:
        loss = win + margin
        return -float(xlogy(wins, win) + xlogy(losses, loss) + xlogy(n - wins - losses, 1 - win - loss))

    best = minimize_scalar(unlikelihood, bounds=(0, (1 - margin) / 2), options={"xatol": 1e-12})
    win = best.x if best.fun < unlikelihood(0.0) else 0.0
    return float((wins - losses + n * margin) / np.sqrt(n * (2 * win + margin - margin**2)))


@pytest.mark.parametrize(
    ("n", "wins", "losses"),
    [(120, 10, 12), (120, 0, 5), (277, 4, 0), (50, 0, 0), (60, 40, 20), (872, 80, 95)],
)
def test_the_score_is_that_at_the_likeliest_shares(n: int, wins: int, losses: int) -> None:
    for margin in (0.01, 0.02, 0.05, 0.3):
        found = float(score(n, np.array([wins]), np.array([wins + losses]), margin)[0])
        assert found == pytest.approx(score_by_hand(n, wins, losses, margin), rel=1e-5)


def p_value_by_hand(n: int, wins: int, losses: int, margin: float, share: float) -> float:
    """Return the probability of all tables at least as extreme, at one share of discordant texts."""
    win, loss = (share - margin) / 2, (share + margin) / 2
    observed = score_by_hand(n, wins, losses, margin)
    total = 0.0
    for n10, n01 in itertools.product(range(n + 1), repeat=2):
        # The search for the likeliest shares is good to about 1e-7.
        if n10 + n01 <= n and score_by_hand(n, n10, n01, margin) >= observed - 1e-6:
            total += float(multinomial.pmf([n10, n01, n - n10 - n01], n, [win, loss, 1 - win - loss]))
    return total


@pytest.mark.parametrize(
    ("n", "wins", "losses", "margin"), [(20, 3, 2, 0.05), (24, 0, 0, 0.1), (16, 1, 4, 0.02)]
)
def test_the_probability_of_outcomes_is_the_sum_over_all_tables(
    n: int, wins: int, losses: int, margin: float
) -> None:
    shares = np.array([margin, 0.15, 0.4])
    observed = score(n, np.array([wins]), np.array([wins + losses]), margin)
    totals, fewest = order_outcomes(n, margin, float(observed[0]), shares)
    found = sum_outcomes(n, margin, totals, fewest, shares)
    by_hand = [p_value_by_hand(n, wins, losses, margin, share) for share in shares.tolist()]
    assert found.tolist() == pytest.approx(by_hand, abs=1e-9)


def test_the_p_value_is_the_worst_over_the_likely_shares() -> None:
    n, wins, losses, margin = 20, 3, 2, 0.05
    low, high = bracket_share(5, n, UNLIKELY)
    shares = np.linspace(max(low, margin), high, 2001)
    observed = score(n, np.array([wins]), np.array([5]), margin)
    totals, fewest = order_outcomes(n, margin, float(observed[0]), shares)
    worst = float(sum_outcomes(n, margin, totals, fewest, shares).max())
    assert not_inferior_p(n, wins, losses, margin) == pytest.approx(worst + UNLIKELY, rel=1e-3)


@pytest.mark.parametrize(("successes", "n"), [(0, 50), (3, 50), (50, 50), (120, 872)])
def test_the_shares_left_out_are_unlikely(successes: int, n: int) -> None:
    low, high = bracket_share(successes, n, 1e-3)
    assert low <= successes / n <= high
    # Were the share beyond an end, so many or more (fewer) would have half that probability at most.
    assert low == 0 or binom.sf(successes - 1, n, low) <= 5e-4
    assert high == 1 or binom.cdf(successes, n, high) <= 5e-4


@pytest.mark.parametrize("n", [3, 30, 277, 2000])
@pytest.mark.parametrize("margin", [0.0, 0.01, 0.05, 0.4])
def test_from_a_total_to_the_next_the_fewest_wins_grow_by_one_at_most(n: int, margin: float) -> None:
    shares = np.array([max(margin, 1e-6), 1 - 1e-6])
    rng = np.random.default_rng(n)
    for total in rng.integers(0, n + 1, size=12).tolist():
        observed = score(n, rng.integers(0, total + 1, size=1), np.array([total]), margin)
        totals, fewest = order_outcomes(n, margin, float(observed[0]), shares)
        assert set(np.diff(totals).tolist()) <= {1}
        assert set(np.diff(fewest).tolist()) <= {0, 1}
        extreme = score(n, np.minimum(fewest, totals), totals, margin) >= observed - 1e-9
        assert (extreme | (fewest > totals)).all()
        below = score(n, np.maximum(fewest - 1, 0), totals, margin) >= observed - 1e-9
        assert not (below & (fewest > 0)).any()


@pytest.mark.parametrize("margin", [0.01, 0.02, 0.05])
@pytest.mark.parametrize(("n", "shares"), [(120, (0, 0.04, 0.1, 0.3)), (277, (0, 0.1)), (872, (0, 0.03))])
def test_false_findings_of_not_worse_and_within_the_margin(
    n: int, shares: tuple[float, ...], margin: float
) -> None:
    # The difference is exactly the margin; 0 stands for the fewest discordant texts that allow it.
    for discordant in shares:
        share = max(discordant, margin)
        outcomes = Outcomes(n, (share - margin) / 2, (share + margin) / 2)
        matches = outcomes.probability(lambda n10, n01: not_inferior_p(n, n10, n01, margin) <= LEVEL)
        within = outcomes.probability(lambda n10, n01: equivalent_p(n, n10, n01, margin) <= LEVEL)
        assert within <= matches <= LEVEL + 1e-5


def test_the_level_is_used_and_not_wasted() -> None:
    # 277 texts, 10 % discordant, 5 points: near the level if worse by the margin, far above it if equal.
    worse, equal = Outcomes(277, 0.025, 0.075), Outcomes(277, 0.05, 0.05)
    assert worse.probability(lambda n10, n01: not_inferior_p(277, n10, n01, 0.05) <= LEVEL) > 0.045
    assert equal.probability(lambda n10, n01: not_inferior_p(277, n10, n01, 0.05) <= LEVEL) > 0.8


def test_the_p_values_of_known_cases() -> None:
    # No discordant text among 277 has that probability where the margin is all losses and there are no wins;
    # other outcomes are as extreme.
    assert not_inferior_p(277, 0, 0, 0.02) >= 0.98**277
    assert equivalent_p(277, 0, 0, 0.02) == not_inferior_p(277, 0, 0, 0.02) < LEVEL
    # All five won: of the outcomes this is the most extreme, likeliest where every text is discordant.
    assert not_inferior_p(5, 5, 0, 0.02) == pytest.approx(0.49**5 + UNLIKELY, rel=1e-6)
    assert not_inferior_p(5, 0, 5, 0.02) == 1.0
    # Without a margin it is the test of being better.
    assert not_inferior_p(10, 10, 0, 0.0) == pytest.approx(2**-10 + UNLIKELY, rel=1e-6)
    assert equivalent_p(50, 3, 4, 0.0) >= 0.5


@pytest.mark.parametrize(
    ("n", "n10", "n01"), [(277, 12, 10), (872, 20, 40), (10_000, 480, 520), (60_000, 900, 800)]
)
def test_a_wider_margin_is_shown_more_easily_and_the_worse_side_decides(n: int, n10: int, n01: int) -> None:
    by_margin = [not_inferior_p(n, n10, n01, margin) for margin in (0.0, 0.005, 0.01, 0.02, 0.05)]
    assert by_margin == sorted(by_margin, reverse=True)
    assert equivalent_p(n, n10, n01, 0.02) == equivalent_p(n, n01, n10, 0.02)
    assert equivalent_p(n, n10, n01, 0.02) == max(
        not_inferior_p(n, n10, n01, 0.02), not_inferior_p(n, n01, n10, 0.02)
    )


@pytest.mark.parametrize(("n", "n10", "n01"), [(872, 50, 40), (872, 30, 60), (3000, 200, 230)])
def test_it_agrees_with_the_interval(n: int, n10: int, n01: int) -> None:
    # A margin just beyond the lower end of the 95 % interval is shown at the 2.5 % level, nearly.
    low, _ = paired_interval(n, n10, n01)
    assert low < 0
    assert not_inferior_p(n, n10, n01, -low) == pytest.approx(0.025, abs=0.006)


@pytest.mark.parametrize(
    ("n", "n10", "n01", "margin"),
    [(0, 0, 0, 0.02), (5, 3, 3, 0.02), (5, -1, 2, 0.02), (9, 1, 1, -0.01), (9, 1, 1, 1.0)],
)
def test_impossible_counts_and_margins_are_refused(n: int, n10: int, n01: int, margin: float) -> None:
    with pytest.raises(ValueError, match="no such outcome or margin"):
        not_inferior_p(n, n10, n01, margin)
