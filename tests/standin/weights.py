"""Weights as the files of a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.standin.vocabularies import to_json

if TYPE_CHECKING:
    from torch import Tensor

# Ten times the usual spread: scores that differ visibly, so that a mistake is visible too.
SPREAD = 0.2

Files = dict[str, bytes]
State = dict[str, "Tensor"]


def cast(model: Any) -> State:
    """Return a decoder's weights in bfloat16, without the output layer that is tied to the embeddings."""
    state = model.bfloat16().state_dict()
    return {name: weight for name, weight in state.items() if name != "lm_head.weight"}


def write_safetensors(state: State) -> bytes:
    from safetensors.torch import save

    return bytes(save({name: weight.contiguous() for name, weight in state.items()}, {"format": "pt"}))


def write_shards(state: State) -> Files:
    names = list(state)
    cut = len(names) // 2
    parts = {
        "model-00001-of-00002.safetensors": names[:cut],
        "model-00002-of-00002.safetensors": names[cut:],
    }
    index = {
        "metadata": {"total_size": sum(weight.nbytes for weight in state.values())},
        "weight_map": {name: shard for shard, part in parts.items() for name in part},
    }
    shards = {shard: write_safetensors({name: state[name] for name in part}) for shard, part in parts.items()}
    return {**shards, "model.safetensors.index.json": to_json(index)}
