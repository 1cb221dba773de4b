"""What a rotation is judged by beside the status call: who dials in, the trunks, SIP OPTIONS, the other Edges of the site."""

import base64
import time
import unittest
from pathlib import Path
from typing import Any

from authority import Authority
from harness import ALWAYS_OPEN, OperatorTest, env, wait_for
from simulator import Appliance

# An observation that is long enough to be met, and short.
WATCHFUL = {"settle": "3s", "period": "12s", "interval": "1s", "failAfter": 4}


class PeerTest(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "observe": WATCHFUL}

    def roots_of_the_ca(self) -> str:
        return Path(env("STACK_ACME_ROOTS_FILE")).read_text()

    def foreign_roots(self) -> str:
        home = self.folder / "foreign"
        home.mkdir()
        return Authority(home).root

    def edge_with_peer(self, bundle: dict[str, Any], **sip: Any) -> Appliance:
        appliance = self.sim.add_edges(1)[0]
        peer = {"name": "sbc-1", "serverName": appliance.host, "trustBundleRef": bundle}
        self.make_edge(appliance, sip={"host": "127.0.0.1", "port": appliance.port, "peers": [peer], **sip})
        self.make_certificate(appliance)
        return appliance

    def wait_reason(self, name: str, reason: str, seconds: float = 60) -> dict[str, Any]:
        """The condition that says it."""
        of = lambda kind: self.condition(self.certificate(name), kind)
        return wait_for(f"{name} says {reason}", lambda: next((c for kind in ("Stalled", "Reconciling", "Ready") if (c := of(kind)).get("reason") == reason), None), seconds)

    def event(self, reason: str) -> str:
        return wait_for(f"the Event {reason}", lambda: next((event["note"] for event in self.kube.events(self.namespace) if event["reason"] == reason), None))

    def refresh(self, name: str) -> None:
        """Has the Edge object looked at now, and not in five minutes."""
        self.kube.patch("Edge", self.namespace, name, {"metadata": {"annotations": {"test/look": str(time.time())}}})


class Peers(PeerTest):
    def test_peer_that_lacks_the_new_root_stops_the_push(self) -> None:
        self.secret("sbc-roots", {"ca.crt": self.foreign_roots()})
        edge = self.edge_with_peer({"name": "sbc-roots", "key": "ca.crt"})
        stalled = self.wait_condition("EdgeCertificate", edge.name, "Stalled", "True", 90)
        self.assertEqual(stalled["reason"], "PeerDoesNotTrust")
        self.assertIn("sbc-1: among its roots is no \"Pebble Root CA", stalled["message"])
        self.assertIn("Secret sbc-roots, key ca.crt", stalled["message"])
        self.assertEqual(self.status(edge.name)["phase"], "Waiting")
        on_edge = self.wait_condition("Edge", edge.name, "PeersTrustChain", "False")
        self.assertEqual((on_edge["reason"], on_edge["message"]), ("PeerDoesNotTrust", stalled["message"]))
        self.event("PeerDoesNotTrust")
        self.assertEqual(self.sim.upload_attempts(edge), [])
        mended = base64.b64encode(self.roots_of_the_ca().encode()).decode()
        since = time.monotonic()
        self.kube.patch("Secret", self.namespace, "sbc-roots", {"data": {"ca.crt": mended}})
        wait_for("it is pushed", lambda: self.sim.uploads(edge), 30)
        self.assertLess(time.monotonic() - since, 30, "the changed Secret wakes it")
        self.wait_phase(edge.name, "Ready", 1)
        self.wait_condition("Edge", edge.name, "PeersTrustChain", "True")
        self.assertEqual(len(self.sim.upload_attempts(edge)), 1)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 1)

    def test_bundle_that_cannot_be_read_is_waited_for(self) -> None:
        edge = self.edge_with_peer({"kind": "ConfigMap", "name": "sbc-roots", "key": "ca.crt"})
        waiting = self.wait_reason(edge.name, "PeersNotJudged", 90)
        self.assertIn("ConfigMap sbc-roots", waiting["message"])
        self.assertEqual(self.condition(self.certificate(edge.name), "Stalled"), {})
        self.wait_condition("Edge", edge.name, "PeersTrustChain", "Unknown")
        self.assertEqual(self.sim.upload_attempts(edge), [])
        self.kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sbc-roots", "namespace": self.namespace}, "data": {"ca.crt": self.roots_of_the_ca()}})
        self.wait_phase(edge.name, "Ready", 1, 120)  # ConfigMaps are not watched: asked again each minute

    def test_rollback_is_stopped_by_no_peer(self) -> None:
        self.secret("sbc-roots", {"ca.crt": self.roots_of_the_ca()})
        edge = self.edge_with_peer({"name": "sbc-roots", "key": "ca.crt"}, probe="Options")
        first = self.wait_phase(edge.name, "Ready", 1)
        seen = first["history"][0]["evidence"]
        for part in ("status OK, SIP_UP (correlation id ", "OPTIONS 200", "peers: 1 accept", "trunks: 1 up"):
            self.assertIn(part, seen)
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        wait_for("the next one is on the Edge", lambda: len(self.sim.uploads(edge)) == 2, 60)
        self.kube.delete("Secret", self.namespace, "sbc-roots")
        status = self.wait_phase(edge.name, "RolledBack", 1)
        self.assertEqual(self.live(edge), first["fingerprintSha256"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 3)
        self.assertEqual(status["history"][0]["result"], "RolledBack")


class Trunks(PeerTest):
    def test_trunk_that_goes_down_rolls_back_whatever_the_status_says(self) -> None:
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        self.sim.patch(edge, onApply="trunk-down")
        self.renew(edge.name)
        status = self.wait_phase(edge.name, "RolledBack", 1)
        self.assertEqual(self.live(edge), first["fingerprintSha256"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 3)
        entry = status["history"][0]
        self.assertIn("went down", entry["message"])
        self.assertIn("the far end refuses calls", entry["message"])
        self.assertIn("status OK, SIP_UP (correlation id ", entry["evidence"])
        self.assertIn("1 down", entry["evidence"])
        self.assertIn("correlation id ", self.event("RollingBack"))

    def test_trunks_that_cannot_be_listed_roll_nothing_back(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.renew(edge.name)
        wait_for("the next one is on the Edge", lambda: len(self.sim.uploads(edge)) == 2, 60)
        self.sim.fault(path=f"*/{edge.id}/trunks", method="GET", times=20, action={"status": 503})
        self.wait_phase(edge.name, "Ready", 2, 120)
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2)


class Site(PeerTest):
    def two_of_a_site(self) -> tuple[Appliance, Appliance]:
        pair = self.sim.add_edges(2)
        for appliance in pair:
            self.make_edge(appliance, site="harbour")
            self.make_certificate(appliance)
        for appliance in pair:
            self.wait_phase(appliance.name, "Ready", 1)
            self.refresh(appliance.name)
            self.wait_condition("Edge", appliance.name, "SipHealthy", "True")
        return pair[0], pair[1]

    def broken_renewal(self) -> tuple[Appliance, Appliance]:
        """The first has its next certificate when the whole site goes down."""
        touched, other = self.two_of_a_site()
        self.renew(touched.name)
        wait_for("the next one is on the Edge", lambda: len(self.sim.uploads(touched)) == 2, 60)
        for appliance in (touched, other):
            self.sim.patch(appliance, sip="DOWN")
        return touched, other

    def test_site_wide_failure_holds_the_verdict(self) -> None:
        touched, other = self.broken_renewal()
        held = self.wait_reason(touched.name, "SiteWideFailure", 60)
        self.assertIn(f"1 of 1 other Edges of site harbour went down too, and nobody touched them: {other.name}", held["message"])
        seen = len(self.sim.status_calls(touched))
        wait_for("it is looked at often enough to be judged", lambda: len(self.sim.status_calls(touched)) > seen + 8, 60)
        self.assertEqual(len(self.sim.uploads(touched)), 2, "no rollback")
        self.assertEqual(self.status(touched.name)["phase"], "Observing")
        for appliance in (touched, other):
            self.sim.patch(appliance, sip="UP")
        self.wait_phase(touched.name, "Ready", 2)
        self.assertEqual(len(self.sim.uploads(touched)), 2)

    def test_judge_judges_alone(self) -> None:
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"observe": {"onSiteWideFailure": "Judge"}}})
        touched, _ = self.broken_renewal()
        wait_for("it is rolled back", lambda: len(self.sim.uploads(touched)) == 3, 60)


if __name__ == "__main__":
    unittest.main()
