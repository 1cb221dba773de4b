"""The audit trail of a running operator, for each kind of object that has records: in a chained log, and at a sink that is away for a while."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from audit_sink import AuditSink
from edge_machine import needs_machines
from harness import ALWAYS_OPEN, PATIENT, OperatorTest, TwoOperators, env, wait_for
from pin_harness import PinTest, ahead

KEY = "a key that both sides know"


class AuditTest(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "approval": {"required": True}}

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-audit-")
        self.addCleanup(folder.cleanup)
        self.log_file = Path(folder.name) / "audit.log"
        key = Path(folder.name) / "key"
        key.write_text(KEY + "\n")
        self.sink = AuditSink(KEY)
        self.addCleanup(self.sink.close)
        self.arguments = ["--audit-log", str(self.log_file), "--audit-sink", self.sink.url, "--audit-sink-key-file", str(key), "--audit-sink-ca-file", env("STACK_GENESYS_CA_FILE")]
        super().setUp()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def wait_for_records(self, count: int) -> list[dict[str, Any]]:
        """A record is written right after the status that it is about."""
        return wait_for(f"{count} records", lambda: len(records := self.records()) >= count and records)

    def wait_for_actions(self, kind: str, *actions: str) -> list[dict[str, Any]]:
        """The records of that kind of object are these, in this order."""

        def found() -> list[dict[str, Any]]:
            return [record for record in self.records() if record["kind"] == kind]

        wait_for(f"{len(actions)} records of the {kind}", lambda: len(found()) >= len(actions))
        self.assertEqual([record["action"] for record in found()], list(actions))
        return found()

    def what_is_public(self) -> dict[str, str]:
        return super().what_is_public() | {"audit log": self.log_file.read_text()}

    def approve(self, name: str, revision: int) -> None:
        self.wait_phase(name, "AwaitingApproval")
        self.annotate(name, "approve", json.dumps({"revision": revision, "change": f"CHG{revision}", "by": "ada"}))

    def assert_one_whole_chain(self, records: list[dict[str, Any]]) -> None:
        previous = "0" * 64
        for number, record in enumerate(records, 1):
            self.assertEqual((record["sequence"], record["previous"]), (number, previous))
            previous = record["hash"]
            text = json.dumps({name: value for name, value in record.items() if name != "hash"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), previous)

    def wait_until_all_is_taken(self, records: list[dict[str, Any]]) -> None:
        """In their order, each once."""
        wait_for("the sink has all of them", lambda: len(self.sink.taken) >= len(records), 120)
        self.assertEqual([event["id"] for event in self.sink.taken], [record["hash"] for record in records])
        self.assertEqual(self.sink.forged, 0)


class Audit(AuditTest):
    def test_what_was_done_is_on_record_and_is_kept_until_it_is_taken(self) -> None:
        edge = self.new_edge()
        self.approve(edge.name, 1)
        first = self.wait_phase(edge.name, "Ready", 1)["serialNumber"]
        self.assertEqual([(r["action"], r["revision"]) for r in self.wait_for_records(4)], [("Plan", 1), ("Approve", 1), ("Push", 1), ("Prove", 1)])
        push = self.records()[2]
        self.assertEqual((push["change"], push["by"], push["edge"]), ("CHG1", "ada", edge.name))
        wait_for("the sink was asked and took nothing", lambda: self.sink.refused > 1)
        text = self.operator.metrics()
        for sample in ("records_total 4", "write_failures_total 0", "sink_taken_total 0", "sink_backlog 4"):
            self.assertIn(f"\nedgetrust_audit_{sample}\n", text)
        (failures,) = re.findall(r'^edgetrust_audit_sink_failures_total\{class="Unavailable"\} (\d+)$', text, re.M)
        self.assertGreater(int(failures), 0)
        (oldest,) = re.findall(r"^edgetrust_audit_sink_oldest_timestamp_seconds (\S+)$", text, re.M)
        self.assertAlmostEqual(float(oldest), datetime.fromisoformat(self.records()[0]["at"]).timestamp(), delta=1)

        self.operator.stop()  # with everything still to be taken
        self.operator.start()
        self.renew(edge.name)
        self.approve(edge.name, 2)
        second = self.wait_phase(edge.name, "Ready", 2)["serialNumber"]
        self.annotate(edge.name, "rollback-requested-at", "now")
        self.wait_phase(edge.name, "RolledBack", 1)
        records = self.wait_for_records(10)
        self.assertEqual([(r["action"], r["revision"]) for r in records[4:]], [("Plan", 2), ("Approve", 2), ("Push", 2), ("Prove", 2), ("RollBack", 2), ("RolledBack", 2)])
        self.assertEqual((records[7]["oldSerial"], records[7]["newSerial"]), (first, second))
        self.assertTrue(records[7]["evidence"])

        self.assert_one_whole_chain(records)  # over the restart
        self.sink.takes = True
        self.wait_until_all_is_taken(records)
        self.assertEqual(self.sink.taken[2]["type"], "io.edgetrust.audit.Push")
        wait_for("nothing waits for the sink", lambda: "\nedgetrust_audit_sink_backlog 0\n" in self.operator.metrics())
        text = self.operator.metrics()
        self.assertIn(f"\nedgetrust_audit_sink_taken_total {len(records)}\n", text)
        self.assertNotIn("\nedgetrust_audit_sink_oldest_timestamp_seconds ", text)

        report = subprocess.run([env("KUBECTL_EDGETRUST"), "report", "-n", self.namespace, "--log", str(self.log_file), "-o", "csv"], capture_output=True, text=True, check=True)
        rows = list(csv.DictReader(io.StringIO(report.stdout)))
        self.assertEqual([row["result"] for row in rows], [r["action"] for r in records])
        self.assertEqual((rows[7]["oldSerial"], rows[7]["newSerial"], rows[7]["approvedBy"]), (first, second, "ada"))
        lines = self.log_file.read_text().splitlines(keepends=True)
        forged = self.folder / "forged.log"
        forged.write_text("".join([*lines[:2], lines[2].replace('"by":"ada"', '"by":"eve"'), *lines[3:]]))
        told = subprocess.run([env("KUBECTL_EDGETRUST"), "report", "-n", self.namespace, "--log", str(forged)], capture_output=True, text=True, check=False)
        self.assertEqual(told.returncode, 1)
        self.assertIn("line 3: its hash is that of another text", told.stderr)
        first_part, rest = self.folder / "first.log", self.folder / "rest.log"
        first_part.write_text("".join(lines[:4]))
        rest.write_text("".join(lines[4:]))
        parts = subprocess.run([env("KUBECTL_EDGETRUST"), "report", "-n", self.namespace, "--log", str(first_part), "--log", str(rest), "-o", "csv"], capture_output=True, text=True, check=True)
        self.assertEqual(parts.stdout, report.stdout)


class Unattended(AuditTest):
    """Nobody approves, and one rollback halts the policy."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"haltAfterRollbacks": 1}}

    def test_an_adoption_and_a_halt_are_on_record(self) -> None:
        edge = self.new_edge()
        serial = self.wait_phase(edge.name, "Ready", 1)["serialNumber"]
        wait_for("the finalizer goes", lambda: not self.certificate(edge.name)["metadata"].get("finalizers"))
        self.kube.delete("EdgeCertificate", self.namespace, edge.name)
        wait_for("it is gone", lambda: self.kube.find("EdgeCertificate", self.namespace, edge.name) is None)
        self.make_certificate(edge)
        self.wait_phase(edge.name, "Ready", 1)
        adopted = self.wait_for_actions("EdgeCertificate", "Plan", "Push", "Prove", "Adopt")[3]
        self.assertEqual((adopted["edge"], adopted["revision"], adopted["newSerial"]), (edge.name, 1, serial))

        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        self.wait_phase(edge.name, "RolledBack", 1)
        (halt,) = self.wait_for_actions("RotationPolicy", "Halt")
        self.assertEqual((halt["namespace"], halt["name"]), (self.namespace, "default"))
        self.kube.patch("RotationPolicy", self.namespace, "default", {"metadata": {"annotations": {"edgetrust.io/resume-requested-at": "now"}}})
        self.wait_for_actions("RotationPolicy", "Halt", "Resume")
        self.assert_one_whole_chain(self.records())


@needs_machines
class Pins(AuditTest, PinTest):
    def test_a_change_of_pins_and_an_override_are_on_record(self) -> None:
        self.add_machine()
        self.pin()
        self.wait_state("Matched")
        pushed = self.wait_for_actions("Edge", "PushPins", "ProvePins")[0]
        self.assertEqual((pushed["edge"], pushed["name"]), ("edge01", "edge01"))
        self.change(emergencyOverride={"disablePinning": True, "until": ahead(hours=1), "reason": "INC0042"})
        (override,) = self.wait_for_actions("PinPolicy", "Override")
        self.assertEqual((override["namespace"], override["name"]), (self.namespace, "cloud"))
        self.assertIn("INC0042", override["message"])
        self.wait_for_actions("Edge", "PushPins", "ProvePins", "PushPins", "ProvePins")
        self.change(emergencyOverride=None)
        self.wait_for_actions("PinPolicy", "Override", "EndOverride")
        self.wait_for_actions("Edge", *3 * ("PushPins", "ProvePins"))
        self.assert_one_whole_chain(self.records())


class SharedFile(TwoOperators, AuditTest):
    """One file for both, as on a volume that both pods mount."""


class Failover(SharedFile):
    def test_the_chain_goes_on_with_the_standby_and_the_sink_misses_nothing(self) -> None:
        self.sink.takes = True
        edge = self.new_edge()
        self.approve(edge.name, 1)
        self.wait_phase(edge.name, "Ready", 1)
        self.wait_until_all_is_taken(self.wait_for_records(4))
        self.assertNotIn("\nedgetrust_audit_sink_backlog ", self.other.metrics(), "who stands by hands nothing over")
        self.sink.takes = False
        self.renew(edge.name)
        self.wait_phase(edge.name, "AwaitingApproval")
        self.wait_for_records(5)
        self.operator.kill()
        self.other.wait_says("leading")
        self.approve(edge.name, 2)
        self.wait_phase(edge.name, "Ready", 2)
        records = self.wait_for_records(8)
        self.assertEqual([(r["action"], r["revision"], r["operator"]) for r in records[4:]], [("Plan", 2, "operator"), ("Approve", 2, "other"), ("Push", 2, "other"), ("Prove", 2, "other")])
        self.assert_one_whole_chain(records)
        self.sink.takes = True
        self.wait_until_all_is_taken(records)
        report = subprocess.run([env("KUBECTL_EDGETRUST"), "report", "-n", self.namespace, "--log", str(self.log_file)], capture_output=True, text=True, check=True)
        self.assertEqual(report.stderr, "")


class Frozen(SharedFile):
    def test_a_leader_that_stands_still_keeps_nobody_from_taking_over(self) -> None:
        assert self.operator.process is not None
        self.operator.process.send_signal(signal.SIGSTOP)
        self.other.wait_says("leading")
        self.sink.takes = True
        edge = self.new_edge()
        self.approve(edge.name, 1)
        self.wait_phase(edge.name, "Ready", 1)
        self.operator.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.operator.process.wait(60), 1)
        self.operator.process = None  # its exit status is as it should be
        records = self.wait_for_records(4)
        self.assertEqual({r["operator"] for r in records}, {"other"})
        self.assert_one_whole_chain(records)
        self.wait_until_all_is_taken(records)


class NotKept(SharedFile):
    def test_who_cannot_keep_an_audit_does_not_lead(self) -> None:
        assert self.other.process is not None
        self.operator.kill()
        self.log_file.write_text("something else\n")
        self.new_edge()
        self.assertEqual(self.other.process.wait(60), 1)
        (ended,) = [line for line in self.other.lines() if line["msg"] == "ended"]
        self.assertIn("it holds something else than records", ended["error"]["message"])
        self.assertFalse(self.kube.get("Lease", self.namespace, "edgetrust")["spec"].get("holderIdentity"), "it is given up")
        self.assertFalse([line for line in self.other.lines() if line["msg"] == "pass"])
        self.assertEqual(self.log_file.read_text(), "something else\n")


class Refused(OperatorTest):
    start_operator = False

    def test_an_audit_that_cannot_be_kept_is_no_start(self) -> None:
        other = self.folder / "other"
        other.write_text("something else\n")
        for arguments, why in (
            (["--audit-log", str(other)], "it holds something else than records"),
            (["--audit-log", "-", "--audit-sink", "https://127.0.0.1:1/", "--audit-sink-key-file", str(other)], "needs a file"),
            (["--audit-log", str(self.folder / "a"), "--audit-sink", "http://127.0.0.1:1/", "--audit-sink-key-file", str(other)], "must be https"),
            (["--audit-sink", "https://127.0.0.1:1/"], "--audit-log"),
        ):
            command = [env("EDGETRUST"), "--kubeconfig", self.operator.kubeconfig, "--namespaces", self.namespace, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)
