"""PinPolicies in Enforce, and the TLS that their pin file asks for, on machines whose service speaks it."""

import ssl

from edge_machine import needs_machines
from harness import wait_for
from pin_harness import BACKUP, PinTest


@needs_machines
class Tls(PinTest):
    def test_an_endpoint_that_is_too_old_for_the_file_is_not_enforced(self) -> None:
        self.endpoint.context.maximum_version = ssl.TLSVersion.TLSv1_2
        machine = self.add_machine()
        self.pin(tls={"minVersion": "TLS1.3"})
        status = self.wait_state("Blocked")
        self.assertIn("tls.minVersion", status["message"])
        wait_for("the policy says it", lambda: self.said("Ready") == ("False", "NotEnforceable"))
        self.assertEqual((machine.text(), machine.restarts()), ("", 0))

        self.endpoint.context.maximum_version = ssl.TLSVersion.TLSv1_3
        self.look()
        self.wait_state("Matched")
        self.in_force(machine, self.endpoint.pin, BACKUP)
        self.assertEqual(machine.document()["tlsSettings"]["minVersion"], "TLS1.3")

    def test_an_endpoint_that_takes_none_of_the_cipher_suites_is_not_enforced(self) -> None:
        self.endpoint.context.maximum_version = ssl.TLSVersion.TLSv1_2
        machine = self.add_machine()
        self.pin(tls={"cipherSuites": ["ECDHE-RSA-AES128-GCM-SHA256"]})
        status = self.wait_state("Blocked")
        self.assertIn("tls.cipherSuites", status["message"])
        self.assertEqual((machine.text(), machine.restarts()), ("", 0))

        self.change(tls={"cipherSuites": ["ECDHE-ECDSA-AES128-GCM-SHA256"]})
        self.wait_state("Matched")
        self.in_force(machine, self.endpoint.pin, BACKUP)
        self.assertEqual(machine.service()["failed"], 0)
