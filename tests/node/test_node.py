"""A release on a real node: from `helm install` of a chart's version before, over an upgrade in mid-rotation, to `helm uninstall`. Started by `run`, through machine.py."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent / "integration" / "operator"))
import secrecy  # noqa: E402
from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for  # noqa: E402
from node import NODE_ADDRESS, NotPossible, orders, run, started  # noqa: E402
from simulator import Appliance  # noqa: E402

REPOSITORY, RELEASE, OF = "registry.invalid/edgetrust", "edgetrust", "edgetrust"
CHART = ROOT / "charts" / "edgetrust"
BEFORE = "0.0.9"  # the version that is upgraded from: this one under a lower number, as long as there is no other release
KINDS = sorted(file.name.removesuffix(".yaml") for file in (ROOT / "crds").glob("*.yaml"))  # plural and group


def kubectl(*arguments: str) -> str:
    return run("kubectl", *arguments)


def show(*arguments: str) -> None:
    """For the log of a run."""
    print(f"$ kubectl {' '.join(arguments)}\n{kubectl(*arguments)}", flush=True)


def items(what: str, namespace: str, *more: str) -> list[Any]:
    return json.loads(kubectl("get", what, f"--namespace={namespace}", "--output=json", *more))["items"]


class Release(OperatorTest):
    start_operator = False  # the node starts it
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"maxConcurrent": 3, "maxConcurrentPerSite": 3}}

    def setUp(self) -> None:
        self.node = started(self, REPOSITORY)
        self.digest = (Path(env("IMAGE")) / "digest").read_text().strip()
        self.node.ctr("images", "tag", f"{REPOSITORY}@{self.digest}", f"{REPOSITORY}:{BEFORE}")
        kubectl("create", "namespace", OF)
        kubectl("label", "namespace", OF, "pod-security.kubernetes.io/enforce=restricted")
        super().setUp()
        self.operator.log.touch()

    def service_account(self) -> str:
        return ""  # the chart makes it

    def prepare(self) -> None:
        """The release first: it brings the kinds of what stands in the namespace."""
        run("helm4", "package", CHART, f"--version={BEFORE}", f"--app-version={BEFORE}", f"--destination={self.folder}")
        values = {
            "image": {"repository": REPOSITORY, "pullPolicy": "Never"},
            "watchNamespaces": [self.namespace],
            "hostAliases": [{"ip": NODE_ADDRESS, "hostnames": ["pebble.test", "genesys.test"]}],
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": [NODE_ADDRESS]},
            "page": {"enabled": True},
        }
        given = self.folder / "values.json"
        given.write_text(json.dumps(values))
        self.helm("install", self.folder / f"edgetrust-{BEFORE}.tgz", f"--values={given}")
        super().prepare()

    # --- where the pods find the stack

    def addresses(self) -> dict[str, str]:
        if not hasattr(self, "found"):
            acme, api, login = (urlsplit(env(f"STACK_{name}")) for name in ("ACME_DIRECTORY", "GENESYS_API", "GENESYS_LOGIN"))
            for netloc in {acme.netloc, api.netloc, login.netloc}:
                self.node.reachable(netloc)
            self.found = {
                "acme": f"https://pebble.test:{acme.port}{acme.path}",
                "dns": self.node.reachable(env("STACK_DNS_ADDR"), "TCP", "UDP"),
                "api": f"https://genesys.test:{api.port}",
                "login": f"https://genesys.test:{login.port}",
            }
        return self.found

    def nameservers(self) -> list[str]:
        return [self.addresses()["dns"]]

    # --- the release

    def helm(self, command: str, chart: Path, *more: str) -> None:
        try:
            run("helm4", command, RELEASE, chart, f"--namespace={OF}", *more, "--wait", "--timeout=4m")
        except NotPossible as error:
            self.fail(f"{error}\n{kubectl('describe', 'pods', f'--namespace={OF}')}\n{self.said()}\n{self.node.said()}")

    def pods(self) -> list[Any]:
        """Those that are not about to end."""
        return [pod for pod in items("pods", OF) if "deletionTimestamp" not in pod["metadata"]]

    @staticmethod
    def log(pod: Any) -> str:
        """Whole; of a pod that is gone, nothing."""
        return subprocess.run(["kubectl", "logs", f"--namespace={OF}", pod["metadata"]["name"], "--tail=-1"], capture_output=True, text=True, check=False).stdout

    def logs(self) -> list[str]:
        return [self.log(pod) for pod in items("pods", OF)]

    def said(self) -> str:
        """For a failure: their last words."""
        return "\n".join(log[-6000:] for log in self.logs())

    def leader(self) -> str:
        return json.loads(kubectl("get", "lease", "edgetrust", f"--namespace={OF}", "--output=json"))["spec"].get("holderIdentity") or ""

    def reaches(self, name: str, phase: str, revision: int | None = None) -> Any:
        try:
            return self.wait_phase(name, phase, revision, seconds=240)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def is_serving(self, edges: list[Appliance], revision: int) -> None:
        """Each is Ready with it, and its Edge serves what the status names, pushed once for each revision."""
        for edge in edges:
            status = self.reaches(edge.name, "Ready", revision)
            self.assertEqual(self.live(edge), status["fingerprintSha256"])
            self.assertEqual(len(self.sim.upload_attempts(edge)), revision)

    def kept(self) -> dict[str, Any]:
        """The UIDs of all that must outlive a release, and what is in it: a spec, a hash of a Secret's data, who holds a slot of the budget. What is in a CRD is the chart's."""

        def content(one: Any) -> Any:
            match one["kind"]:
                case "CustomResourceDefinition":
                    return None
                case "Secret":
                    return hashlib.sha256(json.dumps(one.get("data"), sort_keys=True).encode()).hexdigest()
                case "Lease":
                    return one["spec"].get("holderIdentity")
                case _:
                    return one["spec"]

        found = items("crds", OF) + items(",".join(("secrets", "leases", *KINDS)), self.namespace)
        return {f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], content(one)) for one in found}

    # --- the story

    def test_from_the_first_install_to_the_last(self) -> None:
        first = self.pods()
        show("get", "nodes,pods", f"--namespace={OF}", "--output=wide")
        self.they_run_under_restricted(first)
        edges = self.sim.add_edges(3)
        for edge in edges:
            address, port = self.node.reachable(f"127.0.0.1:{edge.port}").split(":")
            self.make_edge(edge, sip={"host": address, "port": int(port)})
            self.make_certificate(edge)
        self.make("PinPolicy", "cloud", {"endpoint": {"host": "genesys.test"}, "edges": [edges[0].name], "pins": {"static": ["AA:" * 31 + "AA"]}})
        self.is_serving(edges, 1)
        show("get", "edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual(orders(), 3)
        self.assertIn(edges[0].name, kubectl("exec", f"--namespace={OF}", f"deployment/{RELEASE}", "--", "edgetrust", "plan", "--until=90d", f"--namespaces={self.namespace}"))

        self.the_page_is_reached_by_port_forward_alone([edge.name for edge in edges])

        self.it_is_upgraded_in_mid_rotation(first, *edges)

        log = "\n".join(self.logs())
        self.assertIn('"msg":"leading"', log)
        self.assertEqual(secrecy.leaks(secrecy.of_secrets(self.kube.list("Secret", self.namespace)), {"log": log}), [])

        before, served = self.kept(), [self.live(edge) for edge in edges]
        self.assertLessEqual({f"Secret/{edge.name}-tls" for edge in edges}, set(before))
        run("helm4", "uninstall", RELEASE, f"--namespace={OF}", "--wait")
        wait_for("the pods are gone", lambda: items("pods", OF) == [], 90)
        show("get", "crds,secrets,edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual(self.kept(), before)
        self.assertEqual([self.live(edge) for edge in edges], served, "the Edges keep what they serve")

    def it_is_upgraded_in_mid_rotation(self, first: list[Any], quiet: Appliance, watched: Appliance, ordering: Appliance) -> None:
        """One certificate is Ready, one is watched on its Edge for longer than the story lasts, and the order of one waits for a record that the zone refuses."""
        # What a busy machine answers late is no sign of a bad certificate here.
        self.kube.patch("EdgeCertificate", self.namespace, watched.name, {"spec": {"rotation": {"observe": PATIENT | {"period": "24h", "failAfter": 20}}}})
        self.renew(watched.name)
        self.reaches(watched.name, "Observing")
        wait_for("its Edge serves again", lambda: self.live(watched))
        right = self.kube.get("Secret", self.namespace, "dns-tsig")["data"]["tsig"]
        self.tsig(base64.b64encode(base64.b64encode(b"of another key")).decode())
        # One name more, for what the CA has seen proved it need not see again.
        self.kube.patch("EdgeCertificate", self.namespace, ordering.name, {"spec": {"dnsNames": [ordering.host, f"also.{ordering.host}"]}})
        wait_for("its order waits", lambda: self.condition(self.certificate(ordering.name), "Reconciling").get("reason") == "DnsCredentialsRefused", 120)
        show("get", "edgecertificates", f"--namespace={self.namespace}")
        before = self.amid(watched, ordering)
        self.assertEqual({crd["spec"]["names"]["kind"] for crd in items("crds", OF)} - {name.split("/")[0] for name in before["kept"]}, set(), "each kind is compared")
        self.assertEqual((before["orders"], before["uploads"], before["phases"]), (5, 2, ["Observing", "Issuing"]))

        pods = self.it_rolls_to_the_digest(first)
        show("get", "pods", f"--namespace={OF}", "--output=custom-columns=NAME:.metadata.name,READY:.status.containerStatuses[*].ready,IMAGE:.spec.containers[*].image")
        wait_for("the new pods work on both", lambda: self.worked_on(pods) >= {watched.name, ordering.name}, 90)
        self.assertEqual(self.amid(watched, ordering), before)

        self.kube.patch("EdgeCertificate", self.namespace, watched.name, {"spec": {"rotation": None}})
        self.tsig(right)
        self.is_serving([watched, ordering], 2)
        self.assertEqual(orders(), 5, "the order that was open is the one that was finished")
        # The new operator orders too, and that is counted.
        self.renew(quiet.name)
        self.is_serving([quiet], 2)
        show("get", "edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual(orders(), 6)

    def tsig(self, key: str) -> None:
        """By which the operator writes into the zone."""
        self.kube.patch("Secret", self.namespace, "dns-tsig", {"data": {"tsig": key}})

    def amid(self, watched: Appliance, ordering: Appliance) -> dict[str, Any]:
        """What an upgrade leaves as it is."""
        statuses = [self.status(edge.name) for edge in (watched, ordering)]
        return {
            "kept": self.kept(),
            "phases": [status["phase"] for status in statuses],
            "delivery": statuses[0]["delivery"],
            "order": statuses[1]["order"]["url"],
            "orders": orders(),
            "uploads": len(self.sim.upload_attempts(watched)),
            "served": self.live(watched),
        }

    def worked_on(self, pods: list[Any]) -> set[str]:
        """The EdgeCertificates on which these pods have spent an effect: whichever leads, for on a busy machine the lead changes hands."""
        lines = [json.loads(line) for pod in pods for line in self.log(pod).splitlines() if line.startswith("{")]
        return {line["name"] for line in lines if line.get("kind") == "EdgeCertificate" and line.get("effect")}

    def they_run_under_restricted(self, pods: list[Any]) -> None:
        self.assertEqual(len(pods), 2)
        for pod in pods:
            (status,) = pod["status"]["containerStatuses"]
            self.assertTrue(status["ready"])
            self.assertEqual(status["restartCount"], 0)
            self.assertRegex(kubectl("exec", f"--namespace={OF}", pod["metadata"]["name"], "--", "edgetrust", "--version"), r"^edgetrust \d")
        # A pod that is not restricted is refused here, so theirs are.
        with self.assertRaisesRegex(NotPossible, "violates PodSecurity"):
            kubectl("run", "stray", f"--namespace={OF}", "--image=edgetrust.invalid/pause:1", "--image-pull-policy=Never")
        for process in self.processes():
            self.assertEqual(process["Uid"], 4 * ["65532"])
            self.assertEqual((process["CapEff"], process["NoNewPrivs"], process["Seccomp"]), (["0000000000000000"], ["1"], ["2"]))

    def processes(self) -> list[dict[str, list[str]]]:
        """What the kernel says of the operators' processes, which have this one's /proc above them."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "exe").readlink() == Path("/usr/bin/edgetrust"):
                    found.append({line.split(":")[0]: line.split()[1:] for line in (folder / "status").read_text().splitlines()})
                    root = next(line.split() for line in (folder / "mountinfo").read_text().splitlines() if line.split()[4] == "/")
                    self.assertIn("ro", root[5].split(","), "the root is read-only")
            except OSError:
                continue  # it ended
        self.assertEqual(len(found), 2)
        return found

    def the_page_is_reached_by_port_forward_alone(self, names: list[str]) -> None:
        forward = subprocess.Popen(["kubectl", "port-forward", f"--namespace={OF}", f"deployment/{RELEASE}", ":8082"], stdout=subprocess.PIPE, text=True)
        try:
            assert forward.stdout is not None
            said = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
            self.assertIsNotNone(said)
            with urllib.request.urlopen(f"http://localhost:{said[1]}/fleet.json", timeout=10) as answer:
                self.assertEqual({one["name"]: one["phase"] for one in json.loads(answer.read())["items"]}, dict.fromkeys(names, "Ready"))
        finally:
            forward.terminate()
            forward.communicate()
        for pod in self.pods():
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((pod["status"]["podIP"], 8082), 10).close()

    def it_rolls_to_the_digest(self, before: list[Any]) -> list[Any]:
        """This version of the chart, and the image by its digest, as upgrade.md has it: other pods, one after the other, and one of the new leads."""
        self.assertEqual({pod["spec"]["containers"][0]["image"] for pod in before}, {f"{REPOSITORY}:{BEFORE}"})
        self.helm("upgrade", CHART, "--reset-then-reuse-values", f"--set=image.digest={self.digest}")
        names = {pod["metadata"]["name"] for pod in before}
        wait_for("the old pods are gone", lambda: not names & {pod["metadata"]["name"] for pod in items("pods", OF)}, 90)
        pods = self.pods()
        for pod in pods:
            self.assertEqual(pod["spec"]["containers"][0]["image"], f"{REPOSITORY}@{self.digest}")
            self.assertEqual(pod["status"]["containerStatuses"][0]["restartCount"], 0)
        wait_for("one of the new leads", lambda: any(pod["metadata"]["name"] in self.leader() for pod in pods), 60)
        return pods


if __name__ == "__main__":
    unittest.main()
