"""One rotation, cut by a SIGKILL and gone on with by another process, is found by one id: in the log, the Events, the audit trail and what the plugin prints."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for

TRACE = "edgetrust.io/trace-id"


class Trace(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT | {"settle": "10s"}}

    def setUp(self) -> None:
        super().setUp()
        self.operator.stop()
        self.audit = self.folder / "audit.log"
        self.operator.more = (*self.operator.more, "--audit-log", str(self.audit))
        self.operator.start()

    def id_of(self, name: str, revision: int) -> str:
        uid = self.certificate(name)["metadata"]["uid"]
        return hashlib.sha256(f"{uid}\0{revision}".encode()).hexdigest()[:32]

    def plugin(self, *arguments: str) -> str:
        done = subprocess.run([env("KUBECTL_EDGETRUST"), "-n", self.namespace, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.audit.read_text().splitlines()]

    def lines_of(self, trace: str) -> list[dict[str, Any]]:
        return [line for line in self.operator.lines() if line.get("trace_id") == trace]

    def events_of(self, trace: str) -> list[dict[str, Any]]:
        return [event for event in self.kube.events(self.namespace) if event["metadata"].get("annotations", {}).get(TRACE) == trace]

    def test_a_rotation_is_followed_by_one_id_over_a_crash(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        first, second = self.id_of(edge.name, 1), self.id_of(edge.name, 2)
        self.assertEqual(self.lines_of(second), [], "nobody speaks of what has not begun")
        self.renew(edge.name)
        self.wait_phase(edge.name, "Observing")
        # What is said in the last moment before a crash may be lost.
        wait_for("what was said is sent", lambda: {line["reason"] for line in self.lines_of(second) if line["msg"] == "event"} <= {e["reason"] for e in self.events_of(second)})
        self.operator.kill()
        before = len(self.lines_of(second))
        self.operator.start()
        self.wait_phase(edge.name, "Ready", 2)
        wait_for("the proof is on record", lambda: [r for r in self.audited() if r["action"] == "Prove" and r["revision"] == 2])

        lines = self.lines_of(second)
        self.assertGreater(before, 0)
        self.assertGreater(len(lines), before, "the next process says the same id")
        self.assertEqual({line["name"] for line in lines}, {edge.name})
        effects = {line["effect"] for line in lines if line.get("effect")}
        self.assertLessEqual({"NewOrder", "FinalizeOrder", "StoreBundle", "Push"}, effects)
        self.assertEqual({len(line["span_id"]) for line in lines}, {16})
        passes = [line["span_id"] for line in lines if line["msg"] == "pass"]
        self.assertEqual(len(set(passes)), len(passes), "each pass is a span of its own")
        of_the_object = [line for line in self.operator.lines() if line.get("kind") == "EdgeCertificate" and line.get("name") == edge.name and "rule" in line]
        self.assertLessEqual({line.get("trace_id") for line in of_the_object}, {None, first, second})

        said = {line["reason"] for line in lines if line["msg"] == "event"}
        self.assertLessEqual({"Issuing", "Delivering", "Rotated"}, said)
        wait_for("its Events are there", lambda: said <= {e["reason"] for e in self.events_of(second)})
        events = self.events_of(second)
        self.assertEqual({e["regarding"]["name"] for e in events}, {edge.name})
        keys = [(e["reason"], e["note"]) for e in events]
        self.assertEqual(len(set(keys)), len(keys), "what is said again is counted, also by the next process")

        records = [r for r in self.audited() if r.get("traceId") == second]
        self.assertEqual([(r["action"], r["revision"]) for r in records], [("Plan", 2), ("Push", 2), ("Prove", 2)])
        self.assertEqual({r["traceId"] for r in self.audited() if r["revision"] == 1}, {first})

        self.assertIn(f"Trace    {second}\n", self.plugin("status", edge.name))
        rows = list(csv.DictReader(io.StringIO(self.plugin("report", "-o", "csv"))))
        self.assertEqual({int(row["revision"]): row["traceId"] for row in rows}, {1: first, 2: second})

    def test_a_rollback_has_the_id_of_what_was_rolled_back(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        self.wait_phase(edge.name, "RolledBack", 1)
        second = self.id_of(edge.name, 2)
        wait_for("the rollback is on record", lambda: [r for r in self.audited() if r["action"] == "RolledBack"])
        self.assertEqual([r["action"] for r in self.audited() if r.get("traceId") == second], ["Plan", "Push", "RollBack", "RolledBack"])
        said = {line["reason"] for line in self.lines_of(second) if line["msg"] == "event"}
        self.assertLessEqual({"Issuing", "Delivering", "RollingBack", "RolledBack"}, said)
        self.assertIn(f"Trace    {second}\n", self.plugin("status", edge.name))


class Measured(OperatorTest):
    """What each kind of request takes is measured, and the operations page has each metric with its labels."""

    documented = re.compile(r"^\| `(edgetrust_\w+)` \| ([a-z0-9_, ]*)\|", re.M)

    def labels(self) -> dict[str, set[str]]:
        page = (Path(__file__).resolve().parents[3] / "controller" / "docs" / "operations.md").read_text()
        return {name: {label for label in labels.replace(" ", "").split(",") if label} for name, labels in self.documented.findall(page)}

    def test_requests_are_timed_by_kind_and_each_sample_has_the_labels_that_are_documented(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        text = self.operator.metrics()
        requests = set(re.findall(r'^edgetrust_api_duration_seconds_count\{client="(\w+)",code="2xx",request="([^"]+)"\}', text, re.M))
        self.assertLessEqual(
            {
                ("acme", "directory"),
                ("acme", "newNonce"),
                ("acme", "newAccount"),
                ("acme", "newOrder"),
                ("acme", "authorization"),
                ("acme", "challenge"),
                ("acme", "order"),
                ("acme", "finalize"),
                ("acme", "certificate"),
                ("genesys", "login"),
                ("genesys", "edges"),
                ("genesys", "status"),
                ("genesys", "upload"),
                ("dns", "present"),
                ("dns", "remove"),
                ("kubernetes", "get secrets"),
                ("kubernetes", "create secrets"),
                ("kubernetes", "get edgecertificates"),
                ("kubernetes", "patch edgecertificates"),
            },
            requests,
        )
        self.assertNotIn('request=""', text)
        page = (Path(__file__).resolve().parents[3] / "controller" / "docs" / "operations.md").read_text()
        for client, request in sorted(requests):
            if client != "kubernetes":
                with self.subTest(client, request=request):
                    self.assertIn(f"`{request}`", page.split("### Kinds of requests")[1].split("\n## ")[0])
        labels = self.labels()
        for name, found in re.findall(r"^(edgetrust_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? [^ ]+$", text, re.M):
            with self.subTest(name):
                self.assertIn(name, labels)
                self.assertEqual(set(re.findall(r'(\w+)="', found)) - {"le"}, labels[name])
