"""The documents for a new user, followed on a real node: install.md, first-rotation.md from `helm install` to a Ready EdgeCertificate, and backup-and-restore.md. Started by `run`, through machine.py.

Their commands and manifests are taken out of the Markdown (../docs/reader.py) and run as they stand. What is told them are the values that they call the reader's own; what is arranged around them
is what a reader has: names that lead somewhere, servers whose certificates a public root vouches for, an Edge with a certificate that the vendor has put there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += [str(HERE.parent / "docs"), str(HERE.parent / "integration" / "operator")]
from authority import Authority, install_by_hand, trusted_by_sbc  # noqa: E402
from harness import env, wait_for  # noqa: E402
from node import FOLDER, NODE_ADDRESS, NotPossible, forward, orders, run, started, written  # noqa: E402
from reader import Reader  # noqa: E402
from simulator import Simulator, fingerprint, served_leaf  # noqa: E402

REGISTRY, OF, VOICE = "registry.example.com", "edgetrust", "voice"
ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
REGION = "genesys.test"


def get(what: str) -> Any:
    return json.loads(run("kubectl", "get", what, f"--namespace={VOICE}", "--output=json"))


class Documents(unittest.TestCase):
    def setUp(self) -> None:
        self.node = started(self, f"{REGISTRY}/edgetrust")
        self.sim = Simulator(env("STACK_SIM_ADMIN"))
        self.edge = self.sim.add_edges(1)[0]
        self.it_serves_what_the_vendor_has_put_there()
        self.acme = urlsplit(env("STACK_ACME_DIRECTORY"))
        self.names_lead_somewhere()
        self.public_roots_vouch_for_the_stack()
        for kinds in ("servicemonitors", "prometheusrules"):
            run("kubectl", "apply", "--server-side", "-f", next(str(at) for folder in os.environ["PATH"].split(os.pathsep) if (at := Path(folder) / f"{kinds}.yaml").is_file()))
        self.folder = self.checkout()

    # --- what a reader has around him

    def it_serves_what_the_vendor_has_put_there(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        vendor = Authority(Path(folder.name))
        trusted_by_sbc(self.sim, vendor.root)
        issued = vendor.issue(self.edge.host)
        install_by_hand(self.edge, issued)
        self.at_first = fingerprint(issued.leaf)
        wait_for("the vendor's certificate is served", lambda: fingerprint(served_leaf(self.edge.port)) == self.at_first, 20)

    def names_lead_somewhere(self) -> None:
        """Those of Genesys, of the CA and of the Edge to the node's address, on the ports that they have in the world; for the pods and for this machine."""
        self.dns = self.node.reachable(env("STACK_DNS_ADDR"), "TCP", "UDP")
        self.node.reachable(self.acme.netloc)
        api, login = (urlsplit(env(f"STACK_GENESYS_{name}")) for name in ("API", "LOGIN"))
        self.assertEqual(api.netloc, login.netloc, "one port for both")
        self.node.programs += [forward(f"{NODE_ADDRESS}:443", api.netloc), forward(f"{NODE_ADDRESS}:5061", f"127.0.0.1:{self.edge.port}")]
        self.names = ["pebble.test", *(f"{name}.{REGION}" for name in ("api", "login", "upload")), self.edge.host]
        hosts = written("hosts", f"127.0.0.1 localhost\n{NODE_ADDRESS} {' '.join(self.names)}\n")
        run("mount", "--bind", hosts, "/etc/hosts")

    def public_roots_vouch_for_the_stack(self) -> None:
        stack = "".join(Path(env(name)).read_text() for name in ("STACK_ACME_CA_FILE", "STACK_ACME_ROOTS_FILE"))
        run("mount", "--bind", written("public-roots.pem", ROOTS.read_text() + stack), ROOTS)
        run("kubectl", "create", "namespace", OF)
        run("kubectl", "label", "namespace", OF, "pod-security.kubernetes.io/enforce=restricted")
        run("kubectl", "create", "configmap", "public-roots", f"--namespace={OF}", f"--from-file=roots.pem={written('stack-roots.pem', stack)}")

    def checkout(self) -> Path:
        """The project's folder, as far as it is read, with the image as `make image` leaves it, and a `helm` and the plugin on the PATH."""
        folder = FOLDER / "reader"
        (folder / "bin").mkdir(parents=True)
        (folder / "charts").symlink_to(ROOT / "charts")
        shutil.copytree(env("IMAGE"), folder / "build" / "image")
        (folder / "bin" / "helm").symlink_to(shutil.which("helm4") or "helm4 is missing")
        (folder / "bin" / "kubectl-edgetrust").symlink_to(env("KUBECTL_EDGETRUST"))
        return folder

    # --- the reader's own

    def values_yaml(self) -> str:
        """What this cluster needs: it has no name server, and its public roots are not everybody's."""
        return json.dumps(
            {
                "hostAliases": [{"ip": NODE_ADDRESS, "hostnames": self.names}],
                "dnsPolicy": "None",
                "dnsConfig": {"nameservers": [NODE_ADDRESS]},
                "extraVolumes": [{"name": "public-roots", "configMap": {"name": "public-roots"}}],
                "extraVolumeMounts": [{"name": "public-roots", "mountPath": str(ROOTS), "subPath": "roots.pem", "readOnly": True}],
            }
        )

    def follow(self, name: str, values: dict[str, str], files: dict[str, str], **checks: Any) -> None:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("KUBECONFIG", "HOME", "TMPDIR") if name in os.environ}
        reader = Reader(ROOT / "controller" / "docs" / name, self.folder, {"PATH": path, **kept}, values, files)
        for heading in reader.follow():
            print(f"{name}: {heading}", flush=True)
            if check := checks.pop(heading, None):
                check()
        self.assertEqual(checks, {}, "headings that are not there")

    # --- the story

    def test_a_new_user_gets_from_helm_install_to_a_ready_edge_certificate(self) -> None:
        digest = (Path(env("IMAGE")) / "digest").read_text().strip()
        (image,) = Path(env("IMAGE")).glob("edgetrust-*.tar")
        self.follow(
            "install.md",
            {"REGISTRY": REGISTRY, "VERSION": image.stem.removeprefix("edgetrust-"), "APPROVERS": "voice-leads"},
            {"values.yaml": self.values_yaml()},
        )
        # The other document begins anew, for who comes straight to it: nothing is installed, and there is no namespace.
        run("helm4", "uninstall", "edgetrust", f"--namespace={OF}", "--wait")
        run("kubectl", "delete", "namespace", VOICE)
        self.follow(
            "first-rotation.md",
            {
                "IMAGE": f"{REGISTRY}/edgetrust",
                "DIGEST": digest,
                "REGION": REGION,
                "UPLOAD": f"https://upload.{REGION}",
                "EDGE_ID": self.edge.id,
                "EDGE_HOST": self.edge.host,
                "TIME_ZONE": "Etc/UTC",
                "WINDOW": (datetime.now(UTC) + timedelta(hours=12)).strftime("%H:00"),
                "ACME": f"https://pebble.test:{self.acme.port}{self.acme.path}",
                "EMAIL": "voice@edges.test",
                "ZONE": env("STACK_DNS_ZONE"),
                "NAMESERVER": self.dns,
                "TSIG_NAME": env("STACK_DNS_TSIG_NAME"),
                "PROPAGATION": "0s",
                "SETTLE": "5s",
                "OBSERVE": "5s",
            },
            {
                "genesys-oauth.env": f"clientId={env('STACK_GENESYS_CLIENT_ID')}\nclientSecret={env('STACK_GENESYS_CLIENT_SECRET')}\n",
                "dns-tsig.env": f"tsig={env('STACK_DNS_TSIG_SECRET')}\n",
                "values.yaml": self.values_yaml(),
            },
            **{"4. Issue": self.nothing_was_delivered, "5. Deliver": self.it_is_delivered},
        )
        before = orders()
        self.assertEqual(before, 1)
        self.follow("backup-and-restore.md", {}, {}, **{"Save it": self.the_cluster_is_lost})
        self.assertEqual(orders(), before, "nothing was ordered again")
        self.it_is_delivered()
        self.the_doctor_finds_a_missing_permission()

    def nothing_was_delivered(self) -> None:
        self.assertEqual(fingerprint(served_leaf(self.edge.port)), self.at_first, "the Edge is as it was")
        (certificate,) = get("edgecertificates")["items"]
        self.assertNotIn("delivery", certificate["status"])

    def it_is_delivered(self) -> None:
        (certificate,) = get("edgecertificates")["items"]
        status = certificate["status"]
        self.assertEqual((status["phase"], status["revision"]), ("Ready", 1))
        self.assertEqual(fingerprint(served_leaf(self.edge.port)), status["fingerprintSha256"])

    def the_cluster_is_lost(self) -> None:
        """As far as the backup is to bring it back: what is arranged around the reader is a new cluster's too."""
        run("kubectl", "delete", "namespace", VOICE)
        run("helm4", "uninstall", "edgetrust", f"--namespace={OF}", "--wait")
        run("kubectl", "delete", "customresourcedefinitions", "--selector=app.kubernetes.io/part-of=edgetrust")

    def the_doctor_finds_a_missing_permission(self) -> None:
        """What first-rotation.md says of a client that logs in and may do nothing."""
        refused = json.dumps({"message": "Unable to perform the requested action. You are missing the following permission(s): telephony:plugin:all", "code": "missing.any.permissions", "status": 403})
        self.sim.fault(method="GET", path="*/telephony/providers/edges", times=0, action={"status": 403, "body": refused})
        run("kubectl", "patch", "genesysconnection", "prod", f"--namespace={VOICE}", "--type=merge", '--patch={"spec":{"requestsPerMinute":170}}')  # so that it is looked at now
        run("kubectl", "wait", "genesysconnection/prod", f"--namespace={VOICE}", '--for=jsonpath={.status.conditions[?(@.type=="CredentialsValid")].reason}=ConnectionForbidden', "--timeout=2m")
        with self.assertRaises(NotPossible) as said:
            run(env("KUBECTL_EDGETRUST"), "doctor", "-n", VOICE, "--service-account", "edgetrust:edgetrust", "-o", "json")
        self.assertIn("ended with 2", str(said.exception))
        self.assertIn("CredentialsValid Unknown, ConnectionForbidden", str(said.exception))
        self.assertIn("telephony:plugin:all", str(said.exception))


if __name__ == "__main__":
    unittest.main()
