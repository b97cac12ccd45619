"""How the numbers of a report are made, for a reader who has nothing else."""

from __future__ import annotations

from nlu_arena.report.document import Bullets, Section

METHOD = (
    "Scores are on the dev split; nothing is chosen on it. Contenders are compared on the very same texts"
    " only.",
    "A difference of two with one seed each: McNemar's exact test, and the 95 % interval of paired answers."
    " With several seeds: the difference of means, by a bootstrap over texts and seeds.",
    "Matching: a test that one is not worse than another by 2 points or more (5 where it is said); it does"
    " not follow from a difference that is not shown.",
    "All tests of a question are one family: p-values are adjusted by Holm, and shown is what stays at 5 %"
    " or below.",
    "Of several settings of a model in a mode, the questions take the one with the task's own prompt, the"
    " most labelled examples, the newest: never the one with the best score.",
    "To match what does not beat always saying the most frequent label means nothing: such tasks do not"
    " count as shown, and such contenders are on no front.",
    "The interval of an accuracy is Wilson's, for other texts of the same kind; the standard deviation is"
    " between seeds. One seed says nothing about others.",
    "Latency is the median of a text in batches of 1 and 32, tokenisation apart; memory is the device's"
    " peak where it has its own, else the host's. Costs compare on one device only.",
)


def explain_method() -> Section:
    """Return the section on method."""
    return Section("How these numbers are made", (Bullets(METHOD),))
