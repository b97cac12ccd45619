"""Who takes part in the questions: one round for each split, one setting for each use of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.choice import rank_round
from nlu_arena.contender import Contender, Round
from nlu_arena.spec import Mode

# The model that the questions call BERT, where the ledger has it.
BERT = "bert-base"


class Scene(NamedTuple):
    """What the questions look at.

    `reference` is the model that stands for BERT, empty where no encoder was fine-tuned; `left_out` are the
    rounds of a task beside the chosen one.
    """

    rounds: tuple[Round, ...]
    reference: str
    left_out: tuple[Round, ...]

    def find_reference(self, found: Round) -> Contender | None:
        """Return the fine-tuned reference of a round, None where there is none without an alarm."""
        return self.find(found, self.reference, "fine-tune")

    def find(self, found: Round, model: str, mode: Mode) -> Contender | None:
        """Return what stands for a model in a mode, None where there is nothing without an alarm."""
        chosen = self.choose(found, model, mode)
        return None if chosen is None or chosen.alarms else chosen

    def choose(self, found: Round, model: str, mode: Mode) -> Contender | None:
        """Return what stands for a model in a mode, with or without an alarm, None where nothing does."""
        return choose_setting([c for c in found.contenders if c.model == model and c.mode == mode])

    def find_llms(self, found: Round, mode: Mode) -> list[Contender]:
        """Return what stands for each language model in a mode, the smallest first, none with an alarm."""
        sizes = {c.model: c.cells[0].size for c in found.contenders if not c.is_encoder and c.mode == mode}
        chosen = (self.find(found, model, mode) for model in sorted(sizes, key=sizes.__getitem__))
        return [contender for contender in chosen if contender is not None]

    def find_all(self, found: Round) -> list[Contender]:
        """Return what stands for each use of each model, in their order, none with an alarm."""
        uses = dict.fromkeys((contender.model, contender.mode) for contender in found.contenders)
        return [chosen for use in uses if (chosen := self.find(found, *use)) is not None]

    def name(self, task: str, split: str) -> str:
        """Return what a place is called: the task, with its split where it has several."""
        splits = {found.split for found in self.rounds if found.task == task}
        return f"{task} {split}" if len(splits) > 1 else task


def set_scene(rounds: Sequence[Round]) -> Scene:
    """Return who takes part, from all rounds of the ledger."""
    places: dict[tuple[str, str], list[Round]] = {}
    for found in rounds:
        places.setdefault((found.task, found.split), []).append(found)
    chosen = tuple(max(peers, key=rank_round) for peers in places.values())
    kept = {id(found) for found in chosen}
    return Scene(chosen, _choose_reference(chosen), tuple(r for r in rounds if id(r) not in kept))


def choose_setting(contenders: Sequence[Contender]) -> Contender | None:
    """Return the one of several settings that stands for a model in a mode; never chosen by its score.

    That is the one with the task's own prompt, then with the most labelled examples, then the newest.
    """
    return max(
        reversed(contenders),
        key=lambda c: (not c.cells[0].template, c.cells[0].train_rows or 0),
        default=None,
    )


def _choose_reference(rounds: Sequence[Round]) -> str:
    tuned = [c for found in rounds for c in found.contenders if c.is_encoder and c.mode == "fine-tune"]
    # The order of the rounds is that of the tasks: the first run is the one with the lowest number.
    tuned.sort(key=lambda c: (c.model != BERT, min(cell.run_id or 0 for cell in c.cells)))
    return tuned[0].model if tuned else ""
