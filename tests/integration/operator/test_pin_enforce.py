"""PinPolicies in Enforce, on machines whose service really enforces the pin file, behind a real SSH server."""

import hashlib
import os
import signal
import socket
import ssl
import threading
import time
import unittest
from contextlib import suppress
from pathlib import Path
from typing import Any

from authority import Authority
from edge_machine import EdgeMachine, InspectingProxy
from harness import OperatorTest, wait_for
from proxy import Listener


def colon_hex(octets: bytes) -> str:
    return ":".join(f"{octet:02X}" for octet in hashlib.sha256(octets).digest())


BACKUP = colon_hex(b"a key that is kept in a safe")


class Endpoint(Listener):
    """The cloud endpoint; `pin` is the hash of the leaf that it presents."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = Authority(folder)
        self.folder = folder
        self.serve_leaf(self.issue())
        super().__init__()

    def issue(self) -> Any:
        return self.authority.issue("localhost")

    def serve_leaf(self, issued: Any) -> None:
        (self.folder / "leaf.pem").write_text(issued.key + issued.chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "leaf.pem")
        self.context, self.leaf, self.pin = context, issued.leaf, colon_hex(issued.leaf)

    def serve(self, client: socket.socket) -> None:
        with self.context.wrap_socket(client, server_side=True) as secure:
            secure.recv(1)


class PinTest(OperatorTest):
    policy: dict[str, Any] = {"windows": [{"start": "00:00", "duration": "24h"}]}

    def prepare(self) -> None:
        super().prepare()
        self.endpoint = Endpoint(self.folder / "endpoint")
        self.addCleanup(self.endpoint.close)
        self.secret("cloud-roots", {"ca.crt": self.endpoint.authority.root})
        self.machines: dict[str, EdgeMachine] = {}

    def add_machine(self, name: str = "edge01", **more: Any) -> EdgeMachine:
        machine = EdgeMachine(self.folder / name, {"host": "localhost", "port": self.endpoint.port}, roots=self.endpoint.authority.root)
        self.addCleanup(machine.close)
        self.machines[name] = machine
        self.secret(f"ssh-{name}", {"ssh-privatekey": machine.login_key})
        self.make_edge(self.sim.add_edges(1)[0], name, site=name, ssh=machine.ssh(f"ssh-{name}", **more))
        return machine

    def pin(self, **more: Any) -> None:
        spec = {
            "endpoint": {"host": "localhost", "port": self.endpoint.port, "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}},
            "edgeSelector": {},
            "mode": "Enforce",
            "pins": {"static": [self.endpoint.pin, BACKUP]},
            "rotation": {"interval": "30s"},
            **more,
        }
        self.make("PinPolicy", "cloud", spec)

    def change(self, **spec: Any) -> None:
        self.kube.patch("PinPolicy", self.namespace, "cloud", {"spec": spec})

    def look(self, name: str = "edge01") -> None:
        """Now, and not at the next interval."""
        self.kube.patch("Edge", self.namespace, name, {"metadata": {"annotations": {"test/look": str(time.time())}}})
        self.kube.patch("PinPolicy", self.namespace, "cloud", {"metadata": {"annotations": {"test/look": str(time.time())}}})

    def pins(self, name: str = "edge01") -> Any:
        return self.kube.get("Edge", self.namespace, name).get("status", {}).get("pins", {})

    def wait_state(self, state: str, name: str = "edge01", seconds: float = 90) -> Any:
        try:
            return wait_for(f"{name} is {state}", lambda: (p := self.pins(name)).get("state") == state and not p.get("change") and p, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.pins(name)}") from error

    def ready(self) -> tuple[str, str]:
        condition = self.condition(self.kube.get("PinPolicy", self.namespace, "cloud"), "Ready")
        return condition.get("status", ""), condition.get("reason", "")

    def in_force(self, machine: EdgeMachine, *pins: str) -> None:
        """Its service has read the file with these pins, and reaches the endpoint."""
        self.assertEqual(machine.pins(), set(pins))
        self.assertEqual(machine.mode(), "0:0 600")
        self.assertEqual(machine.leftovers(), [])
        self.assertFalse(machine.is_armed())
        wait_for("a handshake", lambda: machine.service().get("connected"))
        self.assertEqual(machine.service()["pinned"], bool(pins))


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


@unittest.skipIf(os.geteuid() != 0, "a mount namespace takes root")
class Enforce(PinTest):
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
        wait_for("the policy is ready", lambda: self.ready() == ("True", "Ready"))
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
        wait_for("it is an Event", lambda: "UnannouncedChange" in {event["reason"] for event in self.kube.events(self.namespace)})

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
        wait_for("the policy says it", lambda: self.ready()[1] == "EdgesIntercepted")
        self.assertNotIn("finalizers", self.kube.get("Edge", self.namespace, "edge01")["metadata"])

    def test_what_a_person_must_mend_stops_it(self) -> None:
        wrong = self.add_machine("wrong-key")
        readonly = self.add_machine("read-only")
        late = self.add_machine("late")
        self.kube.patch("Edge", self.namespace, "wrong-key", {"spec": {"ssh": {"hostKeys": [readonly.host_key]}}})
        late.clock(3600.0)
        with readonly.bad_disk("read-only"):
            self.pin()
            self.wait_state("Blocked", "wrong-key")
            self.assertIn("by more than", wait_for("its clock is judged", lambda: self.condition(self.kube.get("Edge", self.namespace, "late"), "ClockInSync"))["message"])
            self.wait_state("Blocked", "late")
            self.wait_state("Blocked", "read-only")
            self.assertEqual(readonly.text(), "")
        self.assertEqual(wrong.sessions(), 0)
        self.assertEqual((late.text(), late.restarts(), readonly.restarts()), ("", 0, 0))
        late.clock(0.0)
        self.look("late")
        self.wait_state("Matched", "late")
        self.in_force(late, self.endpoint.pin, BACKUP)

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
        wait_for("the policy says it", lambda: self.ready()[1] == "RolledBack")
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


@unittest.skipIf(os.geteuid() != 0, "a mount namespace takes root")
class Killed(PinTest):
    """SIGKILL of the operator before and after each of its SSH sessions, one story each: each effect on a machine is a session of its own."""

    start_operator = False

    def story(self, when: str, number: int) -> bool:
        """Whether there was such a session."""
        name = f"{when}-{number}"
        machine = EdgeMachine(self.folder / name, {"host": "localhost", "port": self.endpoint.port}, roots=self.endpoint.authority.root)
        killed, over = threading.Event(), threading.Event()

        def at(moment: str, session: int) -> bool:
            if over.is_set() or (moment, session) != (when, number):
                return False
            process = self.operator.process
            assert process is not None
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed.set()
            return True

        proxy = KillingProxy(machine.port, at)
        try:
            self.secret(f"ssh-{name}", {"ssh-privatekey": machine.login_key})
            self.make_edge(self.sim.add_edges(1)[0], name, site=name, ssh={**machine.ssh(f"ssh-{name}"), "port": proxy.port})
            self.kube.patch("PinPolicy", self.namespace, "cloud", {"spec": {"mode": "Enforce", "edgeSelector": None, "edges": [name]}})
            self.operator.start()
            done = lambda: (p := self.pins(name)).get("state") == "Matched" and p.get("enforced") and not p.get("change") and not p.get("slots")
            wait_for(f"{name}: it is killed or done", lambda: killed.is_set() or done(), 90)
            was_killed = killed.is_set()
            if was_killed:
                self.operator.kill()
                self.operator.start()
                wait_for(f"{name}: it converges", done, 120)
            self.in_force(machine, self.endpoint.pin, BACKUP)
            self.assertEqual(machine.restarts(), 1, name)
            # Let go of before it is gone: an Edge that is left pinned and dark would be waited for.
            over.set()
            self.change(mode="ReportOnly")
            wait_for(f"{name}: it is let go of", lambda: not (p := self.pins(name)).get("enforced") and not p.get("change") and not p.get("slots"))
            self.operator.stop()
            return was_killed
        finally:
            proxy.close()
            machine.close()

    def converges(self, when: str) -> None:
        """With one restart, whichever session it is."""
        self.pin()
        number = 1
        while self.story(when, number):
            number += 1
        self.assertGreater(number, 8, "look and look from there, then one for each effect with its looks")

    def test_before_each_session(self) -> None:
        self.converges("before")

    def test_after_each_session(self) -> None:
        self.converges("after")
