"""A tiny stand-in for signed blob addresses: PUT creates once, GET reads; some addresses can be made to fail at first."""

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import unquote, urlsplit


class BlobServer:
    """Blobs by path, on loopback, until the context ends."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.failures: Counter[str] = Counter()
        """path: how often it answers 503 before it works"""
        self.lost_answers: Counter[str] = Counter()
        """path: how often a PUT is carried out and its answer lost"""
        self.overwritable: set[str] = set()
        """paths that may be written again and again"""
        self.reads: Counter[str] = Counter()
        self.refusal = (409, "BlobAlreadyExists")
        """the answer to a PUT of a blob that is there"""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                path = outer.path_of(self.path)
                outer.reads[path] += 1
                body = outer.blobs.get(path)
                if outer.failures[path] > 0:
                    outer.failures[path] -= 1
                    self.answer(503)
                else:
                    self.answer(404 if body is None else 200, body or b"")

            def do_PUT(self) -> None:
                path = outer.path_of(self.path)
                body = self.rfile.read(int(self.headers["content-length"]))
                if outer.failures[path] > 0:
                    outer.failures[path] -= 1
                    self.answer(503)
                    return
                if path in outer.overwritable:
                    outer.blobs[path] = body
                    self.answer(201)
                    return
                if self.headers["x-ms-blob-type"] != "BlockBlob" or self.headers["if-none-match"] != "*":
                    self.answer(400)
                    return
                status, code = outer.refusal if path in outer.blobs else (201, "")
                outer.blobs.setdefault(path, body)
                if outer.lost_answers[path] > 0:
                    outer.lost_answers[path] -= 1
                    self.close_connection = True
                else:
                    self.answer(status, code=code)

            def answer(self, status: int, body: bytes = b"", code: str = "") -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                if code:
                    self.send_header("x-ms-error-code", code)
                self.end_headers()
                self.wfile.write(body)

        return Handler

    @staticmethod
    def path_of(target: str) -> str:
        return unquote(urlsplit(target).path)
