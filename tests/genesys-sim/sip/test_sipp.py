"""SIPp, a SIP peer that is not ours, at the SIP-TLS port of a simulated Edge.

Debian builds SIPp without TLS (`sipp -v` names no TLS). So it speaks plain TCP to a tunnel of this test, and the tunnel speaks TLS to the Edge: it verifies the
chain against the root and the name, as a peer would.
"""

import asyncio
import json
import os
import ssl
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOST = "edge01.edges.test"
EDGE = "7f3c0000-0000-4000-8000-000000000001"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)


def make_certificates(folder: Path) -> None:
    """root.crt, and leaf.crt with leaf.key under it."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
    openssl(folder, "req", "-x509", *key, "root.key", "-out", "root.crt", "-days", "2", "-subj", "/CN=root")
    openssl(folder, "req", *key, "leaf.key", "-out", "leaf.csr", "-subj", "/")
    (folder / "ext").write_text(f"subjectAltName=DNS:{HOST}\nextendedKeyUsage=serverAuth\n")
    openssl(folder, "x509", "-req", "-in", "leaf.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial", "-days", "1", "-out", "leaf.crt", "-extfile", "ext")


class Tunnel:
    """A TCP port of loopback whose connections go on over TLS."""

    def __init__(self, target: int, context: ssl.SSLContext) -> None:
        self.target = target
        self.context = context
        self.trouble: list[str] = []

    async def open(self) -> int:
        self.server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            edge_reader, edge_writer = await asyncio.open_connection("127.0.0.1", self.target, ssl=self.context, server_hostname=HOST)
        except OSError as error:
            self.trouble.append(str(error))
            writer.close()
            return
        pumps = [asyncio.create_task(self._pump(reader, edge_writer)), asyncio.create_task(self._pump(edge_reader, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        edge_writer.close()
        writer.close()

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(4096):
            writer.write(chunk)
            await writer.drain()

    async def close(self) -> None:
        self.server.close()
        await self.server.wait_closed()


class Sipp(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-sipp-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        make_certificates(self.folder)
        certificates = {"chainFile": str(self.folder / "leaf.crt"), "keyFile": str(self.folder / "leaf.key")}
        config = {
            "edges": [{"id": EDGE, "name": "edge01", "host": HOST}],
            "initialCertificates": {EDGE: certificates},
            "sbc": {"trustFile": str(self.folder / "root.crt")},
        }
        (self.folder / "config.json").write_text(json.dumps(config))
        self.simulator = await asyncio.create_subprocess_exec(os.environ["GENESYS_SIM"], "--config", str(self.folder / "config.json"), stdout=subprocess.PIPE)
        self.addAsyncCleanup(self.end_simulator)
        assert self.simulator.stdout is not None
        ready = json.loads(await asyncio.wait_for(self.simulator.stdout.readline(), 30))
        self.control = f"http://127.0.0.1:{ready['control']}"
        self.tunnel = Tunnel(ready["edges"][0]["sipPort"], ssl.create_default_context(cafile=str(self.folder / "root.crt")))
        self.port = await self.tunnel.open()
        self.addAsyncCleanup(self.tunnel.close)
        await self.wait_sip("UP")

    async def end_simulator(self) -> None:
        self.simulator.terminate()
        self.assertEqual(await asyncio.wait_for(self.simulator.wait(), 10), 0)

    async def sipp(self, scenario: str, calls: int) -> tuple[int, str]:
        """Its exit status, which is 0 when each call went as the scenario says, and what it wrote about those that did not."""
        errors = self.folder / "errors.log"
        at_home = ["-i", "127.0.0.1", "-ci", "127.0.0.1", "-mi", "127.0.0.1"]  # it listens on every address otherwise
        program = await asyncio.create_subprocess_exec(
            *["sipp", f"127.0.0.1:{self.port}", "-sf", str(HERE / scenario), "-key", "edge", HOST, *at_home],
            *["-t", "t1", "-m", str(calls), "-r", "50", "-nostdin", "-timeout", "30s", "-timeout_error", "-trace_err", "-error_file", str(errors)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(program.communicate(), 60)
        assert program.returncode is not None
        return program.returncode, "\n".join([*self.tunnel.trouble, said.decode(), errors.read_text() if errors.exists() else ""])

    def ask(self, method: str, changes: Any = None) -> Any:
        """The Edge by the simulator's control port."""
        body = None if changes is None else json.dumps(changes).encode()
        request = urllib.request.Request(f"{self.control}/sim/v1/edges/{EDGE}", body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    async def wait_sip(self, state: str) -> None:
        """Until the simulator's own peer sees it so."""
        async with asyncio.timeout(20):
            while self.ask("GET")["sip"]["state"] != state:
                await asyncio.sleep(0.1)

    async def test_options_is_answered_each_time_on_one_connection(self) -> None:
        status, said = await self.sipp("options.xml", 50)
        self.assertEqual(status, 0, said)

    async def test_call_is_refused_and_the_connection_goes_on(self) -> None:
        status, said = await self.sipp("refused.xml", 10)
        self.assertEqual(status, 0, said)

    async def test_edge_that_is_down_fails_the_scenario(self) -> None:
        """So that the first test is known to be able to fail."""
        self.ask("PATCH", {"sip": "DOWN"})
        await self.wait_sip("DOWN")
        status, said = await self.sipp("options.xml", 1)
        self.assertEqual(status, 1, said)
        self.assertIn("SIP/2.0 503 Service Unavailable", said)


if __name__ == "__main__":
    unittest.main()
