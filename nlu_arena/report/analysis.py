"""The report of a ledger in a folder: tables, pictures, and a text for people."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.report.chapters import tell_criteria, tell_headlines, tell_questions
from nlu_arena.report.csvtable import write_table
from nlu_arena.report.document import Document
from nlu_arena.report.gathering import PICTURES, gather, read_finished
from nlu_arena.report.html import render_html
from nlu_arena.report.markdown import render_markdown
from nlu_arena.report.material import Material
from nlu_arena.report.method import explain_method
from nlu_arena.report.opening import open_report
from nlu_arena.report.plaintext import render_text
from nlu_arena.report.results import tell_results

TITLE = "Fine-tuned BERTs, prompted small LLMs and LoRA compared"
TABLE, SUMMARY, MARKDOWN, HTML = "comparison_table.csv", "summary_stats.txt", "report.md", "report.html"
# Every name that a report can use: of its pictures, "pareto_2.png" is a second page.
TEXTS = "|".join(map(re.escape, (TABLE, SUMMARY, MARKDOWN, HTML)))
OURS = re.compile(rf"{TEXTS}|({'|'.join(Path(name).stem for name in PICTURES)})(_\d+)?\.png")


def write_report(results: Path, out: Path) -> tuple[Material, list[Path]]:
    """Write the report of all finished runs into a folder, in place of an earlier report there.

    The files come to their names when all of them are written.

    Args:
        results: The folder that holds the ledger and the run folders.
        out: The folder of the report; made where it is missing.

    Returns:
        what the report is made of, and its files.

    Raises:
        NothingToShowError: There is no ledger, or nothing in it is finished.
        UsageError: `out` is a file.
        CannotStartError: `out` cannot be written.
    """
    with Reader.open(ledger_path(results)) as reader:
        finished = read_finished(reader)
        with _new_folder(out) as folder:
            material = gather(reader, finished, results, folder)
            _write_texts(material, folder)
            files = _move(folder, out)
    return material, files


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """Give a folder inside of another, so that its files can be moved there at once."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file", "Name a folder: it is made where it is missing.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=out) as folder:
            yield Path(folder)
    except OSError as error:
        raise CannotStartError(
            f"the report cannot be written into {out}: {error.strerror}",
            "--out names another folder; what was there is as it was.",
        ) from error


def _write_texts(material: Material, folder: Path) -> None:
    write_table(material.standings, folder / TABLE)
    document = build_document(material)
    pictures = {picture.path.name: picture.path.read_bytes() for picture in material.pictures.all}
    (folder / SUMMARY).write_text(render_text(document), encoding="utf-8")
    (folder / MARKDOWN).write_text(render_markdown(document), encoding="utf-8")
    (folder / HTML).write_text(render_html(document, pictures), encoding="utf-8")


def build_document(material: Material) -> Document:
    """Return the written report: first what was found, then the numbers, then how they are made."""
    scene, findings = material.scene, material.findings
    sections = (
        *open_report(material),
        *tell_questions(scene, findings),
        *tell_headlines(scene, findings.headlines),
        tell_criteria(material.criteria),
        *tell_results(material),
        explain_method(),
    )
    return Document(TITLE, sections)


def _move(folder: Path, out: Path) -> list[Path]:
    """Move the files of a report to their place, and remove what an earlier one left there."""
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        (folder / name).replace(out / name)
    for path in out.iterdir():
        if OURS.fullmatch(path.name) and path.name not in names and path.is_file():
            path.unlink()
    return [out / name for name in names]
