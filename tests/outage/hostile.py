"""An HTTP server that answers too much, too slowly, or more than it seems."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MIB = 1024 * 1024
CHUNK = b"x" * MIB


class _Hostile(BaseHTTPRequestHandler):
    """`/huge`: 1 GiB. `/bomb`: 1 MiB that becomes 1 GiB. `/drip`: an octet now and then, for ever. `/small`."""

    stopping = threading.Event()
    bomb = b""

    def do_GET(self) -> None:
        answer = {"/huge": self._huge, "/bomb": self._bomb, "/drip": self._drip}.get(self.path, self._small)
        with suppress(OSError):  # the client has had enough
            answer()

    def _huge(self) -> None:
        self._begin(length=1024 * MIB)
        for _ in range(1024):
            self.wfile.write(CHUNK)

    def _bomb(self) -> None:
        self._begin(length=len(self.bomb), encoding="gzip")
        self.wfile.write(self.bomb)

    def _drip(self) -> None:
        self._begin(length=MIB)
        while not self.stopping.wait(0.1):
            self.wfile.write(b"x")
            self.wfile.flush()

    def _small(self) -> None:
        self._begin(length=2)
        self.wfile.write(b"ok")

    def _begin(self, *, length: int, encoding: str | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(length))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library names it
        """Silent."""


@contextmanager
def hostile_server() -> Iterator[str]:
    """Its address."""
    _Hostile.stopping.clear()
    # A gzip stream may be made of several: 64 times the same 16 MiB.
    _Hostile.bomb = gzip.compress(CHUNK * 16) * 64
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        _Hostile.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
