"""Orders that something happens to, and many of them at once."""

import base64
import ssl
import subprocess
import unittest

from authority import trusted_by_sbc
from harness import env, wait_for
from proxy import HttpsProxy, Sweep, make_certificates
from test_ca import CaTest


class Strike(HttpsProxy):
    """In front of Pebble: the answer to the first request of a kind is lost, or is an error page."""

    lost = ""
    broken = ""
    orders = 0

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        if self.broken and path.startswith(self.broken):
            return f"{method} {path}"
        return super()._mutation(method, path, body)

    def _ask(self, request: bytes) -> bytes:
        path = request.split(b" ", 2)[1].decode()
        if self.broken and path.startswith(self.broken):
            self.broken = ""
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        answer = super()._ask(request)
        done = answer.startswith(b"HTTP/") and int(answer.split(b" ", 2)[1]) < 400
        if path.startswith("/order-plz") and done:
            self.orders += 1
        if self.lost and path.startswith(self.lost) and done:
            self.lost = ""
            return b""  # the connection is closed without a word
        return answer


class LostAndBroken(CaTest):
    """What goes wrong between the CA and the operator costs no order more than the certificate itself; a CA that has forgotten everything costs one."""

    def behind(self) -> Strike:
        self.ca = self.pebble()
        ca = make_certificates(self.folder)
        proxy = Strike(self.ca.directory, ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE")), self.folder, Sweep(), "acme")
        self.addCleanup(proxy.close)
        self.use(proxy.url + "/dir", self.ca.root, ca.read_text())
        return proxy

    def test_finalize_is_executed_and_its_answer_lost(self) -> None:
        proxy = self.behind()
        proxy.lost = "/finalize-order/"
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual((proxy.lost, proxy.orders), ("", 1))

    def test_answer_to_the_order_is_lost(self) -> None:
        proxy = self.behind()
        proxy.lost = "/order-plz"
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual((proxy.lost, proxy.orders), ("", 1))

    def test_certificate_cannot_be_fetched_at_first(self) -> None:
        proxy = self.behind()
        proxy.broken = "/certZ/"
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual((proxy.broken, proxy.orders), ("", 1))

    def test_server_restarted_with_all_state_lost(self) -> None:
        proxy = self.behind()
        edge = self.new_edge(issuerRef={"name": "own"})
        wait_for("the order is written down", lambda: self.status(edge.name).get("order", {}).get("url"))
        self.ca.stop()
        self.ca.start()
        failed = wait_for("the order is known to be lost", lambda: self.status(edge.name).get("order", {}).get("failures"), 120)
        self.assertEqual(failed, 1)
        roots = self.trusted() + (self.folder / "ca.crt").read_text() + self.ca.root
        self.kube.patch("Secret", self.namespace, "stack-ca", {"data": {"ca.crt": base64.b64encode(roots.encode()).decode()}})
        trusted_by_sbc(self.sim, self.ca.root)
        self.renew(edge.name)
        self.wait_phase(edge.name, "Ready", 2)  # nobody knows what became of the first key
        self.assertEqual(proxy.orders, 2, "one more, and no third")


class ThreeHundred(CaTest):
    """Many at once, with no wait for propagation: none fails, none is ordered twice, nothing is left in the zone."""

    def test_all_issued_and_the_zone_is_clean(self) -> None:
        self.operator.more = ("--kube-qps", "1000", "--kube-burst", "1000")  # its own budget of API requests would be what is measured
        pebble = self.pebble()
        self.use(pebble.directory, pebble.root)
        names = self.new_certificates(300)
        self.wait_all(names, "Issued", 600)
        certificates = self.kube.list("EdgeCertificate", self.namespace)
        self.assertEqual([c["metadata"]["name"] for c in certificates if c["status"].get("order", {}).get("failures")], [])
        # Each has one of its own, so that 300 for all are one for each; also those whose answer nobody got.
        self.assertEqual(pebble.orders(), 300)
        wait_for("every order is cleaned up", lambda: not any("order" in c["status"] for c in self.kube.list("EdgeCertificate", self.namespace)), 120, 1.0)
        questions = self.folder / "questions"
        questions.write_text("".join(f"_acme-challenge.{host} TXT\n" for certificate in certificates for host in certificate["spec"]["dnsNames"]))
        host, port = env("STACK_DNS_ADDR").rsplit(":", 1)
        left = subprocess.run(["dig", f"@{host}", "-p", port, "+short", "-f", str(questions)], check=True, capture_output=True, text=True).stdout
        self.assertEqual(left.strip(), "")


if __name__ == "__main__":
    unittest.main()
