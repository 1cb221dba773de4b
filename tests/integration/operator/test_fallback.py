"""A second issuer on real parts: the first one's CA goes away."""

import unittest

from authority import trusted_by_sbc
from harness import OperatorTest, env, wait_for
from own_pebble import OwnPebble

HOURS = "1h"  # what is left of the first certificate is less at once


class FirstAway(OperatorTest):
    def prepare(self) -> None:
        self.first = OwnPebble(self.folder, lifetime=900)
        self.addCleanup(self.first.close)
        trusted_by_sbc(self.sim, self.first.root)
        super().prepare()
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        self.make("AcmeIssuer", "first", {**spec, "server": self.first.directory, "accountKeyRef": {"name": "first-account"}})

    def test_the_second_is_asked_and_at_the_next_renewal_the_first_again(self) -> None:
        edge = self.new_edge(issuerRef={"name": "first"}, fallback={"issuerRef": {"name": "pebble"}, "whenRemaining": HOURS})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.issued_by(edge.name, 1), self.first.directory)
        self.first.stop()
        self.renew(edge.name)
        status = self.wait_phase(edge.name, "Ready", 2, 420)  # eight tries of the first come before
        self.assertNotIn("order", status)
        self.assertEqual(self.issued_by(edge.name, 2), env("STACK_ACME_DIRECTORY"))
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        said = [event for event in self.kube.events(self.namespace) if event["reason"] == "AskingOtherIssuer"]
        self.assertIn("AcmeIssuer pebble is asked instead of first", said[0]["note"])
        self.first.start()
        trusted_by_sbc(self.sim, self.first.root)
        self.renew(edge.name)
        self.wait_phase(edge.name, "Ready", 3)
        self.assertEqual(self.issued_by(edge.name, 3), self.first.directory)
        wait_for("no record is left", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"), 30)

    def issued_by(self, name: str, revision: int) -> str:
        found: str = self.kube.get("Secret", self.namespace, f"{name}-r{revision}")["metadata"]["annotations"]["edgetrust.io/issued-by"]
        return found


if __name__ == "__main__":
    unittest.main()
