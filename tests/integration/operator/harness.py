"""What the operator's integration tests stand on: a namespace with a connection, an issuer and a policy, the operator itself, and waiting for conditions.

Run under `tests/stack/stack.py run`, which gives the STACK_… variables. EDGETRUST names the operator's program.
"""

import base64
import functools
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import secrecy
from kube import Kube
from simulator import Appliance, Simulator, fingerprint, served_leaf

API = "edgetrust.io/v1alpha1"
ALWAYS_OPEN = [{"start": "00:00", "duration": "24h"}]
# Long enough for the simulated Edge's restart (1 s) not to count.
PATIENT = {"settle": "4s", "period": "2s", "interval": "1s", "failAfter": 4}
# The guide's word kept literally: the first bad answer rolls back. A restart is a bad answer too, so nothing but a first certificate passes.
LITERAL = {"settle": "0s", "period": "3s", "interval": "1s", "failAfter": 1}


def env(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: run under tests/stack/stack.py run")
    return value


def wait_for(what: str, check: Callable[[], Any], seconds: float = 60, every: float = 0.2) -> Any:
    """The first true value of `check`. A condition that does not come says what it was."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


@functools.cache
def rights() -> list[str]:
    """The objects of manifests/operator/rbac.yaml, each as JSON."""
    file = Path(__file__).resolve().parents[3] / "manifests" / "operator" / "rbac.yaml"
    text = subprocess.run(["kubectl", "create", "--dry-run=client", "-o", "json", "-f", str(file)], check=True, capture_output=True, text=True).stdout
    return [json.dumps(part) for part in json.loads("[" + text.strip().replace("}\n{", "},{") + "]")]


class Operator:
    """The operator's program, watching one namespace."""

    def __init__(self, namespace: str, folder: Path, kubeconfig: str | None = None, *more: str, log: str = "operator.log", variables: dict[str, str] | None = None) -> None:
        self.namespace = namespace
        self.log = folder / log
        self.variables = variables or {}
        self.kubeconfig = kubeconfig or env("KUBECONFIG")
        self.more = more
        self.process: subprocess.Popen[bytes] | None = None
        self.before = 0  # lines of its log, when it was started last

    def start(self) -> None:
        self.before = len(self.lines()) if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [env("EDGETRUST"), "--kubeconfig", self.kubeconfig, "--namespaces", self.namespace, "--bind-address", "127.0.0.1", "--port", "0", "--log-level", "debug", *self.more],
                env=os.environ | self.variables,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL: it has no chance to tidy up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status. A sanitizer's report or a crash is not 0."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the operator does not end.\n{self.waits()}\n{self.log.read_text()[-4000:]}") from None

    def waits(self) -> str:
        """In which system call each of its threads is, with the call's arguments (proc(5))."""
        assert self.process is not None
        return "\n".join(f"{task.name}: {(task / 'wchan').read_text()} {(task / 'syscall').read_text().strip()}" for task in Path(f"/proc/{self.process.pid}/task").iterdir())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait_says(self, what: str) -> None:
        wait_for(f"{self.log.name} says {what}", lambda: any(line["msg"] == what for line in self.lines()), 60)

    def executed(self, effect: str, name: str) -> int:
        """How often an effect on this object was executed, as far as the operator knows: "NewOrder", "Push"."""
        lines = [line for line in self.lines() if line.get("effect") == effect and line.get("name") == name]
        return sum(line["msg"] == "pass" for line in lines) - sum(line["msg"] == "an effect failed" for line in lines)

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def port(self) -> int:
        return wait_for("the operator says its port", lambda: next((line["port"] for line in self.lines()[self.before :] if line.get("msg") == "started"), None), 20)


class OperatorTest(unittest.TestCase):
    """A namespace of its own for each test, with everything but Edges and certificates in it, and a running operator."""

    policy: dict[str, Any] = {"windows": ALWAYS_OPEN, "observe": PATIENT}
    connection: dict[str, Any] = {}  # what its spec has besides
    propagation: dict[str, Any] = {"wait": "0s", "timeout": "60s"}
    start_operator = True
    arguments: list[str] = []  # of the operator, besides
    variables: dict[str, str] = {}  # of its environment

    def setUp(self) -> None:
        self.kube = Kube()
        self.sim = Simulator(env("STACK_SIM_ADMIN"))
        self.namespace = "t-" + uuid.uuid4().hex[:10]
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kube.create_namespace(self.namespace)
        self.prepare()
        self.operator = Operator(self.namespace, self.folder, self.service_account(), *self.arguments, variables=self.variables)
        self.addCleanup(self.end_operator)
        if self.start_operator:
            self.operator.start()

    def end_operator(self) -> None:
        process = self.operator.process
        if process is None:
            return
        places = self.what_is_public() if process.poll() is None else {}
        if process.poll() is None:
            self.operator.stop()
        problems = self.folder / "operator.log"
        seen = secrecy.leaks(self.canaries(), places | {"log": problems.read_text()})
        if seen:
            self.fail("; ".join(seen))
        if process.returncode != 0 and process.returncode != -signal.SIGKILL:
            self.fail(f"the operator ended with {process.returncode}:\n" + problems.read_text()[-4000:])

    def canaries(self) -> dict[str, list[str]]:
        """What nobody may see, of all Secrets that the test and the operator have made."""
        return secrecy.of_secrets(self.kube.list("Secret", self.namespace)) | {"the token": secrecy.pieces(self.token.encode())}

    def what_is_public(self) -> dict[str, str]:
        kinds = ("EdgeCertificate", "Edge", "AcmeIssuer", "GenesysConnection", "RotationPolicy", "PinPolicy")
        return {
            "metrics": self.operator.metrics(),
            "Events": json.dumps(self.kube.events(self.namespace)),
            "objects": json.dumps([self.kube.list(kind, self.namespace) for kind in kinds]),
        }

    def service_account(self) -> str:
        """A kubeconfig with the operator's own rights in its namespace, and no others."""
        for part in map(json.loads, rights()):
            part["metadata"]["namespace"] = self.namespace
            if part["kind"] == "RoleBinding":
                part["subjects"][0]["namespace"] = self.namespace
            self.kube.create(part)
        self.token = self.kube.token(self.namespace, "edgetrust")
        user = {"name": "edgetrust", "user": {"token": self.token}}
        context = {"name": "edgetrust", "context": {"cluster": self.kube.cluster["name"], "user": "edgetrust"}}
        file = self.folder / "kubeconfig.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "edgetrust", "clusters": [self.kube.cluster], "users": [user], "contexts": [context]}))
        return str(file)

    # --- what stands in the namespace

    def make(self, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Any:
        return self.kube.create({"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": self.namespace, **metadata}, "spec": spec})

    def secret(self, name: str, data: dict[str, str], kind: str = "Opaque") -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.kube.create({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name, "namespace": self.namespace}, "data": encoded})

    def addresses(self) -> dict[str, str]:
        """Where the servers are; a test that puts a proxy in between says otherwise."""
        return {"acme": env("STACK_ACME_DIRECTORY"), "dns": env("STACK_DNS_ADDR"), "api": env("STACK_GENESYS_API"), "login": env("STACK_GENESYS_LOGIN")}

    def trusted(self) -> str:
        """CA certificates for those servers."""
        return Path(env("STACK_ACME_CA_FILE")).read_text() + Path(env("STACK_GENESYS_CA_FILE")).read_text()

    def prepare(self) -> None:
        at = self.addresses()
        self.secret("genesys-oauth", {"clientId": env("STACK_GENESYS_CLIENT_ID"), "clientSecret": env("STACK_GENESYS_CLIENT_SECRET")})
        self.secret("dns-tsig", {"tsig": env("STACK_DNS_TSIG_SECRET")})
        self.secret("stack-ca", {"ca.crt": self.trusted()})
        bundle = {"name": "stack-ca", "key": "ca.crt"}
        self.make(
            "GenesysConnection",
            "prod",
            {
                "endpoints": {"api": at["api"], "login": at["login"], "caBundleRef": bundle},
                "credentialsRef": {"name": "genesys-oauth"},
                "certificateUpload": {"endpoint": at["api"], "caBundleRef": bundle},
                "requestsPerMinute": 10000,
                "timeZone": "Etc/UTC",
                "discovery": {"mode": "Disabled"},  # the simulator is everybody's
                **self.connection,
            },
        )
        self.make(
            "AcmeIssuer",
            "pebble",
            {
                "server": at["acme"],
                "accountKeyRef": {"name": "pebble-account"},
                "caBundleRef": bundle,
                "solvers": [{"dns01": {**self.dns01(), "propagation": {**self.propagation, "nameservers": self.nameservers()}}}],
            },
        )
        self.make("RotationPolicy", "default", self.policy)

    def dns01(self) -> dict[str, Any]:
        """How challenges are answered; without where it is looked for."""
        return {"rfc2136": {"nameserver": self.addresses()["dns"], "tsigKeyName": env("STACK_DNS_TSIG_NAME"), "tsigSecretRef": {"name": "dns-tsig", "key": "tsig"}}}

    def nameservers(self) -> list[str]:
        return [env("STACK_DNS_ADDR")]

    def make_edge(self, appliance: Appliance, name: str | None = None, **more: Any) -> str:
        name = name or appliance.name
        self.make("Edge", name, {"connectionRef": {"name": "prod"}, "edgeId": appliance.id, "sip": {"host": "127.0.0.1", "port": appliance.port}, **more})
        return name

    def make_certificate(self, appliance: Appliance, name: str | None = None, **more: Any) -> str:
        name = name or appliance.name
        spec = {"edgeRef": {"name": name}, "issuerRef": {"name": "pebble"}, "dnsNames": [appliance.host], "privateKey": {"algorithm": "ECDSA"}, **more}
        self.make("EdgeCertificate", name, spec)
        return name

    def new_edge(self, **more: Any) -> Appliance:
        """An Edge in the simulator with its Edge and EdgeCertificate objects."""
        appliance = self.sim.add_edges(1)[0]
        self.make_edge(appliance)
        self.make_certificate(appliance, **more)
        return appliance

    # --- looking

    def certificate(self, name: str) -> Any:
        return self.kube.get("EdgeCertificate", self.namespace, name)

    def status(self, name: str) -> Any:
        return self.certificate(name).get("status", {})

    def serving(self, name: str) -> Any:
        """The Secret with what the Edge serves, once it is there: it is written after the proof."""
        return wait_for(f"the Secret {name}-tls", lambda: self.kube.find("Secret", self.namespace, f"{name}-tls"))

    @staticmethod
    def condition(thing: Any, kind: str) -> dict[str, Any]:
        return next((c for c in thing.get("status", {}).get("conditions", []) if c["type"] == kind), {})

    def wait_phase(self, name: str, phase: str, revision: int | None = None, seconds: float = 90) -> Any:
        def there() -> Any:
            status = self.status(name)
            return status if status.get("phase") == phase and (revision is None or status.get("revision") == revision) else None

        try:
            return wait_for(f"{name} is {phase}", there, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{json.dumps(self.status(name), indent=1)}\n" + self.operator.log.read_text()[-6000:]) from None

    def wait_condition(self, kind: str, name: str, condition: str, status: str, seconds: float = 60) -> dict[str, Any]:
        def there() -> Any:
            found = self.condition(self.kube.get(kind, self.namespace, name), condition)
            return found if found.get("status") == status else None

        return wait_for(f"{kind} {name}: {condition}={status}", there, seconds)

    def annotate(self, name: str, key: str, value: str | None) -> None:
        self.kube.patch("EdgeCertificate", self.namespace, name, {"metadata": {"annotations": {f"edgetrust.io/{key}": value}}})

    def renew(self, name: str) -> None:
        self.annotate(name, "renew-requested-at", str(time.time()))

    def live(self, appliance: Appliance) -> str | None:
        """SHA-256 of the leaf that the Edge's port presents now."""
        return fingerprint(served_leaf(appliance.port))


class TwoOperators(OperatorTest):
    """Two operators of one release: `operator` works, and `other` stands by."""

    start_operator = False

    def setUp(self) -> None:
        super().setUp()
        more = ("--leader-elect", "--leader-elect-namespace", self.namespace, *self.arguments)
        self.operator, self.other = (
            Operator(self.namespace, self.folder, self.operator.kubeconfig, *more, log=f"{name}.log", variables={"HOSTNAME": name}) for name in ("operator", "other")
        )
        self.addCleanup(self.other.kill)
        self.operator.start()
        self.operator.wait_says("leading")
        self.other.start()
        self.other.wait_says("standing by")
