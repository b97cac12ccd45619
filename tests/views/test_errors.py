from __future__ import annotations

import io
import json
import re
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

from nlu_arena.mistakes.occasions import Occasion
from nlu_arena.mistakes.review import Question, Review, review
from nlu_arena.spec import Example
from nlu_arena.views.error_records import (
    answer_columns,
    answer_records,
    confusion_records,
    document_lines,
    slice_records,
)
from nlu_arena.views.errors import ErrorsView, title_of
from tests.mistakes.desk import Desk

ENCODER: dict[str, Any] = {"family": "encoder", "mode": "fine-tune"}


def desk() -> Desk:
    """An encoder with two seeds and two LLMs on six texts."""
    made = Desk([0, 0, 0, 1, 1, 1], labels=("bad", "good"))
    made.add("minilm", [1, 0, 0, 1, 1, 1], 0.91, seed=1, **ENCODER)
    made.add("minilm", [1, 1, 0, 1, 1, 1], 0.81, seed=2, **ENCODER)
    made.add("qwen", [1, 1, 0, 0, 1, 1], 0.72)
    made.add("gemma", [1, 0, 1, 0, 1, 1], 0.63, alarms={"dev": {"ties": "2 answers have the same score"}})
    return made


def many(count: int) -> Desk:
    """Labels with long names of which every second text is taken for the next one."""
    gold = [place % count for place in range(4 * count)]
    made = Desk(gold, labels=[f"a_very_long_intent_name_{place}" for place in range(count)])
    made.add("minilm", [(x + place % 2) % count for place, x in enumerate(gold)], **ENCODER)
    return made


def render(found: Review, width: int = 80, **arguments: Any) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(ErrorsView([found], **arguments))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def figures(text: str) -> list[str]:
    return sorted(re.findall(r"\d+\.\d+", text))


def test_the_tables_say_who_is_wrong_how_often_and_on_what() -> None:
    text = render(desk().review())
    assert "reviews · dev · 6 texts · file data" in text
    assert re.search(r"1  minilm fine-tune +1   25\.0 \(\d+\.\d\u2013\d+\.\d\)  2 seeds", text)
    assert re.search(r"3  gemma zero-shot +3   50\.0 \(.*\)  ! ties", text)
    assert re.search(r"all LLMs are wrong, all encoders right +1  --set llms-wrong", text)
    assert re.search(r"all are wrong +1  \(listed below\)", text)
    assert re.search(r"  good +3 +0\.0 0\.0\u201356\.1", text)
    assert "Of several seeds" in text


def test_a_listed_text_shows_all_answers_side_by_side() -> None:
    text = render(desk().review(of_set="any-wrong"))
    part = text[text.index("#1 ") :].splitlines()
    assert part[0] == "#1 · gold bad · 1 of 3 wrong"
    assert part[1] == "  text x"
    assert part[2] == " ✓ bad  minilm fine-tune .550 (1 of 2 seeds wrong), gemma zero-shot .630"
    assert part[3] == " ✗ good  qwen zero-shot .720"


def test_pairs_and_genres_are_named() -> None:
    made = desk()
    made.examples = [
        Example(text="It rained.", label=example.label, pair="It was wet.", genre="travel")
        for example in made.examples
    ]
    text = render(made.review())
    assert "#0 · gold bad · 3 of 3 wrong · travel" in text
    assert "premise: It rained.\n" in text
    assert "hypothesis: It was wet.\n" in text


def test_a_matrix_stands_for_each_contender_and_of_many_labels_the_most_frequent_confusions() -> None:
    text = render(desk().review())
    assert "confusions: gold label down, predicted label across" in text
    assert re.search(r"bad +3 +3 +bad +1 +2 ", text)
    found = render(many(30).review())
    assert "most frequent confusions" in found
    assert "4 of 4  a_very_long_intent_name_1 → a_very_long_intent_name_2" in found
    assert "and 28 more wrong answers" in found
    assert "18 more gold labels: --json has them" in found


@pytest.mark.parametrize("width", [80, 60, 44])
def test_no_number_is_lost_however_narrow_the_terminal_is(width: int) -> None:
    for found in (desk().review(of_set="any-wrong"), many(30).review()):
        text = render(found, width)
        assert all(cell_len(line) <= width for line in text.splitlines())
        assert set(figures(text)) == set(figures(render(found, 300)))


def test_what_data_say_is_cleaned_and_never_markup() -> None:
    made = Desk([0, 0, 1], labels=("[red]很差[/]", "g\x1b[31mood"))
    made.add("qwen", [1, 1, 0])
    made.examples = [
        Example(text="[bold]信用卡\x1b]0;evil\x07 \U0001f600 被拒绝了[/bold]" * 9, label=x) for x in made.gold
    ]
    text = render(made.review())
    assert "\x1b" not in text
    assert "[bold]信用卡 \U0001f600 被拒绝了[/bold]" in text
    assert "[red]很差[/]" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    (line,) = [line for line in document_lines([made.review()], made.columns) if '"index": 0' in line]
    assert "\x07" not in line
    assert json.loads(line)["text"] == made.examples[0].text


def test_runs_on_other_texts_and_unfinished_ones_are_named_with_the_command() -> None:
    made = desk()
    made.add("bert", [0] * 6, fingerprints={"dev": "0123456789"}, data_source="starter", **ENCODER)
    first, other = made.rounds
    found = review(Occasion(first, (other,)), made.examples, Question(), made.columns)
    unfinished = [msgspec.structs.replace(made.cells[0], state="running", key="x")]
    text = " ".join(render(found, unfinished=unfinished).split())
    command = "`nlu-arena errors reviews --texts 01234567`"
    assert f"1 run on 6 other texts of starter data (not GLUE): {command}" in text
    assert "1 experiment without a finished run (running): see `nlu-arena status`" in text


def test_labels_that_were_asked_for_are_counted_and_spelled_as_they_are() -> None:
    made = desk()
    found = made.review(labels=("BAD",))
    assert found.question.labels == ("bad",)
    assert f"{found.counted.sum()} of them bad" in title_of(found)


def test_sets_that_need_both_kinds_are_shown_as_not_available() -> None:
    made = Desk([0, 1])
    made.add("qwen", [0, 0])
    assert re.search(r"all LLMs are wrong, all encoders right +n/a\n", render(made.review()))


def test_the_document_has_everything_of_the_listed_texts() -> None:
    made = desk()
    document = json.loads("".join(document_lines([made.review(of_set="any-wrong")], made.columns)))
    assert document["schema"] == 1
    assert document["total"] == len(document["examples"]) == 4
    example = next(example for example in document["examples"] if example["index"] == 1)
    assert example["gold"] == "bad"
    answers = {answer["contender"]: answer for answer in example["answers"]}
    assert answers["minilm fine-tune"]["seeds_wrong"] == 1
    assert answers["minilm fine-tune"]["predicted"] == "bad"
    assert answers["qwen zero-shot"]["confidence"] == pytest.approx(0.72)
    assert answers["minilm fine-tune"]["scores"][1] == list(made.columns(2, "dev").scores[2:4])
    assert {"split": "dev", "name": "llms-wrong", "n": 1} in document["sets"]
    assert document["confusions"][0] == {
        "split": "dev",
        "contender": "minilm fine-tune",
        "counts": [[3, 3], [0, 6]],
    }
    assert [c["error_rate"] for c in document["contenders"]] == [0.25, 0.5, 0.5]


def test_an_empty_list_is_a_document_too() -> None:
    made = Desk([0, 1])
    made.add("qwen", [0, 1])
    document = json.loads("".join(document_lines([made.review()], made.columns)))
    assert (document["total"], document["examples"]) == (0, [])


def test_records_have_the_probability_of_each_label_over_the_seeds() -> None:
    made = desk()
    found = [made.review()]
    first, *others = list(answer_records(found, made.columns))
    assert set(first) <= set(answer_columns(found))
    assert (first["contender"], first["wrong"], first["seeds_wrong"]) == ("minilm fine-tune", True, 2)
    assert first["p(good)"] == pytest.approx(0.86)
    assert first["p(bad)"] == pytest.approx(0.14)
    assert len(others) == 2


def test_tables_of_slices_and_confusions_have_a_record_for_each_contender() -> None:
    found = [desk().review()]
    slices = [r for r in slice_records(found) if (r["kind"], r["slice"]) == ("label", "bad")]
    assert [(r["contender"], r["error_rate"], r["n"]) for r in slices] == [
        ("minilm fine-tune", 0.5, 3),
        ("qwen zero-shot", 0.666667, 3),
        ("gemma zero-shot", 0.666667, 3),
    ]
    counts = {(r["contender"], r["gold"], r["predicted"]): r["answers"] for r in confusion_records(found)}
    assert counts["qwen zero-shot", "bad", "good"] == 2
    assert sum(counts.values()) == 24
