"""Each value of the chart, and where its effect is seen in what is rendered. One that has none fails, and so does one that has no line here."""

import copy
import unittest
from collections.abc import Callable
from typing import Any

import yaml

from helm import CHART, EXTREME, IMAGE, SMALLEST, Object, leaves, objects, of_kind, template

Found = list[Object]
Look = Callable[[Found], Any]

# Every section, with its defaults; and what the others leave at its default, or set beside what outdoes it.
SWITCHED_ON: Object = {
    "image": {"repository": "edgetrust", "tag": "1.2.3"},
    "extraArgs": ["--later=a: b"],
    "http01": {"enabled": True, "ingress": {"enabled": True}, "httpRoute": {"enabled": True, "parentRefs": [{"name": "other"}]}},
    "page": {"enabled": True, "hosts": ["edgetrust.example.org"]},
    "podDisruptionBudget": {"maxUnavailable": "25%"},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "dashboards": {"enabled": True},
}
GIVEN = (IMAGE, EXTREME, SMALLEST, SWITCHED_ON, IMAGE | {"http01": {"enabled": True}})
DEFAULTS: Object = yaml.safe_load((CHART / "values.yaml").read_text())
VERSION: str = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]

# It lets a value be refused or taken, and that is tested where others are.
NOT_RENDERED = {"page.withoutNetworkPolicy"}
# One that does not count where another is set.
OUTDONE = {"image.tag": "image.digest", "podDisruptionBudget.maxUnavailable": "podDisruptionBudget.minAvailable"}
NAME_LENGTH = 46  # a longer fullnameOverride is cut


# --- how to look


def dig(inside: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(inside, list):
            inside = inside[int(name)] if int(name) < len(inside) else None
        elif isinstance(inside, dict):
            inside = inside.get(name)
    return inside


def at(kind: str, path: str, ending: str = "") -> Look:
    """What the first object of that kind, whose name ends so, has there."""
    return lambda found: next((dig(one, path) for one in of_kind(found, kind) if one["metadata"]["name"].endswith(ending)), None)


def pod(path: str) -> Look:
    return at("Deployment", f"spec.template.spec.{path}")


def container(path: str) -> Look:
    return pod(f"containers.0.{path}")


def made(kind: str, ending: str = "") -> Look:
    """Whether there is one."""
    return lambda found: at(kind, "kind", ending)(found) is not None


def arguments(found: Found, flag: str) -> list[str]:
    """What stands after the flag, each time."""
    return [argument.removeprefix(f"--{flag}=") for argument in container("args")(found) if argument.startswith(f"--{flag}=")]


def flag(name: str) -> Look:
    def look(found: Found) -> Any:
        text = next(iter(arguments(found, name)), "")
        return int(text) if text.isdigit() else text

    return look


def flag_with_list(name: str) -> Look:
    return lambda found: [part for text in arguments(found, name) for part in text.split(",")]


def endpoints(found: Found) -> Object:
    return dict(argument.split("=", 1) for argument in arguments(found, "dns-endpoint"))


def empty_is(default: Any, look: Look) -> Look:
    """An empty value stands for `default`."""
    return lambda found: None if (seen := look(found)) == default else seen


def labels_of_all(found: Found) -> Object:
    return dict(set.intersection(*(set(one["metadata"]["labels"].items()) for one in found)))


def name_of_chart(found: Found) -> str:
    return str(at("Deployment", "spec.selector.matchLabels")(found)["app.kubernetes.io/name"])


def image(part: str) -> Look:
    def look(found: Found) -> str:
        rest, _, digest = container("image")(found).partition("@")
        repository, tag = (rest, "") if digest else rest.rsplit(":", 1)
        return str({"repository": repository, "tag": tag, "digest": digest}[part])

    return look


def constraints(found: Found) -> list[Object]:
    """Without the selector that one gets that has none."""
    ours = at("Deployment", "spec.selector")(found)
    return [{name: value for name, value in one.items() if (name, value) != ("labelSelector", ours)} for one in pod("topologySpreadConstraints")(found) or []]


def alerts(found: Found) -> list[Object]:
    return [rule for group in at("PrometheusRule", "spec.groups")(found) for rule in group["rules"] if "alert" in rule]


def disabled(found: Found) -> list[str]:
    (written,) = objects((CHART / "files" / "alerts.yaml").read_text())
    there = {alert["alert"] for alert in alerts(found)}
    return [rule["alert"] for group in written["groups"] for rule in group["rules"] if rule.get("alert", "") not in there | {""}]


def runbooks(found: Found) -> str:
    (page,) = {alert["annotations"].get("runbook_url", "").split("#")[0] for alert in alerts(found)}
    return str(page)


# The value as the render shows it.
SEEN: dict[str, Look] = {
    "image.repository": image("repository"),
    "image.tag": empty_is(VERSION, image("tag")),
    "image.digest": image("digest"),
    "image.pullPolicy": container("imagePullPolicy"),
    "imagePullSecrets": pod("imagePullSecrets"),
    "nameOverride": empty_is("edgetrust", name_of_chart),
    "fullnameOverride": empty_is("edgetrust", at("Deployment", "metadata.name")),
    "commonLabels": labels_of_all,
    "crds.install": made("CustomResourceDefinition"),
    "watchNamespaces": empty_is(["edgetrust"], flag_with_list("namespaces")),
    "replicas": at("Deployment", "spec.replicas"),
    "leaderElection.enabled": lambda found: "--leader-elect" in container("args")(found),
    "leaderElection.namespace": empty_is("edgetrust", flag("leader-elect-namespace")),
    "workers": flag("workers"),
    "logLevel": flag("log-level"),
    "kubeApi.qps": flag("kube-qps"),
    "kubeApi.burst": flag("kube-burst"),
    "kubeApi.kubeconfig": flag("kubeconfig"),
    "kubeApi.context": flag("context"),
    "dns.endpoints": endpoints,
    "dns.caFile": flag("dns-ca-file"),
    "audit.log": flag("audit-log"),
    "audit.sink.url": flag("audit-sink"),
    "audit.sink.keyFile": flag("audit-sink-key-file"),
    "audit.sink.caFile": flag("audit-sink-ca-file"),
    "extraArgs": lambda found: [argument for argument in container("args")(found) if argument.startswith("--later")],
    "extraEnv": container("env"),
    "extraVolumes": pod("volumes"),
    "extraVolumeMounts": container("volumeMounts"),
    "serviceAccount.create": made("ServiceAccount"),
    "serviceAccount.name": empty_is("edgetrust", at("ServiceAccount", "metadata.name")),
    "serviceAccount.annotations": at("ServiceAccount", "metadata.annotations"),
    "rbac.create": made("Role"),
    "rbac.aggregate": made("ClusterRole", "-view"),
    "admissionPolicies.enabled": made("ValidatingAdmissionPolicy"),
    "podLabels": at("Deployment", "spec.template.metadata.labels"),
    "podAnnotations": at("Deployment", "spec.template.metadata.annotations"),
    **{f"podSecurity.{name}": pod(f"securityContext.{name}") for name in ("runAsUser", "runAsGroup", "fsGroup")},
    **{f"resources.{part}": container(f"resources.{part}") for part in ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")},
    **{f"probes.{probe}.{name}": container(f"{probe}Probe.{name}") for probe in ("liveness", "readiness") for name in ("periodSeconds", "timeoutSeconds", "failureThreshold")},
    "terminationGracePeriodSeconds": pod("terminationGracePeriodSeconds"),
    "revisionHistoryLimit": at("Deployment", "spec.revisionHistoryLimit"),
    "priorityClassName": pod("priorityClassName"),
    "nodeSelector": pod("nodeSelector"),
    "tolerations": pod("tolerations"),
    "affinity": pod("affinity"),
    "topologySpreadConstraints": constraints,
    "hostAliases": pod("hostAliases"),
    "dnsPolicy": pod("dnsPolicy"),
    "dnsConfig": pod("dnsConfig"),
    "metrics.bindAddress": flag("bind-address"),
    "metrics.port": flag("port"),
    "http01.enabled": made("Service", "-http01"),
    "http01.bindAddress": flag("http01-bind-address"),
    "http01.port": flag("http01-port"),
    "http01.checkPort": flag("http01-check-port"),
    "http01.service.type": at("Service", "spec.type", "-http01"),
    "http01.ingress.enabled": made("Ingress"),
    "http01.ingress.className": at("Ingress", "spec.ingressClassName"),
    "http01.ingress.hosts": lambda found: [rule["host"] for rule in at("Ingress", "spec.rules")(found) if "host" in rule],
    "http01.httpRoute.enabled": made("HTTPRoute"),
    "http01.httpRoute.parentRefs": at("HTTPRoute", "spec.parentRefs"),
    "http01.httpRoute.hostnames": at("HTTPRoute", "spec.hostnames"),
    "page.enabled": lambda found: bool(arguments(found, "page-port")),
    "page.port": flag("page-port"),
    "page.hosts": flag_with_list("page-hosts"),
    "networkPolicy.enabled": made("NetworkPolicy"),
    "networkPolicy.metricsFrom": at("NetworkPolicy", "spec.ingress.0.from"),
    "networkPolicy.http01From": at("NetworkPolicy", "spec.ingress.1.from"),
    "networkPolicy.pageFrom": at("NetworkPolicy", "spec.ingress.2.from"),
    "networkPolicy.egress": at("NetworkPolicy", "spec.egress"),
    "podDisruptionBudget.enabled": made("PodDisruptionBudget"),
    "podDisruptionBudget.maxUnavailable": at("PodDisruptionBudget", "spec.maxUnavailable"),
    "podDisruptionBudget.minAvailable": at("PodDisruptionBudget", "spec.minAvailable"),
    "serviceMonitor.enabled": made("ServiceMonitor"),
    **{f"serviceMonitor.{name}": at("ServiceMonitor", f"spec.endpoints.0.{name}") for name in ("interval", "scrapeTimeout", "relabelings", "metricRelabelings")},
    "prometheusRule.enabled": made("PrometheusRule"),
    "prometheusRule.alertLabels": lambda found: dict(set.intersection(*(set(alert["labels"].items()) for alert in alerts(found)))),
    "prometheusRule.disabled": disabled,
    "prometheusRule.runbooks": runbooks,
    "dashboards.enabled": made("ConfigMap"),
    "dashboards.namespace": empty_is("edgetrust", at("ConfigMap", "metadata.namespace")),
    **{
        f"{section}.{name}": at(kind, f"metadata.{name}", ending)
        for name in ("labels", "annotations")
        for section, kind, ending in (
            ("metrics.service", "Service", "-metrics"),
            ("http01.service", "Service", "-http01"),
            ("http01.ingress", "Ingress", ""),
            ("http01.httpRoute", "HTTPRoute", ""),
            ("page.service", "Service", "-page"),
            ("serviceMonitor", "ServiceMonitor", ""),
            ("prometheusRule", "PrometheusRule", ""),
            ("dashboards", "ConfigMap", ""),
        )
    },
}


# --- what to compare it with


def over(defaults: Object, given: Object) -> Object:
    """As Helm puts values over defaults: maps are merged, and a null takes the default away."""
    merged = copy.deepcopy(defaults)
    for name, value in given.items():
        merged[name] = over(merged[name], value) if isinstance(value, dict) and isinstance(merged.get(name), dict) else value
    return merged


def counts(values: Object, path: str) -> bool:
    """No section around it is switched off, and nothing outdoes it."""
    names = path.split(".")
    sections = [".".join(names[:length]) for length in range(1, len(names))]
    off = [section for section in sections if dig(values, section).get("enabled") is False and path != f"{section}.enabled"]
    return not off and not (path in OUTDONE and dig(values, OUTDONE[path]))


def bare(value: Any) -> Any:
    return None if value in ("", [], {}) else value


class Values(unittest.TestCase):
    def test_no_value_is_forgotten(self) -> None:
        self.assertEqual(set(SEEN) | NOT_RENDERED, set(leaves()))

    def test_each_value_is_seen_where_it_belongs(self) -> None:
        renders = [(over(DEFAULTS, given), objects(template("helm4", given))) for given in GIVEN]
        for path, look in SEEN.items():
            with self.subTest(path):
                compared = [(bare(dig(values, path)), bare(look(found))) for values, found in renders if counts(values, path)]
                self.assertGreater(len({str(value) for value, _ in compared}), 1, "two different values of it, or the render could say always the same")
                # The chart has labels and annotations of its own beside these.
                members = {name for value, _ in compared if isinstance(value, dict) for name in value}
                for value, seen in compared:
                    if members:
                        seen = bare({name: of for name, of in (seen or {}).items() if name in members})
                    if path == "fullnameOverride":
                        value = value and value[:NAME_LENGTH].rstrip("-")
                    self.assertEqual(seen, value)


if __name__ == "__main__":
    unittest.main()
