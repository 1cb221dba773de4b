"""Two operators of one release: one works, the other stands by and takes over."""

import signal
import unittest
import urllib.request

from harness import Operator, TwoOperators, wait_for


class LeaderTest(TwoOperators):
    def lease(self) -> dict[str, object]:
        found: dict[str, object] = self.kube.get("Lease", self.namespace, "edgetrust")["spec"]
        return found

    def ready(self, operator: Operator) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port()}/readyz", timeout=10) as answer:
            text: str = answer.read().decode()
            return text


class Killed(LeaderTest):
    def test_a_rotation_goes_on_with_the_standby_and_nothing_is_done_twice(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.assertIn("standing by", self.ready(self.other))
        self.assertIn("edgetrust_leader 0", self.other.metrics().splitlines())
        # So long the others wait for one that was killed: as documented, and not only the default of what is tested in virtual time.
        self.assertEqual(self.lease()["leaseDurationSeconds"], 15)
        self.renew(edge.name)
        wait_for("the CA has the order", lambda: self.status(edge.name).get("order", {}).get("url"), 60)
        self.operator.kill()
        self.other.wait_says("leading")
        self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.lease()["leaseTransitions"], 1)
        self.assertIn("edgetrust_leader 1", self.other.metrics().splitlines())
        self.assertEqual(self.operator.executed("NewOrder", edge.name) + self.other.executed("NewOrder", edge.name), 2)
        self.assertEqual(len(self.sim.uploads(edge)), 2)


class Stopped(LeaderTest):
    def test_the_lease_is_given_up_and_taken(self) -> None:
        self.assertEqual(self.operator.stop(), 0)
        self.other.wait_says("leading")
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 0)


class Asleep(LeaderTest):
    def test_who_was_replaced_meanwhile_ends_and_changes_nothing(self) -> None:
        assert self.operator.process is not None
        self.operator.process.send_signal(signal.SIGSTOP)
        self.other.wait_says("leading")
        edge = self.new_edge()
        self.operator.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.operator.process.wait(60), 1)
        self.operator.wait_says("ended")
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 0)
        self.operator.process = None  # its exit status is as it should be


if __name__ == "__main__":
    unittest.main()
