"""How large the parts of a model are: what its weights are used for decides how long a token takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nlu_arena.sources import weights_dir
from nlu_arena.spec import ModelSpec

# Without the configuration: the share of weights outside the embeddings (0.72 to 0.85 in BERT-base, Qwen2 and
# Gemma 2; 0.37 to 0.48 where a large vocabulary meets a small model), and width over layers (19 to 89).
PRODUCT_SHARE = 0.75
WIDTH_PER_LAYER = 40
# Weights of a transformer's layer over the square of its width (Kaplan et al. 2020, arXiv 2001.08361).
WEIGHTS_PER_LAYER = 12


class Shape(NamedTuple):
    """The measures of a model.

    `products` counts the weights that every token is multiplied with: all but the embeddings, whose rows are
    looked up, and the output layer, of which only the labels' columns are computed.
    """

    products: int
    layers: int
    width: int


def find_shape(model: ModelSpec) -> Shape:
    """Return a model's shape: by its configuration where the weights are on this machine, else by rule."""
    folder = weights_dir(model)
    found = None if folder is None else read_shape(model, folder)
    return found or guess_shape(model.parameters)


def read_shape(model: ModelSpec, folder: Path) -> Shape | None:
    """Return the shape that a weights folder's config.json gives, None where it does not say.

    Args:
        model: Its manifest counts the weights.
        folder: A folder in the layout of a hub repository.
    """
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=dict[str, Any])
        text = config.get("text_config", config)
        layers, width = int(text["num_hidden_layers"]), int(text["hidden_size"])
        embedding = int(text["vocab_size"]) * width
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None
    has_output = model.family == "decoder" and text.get("tie_word_embeddings") is False
    products = model.parameters - embedding * (2 if has_output else 1)
    return Shape(products, layers, width) if min(products, layers, width) > 0 else None


def guess_shape(parameters: int) -> Shape:
    """Return the shape of a usual transformer with so many weights."""
    products = PRODUCT_SHARE * parameters
    layers = max(1, round((products / WEIGHTS_PER_LAYER / WIDTH_PER_LAYER**2) ** (1 / 3)))
    width = (products / WEIGHTS_PER_LAYER / layers) ** 0.5
    return Shape(round(products), layers, max(1, round(width)))
