"""BIND: the zone's only authoritative server. It answers nothing else, and asks nobody."""
import shutil
from pathlib import Path

import probes
from component import Component
from folder import StackError
from ports import LOOPBACK

ZONE = "edges.test"
TSIG_NAME = "edgetrust-stack"


def render_named_config(home: Path, port: int, secret: str) -> str:
    return f"""options {{
  directory "{home}";
  pid-file none;
  session-keyfile none;
  listen-on port {port} {{ {LOOPBACK}; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  notify no;
  allow-transfer {{ key {TSIG_NAME}; }};
}};
controls {{ }};
key {TSIG_NAME} {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{ZONE}" {{
  type primary;
  file "{ZONE}.zone";
  update-policy {{ grant {TSIG_NAME} subdomain {ZONE}. TXT CNAME; }};
}};
"""


def render_zone() -> str:
    """All of TTL 1, so that nobody remembers an answer. Names are spelt out, for a wildcard ends where a TXT below a name is written."""
    return f"""$ORIGIN {ZONE}.
$TTL 1
@ SOA ns1 hostmaster 1 60 60 3600 1
@ NS ns1
ns1 A {LOOPBACK}
$GENERATE 1-99 edge${{0,2}} A {LOOPBACK}
$GENERATE 100-1200 edge$ A {LOOPBACK}
* A {LOOPBACK}
"""


class Bind(Component):
    name = "bind"
    port_names = ("bind",)

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('bind')}"

    def prepare(self) -> None:
        program = shutil.which("named", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            raise StackError("BIND's named is not installed; 'make setup' installs it")
        # A copy: AppArmor, where it is on, lets the program at the package's path read and write in the package's folders only.
        shutil.copy(program, self.home / "named")
        config = self.home / "named.conf"
        config.touch(mode=0o600)
        config.write_text(render_named_config(self.home, self.port("bind"), self.settings.tsig_secret))
        (self.home / f"{ZONE}.zone").write_text(render_zone())

    def command(self) -> list[str]:
        return [str(self.home / "named"), "-g", "-n", "1", "-c", str(self.home / "named.conf")]

    def answers(self) -> bool:
        return probes.serves_zone((LOOPBACK, self.port("bind")), ZONE)
