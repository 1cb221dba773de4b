"""The exceptions of a PinPolicy that end by themselves: an emergency override, and an inspecting proxy that is trusted until a date."""

from edge_machine import EdgeMachine, InspectingProxy, needs_machines
from harness import wait_for
from pin_harness import BACKUP, PinTest, ahead, colon_hex


@needs_machines
class Override(PinTest):
    def switched_off(self) -> tuple[EdgeMachine, set[str]]:
        """A machine that was pinned, and is not any more; and its pins."""
        machine = self.add_machine()
        self.pin()
        self.wait_state("Matched")
        self.assertEqual(machine.restarts(), 1)
        pins = machine.pins()
        self.assertEqual(pins, {self.endpoint.pin, BACKUP})
        self.override(hours=1)
        wait_for("pinning is switched off", lambda: machine.document()["certificatePinning"]["enabled"] is False)
        return machine, pins

    def override(self, **until: float) -> None:
        self.change(emergencyOverride={"disablePinning": True, "until": ahead(**until), "reason": "INC0042"})

    def test_it_switches_pinning_off_and_ends_by_itself(self) -> None:
        machine, pins = self.switched_off()
        self.wait_state("Matched")
        self.in_force(machine)
        self.assertEqual(machine.restarts(), 2)
        self.assertEqual(self.said("OverrideActive")[0], "True")
        wait_for("it is an Event", lambda: any("INC0042" in note for note in self.events("OverrideActive")))
        wait_for("it is a metric", lambda: self.measured("override_active") == 1)

        self.override(seconds=10)
        wait_for("the pins are back", lambda: machine.pins() == pins)
        self.wait_state("Matched")
        self.in_force(machine, *pins)
        self.assertEqual(machine.restarts(), 3)
        self.assertEqual(machine.refusals(), [])
        wait_for("the policy says it", lambda: self.said("OverrideActive")[0] == "False")
        wait_for("it is an Event", lambda: len(self.events("OverrideActive")) > 1)
        wait_for("it is a metric", lambda: self.measured("override_active") == 0)

    def test_an_operator_that_is_killed_meanwhile_changes_nothing(self) -> None:
        machine, pins = self.switched_off()
        self.operator.kill()  # the file is in place, and nobody has confirmed it
        self.operator.start()
        self.wait_state("Matched")
        self.in_force(machine)
        self.assertEqual(machine.restarts(), 2)

        self.override(seconds=10)
        until = self.kube.get("PinPolicy", self.namespace, "cloud")["spec"]["emergencyOverride"]["until"]
        self.operator.kill()
        wait_for("it is over, and nobody is there", lambda: ahead() > until)
        self.in_force(machine)
        self.operator.start()
        wait_for("the pins are back", lambda: machine.pins() == pins)
        self.wait_state("Matched")
        self.in_force(machine, *pins)
        self.assertEqual(machine.restarts(), 3)


@needs_machines
class TrustedIntermediary(PinTest):
    def test_it_is_accepted_until_its_date(self) -> None:
        machine = self.add_machine()
        proxy = InspectingProxy(self.folder / "proxy", "localhost", self.endpoint.port)
        self.addCleanup(proxy.close)
        root = proxy.authority.root
        self.secret("proxy-root", {"ca.crt": root})
        machine.resolve("localhost", proxy.ADDRESS)
        self.pin()
        self.wait_state("Intercepted")
        self.assertEqual((machine.text(), machine.restarts(), machine.anchors()), ("", 0, []))
        wait_for("its service is refused", lambda: machine.service().get("connected") is False)

        self.trust("2099-01-01T00:00:00Z")
        self.wait_state("Matched", seconds=120)
        accepted = machine.pins() - {self.endpoint.pin, BACKUP}
        self.assertEqual(len(accepted), 1, "the key of its root")
        self.in_force(machine, self.endpoint.pin, BACKUP, *accepted)
        self.assertEqual(machine.restarts(), 1)
        self.assertTrue(machine.trusts(root))
        (anchor,) = machine.anchors()
        self.assertNotIn(colon_hex(proxy.leaf), machine.pins(), "nothing is learned through it")

        machine.run(f"rm /usr/local/share/ca-certificates/{anchor}")
        self.look()
        wait_for("it is repaired", lambda: machine.anchors() == [anchor] and machine.trusts(root))
        self.wait_state("Matched")
        self.assertEqual((machine.anchors(), machine.restarts()), ([anchor], 1))

        self.trust(ahead(seconds=5))
        wait_for("its CA is gone", lambda: not machine.trusts(root) and machine.anchors() == [])
        self.wait_state("Intercepted")
        machine.resolve("localhost", "127.0.0.1")
        self.look()
        wait_for("its pin is gone", lambda: machine.pins() == {self.endpoint.pin, BACKUP})
        self.wait_state("Matched")
        self.in_force(machine, self.endpoint.pin, BACKUP)
        self.assertEqual(machine.restarts(), 2)

    def trust(self, until: str) -> None:
        self.change(trustedIntermediaries=[{"name": "dc-proxy", "caRef": {"name": "proxy-root", "key": "ca.crt"}, "until": until}])
