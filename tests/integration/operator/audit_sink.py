"""Whoever keeps audit records: an https server that checks their signatures, and takes none until it is told to."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from own_https import Handler, HttpsServer


class AuditSink(HttpsServer):
    def __init__(self, key: str) -> None:
        self.takes = False
        self.refused = 0
        self.forged = 0
        self.taken: list[dict[str, Any]] = []
        sink = self

        class Sink(Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
                if not hmac.compare_digest(signature, self.headers.get("Edgetrust-Signature", "")):
                    sink.forged += 1
                elif not sink.takes:
                    sink.refused += 1
                else:
                    sink.taken.append(json.loads(body))
                self.answer(202 if sink.takes else 503)

        super().__init__(Sink, "/audit")
