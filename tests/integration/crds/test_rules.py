"""The CRDs on a real API server: what is accepted, what is refused, and that a refusal says what to change.

Needs a stack with the CRDs applied: tests/integration/run.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import subprocess
import unittest
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samples import Object, golden, minimal

from kube import GROUP, PLURALS, ApiError, Kube  # of tests/integration/operator; samples.py puts it on the path
from limits import broken_objects

Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Refused:
    """One rule: an object that breaks it and nothing else, and the message that the user gets."""

    kind: str
    path: str
    message: str
    change: Change


def setting(**members: Any) -> Change:
    return lambda spec: spec.update(members)


def solver(**dns01: Any) -> Change:
    return lambda spec: spec.update(solvers=[{"dns01": dns01}])


RFC2136 = {"nameserver": "10.0.0.53"}
TSIG = {"name": "tsig", "key": "secret"}
WINDOW = "a window must be longer than 0s and shorter than 24h, or start at 00:00 and last exactly 24h"
KEY_SIZE = "privateKey.size must be 2048, 3072 or 4096 for RSA, and 256 or 384 for ECDSA"
OTHER_ISSUER = "fallback.issuerRef must name another issuer than issuerRef"
SOURCE = "fallback, privateKey, commonName and renewBefore cannot be set beside sourceSecretRef: someone else issues"
ONE_PROVIDER = "set exactly one of cloudflare, route53, azureDns, rfc2136, acmeDns and webhook"
AWS_PAIR = "set accessKeyIdRef and secretAccessKeyRef together, or neither"
AZURE = {"subscriptionId": "7f3c0a52-11d4-4f6e-9a7c-3d2b1c0e9f8a", "resourceGroup": "dns"}
AZURE_CLIENT = "clientSecretRef needs tenantId and clientId beside it"
FOLLOW_WHERE = "cnameStrategy Follow needs delegationZones: the zones that a CNAME may lead into"
ACME_DNS = {"host": "https://auth.example.net", "accountRef": {"name": "acmedns", "key": "account.json"}}
OWN_ALIAS = "acmeDns follows the CNAME to its own account: leave cnameStrategy out"
TSIG_PAIR = "set tsigKeyName and tsigSecretRef together, or neither"
HEARTBEAT = "interval must be from 1m to 720h"
ONE_INTERVAL = "observe.interval must be at least 1s"
ONE_SECOND_TO_DRAIN = "drain.timeout must be at least 1s"

MD5 = "a pin of 16 octets is an MD5 hash: a pin is a SHA-256 hash, 32 octets"
SHA1 = "a pin of 20 octets is a SHA-1 hash, also where it is called SHA256: a pin is a SHA-256 hash, 32 octets"
NO_PIN = "a pin is 32 octets, as colon hex (1A:2B:…) or base64"
# The fingerprint of the vendor's guide, which calls it SHA256.
GUIDES_EXAMPLE = "1A:2B:3C:4D:5E:6F:7A:8B:9C:0D:1E:2F:3A:4B:5C:6D:7E:8F:9A:0B"
ANY_IN_CHAIN = "match AnyInChain needs type PublicKey: the certificates of a chain change too often to be pinned"
PRESET = "preset AmazonTrustServices needs match AnyInChain: it pins roots, and no leaf is a root"
LOCKOUT = "mode Enforce with rotation.allow false needs pins.next or a backup in pins.static or pins.preset: the next change of the endpoint's certificate would lock every Edge out"


def colon_hex(octets: int) -> str:
    return ":".join(f"{n:02x}" for n in range(octets))


def octets64(octets: int) -> str:
    return base64.b64encode(bytes(range(octets))).decode()


def pins(**members: Any) -> Change:
    return setting(pins=members)


def window(start: str, duration: str) -> dict[str, str]:
    return {"start": start, "duration": duration}


def from_source(**members: Any) -> Change:
    def change(spec: dict[str, Any]) -> None:
        del spec["issuerRef"], spec["dnsNames"]
        spec.update(sourceSecretRef={"name": "other"}, **members)

    return change


REFUSED = [
    Refused("GenesysConnection", "spec", "set exactly one of region and endpoints", lambda spec: spec.pop("region")),
    Refused("GenesysConnection", "spec", "set exactly one of region and endpoints", setting(endpoints={"api": "https://a", "login": "https://l"})),
    Refused("GenesysConnection", "spec.heartbeat", HEARTBEAT, setting(heartbeat={"urlRef": {"name": "snitch", "key": "url"}, "interval": "59s"})),
    Refused("GenesysConnection", "spec.heartbeat", HEARTBEAT, setting(heartbeat={"urlRef": {"name": "snitch", "key": "url"}, "interval": "721h"})),
    Refused("EdgeCertificate", "spec", "set exactly one of issuerRef and sourceSecretRef", lambda spec: spec.pop("issuerRef")),
    Refused("EdgeCertificate", "spec", "set exactly one of issuerRef and sourceSecretRef", setting(sourceSecretRef={"name": "other"})),
    Refused("EdgeCertificate", "spec", "dnsNames needs at least one name", lambda spec: spec.pop("dnsNames")),
    Refused("EdgeCertificate", "spec", "dnsNames needs at least one name", setting(dnsNames=[])),
    Refused("EdgeCertificate", "spec", SOURCE, from_source(privateKey={})),
    Refused("EdgeCertificate", "spec", OTHER_ISSUER, setting(issuerRef={"name": "le"}, fallback={"issuerRef": {"name": "le"}, "whenRemaining": "168h"})),
    Refused("EdgeCertificate", "spec", SOURCE, from_source(renewBefore="720h")),
    Refused("EdgeCertificate", "spec", SOURCE, from_source(dnsNames=["a.example.com"], commonName="a.example.com")),
    Refused("EdgeCertificate", "spec", SOURCE, from_source(fallback={"issuerRef": {"name": "b"}, "whenRemaining": "168h"})),
    Refused("EdgeCertificate", "spec", "dnsNames and ipAddresses may have 100 entries together", setting(dnsNames=[f"a{i}.example.com" for i in range(100)], ipAddresses=["192.0.2.7"])),
    Refused("EdgeCertificate", "spec", "commonName must be one of dnsNames", setting(commonName="other.example.com")),
    Refused("EdgeCertificate", "spec", "renewBefore must be at least 1m", setting(renewBefore="59s")),
    Refused("EdgeCertificate", "spec.issuerRef.kind", "issuerRef.kind must be AcmeIssuer", setting(issuerRef={"kind": "ClusterIssuer", "name": "le"})),
    Refused("EdgeCertificate", "spec.privateKey", KEY_SIZE, setting(privateKey={"size": 1024})),
    Refused("EdgeCertificate", "spec.privateKey", KEY_SIZE, setting(privateKey={"algorithm": "RSA", "size": 256})),
    Refused("EdgeCertificate", "spec.privateKey", KEY_SIZE, setting(privateKey={"algorithm": "ECDSA", "size": 2048})),
    Refused("EdgeCertificate", "spec.rotation.windows[0]", WINDOW, setting(rotation={"windows": [window("02:00", "0s")]})),
    Refused("EdgeCertificate", "spec.rotation.windows[0]", WINDOW, setting(rotation={"windows": [window("02:00", "24h")]})),
    Refused("EdgeCertificate", "spec.rotation.windows[1]", WINDOW, setting(rotation={"windows": [window("00:00", "24h"), window("00:00", "24h1s")]})),
    Refused("EdgeCertificate", "spec.rotation.observe", ONE_INTERVAL, setting(rotation={"observe": {"interval": "999ms"}})),
    Refused("EdgeCertificate", "spec.rotation.drain", ONE_SECOND_TO_DRAIN, setting(rotation={"drain": {"timeout": "999ms"}})),
    Refused("RotationPolicy", "spec.windows[0]", WINDOW, setting(windows=[window("23:00", "25h")])),
    Refused("RotationPolicy", "spec.observe", ONE_INTERVAL, setting(observe={"interval": "0"})),
    Refused("RotationPolicy", "spec.drain", ONE_SECOND_TO_DRAIN, setting(drain={"timeout": "0"})),
    Refused(
        "RotationPolicy",
        "spec.freezes[0]",
        "a freeze must end after it begins",
        setting(freezes=[{"name": "f", "from": "2027-12-02T06:00:00Z", "to": "2027-12-02T06:00:00Z"}]),
    ),
    Refused("AcmeIssuer", "spec.solvers[0]", "set exactly one of dns01 and http01", setting(solvers=[{}])),
    Refused("AcmeIssuer", "spec.solvers[0]", "set exactly one of dns01 and http01", setting(solvers=[{"dns01": {"rfc2136": RFC2136}, "http01": {}}])),
    Refused("AcmeIssuer", "spec.solvers[0].dns01", ONE_PROVIDER, solver()),
    Refused("AcmeIssuer", "spec.solvers[0].dns01", ONE_PROVIDER, solver(rfc2136=RFC2136, webhook={"url": "https://dns.example.com"})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.rfc2136", TSIG_PAIR, solver(rfc2136={**RFC2136, "tsigKeyName": "k"})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.rfc2136", TSIG_PAIR, solver(rfc2136={**RFC2136, "tsigSecretRef": TSIG})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.route53", AWS_PAIR, solver(route53={"accessKeyIdRef": TSIG})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.route53", AWS_PAIR, solver(route53={"secretAccessKeyRef": TSIG})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.azureDns", AZURE_CLIENT, solver(azureDns={**AZURE, "clientSecretRef": TSIG})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01.azureDns", AZURE_CLIENT, solver(azureDns={**AZURE, "clientSecretRef": TSIG, "tenantId": "t"})),
    Refused("AcmeIssuer", "spec.solvers[0].dns01", FOLLOW_WHERE, solver(rfc2136=RFC2136, cnameStrategy="Follow")),
    Refused("AcmeIssuer", "spec.solvers[0].dns01", OWN_ALIAS, solver(acmeDns=ACME_DNS, cnameStrategy="Follow", delegationZones=["example.net"])),
    Refused("AcmeIssuer", "spec.externalAccountBinding", "set exactly one of hmacKeyRef (with keyId) and zeroSslApiKeyRef", setting(externalAccountBinding={"keyId": "k"})),
    Refused(
        "AcmeIssuer",
        "spec.externalAccountBinding",
        "set exactly one of hmacKeyRef (with keyId) and zeroSslApiKeyRef",
        setting(externalAccountBinding={"keyId": "k", "hmacKeyRef": TSIG, "zeroSslApiKeyRef": TSIG}),
    ),
    *(Refused("PinPolicy", "spec.pins.static", MD5, pins(static=[octets64(32), weak])) for weak in (colon_hex(16), octets64(16), "00" * 16)),
    *(Refused("PinPolicy", "spec.pins.static", SHA1, pins(static=[weak])) for weak in (GUIDES_EXAMPLE, octets64(20), "00" * 20)),
    *(
        Refused("PinPolicy", "spec.pins.next", NO_PIN, pins(next=[wrong]))
        for wrong in ("", "null", "00" * 32, colon_hex(31), colon_hex(33), colon_hex(32) + ":", octets64(31), octets64(33), octets64(32)[:-1], octets64(32)[:-2] + "9=", '","enabled":false,"x":"', colon_hex(32) + "\n")
    ),
    Refused("PinPolicy", "spec.pins.next", MD5, pins(next=[colon_hex(16)])),
    Refused("PinPolicy", "spec.pins.next", SHA1, pins(next=[GUIDES_EXAMPLE])),
    Refused("PinPolicy", "spec.pins", ANY_IN_CHAIN, pins(match="AnyInChain")),
    Refused("PinPolicy", "spec.pins", ANY_IN_CHAIN, pins(match="AnyInChain", type="Certificate")),
    Refused("PinPolicy", "spec.pins", PRESET, pins(preset="AmazonTrustServices", type="PublicKey")),
    Refused("PinPolicy", "spec.rotation", "rotation.interval must be from 30s to 24h", setting(rotation={"interval": "29s"})),
    Refused("PinPolicy", "spec.rotation", "rotation.interval must be from 30s to 24h", setting(rotation={"interval": "24h1s"})),
    Refused("PinPolicy", "spec.rotation", "rotation.overlap must be at most 8760h", setting(rotation={"overlap": "8760h1s"})),
    Refused("PinPolicy", "spec.clock", "clock.maxOffset must be longer than 0s", setting(clock={"maxOffset": "0"})),
    Refused("PinPolicy", "spec", "set edgeSelector, edges or both: an empty edgeSelector selects every Edge", lambda spec: spec.pop("edges")),
    Refused("PinPolicy", "spec", "set edgeSelector, edges or both: an empty edgeSelector selects every Edge", setting(edges=[])),
    Refused("PinPolicy", "spec", LOCKOUT, setting(mode="Enforce", rotation={"allow": False})),
    Refused("PinPolicy", "spec", LOCKOUT, setting(mode="Enforce", rotation={"allow": False}, pins={"next": [], "static": [], "preset": "None"})),
    Refused("AcmeIssuer", "spec.externalAccountBinding", "hmacKeyRef needs keyId beside it", setting(externalAccountBinding={"hmacKeyRef": TSIG})),
]
# Beside these, tests of their own: what is immutable, and the length of a name.
IMMUTABLE = {
    "Edge": ("spec.edgeId", "edgeId is immutable: make a new Edge object for another appliance", setting(edgeId="00000000-0000-4000-8000-000000000001")),
    "EdgeCertificate": ("spec.edgeRef", "edgeRef is immutable: make a new EdgeCertificate for another Edge", setting(edgeRef={"name": "edge02"})),
}
OWN_SECRET = "spec.sourceSecretRef must not name the Secret of spec.secretName, by default <name>-tls: what the Edge serves is written there"
NAME_TOO_LONG = "metadata.name must be at most 200 characters: names of Secrets are made from it"

ACCEPTED: list[tuple[str, Change]] = [
    ("EdgeCertificate", setting(privateKey={})),
    ("EdgeCertificate", setting(privateKey={"size": 3072})),
    ("EdgeCertificate", setting(privateKey={"algorithm": "ECDSA"})),
    ("EdgeCertificate", setting(privateKey={"algorithm": "ECDSA", "size": 384})),
    ("EdgeCertificate", setting(commonName="")),
    ("EdgeCertificate", setting(dnsNames=["*.example.com"])),
    ("EdgeCertificate", setting(dnsNames=[f"a{i}.example.com" for i in range(98)], ipAddresses=["192.0.2.7", "2001:db8::192.0.2.7"])),
    ("EdgeCertificate", setting(renewBefore="1.5h")),
    ("EdgeCertificate", setting(rotation={"windows": [window("00:00", "24h"), window("23:59", "23h59m")]})),
    ("EdgeCertificate", from_source()),
    ("EdgeCertificate", from_source(dnsNames=["a.example.com"])),
    ("GenesysConnection", lambda spec: (spec.pop("region"), spec.update(endpoints={"api": "https://a:8443", "login": "https://l"}))),
    ("RotationPolicy", setting(observe={"interval": "1s"})),
    ("AcmeIssuer", solver(rfc2136={**RFC2136, "tsigKeyName": "k", "tsigSecretRef": TSIG})),
    ("AcmeIssuer", solver(route53={})),
    ("AcmeIssuer", solver(route53={"accessKeyIdRef": TSIG, "secretAccessKeyRef": TSIG, "roleArn": "arn:aws-cn:iam::123456789012:role/path/dns"})),
    ("AcmeIssuer", solver(azureDns=AZURE)),
    ("AcmeIssuer", solver(azureDns={**AZURE, "clientSecretRef": TSIG, "tenantId": "t", "clientId": "c", "environment": "AzureChinaCloud"})),
    ("AcmeIssuer", setting(solvers=[{"selector": {"dnsNames": ["*.example.com", "192.0.2.7", "2001:db8::7"]}, "http01": {}}])),
    ("AcmeIssuer", solver(acmeDns=ACME_DNS)),
    ("AcmeIssuer", solver(rfc2136=RFC2136, cnameStrategy="Follow", delegationZones=["acme.example.net"])),
    ("AcmeIssuer", setting(externalAccountBinding={"zeroSslApiKeyRef": TSIG})),
    ("PinPolicy", pins(static=[colon_hex(32), colon_hex(32).upper(), octets64(32)], next=[octets64(32)] * 32)),
    ("PinPolicy", pins(type="PublicKey", match="AnyInChain", preset="AmazonTrustServices")),
    ("PinPolicy", setting(mode="Enforce")),
    ("PinPolicy", setting(mode="Enforce", rotation={"allow": False}, pins={"next": [octets64(32)]})),
    ("PinPolicy", setting(mode="Enforce", rotation={"allow": False}, pins={"static": [octets64(32)]})),
    ("PinPolicy", setting(mode="Enforce", rotation={"allow": False}, pins={"type": "PublicKey", "match": "AnyInChain", "preset": "AmazonTrustServices"})),
    ("PinPolicy", lambda spec: (spec.pop("edges"), spec.update(edgeSelector={}))),
]


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


class Crds(unittest.TestCase):
    kube: Kube

    @classmethod
    def setUpClass(cls) -> None:
        cls.kube = Kube()
        cls.crds = {kind: cls.kube.call("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.edgetrust.io") for kind, plural in PLURALS.items()}

    def setUp(self) -> None:
        # One of its own for each test, for they run side by side. Without controllers nothing ends a namespace.
        self.namespace = f"crds-{uuid.uuid4().hex[:12]}"
        self.kube.call("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    def path(self, kind: str, name: str = "", **query: str) -> str:
        options = "&".join(f"{key}={value}" for key, value in query.items())
        return f"{GROUP}/namespaces/{self.namespace}/{PLURALS[kind]}" + (f"/{name}" if name else "") + (f"?{options}" if options else "")

    def try_to_create(self, candidate: Object) -> Object:
        return self.kube.call("POST", self.path(candidate["kind"], dryRun="All", fieldValidation="Strict"), candidate)

    def make(self, candidate: Object) -> Object:
        return self.kube.call("POST", self.path(candidate["kind"], fieldValidation="Strict"), candidate)

    def refusal(self, candidate: Object) -> str:
        """What the API server says of it."""
        try:
            self.try_to_create(candidate)
        except ApiError as error:
            self.assertIn(error.status, (400, 422), error.body)
            return str(json.loads(error.body)["message"])
        self.fail(f"accepted: {json.dumps(candidate['spec'])}")

    def rules(self) -> set[tuple[str, str]]:
        """Kind and message of every rule in the CRDs."""
        found: set[tuple[str, str]] = set()

        def walk(kind: str, schema: Any) -> None:
            found.update((kind, rule["message"]) for rule in schema.get("x-kubernetes-validations", []))
            for member in schema.get("properties", {}).values():
                walk(kind, member)
            if "items" in schema:
                walk(kind, schema["items"])

        for kind, crd in self.crds.items():
            walk(kind, crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        return found

    # --- the definitions

    def test_the_api_server_takes_the_definitions_as_they_are(self) -> None:
        for kind, crd in self.crds.items():
            conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
            self.assertEqual(conditions, {"NamesAccepted": "True", "Established": "True"}, kind)

    def test_explain_tells_about_every_kind(self) -> None:
        for kind, plural in PLURALS.items():
            with self.subTest(kind):
                self.assertIn("observedGeneration", kubectl("explain", f"{plural}.status"))
        rotation = kubectl("explain", "edgecertificate.spec.rotation", "--recursive")
        for field in ("windows", "drain", "observe", "retry", "failAfter"):
            self.assertIn(field, rotation)
        self.assertIn("in the Edge's local time", kubectl("explain", "edgecertificate.spec.rotation.windows").replace("\n", " ").replace("  ", " "))

    # --- what is accepted

    def test_the_smallest_objects_are_accepted(self) -> None:
        for kind in PLURALS:
            with self.subTest(kind):
                made = self.try_to_create(minimal(kind))
                self.assertEqual(made["status"], {"observedGeneration": -1}, "nobody has looked yet")

    def test_what_the_rules_allow_is_accepted(self) -> None:
        for kind, change in ACCEPTED:
            candidate = minimal(kind)
            change(candidate["spec"])
            with self.subTest(kind, spec=candidate["spec"]):
                self.try_to_create(candidate)

    def test_golden_objects_are_accepted_with_their_status(self) -> None:
        for name, candidate in golden().items():
            with self.subTest(name):
                made = self.make(candidate)
                self.assertEqual(made["spec"], candidate["spec"], "nothing is added and nothing pruned")
                made["status"] = candidate["status"]
                written = self.kube.call("PUT", self.path(made["kind"], made["metadata"]["name"]) + "/status?fieldValidation=Strict", made)
                self.assertEqual(written["status"], candidate["status"])

    def test_the_samples_are_accepted(self) -> None:
        folder = Path(__file__).resolve().parents[3] / "manifests" / "samples"
        found = subprocess.run(["kubectl", "create", "--dry-run=client", "-o", "json", "-f", str(folder)], check=True, capture_output=True, text=True).stdout
        samples = json.loads("[" + found.strip().replace("}\n{", "},{") + "]")
        kinds = {sample["kind"] for sample in samples}
        self.assertLessEqual(set(PLURALS), kinds, "a sample of each kind")
        for sample in samples:
            if sample["kind"] in PLURALS:
                sample["metadata"]["namespace"] = self.namespace
                with self.subTest(sample["kind"], name=sample["metadata"]["name"]):
                    self.try_to_create(sample)

    @staticmethod
    def how_tos(api_versions: set[str]) -> list[tuple[str, str]]:
        """The objects of these groups, with the file that each is in."""
        folder = Path(__file__).resolve().parents[3] / "controller" / "docs" / "how-to"
        blocks = [(file.name, block) for file in sorted(folder.glob("*.md")) for block in re.findall(r"^```yaml\n(.*?)^```", file.read_text(), re.M | re.S)]
        return [(name, block) for name, block in blocks if api_versions & set(re.findall(r"^apiVersion: (\S+)$", block, re.M))]

    def test_the_way_to_the_answers_that_a_how_to_shows_is_accepted(self) -> None:
        paths = {"Service": "/api/v1/namespaces/{}/services", "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"}
        tried = set()
        for name, block in self.how_tos({"v1", "networking.k8s.io/v1"}):
            candidate = json.loads(kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=block))
            if candidate["kind"] not in paths:
                continue
            candidate["metadata"]["namespace"] = self.namespace
            with self.subTest(name, kind=candidate["kind"]):
                self.kube.call("POST", paths[candidate["kind"]].format(self.namespace) + "?dryRun=All&fieldValidation=Strict", candidate)
                tried.add(candidate["kind"])
        self.assertEqual(tried, set(paths))

    def test_the_objects_of_the_how_tos_are_accepted(self) -> None:
        ours = self.how_tos({"edgetrust.io/v1alpha1"})
        self.assertTrue(ours)
        for name, block in ours:
            candidate = json.loads(kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=block))
            candidate["metadata"]["namespace"] = self.namespace
            with self.subTest(name, kind=candidate["kind"]):
                self.try_to_create(candidate)

    # --- what is refused

    def test_each_rule_refuses_and_says_why(self) -> None:
        for refused in REFUSED:
            candidate = minimal(refused.kind)
            refused.change(candidate["spec"])
            with self.subTest(refused.kind, message=refused.message, spec=candidate["spec"]):
                said = self.refusal(candidate)
                self.assertIn(f"{refused.path}: ", said)
                self.assertIn(refused.message, said)

    def test_every_rule_is_in_these_tables(self) -> None:
        tried = {(refused.kind, refused.message) for refused in REFUSED}
        tried |= {(kind, message) for kind, (_, message, _) in IMMUTABLE.items()}
        tried |= {(kind, NAME_TOO_LONG) for kind in PLURALS} | {("EdgeCertificate", OWN_SECRET)}
        self.assertEqual(self.rules() - tried, set(), "a rule that nobody has seen refusing")
        self.assertEqual(tried - self.rules(), set(), "a rule that is gone")

    def test_each_limit_of_the_schema_refuses_and_names_the_field(self) -> None:
        limits: dict[str, int] = {}
        for name, accepted in golden().items():
            for broken in broken_objects(self.crds[accepted["kind"]], accepted):
                limits[broken.limit] = limits.get(broken.limit, 0) + 1
                with self.subTest(name, limit=broken.limit, path=broken.path):
                    self.assertIn(broken.path, self.refusal(broken.object))
        for limit in ("type", "enum", "pattern", "minLength", "maxLength", "format", "minimum", "maximum", "minItems", "maxItems", "maxProperties", "required", "unknown field"):
            self.assertGreater(limits[limit], 0, limit)

    def test_what_is_immutable_stays(self) -> None:
        for kind, (path, message, change) in IMMUTABLE.items():
            with self.subTest(kind):
                made = self.make(minimal(kind, "immutable"))
                self.kube.call("PUT", self.path(kind, "immutable", dryRun="All"), made)
                change(made["spec"])
                with self.assertRaises(ApiError) as caught:
                    self.kube.call("PUT", self.path(kind, "immutable", dryRun="All"), made)
                self.assertIn(f"{path}: ", caught.exception.body)
                self.assertIn(message, caught.exception.body)

    def test_names_within_a_list_are_there_once(self) -> None:
        peer = {"name": "sbc", "trustBundleRef": {"name": "roots", "key": "ca.crt"}}
        for kind, path, change in (
            ("RotationPolicy", "spec.waves[1]", setting(waves=[{"name": "canary"}, {"name": "canary"}])),
            ("Edge", "spec.sip.peers[1]", lambda spec: spec["sip"].update(peers=[peer, peer])),
        ):
            candidate = minimal(kind)
            change(candidate["spec"])
            with self.subTest(kind):
                said = self.refusal(candidate)
                self.assertIn(f"{path}: Duplicate value", said)

    def test_names_leave_room_for_the_names_of_secrets(self) -> None:
        for kind in PLURALS:
            with self.subTest(kind):
                self.try_to_create(minimal(kind, "n" * 200))
                self.assertIn(NAME_TOO_LONG, self.refusal(minimal(kind, "n" * 201)))

    def test_the_source_is_no_secret_of_our_own(self) -> None:
        for secret_name, source, accepted in (
            (None, "sample-tls", False),
            ("live", "live", False),
            ("live", "sample-tls", True),
            (None, "other-tls", True),
        ):
            candidate = minimal("EdgeCertificate")
            from_source()(candidate["spec"])
            candidate["spec"]["sourceSecretRef"]["name"] = source
            if secret_name is not None:
                candidate["spec"]["secretName"] = secret_name
            with self.subTest(secret_name=secret_name, source=source):
                if accepted:
                    self.try_to_create(candidate)
                else:
                    self.assertIn(OWN_SECRET, self.refusal(candidate))

    def test_what_yaml_makes_of_careless_writing_is_refused_by_name(self) -> None:
        for kind, spec, path in (
            ("EdgeCertificate", {"rotation": {"windows": [{"start": 120, "duration": "2h"}]}}, "spec.rotation.windows[0].start"),  # 02:00 to YAML 1.1
            ("EdgeCertificate", {"renewBefore": "7d"}, "spec.renewBefore"),
            ("EdgeCertificate", {"renewBefore": 720}, "spec.renewBefore"),
            ("EdgeCertificate", {"renewBefore": "999999h"}, "spec.renewBefore"),
            ("EdgeCertificate", {"dnsNames": ["Edge01.example.com"]}, "spec.dnsNames[0]"),
            ("EdgeCertificate", {"dnsNames": ["edge01.example.com."]}, "spec.dnsNames[0]"),
            *(("EdgeCertificate", {"ipAddresses": [text]}, "spec.ipAddresses[0]") for text in ("1.2.3", "192.0.2.256", "192.0.2.7.", "beef", "fe80::1%eth0")),
            ("EdgeCertificate", {"secretName": "../x"}, "spec.secretName"),
            ("AcmeIssuer", {"solvers": [{"selector": {"dnsNames": ["Edge01.example.com"]}, "http01": {}}]}, "spec.solvers[0].selector.dnsNames[0]"),
            ("AcmeIssuer", {"server": "http://ca.example.com/dir"}, "spec.server"),
            ("AcmeIssuer", {"server": "https://user@ca.example.com/dir"}, "spec.server"),
            ("AcmeIssuer", {"solvers": [{"dns01": {"acmeDns": {**ACME_DNS, "host": "http://auth.example.net"}}}]}, "spec.solvers[0].dns01.acmeDns.host"),
            ("AcmeIssuer", {"solvers": [{"dns01": {"azureDns": {**AZURE, "environment": "AzureGermanCloud"}}}]}, "spec.solvers[0].dns01.azureDns.environment"),
            ("AcmeIssuer", {"solvers": [{"dns01": {"azureDns": {"resourceGroup": "dns"}}}]}, "spec.solvers[0].dns01.azureDns.subscriptionId"),
            ("AcmeIssuer", {"solvers": [{"dns01": {"route53": {"hostedZoneId": "/hostedzone/Z1"}}}]}, "spec.solvers[0].dns01.route53.hostedZoneId"),
            ("AcmeIssuer", {"solvers": [{"dns01": {"route53": {"roleArn": "dns"}}}]}, "spec.solvers[0].dns01.route53.roleArn"),
            ("GenesysConnection", {"region": "https://mypurecloud.ie"}, "spec.region"),
            ("GenesysConnection", {"trustAnchors": {"sync": True, "services": ["MAIL"]}}, "spec.trustAnchors.services[0]"),
            ("GenesysConnection", {"certificateUpload": {"endpoint": "https://a", "statusPath": "/status"}}, "spec.certificateUpload.statusPath"),
            ("PinPolicy", {"endpoint": {"host": "https://api.example.com"}}, "spec.endpoint.host"),
            ("PinPolicy", {"mode": "Off"}, "spec.mode"),
            ("PinPolicy", {"service": {"name": "purecloud-edge; reboot"}}, "spec.service.name"),
            ("PinPolicy", {"tls": {"cipherSuites": ["ECDHE'$(reboot)"]}}, "spec.tls.cipherSuites[0]"),
            ("PinPolicy", {"emergencyOverride": {"disablePinning": True, "until": "2026-12-01T00:00:00Z"}}, "spec.emergencyOverride.reason"),
            ("Edge", {"timeZone": "America/New York"}, "spec.timeZone"),
            ("Edge", {"connectionRef": {"name": "prod", "namespace": "other"}}, "spec.connectionRef.namespace"),
        ):
            candidate = minimal(kind)
            candidate["spec"].update(copy.deepcopy(spec))
            with self.subTest(kind, spec=spec):
                self.assertIn(path, self.refusal(candidate))

    # --- as people and their tools use it

    def test_an_arm_of_a_union_can_be_exchanged_by_server_side_apply(self) -> None:
        for kind, change in (
            ("EdgeCertificate", from_source()),
            ("AcmeIssuer", solver(webhook={"url": "https://dns.example.com"})),
            ("GenesysConnection", lambda spec: (spec.pop("region"), spec.update(endpoints={"api": "https://a", "login": "https://l"}))),
        ):
            with self.subTest(kind):
                first = minimal(kind, "union")
                if kind == "AcmeIssuer":
                    first["spec"]["solvers"][0]["dns01"]["rfc2136"].update(tsigKeyName="k", tsigSecretRef=TSIG)
                kubectl("apply", "--server-side", "-n", self.namespace, "-f", "-", stdin=json.dumps(first))
                second = minimal(kind, "union")
                change(second["spec"])
                kubectl("apply", "--server-side", "-n", self.namespace, "-f", "-", stdin=json.dumps(second))
                self.assertEqual(set(self.kube.call("GET", self.path(kind, "union"))["spec"]) - {"requestsPerMinute"}, set(second["spec"]))

    def test_get_prints_the_columns(self) -> None:
        for candidate in golden().values():
            made = self.make(candidate)
            made["status"] = candidate["status"]
            self.kube.call("PUT", self.path(made["kind"], made["metadata"]["name"]) + "/status", made)
        certificates = kubectl("get", "ecert", "-o", "wide", "-n", self.namespace).splitlines()
        self.assertEqual(certificates[0].split(), ["NAME", "READY", "EDGE", "PHASE", "EXPIRES", "NEXT", "ISSUER", "SERIAL", "REVISION", "MESSAGE", "AGE"])
        self.assertIn("False   edge01   Observing   2026-11-20   observes revision 2   R11      03ab     1", certificates[1])
        connections = kubectl("get", "gconn", "prod", "-n", self.namespace).splitlines()
        self.assertEqual(connections[0].split(), ["NAME", "READY", "REGION", "UPLOAD", "EDGES", "AGE"])
        self.assertIn("mypurecloud.ie   edge-api.example.com   3", connections[1])
        everything = kubectl("get", "edgetrust", "-n", self.namespace, "-o", "name")
        for plural in PLURALS.values():
            self.assertIn(f"{plural.removesuffix('s').removesuffix('ie')}", everything)


if __name__ == "__main__":
    unittest.main()
