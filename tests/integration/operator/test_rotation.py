"""One Edge, from the first certificate to its renewals, on a real API server, Pebble and BIND, against the simulator's real SIP-TLS ports."""

import re
import unittest

from authority import trusted_by_sbc
from harness import ALWAYS_OPEN, OperatorTest, wait_for
from own_pebble import OwnPebble
from simulator import fingerprint, leaf_of


class FirstIssue(OperatorTest):
    def test_ready_and_really_served(self) -> None:
        edge = self.new_edge()
        status = self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        serving = self.serving(edge.name)
        self.assertEqual(serving["type"], "kubernetes.io/tls")
        self.assertEqual(fingerprint(leaf_of(serving)), status["fingerprintSha256"])
        for part in (f"{edge.name}-r1", f"{edge.name}-r1-key"):
            self.assertTrue(self.kube.get("Secret", self.namespace, part)["immutable"])
        certificate = wait_for("the finalizer goes", lambda: (c := self.certificate(edge.name)) and not c["metadata"].get("finalizers") and c)
        self.assertEqual(self.condition(certificate, "Ready")["status"], "True")
        self.assertEqual(self.condition(certificate, "Delivered")["status"], "True")
        self.assertEqual(self.condition(certificate, "Reconciling"), {})
        self.assertEqual(self.condition(certificate, "Stalled"), {})
        self.assertEqual(status["observedGeneration"], certificate["metadata"]["generation"])
        self.assertNotIn("order", certificate["status"])
        self.assertEqual(len(self.sim.uploads(edge)), 1)
        reasons = {event["reason"] for event in self.kube.events(self.namespace)}
        self.assertLessEqual({"Issuing", "Delivering", "Installed", "Rotated"}, reasons)

    def test_metrics_tell_of_it(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        whose = f'{{name="{edge.name}",namespace="{self.namespace}"}}'
        wait_for("the Edge is looked at again after its rotation", lambda: f"edgetrust_edge_sip_up{whose} 1\n" in self.operator.metrics(), 20)
        metrics = self.operator.metrics()
        for server in ("kubernetes", "acme", "dns", "genesys"):
            answered = re.search(rf'edgetrust_api_requests_total\{{client="{server}",code="2xx",verb="POST"\}} (\d+)', metrics)
            self.assertTrue(answered and int(answered[1]) > 0, f"requests to {server} are counted")
        for series in ("edgetrust_edge_online", "edgetrust_certificate_ready"):
            self.assertIn(f"{series}{whose} 1\n", metrics)
        self.assertIn(f'edgetrust_connection_credentials_valid{{name="prod",namespace="{self.namespace}"}} 1\n', metrics)
        self.assertIn('edgetrust_rotations_total{result="active"} 1\n', metrics)


class Renewal(OperatorTest):
    def test_renewed_certificate_replaces_the_old_and_secret_follows(self) -> None:
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        serving = lambda: fingerprint(leaf_of(self.serving(edge.name)))
        wait_for("secretName has the first", lambda: serving() == first["fingerprintSha256"])
        self.sim.slow_status(edge, 2)  # so that the observation is there to be seen
        self.renew(edge.name)
        self.wait_phase(edge.name, "Observing")
        self.assertEqual(serving(), first["fingerprintSha256"], "not before the new one is proved")
        second = self.wait_phase(edge.name, "Ready", 2)
        self.assertNotEqual(first["fingerprintSha256"], second["fingerprintSha256"])
        self.assertEqual(self.live(edge), second["fingerprintSha256"])
        wait_for("secretName follows", lambda: serving() == second["fingerprintSha256"])
        self.assertEqual([entry["result"] for entry in second["history"]], ["Active", "Superseded"])
        self.assertIsNotNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r1"), "the previous revision is kept")
        time_of_request = self.status(edge.name)["handledRequests"]["renew"]
        self.assertTrue(time_of_request)


class DueRenewal(OperatorTest):
    start_operator = False

    def test_short_lived_certificate_is_renewed_when_due(self) -> None:
        pebble = OwnPebble(self.folder, lifetime=100)
        self.addCleanup(pebble.close)
        trusted_by_sbc(self.sim, pebble.root)
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        # Pebble suggests a window of two days, whatever the lifetime.
        self.make("AcmeIssuer", "short", spec | {"server": pebble.directory, "accountKeyRef": {"name": "short-account"}, "useAri": False})
        self.operator.start()
        edge = self.new_edge(issuerRef={"name": "short"})
        first = self.wait_phase(edge.name, "Ready", 1)
        second = self.wait_phase(edge.name, "Ready", 2, 120)
        self.assertNotIn("handledRequests", second, "nobody asked for it")
        self.assertGreater(second["notBefore"], first["notBefore"])
        self.assertLess(second["notBefore"], first["notAfter"], "before the old one expired")
        begun = self.kube.get("Secret", self.namespace, f"{edge.name}-r2-key")["metadata"]["creationTimestamp"]
        self.assertGreaterEqual(begun, first["renewalTime"], "and not before it was due")
        self.assertEqual(self.live(edge), second["fingerprintSha256"])
        follows = lambda: fingerprint(leaf_of(self.kube.get("Secret", self.namespace, f"{edge.name}-tls"))) == second["fingerprintSha256"]
        wait_for("secretName follows", follows)


class SlowRestart(OperatorTest):
    # A slow restart is 10 s in the simulator: at most three looks find the port closed. A closed port does not wait for settle; failAfter has room for it.
    policy = {"windows": ALWAYS_OPEN, "observe": {"settle": "20s", "period": "2s", "interval": "4s", "failAfter": 4}}

    def test_slow_but_good_restart_inside_settle_is_not_rolled_back(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.sim.patch(edge, onApply="slow")
        self.renew(edge.name)
        wait_for("the Edge is seen down", lambda: self.condition(self.certificate(edge.name), "EdgeHealthy").get("status") == "False", 60)
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Active", "Superseded"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2)


class Settling(OperatorTest):
    """The port answers and SIP is down for longer than failAfter: within settle that is no verdict."""

    policy = {"windows": ALWAYS_OPEN, "observe": {"settle": "25s", "period": "2s", "interval": "1s", "failAfter": 2}}

    def test_sip_that_comes_up_within_settle_is_not_rolled_back(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.sim.slow_status(edge, 2.5)  # so that no look falls into the restart of the port itself, which takes 1 s
        self.renew(edge.name)
        wait_for("the second upload", lambda: len(self.sim.uploads(edge)) == 2, 60)
        self.sim.patch(edge, sip="DOWN")
        uploaded = self.sim.uploads(edge)[1]["at"]
        looks = lambda: len([c for c in self.sim.status_calls(edge) if c["at"] > uploaded])
        wait_for("looks, twice as many as failAfter and one under way", lambda: looks() > 4, 25)
        self.assertEqual(self.condition(self.certificate(edge.name), "EdgeHealthy")["status"], "False")
        self.sim.patch(edge, sip="UP")
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Active", "Superseded"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2)


if __name__ == "__main__":
    unittest.main()
