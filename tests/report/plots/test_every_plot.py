from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from matplotlib.text import Text

from nlu_arena.calibration import find_calibrations
from nlu_arena.contender import Round
from nlu_arena.report.plots import (
    Picture,
    draw_accuracy,
    draw_curves,
    draw_fronts,
    draw_latency,
    draw_reliability,
    draw_templates,
)
from nlu_arena.report.plots.accuracy import build_accuracy
from nlu_arena.report.plots.curves import build_curves
from nlu_arena.report.plots.fronts import build_fronts
from nlu_arena.report.plots.latency import build_latency
from nlu_arena.report.plots.pages import Page
from nlu_arena.report.plots.reliability import build_reliability
from nlu_arena.report.plots.style import LOOKS, MODE_LOOKS
from nlu_arena.report.plots.templates import build_templates
from tests.contest import Contest
from tests.report.plots.pictures import add, all_kinds, inches, read_columns, rounds_of, texts, words

Build = Callable[[Sequence[Round]], list[Page]]


def reliability(rounds: Sequence[Round]) -> list[Page]:
    return list(build_reliability([c for found in rounds for c in find_calibrations(found, read_columns)]))


PLOTS: dict[str, Build] = {
    "accuracy": lambda rounds: list(build_accuracy(rounds)),
    "latency": lambda rounds: list(build_latency(rounds)),
    "fronts": lambda rounds: list(build_fronts(rounds)),
    "reliability": reliability,
    "curves": lambda rounds: list(build_curves(rounds)),
    "templates": lambda rounds: list(build_templates(rounds)),
}
DRAW: dict[str, Callable[[Sequence[Round], Path], list[Picture]]] = {
    "accuracy": draw_accuracy,
    "latency": draw_latency,
    "fronts": draw_fronts,
    "reliability": lambda rounds, path: draw_reliability(
        [c for found in rounds for c in find_calibrations(found, read_columns)], path
    ),
    "curves": draw_curves,
    "templates": draw_templates,
}


@pytest.fixture(scope="module", params=PLOTS)
def crowded(request: pytest.FixtureRequest) -> list[tuple[Page, list[Text]]]:
    """The pages of a plot of 66 contenders with long names, and what is written on each."""
    rounds = rounds_of(all_kinds(11, "a-model-with-quite-a-long-name-and-a-version-"))
    pages: list[Page] = PLOTS[request.param](rounds)
    return [(page, texts(page.figure)) for page in pages]


def test_pages_are_bounded_and_everything_on_them_can_be_read(crowded: list[tuple[Page, list[Text]]]) -> None:
    assert crowded
    for page, written in crowded:
        assert inches(page.figure) <= 14
        assert min(text.get_fontsize() for text in written) >= 8
        width, height = page.figure.canvas.get_width_height()
        for text in written:
            box = text.get_window_extent()
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
            assert inside, text.get_text()


def test_every_page_says_that_starter_data_are_not_glue(crowded: list[tuple[Page, list[Text]]]) -> None:
    for _, written in crowded:
        assert any("starter data (not GLUE)" in text.get_text() for text in written)


@pytest.mark.parametrize("plot", [name for name in PLOTS if name not in ("curves", "templates")])
def test_one_contender_is_enough(plot: str) -> None:
    contest = Contest()
    add(contest, "only", 70)
    (page,) = PLOTS[plot](rounds_of(contest))
    assert any("only zero-shot" in word for word in words(page.figure))


@pytest.mark.parametrize("plot", PLOTS)
def test_names_that_the_font_lacks_or_that_look_like_formulas_are_written_plainly(plot: str) -> None:
    for page in PLOTS[plot](rounds_of(all_kinds(name="$x_1$ \u5f88\x1b[31m"))):
        # Drawing raises at the first warning.
        written = texts(page.figure)
        assert not any(bad in text.get_text() for text in written for bad in ("\x1b", "\u5f88"))
        named = [text for text in written if "$x_1$" in text.get_text()]
        assert named and not any(text.get_parse_math() for text in named)


@pytest.mark.parametrize("plot", DRAW)
def test_pictures_are_written_one_by_one_with_their_captions(plot: str, tmp_path: Path) -> None:
    pictures = DRAW[plot](rounds_of(all_kinds(tasks=("sst2", "rte"))), tmp_path / "plot.png")
    names = ["plot.png", *(f"plot_{number}.png" for number in range(2, len(pictures) + 1))]
    assert [picture.path.name for picture in pictures] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for picture in pictures:
        data = picture.path.read_bytes()
        assert data.startswith(b"\x89PNG") and max(struct.unpack(">II", data[16:24])) <= 14 * 150
        assert picture.caption.endswith(".") and ("sst2" in picture.caption or "rte" in picture.caption)


@pytest.mark.parametrize("plot", DRAW)
def test_nothing_to_draw_writes_nothing(plot: str, tmp_path: Path) -> None:
    assert DRAW[plot]([], tmp_path / "plot.png") == []
    assert not list(tmp_path.iterdir())


def test_no_two_looks_share_a_colour_or_a_mark() -> None:
    assert len({look.colour for look in LOOKS}) == len({look.marker for look in LOOKS}) == len(LOOKS)
    assert set(MODE_LOOKS) == {"fine-tune", "lora", "few-shot", "zero-shot"}
