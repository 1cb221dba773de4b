"""The demo: the samples on the local stack, three first certificates, then a rotation that an Edge answers with SIP_DOWN and its rollback.

What it says in the end is computed from TLS handshakes with the Edges' SIP ports; a line that does not hold makes the command fail.
Usage: demo.py OPERATOR (run under tests/stack/stack.py run, or with its environment). With KEEP=1 in the environment the operator is left running.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "operator"))
from harness import ALWAYS_OPEN, env  # noqa: E402
from simulator import Simulator, fingerprint, served_leaf  # noqa: E402

NAMESPACE = "voice"
# Minutes instead of hours: the simulated Edges restart in a second.
OBSERVE = {"settle": "5s", "period": "5s", "interval": "1s", "failAfter": 3}


def kubectl(*arguments: str, given: str | None = None) -> str:
    done = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def samples() -> list[dict[str, Any]]:
    """The objects of manifests/samples, as kubectl reads them."""
    text = kubectl("create", "--dry-run=client", "-o", "json", *(part for file in sorted((ROOT / "manifests" / "samples").glob("*.yaml")) for part in ("-f", str(file))))
    decoder = json.JSONDecoder()
    objects, at = [], 0
    while at < len(text.rstrip()):
        thing, end = decoder.raw_decode(text, at)
        objects += thing.get("items", [thing])
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return objects


def placed(thing: dict[str, Any], ports: dict[str, int]) -> dict[str, Any]:
    """The object with the local stack's addresses in it."""
    spec, bundle = thing["spec"], {"name": "stack-ca", "key": "ca.crt"}
    if thing["kind"] == "GenesysConnection":
        del spec["region"]
        spec["endpoints"] = {"api": env("STACK_GENESYS_API"), "login": env("STACK_GENESYS_LOGIN"), "caBundleRef": bundle}
        spec["certificateUpload"] = {"endpoint": env("STACK_GENESYS_API"), "caBundleRef": bundle}
    elif thing["kind"] == "AcmeIssuer":
        spec |= {"server": env("STACK_ACME_DIRECTORY"), "caBundleRef": bundle}
        solver = spec["solvers"][0]
        solver["selector"]["dnsZones"] = [env("STACK_DNS_ZONE")]
        solver["dns01"]["rfc2136"] |= {"nameserver": env("STACK_DNS_ADDR"), "tsigKeyName": env("STACK_DNS_TSIG_NAME")}
        solver["dns01"]["propagation"] = {"wait": "0s", "timeout": "60s", "nameservers": [env("STACK_DNS_ADDR")]}
    elif thing["kind"] == "RotationPolicy":
        spec |= {"windows": ALWAYS_OPEN, "observe": OBSERVE}
    elif thing["kind"] == "Edge":
        spec["sip"] = {"host": "127.0.0.1", "port": ports[thing["metadata"]["name"]]}
    elif thing["kind"] == "PinPolicy":
        host, port = env("STACK_CLOUD_ADDR").split(":")
        spec["endpoint"] = {"host": host, "port": int(port), "caBundleRef": bundle}
    elif thing["kind"] == "EdgeCertificate":
        spec["dnsNames"] = [name.replace("example.com", env("STACK_DNS_ZONE")) for name in spec["dnsNames"]]
    return thing


def prepare(ports: dict[str, int]) -> list[str]:
    """Applies Secrets and samples; the names of the EdgeCertificates."""
    trusted = Path(env("STACK_ACME_CA_FILE")).read_text() + Path(env("STACK_GENESYS_CA_FILE")).read_text() + Simulator(env("STACK_SIM_ADMIN")).call("GET", "/sim/v1/cloud")["caPem"]
    secrets = {
        "genesys-oauth": {"clientId": env("STACK_GENESYS_CLIENT_ID"), "clientSecret": env("STACK_GENESYS_CLIENT_SECRET")},
        "dns-tsig": {"tsig": env("STACK_DNS_TSIG_SECRET")},
        "stack-ca": {"ca.crt": trusted},
    }
    objects: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
    objects += [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": data} for name, data in secrets.items()]
    for thing in objects + (fleet := [placed(thing, ports) for thing in samples()]):
        kubectl("apply", "--server-side", "-f", "-", given=json.dumps(thing))
    print(f"applied manifests/samples: {len(fleet)} objects\n")
    return [thing["metadata"]["name"] for thing in fleet if thing["kind"] == "EdgeCertificate"]


def status(name: str) -> dict[str, Any]:
    return json.loads(kubectl("get", "edgecertificate", name, "-n", NAMESPACE, "-o", "json")).get("status", {})


class Watch:
    """Shows `kubectl get edgecertificates` whenever it says something new."""

    def __init__(self) -> None:
        self.shown = ""

    def until(self, done: Any, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = kubectl("get", "edgecertificates", "-n", NAMESPACE)
            plain = "\n".join(line.rsplit(None, 1)[0] for line in text.splitlines())  # without the age
            if plain != self.shown:
                print(text)
                self.shown = plain
            if done():
                return True
            time.sleep(0.3)
        return False


def said(line: str, holds: bool, failures: list[str]) -> None:
    print(f"  {'yes' if holds else 'NO '}  {line}")
    if not holds:
        failures.append(line)


def main() -> int:
    began = time.monotonic()
    sim = Simulator(env("STACK_SIM_ADMIN"))
    edges = {edge["name"]: edge for edge in sim.call("GET", "/sim/v1/edges")["edges"]}
    ports = {name: edge["sipPort"] for name, edge in edges.items()}
    names = prepare(ports)
    keep = os.environ.get("KEEP") == "1"
    log = (ROOT / "build" / "demo-operator.log").open("wb")
    operator = subprocess.Popen(
        [sys.argv[1], "--kubeconfig", env("KUBECONFIG"), "--namespaces", NAMESPACE, "--bind-address", "127.0.0.1", "--port", "0"], stdout=log, stderr=log, start_new_session=keep
    )
    failures: list[str] = []
    live = lambda name: fingerprint(served_leaf(ports[name]))
    watch = Watch()
    try:
        print("--- three first certificates\n")
        watch.until(lambda: all(status(name).get("phase") == "Ready" for name in names), 240)
        first = {name: status(name).get("fingerprintSha256") for name in names}

        victim = names[1]
        print(f"--- {victim} will answer its next certificate with SIP_DOWN\n")
        sim.call("PATCH", f"/sim/v1/edges/{edges[victim]['id']}", {"onApply": "sip-down"})
        kubectl("annotate", "edgecertificate", victim, "-n", NAMESPACE, f"edgetrust.io/renew-requested-at={time.time()}")
        seen: list[str] = []

        def looked() -> bool:
            leaf = live(victim)
            if leaf and (not seen or seen[-1] != leaf):
                seen.append(leaf)
            return status(victim).get("phase") == "RolledBack" and leaf == first[victim]

        watch.until(looked, 180)

        print("--- what the SIP-TLS ports say\n")
        for name in names:
            said(f"{name}: port {ports[name]} serves the certificate that its status names ({(first[name] or 'none')[:16]}…)", first[name] is not None and live(name) == first[name], failures)
        said(f"{victim}: another certificate was served in between", len(set(seen)) == 2, failures)
        said(f"{victim}: the first one is served again", bool(seen) and seen[-1] == first[victim] and len(seen) == 3, failures)
        said(f"{victim}: its history says so", (status(victim).get("history") or [{}])[0].get("result") == "RolledBack", failures)
    finally:
        if keep:
            print(f"\nleft running (operator: pid {operator.pid}, log {log.name}); use it with\n  export KUBECONFIG={env('KUBECONFIG')}\n  kubectl -n voice get edgetrust\nand end it with: kill {operator.pid}; make stack-down DIR={env('STACK_DIR')}")
        else:
            operator.terminate()
            operator.wait(timeout=30)
    if failures:
        print(f"\n{len(failures)} of these do not hold; the operator's log:\n" + Path(log.name).read_text()[-4000:])
    print(f"\nthe demo took {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
