"""Every state in which the engines leave an object, as Flux and Argo CD see it. The states are those of the simulation, which writes them down (tests/simulation/states.hpp)."""

import copy
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from health import ROOT, Object, condition, judged

import yaml  # as the chart's tests read it

# What takes seconds and shows no state that the others do not.
LEFT_OUT = "-Scripts.*:IdleCost.*:*Crash*:*Thousand*:*BothAway*:RenewalInfo.AReplacement*:Limits.AnOutage*:*SavesLater*:*WhileTheOperatorIsDown*:Drain.AnEdgeThatDoesNotComeBack*"
UNDER_WAY = {"Pending", "Issuing", "Draining", "Delivering", "Observing", "RollingBack"}
# No state of the simulation: test_drift.py has it from the operator itself.
NOT_SIMULATED = {"AwaitingApproval"}


def crds() -> dict[str, Object]:
    """The schema of each kind."""
    found = [yaml.safe_load(file.read_text()) for file in sorted((ROOT / "crds").glob("*.yaml"))]
    return {crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for crd in found}


class States(unittest.TestCase):
    states: list[Object]
    verdicts: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([os.environ["SIMULATION"], f"--gtest_filter={LEFT_OUT}"], env=os.environ | {"STATES": folder}, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-4000:]
            cls.states = []
            for file in sorted(Path(folder).iterdir()):
                read = json.loads(file.read_text())
                one = read["object"] | {"status": read["status"]}
                one["metadata"]["generation"] = read["generation"]
                cls.states.append(one)
        cls.verdicts = judged(cls.states)

    def each(self, kind: str = "") -> list[tuple[Object, str]]:
        return [(one, verdict) for one, verdict in zip(self.states, self.verdicts, strict=True) if kind in ("", one["kind"])]

    def test_every_kind_and_phase_is_among_them(self) -> None:
        self.assertEqual({one["kind"] for one in self.states}, set(crds()))
        phases = set(crds()["EdgeCertificate"]["properties"]["status"]["properties"]["phase"]["enum"])
        self.assertEqual({one["status"]["phase"] for one, _ in self.each("EdgeCertificate")}, phases - NOT_SIMULATED)
        for kind in crds():
            with self.subTest(kind):
                self.assertTrue(any(condition(one, "Ready") == "True" for one, _ in self.each(kind)))
                self.assertTrue(any(condition(one, "Ready") == "False" for one, _ in self.each(kind)))

    def test_the_three_conditions_say_one_thing(self) -> None:
        for one, verdict in self.each():
            ready, reconciling, stalled = (condition(one, name) for name in ("Ready", "Reconciling", "Stalled"))
            with self.subTest(one["kind"], phase=one["status"].get("phase"), conditions=one["status"].get("conditions")):
                if one["status"]["observedGeneration"] == -1:
                    # Another engine has written into it (the pins of an Edge, a refusal of the CA) before its own had looked.
                    self.assertEqual((ready, verdict), (None, "InProgress"))
                    continue
                self.assertIn(ready, ("True", "False"), "it is always there")
                self.assertIn((reconciling, stalled), ((None, None), ("True", None), (None, "True")), "at most one of the two, and only while true")
                expected = "InProgress" if reconciling else "Failed" if stalled else "Current" if ready == "True" else "InProgress"
                self.assertEqual(verdict, expected)
                self.assertEqual(one["status"]["observedGeneration"], one["metadata"]["generation"])

    def test_each_phase_is_seen_as_the_contract_has_it(self) -> None:
        for one, verdict in self.each("EdgeCertificate"):
            phase, stalled = one["status"]["phase"], condition(one, "Stalled") == "True"
            with self.subTest(phase, conditions=one["status"]["conditions"]):
                if phase in UNDER_WAY or phase == "RolledBack":
                    self.assertEqual(verdict, "Failed" if stalled else "InProgress")
                elif phase in ("Held", "Failed"):
                    self.assertEqual(verdict, "Failed")
                else:  # Waiting, AwaitingApproval, Ready
                    good = condition(one, "Ready") == "True"
                    self.assertEqual(verdict, "Failed" if stalled else "Current" if good else "InProgress")

    def test_what_the_operator_has_not_seen_yet_is_not_done(self) -> None:
        fresh = []
        for kind, schema in crds().items():
            status = schema["properties"]["status"]["default"]
            fresh.append({"apiVersion": "edgetrust.io/v1alpha1", "kind": kind, "metadata": {"name": "new", "namespace": "voice", "generation": 1}, "spec": {}, "status": status})
        changed = copy.deepcopy(self.states)
        for one in changed:
            one["metadata"]["generation"] += 1
        self.assertEqual(set(judged(fresh + changed)), {"InProgress"})


if __name__ == "__main__":
    unittest.main()
