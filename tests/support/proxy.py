"""A proxy between the connector and the stand-in: counts statements, and breaks the line at the one it is told to."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BEFORE, AFTER, DURING = "before it is sent", "after it ran, before the reply", "while it runs"
HELD, ANSWER_HELD = "held back, then sent", "its answer held back, then given"


class Proxy:
    """A statement is a request to run one, with the connector's own repetitions of it counted once.

    `at` is the number (from 1) of the statement to break at, `how` one of the words above. At the break
    `then` is called, and from then on nothing of this request gets through, however often it is repeated. What is held
    goes on when `then` returns.
    """

    def __init__(self, port: int) -> None:
        self.seen: list[str] = []
        self.at: int | None = None
        self.how = BEFORE
        self.then: Callable[[], None] = lambda: None
        self.watch: Callable[[str], None] = lambda text: None
        self.arrived: Callable[[str], None] = lambda text: None  # to wait until the stand-in runs it
        self.broken = 0
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, port))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def number(self, request_id: str, text: str) -> int:
        with self._lock:
            if request_id not in self._numbers:
                self.seen.append(text)
                self._numbers[request_id] = len(self.seen)
            return self._numbers[request_id]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: Proxy, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # with it each answer takes 40 ms more

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            if url.path != "/queries/v1/query-request":
                self._pass(body)
                return
            text = _text(body, self.headers.get("Content-Encoding"))
            proxy.watch(text)
            number = proxy.number(parse_qs(url.query)["requestId"][0], text)
            if number != proxy.at:
                self._pass(body)
                return
            first = proxy.broken == 0
            proxy.broken += 1
            if proxy.how == HELD:
                proxy.then()
                self._pass(body)
                return
            if proxy.how == ANSWER_HELD:
                answer = self._upstream(body)
                proxy.then()
                self._answer(*answer)
                return
            if first and proxy.how != BEFORE:
                sent = threading.Thread(target=self._upstream, args=(body,), daemon=True)
                sent.start()
                if proxy.how == AFTER:
                    sent.join()
                else:
                    proxy.arrived(text)
            if first:
                proxy.then()
            self.close_connection = True

        def do_GET(self) -> None:
            self._pass(b"")

        def _pass(self, body: bytes) -> None:
            self._answer(*self._upstream(body))

        def _answer(self, status: int, answer: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _upstream(self, body: bytes) -> tuple[int, bytes, str]:
            """One connection a thread of this proxy, kept: a client's connection has one thread here."""
            line = getattr(self, "line", None)
            if line is None or proxy.broken:
                line = self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            line.request(self.command, self.path, body, headers)
            with line.getresponse() as response:
                return response.status, response.read(), response.headers.get("Content-Type", "application/json")

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _text(body: bytes, encoding: str | None) -> str:
    plain = gzip.decompress(body) if encoding == "gzip" else body
    return str(json.loads(plain).get("sqlText", ""))
