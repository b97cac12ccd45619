"""Texts in the cells of a terminal: cut or filled to a width."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def cut_middle(text: str, width: int, sign: str = "…") -> str:
    """Return a text in at most so many cells, its middle replaced: the ends tell names apart."""
    if cell_len(text) <= width:
        return text
    if width <= len(sign):
        return sign[:width]
    kept = width - len(sign)
    end = kept // 2
    tail = text[len(text) - end :] if end else ""
    # What combines with a letter that is gone would sit on the sign.
    while tail and (cell_len(tail) > end or not cell_len(tail[0])):
        tail = tail[1:]
    # A wide character that would be halved leaves a blank.
    return f"{set_cell_size(text, kept - cell_len(tail))}{sign}{tail}"


def fill(text: str, width: int, sign: str = "…") -> str:
    """Return a text in exactly so many cells, at the left."""
    short = cut_middle(text, width, sign)
    return short + " " * (width - cell_len(short))
