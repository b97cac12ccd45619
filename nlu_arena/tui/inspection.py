"""What the errors view shows of some texts, read and computed on a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Contender, Round, find_rounds
from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.queries import Reader
from nlu_arena.mistakes.occasions import Occasion, choose_occasions
from nlu_arena.mistakes.review import Question, Review, review
from nlu_arena.mistakes.sets import SET_NAMES, find_difference, find_sets
from nlu_arena.tui.error_rows import Confusion, count_confusions
from nlu_arena.views.errors import SET_TITLES
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.mistakes.slices import Members

# Of the whole sets the one that holds all others comes first.
ALL_SETS = ("any-wrong", *(name for name in SET_NAMES if name != "any-wrong"))
# With 300 contenders one has 30 MB.
REVIEWS_KEPT = 2


class Request(NamedTuple):
    """Which texts are looked at: those of a task, or so many further on; and which set of them."""

    results: int
    marked: frozenset[str]
    task: str
    further: int
    of_set: int


class ErrorSet(NamedTuple):
    """Some of the texts, and what is true of them."""

    title: str
    members: Members


class Inspection(NamedTuple):
    """The mistakes on some texts: the `place`-th of `places`, the `chosen`-th of the sets, its confusions."""

    review: Review
    place: int
    places: int
    sets: tuple[ErrorSet, ...]
    chosen: int
    confusions: Sequence[Confusion]

    @property
    def error_set(self) -> ErrorSet:
        """Return the set that is listed."""
        return self.sets[self.chosen]


class Inspector:
    """Looks at the mistakes in a ledger; keeps what it has read last. For one thread at a time."""

    def __init__(self) -> None:
        self._rounds: tuple[int, list[Occasion]] | None = None
        self._reviews: dict[tuple[int, str, str, str], Review] = {}

    def look(self, reader: Reader, request: Request) -> Inspection:
        """Return the mistakes on the texts that are asked for.

        Raises:
            NothingToShowError: Nothing is done.
        """
        occasions = self._find_occasions(reader, request.results)
        if not occasions:
            raise NothingToShowError("no run is finished yet", "What goes wrong is shown as soon as one is.")
        first = next((x for x, o in enumerate(occasions) if o.round.task == request.task), 0)
        place = (first + request.further) % len(occasions)
        found = self._review(reader, occasions[place], request.results)
        sets = tuple(_find_sets(found, request.marked))
        chosen = request.of_set % len(sets)
        confusions = count_confusions(found, sets[chosen].members)
        return Inspection(found, place, len(occasions), sets, chosen, confusions)

    def _find_occasions(self, reader: Reader, results: int) -> list[Occasion]:
        """Return all texts that anything has answered, task by task, those with the most runs first."""
        if self._rounds is None or self._rounds[0] != results:
            rounds = find_rounds(reader.finished(), reader.labels)
            self._rounds = results, [o for task in _tasks(rounds) for o in _of_task(rounds, task)]
        return self._rounds[1]

    def _review(self, reader: Reader, occasion: Occasion, results: int) -> Review:
        met = occasion.round
        key = (results, met.task, met.split, met.fingerprint)
        if key not in self._reviews:
            # Oldest first: what is left makes room before the next one is read.
            for old in list(self._reviews)[: len(self._reviews) - REVIEWS_KEPT + 1]:
                del self._reviews[old]
            examples = reader.examples(met.fingerprint, met.split)
            # Every other set is a part of this one, in the same order.
            self._reviews[key] = review(occasion, examples, Question("any-wrong"), reader.columns)
        return self._reviews[key]


def _tasks(rounds: Sequence[Round]) -> Iterator[str]:
    yield from dict.fromkeys(met.task for met in rounds)


def _of_task(rounds: Sequence[Round], task: str) -> Iterator[Occasion]:
    for occasion in choose_occasions([met for met in rounds if met.task == task], None, None):
        yield occasion
        yield from (Occasion(other, ()) for other in occasion.others)


def _find_sets(found: Review, marked: frozenset[str]) -> Iterator[ErrorSet]:
    """Return the sets that are there, and of two marked contenders those on which one alone is wrong."""
    sets = find_sets(found.replies)
    for name in ALL_SETS:
        if name in sets:
            yield ErrorSet(SET_TITLES[name], sets[name] & found.counted)
    chosen = [c for c in found.round.contenders if _is_marked(c, marked)]
    if len(chosen) == 2:
        for loser, winner in (chosen, chosen[::-1]):
            members = find_difference(found.replies, loser.name, winner.name)
            title = f"{clean(loser.name)} is wrong, {clean(winner.name)} is right"
            yield ErrorSet(title, members & found.counted)


def _is_marked(contender: Contender, marked: frozenset[str]) -> bool:
    return any(cell.key in marked for cell in contender.cells)
