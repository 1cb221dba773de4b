"""The limits of a CA, on Pebble behind a proxy that has Let's Encrypt's: sixty Edges of one domain that are ordered at once, and a CA that wants no orders."""

import base64
import json
import ssl
import threading
import time
import unittest
from collections import defaultdict
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for
from proxy import HttpsProxy, Sweep, make_certificates

WEEK = 7 * 24 * 3600


def rfc3339(seconds_from_now: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


class Bucket:
    """Tokens that come back evenly: `size` of them in `window` seconds."""

    def __init__(self, size: int, window: float) -> None:
        self.size, self.window = size, window
        self.tokens, self.at = float(size), time.monotonic()

    def take(self) -> float:
        """0 when there was a token, else in how many seconds there is one."""
        now = time.monotonic()
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.size / self.window)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) * self.window / self.size
        self.tokens -= 1
        return 0

    def give_back(self) -> None:
        self.tokens += 1


class LimitedCa(HttpsProxy):
    """In front of Pebble: answers as Let's Encrypt does when one of its buckets is empty."""

    def begin(self) -> None:
        self.lock = threading.Lock()
        self.domains: dict[str, Bucket] = defaultdict(lambda: Bucket(50, WEEK))
        self.names: dict[tuple[str, ...], Bucket] = defaultdict(lambda: Bucket(5, WEEK))
        self.account = Bucket(300, 3 * 3600)
        self.asked = 0
        self.refused: list[str] = []
        self.closed_for = 0.0  # refuses whatever comes, with this Retry-After

    def serve(self, client: Any) -> None:
        with self.tls.wrap_socket(client, server_side=True) as secure:
            head, body = self._read_request(secure)
            if not head:
                return
            names = self._ordered(body)
            if names and (wait := self._wait_for(names)) > 0:
                secure.sendall(self._refusal(names, wait))
                return
            answer = self._ask(self._closing(head) + body)
            if names and not answer.startswith(b"HTTP/1.1 201"):
                self._not_ordered(names)  # Pebble refuses one good nonce in twenty
            secure.sendall(answer)

    @staticmethod
    def _ordered(body: bytes) -> tuple[str, ...]:
        payload = json.loads(body).get("payload") if body else None
        asked = json.loads(base64.urlsafe_b64decode(payload + "===")) if payload else {}
        return tuple(sorted(identifier["value"] for identifier in asked.get("identifiers", [])))

    def _buckets(self, names: tuple[str, ...]) -> list[Bucket]:
        return [self.account, self.names[names], *(self.domains[domain] for domain in {".".join(name.split(".")[-2:]) for name in names})]

    def _wait_for(self, names: tuple[str, ...]) -> float:
        with self.lock:
            self.asked += 1
            return self.closed_for or max(bucket.take() for bucket in self._buckets(names))

    def _not_ordered(self, names: tuple[str, ...]) -> None:
        with self.lock:
            self.asked -= 1
            for bucket in self._buckets(names):
                bucket.give_back()

    def _refusal(self, names: tuple[str, ...], wait: float) -> bytes:
        self.refused.append(",".join(names))
        problem = json.dumps({"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates already issued", "status": 429}).encode()
        head = f"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: {int(wait) + 1}\r\nContent-Length: {len(problem)}\r\nConnection: close\r\n\r\n"
        return head.encode() + problem


class LimitedTest(OperatorTest):
    limits: dict[str, int] = {}

    def prepare(self) -> None:
        self.proxy_ca = make_certificates(self.folder).read_text()
        trust = ssl.create_default_context(cadata=super().trusted())
        self.ca = LimitedCa(env("STACK_ACME_DIRECTORY"), trust, self.folder, Sweep(), "acme")
        self.ca.begin()
        self.addCleanup(self.ca.close)
        super().prepare()
        self.kube.patch("AcmeIssuer", self.namespace, "pebble", {"spec": {"limits": self.limits}})

    def addresses(self) -> dict[str, str]:
        return super().addresses() | {"acme": self.ca.url + "/" + env("STACK_ACME_DIRECTORY").split("/", 3)[3]}

    def trusted(self) -> str:
        return super().trusted() + self.proxy_ca

    def reasons(self) -> dict[str, list[Any]]:
        """Every EdgeCertificate by what it waits for, or its phase."""
        found: dict[str, list[Any]] = defaultdict(list)
        for certificate in self.kube.list("EdgeCertificate", self.namespace):
            reason = self.condition(certificate, "Ready").get("reason", "")
            found[reason if reason.startswith("IssuerLimit") else certificate.get("status", {}).get("phase", "")].append(certificate)
        return found


class SixtyFirstOrders(LimitedTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"maxConcurrent": 60, "maxConcurrentPerSite": 60}}
    limits = {"newOrdersPer3Hours": 300, "certificatesPerDomainPerWeek": 50, "duplicatesPerWeek": 5}

    def test_fifty_are_ordered_and_ten_say_from_when_they_can_be(self) -> None:
        for appliance in self.sim.add_edges(60):
            self.make_edge(appliance)
            self.make_certificate(appliance)
        wait_for("fifty are Ready and ten wait", lambda: {reason: len(who) for reason, who in self.reasons().items()} == {"Ready": 50, "IssuerLimitDomain": 10}, 360, 1.0)
        self.assertEqual(self.ca.refused, [])
        self.assertEqual(self.ca.asked, 50)
        in_six, in_eight = rfc3339(WEEK - 86400), rfc3339(WEEK + 86400)
        for waiting in self.reasons()["IssuerLimitDomain"]:
            said = self.condition(waiting, "Ready")["message"]
            self.assertIn("limits.certificatesPerDomainPerWeek 50 is used up for", said)
            orders_at = waiting["status"]["next"].removeprefix("orders ")
            self.assertIn(f"it can be ordered from {orders_at} on", said)
            self.assertTrue(in_six < orders_at < in_eight, orders_at)
            self.assertNotIn("url", waiting["status"].get("order", {}))
        said = self.wait_condition("RotationPolicy", "default", "Infeasible", "True")
        self.assertEqual(said["reason"], "IssuerLimitDomain")
        self.assertIn("it has to be 60 at least", said["message"])

        # What was ordered is in the cluster, not in the operator.
        self.operator.kill()
        self.operator.start()
        lines = lambda: [line for line in self.operator.lines() if line["msg"] == "synced"]
        wait_for("it is back", lambda: len(lines()) == 2, 30)
        for bucket in self.ca.domains.values():
            bucket.give_back()  # the CA has granted one more
        self.kube.patch("AcmeIssuer", self.namespace, "pebble", {"spec": {"limits": {"certificatesPerDomainPerWeek": 51}}})
        wait_for("one more is Ready", lambda: {reason: len(who) for reason, who in self.reasons().items()} == {"Ready": 51, "IssuerLimitDomain": 9}, 240, 1.0)
        self.assertEqual((self.ca.asked, self.ca.refused), (51, []))


class AsleepCa(LimitedTest):
    """Its limits are not known: it is the CA that refuses."""

    def test_it_is_left_alone_until_its_time_and_all_wait(self) -> None:
        self.ca.closed_for = 45
        appliances = self.sim.add_edges(3)
        self.make_edge(appliances[0])
        self.make_certificate(appliances[0])
        issuer = lambda: self.kube.get("AcmeIssuer", self.namespace, "pebble").get("status", {})
        until = wait_for("the issuer sleeps", lambda: issuer().get("limitedUntil"))
        for appliance in appliances[1:]:
            self.make_edge(appliance)
            self.make_certificate(appliance)
        wait_for("all wait", lambda: len(self.reasons()["IssuerLimited"]) == 3, 40)
        self.ca.closed_for = 0
        self.assertEqual(self.ca.asked, 1)
        self.assertIn("edgetrust_issuer_limited_until_timestamp_seconds", self.operator.metrics())
        self.operator.kill()
        self.operator.start()
        for appliance in appliances:
            self.wait_phase(appliance.name, "Ready", 1)
        self.assertGreaterEqual(rfc3339(), until)
        self.assertEqual(self.ca.asked, 4, "nobody asked in the meantime")
        wait_for("the issuer is awake", lambda: not issuer().get("limitedUntil"), 10)


if __name__ == "__main__":
    unittest.main()
