"""The fleet page of a running operator in a real browser, while an Edge goes through a rotation: real API server, Pebble, BIND, simulator."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from browser import opened

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests" / "integration" / "operator"), str(ROOT / "tests" / "stack")]
import ports  # noqa: E402
from harness import ALWAYS_OPEN, Operator, OperatorTest, env, wait_for  # noqa: E402

PHASE = "document.querySelector('tbody tr td .mark')?.innerText"


class PageOfAnOperator(OperatorTest):
    # Long enough for a person, or a browser, to see each phase.
    policy = {"windows": ALWAYS_OPEN, "observe": {"settle": "4s", "period": "4s", "interval": "1s", "failAfter": 4}}
    start_operator = False

    def setUp(self) -> None:
        super().setUp()
        self.port = ports.choose(["page"])["page"]
        self.operator = Operator(self.namespace, self.folder, self.operator.kubeconfig, "--page-port", str(self.port), "--page-hosts", "page.example")

    def ask(self, path: str, host: str = "localhost", method: str = "GET", port: int | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def what_is_public(self) -> dict[str, str]:
        names = [one["metadata"]["name"] for one in self.kube.list("EdgeCertificate", self.namespace)]
        return super().what_is_public() | {"page": self.ask("/fleet.json")[1], **{f"page of {name}": self.ask(f"/rotations/{self.namespace}/{name}")[1] for name in names}}

    def test_a_rotation_is_seen_live(self) -> None:
        self.operator.start()
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        with opened(self.folder) as browser:
            browser.look(1440, "light")
            browser.open(f"http://127.0.0.1:{self.port}/")
            browser.wait("the Edge is Ready", f"return {PHASE} === 'Ready'")
            self.assertEqual(browser.texts("tbody th a"), [edge.name])
            browser.run(f"window.mine = true; window.seen = []; new MutationObserver(() => {{ const is = {PHASE}; if (seen.at(-1) !== is) seen.push(is); }}).observe(document.querySelector('tbody'), {{childList: true, subtree: true}})")
            self.renew(edge.name)
            browser.wait("it is Observing", "return seen.includes('Observing')", seconds=90)
            browser.run("document.querySelector('tbody th a').click()")
            browser.wait("what is waited for is told", "return document.querySelector('#detail').innerText.includes('the end of the observation')")
            serial = self.wait_phase(edge.name, "Ready", 2)["serialNumber"]
            browser.wait("it is Ready with its new certificate", "return seen.at(-1) === 'Ready' && document.querySelector('#detail').innerText.includes(arguments[0])", serial)
            self.assertTrue(browser.run("return window.mine"), "no reload")
            self.assertIn("Revision 1: Superseded", browser.text())
            self.assertEqual(browser.complaints(), [])
            self.assertEqual(self.operator.stop(), 0)
            browser.wait("the loss is said", "return document.querySelector('#lost').innerText.includes('What you see is old')")
            self.operator.start()
            browser.wait("it is back", "return document.querySelector('#connection').innerText === 'Live'", seconds=60)
            self.assertTrue(browser.run("return window.mine"), "no reload")

    def test_only_reads_and_only_under_its_names(self) -> None:
        self.operator.start()
        edge = self.new_edge()
        wait_for("the Edge is told", lambda: self.told(edge.name), 60)
        self.assertEqual(self.ask("/fleet.json", "page.example:80")[0], 200)
        self.assertEqual(self.ask("/fleet.json", "attacker.example")[0], 421)
        self.assertEqual(self.ask("/fleet.json", method="POST")[0], 405)
        self.assertEqual(self.ask("/metrics")[0], 404)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operator.port()}/healthz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)

    def told(self, name: str, phase: str | None = None, port: int | None = None) -> bool:
        try:
            status, body = self.ask("/fleet.json", port=port)
        except OSError:  # it starts
            return False
        return status == 200 and any(item.get("name") == name and phase in (None, item.get("phase")) for item in json.loads(body)["items"])

    def test_one_that_stands_by_serves_it_too(self) -> None:
        other = ports.choose(["page"])["page"]
        elect = ("--leader-elect", "--leader-elect-namespace", self.namespace, "--page-port")
        self.operator.more = (*elect, str(self.port))
        self.operator.start()
        self.operator.wait_says("leading")
        standby = Operator(self.namespace, self.folder, self.operator.kubeconfig, *elect, str(other), log="other.log")
        self.addCleanup(standby.kill)
        standby.start()
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        wait_for("the other tells it", lambda: self.told(edge.name, "Ready", other), 30)
        self.assertFalse(any(line["msg"] == "leading" for line in standby.lines()))


class Refused(unittest.TestCase):
    def test_what_is_said_of_a_page_that_is_not_served(self) -> None:
        for flag, value in (("--page-hosts", "page.example"), ("--page-bind-address", "0.0.0.0")):
            done = subprocess.run([env("EDGETRUST"), flag, value], capture_output=True, text=True, timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0, flag)
            self.assertIn(f"{flag} requires --page-port", done.stderr)


if __name__ == "__main__":
    unittest.main()
