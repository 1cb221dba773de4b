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

    def __init__(self, folder: Path, chain_length: int = 1, lifetime: int | None = None, rejected_nonces: int | None = None, alternate_roots: int = 0, bindings: dict[str, str] | None = None) -> None:
        """`chain_length`: how many intermediates, at least 1. `lifetime`: of every leaf, in seconds. `rejected_nonces`: in a hundred good ones; its own default is 5.
        `bindings`: external accounts, keys by id; an account needs one of them then."""
        config = json.loads((Path(env("STACK_DIR")) / "pebble" / "config.json").read_text())
        settings = config["pebble"]
        self.ports = choose(("acme", "management", "http", "tls"))
        settings.update(listenAddress=f"127.0.0.1:{self.ports['acme']}", managementListenAddress=f"127.0.0.1:{self.ports['management']}", httpPort=self.ports["http"], tlsPort=self.ports["tls"])
        if lifetime is not None:
            settings["profiles"] = {"short": {"description": "for this test", "validityPeriod": lifetime}}
        if bindings is not None:
            settings.update(externalAccountBindingRequired=True, externalAccountMACKeys=bindings)
        file = folder / "pebble.json"
        file.write_text(json.dumps(config))
        environment = {"PATH": os.environ["PATH"], "PEBBLE_CHAIN_LENGTH": str(chain_length), "PEBBLE_ALTERNATE_ROOTS": str(alternate_roots)}
        if rejected_nonces is not None:
            environment["PEBBLE_WFE_NONCEREJECT"] = str(rejected_nonces)
        self.log = (folder / "pebble.log").open("wb")
        self.command = ["pebble", "-config", str(file), "-dnsserver", env("STACK_DNS_ADDR")]
        self.environment = environment
        self.directory = f"https://127.0.0.1:{self.ports['acme']}/dir"
        self.trust = ssl.create_default_context(cafile=env("STACK_ACME_CA_FILE"))
        self.start()

    def start(self) -> None:
        """Anew: it has forgotten accounts and orders, and made other roots."""
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=self.log)
        wait_for("Pebble answers", self._root, 30)

    def management(self, path: str) -> str:
        with urllib.request.urlopen(f"https://127.0.0.1:{self.ports['management']}{path}", context=self.trust, timeout=10) as answer:
            return answer.read().decode()

    def orders(self) -> int:
        """All that it has made, by its own log."""
        return Path(self.log.name).read_text().count("Added order ")

    def _root(self) -> str | None:
        try:
            return self.management("/roots/0")
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError(f"Pebble ended with {self.process.returncode}") from None
            return None

    @property
    def root(self) -> str:
        return self._root() or ""

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self.log.close()
