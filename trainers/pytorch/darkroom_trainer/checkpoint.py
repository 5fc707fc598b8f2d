"""What a training keeps while it goes on, so that after its machine was taken away the next attempt goes on from there."""

import hashlib
import json
import sys
import time
from collections.abc import Callable

import torch

from darkroom_trainer.contract import TERMINATED, Job
from darkroom_trainer.http import Http, HttpError, Passing
from darkroom_trainer.reporter import Reporter
from darkroom_trainer.samples import Samples

KEPT_EVERY_S = 60.0
"""A minute of a training is what a machine that is taken away without a word costs."""
SHARE_OF_TIME = 0.05
"""Most of the time that keeping may take: large states over slow lines are kept less often."""
KEY_BYTES = 32


class Checkpoints:
    """
    The state of this attempt, at the address that only it writes to, and those of the attempts before it. A state counts
    for the same program, parameters and samples alone; keeping one that does not succeed costs the training nothing.
    """

    def __init__(self, job: Job, samples: Samples, code: str, http: Http, reporter: Reporter) -> None:
        self._places, self._http, self._reporter = job.checkpoint, http, reporter
        named = [line.md5 + line.split for line in samples.lines]
        whole = [code, torch.__version__, job.trainer.model_dump(), job.classes, job.image.model_dump(), job.seed, named]
        self._key = hashlib.sha256(json.dumps(whole).encode()).digest()
        self._next_at = time.monotonic() + KEPT_EVERY_S

    def load(self) -> bytes | None:
        """The newest state of an earlier attempt that this one can go on from."""
        if self._places is None:
            return None
        for url in self._places.get_urls:
            try:
                body = self._http.get(url, self._places.maximum_bytes)
            except (HttpError, Passing):
                continue
            state = body[2 * KEY_BYTES :]
            if body[:KEY_BYTES] == self._key and body[KEY_BYTES : 2 * KEY_BYTES] == hashlib.sha256(state).digest():
                return state
        return None

    def may_keep(self, state: Callable[[], bytes]) -> None:
        """Keeps the state where it is time to, or where the machine is about to be taken away."""
        is_last = self._reporter.stopped == TERMINATED
        if self._places is None or (time.monotonic() < self._next_at and not is_last):
            return
        began_at = time.monotonic()
        body = state()
        if len(body) + 2 * KEY_BYTES > self._places.maximum_bytes:
            print(f"a state of {len(body)} bytes is not kept: {self._places.maximum_bytes} are allowed", file=sys.stderr)
            self._places = None
            return
        try:
            self._http.overwrite(self._places.put_url, self._key + hashlib.sha256(body).digest() + body)
        except (HttpError, Passing) as error:
            print(f"the state was not kept: {error}", file=sys.stderr)
        took_s = time.monotonic() - began_at
        self._next_at = time.monotonic() + max(KEPT_EVERY_S, took_s / SHARE_OF_TIME)
