"""Servers that restart under a running rotation. Serial: the stack is shared."""

import subprocess
import unittest
from pathlib import Path

from harness import OperatorTest, env, wait_for

STACK = Path(__file__).resolve().parents[2] / "stack" / "stack.py"


class ApiServer(OperatorTest):
    def test_restart_in_mid_rotation_is_survived(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.renew(edge.name)
        wait_for("the rotation is under way", lambda: self.status(edge.name).get("phase") != "Ready")
        subprocess.run([str(STACK), "restart", "kube-apiserver", "--dir", env("STACK_DIR")], check=True, capture_output=True)
        self.wait_phase(edge.name, "Ready", 2, 120)
        self.assertEqual(self.live(edge), self.status(edge.name)["fingerprintSha256"])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2)
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2)


if __name__ == "__main__":
    unittest.main()
