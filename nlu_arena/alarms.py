"""What is suspicious about a number: it is kept, and flagged wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlu_arena.metrics import Metrics
from nlu_arena.spec import Prediction

# The short names are stable: other programs read them.
ONE_LABEL = "one label"
BELOW_MAJORITY = "below majority"
TIES = "ties"

# Float32 scores of different labels are equal by chance now and then; that often they are not.
TIES_SHARE = 0.01
TIES_COUNT = 2

# A sentence for people by the short name.
Alarms = dict[str, str]


def find_alarms(answers: Sequence[Prediction], metrics: Metrics, labels: Sequence[str], split: str) -> Alarms:
    """Return the alarms of one split's answers, empty where nothing is suspicious.

    Args:
        answers: All answers of the split.
        metrics: What was measured of them.
        labels: The names of the task's labels.
        split: The name of the split, for the sentences.
    """
    alarms: Alarms = {}
    given = {answer.predicted for answer in answers}
    # Where there is only one label to find, finding it is no alarm.
    if len(given) == 1 and len({answer.gold for answer in answers}) > 1:
        alarms[ONE_LABEL] = f"every answer of {split} is {labels[given.pop()]!r}"
    alarms |= _compare_with_majority(metrics, split)
    ties = sum(answer.tied for answer in answers)
    if ties >= TIES_COUNT and ties > TIES_SHARE * len(answers):
        alarms[TIES] = (
            f"{ties} of {len(answers)} answers of {split} have the same score for two labels:"
            " the first one counts"
        )
    return alarms


def recorded_alarms(facts: Mapping[str, Any], by_split: Mapping[str, Metrics]) -> dict[str, Alarms]:
    """Return the alarms of a run by split, in the order of its splits.

    Runs of older programs recorded none: of theirs only what the metrics tell is known.

    Args:
        facts: The findings of the run.
        by_split: Its metrics.
    """
    recorded: dict[str, Alarms] | None = facts.get("alarms")
    if recorded is not None:
        return recorded
    return {split: _compare_with_majority(metrics, split) for split, metrics in by_split.items()}


def _compare_with_majority(metrics: Metrics, split: str) -> Alarms:
    _, high = metrics.interval
    if high >= metrics.majority:
        return {}
    cause = "a wrong label map is the usual cause, too little training another"
    return {BELOW_MAJORITY: f"accuracy on {split} is clearly below the majority share: {cause}"}
