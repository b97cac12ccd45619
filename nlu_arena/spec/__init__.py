"""The nouns: what a model, a task, an experiment and a prediction are. All frozen, all plain data."""

from nlu_arena.spec.base import (
    MODES,
    MODES_OF_FAMILY,
    PROMPTED_MODES,
    TRAINED_MODES,
    DataSource,
    Family,
    LoraHead,
    Mode,
    Precision,
    PromptStyle,
    Spec,
)
from nlu_arena.spec.example import Example, Prediction
from nlu_arena.spec.experiment import KEY_VERSION, DataRef, Experiment, Subset
from nlu_arena.spec.model import HubWeights, LocalWeights, ModelSpec, Weights, WheelWeights
from nlu_arena.spec.task import (
    Columns,
    DevSplit,
    HubData,
    PromptSpec,
    PromptVariant,
    Published,
    TableData,
    TaskData,
    TaskSpec,
)
from nlu_arena.spec.training import LoraSettings, TrainOverrides, TrainSettings

__all__ = [
    "KEY_VERSION",
    "MODES",
    "MODES_OF_FAMILY",
    "PROMPTED_MODES",
    "TRAINED_MODES",
    "Columns",
    "DataRef",
    "DataSource",
    "DevSplit",
    "Example",
    "Experiment",
    "Family",
    "HubData",
    "HubWeights",
    "LocalWeights",
    "LoraHead",
    "LoraSettings",
    "Mode",
    "ModelSpec",
    "Precision",
    "Prediction",
    "PromptSpec",
    "PromptStyle",
    "PromptVariant",
    "Published",
    "Spec",
    "Subset",
    "TableData",
    "TaskData",
    "TaskSpec",
    "TrainOverrides",
    "TrainSettings",
    "Weights",
    "WheelWeights",
]
