"""Rotations of the simulator's cloud endpoint, as a pinned Edge lives through them: its service shakes hands all the time, and every handshake that fails is counted."""

from typing import Any

from edge_machine import EdgeMachine, needs_machines
from harness import wait_for
from own_simulator import OwnSimulator
from pin_harness import BACKUP, PinTest


@needs_machines
class Rotations(PinTest):
    def prepare_endpoint(self) -> None:
        self.endpoint = OwnSimulator(self.folder)
        self.addCleanup(self.endpoint.close)

    def cloud(self) -> Any:
        return self.endpoint.call("GET", "/sim/v1/cloud")

    def at_endpoint(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.endpoint.cloud_port}

    def leaf(self) -> str:
        return self.cloud()["fingerprint"]

    def roots(self) -> str:
        return self.cloud()["caPem"]

    def rotate(self) -> str:
        """The pin of the leaf that is presented from now on: the one that was announced, or another one."""
        self.endpoint.call("POST", "/sim/v1/cloud/rotate", {})
        return self.leaf()

    def announce(self) -> str:
        """The pin of the leaf that is going to be presented."""
        self.endpoint.call("POST", "/sim/v1/cloud/rotate", {"notify": True})
        return self.cloud()["nextFingerprint"]

    def pinned(self) -> tuple[EdgeMachine, str]:
        """A machine in Enforce, and the pin of the leaf."""
        machine, leaf = self.add_machine(), self.leaf()
        self.pin()
        self.wait_state("Matched")
        self.in_force(machine, leaf, BACKUP)
        return machine, leaf

    def more_handshakes(self, machine: EdgeMachine) -> None:
        """Some that began after now."""
        before = machine.service()["handshakes"]
        wait_for("more handshakes", lambda: machine.service().get("handshakes", 0) > before + 4)

    def presented(self, leaf: str) -> None:
        """The operator has seen that leaf, from the Edge too."""
        self.look()
        wait_for("the Edge is presented it", lambda: self.pins()["observed"]["fingerprint"] == leaf)

    def test_one_that_the_status_announces_costs_no_handshake(self) -> None:
        machine, old = self.pinned()
        coming = self.announce()
        self.look()
        wait_for("both are accepted", lambda: machine.pins() == {old, BACKUP, coming})
        self.wait_state("Matched")
        self.in_force(machine, old, BACKUP, coming)
        self.assertEqual(self.rotate(), coming)
        self.presented(coming)
        self.wait_state("Matched")
        self.more_handshakes(machine)
        self.in_force(machine, old, BACKUP, coming)
        self.assertEqual(machine.restarts(), 2, "what is accepted already costs no restart")
        self.assertEqual(machine.refusals(), [])

    def test_one_that_is_declared_costs_no_handshake(self) -> None:
        machine, old = self.pinned()
        # Nobody but the person who declares it says so.
        self.change(rotation={"sources": ["Handshake"]})
        coming = self.announce()
        self.change(pins={"next": [coming]})
        wait_for("both are accepted", lambda: machine.pins() == {old, BACKUP, coming})
        self.wait_state("Matched")
        self.assertEqual(self.rotate(), coming)
        self.presented(coming)
        self.wait_state("Matched")
        self.more_handshakes(machine)
        self.in_force(machine, old, BACKUP, coming)
        self.assertEqual(machine.restarts(), 2)
        self.assertEqual(machine.refusals(), [])

    def test_one_that_nobody_announces_is_alarmed_and_not_installed(self) -> None:
        machine, old = self.pinned()
        before = machine.text()
        sudden = self.rotate()
        self.presented(sudden)
        wait_for("it is alarmed", lambda: self.said("PinsCurrent") == ("False", "Unconfirmed"), 120)
        wait_for("it is an Event", lambda: self.events("Unconfirmed"))
        wait_for("it is a metric", lambda: self.measured("current") == 0)
        wait_for("the Edge refuses it", machine.refusals)
        self.assertEqual(set(machine.refusals()), {"no pin of the file is in the chain"})
        self.look()
        self.more_handshakes(machine)
        self.assertEqual((machine.text(), machine.restarts()), (before, 1))

        # A person has looked from elsewhere, and declares it: an Edge that is out waits for nothing.
        self.change(pins={"static": [old, BACKUP, sudden]})
        wait_for("it is accepted", lambda: sudden in machine.pins())
        self.wait_state("Matched")
        self.in_force(machine, old, BACKUP, sudden)
        self.assertEqual(machine.restarts(), 2)
