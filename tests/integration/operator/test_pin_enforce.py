"""PinPolicies in Enforce, on machines whose service really enforces the pin file, behind a real SSH server."""

import hashlib
import os
import signal
import socket
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from edge_machine import EdgeMachine, InspectingProxy, needs_machines
from harness import wait_for
from pin_harness import BACKUP, PinTest, colon_hex
from proxy import Listener
from simulator import Appliance


@needs_machines
class Enforce(PinTest):
    def is_told(self, file: str) -> None:
        """The metrics say how the Edge is, and the change that put the file there is found by its id."""
        of_edge = f'{{name="edge01",namespace="{self.namespace}"'
        wait_for("the clock is told", lambda: f"edgetrust_edge_clock_offset_seconds{of_edge}}} 0" in self.operator.metrics())
        text = self.operator.metrics()
        self.assertIn(f'edgetrust_edge_pin_state{of_edge},state="Matched"}} 1', text)
        self.assertIn(f"edgetrust_edge_pins_enforced{of_edge}}} 1", text)
        for session in ("look", "present", "install", "restart", "confirm"):
            self.assertIn(f'edgetrust_api_duration_seconds_count{{client="ssh",code="2xx",request="{session}"}}', text)
        uid = self.kube.get("Edge", self.namespace, "edge01")["metadata"]["uid"]
        trace = hashlib.sha256(f"{uid}\0{file}".encode()).hexdigest()[:32]
        effects = {line.get("effect") for line in self.operator.lines() if line.get("trace_id") == trace}
        self.assertLessEqual({"InstallPins", "RestartService", "ProvePins", "ConfirmPins"}, effects)
        applied = lambda event: event["reason"] == "PinsApplied" and event["metadata"].get("annotations", {}).get("edgetrust.io/trace-id") == trace
        wait_for("its Event has the id too", lambda: any(map(applied, self.kube.events(self.namespace))))

    def test_a_first_pin_and_a_rotation_that_is_declared(self) -> None:
        machine = self.add_machine()
        machine.put('{"vendor": {"kept": true}}')
        self.pin()
        status = self.wait_state("Matched")
        self.in_force(machine, self.endpoint.pin, BACKUP)
        self.assertTrue(machine.document()["vendor"]["kept"])
        self.assertEqual(machine.restarts(), 1)
        self.assertTrue(status["enforced"])
        self.assertEqual(status["observed"]["fingerprint"], self.endpoint.pin)
        for kind, name in (("Edge", "edge01"), ("PinPolicy", "cloud")):
            self.assertEqual(self.kube.get(kind, self.namespace, name)["metadata"]["finalizers"], ["edgetrust.io/cleanup"])
        wait_for("the policy is ready", lambda: self.said("Ready") == ("True", "Ready"))
        self.is_told(status["fileSha256"])

        old = self.endpoint.pin
        coming = self.endpoint.issue()
        self.change(pins={"next": [colon_hex(coming.leaf)]})
        wait_for("both are accepted", lambda: colon_hex(coming.leaf) in machine.pins())
        self.wait_state("Matched")
        self.endpoint.serve_leaf(coming)
        self.look()
        wait_for("the Edge is presented it", lambda: self.pins()["observed"]["fingerprint"] == self.endpoint.pin)
        self.wait_state("Matched")
        self.in_force(machine, old, BACKUP, self.endpoint.pin)
        self.assertEqual(machine.service()["failed"], 0)
        self.assertEqual(machine.restarts(), 2, "what is accepted already costs no restart")

    def test_an_unannounced_rotation_is_confirmed_by_the_edge_and_drift_is_repaired(self) -> None:
        machine = self.add_machine()
        self.pin(observeFrom=["Operator", "Edge"])
        self.wait_state("Matched")
        self.endpoint.serve_leaf(self.endpoint.issue())
        wait_for("it is learned", lambda: self.endpoint.pin in machine.pins(), 120)
        self.wait_state("Matched")
        self.assertEqual(machine.restarts(), 2)
        self.in_force(machine, *machine.pins())
        wait_for("it is an Event", lambda: self.events("UnannouncedChange"))

        pins = machine.pins()
        machine.file.unlink()
        self.look()
        wait_for("it is there again", lambda: machine.pins() == pins)
        self.wait_state("Matched")
        self.assertEqual(machine.restarts(), 3)

    def test_an_edge_that_is_intercepted_is_left_alone(self) -> None:
        machine = self.add_machine()
        proxy = InspectingProxy(self.folder / "proxy", "localhost", self.endpoint.port)
        self.addCleanup(proxy.close)
        machine.resolve("localhost", proxy.ADDRESS)
        self.pin()
        status = self.wait_state("Intercepted")
        self.assertIn(" in place of the endpoint's", status["message"])
        self.assertEqual((machine.text(), machine.restarts()), ("", 0))
        wait_for("the policy says it", lambda: self.said("Ready")[1] == "EdgesIntercepted")
        self.assertNotIn("finalizers", self.kube.get("Edge", self.namespace, "edge01")["metadata"])

    def test_what_a_person_must_mend_stops_it(self) -> None:
        old = '{"vendor": "kept"}'
        names = ("wrong-key", "late", "full", "read-only")
        wrong, late, *disks = machines = [self.add_machine(name) for name in names]
        for machine in machines:
            machine.put(old)
        self.kube.patch("Edge", self.namespace, "wrong-key", {"spec": {"ssh": {"hostKeys": [late.host_key]}}})
        late.clock(3600.0)
        with disks[0].bad_disk("full"), disks[1].bad_disk("read-only"):
            self.pin()
            for name in names:
                self.wait_state("Blocked", name)
            self.assertIn("by more than", wait_for("its clock is judged", lambda: self.condition(self.kube.get("Edge", self.namespace, "late"), "ClockInSync"))["message"])
            self.assertEqual(wrong.sessions(), 0)
            for machine in machines:
                self.assertEqual((machine.text(), machine.restarts()), (old, 0))
        late.clock(0.0)
        self.look("late")
        self.wait_state("Matched", "late")
        self.in_force(late, self.endpoint.pin, BACKUP)
        self.assertEqual(late.document()["vendor"], "kept")

    def test_a_service_that_does_not_come_back_gets_its_file_back_once(self) -> None:
        machine = self.add_machine()
        machine.put("{}")
        machine.break_service()
        self.pin()
        wait_for("it is restarted", lambda: machine.restarts() == 1)
        machine.break_service(False)
        wait_for("the previous file is back", lambda: machine.text() == "{}" and machine.restarts() == 2, 90)
        self.wait_state("RolledBack")
        self.look()
        wait_for("the policy says it", lambda: self.said("Ready")[1] == "RolledBack")
        self.assertEqual((machine.text(), machine.restarts(), machine.leftovers()), ("{}", 2, []))

    def test_leaving_switches_it_off_first(self) -> None:
        machine = self.add_machine()
        self.pin()
        self.wait_state("Matched")
        self.kube.delete("PinPolicy", self.namespace, "cloud")
        self.kube.delete("Edge", self.namespace, "edge01")
        for kind, name in (("PinPolicy", "cloud"), ("Edge", "edge01")):
            wait_for(f"the {kind} is gone", lambda kind=kind, name=name: name not in {found["metadata"]["name"] for found in self.kube.list(kind, self.namespace)})
        self.assertFalse(machine.document()["certificatePinning"]["enabled"])
        self.assertEqual(machine.restarts(), 2)
        self.in_force(machine)


AT_ONCE = int(os.environ.get("EDGETRUST_CRASHES_AT_ONCE", "6"))


class KillingProxy(Listener):
    """Carries SSH to a machine, and says before and after each connection that it is there."""

    def __init__(self, port: int, at: Any) -> None:
        self.target, self.at, self.count = port, at, 0
        self._lock = threading.Lock()
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        with self._lock:
            self.count += 1
            number = self.count
        if self.at("before", number):
            return
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as far:
            back = threading.Thread(target=self._carry, args=(far, client), daemon=True)
            back.start()
            self._carry(client, far)
            back.join()
        self.at("after", number)

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        """Until one side has ended, by a reset too: then the other is told."""
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


class FirstPin(PinTest):
    """An Edge is pinned for the first time, and the operator is killed before or after one of its SSH sessions: each effect on a machine is a session of its own."""

    start_operator = False

    def __init__(self, is_online: bool = False) -> None:
        super().__init__()
        self.is_online = is_online  # else the cloud does not see the Edge, and it need not be waited for that it goes on doing so

    def runTest(self) -> None:  # not a test by itself: told by Killed below
        pass

    def make_edge(self, appliance: Appliance, *more: Any, **fields: Any) -> str:
        self.sim.patch(appliance, online=self.is_online)
        return super().make_edge(appliance, *more, **fields)

    def way_to(self, machine: EdgeMachine) -> int:
        self.proxy = KillingProxy(machine.port, self.at)
        self.addCleanup(self.proxy.close)
        return self.proxy.port

    def at(self, moment: str, session: int) -> bool:
        with self.lock:
            if (moment, session) != self.target:
                return False
            self.operator.kill()
            self.killed.set()
            return True

    def call_off(self) -> bool:
        """It is not killed from now on; whether it was."""
        with self.lock:
            self.target = ("", 0)
            return self.killed.is_set()

    def is_done(self) -> bool:
        pins = self.pins()
        return pins.get("state") == "Matched" and pins.get("enforced") and not pins.get("change") and not pins.get("slots")

    def tell(self, when: str = "", number: int = 0) -> tuple[int, bool]:
        """How many sessions it took, and whether the operator was killed at that one."""
        self.target, self.killed, self.lock = (when, number), threading.Event(), threading.Lock()
        self.setUp()
        try:
            machine = self.add_machine()
            self.pin()
            self.operator.start()
            wait_for("it is killed or done", lambda: self.killed.is_set() or self.is_done(), 90)
            was_killed = self.call_off()
            if was_killed:
                self.operator.start()
                wait_for("it converges", self.is_done, 120)
            self.in_force(machine, self.endpoint.pin, BACKUP)
            self.assertEqual(machine.restarts(), 1)
            self.end_operator()  # looks for secrets in what it said
            return self.proxy.count, was_killed
        finally:
            self.operator.kill()
            self.doCleanups()


@needs_machines
class Killed(unittest.TestCase):
    """SIGKILL of the operator before and after each of its sessions, one story each."""

    def converges(self, when: str) -> None:
        """With one restart, whichever session it is."""
        sessions, _ = FirstPin().tell()
        self.assertGreater(sessions, 8, "look and look from there, then one for each effect with its looks")
        wrong: list[str] = []

        def is_killed(number: int) -> bool:
            try:
                return FirstPin().tell(when, number)[1]
            except Exception as error:  # noqa: BLE001 - every session is told about
                wrong.append(f"killed {when} session {number} of {sessions}: {error}")
                return True

        with ThreadPoolExecutor(AT_ONCE) as pool:
            killed = list(pool.map(is_killed, range(1, sessions + 1)))
        self.assertEqual(wrong, [], "\n\n".join(wrong))
        # How often a machine is looked at while something is waited for varies a little.
        self.assertGreaterEqual(sum(killed), sessions * 9 // 10)

    def test_before_each_session(self) -> None:
        self.converges("before")

    def test_after_each_session(self) -> None:
        self.converges("after")
