"""Private certificate authorities and certificates on EC P-256, made by the openssl command."""
import subprocess
from pathlib import Path

DAYS = 365


class OpensslFailed(Exception):
    """The openssl command refused."""


def run_openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OpensslFailed(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def render_config(extensions: dict[str, str]) -> str:
    """A configuration of our own, so that the system's adds nothing."""
    lines = ["[req]", "distinguished_name = name", "x509_extensions = extensions", "[name]", "[extensions]"]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in extensions.items())]) + "\n"


def make_key(path: Path) -> None:
    run_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))


def make_key_pair(private: Path, public: Path) -> None:
    make_key(private)
    run_openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))


class Authority:
    """A certificate authority: NAME.crt and NAME.key in its folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.crt"

    @property
    def key(self) -> Path:
        return self.folder / f"{self.name}.key"

    def create(self) -> None:
        extensions = {"basicConstraints": "critical, CA:TRUE", "keyUsage": "critical, keyCertSign, cRLSign", "subjectKeyIdentifier": "hash"}
        self._request(self.name, f"/O=edgetrust test stack/CN={self.name}", extensions)

    def issue_server(self, name: str, dns_names: list[str], addresses: list[str]) -> None:
        names = [f"DNS:{value}" for value in dns_names] + [f"IP:{value}" for value in addresses]
        self._issue(name, f"/CN={name}", {"extendedKeyUsage": "serverAuth", "subjectAltName": ", ".join(names)})

    def issue_client(self, name: str, group: str) -> None:
        self._issue(name, f"/O={group}/CN={name}", {"extendedKeyUsage": "clientAuth"})

    def _issue(self, name: str, subject: str, more: dict[str, str]) -> None:
        extensions = {
            "basicConstraints": "critical, CA:FALSE",
            "keyUsage": "critical, digitalSignature",
            "subjectKeyIdentifier": "hash",
            "authorityKeyIdentifier": "keyid",
        }
        self._request(name, subject, extensions | more, "-CA", str(self.certificate), "-CAkey", str(self.key))

    def _request(self, name: str, subject: str, extensions: dict[str, str], *signer: str) -> None:
        config, key, certificate = (self.folder / f"{name}.{kind}" for kind in ("cnf", "key", "crt"))
        config.write_text(render_config(extensions))
        make_key(key)
        run_openssl("req", "-x509", "-new", "-config", str(config), "-key", str(key), "-subj", subject, "-days", str(DAYS), "-out", str(certificate), *signer)
