"""A release on a real node: from `helm install` of the built image to `helm uninstall`, with one EdgeCertificate in between. Started by `run`, through machine.py."""

from __future__ import annotations

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
from harness import OperatorTest, env, wait_for  # noqa: E402
from node import NODE_ADDRESS, NotPossible, orders, run, started  # noqa: E402

REPOSITORY, RELEASE, OF = "registry.invalid/edgetrust", "edgetrust", "edgetrust"
KINDS = ("edgecertificates", "edges", "rotationpolicies", "acmeissuers", "genesysconnections", "pinpolicies")


def kubectl(*arguments: str) -> str:
    return run("kubectl", *arguments)


def show(*arguments: str) -> None:
    """For the log of a run."""
    print(f"$ kubectl {' '.join(arguments)}\n{kubectl(*arguments)}", flush=True)


def items(what: str, namespace: str, *more: str) -> list[Any]:
    return json.loads(kubectl("get", what, f"--namespace={namespace}", "--output=json", *more))["items"]


class Release(OperatorTest):
    start_operator = False  # the node starts it

    def setUp(self) -> None:
        self.node = started(self, REPOSITORY)
        self.digest = (Path(env("IMAGE")) / "digest").read_text().strip()
        kubectl("create", "namespace", OF)
        kubectl("label", "namespace", OF, "pod-security.kubernetes.io/enforce=restricted")
        super().setUp()
        self.operator.log.touch()

    def service_account(self) -> str:
        return ""  # the chart makes it

    def prepare(self) -> None:
        """The release first: it brings the kinds of what stands in the namespace."""
        self.helm("install")
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

    def helm(self, command: str, **image: str) -> None:
        values = {
            "image": {"repository": REPOSITORY, "pullPolicy": "Never", **image},
            "watchNamespaces": [self.namespace],
            "hostAliases": [{"ip": NODE_ADDRESS, "hostnames": ["pebble.test", "genesys.test"]}],
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": [NODE_ADDRESS]},
            "page": {"enabled": True},
        }
        given = self.folder / "values.json"
        given.write_text(json.dumps(values))
        try:
            run("helm4", command, RELEASE, str(ROOT / "charts" / "edgetrust"), f"--namespace={OF}", f"--values={given}", "--wait", "--timeout=4m")
        except NotPossible as error:
            self.fail(f"{error}\n{kubectl('describe', 'pods', f'--namespace={OF}')}\n{self.said()}\n{self.node.said()}")

    def pods(self) -> list[Any]:
        """Those that are not about to end."""
        return [pod for pod in items("pods", OF) if "deletionTimestamp" not in pod["metadata"]]

    @staticmethod
    def logs() -> list[str]:
        """The pods', whole."""
        return [subprocess.run(["kubectl", "logs", f"--namespace={OF}", pod["metadata"]["name"], "--tail=-1"], capture_output=True, text=True, check=False).stdout for pod in items("pods", OF)]

    def said(self) -> str:
        """For a failure: their last words."""
        return "\n".join(log[-6000:] for log in self.logs())

    def leader(self) -> str:
        return json.loads(kubectl("get", "lease", "edgetrust", f"--namespace={OF}", "--output=json"))["spec"].get("holderIdentity") or ""

    def ready(self, name: str, revision: int) -> Any:
        try:
            return self.wait_phase(name, "Ready", revision, seconds=240)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def kept(self) -> dict[str, str]:
        """UIDs of all that must outlive the release."""
        found = items("crds", OF) + items("secrets", self.namespace) + items(",".join(KINDS), self.namespace)
        return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in found}

    # --- the story

    def test_from_the_first_install_to_the_last(self) -> None:
        first = self.pods()
        show("get", "nodes,pods", f"--namespace={OF}", "--output=wide")
        self.they_run_under_restricted(first)
        edge = self.sim.add_edges(1)[0]
        address, port = self.node.reachable(f"127.0.0.1:{edge.port}").split(":")
        self.make_edge(edge, sip={"host": address, "port": int(port)})
        name = self.make_certificate(edge)
        self.make("PinPolicy", "cloud", {"endpoint": {"host": "genesys.test"}, "edges": [edge.name], "pins": {"static": ["AA:" * 31 + "AA"]}})
        status = self.ready(name, 1)
        show("get", "edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual(self.live(edge), status["fingerprintSha256"], "the Edge serves what the status names")
        self.assertEqual(orders(), 1)
        self.assertIn(edge.name, kubectl("exec", f"--namespace={OF}", f"deployment/{RELEASE}", "--", "edgetrust", "plan", "--until=90d", f"--namespaces={self.namespace}"))

        self.the_page_is_reached_by_port_forward_alone(name)

        self.it_rolls_to_the_digest(first)
        show("get", "pods", f"--namespace={OF}", "--output=custom-columns=NAME:.metadata.name,READY:.status.containerStatuses[*].ready,IMAGE:.spec.containers[*].image")
        self.assertEqual((self.status(name)["revision"], self.live(edge), orders()), (1, status["fingerprintSha256"], 1), "nothing was ordered again")
        # The new operator works, and an order of its would have been seen.
        self.renew(name)
        renewed = self.ready(name, 2)
        show("get", "edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual((self.live(edge), orders()), (renewed["fingerprintSha256"], 2))

        log = "\n".join(self.logs())
        self.assertIn('"msg":"leading"', log)
        self.assertEqual(secrecy.leaks(secrecy.of_secrets(self.kube.list("Secret", self.namespace)), {"log": log}), [])

        before = self.kept()
        self.assertLessEqual({"EdgeCertificate/" + name, "PinPolicy/cloud", f"Secret/{name}-tls", "CustomResourceDefinition/edgecertificates.edgetrust.io"}, set(before))
        run("helm4", "uninstall", RELEASE, f"--namespace={OF}", "--wait")
        wait_for("the pods are gone", lambda: items("pods", OF) == [], 90)
        show("get", "crds,secrets,edgecertificates", f"--namespace={self.namespace}")
        self.assertEqual(self.kept(), before)
        self.assertEqual(self.live(edge), renewed["fingerprintSha256"], "the Edge keeps what it serves")

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

    def the_page_is_reached_by_port_forward_alone(self, name: str) -> None:
        forward = subprocess.Popen(["kubectl", "port-forward", f"--namespace={OF}", f"deployment/{RELEASE}", ":8082"], stdout=subprocess.PIPE, text=True)
        try:
            assert forward.stdout is not None
            said = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
            self.assertIsNotNone(said)
            with urllib.request.urlopen(f"http://localhost:{said[1]}/fleet.json", timeout=10) as answer:
                self.assertEqual([(one["name"], one["phase"]) for one in json.loads(answer.read())["items"]], [(name, "Ready")])
        finally:
            forward.terminate()
            forward.communicate()
        for pod in self.pods():
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((pod["status"]["podIP"], 8082), 10).close()

    def it_rolls_to_the_digest(self, before: list[Any]) -> None:
        """The same image by its digest: other pods, one after the other, and the new ones lead."""
        self.helm("upgrade", digest=self.digest)
        names = {pod["metadata"]["name"] for pod in before}
        wait_for("the old pods are gone", lambda: not names & {pod["metadata"]["name"] for pod in items("pods", OF)}, 90)
        pods = self.pods()
        for pod in pods:
            self.assertEqual(pod["spec"]["containers"][0]["image"], f"{REPOSITORY}@{self.digest}")
            self.assertEqual(pod["status"]["containerStatuses"][0]["restartCount"], 0)
        wait_for("one of the new leads", lambda: any(pod["metadata"]["name"] in self.leader() for pod in pods), 60)


if __name__ == "__main__":
    unittest.main()
