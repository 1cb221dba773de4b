"""Whether the stand-in for an Edge's machine does what tests rely on: its service enforces the pin file, and what goes wrong there goes wrong."""

import json
import socket
import tempfile
import unittest
from pathlib import Path

from edge_machine import EdgeMachine, InspectingProxy, Reader, needs_machines
from harness import wait_for
from pin_harness import Endpoint, colon_hex


def document(*leaves: bytes) -> str:
    pins = [{"type": "Certificate", "fingerprint": colon_hex(leaf)} for leaf in leaves]
    return json.dumps({"certificatePinning": {"enabled": True, "algorithm": "SHA256", "fingerprint": colon_hex(leaves[0]), "fingerprints": pins}})


@needs_machines
class Machine(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.endpoint = Endpoint(self.folder / "endpoint")
        self.addCleanup(self.endpoint.close)
        self.machine = EdgeMachine(self.folder / "edge", {"host": "localhost", "port": self.endpoint.port}, roots=self.endpoint.authority.root)
        self.addCleanup(self.machine.close)

    def restart(self) -> None:
        self.machine.run("systemctl restart purecloud-edge")

    def connected(self, expected: bool, trouble: str = "") -> None:
        """A handshake that began after now ends so."""
        before = self.machine.service().get("handshakes", 0)
        wait_for("a handshake", lambda: self.machine.service().get("handshakes", 0) > before + 1)
        self.assertEqual(self.machine.service()["connected"], expected, self.machine.service())
        self.assertIn(trouble, self.machine.service()["trouble"])

    def test_its_service_enforces_the_file_that_it_has_read(self) -> None:
        self.connected(True)
        self.machine.put(document(self.endpoint.leaf))
        self.restart()
        self.connected(True)
        self.assertTrue(self.machine.service()["pinned"])
        self.assertEqual(self.machine.pins(), {colon_hex(self.endpoint.leaf)})
        old = self.endpoint.leaf
        self.endpoint.rotate()
        self.connected(False, "no pin of the file")
        self.machine.put(document(old, self.endpoint.leaf))
        self.connected(False, "no pin of the file")
        self.restart()
        self.connected(True)
        self.assertEqual(self.machine.service()["failed"], 0)
        self.machine.put(json.dumps({"certificatePinning": {"enabled": False}}))
        self.endpoint.rotate()
        self.restart()
        self.connected(True)
        self.assertEqual(self.machine.restarts(), 3)

        self.machine.break_service()
        self.restart()
        with self.assertRaises(AssertionError):
            self.machine.run("systemctl is-active purecloud-edge")
        self.assertEqual(self.machine.service(), {})

    def test_an_inspecting_proxy_is_in_the_way_of_one_machine(self) -> None:
        proxy = InspectingProxy(self.folder / "proxy", "localhost", self.endpoint.port)
        self.addCleanup(proxy.close)
        self.machine.put(document(self.endpoint.leaf, proxy.leaf))
        self.machine.resolve("localhost", proxy.ADDRESS)
        self.restart()
        self.connected(False, "CERTIFICATE_VERIFY_FAILED")
        (self.machine.root / "usr/local/share/ca-certificates/proxy.crt").write_text(proxy.authority.root)
        self.machine.run("update-ca-certificates")
        self.restart()
        self.connected(True)
        self.machine.put(document(self.endpoint.leaf))
        self.restart()
        self.connected(False, "no pin of the file")

    def test_a_bad_disk_keeps_what_it_has(self) -> None:
        self.machine.put("{}")
        for how in ("full", "read-only"):
            with self.machine.bad_disk(how):
                with self.assertRaises(AssertionError):
                    self.machine.run(f"yes | head -c 20000 >/etc/purecloud/edge/conf/security/new && sync /etc/purecloud/edge/conf/security/new")
                self.assertEqual(self.machine.text(), "{}")
        self.assertEqual(self.machine.text(), "{}")

    def test_a_reader_sees_what_is_not_whole(self) -> None:
        self.machine.put('{"a": 1}')
        reader = Reader(self.machine)
        self.addCleanup(reader.close)
        wait_for("some reads", lambda: reader.reads > 10)
        self.assertEqual(reader.problems, [])
        self.machine.put('{"a": ')
        wait_for("it is seen", lambda: reader.problems)
        reader.close()
        self.assertEqual(reader.documents[0], '{"a": 1}')

    def test_a_server_that_hangs_accepts_and_says_nothing(self) -> None:
        self.machine.hang()
        with socket.create_connection(("127.0.0.1", self.machine.port), timeout=5) as client:
            client.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                client.recv(1)
            self.machine.hang(False)
            client.settimeout(20)
            self.assertTrue(client.recv(16).startswith(b"SSH-2.0-"))


if __name__ == "__main__":
    unittest.main()
