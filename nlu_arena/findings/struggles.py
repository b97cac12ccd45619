"""Question 5: on which kinds of texts do language models struggle against BERT?"""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.findings.judging import Judgement
from nlu_arena.findings.majority import find_weak_places
from nlu_arena.findings.pairing import Absence, describe_reference, explain_absence, pair_with_reference
from nlu_arena.findings.records import Finding, SliceTest
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.slicetests import SMALLEST, ReadExamples, run_slice_tests
from nlu_arena.findings.wording import say_list, say_range, say_signed
from nlu_arena.views.figures import format_p, format_percent

KEY = "struggles"
QUESTION = "Where do LLMs struggle against BERT?"
CLAIM = "there are kinds of texts on which even the best LLM is worse than the fine-tuned BERT"
# So many kinds are told in a sentence; the evidence has all.
TOLD = 4
CAUTION = (
    "The kinds overlap, and that a gap is larger than elsewhere is not tested; a gap on the texts of one"
    " label can be a leaning towards another label."
)


def answer_struggles(scene: Scene, read_examples: ReadExamples) -> Finding:
    """Test every language model in every mode against the reference on each kind of texts; one family."""
    tests = run_slice_tests(scene, read_examples)
    if not tests:
        return _wait(scene)
    verdict, summary = _judge(scene, tests)
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict=verdict,
        summary=summary,
        sentences=(
            describe_reference(scene),
            *_tell(scene, tests),
            f"{len(tests):,} tests, each LLM on each kind of at least {SMALLEST} texts: one family (Holm).",
            CAUTION,
        ),
        evidence=tuple(tests),
    )


def _wait(scene: Scene) -> Finding:
    modes = list(dict.fromkeys(c.mode for r in scene.rounds for c in r.contenders if not c.is_encoder))
    if any(pair_with_reference(scene, mode) for mode in modes):
        absence = Absence(f"no kind of texts has {SMALLEST} of them", ())
    else:
        absence = explain_absence(scene, modes[0] if modes else "zero-shot")
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict="cannot be said yet",
        summary=absence.reason,
        commands=absence.commands,
    )


def _judge(scene: Scene, tests: Sequence[SliceTest]) -> Judgement:
    """Judge where the reference beats the majority share: to be worse than a guess says nothing of texts."""
    weak = find_weak_places(scene)
    counted = [test for test in tests if scene.name(test.task, test.split) not in weak]
    beside = f"; on {say_list(weak)} BERT itself is not shown to beat the majority share" if weak else ""
    lost = sorted(
        (test for test in counted if test.is_worse and test.is_best), key=lambda test: test.difference
    )
    if lost:
        named = say_list(f"{scene.name(t.task, t.split)} {name_slice(t)}" for t in lost[:TOLD])
        more = f" and {len(lost) - TOLD} more" if len(lost) > TOLD else ""
        return Judgement("yes", f"{named}{more}{beside}")
    worse = sum(test.is_worse for test in counted)
    if worse:
        said = f"weaker LLMs are worse in {worse} of {len(counted):,} tests, the best one of a task in none"
        return Judgement("in part", f"{said}{beside}")
    return Judgement("not shown", f"on no kind of texts is an LLM shown to be worse{beside}")


def name_slice(test: SliceTest) -> str:
    """Return what the texts of a test have in common: label positive, overlap 80-100 % of the words."""
    return test.slice if test.slice.endswith(test.kind) else f"{test.kind} {test.slice}"


def _tell(scene: Scene, tests: Sequence[SliceTest]) -> list[str]:
    places: dict[tuple[str, str], list[SliceTest]] = {}
    for test in tests:
        places.setdefault((test.task, test.split), []).append(test)
    return [_tell_place(scene.name(*place), peers) for place, peers in places.items()]


def _tell_place(place: str, tests: Sequence[SliceTest]) -> str:
    mine = [test for test in tests if test.is_best]
    lost = sorted((test for test in mine if test.is_worse), key=lambda test: test.p_adjusted)
    count = len({test.name for test in tests})
    who = f"{place}: {mine[0].name}{f', the best of {count} LLMs,' if count > 1 else ''}"
    if lost:
        more = f"; and on {len(lost) - TOLD} more kinds" if len(lost) > TOLD else ""
        said = f"{who} is worse than {mine[0].reference} on {'; '.join(map(_say, lost[:TOLD]))}{more}"
    else:
        said = f"{who} is not shown to be worse on any of {len(mine)} kinds"
    others = len({test.name for test in tests if test.is_worse and not test.is_best})
    return f"{said}{f'; {others} of the others are on some' if others else ''}."


def _say(test: SliceTest) -> str:
    return (
        f"{name_slice(test)} (n {test.n:,}: {format_percent(test.value)} % against"
        f" {format_percent(test.reference_value)} %, {say_range(test.interval)} points,"
        f" {format_p(test.p_adjusted)}; elsewhere {say_signed(test.elsewhere)})"
    )
