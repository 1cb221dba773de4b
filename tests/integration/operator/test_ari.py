"""Renewal information (RFC 9773) on Pebble: a certificate that its CA would have renewed now."""

import base64
import json
import ssl
import time
import unittest
import urllib.request
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for
from proxy import HttpsProxy, Sweep, make_certificates
from simulator import leaf_of

WHY = "https://ca.example/incident"


def rfc3339(seconds_from_now: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


def set_renewal_info(leaf: bytes, start: float, end: float) -> None:
    """What Pebble answers about this certificate from now on; the window's ends count from now, in seconds."""
    info = {"suggestedWindow": {"start": rfc3339(start), "end": rfc3339(end)}, "explanationURL": WHY}
    body = json.dumps({"Certificate": ssl.DER_cert_to_PEM_cert(leaf), "ARIResponse": json.dumps(info)})
    trust = ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE"))
    request = urllib.request.Request(env("STACK_ACME_MANAGEMENT") + "/set-renewal-info/", body.encode(), method="POST")
    with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
        assert answer.status == 200


class OrderWatch(HttpsProxy):
    """In front of Pebble: notes what each order asks for."""

    orders: list[dict[str, Any]]

    def _mutation(self, method: str, path: str, body: bytes) -> str | None:
        payload = json.loads(body).get("payload") if method == "POST" else None
        asked = json.loads(base64.urlsafe_b64decode(payload + "===")) if payload else {}
        again = self.orders and self.orders[-1] == asked  # its nonce was refused
        if "identifiers" in asked and not again:
            self.orders.append(asked)
        return None  # forwarded as it is


class WatchedTest(OperatorTest):
    def prepare(self) -> None:
        self.proxy_ca = make_certificates(self.folder).read_text()
        trust = ssl.create_default_context(cadata=super().trusted())
        self.watch = OrderWatch(env("STACK_ACME_DIRECTORY"), trust, self.folder, Sweep(), "acme")
        self.watch.orders = []
        self.addCleanup(self.watch.close)
        super().prepare()

    def addresses(self) -> dict[str, str]:
        return super().addresses() | {"acme": self.watch.url + "/" + env("STACK_ACME_DIRECTORY").split("/", 3)[3]}

    def trusted(self) -> str:
        return super().trusted() + self.proxy_ca


class BroughtForward(WatchedTest):
    """An approval holds each revision, so that what Pebble says of one is settled before the operator asks, which it does once it is live."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "approval": {"required": True}}

    def stored_leaf(self, name: str, revision: int) -> bytes:
        self.wait_phase(name, "AwaitingApproval")
        return leaf_of(self.kube.get("Secret", self.namespace, f"{name}-r{revision}"))

    def approve(self, name: str, revision: int) -> None:
        self.annotate(name, "approve", json.dumps({"revision": revision}))
        wait_for(f"revision {revision} is live", lambda: self.status(name).get("revision") == revision, 90)

    def info(self, name: str, revision: int) -> Any:
        def known() -> Any:
            info = self.status(name).get("renewalInfo", {})
            return info if info.get("revision") == revision else None

        return wait_for(f"the CA was asked about revision {revision}", known, 30)

    def test_a_window_in_the_past_is_one_renewal_that_replaces_the_certificate(self) -> None:
        edge = self.new_edge()
        set_renewal_info(self.stored_leaf(edge.name, 1), -7200, -3600)
        self.approve(edge.name, 1)
        info = self.info(edge.name, 1)
        self.assertEqual(info["explanationUrl"], WHY)
        set_renewal_info(self.stored_leaf(edge.name, 2), 3600 * 2000, 3600 * 2001)
        self.assertEqual(self.status(edge.name)["revision"], 1, "it waits for its approval as any other")
        self.approve(edge.name, 2)
        self.info(edge.name, 2)
        # All is quiet, and the new certificate is not due by the window of the old one.
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Active", "Superseded"])
        self.assertGreater(status["renewalTime"], rfc3339(24 * 3600))
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2)
        self.assertEqual(self.operator.executed("LookAtRenewalInfo", edge.name), 2)
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r3-key"))
        said = [event for event in self.kube.events(self.namespace) if event["reason"] == "RenewalBroughtForward"]
        self.assertEqual(len(said), 1)
        self.assertIn(WHY, said[0]["note"])
        first, replacement = self.watch.orders
        self.assertNotIn("replaces", first)
        serial = base64.urlsafe_b64decode(replacement["replaces"].split(".")[1] + "===")
        self.assertEqual(int.from_bytes(serial, "big"), int(status["history"][1]["serialNumber"], 16))


class RefusedReplacement(WatchedTest):
    """The issuer's account is another one by now: Pebble does not let it replace what the first has ordered."""

    def test_it_is_ordered_once_more_without_it(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.kube.patch("AcmeIssuer", self.namespace, "pebble", {"spec": {"accountKeyRef": {"name": "another-account"}}})
        self.wait_condition("AcmeIssuer", "pebble", "Ready", "True")
        wait_for("the new account's key", lambda: self.kube.find("Secret", self.namespace, "another-account"))
        self.renew(edge.name)
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Active", "Superseded"])
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2)
        self.assertEqual(["replaces" in order for order in self.watch.orders], [False, True, False])


if __name__ == "__main__":
    unittest.main()
