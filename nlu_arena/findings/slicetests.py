"""Language models against the reference on each kind of texts: one test each, all of one family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Contender, Round
from nlu_arena.findings.records import SliceTest
from nlu_arena.findings.scene import Scene
from nlu_arena.mistakes.slices import Slice, find_slices
from nlu_arena.spec import MODES, Example
from nlu_arena.statistics import LEVEL, Sample, bootstrap, holm, mcnemar_exact, paired_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# On fewer texts not even a gap of 30 points is found as a rule.
SMALLEST = 20

# Gives the examples of a split by their fingerprint and its name.
ReadExamples = Callable[[str, str], Sequence[Example]]


class Draft(NamedTuple):
    """A test before its p-value is adjusted."""

    found: Round
    part: Slice
    llm: Contender
    reference: Contender
    is_best: bool


class Weighed(NamedTuple):
    """What the texts of a slice say of a difference."""

    value: float
    reference_value: float
    interval: tuple[float, float]
    p_value: float


def run_slice_tests(scene: Scene, read_examples: ReadExamples) -> list[SliceTest]:
    """Test every language model in every mode against the reference on each kind of texts.

    The best model of a task is chosen on the very same texts: the family has all that it was chosen from.
    """
    drafts = list(_draft(scene, read_examples))
    right: dict[Contender, NDArray[np.bool_]] = {}
    for draft in drafts:
        for contender in (draft.llm, draft.reference):
            if contender not in right:
                right[contender] = _read_right(contender)
    here = [_weigh(right[d.llm], right[d.reference], d.part.members) for d in drafts]
    adjusted = holm([weighed.p_value for weighed in here])
    return [
        _make_test(draft, weighed, _subtract(right, draft), p_adjusted)
        for draft, weighed, p_adjusted in zip(drafts, here, adjusted, strict=True)
    ]


def _draft(scene: Scene, read_examples: ReadExamples) -> Iterator[Draft]:
    for found in scene.rounds:
        reference = scene.find_reference(found)
        llms = [llm for mode in MODES for llm in scene.find_llms(found, mode)]
        if reference is None or not llms:
            continue
        best = max(llms, key=lambda llm: llm.accuracy)
        slices = find_slices(read_examples(found.fingerprint, found.split), found.labels)
        for part in slices:
            if part.members.sum() >= SMALLEST:
                yield from (Draft(found, part, llm, reference, llm is best) for llm in llms)


def _make_test(draft: Draft, weighed: Weighed, elsewhere: float, p_adjusted: float) -> SliceTest:
    difference = weighed.value - weighed.reference_value
    is_shown = p_adjusted <= LEVEL and difference != 0
    return SliceTest(
        task=draft.found.task,
        split=draft.found.split,
        kind=draft.part.kind,
        slice=draft.part.name,
        n=int(draft.part.members.sum()),
        name=draft.llm.name,
        reference=draft.reference.name,
        value=weighed.value,
        reference_value=weighed.reference_value,
        difference=difference,
        interval=weighed.interval,
        elsewhere=elsewhere,
        p_value=weighed.p_value,
        p_adjusted=p_adjusted,
        is_best=draft.is_best,
        shown=("better" if difference > 0 else "worse") if is_shown else "not shown",
    )


def _read_right(contender: Contender) -> NDArray[np.bool_]:
    """Return which texts each seed gets right [seeds, n]."""
    import numpy as np

    columns = [contender.labels(seed) for seed in contender.seeds]
    return np.stack([np.asarray(gold) == np.asarray(predicted) for gold, predicted in columns])


def _weigh(this: NDArray[np.bool_], other: NDArray[np.bool_], members: NDArray[np.bool_]) -> Weighed:
    """Test two on the texts of a slice: exactly with one seed each, else by a bootstrap."""
    import numpy as np

    this, other = this[:, members], other[:, members]
    values = float(this.mean()), float(other.mean())
    if len(this) == len(other) == 1:
        n10, n01 = int(np.count_nonzero(this & ~other)), int(np.count_nonzero(other & ~this))
        return Weighed(*values, paired_interval(this.shape[1], n10, n01), mcnemar_exact(n10, n01))
    # Right or wrong is all that an accuracy asks: that is the label here.
    gold = np.ones(this.shape[1], dtype=np.int64)
    estimate = bootstrap([Sample(gold, this.astype(np.int64), other.astype(np.int64), 2)])
    return Weighed(*values, estimate.interval, estimate.p_value)


def _subtract(right: dict[Contender, NDArray[np.bool_]], draft: Draft) -> float:
    """Return the difference on all other texts of the split."""
    others = ~draft.part.members
    return float(right[draft.llm][:, others].mean() - right[draft.reference][:, others].mean())
