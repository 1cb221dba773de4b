"""The operator is killed with SIGKILL before and after each mutating request of a rotation that ends in a rollback, and started again."""

from __future__ import annotations

import base64
import os
import signal
import ssl
import subprocess
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import ALWAYS_OPEN, Operator, OperatorTest, env, wait_for
from proxy import DnsProxy, HttpsProxy, Sweep, kind_of, kubeconfig, make_certificates
from simulator import Appliance, fingerprint, leaf_of

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
            "kube": HttpsProxy("https://" + self.kube.address, self.kube.anonymous_tls(), self.folder, self.sweep, "kube"),
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

    def tell(self, target: tuple[str, int] = ("", 0), when: str = "") -> list[str]:
        """The whole story, with a crash at the n-th request of a kind if there is a target; the requests of its second half, by name."""
        self.setUp()
        try:
            self.operator = Operator(self.namespace, self.folder, str(kubeconfig(self.proxies["kube"].url, self.folder / "ca.crt", self.folder, self.token)))
            self.operator.start()
            edge = self.new_edge()
            first = self.wait_phase(edge.name, "Ready", 1, 120)
            wait_for("the first half is over", lambda: not self.certificate(edge.name)["metadata"].get("finalizers") and self.kube.find("Secret", self.namespace, f"{edge.name}-tls"))
            self.sim.patch(edge, onApply="sip-down")
            self.sweep.aim(target, when, self.strike)
            keys = {part: self.kube.get("Secret", self.namespace, f"{edge.name}-{part}")["data"] for part in ("r1", "r1-key")}
            self.sweep.begin()
            # One more name asks for a new revision, and for a challenge that no earlier authorization answers.
            self.kube.patch("EdgeCertificate", self.namespace, edge.name, {"spec": {"dnsNames": [edge.host, f"more.{edge.host}"]}})
            if when:
                wait_for("the crash, or the end without it", lambda: self.struck or (self.is_over(edge) and self.sweep.call_off()), 90)
                if self.struck:
                    assert self.operator.process is not None
                    self.assertEqual(self.operator.process.wait(10), -signal.SIGKILL)
                    self.operator.start()
            began = time.monotonic()
            over = lambda: self.is_over(edge) and self.live(edge) == first["fingerprintSha256"]
            try:
                wait_for("rolled back, nothing under way, the first leaf live", over, 60 if when else 120)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.status(edge.name)}\n{self.operator.log.read_text()[-6000:]}") from None
            self.took = time.monotonic() - began
            self.check(edge, first, self.status(edge.name), keys)
            self.assertEqual(self.operator.stop(), 0)
            self.end_operator()  # looks for secrets in its log
            return list(self.sweep.seen)
        finally:
            self.operator.kill()
            self.doCleanups()

    def strike(self) -> None:
        self.operator.kill()
        self.struck = True

    def is_over(self, edge: Appliance) -> bool:
        certificate = self.certificate(edge.name)
        status = certificate["status"]
        marked = (self.kube.find("Secret", self.namespace, f"{edge.name}-r2") or {"metadata": {}})["metadata"].get("annotations", {})
        return status.get("phase") == "RolledBack" and not certificate["metadata"].get("finalizers") and "order" not in status and "edgetrust.io/rejected" in marked

    def check(self, edge: Appliance, first: Any, status: Any, before: dict[str, Any]) -> None:
        self.assertEqual([(h["revision"], h["result"]) for h in status["history"]], [(2, "RolledBack"), (1, "Active")])
        orders = [what for what in self.sweep.executed if what.endswith("/order-plz")]
        self.assertEqual(len(orders), 1, "one order for the revision, whatever was lost on the way")
        for part, data in before.items():
            self.assertEqual(self.kube.get("Secret", self.namespace, f"{edge.name}-{part}")["data"], data, f"{part} is another one")
        second = {part: base64.b64decode(self.kube.get("Secret", self.namespace, f"{edge.name}-{part}")["data"][name]) for part, name in (("r2", "tls.crt"), ("r2-key", "tls.key"))}
        of_leaf = ["openssl", "x509", "-noout", "-pubkey"]
        of_key = ["openssl", "pkey", "-pubout"]
        told = [subprocess.run(command, input=pem, capture_output=True, check=True).stdout for command, pem in ((of_leaf, second["r2"]), (of_key, second["r2-key"]))]
        self.assertEqual(told[0], told[1], "the key of what was pushed is another one")
        self.assertEqual(fingerprint(leaf_of(self.kube.get("Secret", self.namespace, f"{edge.name}-tls"))), first["fingerprintSha256"])
        uploads = [u["fingerprintSha256"] for u in self.sim.uploads(edge)]
        self.assertEqual(uploads[-1], first["fingerprintSha256"])
        rejected = status["history"][0]["fingerprintSha256"]
        after = uploads[uploads.index(rejected) :]
        back = after.index(first["fingerprintSha256"])
        self.assertNotIn(rejected, after[back:], "the rejected certificate is never pushed again")
        answer = subprocess.run(["dig", "+short", "+tcp", "-p", env("STACK_DNS_ADDR").rsplit(":", 1)[1], "@127.0.0.1", "TXT", f"_acme-challenge.more.{edge.host}"], capture_output=True, text=True, check=True)
        self.assertEqual(answer.stdout.strip(), "", "a TXT record is left behind")
        holders = [lease["spec"].get("holderIdentity") or "" for lease in self.kube.list("Lease", self.namespace)]
        self.assertGreaterEqual(len(holders), 2, "a slot of the policy and one of the site")
        self.assertEqual(set(holders), {""}, "a slot of the budget is left behind")


class Sweeps(unittest.TestCase):
    def test_every_mutating_request(self) -> None:
        # What the operator notes of the Edge itself, of its connection and of its policy, in their own objects, is no part of the rotation.
        aside = ("/edges/", "/genesysconnections/", "/rotationpolicies/")
        requests = Counter(kind_of(what) for what in Crashed().tell() if not any(other in what for other in aside))
        self.assertGreater(requests.total(), 20)
        points = [((kind, n), when) for kind, count in requests.items() for n in range(1, count + 1) for when in ("before", "after")]
        wrong: list[str] = []
        struck: set[tuple[tuple[str, int], str]] = set()
        times: list[float] = []

        def told(point: tuple[tuple[str, int], str]) -> None:
            story = Crashed()
            try:
                story.tell(*point)
                if story.struck:
                    struck.add(point)
                    times.append(story.took)
            except Exception as error:  # noqa: BLE001 - every point is told about
                wrong.append(f"killed {point[1]} request {point[0][1]} of {point[0][0]}: {error}")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(told, points))
        print(f"\n{len(times)} of {len(points)} crashes came and ended on the right certificate, after {max(times):.0f} s at the most; mutating requests: {dict(requests)}")
        self.assertEqual(wrong, [], "\n\n".join(wrong))
        # A nonce that Pebble refused makes a request come once more in one story than in another: such a last one may have no crash.
        self.assertEqual({((kind, 1), when) for kind in requests for when in ("before", "after")} - struck, set(), "these were not crashed at")
        self.assertGreaterEqual(len(struck), len(points) * 9 // 10)


if __name__ == "__main__":
    unittest.main()
