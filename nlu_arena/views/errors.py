"""What goes wrong on a task, for a terminal: who, on which texts, of what kind, and the texts themselves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from nlu_arena.ledger.rows import Cell
from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.review import ErrorRate, Review
from nlu_arena.mistakes.sets import SET_NAMES, SetName
from nlu_arena.views.columns import align, shorten
from nlu_arena.views.commands import name_folder
from nlu_arena.views.confusions import confusion_lines
from nlu_arena.views.figures import format_count, format_interval, format_percent
from nlu_arena.views.gallery import gallery_lines
from nlu_arena.views.matrix import DATA_TITLES
from nlu_arena.views.names import say_unfinished, sign_alarm
from nlu_arena.views.slices import slice_lines
from nlu_arena.views.text import clean

NAME_WIDTH = 48
SET_TITLES: dict[SetName, str] = {
    "all-wrong": "all are wrong",
    "llms-wrong": "all LLMs are wrong, all encoders right",
    "encoders-wrong": "all encoders are wrong, all LLMs right",
    "any-wrong": "anybody is wrong",
    "suspects": "the gold label is likely to be the mistake",
}
SUSPECTS = (
    "A gold label is likely to be the mistake where all encoders and LLMs without an alarm agree on one other"
    " label, each with a confidence of .9 or more."
)
SEEDS = (
    "Of several seeds: error rates are means, confusions count all answers; elsewhere a contender is wrong"
    " where more than half of its seeds are, and its confidence is their mean."
)


class ErrorsView:
    """Renders the mistakes on each split of a task in the width there is."""

    def __init__(self, reviews: Sequence[Review], unfinished: Sequence[Cell] = (), results: str = "") -> None:
        """Prepare the view.

        Args:
            reviews: What is shown.
            unfinished: The task's experiments that are not done.
            results: The folder that the command line named, empty where it named none.
        """
        self._reviews = reviews
        self._unfinished = unfinished
        self._results = results

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render split by split: tables first, then the texts."""
        for review in self._reviews:
            yield from self._render(review, options.max_width)

    def _render(self, review: Review, width: int) -> Iterator[Text | Padding | Grid]:
        yield Text(title_of(review), style="bold")
        yield Text()
        yield from _contender_lines(review, width)
        yield Text()
        yield from _set_lines(review)
        for note in [*_rules(review), *absent_lines(review, self._unfinished, self._results)]:
            yield Text(note, style="dim")
        yield Text()
        yield from slice_lines(review, width)
        yield Text()
        yield from confusion_lines(review, width)
        listed = format_count(len(review.listed), "text")
        yield Text(f"{listed} on which {condition_of(review)}", style="bold")
        yield Text()
        yield from gallery_lines(review)


def title_of(review: Review) -> str:
    """Say which texts these are."""
    met = review.round
    data = DATA_TITLES.get(met.data_source, met.data_source)
    parts = [clean(met.task), clean(met.split), format_count(met.n, "text"), data]
    cells = [cell for contender in met.contenders for cell in contender.cells]
    names = [cell.published for cell in cells if cell.is_published(met.split) is False]
    parts += [f"not {clean(name)}" for name in names[:1]]
    if review.question.labels:
        labels = ", ".join(clean(label) for label in review.question.labels)
        parts.append(f"{review.counted.sum():,} of them {labels}")
    return " \u00b7 ".join(parts)


def condition_of(review: Review) -> str:
    """Say what is true of the texts that are listed."""
    question = review.question
    if question.only is None:
        return SET_TITLES[question.of_set]
    return f"{clean(question.only)} is wrong, {clean(question.other or 'everybody else')} is right"


def _contender_lines(review: Review, width: int) -> Iterator[Text]:
    """Return a line for each contender: how often it is wrong, and its alarms."""
    names = [clean(reply.contender.name) for reply in review.replies]
    digits = len(str(len(names)))
    wrong_width = max(5, len(f"{review.round.n:,}"))
    figures_width = wrong_width + 2 + max(len(_write(rate)) for rate in review.rates)
    room = max(len("contender"), width - digits - 4 - figures_width)
    name_width = min(NAME_WIDTH, room, max(map(cell_len, ["contender", *names])))
    lead = f"{' ' * (digits + 2)}{align('contender', name_width)}"
    yield Text(f"{lead}  {'wrong':>{wrong_width}}  error % and 95 %", style="bold")
    for number, (name, reply, rate) in enumerate(zip(names, review.replies, review.rates, strict=True), 1):
        figures = f"{_count_wrong(reply, review):>{wrong_width},}  {_write(rate)}"
        line = f"{number:>{digits}}  {align(shorten(name, name_width), name_width)}  {figures}"
        seeds = len(reply.contender.cells)
        said = [f"{seeds} seeds"] if seeds > 1 else []
        said += [sign_alarm(alarm) for alarm in reply.contender.alarms]
        rest = ", ".join(said)
        if rest and cell_len(line) + 2 + len(rest) > width:
            yield Text(line, no_wrap=True)
            line = " " * digits
        yield Text.assemble(line, (f"  {rest}" if rest else "", "yellow"))


def _count_wrong(reply: Reply, review: Review) -> int:
    return int((reply.wrong & review.counted).sum())


def _write(rate: ErrorRate) -> str:
    return f"{format_percent(rate.share):>5} ({format_interval(rate.interval)})"


def _set_lines(review: Review) -> Iterator[Text]:
    """Return the sizes of the sets, and how their texts are listed."""
    width = max(map(len, SET_TITLES.values()))
    digits = max(len(f"{n:,}") for n in review.sets.values())
    yield Text("texts on which", style="bold")
    for name in SET_NAMES:
        count = review.sets.get(name)
        size = "n/a" if count is None else f"{count:,}"
        is_listed = name == review.question.of_set and review.question.only is None
        how = "(listed below)" if is_listed else f"--set {name}" if count is not None else ""
        line = f"  {SET_TITLES[name]:<{width}}  {size:>{max(3, digits)}}"
        yield Text.assemble(line, (f"  {how}" if how else "", "dim"))


def absent_lines(review: Review, unfinished: Sequence[Cell], results: str = "") -> Iterator[str]:
    """Say which runs of the task are not here: those on other texts, and the unfinished ones.

    `results` is the folder that the command line named, empty where it named none.
    """
    task = shlex.quote(clean(review.round.task))
    for other in review.others:
        runs = format_count(sum(len(contender.cells) for contender in other.contenders), "run")
        texts = f"{format_count(other.n, 'other text')} of {DATA_TITLES.get(other.data_source, '')}"
        command = f"`nlu-arena errors {task} --texts {other.fingerprint[:8]}`"
        yield name_folder(f"not here: {runs} on {texts}: {command}", results)
    if unfinished:
        yield name_folder(say_unfinished(unfinished), results)


def _rules(review: Review) -> Iterator[str]:
    if "suspects" in review.sets:
        yield SUSPECTS
    if review.has_seeds:
        yield SEEDS
