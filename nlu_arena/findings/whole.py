"""All questions and headlines of a ledger."""

from __future__ import annotations

from typing import NamedTuple

from nlu_arena.findings.efficient import answer_efficiency
from nlu_arena.findings.headlines import find_headlines
from nlu_arena.findings.matching import answer_matching
from nlu_arena.findings.prompting import answer_prompting
from nlu_arena.findings.records import Finding, Front, Headline
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.sizes import answer_size
from nlu_arena.findings.slicetests import ReadExamples
from nlu_arena.findings.struggles import answer_struggles


class Findings(NamedTuple):
    """The answers to the five questions in their order, and the headlines."""

    questions: tuple[Finding, ...]
    headlines: tuple[Headline, ...]

    @property
    def comparisons(self) -> int:
        """Return how many tests of one contender against another there are."""
        evidence = (*(q.evidence for q in self.questions), *(h.evidence for h in self.headlines))
        return sum(not isinstance(item, Front) for items in evidence for item in items)


def find_findings(scene: Scene, read_examples: ReadExamples) -> Findings:
    """Answer the questions from the ledger's tests.

    Args:
        scene: Who takes part.
        read_examples: Gives the examples of a split by their fingerprint and its name.
    """
    matching, prompting, size = answer_matching(scene), answer_prompting(scene), answer_size(scene)
    efficiency, struggles = answer_efficiency(scene), answer_struggles(scene, read_examples)
    return Findings(
        questions=(matching, prompting, size, efficiency, struggles),
        headlines=tuple(find_headlines(scene, matching, prompting, efficiency)),
    )
