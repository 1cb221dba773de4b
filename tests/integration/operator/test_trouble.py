"""Bad input and broken surroundings: a condition that says what to change, and everything else goes on."""

import base64
import unittest

from harness import OperatorTest, env, wait_for


class Trouble(OperatorTest):
    def test_wrong_oauth_secret_is_named_and_mended(self) -> None:
        wrong = base64.b64encode(b"wrong").decode()
        right = base64.b64encode(env("STACK_GENESYS_CLIENT_SECRET").encode()).decode()
        self.kube.patch("Secret", self.namespace, "genesys-oauth", {"data": {"clientSecret": wrong}})
        refused = self.wait_condition("GenesysConnection", "prod", "CredentialsValid", "False")
        self.assertIn("CredentialsRefused", refused["reason"])
        self.kube.patch("Secret", self.namespace, "genesys-oauth", {"data": {"clientSecret": right}})
        self.wait_condition("GenesysConnection", "prod", "CredentialsValid", "True", 90)

    def test_wrong_tsig_key_is_named_and_mended_without_a_second_order(self) -> None:
        right = self.kube.get("Secret", self.namespace, "dns-tsig")["data"]
        self.kube.patch("Secret", self.namespace, "dns-tsig", {"data": {"tsig": base64.b64encode(base64.b64encode(b"x" * 32)).decode()}})
        edge = self.new_edge()
        refused = lambda: (c := self.condition(self.certificate(edge.name), "Reconciling")).get("reason", "").startswith("Dns") and c
        condition = wait_for("the DNS trouble is named", refused)
        self.assertIn("TSIG", condition["message"])
        self.kube.patch("Secret", self.namespace, "dns-tsig", {"data": right})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 1)

    def test_unreachable_ca_stops_only_its_own(self) -> None:
        issuer = self.kube.get("AcmeIssuer", self.namespace, "pebble")
        spec = issuer["spec"] | {"server": "https://127.0.0.1:1/dir", "accountKeyRef": {"name": "nowhere-account"}}
        self.make("AcmeIssuer", "nowhere", spec)
        condition = self.wait_condition("AcmeIssuer", "nowhere", "Ready", "False")
        self.assertEqual(condition["reason"], "AccountUnavailable")
        good, bad = self.new_edge(), self.new_edge(issuerRef={"name": "nowhere"})
        self.wait_phase(good.name, "Ready", 1)
        self.assertEqual(self.status(bad.name)["phase"], "Issuing")
        self.assertEqual(self.condition(self.certificate(bad.name), "Ready")["status"], "False")

    def test_roots_may_lie_in_a_config_map(self) -> None:
        """With the operator's own rights: nobody but it reads the ConfigMap."""
        self.kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "roots", "namespace": self.namespace}, "data": {"ca.crt": self.trusted()}})
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        bundle = {"kind": "ConfigMap", "name": "roots", "key": "ca.crt"}
        self.make("AcmeIssuer", "by-config-map", spec | {"accountKeyRef": {"name": "another-account"}, "caBundleRef": bundle})
        self.wait_condition("AcmeIssuer", "by-config-map", "Ready", "True")

    def test_missing_edge_is_waited_for(self) -> None:
        edge = self.sim.add_edges(1)[0]
        self.make_certificate(edge)
        wait_for("the missing Edge is named", lambda: self.condition(self.certificate(edge.name), "Ready").get("reason") == "EdgeNotFound")
        self.make_edge(edge)
        self.wait_phase(edge.name, "Ready", 1)

    def test_foreign_secret_of_our_name_is_left_alone(self) -> None:
        edge = self.sim.add_edges(1)[0]
        self.secret(f"{edge.name}-tls", {"mine": "do not touch"})
        self.make_edge(edge)
        self.make_certificate(edge)
        stalled = self.wait_condition("EdgeCertificate", edge.name, "Stalled", "True", 90)
        self.assertEqual(stalled["reason"], "SecretConflict")
        self.assertEqual(base64.b64decode(self.kube.get("Secret", self.namespace, f"{edge.name}-tls")["data"]["mine"]), b"do not touch")


class Deletion(OperatorTest):
    def test_quiet_object_goes_at_once_and_leaves_its_secrets(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        self.operator.stop()  # nobody is needed for it
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        self.assertIsNone(self.kube.find("EdgeCertificate", self.namespace, edge.name))
        secret = self.kube.get("Secret", self.namespace, f"{edge.name}-r1-key")
        self.assertNotIn("ownerReferences", secret["metadata"])

    def test_deletion_in_mid_delivery_leaves_the_edge_well(self) -> None:
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        wait_for("the new certificate is on the Edge", lambda: self.live(edge) not in (None, first["fingerprintSha256"]), 60)
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        self.assertIsNotNone(self.kube.find("EdgeCertificate", self.namespace, edge.name), "it waits for the end of what has begun")
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None, 90)
        self.assertEqual(self.live(edge), first["fingerprintSha256"], "and the Edge has its previous certificate back")

    def test_surroundings_that_go_first_in_mid_delivery_leave_nothing_that_hangs(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.sim.slow_status(edge, 2)  # so that the observation is there to be met
        self.renew(edge.name)
        self.wait_phase(edge.name, "Observing")
        self.take_away("Edge", "GenesysConnection", "AcmeIssuer", "RotationPolicy")
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None, 60)
        self.assertIsNotNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r2-key"), "keys stay")

    def take_away(self, *kinds: str) -> None:
        for kind in kinds:
            for thing in self.kube.list(kind, self.namespace):
                self.kube.delete(kind, self.namespace, thing["metadata"]["name"])
            self.assertEqual(self.kube.list(kind, self.namespace), [], f"a {kind} hangs")

    def test_uninstall_without_the_operator_leaves_nothing_that_hangs(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        self.operator.stop()
        self.take_away("GenesysConnection", "AcmeIssuer", "RotationPolicy", "Edge", "EdgeCertificate")
        self.assertIsNotNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r1-key"), "keys stay (deletionPolicy Retain)")


if __name__ == "__main__":
    unittest.main()
