"""The answers of contenders as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlu_arena.comparing.rows import Pair
from nlu_arena.contender import Contender, Round
from nlu_arena.statistics import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sheets:
    """Reads the answers of each contender once: a baseline meets many."""

    def __init__(self) -> None:
        self._labels: dict[Contender, tuple[NDArray[np.integer], NDArray[np.integer]]] = {}
        self._right: dict[Contender, NDArray[np.bool_]] = {}

    def count_wins(self, pair: Pair) -> tuple[int, int]:
        """Return how many texts only the one got right, and how many only the baseline; one seed each."""
        import numpy as np

        this, baseline = self._find_right(pair.this, pair.round), self._find_right(pair.baseline, pair.round)
        return int(np.count_nonzero(this & ~baseline)), int(np.count_nonzero(baseline & ~this))

    def sample(self, pair: Pair) -> Sample:
        """Return the answers of both, all seeds."""
        gold, first = self._read(pair.this, pair.round)
        _, second = self._read(pair.baseline, pair.round)
        return Sample(gold, first, second, len(pair.round.labels))

    def _find_right(self, contender: Contender, found: Round) -> NDArray[np.bool_]:
        """Return which texts the only seed got right."""
        if contender not in self._right:
            gold, predicted = self._read(contender, found)
            self._right[contender] = predicted[0] == gold
        return self._right[contender]

    def _read(self, contender: Contender, found: Round) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Return the gold labels [n] and those predicted [seeds, n] as places in the round's labels."""
        import numpy as np

        if contender not in self._labels:
            rows = []
            for cell in contender.cells:
                # Of a label that no text has, the number may be another one there.
                places = np.array([found.labels.index(name) for name in cell.labels])
                gold, predicted = (places[np.asarray(column)] for column in contender.labels(cell.seed))
                rows.append(predicted)
            self._labels[contender] = gold, np.stack(rows)
        return self._labels[contender]
