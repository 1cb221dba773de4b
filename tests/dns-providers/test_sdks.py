"""The vendors' own SDKs against what stands in for their APIs: a stand-in is right about the wire, or a client that is not ours says so. Runs on a stack."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import azure
import cloudflare
from moto_server import MotoServer
from records import Bind

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "support"))
import pinned  # noqa: E402


class VendorsSdk(unittest.TestCase):
    def setUp(self) -> None:
        self.bind = Bind()
        self.name = f"_acme-challenge.{self._testMethodName.replace('_', '-')}"  # in the zone; tests run side by side
        self.variables = {"ZONE": self.bind.zone, "NAME": self.name, "HOME": tempfile.gettempdir()}
        self.ca = os.environ["STACK_GENESYS_CA_FILE"]

    def check(self, *command: str) -> None:
        done = subprocess.run(command, env=os.environ | self.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.bind.txt(f"{self.name}.{self.bind.zone}"), [])

    def test_cloudflare(self) -> None:
        server = cloudflare.Cloudflare(self.bind)
        self.addCleanup(server.close)
        folder = pinned.javascript(HERE / "sdk" / "package-lock.json")
        self.variables |= {"CLOUDFLARE_API": server.api, "CLOUDFLARE_TOKEN": cloudflare.TOKEN, "SDK_FOLDER": str(folder), "NODE_EXTRA_CA_CERTS": self.ca}
        self.check(str(pinned.node() / "bin" / "node"), str(HERE / "sdk" / "check_cloudflare.mjs"))

    def test_azure(self) -> None:
        server = azure.Azure(self.bind)
        self.addCleanup(server.close)
        names = ("TENANT", "CLIENT", "SECRET", "SUBSCRIPTION", "GROUP")
        self.variables |= {"AZURE_API": server.url, "REQUESTS_CA_BUNDLE": self.ca} | {f"AZURE_{name}": getattr(azure, name) for name in names}
        self.check(str(pinned.python(HERE / "sdk" / "azure.txt")), str(HERE / "sdk" / "check_azure.py"))

    def test_aws(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = MotoServer(Path(folder.name))
        self.addCleanup(server.close)
        keys, stranger = server.keys["edgetrust"], server.keys["stranger"]
        self.variables |= {"AWS_API": server.url, "AWS_CA_BUNDLE": self.ca, "AWS_ACCESS_KEY_ID": keys["id"], "AWS_SECRET_ACCESS_KEY": keys["secret"]}
        self.variables |= {"ZONE_ID": server.zone, "ROLE": server.role, "TOKEN_FILE": str(server.token), "STRANGER_ID": stranger["id"], "STRANGER_SECRET": stranger["secret"]}
        self.check(str(server.interpreter), str(HERE / "sdk" / "check_aws.py"))


if __name__ == "__main__":
    unittest.main()
