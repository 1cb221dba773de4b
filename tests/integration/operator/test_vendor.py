"""The vendor's own parser is shown each chain before it is pushed."""

import unittest
from typing import Any

from harness import wait_for
from own_simulator import OwnSimulatorTest

DETAILS = "/api/v2/certificate/details"


class Parser(OwnSimulatorTest):
    def plan(self, times: int, status: int, message: str) -> None:
        body = {"status": status, "code": "planned", "message": message}
        self.sim.fault(method="POST", path=DETAILS, times=times, action={"status": status, "body": body})

    def questions(self) -> list[Any]:
        return [entry for entry in self.sim.requests() if entry["path"] == DETAILS]

    def test_chain_that_it_refuses_is_held_back_before_any_upload(self) -> None:
        self.plan(1, 400, "unknown signature algorithm")
        edge = self.new_edge()
        refused = wait_for("it is refused", lambda: (c := self.condition(self.certificate(edge.name), "Stalled")).get("reason") == "VendorRefusesChain" and c, 90)
        self.assertIn("unknown signature algorithm", refused["message"])
        wait_for("whoever listens is told", lambda: any(event["reason"] == "VendorRefusesChain" for event in self.kube.events(self.namespace)))
        self.assertEqual(self.sim.upload_attempts(edge), [])
        self.annotate(edge.name, "rotate-requested-at", "1")  # a person knows better
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(len(self.sim.upload_attempts(edge)), 1)
        self.assertEqual([entry["status"] for entry in self.questions()], [400], "once a chain, and nobody asks when a person insists")

    def test_api_that_does_not_have_it_is_done_without(self) -> None:
        self.plan(0, 404, "no such call")
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual([entry["status"] for entry in self.questions()], [404])


if __name__ == "__main__":
    unittest.main()
