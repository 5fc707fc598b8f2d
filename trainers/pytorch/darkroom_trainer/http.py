"""Plain HTTP with bounds: on time, on bytes, on tries. All a job has."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import httpx2

REQUEST_TIMEOUT_S = 60.0
PATIENCE_S = 360.0
"""Storage that is away for five minutes is no failure of a training."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 15.0
CHUNK_BYTES = 1 << 16

T = TypeVar("T")


class HttpError(Exception):
    """An answer that another try does not change. Addresses stay out of messages: they are signed."""

    def __init__(self, method: str, status: int) -> None:
        super().__init__(f"{method} was answered {status}")
        self.status = status


class Damaged(Exception):
    """A file that arrived with another digest than it should have."""


class Passing(Exception):
    """Trouble that another try may mend."""


class Http:
    """Requests of one job, by many threads."""

    def __init__(self) -> None:
        limits = httpx2.Limits(max_connections=32, max_keepalive_connections=16)
        self._client = httpx2.Client(timeout=REQUEST_TIMEOUT_S, limits=limits, follow_redirects=False)

    def close(self) -> None:
        """Ends all connections."""
        self._client.close()

    def get(self, url: str, max_bytes: int) -> bytes:
        """Reads an address. Raises HttpError for a lasting refusal or more bytes, Passing when patience is over."""
        return self._persist(lambda _: self._read(url, max_bytes))

    def download(self, url: str, file: Path, max_bytes: int, md5: str) -> None:
        """Reads an address into a file. Raises what `get` raises, Damaged for another digest, OSError for a full disk."""
        self._persist(lambda _: self._read_into(url, file, max_bytes, md5))

    def create(self, url: str, body: bytes, content_type: str) -> Literal["created", "exists"]:
        """
        Creates a blob (Put Blob). 'exists': somebody else's is there. A blob found after an unclear try of ours counts as
        ours, since the lost answer may have been to a write that took place.
        """
        return self._persist(lambda tries: self._put(url, body, content_type, tries))

    def overwrite(self, url: str, body: bytes) -> None:
        """Writes a blob, whether it is there or not, in one try. Raises HttpError or Passing."""
        headers = {"content-type": "application/octet-stream", "x-ms-blob-type": "BlockBlob"}
        try:
            response = self._client.put(url, content=body, headers=headers)
        except httpx2.TransportError as error:
            raise Passing(_said(error)) from error
        if response.status_code not in {200, 201}:
            raise _refusal("PUT", response.status_code)

    def _persist(self, attempt: Callable[[int], T]) -> T:
        ends_at = time.monotonic() + PATIENCE_S
        pause = FIRST_PAUSE_S
        tries = 0
        while True:
            tries += 1
            try:
                return attempt(tries)
            except (Passing, httpx2.TransportError) as error:
                if time.monotonic() + pause > ends_at:
                    raise Passing(f"storage did not answer after {tries} tries: {_said(error)}") from error
                time.sleep(pause)
                pause = min(LONGEST_PAUSE_S, 2 * pause)

    def _read(self, url: str, max_bytes: int) -> bytes:
        with self._client.stream("GET", url) as response:
            _expect_found(response)
            body = bytearray()
            for part in response.iter_bytes(CHUNK_BYTES):
                body += part
                if len(body) > max_bytes:
                    raise HttpError("GET (too large)", 413)
            return bytes(body)

    def _read_into(self, url: str, file: Path, max_bytes: int, md5: str) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        with self._client.stream("GET", url) as response, file.open("wb") as out:
            _expect_found(response)
            for part in response.iter_bytes(CHUNK_BYTES):
                size += len(part)
                if size > max_bytes:
                    raise HttpError("GET (too large)", 413)
                digest.update(part)
                out.write(part)
        if digest.hexdigest() != md5:
            raise Damaged(f"it arrived with the MD5 {digest.hexdigest()}")

    def _put(self, url: str, body: bytes, content_type: str, tries: int) -> Literal["created", "exists"]:
        headers = {"content-type": content_type, "x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
        response = self._client.put(url, content=body, headers=headers)
        if response.status_code in {200, 201}:
            return "created"
        if _is_there(response):
            return "created" if tries > 1 else "exists"
        raise _refusal("PUT", response.status_code)


def _said(error: Exception) -> str:
    """What went wrong, without the address."""
    return str(error) if isinstance(error, Passing) else type(error).__name__


def _expect_found(response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise _refusal("GET", response.status_code)


def _refusal(method: str, status: int) -> Exception:
    """Storage answers 429, 500 and 503 when it is busy: https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes"""
    if status in {408, 429} or status >= 500:
        return Passing(f"{method} was answered {status}")
    return HttpError(method, status)


def _is_there(response: httpx2.Response) -> bool:
    """
    Whether storage says that the blob is there: by `If-None-Match`, or because the address may create and not overwrite.
    https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
    """
    if response.status_code in {409, 412}:
        return True
    return response.status_code == 403 and response.headers.get("x-ms-error-code") == "UnauthorizedBlobOverwrite"
