"""Fifty at once, and what must not be seen anywhere."""

import base64
import json
import unittest
import urllib.request

from harness import OperatorTest, env, wait_for


class Fifty(OperatorTest):
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


class Secrecy(OperatorTest):
    def test_no_secret_in_log_events_status_or_metrics(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        canaries = [env("STACK_GENESYS_CLIENT_SECRET"), env("STACK_DNS_TSIG_SECRET")]
        for name, key in (("pebble-account", "tls.key"), (f"{edge.name}-r1-key", "tls.key")):
            encoded = self.kube.get("Secret", self.namespace, name)["data"][key]
            # The lines of the PEM, and its base64: any third of either would be seen.
            canaries += [encoded[:60], *[line for line in base64.b64decode(encoded).decode().splitlines() if "-----" not in line and len(line) > 30]]
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operator.port()}/metrics", timeout=10) as response:
            metrics = response.read().decode()
        self.assertIn("edgetrust_", metrics)
        seen = {
            "log": self.operator.log.read_text(),
            "events": json.dumps(self.kube.events(self.namespace)),
            "objects": json.dumps([self.kube.list(kind, self.namespace) for kind in ("EdgeCertificate", "Edge", "AcmeIssuer", "GenesysConnection", "RotationPolicy")]),
            "metrics": metrics,
            "journal": self.sim.journal(),
        }
        self.assertGreater(len(canaries), 4)
        for place, text in seen.items():
            self.assertGreater(len(text), 100, place)
            for canary in canaries:
                self.assertNotIn(canary, text, f"a secret is in the {place}")


if __name__ == "__main__":
    unittest.main()
