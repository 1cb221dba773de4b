"""The Genesys and Edge simulator, a program of the project that is given by its path."""
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import probes
from component import Component
from folder import StackError
from pebble import Pebble
from ports import LOOPBACK

CLIENT_ID = "edgetrust-stack"


@dataclass(frozen=True)
class SimulatorPorts:
    """What the simulator says when it is ready."""

    api: int
    login: int
    control: int
    cloud: int | None


def parse_ready_line(output: str) -> SimulatorPorts | None:
    """The ports in {"ready": true, "api": …, "control": …, "login"?: …, "cloud"?: …, …}; None before that line is whole."""
    for line in output.splitlines(keepends=True):
        if not line.startswith("{") or not line.endswith("\n"):
            continue
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if said.get("ready") is True:
            try:
                return SimulatorPorts(said["api"], said.get("login", said["api"]), said["control"], said.get("cloud"))
            except KeyError as missing:
                raise StackError(f"the simulator's ready line lacks {missing}: {line.strip()}") from None
    return None


class GenesysSim(Component):
    name = "genesys-sim"
    port_names = ("genesys-api", "genesys-control", "genesys-cloud")
    after = ("pebble",)  # its SBCs trust Pebble's root
    grace = 3.0  # a sanitizer's report comes at the end

    @property
    def output(self) -> Path:
        return self.home / "output"

    @property
    def ports(self) -> SimulatorPorts:
        said = parse_ready_line(self.output.read_text())
        if said is None:
            raise StackError("the simulator has not said that it is ready")
        return said

    @property
    def _trusted(self) -> Path:
        return Pebble(self.folder, self.settings).roots

    def dependency_restarted(self) -> None:
        """Its SBCs read the file at their start only; without Pebble's new root they would call each new certificate a fault of the Edge."""
        url = f"http://{LOOPBACK}:{self.ports.control}/sim/v1/sbc-trust"
        answer = probes.put(url, self._trusted.read_bytes())
        if answer.status not in (200, 204):
            raise StackError(f"the simulator refused the new roots with {answer.status}: {answer.body.decode('utf-8', 'replace')[:200]}")

    def address(self) -> str:
        return f"{LOOPBACK}:{self.ports.api}"

    def prepare(self) -> None:
        tls = self.folder.tls
        config = {
            "api": {"port": self.port("genesys-api"), "certFile": str(tls / "genesys.crt"), "keyFile": str(tls / "genesys.key")},
            "control": {"port": self.port("genesys-control")},
            "cloud": {"port": self.port("genesys-cloud")},
            "credentials": {"clientId": CLIENT_ID, "clientSecret": self.settings.client_secret},
            "edges": [asdict(edge) for edge in self.settings.edges],
            "sbcTrustFile": str(self._trusted),
            "ratePerMinute": 30_000,  # what it says is allowed; the operator stays at 0.6 of that, and the tests are in a hurry
        }
        file = self.home / "config.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config, indent=2))

    def before_start(self) -> None:
        self.output.write_text("")  # what an earlier start said no longer holds

    def command(self) -> list[str]:
        assert self.settings.simulator is not None
        return [self.settings.simulator, "--config", str(self.home / "config.json")]

    def answers(self) -> bool:
        return parse_ready_line(self.output.read_text()) is not None
