"""What `/readyz` and the metrics say while the API server says nothing."""

import re
import ssl
import threading
import unittest
import urllib.error
import urllib.request

from harness import Operator, OperatorTest, wait_for
from proxy import HttpsProxy, Sweep, kubeconfig, make_certificates


class Gate(HttpsProxy):
    """While it is closed no request is handed on."""

    def __init__(self, *arguments: object) -> None:
        self.open = threading.Event()
        super().__init__(*arguments)  # type: ignore[arg-type] - they are the proxy's

    def _connect(self) -> ssl.SSLSocket:
        self.open.wait()
        return super()._connect()


class SilentCluster(OperatorTest):
    start_operator = False

    def prepare(self) -> None:
        super().prepare()
        self.ca = make_certificates(self.folder)
        self.gate = Gate("https://" + self.kube.address, self.kube.anonymous_tls(), self.folder, Sweep(), "kube")
        self.addCleanup(self.gate.close)
        self.addCleanup(self.gate.open.set)

    def ready(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.operator.port()}/readyz", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def silence(self) -> float | None:
        found = re.search(r"^edgetrust_watch_silence_seconds (\S+)$", self.operator.metrics(), re.M)
        return float(found[1]) if found else None

    def test_it_is_ready_when_it_has_seen_the_cluster_and_says_for_how_long_it_has_heard_nothing(self) -> None:
        self.operator = Operator(self.namespace, self.folder, str(kubeconfig(self.gate.url, self.ca, self.folder, self.token)))
        self.operator.start()
        self.assertEqual(self.ready(), (503, "the watches have not been read yet\n"))
        self.assertIsNone(self.silence(), "nothing has been heard that could end")
        self.gate.open.set()
        wait_for("it is ready", lambda: self.ready() == (200, "ok\n"))
        said = self.silence()
        assert said is not None
        wait_for("it grows while nobody says anything", lambda: (self.silence() or 0) > said)


if __name__ == "__main__":
    unittest.main()
