"""One job, from its document to its last report."""

import hashlib
import json
import os
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

from darkroom_trainer.checkpoint import Checkpoints
from darkroom_trainer.classification.train import train_classifier
from darkroom_trainer.contract import TERMINATED, Job
from darkroom_trainer.detection.train import train_detector
from darkroom_trainer.fit import Events
from darkroom_trainer.http import Http
from darkroom_trainer.machine import Machine, be_deterministic, choose_machine
from darkroom_trainer.parameters import TASKS, ClassifierParameters, DetectorParameters, Parameters, parse_parameters
from darkroom_trainer.reporter import MAX_DOCUMENT_BYTES, JobFailed, Reporter, Stopped, Superseded
from darkroom_trainer.samples import Samples, read_manifest, read_samples, work_folder
from darkroom_trainer.trained import Trained


def run_job() -> int:
    """
    Does the job at DARKROOM_JOB_URL. Returns 0 when it succeeded, was cancelled or superseded (nothing to retry), 1 when it
    failed or was terminated, and reported so. Raises where it could not even report.
    """
    with closing(Http()) as http:
        return _do(os.environ["DARKROOM_JOB_URL"], http)


def _execution() -> str:
    """The name that compute has for this process: Azure Machine Learning is told one, Container Apps sets its own."""
    named = os.environ.get("DARKROOM_EXECUTION") or os.environ.get("CONTAINER_APP_JOB_EXECUTION_NAME")
    return named or f"{socket.gethostname()}-{os.getpid()}"


def _do(job_url: str, http: Http) -> int:
    job = Job.model_validate_json(http.get(job_url, MAX_DOCUMENT_BYTES))
    reporter = Reporter(job, job_url, _execution(), http)
    if job.cancel_requested:
        reporter.stop("cancelled")
    # a machine that is taken away (preemption, maintenance, Ctrl-C) says so with SIGTERM and kills half a minute later
    signal.signal(signal.SIGTERM, lambda *_: reporter.stop(TERMINATED))
    try:
        return _report_on(job, http, reporter)
    except Superseded as error:
        print(error, file=sys.stderr)
        return 0


def _report_on(job: Job, http: Http, reporter: Reporter) -> int:
    try:
        given = parse_parameters(job.trainer.name, job.trainer.parameters)
        machine = choose_machine(given.precision)
        reporter.start(machine.told(), code_digest())
        _train(job, given, machine, http, reporter)
    except Superseded:
        raise
    except Exception as error:  # whatever happens is told, or a person would look for it in vain
        reason = str(error) if isinstance(error, (JobFailed, Stopped)) else f"{type(error).__name__}: {error}"
        print(reason, file=sys.stderr)
        reporter.conclude({"kind": "failed", "reason": reason[:1000] or "unknown"})
        return 0 if reason == "cancelled" and isinstance(error, Stopped) else 1
    return 0


def _train(job: Job, given: Parameters, machine: Machine, http: Http, reporter: Reporter) -> None:
    task = TASKS[job.trainer.name]
    if job.task != task:
        raise JobFailed(f"{job.trainer.name} does {task}, and the job asks for {job.task}")
    be_deterministic()
    with work_folder() as folder:
        samples = read_samples(job, read_manifest(job, http), http, reporter, Path(folder))
        checkpoints = Checkpoints(job, samples, code_digest(), http, reporter)
        events = Events(
            may_keep=checkpoints.may_keep,
            after_step=lambda done, total: reporter.progress("train", done, total),
            after_epoch=lambda entry: reporter.metrics(int(entry["epoch"]), {k: v for k, v in entry.items() if k != "epoch"}),
        )
        trained = _trained(job, samples, given, machine, events, checkpoints.load())
    reporter.check()
    reporter.conclude({"kind": "succeeded", "outputs": _write(job, trained, http)})


def _trained(job: Job, samples: Samples, given: Parameters, machine: Machine, events: Events, kept: bytes | None) -> Trained:
    if isinstance(given, ClassifierParameters):
        return train_classifier(job, samples, given, machine, events, kept)
    assert isinstance(given, DetectorParameters)
    return train_detector(job, samples, given, machine, events, kept)


def _write(job: Job, trained: Trained, http: Http) -> dict[str, dict[str, str | int]]:
    files = {
        "model.onnx": trained.model,
        "metrics.json": json.dumps(trained.metrics).encode(),
        "smoke.json": json.dumps(trained.smoke).encode(),
    }
    for name, body in files.items():
        content_type = "application/json" if name.endswith(".json") else "application/octet-stream"
        # an output that is already there is an earlier execution's; the digest in the report tells which one is meant
        http.create(job.outputs[name], body, content_type)
    return {name: {"sha256": hashlib.sha256(body).hexdigest(), "sizeBytes": len(body)} for name, body in files.items()}


def code_digest() -> str:
    """Which program trains, for lineage: a digest of its files."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"sha256:{digest.hexdigest()}"
