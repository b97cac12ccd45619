"""How large a picture of confusions is and what it has room for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

POINTS = 72
# In inches: the largest picture whatever the number of labels, the narrowest that has room for its title, a
# field that has room for its numbers at full size, and what is around the fields and their labels.
LARGEST = 12.0
NARROWEST = 4.6
FIELD = 0.95
BESIDE, ABOVE, SCALE = 1.0, 1.9, 0.8
# Up to so many labels the numbers can be taken in; beyond it the colours are what is seen.
NUMBERED = 20
# Sizes in points: what fits well, and what can just be read at 150 dots an inch.
LABEL_SIZE, NUMBER_SIZE, TITLE_SIZE, SMALLEST = 9.0, 10.0, 11.0, 5.0
# Widths as multiples of the size: a usual letter, a bold one, "100.0 %" with a margin; and the letters of the
# number of examples that follows a label where both are in one line.
LETTER, BOLD, NUMBER = 0.57, 0.7, 4.6
EXAMPLES = 8


class Sheet(NamedTuple):
    """The measures of a picture: inches, and sizes of letters in points.

    Every `label_step`th label is written. Without a `number_size` the fields have no numbers and no lines
    between them.
    """

    size: tuple[float, float]
    label_size: float
    label_step: int
    is_upright: bool
    number_size: float | None
    title_length: int


def plan_sheet(labels: Sequence[str], splits: int) -> Sheet:
    """Return the measures for matrices side by side, one for each split."""
    count, longest = len(labels), max(map(len, labels))
    has_scale = count > NUMBERED
    field, label_size = FIELD, LABEL_SIZE
    # Two passes: smaller letters leave more room for the fields, which decide on the size of the letters.
    for _ in range(2):
        letter = LETTER * label_size / POINTS
        is_upright = longest * letter > field
        beside = BESIDE + (longest + EXAMPLES * has_scale) * letter
        above = ABOVE + longest * letter * is_upright
        room = (LARGEST - SCALE * has_scale) / splits - beside
        field = min(FIELD, room / count, (LARGEST - above) / count)
        label_size = min(LABEL_SIZE, max(SMALLEST, 0.8 * field * POINTS))
    number_size = min(NUMBER_SIZE, field * POINTS / NUMBER)
    width = max(NARROWEST, splits * (beside + count * field) + SCALE * has_scale)
    return Sheet(
        size=(width, above + count * field),
        label_size=label_size,
        label_step=math.ceil(1.1 * label_size / (field * POINTS)),
        is_upright=is_upright,
        number_size=None if has_scale or number_size < SMALLEST else number_size,
        title_length=int(width * POINTS / (BOLD * TITLE_SIZE)),
    )
