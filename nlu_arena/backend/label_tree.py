"""All labels of several tokens scored in one pass: their common beginnings are read once for each prompt.

The labels form a tree of tokens. A prompt is followed by the tree's inner nodes, each of which sees the
prompt and the nodes above it and stands at the place that it has in its label (token trees: Miao et al. 2023,
SpecInfer, arXiv 2305.09781, section 4). Every node predicts the tokens below it, as it would in its label
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel


class LabelTree(NamedTuple):
    """The labels' tokens as a tree below the end of a prompt, which is place 0.

    `tokens` are those that are read, at places 1, 2, …: all but the leaves. `parents` and `depths` are by
    place: 0 and 0 for the prompt's end. An edge is a token that is predicted: `edge_places` says where,
    `edge_tokens` which; `paths` has for each label the edges whose log-likelihoods it sums up.
    """

    tokens: list[int]
    parents: list[int]
    depths: list[int]
    edge_places: list[int]
    edge_tokens: list[int]
    paths: list[list[int]]

    def edges(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return where each edge's token is predicted and which it is, each [edges]."""
        return (
            torch.tensor(self.edge_places, device=device),
            torch.tensor(self.edge_tokens, device=device),
        )


def grow_tree(labels: Sequence[tuple[int, ...]]) -> LabelTree:
    """Return the tree of some labels, no two of which are the same."""
    tree = LabelTree([], [0], [0], [], [], [])
    places: dict[tuple[int, ...], int] = {(): 0}
    edges: dict[tuple[int, ...], int] = {}
    for label in labels:
        path = []
        for end, token in enumerate(label, 1):
            above, below = label[: end - 1], label[:end]
            if below not in edges:
                edges[below] = len(edges)
                tree.edge_places.append(places[above])
                tree.edge_tokens.append(token)
            path.append(edges[below])
            # The last token of a label is predicted, never read for it.
            if end < len(label) and below not in places:
                places[below] = len(places)
                tree.tokens.append(token)
                tree.parents.append(places[above])
                tree.depths.append(end)
        tree.paths.append(path)
    return tree


def supports_tree(model: PreTrainedModel, longest: int) -> bool:
    """Say whether a model's attention over `longest` tokens is ruled by a mask of ours alone.

    A sliding window would be cut into it, unless the whole prompt fits.
    """
    window = getattr(model.config.get_text_config(), "sliding_window", None)
    return model.config._attn_implementation in ("sdpa", "eager") and (window is None or longest <= window)


class TreeInputs(NamedTuple):
    """Prompts followed by the tree: what the model is given, and where its nodes' states are found."""

    ids: Tensor  # [rows, longest + nodes]
    positions: Tensor  # [rows, longest + nodes]
    mask: Tensor  # [rows, 1, longest + nodes, prefix + longest + nodes], 0 or the lowest number
    places: Tensor  # [rows, 1 + nodes]: the prompt's last token, then the nodes


def join_tree(tree: LabelTree, ids: Tensor, lengths: Tensor, prefix: int, dtype: torch.dtype) -> TreeInputs:
    """Put the tree behind padded prompts.

    Args:
        tree: The labels.
        ids: The prompts' own tokens, padded on the right, [rows, longest].
        lengths: Their real lengths, [rows].
        prefix: How many tokens all prompts share before these.
        dtype: The type of the model's scores.
    """
    (rows, longest), nodes, device = ids.shape, len(tree.tokens), ids.device
    inner = torch.tensor(tree.tokens, dtype=ids.dtype, device=device).expand(rows, -1)
    depths = torch.tensor(tree.depths[1:], device=device)
    own = torch.arange(longest, device=device)
    # A node of depth 1 stands right behind the prompt's last token, whatever padding lies between.
    behind = lengths[:, None] + depths - 1
    positions = prefix + torch.cat([own.expand(rows, -1), behind], dim=1)
    visible = torch.zeros(rows, longest + nodes, prefix + longest + nodes, dtype=torch.bool, device=device)
    visible[:, :, :prefix] = True
    visible[:, :longest, prefix : prefix + longest] = own[:, None] >= own
    visible[:, longest:, prefix : prefix + longest] = (own < lengths[:, None])[:, None]
    visible[:, longest:, prefix + longest :] = _ancestors(tree).to(device)
    mask = torch.zeros(visible.shape, dtype=dtype, device=device)
    mask.masked_fill_(~visible, torch.finfo(dtype).min)
    ends = (lengths - 1)[:, None]
    places = torch.cat([ends, (longest + torch.arange(nodes, device=device)).expand(rows, -1)], dim=1)
    return TreeInputs(torch.cat([ids, inner], dim=1), positions, mask[:, None], places)


def sum_paths(tree: LabelTree, edges: Tensor) -> Tensor:
    """Return the labels' summed log-likelihoods, [rows, labels], from those of all edges, [rows, edges]."""
    return torch.stack([edges[:, path].sum(dim=-1) for path in tree.paths], dim=-1)


def _ancestors(tree: LabelTree) -> Tensor:
    """Return which node (row) sees which (column): itself and those above it, [nodes, nodes]."""
    nodes = len(tree.tokens)
    sees = torch.eye(nodes, dtype=torch.bool)
    for node, parent in enumerate(tree.parents[1:]):
        if parent:
            # Parents come before their children.
            sees[node] |= sees[parent - 1]
    return sees
