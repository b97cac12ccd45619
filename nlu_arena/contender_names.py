"""What contenders are called: as little as tells them apart, and the same on every task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import TRAINED_MODES

# Task, split and fingerprint: the very same examples.
Texts = tuple[str, str, str]


def name_settings(cells: Sequence[Cell]) -> dict[str, str]:
    """Return a name for each setting: model and mode, and what else it takes to tell two apart.

    Each detail is named for all tasks where it is needed on one: a name means the same everywhere. Other
    texts are no detail: there the same has the same name.
    """
    members = {cell.setting: cell for cell in cells}
    names = {setting: _name(cell) for setting, cell in members.items()}
    variants = {(cell.task, names[s], *_details(cell)) for s, cell in members.items()}
    taken = Counter((task, name) for task, name, *_ in variants)
    told_apart = {name for (_, name), count in taken.items() if count > 1}
    words = {s: _details(members[s]) if name in told_apart else [] for s, name in names.items()}
    places = _find_places(cells)
    keys = _find_differences(members, {s: _join(name, words[s]) for s, name in names.items()}, places)
    named = {
        s: _join(
            name, words[s] + [f"{key} {cell.settings[key]}" for key in keys[name] if key in cell.settings]
        )
        for s, name in names.items()
        for cell in [members[s]]
    }
    return _number_equal(named, places)


def _find_differences(
    members: Mapping[str, Cell], names: Mapping[str, str], places: Mapping[str, Iterable[Texts]]
) -> dict[str, list[str]]:
    """Return for each use of a model in which settings those differ that meet under one name.

    Args:
        members: A cell of each setting.
        names: What they are called so far.
        places: The texts that each has answered.
    """
    meetings: dict[tuple[Texts, str], list[Cell]] = {}
    for setting, name in names.items():
        for texts in places[setting]:
            meetings.setdefault((texts, name), []).append(members[setting])
    keys: dict[str, list[str]] = {_name(cell): [] for cell in members.values()}
    for cells in meetings.values():
        known = keys[_name(cells[0])]
        union = dict.fromkeys(key for cell in cells for key in cell.settings)
        differing = [key for key in union if len({cell.settings.get(key) for cell in cells}) > 1]
        known += [key for key in differing if key not in known]
    return keys


def _find_places(cells: Iterable[Cell]) -> dict[str, dict[Texts, None]]:
    """Return the texts that each setting has answered."""
    places: dict[str, dict[Texts, None]] = {}
    for cell in cells:
        texts = ((cell.task, split, fingerprint) for split, fingerprint in cell.fingerprints.items())
        places.setdefault(cell.setting, {}).update(dict.fromkeys(texts))
    return places


def _number_equal(names: Mapping[str, str], places: Mapping[str, Iterable[Texts]]) -> dict[str, str]:
    """Return the names, those of settings that meet under the same one with a number, from 1 on any texts."""
    meetings = Counter((texts, name) for setting, name in names.items() for texts in places[setting])
    last = Counter[tuple[Texts, str]]()
    numbered = {}
    for setting, name in names.items():
        here = [(texts, name) for texts in places[setting]]
        numbered[setting] = name
        if any(meetings[place] > 1 for place in here):
            number = 1 + max(last[place] for place in here)
            last |= Counter(dict.fromkeys(here, number))
            numbered[setting] = f"{name} #{number}"
    return numbered


def _name(cell: Cell) -> str:
    return " ".join(filter(None, [cell.model, cell.quantisation, cell.mode]))


def _join(name: str, words: Sequence[str]) -> str:
    return f"{name} ({', '.join(words)})" if words else name


def _details(cell: Cell) -> list[str]:
    rows = cell.subset.train if cell.mode in TRAINED_MODES else None
    # A literal template may be of several lines: a name is one, that a person can type.
    template = " ".join(cell.template.split())
    words = [f"{cell.shots} shots" if cell.shots else "", f"train {rows}" if rows else "", template]
    return [word for word in words if word]
