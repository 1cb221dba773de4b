"""The stack's servers: what each needs in its folder, how it is started, and by what answer it is known to be ready."""
import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import probes
from folder import Folder, Settings, StackError
from kubernetes_access import admin_kubeconfig
from ports import LOOPBACK

ZONE = "edges.test"
TSIG_NAME = "edgetrust-stack"
CLIENT_ID = "edgetrust-stack"


class Component(ABC):
    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()  # started when these are ready
    grace: ClassVar[float] = 0.0  # seconds between SIGTERM and SIGKILL; the others are killed at once, for nothing of theirs is kept

    def __init__(self, folder: Folder, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    @property
    def home(self) -> Path:
        return self.folder.of(self.name)

    @property
    def output(self) -> Path:
        """Where its standard output goes."""
        return self.folder.log(self.name)

    def port(self, name: str) -> int:
        return self.settings.ports[name]

    def tool(self, name: str) -> str:
        for folder in self.settings.tools:
            if (Path(folder) / name).exists():
                return str(Path(folder) / name)
        raise StackError(f"{name} is not built; 'make setup' builds it")

    def prepare(self) -> None:
        """Writes its files, once; ports may have changed when it is called again."""

    def before_start(self) -> None:
        """Each time, also before a restart."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool:
        """True when it does its work; False or OSError while it does not yet."""

    def when_ready(self) -> None:
        """Each time, also after a restart."""

    @abstractmethod
    def address(self) -> str: ...


class Etcd(Component):
    name = "etcd"
    port_names = ("etcd", "etcd-peer")

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('etcd')}"

    def command(self) -> list[str]:
        client, peer = f"http://{self.address()}", f"http://{LOOPBACK}:{self.port('etcd-peer')}"
        return [
            self.tool("etcd"),
            f"--data-dir={self.home / 'data'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # a crash of the machine ends the stack anyway; a crash of etcd loses nothing
            "--log-level=warn",
        ]

    def answers(self) -> bool:
        return probes.get(f"http://{self.address()}/readyz").status == 200


class KubeApiserver(Component):
    name = "kube-apiserver"
    port_names = ("kube-apiserver",)

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('kube-apiserver')}"

    def prepare(self) -> None:
        admin_kubeconfig(self.folder, f"https://{self.address()}")

    def command(self) -> list[str]:
        tls = self.folder.tls
        return [
            self.tool("kube-apiserver"),
            f"--etcd-servers=http://{LOOPBACK}:{self.port('etcd')}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={self.port('kube-apiserver')}",
            "--endpoint-reconciler-type=none",  # a loopback address may not stand in an EndpointSlice
            f"--cert-dir={self.home}",
            f"--tls-cert-file={tls / 'kube-apiserver.crt'}",
            f"--tls-private-key-file={tls / 'kube-apiserver.key'}",
            f"--client-ca-file={tls / 'cluster-ca.crt'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={tls / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={tls / 'service-accounts.key'}",
            "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
        ]

    def answers(self) -> bool:
        tls = self.folder.tls
        # The namespace `default` is made by the server itself, a moment after it calls itself ready.
        return all(
            probes.get(f"https://{self.address()}{path}", tls / "cluster-ca.crt", (tls / "admin.crt", tls / "admin.key")).status == 200
            for path in ("/readyz", "/api/v1/namespaces/default")
        )


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
  update-policy {{ grant {TSIG_NAME} subdomain {ZONE}. TXT; }};
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


@dataclass(frozen=True)
class SimulatorPorts:
    """What the simulator says when it is ready."""

    api: int
    login: int
    control: int
    cloud: int | None


def parse_ready_line(output: str) -> SimulatorPorts | None:
    """The ports in {"ready": true, "api": …, "control": …, "login"?: …, "cloud"?: …}; None before that line is whole."""
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
    port_names = ("genesys-api", "genesys-control")
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

    def address(self) -> str:
        return f"{LOOPBACK}:{self.ports.api}"

    def prepare(self) -> None:
        tls = self.folder.tls
        config = {
            "api": {"port": self.port("genesys-api"), "certFile": str(tls / "genesys.crt"), "keyFile": str(tls / "genesys.key")},
            "control": {"port": self.port("genesys-control")},
            "credentials": {"clientId": CLIENT_ID, "clientSecret": self.settings.client_secret},
            "edges": [asdict(edge) for edge in self.settings.edges],
            "sbcTrustFile": str(Pebble(self.folder, self.settings).roots),
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


KINDS: tuple[type[Component], ...] = (Etcd, KubeApiserver, Bind, Pebble, GenesysSim)


def components(folder: Folder, settings: Settings) -> list[Component]:
    return [kind(folder, settings) for kind in KINDS if kind is not GenesysSim or settings.simulator is not None]
