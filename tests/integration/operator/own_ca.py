"""CAs of a test's own beside Pebble: step-ca and Vault, as their users run them, each started by the test that needs it."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from harness import env, wait_for
from own_pebble import choose


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)


def new_key(file: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file]


class OwnServer:
    """One process, and a folder with what it needs and says."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.port = choose(("acme",))["acme"]
        self.log = (self.folder / "log").open("wb")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=self.log, stderr=self.log)

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def call(self, path: str, trust: ssl.SSLContext, body: Any = None, **headers: str) -> Any:
        """The answer's JSON; None while nobody answers."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", None if body is None else json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None
        except OSError:
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"{self.folder.name} has ended:\n{self.said()[-2000:]}") from None
            return None
        return json.loads(text) if text else {}

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class OwnStepCa(OwnServer):
    """step-ca with a root, an intermediate and one ACME provisioner."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "step-ca")
        (self.folder / "ext").write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl(self.folder, "req", "-x509", *new_key("root.key"), "-out", "root.crt", "-days", "30", "-subj", "/CN=step root")
        openssl(self.folder, "req", *new_key("inter.key"), "-out", "inter.csr", "-subj", "/CN=step intermediate")
        openssl(self.folder, "x509", "-req", "-in", "inter.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial", "-days", "20", "-out", "inter.crt", "-extfile", "ext")
        config = {
            "root": str(self.folder / "root.crt"),
            "crt": str(self.folder / "inter.crt"),
            "key": str(self.folder / "inter.key"),
            "address": f"127.0.0.1:{self.port}",
            "dnsNames": ["127.0.0.1"],
            "logger": {"format": "text"},
            "db": {"type": "badgerv2", "dataSource": str(self.folder / "db")},
            "authority": {"provisioners": [{"type": "ACME", "name": "acme"}]},
        }
        (self.folder / "ca.json").write_text(json.dumps(config))
        self.start("step-ca", str(self.folder / "ca.json"), "--resolver", env("STACK_DNS_ADDR"))
        self.root = (self.folder / "root.crt").read_text()
        self.web_ca = self.root  # its own certificate comes from the same root
        self.directory = f"https://127.0.0.1:{self.port}/acme/acme/directory"
        trust = ssl.create_default_context(cadata=self.root)
        wait_for("step-ca answers", lambda: self.call("/acme/acme/directory", trust), 30)


class OwnVault(OwnServer):
    """Vault with its PKI engine, which takes no account without an external one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "vault")
        (self.folder / "ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        openssl(self.folder, "req", "-x509", *new_key("web-ca.key"), "-out", "web-ca.crt", "-days", "30", "-subj", "/CN=Vault's web CA")
        openssl(self.folder, "req", *new_key("web.key"), "-out", "web.csr", "-subj", "/CN=vault")
        openssl(self.folder, "x509", "-req", "-in", "web.csr", "-CA", "web-ca.crt", "-CAkey", "web-ca.key", "-CAcreateserial", "-days", "20", "-out", "web.crt", "-extfile", "ext")
        self.web_ca = (self.folder / "web-ca.crt").read_text()
        self.trust = ssl.create_default_context(cadata=self.web_ca)
        self.start("vault", f"127.0.0.1:{self.port}", "web.crt", "web.key")
        self.token = wait_for("Vault says its token", lambda: next((line for line in self.said().splitlines() if line.startswith("hvs.")), None), 30)
        self.directory = f"https://127.0.0.1:{self.port}/v1/pki/acme/directory"
        wait_for("Vault answers", lambda: self.call("/v1/sys/health", self.trust), 30)
        self.write("sys/mounts/pki", type="pki", config={"max_lease_ttl": "720h", "allowed_response_headers": ["Replay-Nonce", "Link", "Location"]})
        self.root = self.write("pki/root/generate/internal", common_name="Vault root", ttl="720h")["data"]["certificate"] + "\n"
        self.write("pki/config/cluster", path=f"https://127.0.0.1:{self.port}/v1/pki")
        self.write("pki/config/acme", enabled=True, eab_policy="always-required", dns_resolver=env("STACK_DNS_ADDR"))

    def write(self, where: str, **body: Any) -> Any:
        return self.call(f"/v1/{where}", self.trust, body, **{"X-Vault-Token": self.token, "Content-Type": "application/json"})

    def new_binding(self) -> tuple[str, str]:
        """The id and the key of an external account."""
        made = self.write("pki/acme/new-eab")["data"]
        return made["id"], made["key"]
