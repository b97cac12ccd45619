from __future__ import annotations

from typing import Any

from nlu_arena.report.plots.templates import build_templates
from nlu_arena.spec import Subset
from tests.contest import Contest
from tests.report.plots.pictures import add, marks, rounds_of, words


def add_variants(
    contest: Contest, model: str, hits: dict[str, int], mode: str = "zero-shot", **fields: Any
) -> None:
    for template, count in hits.items():
        add(contest, model, count, mode, template=template, setting=f"{model} {mode} {template}", **fields)


def test_the_variants_of_a_model_share_a_row_with_mean_and_ends() -> None:
    contest = Contest()
    add_variants(contest, "small", {"question": 70, "": 60, "plain": 56})
    (page,) = build_templates(rounds_of(contest))
    (axes,) = page.figure.axes
    # The default is the first, whatever was run first.
    assert [mark.x for mark in marks(axes)] == [60.0, 70.0, 56.0]
    assert len({mark.marker for mark in marks(axes)}) == 3
    assert {"small zero-shot", "62.0 (56.0\u201370.0)", "default", "question", "plain"} <= set(
        words(page.figure)
    )


def test_a_template_looks_the_same_in_every_row() -> None:
    contest = Contest()
    add_variants(contest, "small", {"": 60, "question": 70})
    add_variants(contest, "big", {"question": 80, "": 75}, "few-shot", shots=4)
    (page,) = build_templates(rounds_of(contest))
    markers = {mark.x: mark.marker for mark in marks(page.figure.axes[0])}
    assert markers[60.0] == markers[75.0] != markers[70.0] == markers[80.0]
    assert "big few-shot (4 shots)" in words(page.figure)


def test_other_settings_than_the_template_are_no_variants() -> None:
    contest = Contest()
    add(contest, "small", 60, "few-shot", shots=4, setting="4")
    add(contest, "small", 70, "few-shot", shots=8, setting="8", template="question")
    for rows, template in ((32, ""), (64, "question")):
        subset = {"subset": Subset(train=rows), "train_rows": rows}
        add(contest, "small", 60, "lora", setting=f"{rows}", template=template, **subset)
    assert list(build_templates(rounds_of(contest))) == []


def test_more_templates_than_looks_share_the_last_one() -> None:
    contest = Contest()
    add_variants(contest, "small", {f"t{place}": 60 + place for place in range(9)})
    (page,) = build_templates(rounds_of(contest))
    markers = [mark.marker for mark in marks(page.figure.axes[0])]
    assert len(set(markers)) == 7 and len(set(markers[6:])) == 1
    written = set(words(page.figure))
    assert {"t5", "other variants"} <= written and not {"t6", "t7", "t8"} & written
