"""A CA of somebody else: certificates that were on an Edge before the operator came."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import ssl
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from simulator import Appliance, Simulator


def env(name: str) -> str:
    return os.environ[name]


@dataclass(frozen=True)
class Issued:
    chain: str  # PEM, leaf first, without the root
    key: str

    @property
    def leaf(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.chain.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")


class Authority:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._openssl("req", "-x509", *self._new_key("root.key"), "-out", "root.crt", "-days", "30", "-subj", "/CN=somebody else's CA")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)

    @staticmethod
    def _new_key(file: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file]

    @property
    def root(self) -> str:
        return (self.folder / "root.crt").read_text()

    def issue(self, host: str) -> Issued:
        self._openssl("req", *self._new_key("leaf.key"), "-out", "leaf.csr", "-outform", "DER", "-subj", "/")
        return Issued(self.sign((self.folder / "leaf.csr").read_bytes(), host), (self.folder / "leaf.key").read_text())

    def sign(self, csr: bytes, host: str) -> str:
        """A leaf straight under the root, for the key of a CSR (DER)."""
        (self.folder / "ext").write_text(f"subjectAltName=DNS:{host}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
        (self.folder / "signed.csr").write_bytes(csr)
        self._openssl("x509", "-req", "-inform", "DER", "-in", "signed.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial", "-days", "20", "-out", "leaf.crt", "-extfile", "ext")
        return (self.folder / "leaf.crt").read_text()


def trusted_by_sbc(simulator: Simulator, *roots: str) -> None:
    """Adds roots to what the SIP peer trusts; tests at the same time keep each other's."""
    with (Path(env("STACK_DIR")) / "tmp" / "sbc-roots.pem").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("".join(roots))
        file.seek(0)
        everything = Path(env("STACK_ACME_ROOTS_FILE")).read_text() + file.read()
        file.flush()
        request = urllib.request.Request(f"{simulator.address}/sim/v1/sbc-trust", everything.encode(), method="PUT")
        urllib.request.urlopen(request, timeout=30).close()


def install_by_hand(appliance: Appliance, issued: Issued) -> None:
    """What an administrator does: the guide's upload, with the organisation's own credentials."""
    trust = ssl.create_default_context(cafile=env("STACK_GENESYS_CA_FILE"))
    basic = base64.b64encode(f"{env('STACK_GENESYS_CLIENT_ID')}:{env('STACK_GENESYS_CLIENT_SECRET')}".encode()).decode()
    login = urllib.request.Request(f"{env('STACK_GENESYS_LOGIN')}/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"})
    with urllib.request.urlopen(login, context=trust, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    encoded = lambda text: base64.b64encode(text.encode()).decode()
    body = {"edgeId": appliance.id, "certificate": encoded(issued.chain), "privateKey": encoded(issued.key)}
    upload = urllib.request.Request(
        f"{env('STACK_GENESYS_API')}/api/v2/telephony/providers/edges/certificates",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(upload, context=trust, timeout=30).close()
