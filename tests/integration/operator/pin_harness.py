"""What tests of PinPolicies on machines have in common: a cloud endpoint, machines of Edges, and one policy for them."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from authority import Authority, Issued
from edge_machine import EdgeMachine
from harness import ALWAYS_OPEN, OperatorTest, wait_for
from proxy import Listener


def colon_hex(octets: bytes) -> str:
    return ":".join(f"{octet:02X}" for octet in hashlib.sha256(octets).digest())


def ahead(**delta: float) -> str:
    """So far in the future, as Kubernetes writes it."""
    return (datetime.now(timezone.utc) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


BACKUP = colon_hex(b"a key that is kept in a safe")


class Endpoint(Listener):
    """The cloud endpoint, which says nothing; `pin` is the hash of the leaf that it presents."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = Authority(folder)
        self.folder = folder
        self.serve_leaf(self.issue())
        super().__init__()

    def issue(self) -> Issued:
        return self.authority.issue("localhost")

    def serve_leaf(self, issued: Issued) -> None:
        (self.folder / "leaf.pem").write_text(issued.key + issued.chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "leaf.pem")
        self.context, self.leaf, self.pin = context, issued.leaf, colon_hex(issued.leaf)

    def rotate(self) -> None:
        self.serve_leaf(self.issue())

    def serve(self, client: socket.socket) -> None:
        with self.context.wrap_socket(client, server_side=True) as secure:
            secure.recv(1)


class PinTest(OperatorTest):
    policy: dict[str, Any] = {"windows": ALWAYS_OPEN}

    def prepare(self) -> None:
        super().prepare()
        self.prepare_endpoint()
        self.secret("cloud-roots", {"ca.crt": self.roots()})

    def prepare_endpoint(self) -> None:
        self.endpoint = Endpoint(self.folder / "endpoint")
        self.addCleanup(self.endpoint.close)

    def at_endpoint(self) -> dict[str, Any]:
        """Where it is."""
        return {"host": "localhost", "port": self.endpoint.port}

    def leaf(self) -> str:
        """The pin of what it presents now."""
        return self.endpoint.pin

    def roots(self) -> str:
        """What its chain leads to."""
        return self.endpoint.authority.root

    def add_machine(self, name: str = "edge01") -> EdgeMachine:
        machine = EdgeMachine(self.folder / name, self.at_endpoint(), roots=self.roots())
        self.addCleanup(machine.close)
        self.secret(f"ssh-{name}", {"ssh-privatekey": machine.login_key})
        self.make_edge(self.sim.add_edges(1)[0], name, site=name, ssh=machine.ssh(f"ssh-{name}", port=self.way_to(machine)))
        return machine

    def way_to(self, machine: EdgeMachine) -> int:
        """The port on which the operator reaches its SSH server."""
        return machine.port

    def pin(self, **more: Any) -> None:
        spec = {
            "endpoint": {**self.at_endpoint(), "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}},
            "edgeSelector": {},
            "mode": "Enforce",
            "pins": {"static": [self.leaf(), BACKUP]},
            "rotation": {"interval": "30s"},
            **more,
        }
        self.make("PinPolicy", "cloud", spec)

    def change(self, **spec: Any) -> None:
        self.kube.patch("PinPolicy", self.namespace, "cloud", {"spec": spec})

    def look(self, name: str = "edge01") -> None:
        """Now, and not at the next interval."""
        self.kube.patch("Edge", self.namespace, name, {"metadata": {"annotations": {"test/look": str(time.time())}}})
        self.kube.patch("PinPolicy", self.namespace, "cloud", {"metadata": {"annotations": {"test/look": str(time.time())}}})

    def pins(self, name: str = "edge01") -> Any:
        return self.kube.get("Edge", self.namespace, name).get("status", {}).get("pins", {})

    def wait_state(self, state: str, name: str = "edge01", seconds: float = 90) -> Any:
        try:
            return wait_for(f"{name} is {state}", lambda: (p := self.pins(name)).get("state") == state and not p.get("change") and p, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.pins(name)}") from error

    def said(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition of the policy."""
        condition = self.condition(self.kube.get("PinPolicy", self.namespace, "cloud"), kind)
        return condition.get("status", ""), condition.get("reason", "")

    def events(self, reason: str) -> list[str]:
        """What the Events of that reason say."""
        return [event["note"] for event in self.kube.events(self.namespace) if event["reason"] == reason]

    def measured(self, metric: str) -> float | None:
        """A figure of the policy's."""
        label = f'edgetrust_pin_policy_{metric}{{name="cloud",namespace="{self.namespace}"}} '
        return next((float(line.removeprefix(label)) for line in self.operator.metrics().splitlines() if line.startswith(label)), None)

    def in_force(self, machine: EdgeMachine, *pins: str) -> None:
        """Its service has read the file with these pins, and reaches the endpoint."""
        self.assertEqual(machine.pins(), set(pins))
        self.assertEqual(machine.mode(), "0:0 600")
        self.assertEqual(machine.leftovers(), [])
        self.assertFalse(machine.is_armed())
        wait_for("a handshake", lambda: machine.service().get("connected"))
        self.assertEqual(machine.service()["pinned"], bool(pins))
