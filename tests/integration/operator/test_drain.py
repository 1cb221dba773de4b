"""An Edge is taken out of service for a push until its calls have ended, and is put back whatever comes of it."""

import unittest
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for
from own_simulator import OwnSimulatorTest
from simulator import Appliance

MANY = 100_000  # calls that end one a second


class DrainTest(OperatorTest):
    """An Edge with a live certificate, whose next one is asked for while calls are up."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT}
    timeout = "30m"

    def renewed(self, calls: int, **how: str) -> tuple[Appliance, str]:
        """The Edge and the fingerprint of its first certificate."""
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)["fingerprintSha256"]
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"drain": {"policy": "Drain", "timeout": self.timeout}}})
        self.sim.patch(edge, calls=calls, **how)
        self.renew(edge.name)
        return edge, first

    def draining(self, calls: int = MANY) -> tuple[Appliance, str]:
        edge, first = self.renewed(calls)
        self.wait_phase(edge.name, "Draining")
        wait_for("the Edge is out of service", lambda: not self.sim.edge(edge)["inService"])
        return edge, first

    def service_calls(self, edge: Appliance) -> list[Any]:
        return [e for e in self.sim.requests() if e["method"] == "POST" and e["path"].endswith(f"/{edge.id}/statuscode") and e["executed"]]

    def steps(self, edge: Appliance) -> list[str]:
        """What changed the Edge since its first certificate, in order."""
        changes = {e["n"]: "service" for e in self.service_calls(edge)} | {e["n"]: "upload" for e in self.sim.uploads(edge)[1:]}
        return [changes[n] for n in sorted(changes)]

    def reason(self, name: str) -> Any:
        said = self.certificate(name)
        return (self.condition(said, "Stalled") or self.condition(said, "Reconciling") or self.condition(said, "Ready")).get("reason")

    def wait_event(self, reason: str) -> Any:
        return wait_for(f"an Event {reason}", lambda: next((e for e in self.kube.events(self.namespace) if e["reason"] == reason), None), 30)

    def nothing_is_left(self, edge: Appliance) -> None:
        self.assertTrue(self.sim.edge(edge)["inService"])
        wait_for("the finalizer is gone", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        status = self.status(edge.name)
        for field in ("drain", "delivery", "slots"):
            self.assertNotIn(field, status)
        holders = [lease["spec"].get("holderIdentity") for lease in self.kube.list("Lease", self.namespace)]
        self.assertFalse(any(holders), "a slot is left behind")


class Drained(DrainTest):
    def test_calls_end_then_the_push_then_back_in_service(self) -> None:
        edge, first = self.draining()
        self.assertEqual(self.live(edge), first)
        self.assertEqual(self.steps(edge), ["service"], "nothing is pushed while calls are up")
        self.sim.patch(edge, calls=0)
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        self.assertEqual(self.steps(edge), ["service", "upload", "service"])
        self.nothing_is_left(edge)
        self.wait_event("BackInService")
        wait_for("the Edge object says so", lambda: self.kube.get("Edge", self.namespace, edge.name)["status"].get("serviceState") == "InService")

    def test_a_bad_certificate_is_rolled_back_at_once(self) -> None:
        edge, first = self.renewed(2, onApply="sip-down")
        self.wait_phase(edge.name, "RolledBack", 1)
        self.assertEqual(self.live(edge), first)
        self.assertEqual(self.steps(edge), ["service", "upload", "service", "upload"], "without another drain")
        self.nothing_is_left(edge)

    def test_killed_while_it_drains(self) -> None:
        edge, _ = self.draining()
        self.operator.kill()
        self.sim.patch(edge, calls=0)
        self.operator.start()
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        self.assertEqual(self.steps(edge), ["service", "upload", "service"])
        self.nothing_is_left(edge)

    def test_deleted_while_it_drains(self) -> None:
        edge, first = self.draining()
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        wait_for("the object is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None)
        self.assertTrue(self.sim.edge(edge)["inService"])
        self.assertEqual(self.live(edge), first)
        self.assertEqual(self.steps(edge), ["service", "service"])

    def test_an_edge_that_somebody_else_took_out_of_service_is_left_alone(self) -> None:
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)["fingerprintSha256"]
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"drain": {"policy": "Drain"}}})
        self.sim.patch(edge, inService=False)
        wait_for("its port tells so", lambda: self.sim.edge(edge)["sip"]["state"] == "DOWN")
        self.renew(edge.name)
        self.wait_phase(edge.name, "Waiting")
        wait_for("it is not well", lambda: self.reason(edge.name) in ("EdgeUnhealthy", "EdgeOutOfService"))
        self.assertEqual((self.live(edge), self.steps(edge)), (first, []))


class TimedOut(DrainTest):
    timeout = "3s"

    def test_calls_are_not_cut(self) -> None:
        edge, first = self.renewed(MANY)
        self.wait_event("DrainTimedOut")
        wait_for("the Edge is back in service", lambda: self.sim.edge(edge)["inService"])
        wait_for("its slots are free", lambda: "slots" not in self.status(edge.name))
        self.assertEqual((self.reason(edge.name), self.status(edge.name)["phase"]), ("DrainTimedOut", "Waiting"))
        self.assertIn("nextAttempt", self.status(edge.name))
        self.assertEqual((self.live(edge), self.steps(edge)), (first, ["service", "service"]))
        self.nothing_is_left(edge)


class Refused(OwnSimulatorTest, DrainTest):
    """The OAuth client is disabled once the Edge is out of service."""

    timeout = "5s"

    def refused_tries(self) -> int:
        return sum(line.get("msg") == "an effect failed" and line.get("effect") == "SetService" for line in self.operator.lines())

    def test_it_is_said_and_the_edge_goes_back_once_the_client_works(self) -> None:
        edge, first = self.draining()
        self.sim.client(env("STACK_GENESYS_CLIENT_ID"), state="disabled")
        wait_for("it is said", lambda: self.reason(edge.name) == "NotBackInService")
        stalled = self.condition(self.certificate(edge.name), "Stalled")
        self.assertIn(f"Edge {edge.name} was taken out of service", stalled["message"])
        self.wait_event("NotBackInService")
        status = self.status(edge.name)
        self.assertEqual((status["phase"], "drain" in status, "slots" in status), ("Draining", True, True))
        # Neither a restart nor a deletion forgets it.
        self.operator.kill()
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        tries = self.refused_tries()
        self.operator.start()
        wait_for("it is tried again", lambda: self.refused_tries() > tries)
        self.assertEqual(self.reason(edge.name), "NotBackInService")
        self.assertTrue(self.certificate(edge.name)["metadata"]["finalizers"])
        self.assertFalse(self.sim.edge(edge)["inService"])
        self.sim.client(env("STACK_GENESYS_CLIENT_ID"), state="active")
        wait_for("the object is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None, 120)
        self.assertTrue(self.sim.edge(edge)["inService"])
        self.assertEqual((self.live(edge), len(self.sim.uploads(edge))), (first, 1))


if __name__ == "__main__":
    unittest.main()
