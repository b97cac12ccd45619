"""Which run is meant by what a person typed: its number, folder, key, or model/task/mode."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import fmean

from nlu_arena.errors import CannotStartError, NothingToShowError, UsageError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.naming import nearest
from nlu_arena.paths import ledger_path
from nlu_arena.spec import TRAINED_MODES, Experiment

# How many names or keys an error lists.
SHOWN = 6


def locate_run(results: Path, wanted: str) -> tuple[Path, str]:
    """Return the results folder and the run's name in it: the path of a run's folder tells both."""
    try:
        folder = Path(wanted).expanduser().resolve()
        is_run = folder.is_dir() and ledger_path(folder.parent).is_file()
    except (OSError, RuntimeError):
        # No path: too long a name, or ~ with an unknown user.
        return results, wanted
    return (folder.parent, folder.name) if is_run else (results, wanted)


def find_run(reader: Reader, wanted: str) -> RunRow:
    """Return the newest finished run that a name means.

    Args:
        reader: The ledger.
        wanted: A run's number or folder name, model/task/mode, or an experiment's key or its beginning.

    Raises:
        NothingToShowError: The ledger has no runs.
        UsageError: No run has this name, or keys of several experiments begin with it.
        CannotStartError: None of the runs of this name is finished.
    """
    runs = reader.changed_since(0)
    if not runs:
        raise NothingToShowError("there are no runs yet", "`nlu-arena sweep --profile quick` makes some.")
    named = _match(runs, wanted)
    if not named:
        raise UsageError(f"there is no run {wanted!r}", _suggest_run(runs, wanted))
    finished = [run for run in named if run.state == "done"]
    if not finished:
        raise _unfinished(max(named, key=lambda run: run.run_id))
    return max(finished, key=lambda run: run.run_id)


def mean_characters(reader: Reader, run_id: int) -> float:
    """Return the mean number of characters of the dev examples that a run has answered."""
    splits = [reader.examples(row.fingerprint, row.split) for row in reader.splits(run_id)]
    return fmean(len(e.text) + len(e.pair or "") for examples in splits for e in examples)


def name_run(run: RunRow) -> str:
    """Return a run's number with what it did."""
    experiment = run.experiment
    rows = experiment.subset.train if experiment.mode in TRAINED_MODES else None
    said = [
        experiment.title,
        f"train {rows}" if rows else "",
        f"template {experiment.template}" if experiment.template else "",
        f"seed {experiment.seed}",
    ]
    return f"run {run.run_id} ({', '.join(filter(None, said))})"


def again(experiment: Experiment) -> str:
    """Say how to make a run once more: only a profile can name a template."""
    if experiment.template:
        return "Make it again with --fresh: the sweep of the profile that has its template."
    command = (
        f"nlu-arena run --model {experiment.model.name} --task {experiment.task.name}"
        f" --mode {experiment.mode} --seed {experiment.seed} --fresh"
    )
    return f"Make it again with the options that it had and --fresh: {command}"


def _match(runs: Sequence[RunRow], wanted: str) -> list[RunRow]:
    """Return the runs of a name; what it means exactly goes before the beginning of a key."""
    word = wanted.lower()
    exact = (
        [run for run in runs if word == str(run.run_id)]
        or [run for run in runs if wanted == run.folder]
        or [run for run in runs if word in _titles(run.experiment)]
    )
    if exact:
        return exact
    begun = [run for run in runs if word and run.key.startswith(word)]
    keys = sorted({run.key for run in begun})
    if len(keys) > 1:
        shown = ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
        raise UsageError(
            f"the keys of {len(keys)} experiments begin with {wanted!r}", f"Give more of it: {shown}."
        )
    return begun


def _titles(experiment: Experiment) -> set[str]:
    """Return every model/task/mode that an experiment answers to, also by aliases."""
    model, task = experiment.model, experiment.task
    names = product((model.name, *model.aliases), (task.name, *task.aliases))
    return {f"{first}/{second}/{experiment.mode}" for first, second in names}


def _suggest_run(runs: Sequence[RunRow], wanted: str) -> str:
    titles = dict.fromkeys(run.experiment.title for run in runs if run.state == "done")
    close = nearest(wanted, {*titles, *(run.folder for run in runs if run.state == "done")})
    if close:
        return f"Did you mean {' or '.join(close)}?"
    shown = ", ".join(list(titles)[:SHOWN]) + (", …" if len(titles) > SHOWN else "")
    finished = f"Finished runs are of {shown}." if titles else "None is finished yet."
    return f"{finished} A run's number, folder or experiment key is understood too."


def _unfinished(run: RunRow) -> CannotStartError:
    if run.state == "running":
        return CannotStartError(f"{name_run(run)} is still running", "Wait for its end, or name another run.")
    if run.state == "interrupted":
        hint = "The command that began it goes on from there; or name another run."
        return CannotStartError(f"{name_run(run)} was interrupted", hint)
    return CannotStartError(f"{name_run(run)} failed: {run.message or run.error}", run.hint)
