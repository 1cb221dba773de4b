"""An Edge that serves somebody else's certificate when the operator meets it."""

import base64
import unittest

from authority import Authority, install_by_hand, trusted_by_sbc
from harness import OperatorTest, wait_for
from simulator import Appliance, fingerprint


class Foreign(OperatorTest):
    def setUp(self) -> None:
        super().setUp()
        authority = Authority(self.folder)
        trusted_by_sbc(self.sim, authority.root)
        self.edge: Appliance = self.sim.add_edges(1)[0]
        self.foreign = authority.issue(self.edge.host)
        install_by_hand(self.edge, self.foreign)
        self.served_before = fingerprint(self.foreign.leaf)
        wait_for("somebody else's certificate is served", lambda: self.live(self.edge) == self.served_before, 20)
        wait_for("and the peer trusts it", lambda: (sip := self.sim.edge(self.edge)["sip"])["state"] == "UP" or self.assertNotIn("verify", sip["cause"]), 20)
        self.make_edge(self.edge)

    def uploads_of_ours(self) -> int:
        return sum(upload["fingerprintSha256"] != self.served_before for upload in self.sim.upload_attempts(self.edge))

    def test_held_by_default_and_replaced_when_asked_for(self) -> None:
        self.make_certificate(self.edge)
        held = self.wait_phase(self.edge.name, "Held")
        stalled = self.condition(self.certificate(self.edge.name), "Stalled")
        self.assertEqual(stalled["reason"], "ForeignCertificate")
        self.assertIn("onForeignCertificate", stalled["message"], "says what to change")
        self.assertNotIn("order", held)
        self.assertEqual(self.kube.find("Secret", self.namespace, f"{self.edge.name}-r1-key"), None, "nothing was begun")
        self.assertEqual(self.uploads_of_ours(), 0)
        self.assertEqual(self.live(self.edge), self.served_before)

        self.kube.patch("EdgeCertificate", self.namespace, self.edge.name, {"spec": {"adoption": {"onForeignCertificate": "Replace"}}})
        status = self.wait_phase(self.edge.name, "Ready", 1)
        self.assertEqual(self.live(self.edge), status["fingerprintSha256"])
        self.assertEqual(self.uploads_of_ours(), 1)

    def test_imported_certificate_is_what_a_rollback_returns_to(self) -> None:
        self.secret("by-hand", {"tls.crt": self.foreign.chain, "tls.key": self.foreign.key}, "kubernetes.io/tls")
        self.make_certificate(self.edge, adoption={"onForeignCertificate": "Replace", "importFrom": {"name": "by-hand"}})
        adopted = self.wait_phase(self.edge.name, "Ready", 0)
        self.assertEqual(adopted["fingerprintSha256"], self.served_before)
        self.assertEqual(self.uploads_of_ours(), 0, "what is served and valid is not replaced before it is due")

        self.sim.patch(self.edge, onApply="sip-down")
        self.renew(self.edge.name)
        self.wait_phase(self.edge.name, "RolledBack", 0)
        wait_for("the imported leaf is served again", lambda: self.live(self.edge) == self.served_before, 30)
        self.assertEqual(self.uploads_of_ours(), 1)

    def test_import_of_another_certificate_is_refused_by_name(self) -> None:
        other = Authority(self.folder).issue(self.edge.host)
        self.secret("by-hand", {"tls.crt": other.chain, "tls.key": other.key}, "kubernetes.io/tls")
        self.make_certificate(self.edge, adoption={"importFrom": {"name": "by-hand"}})
        self.wait_phase(self.edge.name, "Held")
        stalled = self.condition(self.certificate(self.edge.name), "Stalled")
        self.assertEqual(stalled["reason"], "ImportMismatch")
        self.assertIn("by-hand", stalled["message"])

        right = {"tls.crt": base64.b64encode(self.foreign.chain.encode()).decode(), "tls.key": base64.b64encode(self.foreign.key.encode()).decode()}
        self.kube.patch("Secret", self.namespace, "by-hand", {"data": right})
        self.wait_phase(self.edge.name, "Ready", 0)


class RestoredFromGit(OperatorTest):
    def test_lost_status_is_found_again_without_an_order(self) -> None:
        """A cluster restored from Git with its Secrets: the object is new, its status empty."""
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None)
        self.make_certificate(edge)
        again = self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(again["fingerprintSha256"], first["fingerprintSha256"])
        self.assertEqual([entry["result"] for entry in again["history"]], ["Adopted"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 1)
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r2-key"), "nothing was begun")


if __name__ == "__main__":
    unittest.main()
