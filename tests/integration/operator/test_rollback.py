"""A new certificate that breaks an Edge is replaced by the previous one: when, how often, and by whose word."""

import time
import unittest

from harness import ALWAYS_OPEN, LITERAL, PATIENT, OperatorTest, wait_for
from simulator import Appliance


class Rollback(OperatorTest):
    """The guide's word kept literally: settle 0s, failAfter 1. A status call is answered 2.5 s late, when the restart of the port (1 s) is over, so that what the
    Edge says of itself is what is judged."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT}
    literal = True

    def renewed(self, on_apply: str) -> tuple[Appliance, str]:
        """An Edge with a certificate, whose fingerprint comes with it, and its next one asked for."""
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)["fingerprintSha256"]
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"observe": LITERAL if self.literal else None}})
        if self.literal:
            self.sim.slow_status(edge, 2.5)
        self.sim.patch(edge, onApply=on_apply)
        self.renew(edge.name)
        return edge, first

    def broken_renewal(self, on_apply: str, verdict: str, looks: range, seconds: range) -> None:
        """`looks`: status calls until the rollback; `seconds` from the push to the rollback."""
        edge, first = self.renewed(on_apply)
        wait_for("the rollback is pushed", lambda: len(self.sim.uploads(edge)) > 2, 200)
        pushed, back = [upload["at"] for upload in self.sim.uploads(edge)[1:3]]
        calls = [call["at"] for call in self.sim.status_calls(edge) if pushed < call["at"] < back]
        self.assertIn(len(calls), looks)
        self.assertIn(int(back - pushed), seconds)
        wait_for("the previous leaf is served again", lambda: self.live(edge) == first, 30)
        self.assertLess(time.time() - calls[-1], 30, "from the look that told to the old certificate")
        status = self.wait_phase(edge.name, "RolledBack", 1)
        self.assertEqual(status["fingerprintSha256"], first)
        self.assertEqual((status["history"][0]["result"], status["history"][0]["revision"]), ("RolledBack", 2))
        self.assertTrue(status["history"][0]["message"].endswith(verdict), status["history"][0]["message"])
        certificate = self.certificate(edge.name)
        self.assertEqual(self.condition(certificate, "Ready")["status"], "True")
        self.assertEqual(self.condition(certificate, "RolledBack")["status"], "True")
        wait_for("SIP is up again", lambda: self.sim.edge(edge)["sip"]["state"] == "UP", 30)
        uploads = [upload["fingerprintSha256"] for upload in self.sim.upload_attempts(edge)]
        self.assertEqual(len(uploads), 3, "first, rejected, first again: exactly one extra upload")
        self.assertEqual(uploads[2], first)

    def test_sip_down(self) -> None:
        self.broken_renewal("sip-down", "the Edge reports SIP_DOWN", range(1, 2), range(0, 30))

    def test_critical(self) -> None:
        self.broken_renewal("critical", "the Edge reports Critical", range(1, 2), range(0, 30))

    def test_an_edge_that_is_well_is_not_rolled_back(self) -> None:
        edge, _ = self.renewed("ok")
        self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2)


class RollbackByDefault(Rollback):
    """With nothing said about observation: settle 90s, interval 15s, failAfter 2 (controller/docs/adr/0001-settle-before-the-verdict.md)."""

    literal = False

    def test_sip_down(self) -> None:
        self.broken_renewal("sip-down", "the Edge reports SIP_DOWN", range(7, 10), range(90, 135))

    def test_critical(self) -> None:
        self.broken_renewal("critical", "the Edge reports Critical", range(2, 4), range(15, 60))

    test_an_edge_that_is_well_is_not_rolled_back = None  # type: ignore[assignment] - Renewal tells that


if __name__ == "__main__":
    unittest.main()
