"""What a ledger shows: answers to the questions that the benchmark is run for, each from tests."""

from nlu_arena.findings.records import (
    Criterion,
    Finding,
    Front,
    FrontPoint,
    Headline,
    SliceTest,
    Standing,
    Verdict,
)
from nlu_arena.findings.scene import Scene, set_scene
from nlu_arena.findings.whole import Findings, find_findings

__all__ = [
    "Criterion",
    "Finding",
    "Findings",
    "Front",
    "FrontPoint",
    "Headline",
    "Scene",
    "SliceTest",
    "Standing",
    "Verdict",
    "find_findings",
    "set_scene",
]
