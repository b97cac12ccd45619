"""Who is shown to beat always saying the majority label: to match what does not, means nothing."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.answer import find_leads
from nlu_arena.contender import Contender, Round
from nlu_arena.findings.scene import Scene
from nlu_arena.statistics import LEVEL, binomial_greater, holm


def find_strong(contenders: Sequence[Contender], found: Round) -> list[Contender]:
    """Return those of a round that are shown to beat its majority share.

    Exact one-sided tests, adjusted for all of them; a mean of seeds counts as one of these, as all answer the
    same texts.
    """
    leads = find_leads(contenders, found.n, found.majority)
    return [contender for contender in contenders if leads[contender.name].is_shown]


def find_weak_places(scene: Scene) -> list[str]:
    """Return the places where the fine-tuned reference itself is not shown to beat the majority share."""
    places = [(c, found) for found in scene.rounds if (c := scene.find_reference(found)) is not None]
    return [
        scene.name(found.task, found.split)
        for (_, found), is_strong in zip(places, _test(places), strict=True)
        if not is_strong
    ]


def _test(places: Sequence[tuple[Contender, Round]]) -> list[bool]:
    p_values = [_test_one(contender.accuracy, found) for contender, found in places]
    return [p_value <= LEVEL for p_value in holm(p_values)]


def _test_one(accuracy: float, found: Round) -> float:
    # Where all labels are one, nothing can beat it.
    if found.majority == 1:
        return 1.0
    return binomial_greater(round(accuracy * found.n), found.n, found.majority)
