"""Helm 3 and 4, as the stack's tools have them, and what they render."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "edgetrust"
IMAGE = {"image": {"repository": "registry.invalid/edgetrust"}}
Object = dict[str, Any]


def run(*command: str, stdin: str | None = None, env: dict[str, str] | None = None) -> str:
    """What it prints. A failure says what the command said."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def objects(manifests: str) -> list[Object]:
    return [one for one in yaml.safe_load_all(manifests) if one is not None]


def template(helm: str, values: Object, namespace: str = "edgetrust", show_only: Iterable[str] = ()) -> str:
    chosen = [argument for file in show_only for argument in ("--show-only", f"templates/{file}")]
    return run(helm, "template", "edgetrust", str(CHART), "--namespace", namespace, "--values", "-", *chosen, stdin=json.dumps(values))


SCHEMA: Object = json.loads((CHART / "values.schema.json").read_text())
RESOLVED = {f"#/definitions/{name}": schema for name, schema in SCHEMA["definitions"].items()}
OF_A_PARENT = {"global", "enabled"}  # Helm hands them to a chart within a chart


def leaves(schema: Object = SCHEMA, path: str = "") -> Iterator[str]:
    """Paths of the values that the chart's schema allows, without those of free maps and those of a parent chart."""
    for name, member in schema["properties"].items():
        here = f"{path}.{name}" if path else name
        member = RESOLVED.get(member.get("$ref", ""), member)
        if "properties" in member:
            yield from leaves(member, here)
        elif here not in OF_A_PARENT:
            yield here


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


# Every value set to something else than its default, as far as they go together.
EXTREME: Object = {
    "image": {"repository": "registry.example.com:5000/voice/edgetrust", "tag": "1.2.3", "digest": "sha256:" + 64 * "a", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "nameOverride": "trust",
    "fullnameOverride": "a-name-that-is-as-long-as-a-label-can-be-and-then-has-to-be-cut",
    "commonLabels": {"team": "voice"},
    "crds": {"install": True},
    "watchNamespaces": ["voice-a", "voice-b"],
    "replicas": 3,
    "leaderElection": {"enabled": True, "namespace": "voice-b"},
    "workers": 64,
    "logLevel": "debug",
    "kubeApi": {"qps": 10000, "burst": 10000, "kubeconfig": "/etc/other/kubeconfig", "context": "of: \"theirs\""},
    # The program looks whether the file is there: one that ca-certificates brings.
    "dns": {"endpoints": {"cloudflare": "https://dns.example.com:8443", "sts": "https://sts.example.com"}, "caFile": "/etc/ssl/certs/ca-certificates.crt"},
    "audit": {"log": "/var/lib/edgetrust/audit.log", "sink": {"url": "https://audit.example.com/", "keyFile": "/etc/edgetrust/audit/key", "caFile": "/etc/ssl/certs/ca-certificates.crt"}},
    "extraArgs": [],  # every flag has a value of its own
    "extraEnv": [{"name": "TZ", "value": "Europe/Dublin"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    "extraVolumes": [{"name": "other", "secret": {"secretName": "other-cluster"}}],
    "extraVolumeMounts": [{"name": "other", "mountPath": "/etc/other", "readOnly": True}, {"name": "other", "mountPath": "/var/lib/edgetrust"}],
    "serviceAccount": {"create": True, "name": "voice-operator", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}},
    "rbac": {"create": True, "aggregate": True},
    "podLabels": {"mesh": "off"},
    "podAnnotations": {"note": "{{ not a template }}"},
    "podSecurity": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
    "resources": {"requests": {"cpu": None, "memory": "1.5Gi"}, "limits": {"cpu": 2, "memory": "2Gi"}},
    "probes": {"liveness": {"periodSeconds": 60, "timeoutSeconds": 30, "failureThreshold": 2}, "readiness": {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1}},
    "terminationGracePeriodSeconds": 300,
    "revisionHistoryLimit": 0,
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "voice", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"mesh": "off"}}}]}},
    "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"mesh": "off"}}}],
    "hostAliases": [{"ip": "10.0.0.5", "hostnames": ["edge01.example.com"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.53"]},
    "metrics": {"bindAddress": "::", "port": 65535, "service": {"annotations": {"prometheus.io/scrape": "true"}, "labels": {"scraped": "yes"}}},
    "http01": {
        "enabled": True,
        "bindAddress": "0.0.0.0",
        "port": 65534,
        "checkPort": 0,
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}, "labels": {"reached": "yes"}},
        "ingress": {"enabled": True, "className": "nginx", "hosts": ["edge01.example.com", "edge02.example.com"], "annotations": {"nginx.ingress.kubernetes.io/ssl-redirect": "false"}, "labels": {"reached": "yes"}},
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "http"}],
            "hostnames": ["edge03.example.com"],
            "annotations": {"a": "b"},
            "labels": {"reached": "yes"},
        },
    },
    "page": {"enabled": True, "port": 65533, "withoutNetworkPolicy": True, "hosts": ["edgetrust.example.com", "voice.example.com"], "service": {"annotations": {"a": "b"}, "labels": {"reached": "yes"}}},
    "networkPolicy": {
        "enabled": True,
        "pageFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        "http01From": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egress": [{"ports": [{"port": 443}, {"port": 53, "protocol": "UDP"}]}],
    },
    "podDisruptionBudget": {"enabled": True, "maxUnavailable": 2, "minAvailable": "50%"},
    "serviceMonitor": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "annotations": {"a": "b"},
        "interval": "15s",
        "scrapeTimeout": "5s",
        "relabelings": [{"action": "replace", "targetLabel": "cluster", "replacement": "lab"}],
        "metricRelabelings": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "edgetrust_queue_depth"}],
    },
    "prometheusRule": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "annotations": {"a": "b"},
        "alertLabels": {"team": "voice"},
        "disabled": ["EdgetrustUnmanagedEdges"],
        "runbooks": "https://docs.example.com/operations",
    },
    "admissionPolicies": {"enabled": True},
    "dashboards": {"enabled": True, "namespace": "voice-a", "labels": {"for": "grafana"}, "annotations": {"grafana_folder": "edgetrust"}},
    "global": {"of": "a parent chart"},
    "enabled": True,
}

# The least that the chart can be.
SMALLEST: Object = {
    "image": {"repository": "edgetrust"},
    "crds": {"install": False},
    "replicas": 1,
    "leaderElection": {"enabled": False},
    "rbac": {"create": False, "aggregate": False},
    "admissionPolicies": {"enabled": False},
    "serviceAccount": {"create": False},
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "topologySpreadConstraints": [],
    "resources": {"requests": {"cpu": None, "memory": None}, "limits": {"memory": None}},
}
