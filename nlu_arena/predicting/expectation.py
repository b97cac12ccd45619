"""How fast the labelling will go, from what the run itself has measured."""

from __future__ import annotations

from nlu_arena.ledger.rows import RunRow
from nlu_arena.predicting.texts import Survey

# Texts differ from file to file; only clearly longer ones change what is expected.
CLEARLY_LONGER = 1.5


def expect_rate(run: RunRow, dev_characters: float, survey: Survey, device_kind: str) -> float | None:
    """Return how many texts a second are to be expected, None where nothing was measured.

    A model's work grows with the tokens, and these with the characters. The prompt around a text does not:
    where texts are longer, the rate is rather too low.

    Args:
        run: A finished run of the model.
        dev_characters: The mean length of the examples that the run has timed.
        survey: The file to label.
        device_kind: Where it will be labelled: what another kind of device took says nothing.
    """
    measured = run.facts.get("evaluate_examples_per_second")
    if measured is None or run.device_kind != device_kind:
        return None
    longer = survey.characters / survey.texts / dev_characters if dev_characters else 1.0
    return float(measured) / (longer if longer > CLEARLY_LONGER else 1.0)
