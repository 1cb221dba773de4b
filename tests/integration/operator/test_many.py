"""Fifty at once, and what must not be seen anywhere."""

import base64
import unittest

import secrecy
from harness import OperatorTest, wait_for


class Fifty(OperatorTest):
    policy = {**OperatorTest.policy, "budget": {"maxConcurrent": 50, "maxConcurrentPerSite": 50}}

    def test_all_ready_each_with_one_order_and_one_upload(self) -> None:
        appliances = self.sim.add_edges(50)
        for appliance in appliances:
            self.make_edge(appliance)
            self.make_certificate(appliance)
        phases = lambda: {c["metadata"]["name"]: c.get("status", {}).get("phase") for c in self.kube.list("EdgeCertificate", self.namespace)}
        wait_for("all fifty are Ready", lambda: set(phases().values()) == {"Ready"}, 280, 1.0)
        for appliance in appliances:
            self.assertEqual(self.live(appliance), self.status(appliance.name)["fingerprintSha256"])
            self.assertEqual(len(self.sim.upload_attempts(appliance)), 1)
            self.assertEqual(self.status(appliance.name)["revision"], 1)
            self.assertEqual(self.operator.executed("NewOrder", appliance.name), 1)


class Secrecy(OperatorTest):
    """Each test looks for secrets where none may be (harness.py, end_operator); this one, that it would find them."""

    def test_no_secret_is_seen_and_each_would_be_found(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.serving(edge.name)
        canaries = self.canaries()
        for name in ("genesys-oauth/clientSecret", "genesys-oauth as Basic", "dns-tsig/tsig", "pebble-account/tls.key", f"{edge.name}-r1-key/tls.key", f"{edge.name}-tls/tls.key", "the token"):
            self.assertIn(name, canaries)
        places = self.what_is_public() | {"log": self.operator.log.read_text(), "journal": self.sim.journal()}
        for place, text in places.items():
            self.assertGreater(len(text), 100, place)
        self.assertEqual(secrecy.leaks(canaries, places), [])
        for secret in self.kube.list("Secret", self.namespace):
            for key, encoded in secret["data"].items():
                if (name := f"{secret['metadata']['name']}/{key}") in canaries:
                    value = base64.b64decode(encoded).decode()
                    for told in (value, encoded, value.replace("\n", "\\n")):
                        self.assertIn(f"{name} in the log", secrecy.leaks(canaries, {"log": f'{{"msg":"x {told} y"}}'}))


if __name__ == "__main__":
    unittest.main()
