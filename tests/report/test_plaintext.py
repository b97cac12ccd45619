from __future__ import annotations

from nlu_arena.report.document import Block, Bullets, Commands, Document, Image, Paragraph, Section, Table
from nlu_arena.report.plaintext import WIDTH, render_text


def render(*blocks: Block) -> list[str]:
    return render_text(Document("Title", (Section("Part", blocks),))).splitlines()[5:]


def test_sentences_are_broken_and_pictures_left_out() -> None:
    lines = render(Paragraph("word " * 40), Bullets(("item " * 30,)), Image("a.png", "unseen"))
    assert max(map(len, lines)) <= WIDTH
    assert lines[2].startswith("word")
    assert lines[-1].startswith("  item")
    assert "unseen" not in "".join(lines)


def test_a_command_stays_in_one_line() -> None:
    command = "nlu-arena run " + "--option value " * 10
    assert render(Commands((command,))) == [f"    {command}"]


def test_a_table_that_fits_stands_in_columns_with_its_numbers_right() -> None:
    table = Table(("model", "%"), (("minilm", "80.8"), ("qwen", "7.1")))
    assert render(table)[1:4] == ["model      %", "minilm  80.8", "qwen     7.1"]


def test_wide_letters_take_two_columns() -> None:
    lines = render(Table(("标签", "%"), (("a", "1"),)))
    assert lines[1:3] == ["标签  %", "a     1"]


def test_of_a_table_that_is_too_wide_names_stand_above_and_no_number_is_lost() -> None:
    long = "a-very-long-name-" * 5
    table = Table(
        ("model", "against", "points", "p"), ((long, "b", "+1.0", ".05"), (long, "c", "-2.5", "1")), names=2
    )
    lines = render(table)
    assert lines[1:] == [
        "model | against",
        "    points    p",
        f"{long} | b",
        "      +1.0  .05",
        f"{long} | c",
        "      -2.5    1",
        "",
    ]


def test_a_wide_table_of_words_alone_is_a_list() -> None:
    lines = render(Table(("question", "answer"), (("Can it?", "yes: " + "word " * 30),), names=2))
    assert lines[1].startswith("- Can it?: yes: word")
    assert max(map(len, lines)) <= WIDTH
