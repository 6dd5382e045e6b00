"""A receiver of webhooks as a process of its own, over HTTPS: it notes a request, flushed, then answers.

`python -m tests.outlets.receiver PORT CERTIFICATE KEY NOTES`; paths: ``/ok``, ``/hang`` (no answer),
``/status/CODE``, ``/first/CODE`` (the first time only), ``/long`` (an answer without end).
"""

import json
import ssl
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    notes: Path
    lock = threading.Lock()
    answered: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length).decode()
        if len(body.encode()) < length:
            return  # the sender was killed half way
        note = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}
        with self.lock, self.notes.open("a") as file:
            file.write(json.dumps(note) + "\n")
        with suppress(OSError):  # who asked may be gone
            self._answer()

    def _answer(self) -> None:
        if self.path == "/hang":
            threading.Event().wait(60)
            return
        code = 200
        if self.path.startswith("/status/") or (
            self.path.startswith("/first/") and self.path not in self.answered
        ):
            code = int(self.path.rpartition("/")[2])
        self.answered.add(self.path)
        self.send_response(code)
        if 300 <= code < 400:
            self.send_header("Location", "/ok")
        self.send_header("Content-Length", str(10**9 if self.path == "/long" else 0))
        self.end_headers()
        if self.path == "/long":
            for _ in range(10):
                self.wfile.write(b"x" * 10_000)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def main() -> None:
    port, certificate, key, notes = sys.argv[1:]
    Handler.notes = Path(notes)
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    if certificate != "-":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("ready", flush=True)
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
