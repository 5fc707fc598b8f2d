"""Whole jobs against the job contract."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FOLDER, SMALL, PublishedJob, stripes

from darkroom_trainer.contract import ImageShape
from darkroom_trainer.export import Session
from darkroom_trainer.job import code_digest, run_job
from darkroom_trainer.parameters import TASKS
from darkroom_trainer.pixels import read_pixels
from darkroom_trainer.reporter import Reporter

ROOT = Path(__file__).parents[1]
ENDLESS = {**SMALL, "epochs": 1000, "patience": 1000}


def trainer(**parameters: Any) -> dict[str, Any]:
    return {"name": "pytorch-classifier", "parameters": {**SMALL, **parameters}}


def last(published: PublishedJob) -> dict[str, Any]:
    return published.reports[-1]


def until_it_reports(published: PublishedJob, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + 120
    while not published.reports and process.poll() is None and time.monotonic() < ends_at:
        time.sleep(0.05)


def start(published: PublishedJob) -> subprocess.Popen[bytes]:
    """The trainer as a process of its own, once it is at work."""
    process = subprocess.Popen([sys.executable, "-m", "darkroom_trainer"], cwd=ROOT)
    until_it_reports(published, process)
    return process


@pytest.mark.parametrize("tune", ["all", "head"])
def test_a_job_leaves_the_model_that_it_measured(published: PublishedJob, tune: str) -> None:
    published.publish(trainer=trainer(tune=tune))
    assert run_job() == 0
    first, end = published.reports[0], last(published)
    assert first["kind"] == "started"
    assert first["machine"] == {"executionProvider": "pytorch-cpu", "threads": 1}
    assert first["code"] == code_digest()
    assert end["kind"] == "succeeded"
    told = [metric["key"] for report in published.reports for metric in report.get("metrics", [])]
    assert set(told) >= {"loss", "validation.loss", "validation.accuracy"}
    for name, written in end["outputs"].items():
        body = published.output(name)
        assert written == {"sha256": hashlib.sha256(body).hexdigest(), "sizeBytes": len(body)}
    session = Session(published.output("model.onnx"), 1)
    shape = ImageShape(width=32, height=32, channels=3)
    kept = json.loads(published.output("smoke.json"))
    assert [answer["md5"] for answer in kept] == [line["md5"] for line in published.lines[12:]]
    for answer, number in zip(kept, range(12, 16), strict=True):
        pixels = read_pixels(stripes(number), shape).values[None].astype(np.float32)
        np.testing.assert_allclose(session.run(pixels)[0][0], answer["probabilities"], atol=1e-5)
    assert session.run(np.zeros((5, 3, 32, 32), np.float32))[0].shape == (5, 2)


def test_the_same_job_gives_the_same_model(published: PublishedJob) -> None:
    models = []
    for _ in range(2):
        for path in [path for path in published.server.blobs if path.startswith((FOLDER, "/jobs/out/"))]:
            del published.server.blobs[path]
        assert run_job() == 0
        models.append(published.output("model.onnx"))
    assert models[0] == models[1]


def test_a_job_that_is_cancelled_says_so_and_needs_no_other_try(published: PublishedJob) -> None:
    published.cancel()
    assert run_job() == 0
    assert (last(published)["kind"], last(published)["reason"]) == ("failed", "cancelled")


def test_a_cancellation_is_heard_while_it_trains(published: PublishedJob) -> None:
    published.publish(trainer={"name": "pytorch-classifier", "parameters": ENDLESS}, heartbeatSeconds=0.1)
    process = start(published)
    published.cancel()
    assert process.wait(60) == 0
    assert last(published)["reason"] == "cancelled"


def test_a_job_whose_machine_is_taken_away_says_so(published: PublishedJob) -> None:
    published.publish(trainer={"name": "pytorch-classifier", "parameters": ENDLESS})
    process = start(published)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    assert (last(published)["kind"], last(published)["reason"]) == ("failed", "terminated")


def test_a_training_that_does_not_look_up_is_reported_for(published: PublishedJob) -> None:
    code = (
        "import time; from darkroom_trainer import job, reporter; reporter.GRACE_S = 0.2;"
        "job._train = lambda *_: time.sleep(60); job.run_job()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ)
    until_it_reports(published, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1
    assert last(published)["reason"] == "terminated"


@pytest.mark.parametrize("refusal", [(409, "BlobAlreadyExists"), (412, "ConditionNotMet"), (403, "UnauthorizedBlobOverwrite")])
def test_a_run_that_another_execution_owns_is_left_alone(published: PublishedJob, refusal: tuple[int, str]) -> None:
    published.server.blobs[f"{FOLDER}/000001.json"] = b'{"execution":"another"}'
    published.server.refusal = refusal
    assert run_job() == 0
    assert published.reports == [{"execution": "another"}]
    assert published.server.reads["/jobs/manifest.ndjson"] == 0


def test_a_run_that_another_execution_takes_over_is_left(published: PublishedJob) -> None:
    published.server.blobs[f"{FOLDER}/000002.json"] = b'{"execution":"another"}'
    published.publish(trainer={"name": "pytorch-classifier", "parameters": ENDLESS}, heartbeatSeconds=0.1)
    assert run_job() == 0
    assert len(published.reports) == 2
    assert "/jobs/out/model.onnx" not in published.server.blobs


def test_the_deadline_ends_a_job(published: PublishedJob) -> None:
    published.publish(deadline=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    assert run_job() == 1
    assert last(published)["reason"] == "the deadline has passed"


def test_busy_storage_is_met_with_patience(published: PublishedJob) -> None:
    sample = f"/datasets/{published.lines[0]['md5']}"
    published.server.failures.update({"/jobs/manifest.ndjson": 2, sample: 1, "/jobs/out/model.onnx": 1})
    published.server.lost_answers[f"{FOLDER}/000001.json"] = 1
    assert run_job() == 0
    assert last(published)["kind"] == "succeeded"


def test_a_report_that_did_not_arrive_leaves_no_gap(published: PublishedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom_trainer.http.PATIENCE_S", 0.0)
    published.server.failures[f"{FOLDER}/000002.json"] = 1
    published.publish(trainer={"name": "pytorch-classifier", "parameters": ENDLESS}, heartbeatSeconds=0.1)
    assert run_job() == 1
    assert [report["sequence"] for report in published.reports] == [1, 2]
    assert "the backend was not to be reached" in last(published)["reason"]


def test_a_sample_that_cannot_be_read_is_named_and_left_out(published: PublishedJob) -> None:
    md5 = published.add(b"no picture", "train", label="level")
    published.publish()
    assert run_job() == 0
    named = [sample for report in published.reports for sample in report.get("unreadable", [])]
    assert [sample["md5"] for sample in named] == [md5]
    assert json.loads(published.output("metrics.json"))["samples"] == {"train": 12, "validation": 4}


def test_more_unreadable_samples_than_one_of_a_hundred_fail_the_job(published: PublishedJob) -> None:
    published.add(b"no picture", "train", label="level")
    published.server.blobs[f"/datasets/{published.lines[0]['md5']}"] = stripes(1)
    published.publish()
    assert run_job() == 1
    assert "2 and maybe more of 17 samples cannot be read" in last(published)["reason"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trainer": {"name": "another"}}, "there is no trainer another here"),
        ({"trainer": trainer(epochs=0)}, "epochs: Input should be greater than or equal to 1"),
        ({"trainer": trainer(colour="red")}, "colour: Extra inputs are not permitted"),
        ({"trainer": trainer(backbone="nothing")}, "has no model nothing"),
        ({"trainer": trainer(weights="0" * 64)}, "DARKROOM_WEIGHTS is not set"),
        ({"trainer": trainer(precision="float16")}, "float16 needs a GPU"),
        ({"task": "detection"}, "pytorch-classifier does classification, and the job asks for detection"),
        ({"classes": ["level", "other"]}, "the manifest has the label upright"),
        ({"manifestUrl": "http://127.0.0.1:1/none", "outputs": {}}, "storage did not answer"),
    ],
)
def test_what_cannot_be_done_is_told(
    published: PublishedJob, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], reason: str
) -> None:
    monkeypatch.setattr("darkroom_trainer.http.PATIENCE_S", 0.0)
    published.publish(**change)
    assert run_job() == 1
    assert last(published)["kind"] == "failed"
    assert reason in last(published)["reason"]
    assert "sig=" not in last(published)["reason"]


def test_the_schemas_are_printed(published: PublishedJob) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "darkroom_trainer", "--describe"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    described = {one["name"]: one["parameters"] for one in json.loads(printed)["trainers"]}
    assert described["pytorch-classifier"]["properties"]["epochs"]["maximum"] == 1000
    assert described["pytorch-classifier"]["additionalProperties"] is False
    assert {one["name"]: one["task"] for one in json.loads(printed)["trainers"]} == TASKS
    assert not published.reports


def test_an_attempt_goes_on_from_what_the_one_before_it_kept(published: PublishedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom_trainer.checkpoint.KEPT_EVERY_S", 0.0)
    monkeypatch.setattr("darkroom_trainer.checkpoint.SHARE_OF_TIME", 1e9)
    base = f"{published.server.base}/jobs"
    published.server.overwritable = {"/jobs/kept-1", "/jobs/kept-2"}
    places = {"putUrl": f"{base}/kept-1?sig=x", "getUrls": [], "maximumBytes": 10**9}
    published.publish(trainer=trainer(epochs=3), checkpoint=places)

    # the machine is taken away in the second epoch
    steps: list[int] = []

    def progress(self: Reporter, phase: str, done: int, _: int) -> None:
        if phase == "train":
            steps.append(done)
        if phase == "train" and done == 4 and len(steps) == 4:
            self.stop("terminated")
        self.check()

    monkeypatch.setattr(Reporter, "progress", progress)
    assert run_job() == 1
    assert published.reports[-1]["reason"] == "terminated"
    assert "/jobs/kept-1" in published.server.blobs
    for path in [path for path in published.server.blobs if path.startswith(FOLDER)]:
        del published.server.blobs[path]
    places = {"putUrl": f"{base}/kept-2?sig=x", "getUrls": [f"{base}/none", f"{base}/kept-1?sig=x"], "maximumBytes": 10**9}
    published.publish(trainer=trainer(epochs=3), checkpoint=places)
    steps.clear()
    assert run_job() == 0
    assert steps[0] == 5
    history = json.loads(published.output("metrics.json"))["history"]
    assert [entry["epoch"] for entry in history] == [1, 2, 3]
    assert published.server.blobs["/jobs/kept-2"] != published.server.blobs["/jobs/kept-1"]


@pytest.mark.parametrize("damage", [b"", b"x" * 100])
def test_a_state_that_is_not_of_this_job_is_passed_over(published: PublishedJob, damage: bytes) -> None:
    published.server.blobs["/jobs/kept-1"] = damage
    base = f"{published.server.base}/jobs"
    places = {"putUrl": f"{base}/kept-2", "getUrls": [f"{base}/kept-1"], "maximumBytes": 10**9}
    published.publish(trainer=trainer(tune="head"), checkpoint=places)
    assert run_job() == 0
