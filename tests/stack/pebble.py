"""Pebble: the ACME server, as nasty as it is by default."""
import json
from pathlib import Path

import probes
from component import Component
from folder import Settings
from ports import LOOPBACK


def render_pebble_config(settings: Settings, tls: Path) -> str:
    """As its authors ship it, but for addresses and files: what makes it nasty is the default and stays."""
    ports = settings.ports
    return json.dumps(
        {
            "pebble": {
                "listenAddress": f"{LOOPBACK}:{ports['pebble']}",
                "managementListenAddress": f"{LOOPBACK}:{ports['pebble-management']}",
                "certificate": str(tls / "pebble.crt"),
                "privateKey": str(tls / "pebble.key"),
                "httpPort": ports["pebble-http01"],
                "tlsPort": ports["pebble-tlsalpn01"],
                "ocspResponderURL": "",
                "externalAccountBindingRequired": False,
                "domainBlocklist": ["blocked-domain.example"],
                "retryAfter": {"authz": 3, "order": 5},
                "keyAlgorithm": "ecdsa",
                "profiles": {
                    "default": {"description": "90 days", "validityPeriod": 7776000},
                    "shortlived": {"description": "6 days", "validityPeriod": 518400},
                },
            }
        },
        indent=2,
    )


class Pebble(Component):
    name = "pebble"
    port_names = ("pebble", "pebble-management", "pebble-http01", "pebble-tlsalpn01")

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('pebble')}"

    @property
    def directory(self) -> str:
        return f"https://{self.address()}/dir"

    @property
    def management(self) -> str:
        return f"https://{LOOPBACK}:{self.port('pebble-management')}"

    @property
    def roots(self) -> Path:
        """The roots of all it has issued since `up`: each start makes a new one."""
        return self.home / "roots.pem"

    def prepare(self) -> None:
        (self.home / "config.json").write_text(render_pebble_config(self.settings, self.folder.tls))

    def command(self) -> list[str]:
        return [self.tool("pebble"), "-config", str(self.home / "config.json"), "-dnsserver", f"{LOOPBACK}:{self.port('bind')}"]

    def _root(self) -> probes.Answer:
        return probes.get(f"{self.management}/roots/0", self.folder.tls / "web-ca.crt")

    def answers(self) -> bool:
        return probes.get(self.directory, self.folder.tls / "web-ca.crt").status == 200 and self._root().status == 200

    def when_ready(self) -> None:
        with self.roots.open("ab") as file:
            file.write(self._root().body)
