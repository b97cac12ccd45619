from __future__ import annotations

import pytest
from rich.cells import cell_len

from nlu_arena.mistakes.sets import find_sets
from nlu_arena.spec import Example
from nlu_arena.tui.error_rows import (
    Confusion,
    count_confusions,
    draw_confusion,
    draw_example,
    find_texts,
    open_text,
    say_confusion,
)
from tests.mistakes.desk import Desk


def desk() -> Desk:
    made = Desk([0, 0, 0, 1, 1, 2], labels=("bad", "good", "odd"))
    made.add("minilm", [1, 0, 2, 1, 0, 2], family="encoder", mode="fine-tune")
    made.add("qwen", [1, 1, 1, 1, 0, 2])
    return made


def test_confusions_are_counted_for_each_contender_the_most_frequent_first() -> None:
    found = desk().review(of_set="any-wrong")
    rows = count_confusions(found, find_sets(found.replies)["any-wrong"])
    assert rows == [
        Confusion(4),
        Confusion(3, 0),
        Confusion(1, 0, 0, 1),
        Confusion(1, 0, 0, 2),
        Confusion(1, 0, 1, 0),
        Confusion(4, 1),
        Confusion(3, 1, 0, 1),
        Confusion(1, 1, 1, 0),
    ]


@pytest.mark.parametrize("name", ["any-wrong", "all-wrong", "llms-wrong"])
def test_a_row_counts_the_very_texts_that_it_lists(name: str) -> None:
    found = desk().review(of_set="any-wrong")
    members = find_sets(found.replies)[name]  # type: ignore[index]
    for row in count_confusions(found, members):
        assert len(find_texts(found, members, row)) == row.texts


def test_the_texts_of_a_set_are_listed_as_the_command_lists_them() -> None:
    found = desk().review(of_set="any-wrong")
    for name, members in find_sets(found.replies).items():
        wanted = desk().review(of_set=name).listed
        assert tuple(find_texts(found, members, Confusion(0))) == wanted


def test_several_seeds_count_once_with_the_label_that_most_gave() -> None:
    made = Desk([0, 0], labels=("bad", "good"))
    for seed, said in enumerate(([1, 1], [1, 0], [1, 0])):
        made.add("minilm", said, seed=seed, mode="fine-tune", family="encoder")
    found = made.review(of_set="any-wrong")
    rows = count_confusions(found, find_sets(found.replies)["any-wrong"])
    assert rows == [Confusion(1), Confusion(1, 0), Confusion(1, 0, 0, 1)]


def test_a_row_says_whose_confusion_it_is() -> None:
    found = desk().review(of_set="any-wrong")
    assert say_confusion(Confusion(4), found) == ""
    assert say_confusion(Confusion(3, 0), found) == "minilm fine-tune is wrong"
    assert say_confusion(Confusion(3, 1, 0, 1), found) == "qwen zero-shot: bad → good"
    assert draw_confusion(Confusion(3, 1, 0, 1), found, 20).plain == "  bad → good       3"


def test_of_many_contenders_a_row_has_the_number_by_which_the_answers_name_it() -> None:
    made = Desk([0, 1])
    for number in range(9):
        made.add(f"model-{number}", [1, 1])
    found = made.review(of_set="any-wrong")
    assert draw_confusion(Confusion(1, 8), found, 30).plain.startswith("[9] model-8 zero-shot")


def hostile_texts() -> list[str]:
    return [
        "\x1b[31mred\x1b]0;title\x07 [/bold] [link=x]",
        "e\u0301\u0301\u0301 combining \u200d\u202e reversed",
        "\u6f22\u5b57" * 60,
        "line\nline\ttab\x9b2J",
        "",
        "x" * 100_000,
    ]


@pytest.mark.parametrize("width", [1, 12, 30, 79])
def test_rows_fill_at_most_their_width_and_have_nothing_that_a_terminal_obeys(width: int) -> None:
    texts = hostile_texts()
    made = Desk(
        [0] * len(texts), labels=("\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22", "\x1b[2Jx"), is_pair=True
    )
    made.examples = [Example(text=text, label=0, pair=text[::-1]) for text in texts]
    made.add("m\x1b[1m\u6f22\u5b57", [1] * len(texts))
    found = made.review(of_set="any-wrong")
    members = find_sets(found.replies)["any-wrong"]
    lines = [draw_example(found, place, width).plain for place in range(len(texts))]
    lines += [draw_confusion(row, found, width).plain for row in count_confusions(found, members)]
    for line in lines:
        assert cell_len(line) <= max(width, 3)
        assert not any(ord(sign) < 32 or sign in "\x7f\x9b\u202e" for sign in line)


def test_a_very_long_text_is_cut_and_says_so() -> None:
    made = Desk([0, 0])
    made.examples = [Example(text="short", label=0), Example(text="x" * 25_000, label=0, pair="y" * 10_001)]
    made.add("qwen", [1, 1])
    found = made.review(of_set="any-wrong")
    opened = open_text(found, 1)
    assert opened.listed == (1,)
    assert opened.examples[1].text == "x" * 10_000 + "… and 15,000 more characters"
    assert (opened.examples[1].pair or "").endswith("y… and 1 more characters")
    assert open_text(found, 0).examples[0] == found.examples[0]
