"""A connection: its OAuth clients, the Edges that it lists, its heartbeat."""

import base64
import json
import ssl
import time
import unittest
import urllib.request
from datetime import datetime, timedelta
from typing import Any

from authority import Authority
from harness import ALWAYS_OPEN, OperatorTest, env, wait_for
from own_simulator import OwnSimulatorTest
from snitch import Snitch

CLIENT = "edgetrust-stack"
SOON = 10  # a changed Secret is taken within so many seconds


class ConnectionTest(OwnSimulatorTest):
    def connection_now(self) -> Any:
        return self.kube.get("GenesysConnection", self.namespace, "prod")

    def wait_reason(self, kind: str, reason: str, seconds: float = 30) -> dict[str, Any]:
        there = lambda: (found := self.condition(self.connection_now(), kind)).get("reason") == reason and found
        return wait_for(f"{kind} says {reason}", there, seconds)

    def wait_counts(self, what: str, seconds: float = 30, **wanted: int) -> None:
        there = lambda: wanted.items() <= self.connection_now().get("status", {}).get("edges", {}).items()
        try:
            wait_for(what, there, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.connection_now()['status']}") from None

    def wait_event(self, reason: str) -> Any:
        return wait_for(f"an Event {reason}", lambda: next((e for e in self.kube.events(self.namespace) if e["reason"] == reason), None), 30)

    def wait_metric(self, name: str, value: str) -> None:
        sample = f'{name}{{name="prod",namespace="{self.namespace}"}} {value}'
        wait_for(sample, lambda: sample in self.operator.metrics().splitlines(), 30)

    def set_secret(self, name: str, client_id: str, client_secret: str) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (("clientId", client_id), ("clientSecret", client_secret))}
        self.kube.patch("Secret", self.namespace, name, {"data": encoded})


class Credentials(ConnectionTest):
    def test_wrong_secret_is_named_not_hammered_and_a_changed_one_is_taken_at_once(self) -> None:
        self.wait_reason("CredentialsValid", "LoggedIn")
        before = len(self.sim.logins())
        self.set_secret("genesys-oauth", CLIENT, "wrong-secret-of-nobody")
        refused = self.wait_reason("CredentialsValid", "ConnectionCredentialsRefused", SOON)
        self.assertEqual(refused["status"], "False")
        self.assertIn("Secret genesys-oauth", refused["message"])
        for _ in range(3):  # Edges that ask as well, again and again
            self.make_edge(self.sim.add_edges(1)[0])
        wait_for("they say so", lambda: all(self.condition(e, "Ready").get("reason") == "ApiCredentialsRefused" for e in self.kube.list("Edge", self.namespace)))
        self.assertLessEqual(len(self.sim.logins()) - before, 2)
        self.wait_metric("edgetrust_connection_credentials_valid", "0")
        self.set_secret("genesys-oauth", CLIENT, env("STACK_GENESYS_CLIENT_SECRET"))
        self.wait_reason("CredentialsValid", "LoggedIn", SOON)
        wait_for("the Edges are well again", lambda: all(self.condition(e, "Ready").get("status") == "True" for e in self.kube.list("Edge", self.namespace)))

    def test_disabled_client_is_a_condition(self) -> None:
        self.sim.client(CLIENT, state="disabled")
        self.set_secret("genesys-oauth", CLIENT, env("STACK_GENESYS_CLIENT_SECRET"))  # so that it is looked at now
        refused = self.wait_reason("CredentialsValid", "ConnectionCredentialsRefused")
        self.assertIn("client is disabled", refused["message"])

    def test_end_of_the_client_is_told(self) -> None:
        self.sim.client("dying", clientSecret="secret-of-the-dying-client", dateToDelete="2027-01-02T03:04:05.000Z")
        self.set_secret("genesys-oauth", "dying", "secret-of-the-dying-client")
        there = lambda: self.connection_now()["status"].get("credentials", {}).get("client") == "dying"
        wait_for("the client is told", there, SOON)
        self.assertEqual(self.connection_now()["status"]["credentials"], {"client": "dying", "state": "active", "deleteAfter": "2027-01-02T03:04:05Z"})
        self.assertIn("2027-01-02", self.wait_event("ClientWillBeDeleted")["note"])


class Standby(ConnectionTest):
    connection = {"standbyCredentialsRef": {"name": "genesys-oauth-b"}}

    def prepare(self) -> None:
        super().prepare()
        self.sim.client("second", clientSecret="secret-of-the-second-client")
        self.secret("genesys-oauth-b", {"clientId": "second", "clientSecret": "secret-of-the-second-client"})

    def test_standby_takes_over_is_alarmed_and_gives_back(self) -> None:
        self.wait_reason("CredentialsValid", "LoggedIn")
        self.set_secret("genesys-oauth", CLIENT, "wrong-secret-of-nobody")
        in_use = self.wait_reason("CredentialsValid", "StandbyInUse", SOON)
        self.assertEqual(in_use["status"], "True")
        self.assertIn("Secret genesys-oauth ", in_use["message"])
        self.assertEqual(self.connection_now()["status"]["credentials"]["client"], "second")
        self.wait_event("StandbyInUse")
        self.wait_metric("edgetrust_connection_standby_in_use", "1")
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)  # it does the work
        self.set_secret("genesys-oauth", CLIENT, env("STACK_GENESYS_CLIENT_SECRET"))
        self.wait_reason("CredentialsValid", "LoggedIn", SOON)
        self.assertEqual(self.connection_now()["status"]["credentials"]["client"], CLIENT)
        self.wait_metric("edgetrust_connection_standby_in_use", "0")

    def test_missing_standby_stops_nothing(self) -> None:
        self.kube.delete("Secret", self.namespace, "genesys-oauth-b")
        self.assertIn("genesys-oauth-b", self.wait_reason("CredentialsValid", "StandbyUnusable")["message"])
        self.wait_condition("GenesysConnection", "prod", "Ready", "True")


class Listings(ConnectionTest):
    connection = {"discovery": {"mode": "Report"}}
    start_operator = False

    def test_edges_without_an_object_are_reported(self) -> None:
        known, unknown, cloud = self.sim.add_edges(3)
        self.sim.patch(cloud, cloudMedia=True)
        self.make_edge(known)
        self.operator.start()
        self.wait_counts("one is managed, one is not", total=1, ready=1, rotating=0, rolledBack=0, unmanaged=1)
        note = self.wait_event("UnmanagedEdges")["note"]
        self.assertIn(unknown.name, note)
        self.assertNotIn(cloud.name, note)
        self.wait_metric("edgetrust_connection_unmanaged_edges", "1")
        self.make_edge(unknown)
        self.wait_counts("both are managed", total=2, ready=2, unmanaged=0)
        self.wait_metric("edgetrust_connection_unmanaged_edges", "0")

    def test_quiet_edges_are_listed_and_one_is_asked_right_after_its_rotation(self) -> None:
        quiet, busy = self.sim.add_edges(2)
        self.make_edge(quiet)
        self.operator.start()
        self.wait_condition("Edge", quiet.name, "Ready", "True")
        self.make_edge(busy)
        self.make_certificate(busy)
        self.wait_phase(busy.name, "Ready", 1)
        asked = lambda path: [e["at"] for e in self.sim.requests() if e["path"].endswith(path)]
        uploaded = self.sim.uploads(busy)[-1]["at"]
        # By itself; or by a listing, where the last one was too old for anybody.
        wait_for("its trunks are asked for", lambda: any(at > uploaded for at in asked(f"/{busy.id}/trunks") + asked("/edges/trunks")), 30)
        self.wait_condition("Edge", busy.name, "SipHealthy", "True")
        self.assertEqual(asked(f"/{quiet.id}/trunks"), [])
        listings = asked("/edges/trunks")
        self.assertTrue(all(later - earlier > 59 for earlier, later in zip(listings, listings[1:])), listings)

    def test_failing_call_is_not_repeated_for_its_own_bad_news(self) -> None:
        """Each refusal has a correlation id of its own; what is written of it must not wake the next look."""
        edge = self.sim.add_edges(1)[0]
        self.sim.fault(path="*/edges/trunks", times=0, action={"status": 500})
        self.make_edge(edge)
        self.operator.start()
        unknown = wait_for("the refusal is told", lambda: "500" in (c := self.condition(self.kube.get("Edge", self.namespace, edge.name), "SipHealthy")).get("message", "") and c)
        self.assertEqual(unknown["status"], "Unknown")
        told = wait_for("the log tells it too", lambda: [line["error"] for line in self.operator.lines() if line.get("effect") == "ListTrunks" and "error" in line])
        self.assertTrue(told[0]["correlationId"])
        self.assertNotIn(told[0]["correlationId"], unknown["message"])
        listed = lambda: len([e for e in self.sim.requests() if e["path"].endswith("/edges/trunks")])
        seen, began = listed(), time.monotonic()
        wait_for("ten seconds in which nothing happens to it", lambda: time.monotonic() - began > 10, 20, 1.0)
        self.assertLessEqual(listed() - seen, 1)


class TrustAnchors(ConnectionTest):
    connection = {"trustAnchors": {"sync": True, "bundleRefs": [{"name": "sbc-ca", "key": "ca.crt"}]}}

    def prepare(self) -> None:
        self.sbc = [self.authority(name) for name in ("one", "two")]
        self.secret("sbc-ca", {"ca.crt": "".join(ca.root for ca in self.sbc)})
        super().prepare()

    def authority(self, name: str) -> Authority:
        folder = self.folder / name
        folder.mkdir()
        return Authority(folder)

    def kept(self) -> dict[str, str]:
        """The certificate authorities of Genesys, by name."""
        trust = ssl.create_default_context(cafile=env("STACK_GENESYS_CA_FILE"))
        basic = base64.b64encode(f"{CLIENT}:{env('STACK_GENESYS_CLIENT_SECRET')}".encode()).decode()
        login = urllib.request.Request(f"{self.sim.api}/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(login, context=trust, timeout=30) as answer:
            token = json.load(answer)["access_token"]
        listing = urllib.request.Request(f"{self.sim.api}/api/v2/telephony/providers/edges/certificateauthorities", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(listing, context=trust, timeout=30) as answer:
            return {entity["name"]: entity["certificate"] for entity in json.load(answer)["entities"]}

    def test_named_cas_are_kept_and_others_are_left(self) -> None:
        self.wait_reason("TrustAnchorsSynced", "Synced", 60)
        kept = self.kept()
        self.assertEqual(len(kept), 3, "the vendor's own and two")
        self.assertEqual({pem.strip() for name, pem in kept.items() if name.startswith(f"edgetrust {self.namespace}/prod ")}, {ca.root.strip() for ca in self.sbc})
        third = self.authority("three")
        encoded = base64.b64encode((self.sbc[0].root + third.root).encode()).decode()
        self.kube.patch("Secret", self.namespace, "sbc-ca", {"data": {"ca.crt": encoded}})
        self.kube.patch("GenesysConnection", self.namespace, "prod", {"spec": {"timeZone": "Europe/Dublin"}})  # looked at now rather than in five minutes
        ours = lambda: {pem.strip() for name, pem in self.kept().items() if name.startswith("edgetrust ")}
        wait_for("the CA that is no longer named is gone", lambda: ours() == {self.sbc[0].root.strip(), third.root.strip()}, 60, 1.0)
        posts = [e for e in self.sim.requests() if e["method"] == "POST" and e["path"].endswith("/certificateauthorities")]
        self.assertEqual(len(posts), 3)
        self.wait_event("TrustAnchorRemoved")


class HeartbeatTest(ConnectionTest):
    """With a dead man's switch."""

    connection = {"heartbeat": {"urlRef": {"name": "snitch", "key": "url"}, "caBundleRef": {"name": "stack-ca", "key": "ca.crt"}, "interval": "1m"}}
    policy = {"windows": ALWAYS_OPEN, "observe": {"settle": "4s", "period": "2s", "interval": "1s", "failAfter": 4}, "retry": {"policy": "Never"}}

    def prepare(self) -> None:
        self.snitch = Snitch()
        self.addCleanup(self.snitch.close)
        self.secret("snitch", {"url": self.snitch.url})
        super().prepare()


    def pinged_at(self) -> datetime:
        return datetime.fromisoformat(self.connection_now()["status"]["heartbeat"]["at"].replace("Z", "+00:00"))


class Heartbeat(HeartbeatTest):
    def test_it_beats_until_a_rotation_is_rolled_back(self) -> None:
        wait_for("the first ping", lambda: self.snitch.pings, 30)
        self.wait_reason("HeartbeatSent", "Sent")
        first = self.pinged_at()
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        wait_for("another ping", lambda: len(self.snitch.pings) > 1, 90)
        # By the operator's clock: how long a ping is under way says nothing about when it was due.
        second = wait_for("it is written down", lambda: (at := self.pinged_at()) > first and at)
        self.assertGreaterEqual(second - first, timedelta(minutes=1))
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        self.wait_phase(edge.name, "RolledBack")
        behind = self.wait_reason("HeartbeatSent", "NotOnSchedule")
        self.assertIn(f"{edge.name} is stalled (RolledBack)", behind["message"])
        self.wait_counts("it is counted", rolledBack=1)
        self.wait_event("HeartbeatStopped")
        pinged = len(self.snitch.pings)
        last = self.snitch.pings[-1][0]
        wait_for("the next one would be due", lambda: time.time() > last + 70, 90, 1.0)
        self.assertEqual(len(self.snitch.pings), pinged)


class HeartbeatElsewhere(HeartbeatTest):
    """Its URL leads to a cloud's metadata service."""

    def secret(self, name: str, data: dict[str, str], kind: str = "Opaque") -> None:
        super().secret(name, {"url": "https://169.254.169.254/latest/of-nobody"} if name == "snitch" else data, kind)

    def test_it_is_refused_not_told_and_mended_by_its_secret(self) -> None:
        refused = self.wait_reason("HeartbeatSent", "HeartbeatRefused")
        self.assertIn("Secret snitch key url", refused["message"])
        self.assertNotIn("169.254", refused["message"])
        self.wait_condition("GenesysConnection", "prod", "Ready", "True")
        encoded = base64.b64encode(self.snitch.url.encode()).decode()
        self.kube.patch("Secret", self.namespace, "snitch", {"data": {"url": encoded}})
        wait_for("a changed URL is pinged", lambda: self.snitch.pings, SOON)


if __name__ == "__main__":
    unittest.main()
