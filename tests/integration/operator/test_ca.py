"""The CA matrix: each test is a row, a CA that really runs and an EdgeCertificate that it brings as far as it can. matrix.py prints them."""

import base64
import ssl
import time
import unittest
from typing import Any

from authority import trusted_by_sbc
from harness import ALWAYS_OPEN, PATIENT, OperatorTest, wait_for
from own_ca import OwnStepCa, OwnVault
from own_pebble import OwnPebble

END = "-----END CERTIFICATE-----"
# base64url, as CAs hand them out
KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


class CaTest(OperatorTest):
    start_operator = False
    policy: dict[str, Any] = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"maxConcurrent": 20, "maxConcurrentPerSite": 20}}

    def pebble(self, **settings: Any) -> OwnPebble:
        pebble = OwnPebble(self.folder, **settings)
        self.addCleanup(pebble.close)
        return pebble

    def use(self, directory: str, *roots: str, **issuer: Any) -> None:
        """The issuer `own` is that CA, and the peers trust these roots; then the operator starts."""
        bundle = base64.b64encode((self.trusted() + "".join(roots)).encode()).decode()
        self.kube.patch("Secret", self.namespace, "stack-ca", {"data": {"ca.crt": bundle}})
        trusted_by_sbc(self.sim, *roots)
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        self.make("AcmeIssuer", "own", spec | {"server": directory, "accountKeyRef": {"name": "own-account"}} | issuer)
        self.operator.start()

    def bind(self, key_id: str, key: str) -> dict[str, Any]:
        self.secret("eab", {"hmac": key})
        return {"keyId": key_id, "hmacKeyRef": {"name": "eab", "key": "hmac"}}

    def new_certificates(self, count: int) -> list[str]:
        appliances = self.sim.add_edges(count)
        for appliance in appliances:
            self.make_edge(appliance)
            self.make_certificate(appliance, issuerRef={"name": "own"})
        return [appliance.name for appliance in appliances]

    def wait_all(self, names: list[str], condition: str, seconds: float) -> None:
        def missing() -> list[str]:
            return [c["metadata"]["name"] for c in self.kube.list("EdgeCertificate", self.namespace) if self.condition(c, condition).get("status") != "True"]

        wait_for(f"all {len(names)} are {condition}", lambda: not missing(), seconds, 0.5)

    def chain(self, name: str, revision: int = 1) -> list[dict[str, Any]]:
        """What the certificates of a revision say, leaf first."""
        pem = base64.b64decode(self.kube.get("Secret", self.namespace, f"{name}-r{revision}")["data"]["tls.crt"]).decode()
        file = self.folder / "certificate.pem"
        facts = []
        for part in pem.split(END)[:-1]:
            file.write_text(part + END + "\n")
            facts.append(ssl._ssl._test_decode_cert(str(file)))  # type: ignore[attr-defined] - the standard library reads certificates nowhere else
        return facts

    @staticmethod
    def common_name(name: Any) -> str:
        return dict(pair for relative in name for pair in relative).get("commonName", "")

    def issue_and_renew(self) -> str:
        """Live, and once more."""
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.renew(edge.name)
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2)
        return edge.name


class Pebble(CaTest):
    def test_as_its_authors_ship_it(self) -> None:
        pebble = self.pebble()
        self.use(pebble.directory, pebble.root)
        self.issue_and_renew()

    def test_half_of_all_nonces_rejected(self) -> None:
        pebble = self.pebble(rejected_nonces=50)
        self.use(pebble.directory, pebble.root)
        since = time.monotonic()
        names = self.new_certificates(10)
        self.wait_all(names, "Issued", 60 - (time.monotonic() - since))
        for name in names:
            self.assertEqual(self.operator.executed("NewOrder", name), 1)
            self.assertIsNone(self.status(name).get("order", {}).get("failures"))

    def test_nine_in_ten_nonces_rejected(self) -> None:
        """Requests may fail, each cleanly: no order is lost, and none is made twice."""
        pebble = self.pebble(rejected_nonces=90)
        self.use(pebble.directory, pebble.root)
        names = self.new_certificates(3)
        self.wait_all(names, "Issued", 280)
        for name in names:
            self.assertEqual(self.operator.executed("NewOrder", name), 1)

    def test_external_account_required(self) -> None:
        pebble = self.pebble(bindings={"kid-1": KEY})
        self.use(pebble.directory, pebble.root)
        refused = self.wait_condition("AcmeIssuer", "own", "Ready", "False")
        self.assertIn("set externalAccountBinding", refused["message"])
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"externalAccountBinding": self.bind("kid-1", KEY)}})
        self.wait_condition("AcmeIssuer", "own", "Ready", "True")
        self.issue_and_renew()

    def test_alternate_root_preferred(self) -> None:
        pebble = self.pebble(alternate_roots=2)
        roots = [pebble.management(f"/roots/{number}") for number in range(3)]
        file = self.folder / "root.pem"
        file.write_text(roots[2])
        wanted = self.common_name(ssl._ssl._test_decode_cert(str(file))["subject"])  # type: ignore[attr-defined] - the standard library reads certificates nowhere else
        self.use(pebble.directory, *roots, preferredChain=wanted)
        name = self.issue_and_renew()
        for revision in (1, 2):
            self.assertEqual(self.common_name(self.chain(name, revision)[-1]["issuer"]), wanted)

    def test_chain_of_three(self) -> None:
        pebble = self.pebble(chain_length=2)
        self.use(pebble.directory, pebble.root)
        name = self.issue_and_renew()
        self.assertEqual(len(self.chain(name)), 3)

    def test_profile_that_is_offered(self) -> None:
        pebble = self.pebble()
        self.use(pebble.directory, pebble.root, profile="shortlived")
        name = self.issue_and_renew()
        leaf = self.chain(name)[0]
        days = (ssl.cert_time_to_seconds(leaf["notAfter"]) - ssl.cert_time_to_seconds(leaf["notBefore"])) / 86400
        self.assertLess(days, 7)

    def test_profile_that_is_not_offered(self) -> None:
        pebble = self.pebble()
        self.use(pebble.directory, pebble.root, profile="tlsclient")
        refused = self.wait_condition("AcmeIssuer", "own", "Ready", "False")
        self.assertEqual(refused["reason"], "ProfileNotOffered")
        self.assertIn("it offers default, shortlived", refused["message"])
        edge = self.new_edge(issuerRef={"name": "own"})
        said = lambda: self.condition(self.certificate(edge.name), "Reconciling").get("message", "")
        wait_for("the certificate says it too", lambda: "it offers default, shortlived" in said())
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 0)
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"profile": "default"}})
        self.wait_phase(edge.name, "Ready", 1)


class StepCa(CaTest):
    def test_issues_and_renews(self) -> None:
        ca = OwnStepCa(self.folder)
        self.addCleanup(ca.close)
        self.use(ca.directory, ca.root)
        name = self.issue_and_renew()
        self.assertEqual([self.common_name(c["issuer"]) for c in self.chain(name)], ["step intermediate", "step root"])


class Vault(CaTest):
    def test_with_an_external_account(self) -> None:
        ca = OwnVault(self.folder)
        self.addCleanup(ca.close)
        self.use(ca.directory, ca.root, ca.web_ca, externalAccountBinding=self.bind(*ca.new_binding()))
        name = self.issue_and_renew()
        self.assertEqual([self.common_name(c["issuer"]) for c in self.chain(name)], ["Vault root"])


if __name__ == "__main__":
    unittest.main()
