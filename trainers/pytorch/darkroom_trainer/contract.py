"""The documents of the job contract (shared/training/job-contract.ts), checked when they are read."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

CONTRACT_VERSION = 1
OUTPUT_NAMES = ("model.onnx", "metrics.json", "smoke.json")
MAX_UNREADABLE_PER_REPORT = 100
MAX_METRICS_PER_REPORT = 1000
MAX_SMOKE_SAMPLES = 64
TERMINATED: Final = "terminated"
"""Reason of a job whose machine was taken away: nothing is wrong with it, it begins again."""

Url = Annotated[str, Field(pattern=r"^https?://", max_length=8192)]
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Document(BaseModel):
    """Read by its camelCase names; fields of later releases are passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class ImageShape(Document):
    """The input of a model; docs/preprocessing.md says how a picture becomes one."""

    width: int = Field(ge=8, le=1024)
    height: int = Field(ge=8, le=1024)
    channels: Literal[1, 3]
    range: Literal["given", "found"] = "given"
    shrink_on_load: bool = False
    fit: Literal["stretch", "letterbox"] = "stretch"


class Trainer(Document):
    """What is to train, and how."""

    name: str = Field(max_length=100)
    parameters: dict[str, float | int | str | bool] = Field(default_factory=dict)


class Reports(Document):
    """Where reports go, and how many there may be."""

    url_template: Url
    maximum: int = Field(ge=2, le=999_999)


class CheckpointPlaces(Document):
    """Where this attempt keeps its state, and where those before it kept theirs, the latest first."""

    put_url: Url
    get_urls: list[Url] = Field(max_length=16)
    maximum_bytes: int = Field(ge=0)


class Job(Document):
    """What `DARKROOM_JOB_URL` answers."""

    version: Literal[1] = 1
    run: str
    project: str
    token: str
    attempt: int = Field(ge=1)
    task: str = "classification"
    manifest_url: Url
    classes: list[str] = Field(max_length=1000)
    image: ImageShape
    trainer: Trainer
    seed: int = Field(ge=0, le=0xFFFFFFFF)
    dataset_version: str
    deadline: datetime
    heartbeat_seconds: float = Field(ge=0.1, le=3600)
    outputs: dict[str, Url]
    reports: Reports
    checkpoint: CheckpointPlaces | None = None
    cancel_requested: bool


class Box(Document):
    """An object, in pixels of the stored picture, upright."""

    model_config = ConfigDict(populate_by_name=True)

    label: str = Field(alias="class")
    x: float
    y: float
    width: float = Field(gt=0)
    height: float = Field(gt=0)
    crowd: bool = False


class Line(Document):
    """One sample of the manifest: `label` where the task is classification, `boxes` where it is detection."""

    url: Url
    md5: Md5
    split: Literal["train", "validation"]
    label: str | None = None
    boxes: list[Box] | None = Field(default=None, max_length=2000)


def max_unreadable(samples: int) -> int:
    """How many samples a job may leave out because it cannot read them."""
    return max(1, samples // 100)
