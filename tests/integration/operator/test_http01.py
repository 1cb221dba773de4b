"""Names and addresses that are proved by http-01: a Pebble of the test's own looks where the operator answers. matrix.py prints each test as a row."""

import http.client
import json
import unittest
from typing import Any

from harness import Operator, wait_for
from own_pebble import OwnPebble, choose
from simulator import Appliance
from test_ca import CaTest

HTTP01 = {"http01": {}}


class Http01Test(CaTest):
    """Pebble looks at one port of 127.0.0.1 for every name and for that address."""

    def setUp(self) -> None:
        super().setUp()
        self.own = self.pebble()
        self.port = self.own.ports["http"]

    def begin(self, *solvers: dict[str, Any], arguments: tuple[str, ...] | None = None) -> None:
        """The issuer `own` has these solvers, and the operator answers where that Pebble looks."""
        self.operator.more = arguments or ("--http01-port", str(self.port), "--http01-check-port", str(self.port))
        self.use(self.own.directory, self.own.root, solvers=list(solvers))

    def dns(self) -> dict[str, Any]:
        return self.kube.get("AcmeIssuer", self.namespace, "pebble")["spec"]["solvers"][0]

    def ask(self, path: str, method: str = "GET", port: int | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self, edge: Appliance) -> list[dict[str, str]]:
        return self.status(edge.name).get("order", {}).get("httpAnswers", [])

    def proved(self, edge: Appliance, revision: int = 1) -> None:
        status = self.wait_phase(edge.name, "Ready", revision, seconds=180)
        self.assertNotIn("order", status)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        wait_for("nothing holds it", lambda: "finalizers" not in self.certificate(edge.name)["metadata"])

    def answered(self, operator: Operator) -> int:
        line = next(line for line in operator.metrics().splitlines() if line.startswith('edgetrust_http01_requests_total{result="answered"}'))
        return int(line.split()[-1])


class Identifiers(Http01Test):
    def test_a_name(self) -> None:
        """The resolver of this machine does not know it, so nobody here can tell what the CA will find."""
        self.begin(HTTP01)
        edge = self.new_edge(issuerRef={"name": "own"})
        self.proved(edge)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 1)
        self.assertEqual(self.operator.executed("PresentRecord", edge.name), 0)
        self.renew(edge.name)
        self.proved(edge, 2)

    def test_an_address_beside_a_name_that_is_proved_by_dns(self) -> None:
        self.begin(self.dns(), HTTP01)
        edge = self.new_edge(issuerRef={"name": "own"}, ipAddresses=["127.0.0.1"])
        self.proved(edge)
        self.assertIn(("IP Address", "127.0.0.1"), self.chain(edge.name)[0]["subjectAltName"])
        self.assertEqual(self.operator.executed("PresentRecord", edge.name), 1)
        self.assertEqual(self.operator.executed("AnswerChallenge", edge.name), 2)
        self.assertGreaterEqual(self.answered(self.operator), 2, "the operator's own look, and the CA's")

    def test_an_address_alone(self) -> None:
        self.begin(HTTP01)
        edge = self.new_edge(issuerRef={"name": "own"}, dnsNames=[], ipAddresses=["127.0.0.1"])
        wait_for("it is issued", lambda: self.condition(self.certificate(edge.name), "Issued").get("status") == "True", 120)
        self.assertEqual(self.chain(edge.name)[0]["subjectAltName"], (("IP Address", "127.0.0.1"),))


class Refused(Http01Test):
    def test_what_nobody_here_can_prove_is_not_ordered(self) -> None:
        self.begin(HTTP01, arguments=("--http01-check-port", str(self.port)))
        edge = self.new_edge(issuerRef={"name": "own"})
        self.wait_reason(edge, "NoHttpEndpoint")
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"solvers": [self.dns()]}})
        self.kube.patch("EdgeCertificate", self.namespace, edge.name, {"spec": {"ipAddresses": ["127.0.0.1"]}})
        self.wait_reason(edge, "AddressNotProved")
        self.kube.patch("AcmeIssuer", self.namespace, "own", {"spec": {"solvers": [HTTP01]}})
        self.kube.patch("EdgeCertificate", self.namespace, edge.name, {"spec": {"ipAddresses": [], "dnsNames": ["*." + edge.host]}})
        self.wait_reason(edge, "WildcardNotProved")
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 0)

    def wait_reason(self, edge: Appliance, reason: str) -> None:
        wait_for(reason, lambda: self.condition(self.certificate(edge.name), "Reconciling").get("reason") == reason)

    def test_the_port_gives_answers_and_nothing_else(self) -> None:
        self.begin(HTTP01)
        edge = self.new_edge(issuerRef={"name": "own"})
        wait_for("an answer is written down", lambda: self.answers(edge), 60)
        order = self.status(edge.name)["order"]
        answer = order["httpAnswers"][0]
        path = "/.well-known/acme-challenge/" + answer["token"]
        wait_for("it is given", lambda: self.ask(path) == (200, answer["token"] + "." + order["accountThumbprint"]))
        self.assertEqual(self.ask(path, "HEAD"), (200, ""))
        for method, other in (("POST", path), ("GET", path + "x"), ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/")):
            self.assertEqual(self.ask(other, method)[0], 404, f"{method} {other}")
        self.assertEqual(self.ask(path, port=self.operator.port())[0], 404, "and no other port gives them")
        self.proved(edge)
        wait_for("it has gone with its order", lambda: self.ask(path)[0] == 404)
        self.assertNotIn(answer["token"], self.operator.log.read_text(), "nothing is logged of a request")


class Killed(Http01Test):
    def test_between_the_answer_and_the_look_of_the_ca(self) -> None:
        self.begin(HTTP01)
        edge = self.new_edge(issuerRef={"name": "own"})
        answers = wait_for("an answer is written down", lambda: self.answers(edge), 60)
        self.operator.kill()
        self.assertEqual(self.operator.executed("AnswerChallenge", edge.name), 0, "the CA was not told before")
        self.assertEqual(self.answers(edge), answers)
        self.operator.start()
        self.proved(edge)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 1)


class StandingBy(Http01Test):
    def test_who_stands_by_answers_as_well(self) -> None:
        """The one that leads has another port, so that the CA and its own look can only reach the other."""
        mine = ("--leader-elect", "--leader-elect-namespace", self.namespace, "--http01-check-port", str(self.port), "--http01-port")
        self.begin(self.dns(), HTTP01, arguments=(*mine, str(choose(("http01",))["http01"])))
        self.operator.wait_says("leading")
        other = Operator(self.namespace, self.folder, self.operator.kubeconfig, *mine, str(self.port), log="other.log")
        self.addCleanup(other.kill)
        other.start()
        other.wait_says("standing by")
        edge = self.new_edge(issuerRef={"name": "own"}, ipAddresses=["127.0.0.1"])
        self.proved(edge)
        self.assertGreaterEqual(self.answered(other), 2, "the leader's look, and the CA's")
        self.assertEqual(self.answered(self.operator), 0)
        self.assertEqual(other.executed("NewOrder", edge.name), 0, json.dumps(other.lines()[-5:]))


if __name__ == "__main__":
    unittest.main()
