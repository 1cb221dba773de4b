"""What befalls a whole cluster: its etcd comes back as it was yesterday, or a second cluster is let loose on the same Edges. No Edge is ever given an older
certificate than it has."""

import unittest
from typing import Any

from harness import OperatorTest, wait_for
from simulator import Appliance, fingerprint, leaf_of

OURS = ("RotationPolicy", "AcmeIssuer", "GenesysConnection", "Edge", "EdgeCertificate")


class Snapshot:
    """What etcd holds of a namespace, and its way back: every object with its status, every Secret and every Lease as it was, and none that was not there."""

    def __init__(self, test: OperatorTest, *kinds: str) -> None:
        self.kube = test.kube
        self.namespace = test.namespace
        self.kept = {kind: self._all(kind) for kind in kinds}

    def _all(self, kind: str) -> dict[str, dict[str, Any]]:
        return {thing["metadata"]["name"]: thing for thing in self.kube.list(kind, self.namespace)}

    def restore(self) -> None:
        for kind, kept in self.kept.items():
            now = self._all(kind)
            for name in now.keys() - kept.keys():
                self.kube.delete(kind, self.namespace, name)
            for name, thing in kept.items():
                self._put_back(kind, thing, now[name])

    def _put_back(self, kind: str, was: dict[str, Any], now: dict[str, Any]) -> None:
        path = self.kube.path(kind, self.namespace, was["metadata"]["name"])
        version = {"resourceVersion": now["metadata"]["resourceVersion"], "managedFields": None}
        self.kube.call("PUT", path, was | {"metadata": was["metadata"] | version})
        if "status" in was:
            # By the operator's own hand, so that what it has written since goes.
            status = {"apiVersion": was["apiVersion"], "kind": kind, "metadata": {"name": was["metadata"]["name"]}, "status": was["status"]}
            self.kube.call("PATCH", path + "/status?fieldManager=edgetrust&force=true", status, "application/apply-patch+yaml")


class EtcdOfYesterday(OperatorTest):
    def live_since(self, *kinds: str) -> tuple[Appliance, Snapshot]:
        """An Edge that has its second certificate, and a snapshot of the time when it had its first."""
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.serving(edge.name)
        wait_for("the Edge object sees the first one", lambda: self.seen_by_edge_object(edge) == self.live(edge))
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        snapshot = Snapshot(self, *kinds)
        self.renew(edge.name)
        second = self.wait_phase(edge.name, "Ready", 2)
        wait_for("the second one is in the serving Secret", lambda: fingerprint(leaf_of(self.serving(edge.name))) == second["fingerprintSha256"])
        wait_for("and the finalizer goes again", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        return edge, snapshot

    def seen_by_edge_object(self, edge: Appliance) -> str | None:
        return self.kube.get("Edge", self.namespace, edge.name).get("status", {}).get("servedCertificate", {}).get("fingerprintSha256")

    def restore(self, snapshot: Snapshot) -> None:
        """While nobody is looking."""
        self.operator.kill()
        snapshot.restore()
        self.operator.start()

    def test_certificate_that_nobody_remembers_is_left_and_said_to_be_foreign(self) -> None:
        edge, snapshot = self.live_since(*OURS, "Secret", "Lease")
        newer = self.live(edge)
        self.restore(snapshot)
        self.assertIsNone(self.kube.find("Secret", self.namespace, f"{edge.name}-r2"), "its Secrets are of yesterday too")
        held = self.wait_phase(edge.name, "Held", 1)
        self.assertEqual(self.live(edge), newer)
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2, "none since")
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2, "none since")
        self.assertNotIn("delivery", held)
        stalled = self.condition(self.certificate(edge.name), "Stalled")
        self.assertEqual(stalled["reason"], "ForeignCertificate")
        self.assertIn("onForeignCertificate to Replace", stalled["message"], "says what to do")

        self.kube.patch("EdgeCertificate", self.namespace, edge.name, {"spec": {"adoption": {"onForeignCertificate": "Replace"}}})
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.live(edge), status["fingerprintSha256"])
        self.assertNotEqual(self.live(edge), newer, "a third certificate, not yesterday's")
        self.assertEqual(len(self.sim.upload_attempts(edge)), 3)

    def test_certificate_whose_secrets_are_left_is_found_again(self) -> None:
        edge, snapshot = self.live_since(*OURS, "Lease")
        newer = self.live(edge)
        self.restore(snapshot)
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual((self.live(edge), status["fingerprintSha256"]), (newer, newer))
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2, "none since")
        self.assertEqual(self.operator.executed("NewOrder", edge.name), 2, "none since")


class BackupWithoutStatus(OperatorTest):
    def test_rollback_that_was_asked_for_long_ago_is_not_made_again(self) -> None:
        """A tool that restores objects brings their annotations back, and not the status that says which were acted on."""
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.renew(edge.name)
        self.wait_phase(edge.name, "Ready", 2)
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        newer = self.live(edge)
        spec = self.certificate(edge.name)["spec"]
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None)
        self.make("EdgeCertificate", edge.name, spec, annotations={"edgetrust.io/rollback-requested-at": "long ago"})
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Adopted"])
        self.assertEqual(status["handledRequests"]["rollback"], "long ago")
        self.assertEqual(self.live(edge), newer)
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2, "none since")


class TwoClusters(OperatorTest):
    def second_cluster(self) -> OperatorTest:
        """Another namespace, as far as the two can tell of each other: objects, Secrets, rights and an operator of its own."""
        other = OperatorTest()
        other.setUp()
        self.addCleanup(other.doCleanups)
        return other

    def test_second_one_touches_nothing_and_the_first_goes_on(self) -> None:
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        other = self.second_cluster()
        other.make_edge(edge)
        other.make_certificate(edge)
        other.wait_phase(edge.name, "Held")
        self.assertEqual(other.condition(other.certificate(edge.name), "Stalled")["reason"], "ForeignCertificate")
        self.assertEqual(self.live(edge), first["fingerprintSha256"])

        self.renew(edge.name)
        second = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(self.live(edge), second["fingerprintSha256"])
        serial = f"serial {second['serialNumber']}"
        other.kube.patch("Edge", other.namespace, edge.name, {"metadata": {"annotations": {"test/look": "now"}}})
        wait_for("the second sees the new one", lambda: serial in other.condition(other.certificate(edge.name), "Stalled").get("message", ""))
        self.assertEqual(other.status(edge.name)["phase"], "Held")
        self.assertEqual(len(self.sim.upload_attempts(edge)), 2, "the first one's")
        self.assertEqual([other.operator.executed(effect, edge.name) for effect in ("CreateKey", "NewOrder", "Push")], [0, 0, 0])

    def test_drill_shows_what_was_saved_and_touches_nothing(self) -> None:
        """As backup-and-restore.md has it: with the Secrets of the first."""
        edge = self.new_edge()
        first = self.wait_phase(edge.name, "Ready", 1)
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        other = self.second_cluster()
        for secret in self.kube.list("Secret", self.namespace):
            if secret["metadata"].get("labels", {}).get("edgetrust.io/backup") and secret["metadata"]["name"].startswith(f"{edge.name}-"):
                kept = {key: secret["metadata"].get(key, {}) for key in ("name", "labels", "annotations")}
                self.kube.create(secret | {"apiVersion": "v1", "kind": "Secret", "metadata": kept | {"namespace": other.namespace}})
        other.make_edge(edge)
        other.make("EdgeCertificate", edge.name, self.certificate(edge.name)["spec"])
        status = other.wait_phase(edge.name, "Ready", 1)
        self.assertEqual([entry["result"] for entry in status["history"]], ["Adopted"])
        self.assertEqual(status["fingerprintSha256"], first["fingerprintSha256"])
        self.assertEqual([other.operator.executed(effect, edge.name) for effect in ("CreateKey", "NewOrder", "Push")], [0, 0, 0])
        self.assertEqual(len(self.sim.upload_attempts(edge)), 1, "the first one's")


if __name__ == "__main__":
    unittest.main()
