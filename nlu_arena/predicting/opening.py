"""What a worker must be given to answer as a finished run did: checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nlu_arena.errors import CannotStartError
from nlu_arena.events import Open
from nlu_arena.ledger.rows import RunRow
from nlu_arena.paths import BEST_MODEL
from nlu_arena.predicting.runs import again, name_run
from nlu_arena.sources import verify_weights, weights_identity
from nlu_arena.spec import TRAINED_MODES, Example


def prepare_opening(results: Path, run: RunRow) -> Open:
    """Return the command that opens a run's model.

    Raises:
        CannotStartError: The trained model, its weights or the few-shot examples are not here any more.
    """
    folder = (results / run.folder).absolute()
    if run.experiment.mode in TRAINED_MODES and not (folder / BEST_MODEL).is_dir():
        raise CannotStartError(
            f"the model that {name_run(run)} trained is gone: there is no folder {folder / BEST_MODEL}",
            again(run.experiment),
        )
    return Open(
        experiment=run.experiment,
        weights_dir=str(_find_weights(run, folder)),
        folder=str(folder),
        shots=_recorded_shots(run),
    )


def _find_weights(run: RunRow, folder: Path) -> Path:
    """Return the folder of the weights that the run began from, every byte as it was then."""
    experiment = run.experiment
    if experiment.mode == "fine-tune":
        # All weights were trained and lie in the run's folder, and so does the tokenizer.
        return folder / BEST_MODEL
    path = verify_weights(experiment.model)
    if weights_identity(experiment.model) != experiment.weights_identity:
        raise CannotStartError(
            f"the weights in {path} are not those that {name_run(run)} used: they have changed since",
            f"Put the earlier ones back. {again(experiment)}",
        )
    return path


def _recorded_shots(run: RunRow) -> list[Example]:
    """Return the examples that the run's prompts showed."""
    if not run.experiment.shots:
        return []
    if "shots" not in run.facts:
        raise CannotStartError(
            f"{name_run(run)} was made by an earlier version, which did not record its few-shot examples",
            again(run.experiment),
        )
    return msgspec.convert(run.facts["shots"], list[Example])
