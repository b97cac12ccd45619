"""A report as a document for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.report.material import Material
from nlu_arena.report.plots.templates import group_variants
from nlu_arena.views.curve import curve_document

SCHEMA = 1


def report_document(material: Material, files: Sequence[Path]) -> dict[str, Any]:
    """Return everything that a report says: fields are only ever added."""
    findings = material.findings
    return {
        "schema": SCHEMA,
        "made_at": material.made_at.isoformat(timespec="seconds"),
        "version": material.version,
        "files": [str(file) for file in files],
        "reference": material.scene.reference or None,
        "questions": [
            msgspec.to_builtins(finding) | {"answer": finding.answer} for finding in findings.questions
        ],
        "headlines": msgspec.to_builtins(findings.headlines),
        "criteria": msgspec.to_builtins(material.criteria),
        "standings": msgspec.to_builtins(material.standings),
        "calibrations": [
            {
                "task": found.task,
                "split": found.split,
                "fingerprint": found.fingerprint,
                "name": contender.name,
                "raw": msgspec.to_builtins(raw),
                "calibrated": msgspec.to_builtins(better),
            }
            for found, contender, raw, better in material.calibrations
        ],
        "prompt_variants": [
            {
                "task": found.task,
                "split": found.split,
                "fingerprint": found.fingerprint,
                "name": group.name,
                "variants": {name: contender.accuracy for name, contender in members},
            }
            for found in material.rounds
            for group, members in group_variants(found).items()
        ],
        "learning_curves": [
            {"task": found.task, "split": found.split, "fingerprint": found.fingerprint}
            | curve_document(curves, crossings)
            for found, curves, crossings in material.learning
        ],
        "left_out": [
            {"task": found.task, "split": found.split, "fingerprint": found.fingerprint, "n": found.n}
            for found in material.scene.left_out
        ],
        "unfinished": [{"key": cell.key, "state": cell.state} for cell in material.unfinished],
    }
