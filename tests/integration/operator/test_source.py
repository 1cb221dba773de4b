"""A certificate that somebody else renews, in a Secret: delivered with the same care, and no CA is asked."""

import base64
import unittest
from typing import Any

from authority import Authority, Issued, install_by_hand, trusted_by_sbc
from harness import OperatorTest, wait_for
from simulator import Appliance, fingerprint, leaf_of


def encoded(**data: str) -> dict[str, str]:
    return {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}


class SourceTest(OperatorTest):
    source = "from-elsewhere"

    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.folder)
        trusted_by_sbc(self.sim, self.authority.root)
        self.edge: Appliance = self.sim.add_edges(1)[0]
        self.make_edge(self.edge)

    def prepare(self) -> None:
        super().prepare()
        self.kube.delete("AcmeIssuer", self.namespace, "pebble")  # nobody needs one

    def issue(self) -> Issued:
        return self.authority.issue(self.edge.host)

    def fed(self, **more: Any) -> None:
        """An EdgeCertificate that is fed by the Secret."""
        self.make("EdgeCertificate", self.edge.name, {"edgeRef": {"name": self.edge.name}, "sourceSecretRef": {"name": self.source}, **more})

    def put(self, issued: Issued) -> str:
        """The Secret as whoever renews writes it, in one request; its resourceVersion."""
        data = encoded(tls_crt=issued.chain, tls_key=issued.key, ca_crt=self.authority.root)
        if self.kube.find("Secret", self.namespace, self.source) is None:
            made = self.kube.create({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": self.source, "namespace": self.namespace}, "data": data})
        else:
            made = self.change(data)
        return str(made["metadata"]["resourceVersion"])

    def change(self, data: dict[str, str]) -> Any:
        return self.kube.patch("Secret", self.namespace, self.source, {"data": data})

    def refused(self, *words: str) -> None:
        stalled = self.wait_condition("EdgeCertificate", self.edge.name, "Stalled", "True")
        self.assertEqual(stalled["reason"], "SourceRefused")
        for word in (self.source, *words):
            self.assertIn(word, stalled["message"])
        self.assertEqual(self.status(self.edge.name)["phase"], "Failed")

    def waits(self, reason: str, *words: str) -> None:
        found = lambda: self.condition(self.certificate(self.edge.name), "Reconciling")
        wait_for(reason, lambda: found().get("reason") == reason)
        for word in (self.source, *words):
            self.assertIn(word, found()["message"])
        self.assertEqual(self.status(self.edge.name)["phase"], "Pending")

    def part(self, name: str, key: str) -> str:
        return base64.b64decode(self.kube.get("Secret", self.namespace, name)["data"][key]).decode()

    def uploads(self) -> list[str]:
        return [upload["fingerprintSha256"] for upload in self.sim.upload_attempts(self.edge)]


class Delivery(SourceTest):
    def test_first_delivery_and_renewal(self) -> None:
        name = self.edge.name
        self.fed()
        self.waits("SourceNotFound")

        first = self.issue()
        written = self.put(first)
        status = self.wait_phase(name, "Ready", 1)
        self.assertEqual(status["fingerprintSha256"], fingerprint(first.leaf))
        self.assertEqual(self.live(self.edge), fingerprint(first.leaf))
        wait_for("it says what comes next", lambda: self.status(name)["next"] == f"waits for Secret {self.source}")
        self.assertNotIn("renewalTime", self.status(name))
        self.assertEqual(self.part(f"{name}-r1-key", "tls.key"), first.key)
        for part in (f"{name}-r1", f"{name}-r1-key"):
            secret = self.kube.get("Secret", self.namespace, part)
            self.assertTrue(secret["immutable"])
            self.assertEqual(secret["metadata"]["annotations"]["edgetrust.io/source-fingerprint"], fingerprint(first.leaf))
        serving = lambda: fingerprint(leaf_of(self.kube.get("Secret", self.namespace, f"{name}-tls")))
        wait_for("secretName has it", lambda: self.kube.find("Secret", self.namespace, f"{name}-tls") and serving() == fingerprint(first.leaf))
        self.assertEqual(self.part(f"{name}-tls", "ca.crt").strip(), self.authority.root.strip())
        self.assertEqual(self.kube.get("Secret", self.namespace, self.source)["metadata"]["resourceVersion"], written, "the source is only read")

        second = self.issue()
        written = self.put(second)
        status = self.wait_phase(name, "Ready", 2)
        self.assertEqual(self.live(self.edge), fingerprint(second.leaf))
        self.assertEqual([entry["result"] for entry in status["history"]], ["Active", "Superseded"])
        wait_for("secretName follows", lambda: serving() == fingerprint(second.leaf))
        self.assertEqual(len(self.uploads()), 2)
        wait_for("Events tell of it", lambda: {"Copying", "Delivering", "Installed", "Rotated"} <= {event["reason"] for event in self.kube.events(self.namespace)})

        wait_for("the finalizer goes", lambda: not self.certificate(name)["metadata"].get("finalizers"))
        self.kube.delete("EdgeCertificate", self.namespace, name)
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, name) is None)
        self.assertEqual(self.kube.get("Secret", self.namespace, self.source)["metadata"]["resourceVersion"], written)
        self.assertIsNotNone(self.kube.find("Secret", self.namespace, f"{name}-r2"), "deletionPolicy is Retain")

        # Restored from Git: its status is lost, the Secrets are there.
        self.fed()
        status = self.wait_phase(name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Adopted"])
        self.assertEqual(len(self.uploads()), 2)
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{name}-r3"))


class Refusal(SourceTest):
    def test_a_key_of_another_certificate_is_refused_until_it_fits(self) -> None:
        self.put(self.issue())
        self.fed()
        self.wait_phase(self.edge.name, "Ready", 1)
        second = self.issue()
        self.change(encoded(tls_crt=second.chain))
        self.refused("tls.key", "tls.crt")
        self.assertEqual(self.condition(self.certificate(self.edge.name), "Ready")["status"], "True", "what is served is good")
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{self.edge.name}-r2-key"), "nothing of it is stored")
        self.change(encoded(tls_key=second.key))
        self.wait_phase(self.edge.name, "Ready", 2)
        self.assertEqual(self.live(self.edge), fingerprint(second.leaf))
        self.assertEqual(self.part(f"{self.edge.name}-r2-key", "tls.key"), second.key)

    def test_a_chain_that_leads_nowhere_is_refused(self) -> None:
        issued = self.issue()
        self.secret(self.source, {"tls.crt": issued.chain, "tls.key": issued.key}, "kubernetes.io/tls")
        self.fed()
        self.refused("tls.crt", "chain")
        self.change(encoded(ca_crt=self.authority.root))
        self.wait_phase(self.edge.name, "Ready", 1)
        self.assertEqual(len(self.uploads()), 1)

    def test_a_certificate_for_other_names_is_refused(self) -> None:
        self.put(self.issue())
        self.fed(dnsNames=["other.example.com"])
        self.refused("tls.crt", "other.example.com")
        self.assertEqual(self.uploads(), [])
        self.kube.patch("EdgeCertificate", self.namespace, self.edge.name, {"spec": {"dnsNames": [self.edge.host]}})
        self.wait_phase(self.edge.name, "Ready", 1)

    def test_a_secret_of_another_type_or_without_a_key_is_waited_for(self) -> None:
        issued = self.issue()
        self.secret(self.source, {"tls.crt": issued.chain, "tls.key": issued.key, "ca.crt": self.authority.root})
        self.fed()
        self.waits("SourceIncomplete", "Opaque", "kubernetes.io/tls")
        self.kube.delete("Secret", self.namespace, self.source)
        self.waits("SourceNotFound")
        self.secret(self.source, {"tls.crt": issued.chain, "tls.key": ""}, "kubernetes.io/tls")
        self.waits("SourceIncomplete", "tls.key")
        self.put(issued)
        self.wait_phase(self.edge.name, "Ready", 1)


class Rollback(SourceTest):
    def test_a_leaf_that_breaks_the_edge_is_not_taken_again(self) -> None:
        name = self.edge.name
        first, bad, good = self.issue(), self.issue(), self.issue()
        self.put(first)
        self.fed()
        self.wait_phase(name, "Ready", 1)
        self.sim.patch(self.edge, onApply="sip-down")
        self.put(bad)
        status = self.wait_phase(name, "RolledBack", 1, 150)
        self.assertEqual((status["history"][0]["revision"], status["history"][0]["result"]), (2, "RolledBack"))
        wait_for("the previous leaf is served again", lambda: self.live(self.edge) == fingerprint(first.leaf), 30)
        stalled = self.wait_condition("EdgeCertificate", name, "Stalled", "True")
        self.assertIn(f"Secret {self.source} still holds it", stalled["message"])

        self.sim.patch(self.edge, onApply="ok")
        before = self.certificate(name)["metadata"]["resourceVersion"]
        self.renew(name)
        self.put(bad)
        self.kube.patch("EdgeCertificate", self.namespace, name, {"spec": {"revisionHistoryLimit": 4}})
        wait_for("the change is seen", lambda: (c := self.certificate(name))["status"]["observedGeneration"] == c["metadata"]["generation"] and c["metadata"]["resourceVersion"] != before)
        self.wait_phase(name, "RolledBack", 1)
        self.assertEqual(self.uploads(), [fingerprint(leaf) for leaf in (first.leaf, bad.leaf, first.leaf)])
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{name}-r3-key"))

        self.put(good)  # the request still stands: it does not wait for the backoff
        self.wait_phase(name, "Ready", 3)
        self.assertEqual(self.live(self.edge), fingerprint(good.leaf))


class Foreign(SourceTest):
    def test_held_by_default_and_adopted_when_the_secret_holds_it(self) -> None:
        foreign = self.issue()
        install_by_hand(self.edge, foreign)
        wait_for("somebody else's certificate is served", lambda: self.live(self.edge) == fingerprint(foreign.leaf), 20)
        self.put(self.issue())
        self.fed()
        self.wait_phase(self.edge.name, "Held")
        self.assertEqual(self.condition(self.certificate(self.edge.name), "Stalled")["reason"], "ForeignCertificate")
        self.assertEqual(self.uploads(), [fingerprint(foreign.leaf)])

        self.put(foreign)
        status = self.wait_phase(self.edge.name, "Ready", 1)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Adopted"])
        self.assertEqual(self.uploads(), [fingerprint(foreign.leaf)], "nothing is pushed")
        serving = wait_for("secretName has it", lambda: self.kube.find("Secret", self.namespace, f"{self.edge.name}-tls"))
        self.assertEqual(fingerprint(leaf_of(serving)), fingerprint(foreign.leaf))


if __name__ == "__main__":
    unittest.main()
