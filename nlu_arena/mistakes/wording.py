"""What the words of a text say about it; the lists are English, other languages have words and digits."""

from __future__ import annotations

import re

# A Han or kana character is a word of its own: there are no spaces to tell words apart.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_])+(?:'[^\W\d_]+)*")
# The last ones are as people type them; "wont" is a word of its own.
NEGATION_WORDS = (
    "not no never none nothing nobody nowhere neither nor without cannot"
    " cant dont doesnt didnt isnt arent wasnt werent havent hasnt hadnt wouldnt couldnt shouldnt"
)
# "one" is a pronoun more often than a number, and "second" a time.
NUMBER_WORDS = (
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds"
    " thousand thousands million millions billion billions trillion dozen dozens"
)
NEGATIONS, NUMBERS = frozenset(NEGATION_WORDS.split()), frozenset(NUMBER_WORDS.split())


def find_words(text: str) -> list[str]:
    """Return the words of a text in small letters, without punctuation; "do n't" and "don't" end in n't."""
    return WORD.findall(text.replace("\u2019", "'").casefold())


def has_negation(words: list[str]) -> bool:
    """Say whether one of the words denies something."""
    return any(word in NEGATIONS or word.endswith("n't") for word in words)


def has_number(words: list[str]) -> bool:
    """Say whether one of the words is a number word or has a digit."""
    return any(word in NUMBERS or any(map(str.isdigit, word)) for word in words)


def measure_overlap(premise: list[str], hypothesis: list[str]) -> float:
    """Return the share of the hypothesis' words that the premise has too, 0 where there are none."""
    known = set(premise)
    return sum(word in known for word in hypothesis) / len(hypothesis) if hypothesis else 0.0
