"""Whoever keeps audit records: an https server that checks their signatures, and takes none until it is told to."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness import env


class AuditSink:
    def __init__(self, key: str) -> None:
        self.takes = False
        self.refused = 0
        self.forged = 0
        self.taken: list[dict[str, Any]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
                if not hmac.compare_digest(signature, self.headers.get("Edgetrust-Signature", "")):
                    sink.forged += 1
                elif not sink.takes:
                    sink.refused += 1
                else:
                    sink.taken.append(json.loads(body))
                self.send_response(202 if sink.takes else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        api = json.loads((Path(env("STACK_DIR")) / "genesys-sim" / "config.json").read_text())["api"]
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(api["certFile"], api["keyFile"])
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/audit"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
