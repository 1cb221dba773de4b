"""What the CA hands out is looked at before anything is pushed."""

import base64
import ssl
import unittest

from authority import trusted_by_sbc
from harness import OperatorTest, env, wait_for
from own_pebble import OwnPebble
from proxy import HttpsProxy, Sweep, make_certificates

END = b"-----END CERTIFICATE-----\n"


class WithoutItsMiddle(HttpsProxy):
    """Takes the second certificate out of every chain that the CA hands out."""

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        return f"{method} {path}" if path.startswith("/certZ/") else None

    def _ask(self, request: bytes) -> bytes:
        head, _, body = super()._ask(request).partition(b"\r\n\r\n")
        chain = body.split(END)
        if len(chain) == 4:  # three certificates, and what follows the last
            body = END.join([chain[0], chain[2], chain[3]])
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


class Chains(OperatorTest):
    start_operator = False

    def issuer_at(self, directory: str) -> None:
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        self.make("AcmeIssuer", "own", spec | {"server": directory, "accountKeyRef": {"name": "own-account"}})
        self.operator.start()

    def pebble(self, **how: int) -> OwnPebble:
        pebble = OwnPebble(self.folder, **how)
        self.addCleanup(pebble.close)
        trusted_by_sbc(self.sim, pebble.root)
        return pebble

    def chain_length(self, name: str) -> int:
        return base64.b64decode(self.kube.get("Secret", self.namespace, name)["data"]["tls.crt"]).count(END.strip())

    def test_leaf_straight_under_a_private_root_is_allowed(self) -> None:
        self.issuer_at(self.pebble(chain_length=0).directory)
        edge = self.new_edge(issuerRef={"name": "own"})
        status = self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 1)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])

    def test_chain_of_three_is_delivered_whole(self) -> None:
        self.issuer_at(self.pebble(chain_length=2).directory)
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 3)
        self.assertEqual(self.sim.edge(edge)["sip"]["state"], "UP", "the peer has the root alone, and verifies")

    def test_chain_without_its_middle_is_stopped_before_any_upload(self) -> None:
        pebble = self.pebble(chain_length=2)
        ca = make_certificates(self.folder)
        both = self.trusted() + ca.read_text()
        self.kube.patch("Secret", self.namespace, "stack-ca", {"data": {"ca.crt": base64.b64encode(both.encode()).decode()}})
        upstream = ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE"))
        proxy = WithoutItsMiddle(pebble.directory, upstream, self.folder, Sweep(), "acme")
        self.addCleanup(proxy.close)
        self.issuer_at(proxy.url + "/dir")
        edge = self.new_edge(issuerRef={"name": "own"})
        status = wait_for("it is rejected", lambda: (s := self.status(edge.name)).get("history") and s)
        self.assertEqual([(entry["revision"], entry["result"]) for entry in status["history"]], [(1, "Rejected")])
        stalled = self.wait_condition("EdgeCertificate", edge.name, "Stalled", "True")
        self.assertEqual(stalled["reason"], "ChainRejected")
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 2, "what came is kept, for whoever wants to see it")
        self.assertEqual(self.sim.uploads(edge), [])


if __name__ == "__main__":
    unittest.main()
