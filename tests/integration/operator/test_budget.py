"""How many Edges are changed at a time, who goes first, and when all stop."""

from __future__ import annotations

import threading
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, wait_for
from simulator import Appliance
from test_plugin import PluginTest


class Fleet(OperatorTest):
    def fleet(self, sites: list[str]) -> list[tuple[Appliance, str]]:
        """An Edge a site named, with its Edge object and its EdgeCertificate."""
        edges = list(zip(self.sim.add_edges(len(sites)), sites, strict=True))
        for appliance, site in edges:
            self.make_edge(appliance, site=site)
            self.make_certificate(appliance)
        return edges

    def certificates(self) -> dict[str, Any]:
        return {c["metadata"]["name"]: c.get("status", {}) for c in self.kube.list("EdgeCertificate", self.namespace)}

    def policy_status(self) -> dict[str, Any]:
        return self.kube.get("RotationPolicy", self.namespace, "default").get("status", {})

    def holders(self) -> list[str]:
        """Who holds a slot, by name."""
        leases = self.kube.list("Lease", self.namespace)
        return [lease["metadata"]["annotations"]["edgetrust.io/holder"] for lease in leases if lease["spec"].get("holderIdentity")]


class Sampler(threading.Thread):
    """Looks at what is under way, again and again, until it is stopped."""

    def __init__(self, fleet: Fleet, edges: list[tuple[Appliance, str]]) -> None:
        super().__init__()
        self.fleet = fleet
        self.site = {appliance.name: site for appliance, site in edges}
        self.over = threading.Event()
        self.most = 0
        self.most_in_site = 0
        self.seen_in_policy: set[str] = set()

    def run(self) -> None:
        while not self.over.wait(0.02):
            # One listing is one moment: the statuses of a list have one resourceVersion.
            busy = [name for name, status in self.fleet.certificates().items() if "installedAt" in status.get("delivery", {})]
            self.most = max(self.most, len(busy))
            sites = [self.site[name] for name in busy]
            self.most_in_site = max([self.most_in_site, *(sites.count(site) for site in sites)])
            self.seen_in_policy |= set(self.fleet.policy_status().get("rotating", []))


class Concurrency(Fleet):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"maxConcurrent": 2, "maxConcurrentPerSite": 1}}

    def test_no_more_than_the_budget_at_a_time_and_all_get_their_turn(self) -> None:
        edges = self.fleet(["dublin", "dublin", "dublin", "new-york", "new-york", "paris"])
        sampler = Sampler(self, edges)
        sampler.start()
        try:
            wait_for("all are Ready", lambda: {s.get("phase") for s in self.certificates().values()} == {"Ready"}, 120)
        finally:
            sampler.over.set()
            sampler.join()
        self.assertEqual((sampler.most, sampler.most_in_site), (2, 1))
        self.assertTrue(sampler.seen_in_policy, "kubectl get rotpol says who rotates")
        wait_for("every slot is free again", lambda: not self.holders())
        wait_for("nobody rotates", lambda: self.policy_status().get("rotating", []) == [])
        for appliance, _ in edges:
            self.assertEqual(len(self.sim.uploads(appliance)), 1)
            self.assertNotIn("slots", self.status(appliance.name))


def from_now(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Halt(Fleet, PluginTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"maxConcurrent": 50, "maxConcurrentPerSite": 50}}

    def change_policy(self, spec: dict[str, Any]) -> None:
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": spec})

    def count(self, **wanted: Any) -> int:
        return sum(all(status.get(key) == value for key, value in wanted.items()) for status in self.certificates().values())

    def test_two_rollbacks_stop_fifty_edges_until_somebody_resumes(self) -> None:
        edges = [appliance for appliance, _ in self.fleet(["new-york"] * 50)]
        wait_for("all fifty are Ready", lambda: self.count(phase="Ready", revision=1) == 50, 280, 1.0)
        ends = {name: status["notAfter"] for name, status in self.certificates().items()}
        # The five that expire first, and those that do so in the same second, stand in a site where SIP will not come up; all fifty are due at one moment.
        fifth = sorted(ends.values())[4]
        bad = [appliance for appliance in edges if ends[appliance.name] <= fifth]
        for appliance in bad:
            self.kube.patch("Edge", self.namespace, appliance.name, {"spec": {"site": "dublin"}})
            self.sim.patch(appliance, onApply="sip-down")
        freeze = {"name": "until-all-are-due", "from": from_now(-60)}
        self.change_policy({"budget": {"maxConcurrent": 1}, "freezes": [{**freeze, "to": from_now(3600)}]})
        for appliance in edges:
            self.renew(appliance.name)
        wait_for("fifty certificates are stored", lambda: self.count(phase="Waiting") == 50, 280, 1.0)
        opens = from_now(20)
        self.change_policy({"freezes": [{**freeze, "to": opens}]})
        wait_for("all wait for the same moment", lambda: self.count(nextWindow=opens) == 50, 20)

        wait_for("the policy is halted", lambda: self.policy_status().get("state") == "Halted", 120)
        wait_for("two are rolled back, all others wait", lambda: (self.count(phase="RolledBack"), self.count(phase="Waiting")) == (2, 48), 120, 1.0)
        wait_for("all that wait say why", lambda: all(self.condition({"status": s}, "Ready")["reason"] in ("Halted", "RolledBack") for s in self.certificates().values()), 120, 1.0)
        policy = self.kube.get("RotationPolicy", self.namespace, "default")
        self.assertEqual(policy["status"]["rollbacks"], 2)
        self.assertEqual((self.condition(policy, "Halted")["status"], self.condition(policy, "Ready")["reason"]), ("True", "Halted"))
        uploads = {appliance.name: len(self.sim.uploads(appliance)) for appliance in edges}
        self.assertEqual(sorted(uploads[appliance.name] for appliance in bad), [1] * (len(bad) - 2) + [3, 3])
        self.assertEqual({uploads[appliance.name] for appliance in edges if appliance not in bad}, {1}, "the others are untouched")
        for appliance in edges:
            self.assertEqual(self.live(appliance), self.status(appliance.name)["fingerprintSha256"], "nobody is left on a bad certificate")
        self.assertEqual(self.holders(), [])

        # The cause is mended, and somebody says so, in the words that a waiting one has for it.
        for appliance in bad:
            self.sim.patch(appliance, onApply="ok")
        self.change_policy({"budget": {"maxConcurrent": 50}})
        waiting = next(name for name, status in self.certificates().items() if status["phase"] == "Waiting")
        [wait] = self.document("status", waiting)["waitsFor"]
        self.assertEqual(wait["command"], f"kubectl edgetrust resume --policy default -n {self.namespace}")
        self.assertIn("resumed RotationPolicy", self.told("resume", "--policy", "default"))
        wait_for("the policy is open", lambda: self.policy_status().get("state") == "Open")
        wait_for("the other 48 have their second certificate", lambda: self.count(phase="Ready", revision=2) == 48, 200, 1.0)
        policy = self.kube.get("RotationPolicy", self.namespace, "default")
        self.assertEqual(policy["status"]["resumed"]["request"], policy["metadata"]["annotations"]["edgetrust.io/resume-requested-at"])
        self.assertIn("is not halted", self.refused("resume", "--policy", "default"))
        self.assertEqual(self.count(phase="RolledBack", revision=1), 2)


if __name__ == "__main__":
    unittest.main()
