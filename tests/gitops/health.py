"""How GitOps tools judge an object: Flux by its kstatus library, Argo CD by manifests/argocd/health.lua, both in the stack's tool `health`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for folder in ("tests/integration/operator", "tests/integration/chart", "tests/stack", "tests/demo"):
    sys.path.append(str(ROOT / folder))
Object = dict[str, Any]

# What Argo CD says where Flux says it.
IN_ARGO_CD = {"Current": "Healthy", "InProgress": "Progressing", "Failed": "Degraded"}


def judged(objects: list[Object]) -> list[str]:
    """By kstatus, after both tools were asked. They agree, or it is an AssertionError."""
    given = "\n".join(json.dumps(one) for one in objects)
    done = subprocess.run(["health", ROOT / "manifests" / "argocd" / "health.lua"], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(objects)
    for one, verdict in zip(objects, verdicts, strict=True):
        flux, argo = verdict["kstatus"], verdict["argocd"]
        assert argo["status"] == IN_ARGO_CD[flux["status"]], (one, verdict)
        assert argo["message"], one
    return [verdict["kstatus"]["status"] for verdict in verdicts]


def condition(one: Object, of_type: str) -> str | None:
    return next((found["status"] for found in one["status"].get("conditions", []) if found["type"] == of_type), None)
