"""What a contender answered to every text of a split, its seeds taken together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlu_arena.calibration import ReadColumns, probabilities_of
from nlu_arena.contender import Contender, Round
from nlu_arena.ledger.codec import Columns

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray


class Reply(NamedTuple):
    """The answers of a contender to the n texts of a split with L labels.

    Attributes:
        contender: Whose answers they are.
        wrong_share: The share of its seeds whose answer is wrong [n].
        wrong: Whether more than half of the seeds are wrong [n].
        predicted: The gold label where it is not wrong, else the wrong label that most seeds gave [n].
        confidence: The mean of the seeds' probabilities of that label [n].
        confusions: The answers of all seeds by gold (row) and predicted label (column) [L, L].
    """

    contender: Contender
    wrong_share: NDArray[float64]
    wrong: NDArray[bool_]
    predicted: NDArray[int64]
    confidence: NDArray[float64]
    confusions: NDArray[int64]


def read_reply(contender: Contender, met: Round, read_columns: ReadColumns) -> Reply:
    """Return the answers of a contender of a round; of each seed every answer is read once."""
    import numpy as np

    labels = len(met.labels)
    votes, chances = np.zeros((met.n, labels)), np.zeros((met.n, labels))
    confusions = np.zeros(labels * labels, dtype=np.int64)
    rows, gold = np.arange(met.n), np.zeros(met.n, dtype=np.int64)
    # A contender may know fewer labels than others, or number one that no text has in another way.
    places = np.array([met.labels.index(name) for name in contender.cells[0].labels])
    for columns in _read_seeds(contender, met.split, read_columns):
        gold, predicted = (places[np.asarray(column)] for column in (columns.gold, columns.predicted))
        votes[rows, predicted] += 1
        chances[:, places] += probabilities_of(columns.scores, columns.n_labels)
        confusions += np.bincount(gold * labels + predicted, minlength=labels * labels)
    seeds = len(contender.cells)
    chances /= seeds
    wrong_share = 1 - votes[rows, gold] / seeds
    wrong = wrong_share > 0.5
    # Equally many seeds for two labels: the one they are surer of. Half a vote cannot outweigh a seed.
    votes += chances / 2
    votes[rows, gold] = -1
    predicted = np.where(wrong, votes.argmax(axis=1), gold)
    return Reply(
        contender=contender,
        wrong_share=wrong_share,
        wrong=wrong,
        predicted=predicted,
        confidence=chances[rows, predicted],
        confusions=confusions.reshape(labels, labels),
    )


def read_scores(
    contender: Contender, split: str, places: Sequence[int], read_columns: ReadColumns
) -> NDArray[Any]:
    """Return the label scores of some texts by seed as the runs recorded them [seeds, texts, labels]."""
    import numpy as np

    rows = np.asarray(places, dtype=np.int64)
    return np.stack(
        [
            np.asarray(columns.scores).reshape(-1, columns.n_labels)[rows]
            for columns in _read_seeds(contender, split, read_columns)
        ]
    )


def _read_seeds(contender: Contender, split: str, read_columns: ReadColumns) -> Iterator[Columns]:
    """Read the answers of each seed, one after the other."""
    for cell in contender.cells:
        assert cell.run_id is not None
        yield read_columns(cell.run_id, split)
