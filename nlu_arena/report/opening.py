"""How a report begins: what it is about, how far it may be trusted, and what it found, in short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu_arena.choice import is_published, name_round
from nlu_arena.contender import Round
from nlu_arena.findings.wording import say_list
from nlu_arena.ledger.rows import Cell
from nlu_arena.report.document import Block, Bullets, Paragraph, Section, Table
from nlu_arena.report.material import Material
from nlu_arena.spec import TRAINED_MODES
from nlu_arena.views.figures import format_count, format_percent
from nlu_arena.views.text import clean

STARTER = (
    "{which} are not GLUE results: the starter data are small sets written for this tool. They show that it"
    " works and how the models compare on such texts, nothing of the published benchmarks."
)
OTHER = (
    "The numbers marked “not {name}” do not come from its published splits: they do not belong beside its"
    " tables."
)
SEEN = (
    "Language models may have read these data sets in training: SST-2, RTE and MNLI are in public"
    " instruction mixtures, and what the models here have read is not fully published. Zero-shot and"
    " few-shot scores on them may be flattered; texts of one's own are the better test."
)


def open_report(material: Material) -> list[Section]:
    """Return the sections before the questions."""
    return [_describe(material), _sum_up(material)]


def _describe(material: Material) -> Section:
    cells = material.finished
    devices = say_list(dict.fromkeys(clean(cell.device) for cell in cells))
    versions = say_list(dict.fromkeys(s.code_version for s in material.standings if s.code_version))
    about = (
        f"Made on {material.made_at:%Y-%m-%d at %H:%M} UTC by nlu-arena {material.version} from"
        f" {format_count(len(cells), 'finished experiment')}, run by version {versions} on {devices}."
    )
    blocks: list[Block] = [
        Paragraph(about),
        *_warn(material),
        Bullets(tuple(map(describe_texts, material.scene.rounds))),
    ]
    return Section("What this report is about", tuple(blocks))


def _warn(material: Material) -> Iterator[Block]:
    rounds = material.scene.rounds
    starter = [found for found in rounds if found.data_source == "starter"]
    if starter:
        tasks = say_list(dict.fromkeys(found.task for found in starter))
        which = "These" if len(starter) == len(rounds) else f"Those on {tasks}"
        yield Paragraph(STARTER.format(which=which), is_important=True)
    cells = [cell for found in rounds for c in found.contenders for cell in c.cells]
    names = {cell.published for cell in cells if cell.is_published("") is False}
    for name in sorted(names):
        yield Paragraph(OTHER.format(name=clean(name)), is_important=True)
    if material.sweep.state == "running":
        yield Paragraph("A sweep is still going: what it has not finished is not in here.", is_important=True)
    elif material.unfinished:
        count = format_count(len(material.unfinished), "planned experiment")
        yield Paragraph(f"{count} not done: see the success criteria.", is_important=True)
    if any(cell.data_source != "file" for cell in material.finished):
        yield Paragraph(SEEN)


def describe_texts(found: Round) -> str:
    """Return which texts a task's numbers are about, and what always saying one label gets."""
    cells = [cell for contender in found.contenders for cell in contender.cells]
    limits = {cell.subset.dev for cell in cells if cell.subset.dev is not None}
    limit = f", a drawn part of at most {max(limits):,}" if limits else ""
    label = "" if is_published(found) else _label_unpublished(found)
    return (
        f"{found.task} {found.split}: {found.n:,} texts of {found.data_source} data{label}{limit};"
        f" {len(found.labels)} labels, the most frequent one has {format_percent(found.majority)} %;"
        f" {format_count(len(found.contenders), 'contender')}{_say_training(cells)}."
    )


def _say_training(cells: Sequence[Cell]) -> str:
    rows = {cell.train_rows for cell in cells if cell.mode in TRAINED_MODES and cell.train_rows}
    if not rows:
        return ""
    low, high = min(rows), max(rows)
    return f", trained on {low:,}{f' to {high:,}' if high > low else ''} rows"


def _label_unpublished(found: Round) -> str:
    cells = [cell for contender in found.contenders for cell in contender.cells]
    other = next((cell.published for cell in cells if cell.is_published(found.split) is False), "")
    if found.data_source == "starter":
        return " (not GLUE)"
    return f" (not {clean(other)})" if other else ""


def _sum_up(material: Material) -> Section:
    findings = material.findings
    answers = tuple((f.question, f.answer) for f in findings.questions)
    headlines = tuple((h.statement, h.standing) for h in findings.headlines)
    blocks: list[Block] = [
        Table(("question", "answer"), answers, names=2),
        Table(("headline", "is it so?"), headlines, names=2),
        Paragraph(
            "“Shown” takes a test at the 5 % level, adjusted for all tests of its question. “Not shown” is"
            " not “equal” and not “no”: more texts or more seeds may show it."
        ),
    ]
    if set_aside := list_set_aside(material):
        blocks.append(Paragraph("Set aside for an alarm, and in no test:"))
        blocks.append(Bullets(tuple(set_aside)))
    if material.scene.left_out:
        blocks.append(Paragraph("Other texts of the same tasks are in the tables, but not in the answers:"))
        blocks.append(Bullets(tuple(f"{r.task} {r.split}: {name_round(r)}" for r in material.scene.left_out)))
    return Section("In short", tuple(blocks))


def list_set_aside(material: Material) -> list[str]:
    """Return what has an alarm, by alarms: where and who."""
    named: dict[str, list[str]] = {}
    for found in material.scene.rounds:
        for contender in found.contenders:
            if contender.alarms:
                place = material.scene.name(found.task, found.split)
                named.setdefault(", ".join(contender.alarms), []).append(f"{contender.name} on {place}")
    return [f"{alarms}: {say_list(who)}" for alarms, who in named.items()]
