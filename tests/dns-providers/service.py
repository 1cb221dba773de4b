"""An HTTPS server on loopback that stands in for a provider's API: strict, so that what a client gets wrong is seen here and not at the vendor."""

from __future__ import annotations

import json
import os
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: Any  # as email.message.Message: names without case
    body: bytes

    def json(self) -> dict[str, Any]:
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, {"error": f"not application/json: {self.headers.get('Content-Type')}"})
        try:
            body = json.loads(self.body)
        except ValueError as error:
            raise Refused(400, {"error": f"no JSON: {error}"}) from None
        if not isinstance(body, dict):
            raise Refused(400, {"error": "no JSON object"})
        return body

    def form(self) -> dict[str, str]:
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            raise Refused(415, {"error": f"not a form: {self.headers.get('Content-Type')}"})
        return dict(parse_qsl(self.body.decode(), strict_parsing=True))


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any = None  # JSON; None for no body
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Ends the handling of a request with this reply."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status)
        self.reply = Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def only(given: Any, known: set[str], what: str) -> None:
    """A member that the API does not have is the client's mistake."""
    if unknown := set(given) - known:
        raise Refused(400, {"error": f"unknown {what}: {', '.join(sorted(unknown))}"})


class Service:
    """Handlers run one at a time. `requests` is what came, "METHOD path"; `problems` what no client should send."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.faults: list[Reply] = []  # what the next requests are answered with
        self.lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), self.headers, body)
                with service.lock:
                    reply = service.reply(request)
                text = b"" if reply.body is None else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                if text:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

            def log_message(self, *_: object) -> None:
                pass

        certificate = json.loads((Path(os.environ["STACK_DIR"]) / "genesys-sim" / "config.json").read_text())["api"]
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate["certFile"], certificate["keyFile"])
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reply(self, request: Request) -> Reply:
        self.requests.append(f"{request.method} {request.path}")
        if self.faults:
            return self.faults.pop(0)
        try:
            return self.handle(request)
        except Refused as refused:
            if refused.reply.status in (400, 404, 405, 415):
                self.problems.append(f"{request.method} {request.path}: {refused.reply.body}")
            return refused.reply

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
