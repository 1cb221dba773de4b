"""A Pebble of a test's own, where the stack's would not do: another length of chain, another lifetime."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

from harness import env, wait_for

sys.path.append(str(Path(__file__).resolve().parents[2] / "stack"))
from ports import choose  # noqa: E402


class OwnPebble:
    """As the stack's, which is as nasty as its authors ship it, but for what is asked for."""

    def __init__(self, folder: Path, chain_length: int = 1, lifetime: int | None = None) -> None:
        """`chain_length`: how many intermediates, at least 1. `lifetime`: of every leaf, in seconds."""
        config = json.loads((Path(env("STACK_DIR")) / "pebble" / "config.json").read_text())
        settings = config["pebble"]
        self.ports = choose(("acme", "management", "http", "tls"))
        settings.update(listenAddress=f"127.0.0.1:{self.ports['acme']}", managementListenAddress=f"127.0.0.1:{self.ports['management']}", httpPort=self.ports["http"], tlsPort=self.ports["tls"])
        if lifetime is not None:
            settings["profiles"] = {"short": {"description": "for this test", "validityPeriod": lifetime}}
        file = folder / "pebble.json"
        file.write_text(json.dumps(config))
        environment = {"PATH": os.environ["PATH"], "PEBBLE_CHAIN_LENGTH": str(chain_length)}
        self.log = (folder / "pebble.log").open("wb")
        self.process = subprocess.Popen(["pebble", "-config", str(file), "-dnsserver", env("STACK_DNS_ADDR")], env=environment, stdout=self.log, stderr=self.log)
        self.directory = f"https://127.0.0.1:{self.ports['acme']}/dir"
        self.trust = ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE"))
        wait_for("Pebble answers", self._root, 30)

    def _root(self) -> str | None:
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{self.ports['management']}/roots/0", context=self.trust, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError(f"Pebble ended with {self.process.returncode}") from None
            return None

    @property
    def root(self) -> str:
        return self._root() or ""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()
