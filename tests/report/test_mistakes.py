from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.report.mistakes import write_mistakes
from nlu_arena.report.slices import _draw, draw_slices
from tests.mistakes.desk import Desk

ENCODER: dict[str, Any] = {"family": "encoder", "mode": "fine-tune"}
GOLD = [0, 0, 0, 1, 1, 1]


def desk(contenders: int = 2) -> Desk:
    made = Desk(GOLD, labels=("bad", "很好"))
    made.add("minilm", [1, 0, 0, 1, 1, 1], **ENCODER)
    for number in range(contenders - 1):
        made.add(f"a/b {number}", [1, 1, 0, 0, 1, 1], mode="few-shot")
    return made


def size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_and_pictures_are_written_whole_under_names_that_are_safe(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = desk()
    paths = list(write_mistakes([made.review()], tmp_path / "out", made.columns))
    assert [path.name for path in paths] == [
        "reviews_answers.csv",
        "reviews_slices.csv",
        "reviews_confusions.csv",
        "reviews_dev_slices.png",
        "reviews_dev_confusions_minilm_fine-tune.png",
        "reviews_dev_confusions_a_b_0_few-shot.png",
    ]
    assert sorted(paths) == sorted((tmp_path / "out").iterdir())
    assert all(max(size(path)) <= 12 * 150 for path in paths if path.suffix == ".png")
    assert capfd.readouterr() == ("", "")


def test_the_tables_have_the_listed_answers_all_slices_and_all_confusions(tmp_path: Path) -> None:
    made = desk()
    found = made.review()
    list(write_mistakes([found], tmp_path, made.columns))
    assert {row["index"] for row in written(tmp_path / "reviews_answers.csv")} == {
        str(x) for x in found.listed
    }
    assert len(written(tmp_path / "reviews_slices.csv")) == 2 * len(found.slices)
    counts = sum(int(row["answers"]) for row in written(tmp_path / "reviews_confusions.csv"))
    assert counts == 2 * len(GOLD)


def test_contenders_whose_names_become_equal_have_files_of_their_own(tmp_path: Path) -> None:
    made = Desk(GOLD)
    for model in ("a/b", "a b", "a?b"):
        made.add(model, GOLD)
    paths = list(write_mistakes([made.review()], tmp_path, made.columns))
    assert len({path.name for path in paths}) == len(paths) == 4 + 3


def test_many_contenders_are_on_several_pictures(tmp_path: Path) -> None:
    pictures = draw_slices(desk(9).review(), tmp_path / "slices.png")
    assert [picture.path.name for picture in pictures] == ["slices.png", "slices_2.png", "slices_3.png"]


def test_the_picture_of_slices_names_them_with_their_sizes() -> None:
    from matplotlib.text import Text

    (page,) = _draw(desk().review())
    page.figure.canvas.draw()
    texts = {text.get_text() for text in page.figure.findobj(Text)}
    assert {
        "gold: bad (n 3)",
        "error rate in %",
        "minilm fine-tune",
        "Errors on reviews (dev) by kind of text",
    } <= texts


def test_texts_of_one_kind_only_have_no_picture_of_slices(tmp_path: Path) -> None:
    made = Desk([0])
    made.add("minilm", [0])
    assert draw_slices(made.review(), tmp_path / "slices.png") == []
    assert list(tmp_path.iterdir()) == []
