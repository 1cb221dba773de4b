"""The operator is killed with SIGKILL before and after each mutating request of a rotation that ends in a rollback, and started again."""

from __future__ import annotations

import os
import ssl
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import ALWAYS_OPEN, Operator, OperatorTest, env, wait_for
from proxy import DnsProxy, HttpsProxy, Sweep, kubeconfig, make_certificates
from simulator import fingerprint, leaf_of

AT_ONCE = int(os.environ.get("EDGETRUST_CRASHES_AT_ONCE", "6"))


class Crashed(OperatorTest):
    """One story: a first certificate, then one that breaks SIP and is rolled back, with a crash on the way."""

    policy = {"windows": ALWAYS_OPEN, "observe": {"settle": "3s", "period": "2s", "interval": "1s", "failAfter": 2}}
    start_operator = False
    struck = False  # the crash came; how many requests there are varies a little with what the CA has time for

    def runTest(self) -> None:  # not a test by itself: told by Sweeps below
        pass

    def prepare(self) -> None:
        ca = make_certificates(self.folder)
        self.proxy_ca = ca.read_text()
        self.sweep = Sweep()
        servers = ssl.create_default_context(cadata=super().trusted())
        servers.check_hostname = False  # the stack's servers are 127.0.0.1; the chain is what matters here
        self.proxies = {
            "kube": HttpsProxy("https://" + self.kube.address, self.kube.tls, self.folder, self.sweep, "kube"),
            "acme": HttpsProxy(env("STACK_ACME_DIRECTORY"), servers, self.folder, self.sweep, "acme"),
            "api": HttpsProxy(env("STACK_GENESYS_API"), servers, self.folder, self.sweep, "genesys"),
            "dns": DnsProxy(env("STACK_DNS_ADDR"), self.sweep),
        }
        for proxy in self.proxies.values():
            self.addCleanup(proxy.close)
        super().prepare()

    def addresses(self) -> dict[str, str]:
        directory = env("STACK_ACME_DIRECTORY")
        api = self.proxies["api"].url
        return {"acme": self.proxies["acme"].url + "/" + directory.split("/", 3)[3], "dns": f"127.0.0.1:{self.proxies['dns'].port}", "api": api, "login": env("STACK_GENESYS_LOGIN")}

    def trusted(self) -> str:
        return super().trusted() + self.proxy_ca

    def tell(self, target: int, when: str) -> list[str]:
        """The whole story; the requests of its second half, by name."""
        self.setUp()
        try:
            self.operator = Operator(self.namespace, self.folder, str(kubeconfig(self.proxies["kube"].url, self.folder / "ca.crt", self.folder)))
            self.operator.start()
            edge = self.new_edge()
            first = self.wait_phase(edge.name, "Ready", 1, 120)
            wait_for("the first half is over", lambda: not self.certificate(edge.name)["metadata"].get("finalizers") and self.kube.find("Secret", self.namespace, f"{edge.name}-tls"))
            self.sim.patch(edge, onApply="sip-down")
            self.sweep.aim(target, when, self.operator.kill)
            self.sweep.begin()
            # One more name asks for a new revision, and for a challenge that no earlier authorization answers.
            self.kube.patch("EdgeCertificate", self.namespace, edge.name, {"spec": {"dnsNames": [edge.host, f"more.{edge.host}"]}})
            if target:
                crashed = lambda: self.operator.process is not None and self.operator.process.poll() is not None
                wait_for("the crash, or the end without it", lambda: crashed() or self.status(edge.name).get("phase") == "RolledBack", 90)
                self.struck = crashed()
                if self.struck:
                    self.operator.start()
            status = self.wait_phase(edge.name, "RolledBack", 1, 60 if target else 120)
            wait_for("nothing is left under way", lambda: not self.certificate(edge.name)["metadata"].get("finalizers") and "order" not in self.status(edge.name), 30)
            self.check(edge, first, status)
            return list(self.sweep.seen)
        finally:
            self.operator.kill()
            self.doCleanups()

    def check(self, edge, first, status) -> None:  # type: ignore[no-untyped-def]
        wait_for("the first leaf is live", lambda: self.live(edge) == first["fingerprintSha256"], 30)
        self.assertEqual([(h["revision"], h["result"]) for h in status["history"]], [(2, "RolledBack"), (1, "Active")])
        orders = [what for what in self.sweep.executed if what.endswith("/order-plz")]
        self.assertEqual(len(orders), 1, "one order for the revision, whatever was lost on the way")
        for name in (f"{edge.name}-r1", f"{edge.name}-r1-key", f"{edge.name}-r2", f"{edge.name}-r2-key"):
            self.assertIsNotNone(self.kube.find("Secret", self.namespace, name), f"{name} is lost")
        self.assertEqual(fingerprint(leaf_of(self.kube.get("Secret", self.namespace, f"{edge.name}-tls"))), first["fingerprintSha256"])
        uploads = [u["fingerprintSha256"] for u in self.sim.uploads(edge)]
        self.assertEqual(uploads[-1], first["fingerprintSha256"])
        rejected = status["history"][0]["fingerprintSha256"]
        after = uploads[uploads.index(rejected) :]
        back = after.index(first["fingerprintSha256"])
        self.assertNotIn(rejected, after[back:], "the rejected certificate is never pushed again")
        answer = subprocess.run(["dig", "+short", "+tcp", "-p", env("STACK_DNS_ADDR").rsplit(":", 1)[1], "@127.0.0.1", "TXT", f"_acme-challenge.more.{edge.host}"], capture_output=True, text=True, check=True)
        self.assertEqual(answer.stdout.strip(), "", "a TXT record is left behind")


class Sweeps(unittest.TestCase):
    def test_every_mutating_request(self) -> None:
        requests = Crashed().tell(0, "")
        self.assertGreater(len(requests), 20)
        points = [(n, when) for n in range(1, len(requests) + 1) for when in ("before", "after")]
        wrong: list[str] = []
        struck: list[tuple[int, str]] = []

        def told(point: tuple[int, str]) -> None:
            story = Crashed()
            try:
                story.tell(*point)
                if story.struck:
                    struck.append(point)
            except Exception as error:  # noqa: BLE001 - every point is told about
                wrong.append(f"killed {point[1]} request {point[0]} ({requests[point[0] - 1]}): {error}")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(told, points))
        print(f"\n{len(struck)} of {len(points)} crashes came and ended on the right certificate; {len(requests)} mutating requests: {requests}")
        self.assertEqual(wrong, [], "\n\n".join(wrong))
        self.assertGreaterEqual(len(struck), len(points) * 9 // 10)


if __name__ == "__main__":
    unittest.main()
