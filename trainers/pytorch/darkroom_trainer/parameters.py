"""What the trainers take, as `--describe` publishes it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from darkroom_trainer.reporter import JobFailed

CLASSIFIER, DETECTOR = "pytorch-classifier", "pytorch-detector"


class Parameters(BaseModel):
    """What both kinds of training take."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    weights: str = Field(
        "package",
        pattern=r"^(none|package|[0-9a-f]{64})$",
        description="what the backbone begins with: none; package, the installed weights of this backbone, or none where "
        "there are none; or the SHA-256 of a file in the folder DARKROOM_WEIGHTS",
    )
    backbone: str = Field(
        "tf_efficientnet_lite0", pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)?$", max_length=100, description="a model's name in timm"
    )
    epochs: int = Field(30, ge=1, le=1000)
    batch_size: int = Field(32, ge=1, le=1024)
    learning_rate: float = Field(0.001, gt=0, le=1)
    weight_decay: float = Field(0.05, ge=0, le=1)
    warm_up: float = Field(0.05, ge=0, le=0.9, description="share of the steps in which the learning rate rises")
    ema: float = Field(0.998, ge=0, lt=1, description="decay of the averaged weights that are measured and kept; 0: none")
    patience: int = Field(8, ge=1, le=1000, description="epochs without a better validation before the training ends")
    augment: Literal["none", "light", "strong"] = "light"
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="of the steps; auto: mixed on a GPU, float32 on a processor"
    )


class ClassifierParameters(Parameters):
    """Of `pytorch-classifier`."""

    tune: Literal["all", "head"] = Field(
        "all", description="all: every weight; head: a linear head on the features of the frozen backbone"
    )
    side: int = Field(
        0, ge=0, le=1024, description="pixels of the longer side that pictures are brought to inside the model; 0: as they come"
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    class_weights: bool = Field(False, description="rare classes count as much as common ones")


class DetectorParameters(Parameters):
    """Of `pytorch-detector`."""

    # a few hundred scenes are few steps otherwise
    batch_size: int = Field(8, ge=1, le=1024)
    architecture: Literal["fcos", "retinanet", "ssdlite"] = "fcos"
    tune: Literal["all", "head"] = Field("all", description="all: every weight; head: the backbone stays as it began")
    width: int = Field(128, ge=64, le=512, multiple_of=32, description="channels of the maps that the heads see")


NAMES: dict[str, type[Parameters]] = {CLASSIFIER: ClassifierParameters, DETECTOR: DetectorParameters}
TASKS = {CLASSIFIER: "classification", DETECTOR: "detection"}
"""The task kind that each makes models of."""


def parse_parameters(name: str, given: dict[str, Any]) -> Parameters:
    """Parameters of the trainer of this name. Raises JobFailed with what is wrong."""
    model = NAMES.get(name)
    if model is None:
        raise JobFailed(f"there is no trainer {name} here; there are {', '.join(NAMES)}")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise JobFailed(f"parameters of {name}: {said}") from error


def describe() -> dict[str, Any]:
    """Names of the trainers, their task kinds, and JSON Schemas of their parameters."""
    trainers = [{"name": name, "task": TASKS[name], "parameters": model.model_json_schema()} for name, model in NAMES.items()]
    return {"trainers": trainers}
