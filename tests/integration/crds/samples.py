"""Objects for the tests of the CRDs: the smallest that are accepted, and those of tests/golden that set every field."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "operator"))

Object = dict[str, Any]

MINIMAL: dict[str, Object] = {
    "GenesysConnection": {"region": "mypurecloud.ie", "credentialsRef": {"name": "oauth"}},
    "Edge": {"connectionRef": {"name": "prod"}, "edgeId": "7f3c0a52-11d4-4f6e-9a7c-3d2b1c0e9f8a", "sip": {"host": "edge01.example.com"}},
    "RotationPolicy": {},
    "AcmeIssuer": {"server": "https://ca.example.com/dir", "accountKeyRef": {"name": "account"}, "solvers": [{"dns01": {"rfc2136": {"nameserver": "10.0.0.53"}}}]},
    "EdgeCertificate": {"edgeRef": {"name": "edge01"}, "issuerRef": {"name": "le"}, "dnsNames": ["edge01.example.com"]},
    "PinPolicy": {"endpoint": {"host": "api.example.com"}, "edges": ["edge01"]},
}


def minimal(kind: str, name: str = "sample") -> Object:
    return {"apiVersion": "edgetrust.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": copy.deepcopy(MINIMAL[kind])}


def golden() -> dict[str, Object]:
    """By file name; in no namespace."""
    objects = {file.stem: json.loads(file.read_text()) for file in sorted((TESTS / "golden" / "objects").glob("*.json"))}
    for value in objects.values():
        del value["metadata"]["namespace"]
    return objects
