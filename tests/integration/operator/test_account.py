"""What a person asks of an account and of a certificate by annotation, on a Pebble of the test's own."""

import json
import ssl
import unittest

from harness import env, wait_for
from proxy import HttpsProxy, Sweep, make_certificates
from test_ca import CaTest


class AccountTest(CaTest):
    def setUp(self) -> None:
        super().setUp()
        self.ca = self.pebble()

    def ask(self, what: str, value: str | None) -> None:
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"metadata": {"annotations": {f"edgetrust.io/{what}-requested-at": value}}})

    def handled(self, what: str) -> str:
        return self.kube.get("AcmeIssuer", self.namespace, "own").get("status", {}).get("handledRequests", {}).get(what, "")

    def account_key(self, name: str = "own-account") -> str:
        return self.kube.get("Secret", self.namespace, name)["data"]["tls.key"]

    def issuer_events(self) -> list[str]:
        return [event["reason"] for event in self.kube.events(self.namespace) if event["regarding"]["kind"] == "AcmeIssuer"]


class Rollover(AccountTest):
    def test_the_account_goes_on_with_another_key(self) -> None:
        self.use(self.ca.directory, self.ca.root)
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        account = self.kube.get("AcmeIssuer", self.namespace, "own")["status"]["accountUri"]
        first = self.account_key()
        self.ask("rollover", "1")
        wait_for("the key is another", lambda: self.handled("rollover") == "1")
        self.assertNotEqual(self.account_key(), first)
        self.operator.kill()
        self.operator.start()
        self.renew(edge.name)
        self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.kube.get("AcmeIssuer", self.namespace, "own")["status"]["accountUri"], account, "it is the same account")
        self.assertEqual(self.issuer_events().count("AccountKeyChanged"), 1)


class Deactivation(AccountTest):
    def test_is_for_good_and_another_account_takes_over(self) -> None:
        self.use(self.ca.directory, self.ca.root)
        self.wait_condition("AcmeIssuer", "own", "Ready", "True")
        self.ask("deactivate", "1")
        said = self.wait_condition("AcmeIssuer", "own", "Stalled", "True")
        self.assertEqual(said["reason"], "AccountDeactivated")
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"accountKeyRef": {"name": "next-account"}}})
        self.ask("deactivate", None)
        self.wait_condition("AcmeIssuer", "own", "Ready", "True")
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)


class Contact(AccountTest):
    def test_is_told_to_the_ca_when_it_changes(self) -> None:
        ca = make_certificates(self.folder)
        proxy = HttpsProxy(self.ca.directory, ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE")), self.folder, Sweep(), "acme")
        self.addCleanup(proxy.close)
        proxy.sweep.begin()
        self.use(proxy.url + "/dir", ca.read_text(), email="voice@example.com")
        self.wait_condition("AcmeIssuer", "own", "Ready", "True")
        updates = lambda: [what for what in proxy.sweep.executed if "/my-account/" in what]
        self.assertEqual(updates(), [])
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"email": "noc@example.com"}})
        wait_for("the CA is told", updates)
        wait_for("it is settled", lambda: (issuer := self.kube.get("AcmeIssuer", self.namespace, "own"))["status"]["observedGeneration"] == issuer["metadata"]["generation"])
        self.assertEqual(len(updates()), 1)


class Revocation(AccountTest):
    def revocation(self, serial: str) -> str:
        return json.loads(self.ca.management(f"/cert-status-by-serial/{serial}"))["Status"]

    def serial(self, name: str) -> str:
        return self.status(name)["serialNumber"]

    def revoked(self, name: str, revision: int) -> str:
        return next((entry.get("revoked", "") for entry in self.status(name)["history"] if entry["revision"] == revision), "")

    def test_superseded_waits_for_the_successor(self) -> None:
        self.use(self.ca.directory, self.ca.root)
        edge = self.new_edge(issuerRef={"name": "own"})
        serial = self.wait_phase(edge.name, "Ready", 1)["serialNumber"]
        self.annotate(edge.name, "revoke-requested-at", "2027-01-03 superseded")
        self.wait_phase(edge.name, "Ready", 2)
        wait_for("the first is revoked", lambda: self.revoked(edge.name, 1) == "superseded")
        self.assertEqual(self.revocation(serial), "Revoked")
        self.assertEqual(self.revocation(self.serial(edge.name)), "Valid")

    def test_key_compromise_is_at_once_and_brings_a_new_key(self) -> None:
        self.use(self.ca.directory, self.ca.root)
        edge = self.new_edge(issuerRef={"name": "own"}, privateKey={"algorithm": "ECDSA", "rotationPolicy": "Never"})
        serial = self.wait_phase(edge.name, "Ready", 1)["serialNumber"]
        self.annotate(edge.name, "revoke-requested-at", "2027-01-03 keyCompromise")
        wait_for("it is revoked", lambda: self.revoked(edge.name, 1) == "keyCompromise")
        self.assertEqual(self.revocation(serial), "Revoked")
        self.wait_phase(edge.name, "Ready", 2)
        keys = [self.kube.get("Secret", self.namespace, f"{edge.name}-r{revision}-key")["data"]["tls.key"] for revision in (1, 2)]
        self.assertNotEqual(*keys)


if __name__ == "__main__":
    unittest.main()
