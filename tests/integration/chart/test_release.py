"""A release's life, with each Helm on a stack of its own: CRDs belong to the whole cluster."""

import os
import subprocess
import sys
import tempfile
import unittest

from helm import ROOT


class Release(unittest.TestCase):
    def story(self, helm: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in ("GENESYS_SIM", "STACK_DIR", "KUBECONFIG")}
        with tempfile.TemporaryDirectory(prefix="edgetrust-") as folder:
            command = [ROOT / "tests" / "stack" / "stack.py", "run", "--dir", f"{folder}/stack", "--", sys.executable, "-m", "unittest", "release_story"]
            done = subprocess.run(command, env=environment | {"HELM": helm}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_with_helm_3(self) -> None:
        self.story("helm3")

    def test_with_helm_4(self) -> None:
        self.story("helm4")


if __name__ == "__main__":
    unittest.main()
