"""The life of a release, told on an API server of its own by test_release.py. HELM names the Helm, EDGETRUST the operator's program."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helm import CHART, EXTREME, IMAGE, ROOT, SMALLEST, Object, objects, of_kind, run, template

HELM = os.environ["HELM"]
RELEASE = "edgetrust"
OF_OTHERS = ("servicemonitors.yaml", "prometheusrules.yaml", "httproutes.yaml")  # CRDs
CRDS = [crd for file in sorted((ROOT / "crds").glob("*.yaml")) for crd in objects(file.read_text())]
KINDS = [crd["spec"]["names"]["plural"] for crd in CRDS]
WATCHING = IMAGE | {"watchNamespaces": ["voice-a", "voice-b"]}


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    return run("kubectl", *arguments, stdin=stdin)


def on_path(name: str) -> str:
    for folder in os.environ["PATH"].split(os.pathsep):
        if (Path(folder) / name).is_file():
            return str(Path(folder) / name)
    raise AssertionError(f"{name} is not among the stack's tools")


def create(*things: Object, dry_run: str = "none") -> None:
    kubectl("create", f"--dry-run={dry_run}", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))


def named(kind: str, name: str, **metadata: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


def wait_for(what: str, check: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.2)
    return value


def helm(command: str, values: Object | None = None, *more: str, release: str = RELEASE, of: str = "edgetrust") -> str:
    chart = [] if values is None else [str(CHART), "--values", "-"]
    return run(HELM, command, release, *chart, "--namespace", of, *more, stdin=None if values is None else json.dumps(values))


def pod_like(manifest: Object, name: str) -> Object:
    """A pod as the Deployment's controller would make it."""
    made = copy.deepcopy(manifest["spec"]["template"])
    return {"apiVersion": "v1", "kind": "Pod", **made, "metadata": {**made["metadata"], "name": name, "namespace": manifest["metadata"]["namespace"]}}


def state() -> dict[str, str]:
    """UIDs of the CRDs, UID and version of all that is a user's or the operator's: nothing of it is the chart's to change."""
    found = json.loads(kubectl("get", ",".join(("crds", *KINDS, "secrets", "leases")), "-n", "voice-a", "-o", "json"))["items"]
    # A CRD's labels and annotations are Helm's to change.
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] + ("" if one["kind"] == "CustomResourceDefinition" else " " + one["metadata"]["resourceVersion"]) for one in found}


class Story(unittest.TestCase):
    def test_a_release_from_the_first_install_to_the_last(self) -> None:
        restricted = named("Namespace", "edgetrust", labels={"pod-security.kubernetes.io/enforce": "restricted"})
        create(restricted, named("Namespace", "voice-a"), named("Namespace", "voice-b"))
        self.the_api_server_takes_all_that_is_rendered()
        self.install_first()
        self.fleet_in_mid_rotation()
        self.pods_are_accepted_where_restricted_is_enforced()
        self.the_operator_runs_with_these_rights_and_arguments()
        self.before = state()
        kinds = {name.split("/")[0] for name in self.before}
        self.assertEqual(kinds, {"Secret", "Lease", "CustomResourceDefinition"} | {crd["spec"]["names"]["kind"] for crd in CRDS})
        self.upgrade()
        self.uninstall()
        self.install_again()
        self.another_name_is_refused_then_adopts()
        self.what_kubectl_applied_is_adopted()

    def nothing_was_touched(self) -> None:
        self.assertEqual(state(), self.before)

    def install_first(self) -> None:
        said = helm("install", WATCHING)
        self.assertIn("edgetrust plan --until 30d --namespaces voice-a,voice-b", said)
        self.assertIn("No image is published", said)
        kubectl("wait", "--for=condition=established", "--timeout=60s", *[f"crd/{kind}.edgetrust.io" for kind in KINDS])

    def fleet_in_mid_rotation(self) -> None:
        """The samples, an EdgeCertificate that is being delivered, and what the operator keeps beside it."""
        samples = [one for file in sorted((ROOT / "manifests" / "samples").glob("*.yaml")) for one in objects(file.read_text())]
        for sample in samples:
            sample["metadata"]["namespace"] = "voice-a"
        kept = {"app.kubernetes.io/managed-by": "edgetrust", "edgetrust.io/backup": "true"}
        secret = {"apiVersion": "v1", "kind": "Secret", "immutable": True, "metadata": {"name": "edge01-r7", "namespace": "voice-a", "labels": kept}, "stringData": {"tls.key": "kept"}}
        slot = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "slot-0", "namespace": "voice-a", "labels": {"edgetrust.io/slot": "a"}}, "spec": {"holderIdentity": "x/7"}}
        create(*samples, secret, slot)
        kubectl("patch", "ecert", "edge01", "-n", "voice-a", "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"phase": "Delivering", "revision": 7, "observedGeneration": 1}}))
        kubectl("patch", "ecert", "edge01", "-n", "voice-a", "--type=merge", "-p", json.dumps({"metadata": {"finalizers": ["edgetrust.io/cleanup"]}}))

    def the_api_server_takes_all_that_is_rendered(self) -> None:
        kubectl("create", *[argument for file in OF_OTHERS for argument in ("-f", on_path(file))])
        kubectl("wait", "--for=condition=established", "--timeout=60s", *[argument for file in OF_OTHERS for argument in ("-f", on_path(file))])
        for values in (IMAGE, EXTREME, SMALLEST):
            taken = kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-", stdin=template(HELM, values))
            self.assertEqual(len(taken.splitlines()), len(objects(template(HELM, values))), taken)
        install = (ROOT / "manifests" / "install.yaml").read_text()
        self.assertIn("deployment.apps/edgetrust", kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-", stdin=install))

    def pods_are_accepted_where_restricted_is_enforced(self) -> None:
        # The accounts of the extreme values, and of the smallest: no controller makes it here.
        create(*[named("ServiceAccount", account, namespace="edgetrust") for account in ("voice-operator", "default")])
        deployments = {name: of_kind(objects(template(HELM, values)), "Deployment")[0] for name, values in (("default", IMAGE), ("extreme", EXTREME), ("smallest", SMALLEST))}
        pods = [pod_like(deployment, name) for name, deployment in deployments.items()]
        create(*pods, dry_run="server")
        for pod in pods:
            del pod["spec"]["containers"][0]["securityContext"]["capabilities"]
        with self.assertRaises(AssertionError) as caught:
            create(*pods, dry_run="server")
        self.assertEqual(str(caught.exception).count("violates PodSecurity"), len(pods), caught.exception)

    def the_operator_runs_with_these_rights_and_arguments(self) -> None:
        """The program with the token of the release's account and the arguments of its Deployment, but for the address: ready, and leading."""
        deployment = json.loads(kubectl("get", "deployment", "edgetrust", "-n", "edgetrust", "-o", "json"))
        arguments = [one for one in deployment["spec"]["template"]["spec"]["containers"][0]["args"] if not one.startswith(("--bind-address=", "--port="))]
        self.assertIn("--leader-elect", arguments)
        with tempfile.TemporaryDirectory() as folder:
            kubeconfig, log = Path(folder) / "kubeconfig", Path(folder) / "log"
            run(str(ROOT / "tests" / "stack" / "stack.py"), "token", "edgetrust/edgetrust", "--kubeconfig", str(kubeconfig))
            # In the namespace without objects alone: the fleet of the other has no Edges, and stays as it is.
            arguments = [one.replace("=voice-a,", "=") for one in arguments]
            with log.open("wb") as file:
                program = subprocess.Popen([os.environ["EDGETRUST"], "--kubeconfig", str(kubeconfig), "--bind-address=127.0.0.1", "--port=0", *arguments], stdout=file, stderr=file)
            try:
                lines = lambda: [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
                leading = wait_for("it leads", lambda: program.poll() is not None or [line for line in lines() if line["msg"] == "leading"])
                self.assertTrue(leading is not True, log.read_text())
                port = next(line["port"] for line in lines() if line["msg"] == "started")
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                    self.assertEqual(answer.read(), b"ok\n")
                self.assertIn("edgetrust", kubectl("get", "leases", "-n", "edgetrust", "-o", "name"))
            finally:
                program.send_signal(signal.SIGTERM)
                self.assertEqual(program.wait(45), 0, log.read_text())

    def upgrade(self) -> None:
        less = IMAGE | {"watchNamespaces": ["voice-a"], "replicas": 1, "leaderElection": {"enabled": False}}
        helm("upgrade", less | {"commonLabels": {"team": "voice"}, "serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}})
        self.nothing_was_touched()
        deployment = json.loads(kubectl("get", "deployment", "edgetrust", "-n", "edgetrust", "-o", "json"))["spec"]
        self.assertEqual((deployment["replicas"], deployment["strategy"]), (1, {"type": "Recreate"}))
        self.assertEqual(kubectl("get", "roles", "-n", "voice-b", "-o", "name"), "")
        self.assertEqual(len(kubectl("get", "servicemonitors,prometheusrules", "-n", "edgetrust", "-o", "name").splitlines()), 2)
        helm("upgrade", WATCHING)
        self.nothing_was_touched()
        self.assertEqual(kubectl("get", "roles", "-n", "voice-b", "-o", "name"), "role.rbac.authorization.k8s.io/edgetrust\n")

    def uninstall(self, release: str = RELEASE, of: str = "edgetrust") -> None:
        helm("uninstall", release=release, of=of)
        left = kubectl("get", "deployments,services,networkpolicies,poddisruptionbudgets,roles,rolebindings", "-A", "-l", f"app.kubernetes.io/instance={release}", "-o", "name")
        self.assertEqual(left, "")
        self.nothing_was_touched()

    def install_again(self) -> None:
        helm("install", WATCHING)
        self.nothing_was_touched()
        self.uninstall()

    def another_name_is_refused_then_adopts(self) -> None:
        with self.assertRaisesRegex(AssertionError, "invalid ownership metadata"):
            helm("install", WATCHING, release="other")
        # As the chart's README has it.
        readme = (CHART / "README.md").read_text()
        marking = re.search(r"^  ```\n((?:  kubectl (?:label|annotate).*\n){2})  ```$", readme, re.M)
        assert marking is not None
        commands = marking.group(1).replace("release-name=edgetrust", "release-name=other").replace("release-namespace=edgetrust", "release-namespace=voice-b")
        run("bash", "-ec", commands)
        helm("install", WATCHING, release="other", of="voice-b")
        self.nothing_was_touched()
        self.uninstall("other", "voice-b")

    def what_kubectl_applied_is_adopted(self) -> None:
        crds = [f"crd/{kind}.edgetrust.io" for kind in KINDS]
        kubectl("annotate", *crds, "meta.helm.sh/release-name-", "meta.helm.sh/release-namespace-")
        kubectl("label", *crds, "app.kubernetes.io/managed-by-")
        kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
        with self.assertRaisesRegex(AssertionError, "invalid ownership metadata"):
            helm("install", WATCHING)
        helm("install", WATCHING | {"crds": {"install": False}})
        self.uninstall()
        # Helm 4 applies as kubectl did, and would stop at what is kubectl's.
        helm("install", WATCHING, "--take-ownership", *(["--force-conflicts"] if HELM == "helm4" else []))
        self.nothing_was_touched()
        self.uninstall()
