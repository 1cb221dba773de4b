"""An https server of a test's own, for whatever the operator calls that stands elsewhere in real life."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import env


class Handler(BaseHTTPRequestHandler):
    """Each request is answered with a status alone, and nothing is printed."""

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class HttpsServer:
    """With the certificate of the simulator's API, whose CA the operator is given."""

    def __init__(self, handler: type[Handler], path: str) -> None:
        api = json.loads((Path(env("STACK_DIR")) / "genesys-sim" / "config.json").read_text())["api"]
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(api["certFile"], api["keyFile"])
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}{path}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
