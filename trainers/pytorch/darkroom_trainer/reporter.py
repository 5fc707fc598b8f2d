"""Tells the backend how the job goes, beside the training, and hears from it whether to go on."""

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from darkroom_trainer.contract import (
    CONTRACT_VERSION,
    MAX_METRICS_PER_REPORT,
    MAX_UNREADABLE_PER_REPORT,
    TERMINATED,
    Job,
)
from darkroom_trainer.http import Http

MAX_DOCUMENT_BYTES = 1 << 20
GRACE_S = 12.0
"""A machine that is taken away leaves 30 s: a training that does not look up for so long is reported for."""

StopReason = Literal["cancelled", "terminated"]


class Stopped(Exception):
    """Somebody wishes the job to end: nobody needs its model any more, or its machine is taken away."""


class Superseded(Exception):
    """Another execution reports for this run: this one has no business any more."""


class JobFailed(Exception):
    """The job cannot be done; the message is the reason that is reported."""


@dataclass
class _Notes:
    """What the next report tells."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[dict[str, str]] = field(default_factory=list)
    progress: dict[str, Any] | None = None


class Reporter:
    """Reports of a job as one execution; one thread sends heartbeats, any thread may tell."""

    def __init__(self, job: Job, job_url: str, execution: str, http: Http) -> None:
        self._job, self._job_url, self._execution, self._http = job, job_url, execution, http
        self._notes = _Notes()
        self._notes_lock, self._tell_lock = threading.Lock(), threading.Lock()
        self._sequence = 0
        self._stopped: StopReason | None = None
        self._ended: Exception | None = None
        self._woken, self._concluded = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self, machine: Mapping[str, Any], code: str) -> None:
        """The first report, which makes the run this execution's; heartbeats follow. Raises Superseded."""
        self._tell({"kind": "started", "machine": dict(machine), "code": code})
        self._thread.start()

    def conclude(self, tale: Mapping[str, Any]) -> None:
        """The last report. Raises Superseded."""
        self._concluded.set()
        self._woken.set()
        if self._thread.is_alive():
            # a heartbeat that is under way comes before the end
            self._thread.join()
        self._tell(tale)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Told by the next heartbeat; raises what `check` raises."""
        with self._notes_lock:
            self._notes.progress = {"phase": phase, "done": done, "total": total}
        self.check()

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Told by the next heartbeat; numbers that are none are left out."""
        entries = [{"key": key, "value": value, "step": step} for key, value in values.items() if abs(value) < 1e300]
        with self._notes_lock:
            self._notes.metrics = (self._notes.metrics + entries)[-MAX_METRICS_PER_REPORT:]

    def leave_out(self, md5: str, reason: str) -> None:
        """A sample that cannot be read; told by the next report that has room for it."""
        with self._notes_lock:
            self._notes.unreadable.append({"md5": md5, "reason": reason[:300] or "unknown"})

    def stop(self, reason: StopReason) -> None:
        """The next `check` raises Stopped. Called by a signal handler too, so it takes no lock."""
        self._stopped = self._stopped or reason
        self._woken.set()

    @property
    def stopped(self) -> StopReason | None:
        """Why the training has to end, where somebody said so."""
        return self._stopped

    def check(self) -> None:
        """Call between steps. Raises Stopped, Superseded or JobFailed when the training has to end."""
        if self._ended is not None:
            raise self._ended
        if self._stopped is not None:
            raise Stopped(self._stopped)
        if datetime.now(UTC) > self._job.deadline:
            raise JobFailed("the deadline has passed")

    def _beat(self) -> None:
        while not self._concluded.is_set():
            self._woken.wait(self._job.heartbeat_seconds)
            if self._concluded.is_set():
                return
            if self._stopped is not None:
                self._end_for_the_training()
                return
            try:
                # the last report is kept for the end
                if self._sequence < self._job.reports.maximum - 1:
                    self._tell({"kind": "heartbeat"})
                self._hear()
            except Superseded as error:
                self._ended = error
                return
            except Exception as error:  # a thread that dies in silence would look like a machine that is gone
                self._ended = JobFailed(f"the backend was not to be reached: {error}")
                return

    def _hear(self) -> None:
        fresh = Job.model_validate_json(self._http.get(self._job_url, MAX_DOCUMENT_BYTES))
        if fresh.cancel_requested:
            self.stop("cancelled")

    def _end_for_the_training(self) -> None:
        """Long computations cannot be interrupted: where the training does not conclude, this does, and ends the process."""
        if self._concluded.wait(GRACE_S if self._stopped == TERMINATED else self._job.heartbeat_seconds * 6):
            return
        try:
            self._tell({"kind": "failed", "reason": self._stopped})
        finally:
            os._exit(1 if self._stopped == TERMINATED else 0)

    def _tell(self, tale: Mapping[str, Any]) -> None:
        with self._tell_lock:
            # a number counts once it is told: the backend reads reports one by one, and stops at one that is missing
            sequence = self._sequence + 1
            report = {
                "version": CONTRACT_VERSION,
                **tale,
                "sequence": sequence,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "execution": self._execution,
                **self._take_notes(),
            }
            url = self._job.reports.url_template.replace("{sequence}", f"{sequence:06d}")
            if self._http.create(url, json.dumps(report).encode(), "application/json") == "exists":
                raise Superseded(f"report {sequence} of this run was written by another execution")
            self._sequence = sequence

    def _take_notes(self) -> dict[str, Any]:
        with self._notes_lock:
            notes, left = self._notes, self._notes.unreadable[MAX_UNREADABLE_PER_REPORT:]
            self._notes = _Notes(progress=notes.progress, unreadable=left)
        told = {
            "metrics": notes.metrics,
            "unreadable": notes.unreadable[:MAX_UNREADABLE_PER_REPORT],
            "progress": notes.progress,
        }
        return {key: value for key, value in told.items() if value}


def seconds_left(job: Job) -> float:
    """Until the deadline."""
    return job.deadline.timestamp() - time.time()
