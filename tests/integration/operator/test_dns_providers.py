"""Each DNS provider from the AcmeIssuer to a certificate of Pebble on an Edge. What a provider's API is told stands in the stack's BIND, so propagation is really seen.

One class a provider: the DNS matrix of `make test-acme` has a line for each.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from harness import OperatorTest, env, wait_for
from simulator import Appliance

TESTS = Path(__file__).resolve().parents[2]
sys.path += [str(TESTS / "dns-providers"), str(TESTS / "stack")]
import azure  # noqa: E402
import cloudflare  # noqa: E402
import httpreq  # noqa: E402
from acmedns import AcmeDns as AcmeDnsServer  # noqa: E402
from moto_server import MotoServer  # noqa: E402
from ports import choose  # noqa: E402
from records import Bind  # noqa: E402
from service import Reply  # noqa: E402

FOREIGN = "somebody-elses-value"


def challenge(appliance: Appliance) -> str:
    return f"_acme-challenge.{appliance.host}"


class ProviderTest(OperatorTest):
    def prepare(self) -> None:
        self.bind = Bind()
        self.arguments = ["--dns-ca-file", env("STACK_GENESYS_CA_FILE")]
        self.variables = {}
        self.provide()
        super().prepare()

    def provide(self) -> None:
        """Starts what stands in for the provider, and makes its Secrets."""

    def seen_at(self, appliance: Appliance) -> str:
        """The name that holds the TXT values."""
        return challenge(appliance)

    def left(self, appliance: Appliance) -> list[str]:
        return [value for value in self.bind.txt(self.seen_at(appliance)) if value != FOREIGN]

    def ready(self, appliance: Appliance) -> None:
        """Issued, delivered, and no TXT record left."""
        status = self.wait_phase(appliance.name, "Ready", seconds=180)
        self.assertNotIn("order", status)
        self.assertEqual(self.condition(self.certificate(appliance.name), "Issued").get("status"), "True")
        self.assertIsNotNone(self.live(appliance))
        self.assertEqual(self.left(appliance), [], "TXT records are left")

    def stuck(self, appliance: Appliance, reason: str, *words: str) -> None:
        """It waits, and says why."""

        def there() -> Any:
            said = self.condition(self.certificate(appliance.name), "Reconciling")
            return said if said.get("reason") == reason else None

        said = wait_for(f"{appliance.name} says {reason}", there, 60)
        for word in words:
            self.assertIn(word, said["message"])

    def change_secret(self, name: str, data: dict[str, str]) -> None:
        self.kube.patch("Secret", self.namespace, name, {"stringData": data})


class Rfc2136(ProviderTest):
    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        appliance = self.sim.add_edges(1)[0]
        self.bind.add(challenge(appliance), FOREIGN)
        self.addCleanup(self.bind.remove, challenge(appliance), FOREIGN)
        self.make_edge(appliance)
        self.make_certificate(appliance)
        self.ready(appliance)
        self.assertEqual(self.bind.txt(challenge(appliance)), [FOREIGN])


class SecondServer:
    """A secondary of the stack's BIND, which has what the primary had when it was started last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = choose(("dns",))["dns"]
        self.address = f"127.0.0.1:{self.port}"
        primary, port = env("STACK_DNS_ADDR").split(":")
        name, zone = env("STACK_DNS_TSIG_NAME"), env("STACK_DNS_ZONE")
        shutil.copy(shutil.which("named", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "named", folder / "named")
        (folder / "named.conf").write_text(f"""
options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no;
  min-refresh-time 86400; min-retry-time 86400; notify no; allow-notify {{ none; }}; }};
controls {{ }};
key {name} {{ algorithm hmac-sha256; secret "{env('STACK_DNS_TSIG_SECRET')}"; }};
zone "{zone}" {{ type secondary; primaries {{ {primary} port {port} key {name}; }}; request-ixfr no; }};
""")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "named.log").open("ab") as log:
            self.process = subprocess.Popen([str(self.folder / "named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")], stdout=log, stderr=log)
        wait_for("the secondary serves the zone", self.serves, 30)

    def serves(self) -> bool:
        done = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+time=1", "+tries=1", "SOA", f"{env('STACK_DNS_ZONE')}."], capture_output=True, text=True, check=False)
        return done.returncode == 0 and "hostmaster" in done.stdout

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Rfc2136TwoServers(ProviderTest):
    """One of two name servers lags behind."""

    def provide(self) -> None:
        folder = self.folder / "secondary"
        folder.mkdir()
        self.second = SecondServer(folder)
        self.addCleanup(self.second.stop)
        self.second.start()

    def nameservers(self) -> list[str]:
        return [*super().nameservers(), self.second.address]

    def test_the_ca_is_asked_only_when_the_lagging_server_has_the_record(self) -> None:
        appliance = self.new_edge()
        value = wait_for("the record at the primary", lambda: self.bind.txt(challenge(appliance)), 60)
        wait_for("some looks at both servers", lambda: self.operator.executed("LookForRecords", appliance.name) >= 3, 60)
        self.assertEqual(self.bind.txt(challenge(appliance), self.second.address), [])
        self.assertEqual(self.operator.executed("AnswerChallenge", appliance.name), 0)
        self.second.stop()
        self.second.start()  # with what the primary has now
        self.assertEqual(self.bind.txt(challenge(appliance), self.second.address), value)
        self.ready(appliance)


class CnameFollow(ProviderTest):
    """The record is written in another zone, where a CNAME leads."""

    def dns01(self) -> dict[str, Any]:
        return {**super().dns01(), "cnameStrategy": "Follow", "delegationZones": [f"acme.{env('STACK_DNS_ZONE')}"]}

    def seen_at(self, appliance: Appliance) -> str:
        return f"{appliance.name}.acme.{env('STACK_DNS_ZONE')}"

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        appliance = self.sim.add_edges(1)[0]
        self.bind.alias(challenge(appliance), self.seen_at(appliance))
        self.addCleanup(self.bind.unalias, challenge(appliance))
        self.make_edge(appliance)
        self.make_certificate(appliance)
        self.ready(appliance)

    def test_an_alias_out_of_the_zones_is_not_followed_until_it_is_changed(self) -> None:
        appliance = self.sim.add_edges(1)[0]
        self.bind.alias(challenge(appliance), f"elsewhere.{env('STACK_DNS_ZONE')}")
        self.addCleanup(self.bind.unalias, challenge(appliance))
        self.make_edge(appliance)
        self.make_certificate(appliance)
        self.stuck(appliance, "DnsRefused", "delegationZones", f"elsewhere.{env('STACK_DNS_ZONE')}")
        self.assertEqual(self.bind.txt(f"elsewhere.{env('STACK_DNS_ZONE')}"), [])
        self.bind.alias(challenge(appliance), self.seen_at(appliance))
        self.ready(appliance)


class Cloudflare(ProviderTest):
    def provide(self) -> None:
        self.server = cloudflare.Cloudflare(self.bind)
        self.addCleanup(self.server.close)
        self.arguments += ["--dns-endpoint", f"cloudflare={self.server.api}"]
        self.secret("cloudflare", {"token": cloudflare.TOKEN})

    def dns01(self) -> dict[str, Any]:
        return {"cloudflare": {"apiTokenRef": {"name": "cloudflare", "key": "token"}}}

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        appliance = self.new_edge()
        self.ready(appliance)
        self.assertEqual(self.server.records, {})
        self.assertEqual(self.server.problems, [])

    def test_a_refused_token_names_its_secret_and_another_one_goes_on(self) -> None:
        self.change_secret("cloudflare", {"token": "no token at all"})
        appliance = self.new_edge()
        self.stuck(appliance, "DnsRefused", "Secret cloudflare key token")
        self.change_secret("cloudflare", {"token": cloudflare.TOKEN[::-1]})
        self.stuck(appliance, "DnsForbidden", "Secret cloudflare key token", "Invalid access token")
        self.change_secret("cloudflare", {"token": cloudflare.TOKEN})
        self.ready(appliance)

    def test_limits_and_outages_are_waited_for(self) -> None:
        self.server.faults = [Reply(429, {"success": False, "errors": [{"code": 971, "message": "Please wait"}]}, {"Retry-After": "1"}), Reply(503), Reply(502)]
        appliance = self.new_edge()
        self.ready(appliance)
        self.assertEqual(self.server.faults, [])


class Route53Test(ProviderTest):
    """moto, which checks signatures and policies."""

    keys = "edgetrust"
    role = False
    web_identity = False

    def provide(self) -> None:
        self.account = MotoServer(self.folder)
        self.addCleanup(self.account.close)
        self.arguments += ["--dns-endpoint", f"route53={self.account.url}", "--dns-endpoint", f"sts={self.account.url}"]
        self.secret("aws", self.account.keys[self.keys])
        if self.web_identity:
            self.variables = {"AWS_ROLE_ARN": self.account.role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.account.token)}

    def dns01(self) -> dict[str, Any]:
        keys = {} if self.web_identity else {"accessKeyIdRef": {"name": "aws", "key": "id"}, "secretAccessKeyRef": {"name": "aws", "key": "secret"}}
        return {"route53": {"region": "eu-west-1", **keys, **({"roleArn": self.account.role} if self.role else {})}}


class Route53(Route53Test):
    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.ready(self.new_edge())

    def test_a_refused_key_names_its_secret_and_another_one_goes_on(self) -> None:
        right = self.account.keys["edgetrust"]["secret"]
        self.change_secret("aws", {"secret": right[::-1]})
        appliance = self.new_edge()
        self.stuck(appliance, "DnsCredentialsRefused", "Secret aws key id and Secret aws key secret", "SignatureDoesNotMatch")
        self.change_secret("aws", {"secret": right})
        self.ready(appliance)


class Route53AssumedRole(Route53Test):
    keys = "stranger"  # may do nothing but assume a role
    role = True

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.ready(self.new_edge())


class Route53WebIdentity(Route53Test):
    web_identity = True

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.ready(self.new_edge())


class AzureDnsTest(ProviderTest):
    secret_of_client = True

    def provide(self) -> None:
        self.server = azure.Azure(self.bind)
        self.addCleanup(self.server.close)
        self.arguments += ["--dns-endpoint", f"azure={self.server.url}"]
        self.secret("azure", {"secret": azure.SECRET})
        if self.secret_of_client:
            self.arguments += ["--dns-endpoint", f"azure-login={self.server.url}"]

    def dns01(self) -> dict[str, Any]:
        client = {"tenantId": azure.TENANT, "clientId": azure.CLIENT, "clientSecretRef": {"name": "azure", "key": "secret"}} if self.secret_of_client else {}
        return {"azureDns": {"subscriptionId": azure.SUBSCRIPTION, "resourceGroup": azure.GROUP, **client}}

    def issues(self) -> None:
        self.ready(self.new_edge())
        self.assertEqual(self.server.sets, {})
        self.assertEqual([problem for problem in self.server.problems if "NotFound" not in problem], [])


class AzureDns(AzureDnsTest):
    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.issues()


class AzureDnsSharedName(AzureDnsTest):
    """Two orders for one name at once, and a value of somebody else beside them."""

    def test_both_are_issued_and_nothing_else_is_touched(self) -> None:
        shared = f"shared-{self.namespace}.{self.bind.zone}"
        name = f"_acme-challenge.{shared}"
        relative = name.removesuffix(f".{self.bind.zone}")
        others = {"TTL": 300, "metadata": {"owner": "somebody else"}, "TXTRecords": [{"value": [FOREIGN]}]}
        self.server.sets[relative] = {"etag": "1", "properties": others}
        self.bind.add(name, FOREIGN)
        self.addCleanup(self.bind.replace, name, [])
        appliances = self.sim.add_edges(2)
        for appliance in appliances:
            self.make_edge(appliance)
            self.make_certificate(appliance, dnsNames=[appliance.host, shared])
        for appliance in appliances:
            self.ready(appliance)
        self.assertEqual(self.server.sets, {relative: self.server.sets[relative]})
        self.assertEqual(self.server.sets[relative]["properties"], others)
        self.assertEqual(self.bind.txt(name), [FOREIGN])


class AzureDnsWorkloadIdentity(AzureDnsTest):
    secret_of_client = False

    def provide(self) -> None:
        super().provide()
        token = self.folder / "token"
        token.write_text("header.federated-token-of-the-pod.signature\n")
        self.server.federated = token.read_text().strip()
        self.variables = {"AZURE_CLIENT_ID": azure.CLIENT, "AZURE_TENANT_ID": azure.TENANT, "AZURE_FEDERATED_TOKEN_FILE": str(token), "AZURE_AUTHORITY_HOST": self.server.url + "/"}

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.issues()


class AcmeDns(ProviderTest):
    """The two values of an account roll over; nothing deletes them."""

    def provide(self) -> None:
        self.server = AcmeDnsServer(self.bind)
        self.addCleanup(self.server.close)
        self.account = self.server.register()
        self.secret("acmedns", {"account.json": json.dumps(self.account)})
        self.addCleanup(self.bind.replace, self.account["fulldomain"], [])

    def dns01(self) -> dict[str, Any]:
        return {"acmeDns": {"host": self.server.url, "accountRef": {"name": "acmedns", "key": "account.json"}}}

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        appliance = self.sim.add_edges(1)[0]
        self.make_edge(appliance)
        self.make_certificate(appliance)
        self.stuck(appliance, "DnsRefused", f"{challenge(appliance)} must be a CNAME of {self.account['fulldomain']}")
        self.bind.alias(challenge(appliance), self.account["fulldomain"])
        self.addCleanup(self.bind.unalias, challenge(appliance))
        self.ready(appliance)
        self.assertEqual(len(self.bind.txt(self.account["fulldomain"])), 1, "the account's own value, and only it")
        self.assertEqual(self.server.problems, [])


class Webhook(ProviderTest):
    def provide(self) -> None:
        self.server = httpreq.HttpReq(self.bind)
        self.addCleanup(self.server.close)
        self.arguments = []
        self.secret("httpreq", {"username": httpreq.USERNAME, "password": httpreq.PASSWORD})

    def dns01(self) -> dict[str, Any]:
        return {"webhook": {"url": self.server.endpoint, "caBundleRef": {"name": "stack-ca", "key": "ca.crt"}, "basicAuthRef": {"name": "httpreq"}}}

    def test_a_certificate_is_issued_and_no_record_is_left(self) -> None:
        self.ready(self.new_edge())
        self.assertEqual(self.server.problems, [])

    def test_refused_credentials_name_their_secret_and_others_go_on(self) -> None:
        self.change_secret("httpreq", {"password": "another password"})
        appliance = self.new_edge()
        self.stuck(appliance, "DnsCredentialsRefused", "Secret httpreq")
        self.change_secret("httpreq", {"password": httpreq.PASSWORD})
        self.ready(appliance)


if __name__ == "__main__":
    unittest.main()
