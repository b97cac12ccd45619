"""Numbers as people read them."""

from __future__ import annotations

MIB = 1024**2
GIB = 1024**3


def format_percent(share: float) -> str:
    """Return a share from 0 to 1 in percent with one decimal, without the sign."""
    return f"{100 * share:.1f}"


def format_interval(interval: tuple[float, float]) -> str:
    """Return the ends of an interval of shares in percent."""
    low, high = interval
    return f"{format_percent(low)}\u2013{format_percent(high)}"


def format_share(share: float) -> str:
    """Return a share, or an MCC from -1 to 1, as tables of results write it: .787, -.032."""
    text = f"{round(share, 3) + 0.0:.3f}"
    return text.replace("0.", ".", 1) if abs(share) < 1 else text


def format_seconds(seconds: float) -> str:
    """Return a time in at most two units: 0.4 s, 41 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def format_short_seconds(seconds: float) -> str:
    """Return a time in one unit, for a field of a table: 0.4 s, 41 s, 3.7 min, 2.1 h."""
    if seconds < 59.5:
        return format_seconds(seconds)
    return f"{seconds / 60:.1f} min" if seconds < 3570 else f"{seconds / 3600:.1f} h"


def format_estimate(seconds: float) -> str:
    """Return a time that nobody knows exactly: ~8 s, ~3.7 min."""
    return f"~{round(seconds)} s" if seconds < 59.5 else f"~{format_short_seconds(seconds)}"


def format_milliseconds(value: float) -> str:
    """Return a short time: 0.031 ms, 1.2 ms, 147 ms."""
    number = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.095 else f"{value:.2g}"
    return f"{number} ms"


def format_p(value: float) -> str:
    """Return a p-value: p 0.038, p < 0.001."""
    return f"p {value:.2g}" if value >= 0.001 else "p < 0.001"


def format_gap(share: float) -> str:
    """Return how large a difference of accuracies is, about: 3.4 points, 12 points."""
    return f"{100 * share:.0f} points" if share >= 0.0995 else f"{100 * share:.1f} points"


def format_bytes(size: int) -> str:
    """Return a size in memory or on disk in MiB or GiB."""
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / MIB:.0f} MiB"


def format_parameters(count: int) -> str:
    """Return the size of a model: 22.7M, 1.5B."""
    if count >= 10**9:
        return f"{count / 1e9:.1f}B"
    return f"{count / 1e6:.1f}M" if count < 10**8 else f"{count / 1e6:.0f}M"


def format_count(count: int, word: str) -> str:
    """Return a count with its noun: 1 warning, 3 warnings."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
