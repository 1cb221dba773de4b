"""Objects of a made-up fleet, as an API server would give them, and the program that shows them."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SITES = ("dublin", "new-york", "sydney", "frankfurt", "são-paulo")
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def at(**offset: float) -> str:
    return (NOW + timedelta(**offset)).isoformat().replace("+00:00", "Z")


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message or reason, "lastTransitionTime": at(hours=-3)}


def served(days_left: float, revision: int = 7) -> dict[str, Any]:
    """What the status says of a certificate with a life of 90 days."""
    end = NOW + timedelta(days=days_left)
    return {
        "observedGeneration": 1,
        "revision": revision,
        "serialNumber": f"03a1{revision:02d}9f{int(days_left * 7) % 256:02x}c4",
        "notBefore": (end - timedelta(days=90)).isoformat().replace("+00:00", "Z"),
        "notAfter": end.isoformat().replace("+00:00", "Z"),
        "renewalTime": (end - timedelta(days=30)).isoformat().replace("+00:00", "Z"),
        "issuer": "R11",
        "history": [
            {"revision": revision, "serialNumber": f"03a1{revision:02d}9f", "result": "Active", "at": at(days=days_left - 90), "change": "CHG0045123", "approvedBy": "ana@example.com"},
            {"revision": revision - 1, "serialNumber": f"03a1{revision - 1:02d}77", "result": "Superseded", "at": at(days=days_left - 150)},
        ],
    }


def ready(days_left: float) -> dict[str, Any]:
    status = served(days_left)
    return status | {"phase": "Ready", "next": f"renews {status['renewalTime'][:10]}", "conditions": [condition("Ready", "True", "Ready", "revision 7 is live")]}


def under_way(phase: str, days_left: float, message: str, **more: Any) -> dict[str, Any]:
    return served(days_left) | {"phase": phase, "next": "", "conditions": [condition("Ready", "True", "Ready"), condition("Reconciling", "True", phase, message)]} | more


def stalled(phase: str, days_left: float, reason: str, message: str, **more: Any) -> dict[str, Any]:
    return served(days_left) | {"phase": phase, "conditions": [condition("Ready", "True", "Ready"), condition("Stalled", "True", reason, message)]} | more


# One of each kind of line, in the order in which the page has them.
STORIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("edge-ny-02", served(-2) | {"phase": "Failed", "conditions": [condition("Ready", "False", "Expired", "the certificate has expired"), condition("Stalled", "True", "RollbackImpossible", "revision 8 makes the Edge unwell, and no earlier certificate is valid")]}, {"SipHealthy": "False"}),
    ("edge-dub-01", stalled("RolledBack", 21, "PeerDoesNotTrust", "sbc-dub-1 does not trust the chain of revision 8; revision 7 is back"), {}),
    ("edge-ny-03", under_way("AwaitingApproval", 26, "revision 8 waits for an approval", next="approval of revision 8"), {}),
    ("edge-dub-02", under_way("Observing", 28, "revision 8 is observed until all has been well for 10 minutes", delivery={"revision": 8, "fallback": 7, "startedAt": at(minutes=-6), "installedAt": at(minutes=-5)}), {}),
    ("edge-syd-01", under_way("Issuing", 29, "the CA looks at the challenges", order={"revision": 8, "url": "https://ca.example/order/1", "expires": at(days=6), "recordsSince": at(minutes=-1)}), {}),
    ("edge-ny-01", under_way("Waiting", 27, "WaitingForWindow", next="window Tue 02:00 America/New_York", nextWindow=at(hours=9)), {}),
    ("edge-fra-01", ready(74), {}),
    ("edge-fra-02", ready(81), {}),
    ("edge-syd-02", ready(88), {}),
]
PINS = {"edge-ny-02": ("Blocked", "the folder of the pin file is missing"), "edge-dub-02": ("Matched", ""), "edge-fra-01": ("Matched", ""), "edge-fra-02": ("Applying", "the new file is being put in place"), "edge-syd-02": ("NotObserved", "")}


def certificate(name: str, status: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "voice", "name": name, "uid": f"uid-of-{name}", "resourceVersion": "1", "generation": 1},
        "spec": {"edgeRef": {"name": name}, "issuerRef": {"name": "letsencrypt"}, "dnsNames": [f"{name}.example.com"]},
        "status": status,
    }


def edge(name: str, site: str, pins: tuple[str, str] | None = None, **bad: str) -> dict[str, Any]:
    conditions = [condition(kind, bad.get(kind, "True"), kind, "the SIP-TLS port does not answer" if kind in bad else "") for kind in ("Ready", "Online", "SipHealthy")]
    status: dict[str, Any] = {"observedGeneration": 1, "conditions": conditions, "site": site}
    if pins:
        status["pins"] = {"policy": "cloud", "state": pins[0], "message": pins[1]}
    return {
        "metadata": {"namespace": "voice", "name": name, "uid": f"uid-of-edge-{name}", "resourceVersion": "1", "generation": 1},
        "spec": {"connectionRef": {"name": "prod"}, "edgeId": "7f3c0000-0000-4000-8000-000000000001", "site": site, "sip": {"host": f"{name}.example.com"}},
        "status": status,
    }


def site_of(name: str) -> str:
    return {"ny": "new-york", "dub": "dublin", "syd": "sydney", "fra": "frankfurt"}[name.split("-")[1]]


def small() -> dict[str, list[Any]]:
    """A fleet with one of each story, and an Edge that has no EdgeCertificate."""
    return {
        "certificates": [certificate(name, status) for name, status, _ in STORIES],
        "edges": [edge(name, site_of(name), PINS.get(name), **bad) for name, _, bad in STORIES] + [edge("edge-dub-09", "dublin")],
    }


def large(count: int) -> dict[str, list[Any]]:
    names = [f"edge-{number:04d}" for number in range(count)]
    statuses = [STORIES[number % len(STORIES)][1] if number % 97 == 0 else ready(20 + number % 70) for number in range(count)]
    return {
        "certificates": [certificate(name, status) for name, status in zip(names, statuses, strict=True)],
        "edges": [edge(name, SITES[number % len(SITES)], ("Matched", "")) for number, name in enumerate(names)],
    }


class FleetServer:
    """The page of the operator, on objects of ours."""

    def __init__(self, folder: Path, objects: dict[str, list[Any]], port: int = 0) -> None:
        self.file = folder / "fleet.json"
        self.file.write_text(json.dumps(objects))
        self.process = subprocess.Popen([os.environ["FLEET_SERVER"], str(self.file), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/"

    def show(self, objects: dict[str, list[Any]]) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.file.write_text(json.dumps(objects))
        self.process.stdin.write("read\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "read\n"

    def close(self) -> None:
        self.process.communicate()
        self.process.wait(timeout=20)
