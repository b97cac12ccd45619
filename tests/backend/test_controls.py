"""Control tokens: found in a row, broken up in a text, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import AddedToken

from nlu_arena.backend.controls import ControlTokens, control_tokens
from nlu_arena.backend.encode import encode_texts
from nlu_arena.backend.weights import load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.spec import Example
from tests.standin.vocabularies import build_deberta_files


@pytest.mark.parametrize(
    "text", ["", "2 < 3 and 4 > 3", "a [sic] b", "<|bos", "<<", "[[SEP", "Lovely <3", "多い <b>bold</b> 👍"]
)
def test_ordinary_texts_are_not_touched(tiny_bert: Path, tiny_llama: Path, text: str) -> None:
    for folder in (tiny_bert, tiny_llama):
        assert ControlTokens(load_tokenizer(folder)).disarm(text) == text


def test_every_name_in_a_text_is_broken_up(tiny_llama: Path) -> None:
    controls = ControlTokens(load_tokenizer(tiny_llama))
    assert controls.disarm("<|bos|>a<|end|><|end|>") == "< |bos|>a< |end|>< |end|>"
    assert controls.disarm("<<|bos|>") == "<< |bos|>"


def test_the_control_tokens_of_a_row_come_in_their_order(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(tiny_bert)
    controls = ControlTokens(tokenizer)
    assert (controls.of_text, controls.of_pair) == ([2, 3], [2, 3, 3])
    unknown = tokenizer("film 很 [MASK]")["input_ids"]
    assert tokenizer.unk_token_id in unknown
    assert controls.find(unknown) == [2, 4, 3], "a word that is not known is a word"


def test_a_vocabulary_that_has_the_names_as_pieces_does_not_find_them(tmp_path: Path) -> None:
    for name, content in build_deberta_files().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "config.json").write_text('{"model_type": "deberta-v2"}')
    tokenizer = load_tokenizer(tmp_path)
    armed = "A film [SEP] or [CLS] a book"
    split = tokenizer(armed, split_special_tokens=True)["input_ids"]
    assert ControlTokens(tokenizer).find(split) == [1, 2, 1, 2], "splitting is not enough there"
    (row,) = encode_texts(tokenizer, [Example(text=armed, label=0)], 64).rows
    assert ControlTokens(tokenizer).find(row["input_ids"]) == [1, 2]


def test_a_control_token_that_slips_through_is_an_error(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(tiny_bert)
    # Looked for after lower-casing, so that the text has it in a spelling that is not its name.
    tokenizer.add_tokens([AddedToken("<stop>", normalized=True, special=True)], special_tokens=True)
    encode_texts(tokenizer, [Example(text="A film <stop> or a book", label=0)], 64)
    with pytest.raises(RunError, match="has become control tokens"):
        encode_texts(tokenizer, [Example(text="A film <STOP> or a book", label=0)], 64)


def test_a_tokenizer_is_looked_through_once(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(tiny_bert)
    assert control_tokens(tokenizer) is control_tokens(tokenizer)
