"""The chapters of a report on what was found: questions, headlines, success criteria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu_arena.comparing import Row
from nlu_arena.findings import Criterion, Finding, Findings, Front, Headline, Scene, SliceTest
from nlu_arena.report.document import Block, Bullets, Commands, Paragraph, Section, Table, cut_table
from nlu_arena.report.evidence import tabulate_front, tabulate_rows, tabulate_slices

# More rows than that nobody reads; the JSON document has all.
LONGEST = 60
LEGEND = (
    "In the tables of tests: points are the contender's accuracy less that of what it is compared with; p"
    " is of no difference at all; p match is of being worse by the margin or more, so that a small one"
    " shows a match. Both are adjusted for all tests of the question."
)
REST = "nlu-arena report --json has all"


def tell_questions(scene: Scene, findings: Findings) -> Iterator[Section]:
    """Return the five questions, each with its answer, the sentences and the tests behind it."""
    yield Section("The five questions", (Paragraph(LEGEND),))
    for number, finding in enumerate(findings.questions, 1):
        yield Section(f"{number}. {finding.question}", tuple(_tell_question(scene, finding)), level=3)


def _tell_question(scene: Scene, finding: Finding) -> Iterator[Block]:
    yield Paragraph(f"Answer: {finding.answer}.", is_important=True)
    yield Paragraph(f"The claim that is tested: {finding.claim}.")
    if finding.sentences:
        yield Bullets(finding.sentences)
    if finding.commands:
        yield Paragraph("To find out, run:")
        yield Commands(finding.commands)
    yield from _show_evidence(scene, finding)


def _show_evidence(scene: Scene, finding: Finding) -> Iterator[Block]:
    rows = [item for item in finding.evidence if isinstance(item, Row)]
    slices = [item for item in finding.evidence if isinstance(item, SliceTest)]
    yield from cut_table(tabulate_rows(scene, rows), LONGEST, REST)
    yield from cut_table(tabulate_slices(scene, slices), LONGEST, REST)
    for front in (item for item in finding.evidence if isinstance(item, Front)):
        yield from _show_front(front)


def _show_front(front: Front) -> Iterator[Block]:
    if not front.points:
        return
    yield Paragraph(f"{front.task}, n {front.n:,}, on {front.device}:")
    yield from cut_table(tabulate_front(front), LONGEST, REST)


def tell_headlines(scene: Scene, headlines: Sequence[Headline]) -> Iterator[Section]:
    """Return each headline with whether it is shown, and the numbers."""
    yield Section(
        "Headlines", tuple(Paragraph(f"{h.statement}: {h.standing}. {h.sentence}") for h in headlines)
    )
    for headline in headlines:
        if headline.evidence:
            table = tabulate_rows(scene, headline.evidence)
            title = f"Tests of: {headline.statement}"
            yield Section(title, cut_table(table, LONGEST, REST), level=3)


def tell_criteria(criteria: Sequence[Criterion]) -> Section:
    """Return the success criteria, each with what keeps it from being met."""
    rows = tuple((c.statement, "met" if c.is_met else "not met", c.sentence) for c in criteria)
    blocks: list[Block] = [Table(("criterion", "", "detail"), rows, names=3)]
    for criterion in criteria:
        if criterion.exceptions:
            blocks += [Paragraph(f"{criterion.statement}, but for:"), Bullets(criterion.exceptions)]
    return Section("Success criteria", tuple(blocks))
