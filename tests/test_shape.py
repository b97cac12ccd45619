"""A model's shape is read from its configuration, or guessed from the number of its weights."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from nlu_arena.registry import load_registry
from nlu_arena.shape import Shape, find_shape, guess_shape, read_shape
from nlu_arena.spec import Family, LocalWeights, ModelSpec

CONFIG = {"num_hidden_layers": 2, "hidden_size": 10, "vocab_size": 30}


def model(family: Family, folder: Path, parameters: int = 1000) -> ModelSpec:
    return ModelSpec(
        name="tiny",
        title="Tiny",
        slug="tiny",
        family=family,
        parameters=parameters,
        use_case="tests",
        licence="none",
        weights=LocalWeights(path=str(folder)),
    )


def write(folder: Path, config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_look_ups_are_no_products(tmp_path: Path) -> None:
    write(tmp_path, CONFIG)
    assert read_shape(model("encoder", tmp_path), tmp_path) == Shape(products=700, layers=2, width=10)


def test_an_output_layer_of_its_own_is_no_product_either(tmp_path: Path) -> None:
    write(tmp_path, CONFIG | {"tie_word_embeddings": False})
    assert read_shape(model("decoder", tmp_path), tmp_path) == Shape(products=400, layers=2, width=10)
    assert read_shape(model("encoder", tmp_path), tmp_path) == Shape(products=700, layers=2, width=10)


def test_a_model_that_reads_more_than_text_has_its_measures_one_level_down(tmp_path: Path) -> None:
    write(tmp_path, {"text_config": CONFIG})
    assert read_shape(model("decoder", tmp_path), tmp_path) == Shape(products=700, layers=2, width=10)


@pytest.mark.parametrize("config", [{}, [], {"text_config": None}, CONFIG | {"vocab_size": "many"}])
def test_a_configuration_that_does_not_say_is_no_error(tmp_path: Path, config: object) -> None:
    assert read_shape(model("decoder", tmp_path), write(tmp_path, config)) is None


def test_a_configuration_that_does_not_fit_the_manifest_is_not_used(tmp_path: Path) -> None:
    assert read_shape(model("encoder", tmp_path, parameters=300), write(tmp_path, CONFIG)) is None


def test_the_weights_folder_is_asked_first(tiny_bert: Path, tmp_path: Path) -> None:
    here = model("encoder", tiny_bert, parameters=10**6)
    assert find_shape(here) == read_shape(here, tiny_bert)
    assert find_shape(model("encoder", tmp_path / "none", parameters=10**6)) == guess_shape(10**6)


def test_a_guess_is_a_usual_transformer() -> None:
    shape = guess_shape(109_482_240)
    assert shape.products == 82_111_680
    # BERT-base has 12 layers of width 768.
    assert 8 <= shape.layers <= 18
    assert 512 <= shape.width <= 1024
    assert guess_shape(1) == Shape(products=1, layers=1, width=1)


def test_larger_models_are_guessed_larger_in_every_way() -> None:
    parameters = sorted(spec.parameters for spec in load_registry().models.values())
    shapes = [guess_shape(count) for count in parameters]
    assert all(a < b for left, right in pairwise(shapes) for a, b in zip(left, right, strict=True))
