"""Git is applied, the operator works, Git is applied again: nothing differs. The samples, as a Kustomize overlay, on the real API server and with the operator itself."""

import json
import os
import subprocess
import unittest
from pathlib import Path
from typing import Any

from health import ROOT, IN_ARGO_CD, Object, condition, judged  # puts the other folders on the path

from demo import placed
from harness import API, OperatorTest, env, wait_for
from helm import objects
from kube import PLURALS

MANAGER = "kubectl"  # the field manager of kubectl's server-side apply


def kubectl(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, check=False)


def built(folder: str) -> list[Object]:
    """A folder of manifests/, by Kustomize."""
    done = kubectl("kustomize", str(ROOT / "manifests" / folder))
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


class Overlays(unittest.TestCase):
    def test_each_is_the_whole_fleet_and_is_accepted(self) -> None:
        base = [(one["kind"], one["metadata"]["name"]) for one in built("samples")]
        self.assertEqual({kind for kind, _ in base}, set(PLURALS))
        for name, namespace in (("lab", "voice-lab"), ("production", "voice")):
            with self.subTest(name):
                fleet = built(f"overlays/{name}")
                self.assertEqual(sorted((one["kind"], one["metadata"]["name"]) for one in fleet), sorted(base))
                self.assertEqual({one["metadata"]["namespace"] for one in fleet}, {namespace})
                for one in fleet:
                    one["metadata"]["namespace"] = "default"  # for theirs need not exist here
                done = kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": fleet}))
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_hands_the_fleet_to_a_gitops_tool_fits_its_crds(self) -> None:
        for tool, file in (("argocd", "applications.yaml"), ("flux", "fleet.yaml")):
            given = objects((ROOT / "manifests" / tool / file).read_text())
            for one in given:
                path = one["spec"].get("path") or one["spec"].get("source", {}).get("path")
                if path is not None:
                    self.assertTrue((ROOT / path).is_dir(), path)
                one["metadata"]["namespace"] = "default"
            with self.subTest(tool):
                done = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": given}))
                self.assertEqual(done.returncode, 0, done.stderr)

    @classmethod
    def setUpClass(cls) -> None:
        for kinds in ("applications", "kustomizations", "gitrepositories"):
            file = next(str(at) for folder in os.environ["PATH"].split(os.pathsep) if (at := Path(folder) / f"{kinds}.yaml").is_file())
            done = kubectl("apply", "--server-side", "-f", file)
            assert done.returncode == 0, done.stderr
            wait_for(f"{kinds} are established", lambda file=file: kubectl("wait", "--for=condition=established", "--timeout=1s", "-f", file).returncode == 0)


class Drift(OperatorTest):
    start_operator = False

    def prepare(self) -> None:
        self.secret("genesys-oauth", {"clientId": env("STACK_GENESYS_CLIENT_ID"), "clientSecret": env("STACK_GENESYS_CLIENT_SECRET")})
        self.secret("dns-tsig", {"tsig": env("STACK_DNS_TSIG_SECRET")})
        self.secret("stack-ca", {"ca.crt": self.trusted() + self.sim.call("GET", "/sim/v1/cloud")["caPem"]})

    def git(self) -> list[Object]:
        """The samples with the addresses of the local stack and Edges of this test's own."""
        fleet = built("samples")
        edges = [one for one in fleet if one["kind"] == "Edge"]
        appliances = dict(zip((one["metadata"]["name"] for one in edges), self.sim.add_edges(len(edges)), strict=True))
        for one in fleet:
            name = one["metadata"]["name"]
            placed(one, {edge: appliance.port for edge, appliance in appliances.items()})
            one["metadata"]["namespace"] = self.namespace
            if one["kind"] == "Edge":
                one["spec"]["edgeId"] = appliances[name].id
            elif one["kind"] == "EdgeCertificate":
                one["spec"]["dnsNames"] = [appliances[name].host]
            elif one["kind"] == "GenesysConnection":
                one["spec"]["discovery"] = {"mode": "Disabled"}  # the simulator is everybody's
            elif one["kind"] == "PinPolicy":
                one["spec"]["pins"] = {"static": [self.sim.call("GET", "/sim/v1/cloud")["fingerprint"]]}
        return fleet

    def apply(self, fleet: list[Object]) -> None:
        done = kubectl("apply", "--server-side", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": fleet}))
        self.assertEqual(done.returncode, 0, done.stderr)

    def live(self) -> list[Object]:
        found = [{"apiVersion": API, "kind": kind} | one for kind in PLURALS for one in self.kube.list(kind, self.namespace)]
        return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))

    def all_are_healthy(self) -> None:
        unwell = lambda: [(one["kind"], one["status"]) for one in self.live() if judged([one]) != ["Current"]]
        try:
            wait_for("all of it is healthy", lambda: not unwell(), 90, 1.0)
        except AssertionError as error:
            raise AssertionError(f"{error}: {unwell()}") from None

    def no_drift(self, fleet: list[Object]) -> None:
        for how in ([], ["--server-side"]):
            done = kubectl("diff", *how, "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": fleet}))
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        before = {one["metadata"]["uid"]: (one["metadata"]["generation"], one["spec"]) for one in self.live()}
        self.apply(fleet)
        self.assertEqual({one["metadata"]["uid"]: (one["metadata"]["generation"], one["spec"]) for one in self.live()}, before)

    def nobody_else_writes_a_spec(self) -> None:
        for one in self.live():
            owners = {entry["manager"] for entry in one["metadata"]["managedFields"] if "f:spec" in entry.get("fieldsV1", {})}
            self.assertEqual(owners, {MANAGER}, one["metadata"]["name"])
            self.assertEqual(set(one["metadata"].get("labels", {})) | set(one["metadata"].get("annotations", {})), set(), "the operator adds neither")

    def seen_as(self, name: str, verdict: str) -> Any:
        """The EdgeCertificate, once both tools see it so."""
        return wait_for(f"{name} is {verdict} or {IN_ARGO_CD[verdict]}", lambda: judged([one := {"apiVersion": API, "kind": "EdgeCertificate"} | self.certificate(name)]) == [verdict] and one, 60)

    def test_git_and_the_cluster_agree_whatever_the_operator_does(self) -> None:
        fleet = self.git()
        self.apply(fleet)
        self.assertEqual(set(judged(self.live())), {"InProgress"}, "nobody has looked at anything yet")
        self.no_drift(fleet)

        self.operator.start()
        names = [one["metadata"]["name"] for one in fleet if one["kind"] == "EdgeCertificate"]
        for name in names:
            self.wait_phase(name, "Ready", 1, 150)
        self.all_are_healthy()
        self.no_drift(fleet)
        self.nobody_else_writes_a_spec()

        # A change in Git: approvals. What waits for one is healthy, for what is live is good.
        (policy,) = [one for one in fleet if one["kind"] == "RotationPolicy"]
        policy["spec"]["approval"] = {"required": True}
        self.apply(fleet)
        self.renew(names[0])
        self.wait_phase(names[0], "AwaitingApproval", 1)
        self.assertEqual(condition(self.seen_as(names[0], "Current"), "Ready"), "True")
        # Another: one is suspended, which is a person's decision that somebody waits for.
        for one in fleet:
            if one["metadata"]["name"] == names[1] and one["kind"] == "EdgeCertificate":
                one["spec"]["suspend"] = True
        self.apply(fleet)
        self.assertEqual(self.seen_as(names[1], "Failed")["status"]["phase"], "Held")
        self.no_drift(fleet)


if __name__ == "__main__":
    unittest.main()
