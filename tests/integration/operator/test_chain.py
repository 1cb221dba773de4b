"""What the CA hands out is looked at before anything is pushed."""

import base64
import json
import ssl
import unittest

from authority import Authority, trusted_by_sbc
from harness import OperatorTest, env, wait_for
from own_pebble import OwnPebble
from proxy import HttpsProxy, Sweep, make_certificates

END = b"-----END CERTIFICATE-----\n"


def with_body(head: bytes, body: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


class WithoutItsMiddle(HttpsProxy):
    """Takes the second certificate out of every chain that the CA hands out."""

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        return f"{method} {path}" if path.startswith("/certZ/") else None

    def _ask(self, request: bytes) -> bytes:
        head, _, body = super()._ask(request).partition(b"\r\n\r\n")
        chain = body.split(END)
        if len(chain) == 4:  # three certificates, and what follows the last
            body = END.join([chain[0], chain[2], chain[3]])
        return with_body(head, body)


class RootAlone(HttpsProxy):
    """Hands out leaves straight under a root of its own, as an internal CA may; all else is Pebble's."""

    authority: Authority
    host_name = ""
    csr = b""

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        if path.startswith("/finalize-order/"):
            payload = base64.urlsafe_b64decode(json.loads(body)["payload"] + "==")
            self.csr = base64.urlsafe_b64decode(json.loads(payload)["csr"] + "==")
        return f"{method} {path}" if path.startswith("/certZ/") else None

    def _ask(self, request: bytes) -> bytes:
        head, _, body = super()._ask(request).partition(b"\r\n\r\n")
        return with_body(head, self.authority.sign(self.csr, self.host_name).encode() if END in body else body)


class Chains(OperatorTest):
    start_operator = False

    def issuer_at(self, directory: str) -> None:
        spec = self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]
        self.make("AcmeIssuer", "own", spec | {"server": directory, "accountKeyRef": {"name": "own-account"}})
        self.operator.start()

    def behind(self, proxy: type[HttpsProxy], directory: str, roots: str = "") -> HttpsProxy:
        """A proxy before that CA; the issuer's bundle holds its own CA and `roots`."""
        ca = make_certificates(self.folder)
        all_of_them = base64.b64encode((self.trusted() + ca.read_text() + roots).encode()).decode()
        self.kube.patch("Secret", self.namespace, "stack-ca", {"data": {"ca.crt": all_of_them}})
        upstream = ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE"))
        made = proxy(directory, upstream, self.folder, Sweep(), "acme")
        self.addCleanup(made.close)
        return made

    def chain_of_three(self) -> OwnPebble:
        pebble = OwnPebble(self.folder, chain_length=2)
        self.addCleanup(pebble.close)
        trusted_by_sbc(self.sim, pebble.root)
        return pebble

    def chain_length(self, name: str) -> int:
        return base64.b64decode(self.kube.get("Secret", self.namespace, name)["data"]["tls.crt"]).count(END.strip())

    def test_leaf_straight_under_a_private_root_is_allowed(self) -> None:
        home = self.folder / "root-alone"
        home.mkdir()
        authority = Authority(home)
        trusted_by_sbc(self.sim, authority.root)
        proxy = self.behind(RootAlone, env("STACK_ACME_DIRECTORY"), authority.root)
        proxy.authority = authority
        edge = self.sim.add_edges(1)[0]
        proxy.host_name = edge.host
        self.issuer_at(proxy.url + "/dir")
        self.make_edge(edge)
        self.make_certificate(edge, issuerRef={"name": "own"})
        status = self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 1)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])

    def test_chain_of_three_is_delivered_whole(self) -> None:
        self.issuer_at(self.chain_of_three().directory)
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 3)
        self.assertEqual(self.sim.edge(edge)["sip"]["state"], "UP", "the peer has the root alone, and verifies")

    def test_chain_without_its_middle_is_stopped_before_any_upload(self) -> None:
        proxy = self.behind(WithoutItsMiddle, self.chain_of_three().directory)
        self.issuer_at(proxy.url + "/dir")
        edge = self.new_edge(issuerRef={"name": "own"})
        status = wait_for("it is rejected", lambda: (s := self.status(edge.name)).get("history") and s)
        self.assertEqual([(entry["revision"], entry["result"]) for entry in status["history"]], [(1, "Rejected")])
        issued = wait_for("the reason is told", lambda: (c := self.condition(self.certificate(edge.name), "Issued")).get("status") == "False" and c)
        self.assertIn("the chain is incomplete", issued["message"])
        self.assertIn("ChainRejected", {event["reason"] for event in self.kube.events(self.namespace)})
        self.assertIn("tries again", status["next"])
        self.assertEqual(self.chain_length(f"{edge.name}-r1"), 2, "what came is kept, for whoever wants to see it")
        self.assertEqual(self.sim.upload_attempts(edge), [])


if __name__ == "__main__":
    unittest.main()
