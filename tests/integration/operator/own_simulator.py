"""A Genesys simulator of a test's own: for trouble that would be everybody's in the stack's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness import OperatorTest, env, wait_for
from simulator import Simulator


class OwnSimulator(Simulator):
    """As the stack's, with the same certificate of its API, but without Edges."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        config = json.loads((Path(env("STACK_DIR")) / "genesys-sim" / "config.json").read_text())
        for port in ("api", "control", "cloud"):
            config.setdefault(port, {})["port"] = 0
        file = folder / "genesys-sim.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config | {"edges": []} | settings))
        self.output = folder / "genesys-sim.out"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen([env("GENESYS_SIM"), "--config", str(file)], stdout=out, stderr=subprocess.STDOUT)
        ready = wait_for("the simulator is ready", self._ready, 30)
        super().__init__(f"http://127.0.0.1:{ready['control']}")
        self.api = f"https://127.0.0.1:{ready['api']}"
        self.cloud_port = ready["cloud"]

    def _ready(self) -> Any:
        if self.process.poll() is not None:
            raise AssertionError(f"the simulator ended with {self.process.returncode}: {self.output.read_text()}")
        line = self.output.read_text()
        return json.loads(line) if line.endswith("\n") else None

    def client(self, name: str, **changes: str) -> None:
        """Another OAuth client, or other facts of one."""
        self.call("PATCH", f"/sim/v1/oauth/clients/{name}", changes)

    def logins(self) -> list[Any]:
        return [entry for entry in self.requests() if entry["path"] == "/oauth/token"]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


class OwnSimulatorTest(OperatorTest):
    """With a simulator of its own."""

    def prepare(self) -> None:
        self.sim: OwnSimulator = OwnSimulator(self.folder)
        self.addCleanup(self.sim.close)
        super().prepare()

    def addresses(self) -> dict[str, str]:
        return super().addresses() | {"api": self.sim.api, "login": self.sim.api}
