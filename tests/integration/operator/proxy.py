"""Counting proxies between the operator and its servers: they see every mutating request, and can end the operator before one or after its effect.

HTTPS is terminated with a CA of the test's own, so that requests can be told apart; one request a connection keeps that simple. DNS messages are counted by
their opcode. All proxies of a test share one Sweep.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

MUTATING = {"POST", "PUT", "PATCH", "DELETE"}


def is_refusal(answer: bytes) -> bool:
    """An HTTP status of 400 and up: nothing was done. Pebble refuses one good nonce in twenty."""
    return answer.startswith(b"HTTP/") and int(answer.split(b" ", 2)[1]) >= 400


def kind_of(what: str) -> str:
    """What a request changes, without the names that differ from story to story."""
    return re.sub(r"t-[0-9a-f]{10}|edge\d+(-r\d+)?(-key|-tls)?|/[A-Za-z0-9_-]{16,}", "…", what)


class Sweep:
    """Notes mutating requests in the order in which they came; at the n-th of the chosen kind it calls `strike`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: list[str] = []
        self.executed: list[str] = []  # of these, what reached its server and was not refused there
        self.target = ("", 0)
        self.when = ""
        self.hit = False  # the chosen one has come, and `strike` is called or will be
        self.strike: Callable[[], None] = lambda: None
        self.counting = False

    def aim(self, target: tuple[str, int], when: str, strike: Callable[[], None]) -> None:
        self.target, self.when, self.strike = target, when, strike

    def begin(self) -> None:
        self.counting = True

    def call_off(self) -> bool:
        """Nothing is struck any more; False when it is too late for that."""
        with self.lock:
            if not self.hit:
                self.target = ("", 0)
            return not self.hit

    def pass_through(self, what: str, forward: Callable[[], bytes]) -> bytes | None:
        """Forwards one mutating request; None when the client shall get no answer."""
        with self.lock:
            hit = False
            if self.counting:
                self.seen.append(what)
                hit = (kind_of(what), sum(kind_of(other) == kind_of(what) for other in self.seen)) == self.target
                self.hit = self.hit or hit
        if hit and self.when == "before":
            self.strike()
            return None
        answer = forward()
        with self.lock:
            if self.counting and not is_refusal(answer):
                self.executed.append(what)
        if hit and self.when == "after":
            self.strike()
            return None
        return answer


def make_certificates(folder: Path) -> Path:
    """A CA and a certificate for 127.0.0.1 in `folder`; the CA's file."""
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=proxy CA")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "proxy.key", "-out", "proxy.csr", "-subj", "/CN=proxy")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "proxy.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", "proxy.crt", "-extfile", "ext")
    return folder / "ca.crt"


class Listener:
    """Accepts on a free loopback port, or where it is told; each connection on a thread of its own."""

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.socket = socket.create_server(address)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_quietly, args=(client,), daemon=True).start()

    def _serve_quietly(self, client: socket.socket) -> None:
        try:
            with client:
                self.serve(client)
        except (OSError, ValueError):
            pass  # either end went away: that is what this test is about

    def serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.socket.close()


class HttpsProxy(Listener):
    """HTTPS to one server; `upstream` verifies it."""

    def __init__(self, target: str, upstream: ssl.SSLContext, folder: Path, sweep: Sweep, name: str) -> None:
        parts = urlsplit(target)
        self.host, self.target_port = parts.hostname or "", parts.port or 443
        self.upstream, self.sweep, self.name = upstream, sweep, name
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder / "proxy.crt", folder / "proxy.key")
        super().__init__()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        with self.tls.wrap_socket(client, server_side=True) as secure:
            head, body = self._read_request(secure)
            if not head:
                return
            method, path = head.split(b" ", 2)[:2]
            what = self._mutation(method.decode(), path.decode(), body)
            if what is None:
                self._stream(self._closing(head) + body, secure)
            elif (answer := self.sweep.pass_through(f"{self.name} {what}", lambda: self._ask(self._closing(head) + body))) is not None:
                secure.sendall(answer)

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        """A name for what changes something outside; None for what only reads, and for Events, which are a courtesy."""
        if method not in MUTATING or "/events" in path or path.startswith("/oauth/") or path == "/api/v2/certificate/details":
            return None
        if self.name == "acme" and not json.loads(body).get("payload"):
            return None  # POST-as-GET (RFC 8555 section 6.3)
        return f"{method} {path.split('?')[0]}"

    @staticmethod
    def _read_request(client: ssl.SSLSocket) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return b"", b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        head += b"\r\n\r\n"
        fields = {line.split(b":", 1)[0].strip().lower(): line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")[1:] if b":" in line}
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += client.recv(65536)
        else:
            while len(body) < int(fields.get(b"content-length", b"0")):
                body += client.recv(65536)
        return head, body

    @staticmethod
    def _closing(head: bytes) -> bytes:
        """The head with `Connection: close`, so that the answer ends with the connection."""
        lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*lines, b"Connection: close", b"", b""])

    def _connect(self) -> ssl.SSLSocket:
        return self.upstream.wrap_socket(socket.create_connection((self.host, self.target_port), timeout=60), server_hostname=self.host)

    def _ask(self, request: bytes) -> bytes:
        with self._connect() as server:
            server.sendall(request)
            answer = b""
            while piece := server.recv(65536):
                answer += piece
            return answer

    def _stream(self, request: bytes, client: ssl.SSLSocket) -> None:
        with self._connect() as server:
            server.settimeout(None)
            server.sendall(request)
            while piece := server.recv(65536):
                client.sendall(piece)


class DnsProxy(Listener):
    """DNS over TCP; UPDATE messages (opcode 5, RFC 2136 section 2.2) count."""

    def __init__(self, target: str, sweep: Sweep) -> None:
        host, port = target.rsplit(":", 1)
        self.target, self.sweep = (host, int(port)), sweep
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        with socket.create_connection(self.target, timeout=30) as server:
            while message := self._message(client):
                ask = lambda: self._exchange(server, message)
                update = message[4] >> 3 & 15 == 5
                answer = self.sweep.pass_through("dns UPDATE", ask) if update else ask()
                if answer is None:
                    return
                client.sendall(answer)

    def _exchange(self, server: socket.socket, message: bytes) -> bytes:
        server.sendall(message)
        return self._message(server)

    @staticmethod
    def _message(peer: socket.socket) -> bytes:
        """One message with its length in front; empty at the end."""
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
            piece = peer.recv(65536)
            if not piece:
                return b""
            data += piece
        return data


def kubeconfig(server: str, ca_file: Path, folder: Path, token: str) -> Path:
    """A kubeconfig that leads to the proxy."""
    file = folder / "kubeconfig.json"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        "clusters": [{"name": "proxy", "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca_file.read_bytes()).decode()}}],
        "users": [{"name": "proxy", "user": {"token": token}}],
    }
    file.write_text(json.dumps(content))
    return file
