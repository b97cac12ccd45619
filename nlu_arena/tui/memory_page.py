"""The memory view as lines: each device now and over ten minutes, which run was at work, each run's peak."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from nlu_arena.ledger.rows import MemorySample
from nlu_arena.tui.area import draw_area, draw_bar
from nlu_arena.tui.fitting import fill
from nlu_arena.tui.memory_history import HOST, WINDOW, History, RunMemory, fill_columns, find_column
from nlu_arena.views.figures import GIB, format_bytes, format_seconds
from nlu_arena.views.text import clean

# Little headroom is what matters: shares of the memory in use that are worth a colour and a word.
TIGHT, FULL = 0.80, 0.95
NAME_WIDTH, BAR_WIDTH, MOST_BAR_WIDTH = 7, 16, 60
PEAK_WIDTH, TIME_WIDTH, MOST_NAME_WIDTH = 8, 13, 90
MOST_ROWS = 8
MISSING = "n/a"


def draw_memory(history: History, width: int, height: int, *, ascii: bool) -> list[Text]:
    """Return the lines of the view, of which those that do not fit are scrolled.

    Args:
        history: What the ledger has.
        width: Cells of a line.
        height: The lines of the view.
        ascii: Whether to use ASCII only.
    """
    lines: list[Text] = []
    if not any(name != HOST for name in history.sources):
        lines.append(Text(_say_no_gpu(history), style="dim"))
    if not history.sources:
        lines.append(Text(_say_no_readings(history), style="dim"))
    else:
        # Half of the screen for the curves, the other half for the runs.
        each = (height // 2 - len(lines) - 2) // len(history.sources) - 1
        rows = max(0, min(MOST_ROWS, each))
        begins = _find_begins(history, width)
        for name, samples in history.sources.items():
            lines += _draw_source(name, samples, history, width, rows, begins, ascii)
        lines += [Text(_name_runs(begins, width, ascii), style="cyan"), _time_line(history, width)]
    lines += _list_runs(history, width)
    for line in lines:
        line.truncate(width, overflow="crop")
    return lines


def _say_no_gpu(history: History) -> str:
    if any(device != "cpu" for device in history.devices):
        return f"no readings of a GPU ({', '.join(map(clean, history.devices))}): host memory only"
    return "no GPU in this sweep: host memory only"


def _say_no_readings(history: History) -> str:
    if not history.runs:
        return "no memory was recorded: nothing has run in this sweep yet"
    return "no memory was recorded: this sweep left no readings" if history.has_ended else "no readings yet"


def _draw_source(
    name: str,
    samples: Sequence[MemorySample],
    history: History,
    width: int,
    rows: int,
    begins: Collection[int],
    ascii: bool,
) -> list[Text]:
    """Return a source's reading now and, where there is room, its curves over the window."""
    now = samples[-1]
    lines = [_say_now(name, samples, history.workers if name == HOST else None, width)]
    has_use = rows > 1 and any(sample.utilisation is not None for sample in samples)
    used, top = fill_columns(samples, history.end, width), _find_top(samples)
    area = draw_area(used, top, rows - has_use, marks=begins, ascii=ascii)
    lines += [Text(line, style=_style(now)) for line in area]
    if area:
        # What a full column would be, over the emptiest corner.
        scale = format_bytes(round(top))
        lines[1] = Text.assemble((scale, "dim"), (area[0][len(scale) :], _style(now)))
    if has_use:
        use = fill_columns(samples, history.end, width, utilisation=True)
        lines += [Text(line, style="magenta") for line in draw_area(use, 100.0, 1, ascii=ascii)]
    return lines


def _find_top(samples: Sequence[MemorySample]) -> float:
    """Return the end of the scale: the whole memory, halved as long as all readings are below."""
    peak = float(_peak(samples))
    top = float(max((sample.total_bytes or 0 for sample in samples), default=0)) or peak
    while peak and top / 2 >= peak:
        top /= 2
    return top


def _peak(samples: Sequence[MemorySample]) -> int:
    return max((sample.used_bytes or 0 for sample in samples), default=0)


def _say_now(name: str, samples: Sequence[MemorySample], workers: int | None, width: int) -> Text:
    """Return the newest reading of a source as a bar and in words, as many as fit."""
    now = samples[-1]
    share = _share(now)
    bar = "" if share is None else draw_bar(share, max(BAR_WIDTH, min(MOST_BAR_WIDTH, width - 60)))
    text = Text.assemble((fill(clean(name), NAME_WIDTH), "bold"), (bar, _style(now)), " ", _amount(now))
    if share is not None:
        word = " nearly full" if share >= FULL else " little left" if share >= TIGHT else ""
        text.append(f" {100 * share:.0f} %{word}", style=_style(now))
    more = [] if now.utilisation is None else [f"busy {now.utilisation} %"]
    more += [f"peak {format_bytes(_peak(samples))}"] if _peak(samples) else []
    more += [] if workers is None else [f"workers {format_bytes(workers)}"]
    for part in more:
        if text.cell_len + 2 + len(part) <= width:
            text.append(f"  {part}", style="dim")
    return text


def _amount(sample: MemorySample) -> str:
    if sample.used_bytes is None:
        return MISSING
    if not sample.total_bytes:
        return format_bytes(sample.used_bytes)
    return f"{sample.used_bytes / GIB:.1f}/{sample.total_bytes / GIB:.1f} GiB"


def _share(sample: MemorySample) -> float | None:
    if sample.used_bytes is None or not sample.total_bytes:
        return None
    return sample.used_bytes / sample.total_bytes


def _style(sample: MemorySample) -> str:
    share = _share(sample) or 0.0
    return "red" if share >= FULL else "yellow" if share >= TIGHT else "green"


def _find_begins(history: History, width: int) -> dict[int, str]:
    """Return the names of the runs that began, by their column; of several in one column the last."""
    begins: dict[int, str] = {}
    names = _find_names(history.runs)
    for run in sorted(history.runs, key=lambda run: run.began):
        column = find_column(run.began, history.end, width)
        if column is not None:
            begins[column] = names[run.run_id]
        elif run.began < history.end and (run.ended is None or run.ended > history.end - WINDOW):
            # It was at work when the window begins.
            begins[0] = names[run.run_id]
    return begins


def _name_runs(begins: dict[int, str], width: int, ascii: bool) -> str:
    """Return a line on which each run's name begins where the run does, as far as the next one lets it."""
    line = ""
    columns = sorted(begins)
    for column, following in zip(columns, [*columns, width][1:], strict=True):
        text = ("|" if ascii else "└") + begins[column]
        room = max(1, following - column - 1)
        line = set_cell_size(line, column) + set_cell_size(text, min(cell_len(text), room))
    return line


def _find_names(runs: Sequence[RunMemory]) -> dict[int, str]:
    """Return what the runs are called, without the settings that all have in common."""
    shared = set.intersection(*(set(run.settings) for run in runs)) if len(runs) > 1 else set[str]()
    return {
        run.run_id: clean(" · ".join([run.title, *(one for one in run.settings if one not in shared)]))
        for run in runs
    }


def _time_line(history: History, width: int) -> Text:
    left = f"-{WINDOW / 60:.0f} min"
    right = time.strftime("%H:%M:%S", time.localtime(history.end))
    return Text(left + right.rjust(width - len(left)), style="dim")


def _list_runs(history: History, width: int) -> list[Text]:
    """Return a table of the runs' peaks; columns of a GPU only where a run has used one."""
    if not history.runs:
        return []
    has_gpu = any(run.allocated is not None or run.reserved is not None for run in history.runs)
    heads = ["host", "GPU tensors", "GPU held"] if has_gpu else ["host"]
    peak_width = max(PEAK_WIDTH, *map(len, heads))
    columns = (peak_width + 2) * len(heads) + TIME_WIDTH
    name_width = max(12, min(MOST_NAME_WIDTH, width - columns))
    head = fill("peaks of the newest runs", name_width) + "".join(f"  {h:>{peak_width}}" for h in heads)
    lines = [Text(), Text(f"{head}{'time':>{TIME_WIDTH}}", style="bold")]
    names = _find_names(history.runs)
    for run in history.runs:
        peaks = [run.host, run.allocated, run.reserved] if has_gpu else [run.host]
        said = "".join(f"  {MISSING if peak is None else format_bytes(peak):>{peak_width}}" for peak in peaks)
        lines.append(Text(f"{fill(names[run.run_id], name_width)}{said}{_say_time(run):>{TIME_WIDTH}}"))
    return lines


def _say_time(run: RunMemory) -> str:
    return run.state if run.ended is None else format_seconds(run.ended - run.began)
