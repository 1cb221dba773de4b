"""The simulator's control port, and what a SIP peer sees of an Edge: the handshake itself."""

import base64
import hashlib
import json
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Appliance:
    """An Edge of the simulator."""

    id: str
    name: str
    host: str
    port: int


class Simulator:
    def __init__(self, address: str) -> None:
        self.address = address

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(self.address + path, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def add_edges(self, count: int) -> list[Appliance]:
        made = self.call("POST", "/sim/v1/edges", {"count": count})["edges"]
        return [Appliance(edge["id"], edge["name"], edge["host"], edge["sipPort"]) for edge in made]

    def edge(self, appliance: Appliance) -> Any:
        return self.call("GET", f"/sim/v1/edges/{appliance.id}")

    def patch(self, appliance: Appliance, **changes: Any) -> None:
        self.call("PATCH", f"/sim/v1/edges/{appliance.id}", changes)

    def fault(self, **fault: Any) -> None:
        self.call("POST", "/sim/v1/faults", fault)

    def requests(self) -> list[Any]:
        """The journal, oldest first; `at` is when the request came, in seconds of Unix time."""
        entries = self.call("GET", "/sim/v1/journal?since=0")["entries"]
        return [entry | {"at": datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()} for entry in entries]

    def upload_attempts(self, appliance: Appliance) -> list[Any]:
        """Uploads for this Edge that reached the endpoint, refused ones too."""
        return [e for e in self.requests() if e["method"] == "POST" and e["path"].endswith("/certificates") and e.get("edgeId") == appliance.id and e["executed"]]

    def uploads(self, appliance: Appliance) -> list[Any]:
        """Those of them that took effect."""
        return [e for e in self.upload_attempts(appliance) if e["status"] in (0, 200)]

    def status_calls(self, appliance: Appliance) -> list[Any]:
        return [e for e in self.requests() if e["method"] == "GET" and e["path"].endswith(f"/{appliance.id}/status")]

    def slow_status(self, appliance: Appliance, seconds: float) -> None:
        """From now on each status call of this Edge is looked at only after so long."""
        self.fault(path=f"*/{appliance.id}/status", times=0, action={"delayMs": int(seconds * 1000)})

    def journal(self) -> str:
        return json.dumps(self.call("GET", "/sim/v1/journal?since=0"))


def served_leaf(port: int) -> bytes | None:
    """The DER of the leaf that the SIP-TLS port presents; None when no handshake comes about."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as secure:
            return secure.getpeercert(binary_form=True)
    except OSError:
        return None


def fingerprint(der: bytes | None) -> str | None:
    return hashlib.sha256(der).hexdigest() if der else None


def leaf_of(secret: dict[str, Any]) -> bytes:
    """The DER of the first certificate in a Secret's tls.crt."""
    pem = base64.b64decode(secret["data"]["tls.crt"]).decode()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return base64.b64decode(pem.split(begin)[1].split(end)[0])
