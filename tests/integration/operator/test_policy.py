"""What a RotationPolicy makes a stored certificate wait for, and that it goes on by itself when that is over."""

import json
from datetime import UTC, datetime, timedelta

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, wait_for


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Frozen(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "freezes": [{"name": "black-friday", "from": in_hours(-1), "to": in_hours(48), "reason": "CHG0041"}]}

    def test_nothing_is_pushed_until_the_freeze_is_lifted(self) -> None:
        edge = self.new_edge()
        status = self.wait_phase(edge.name, "Waiting")
        certificate = wait_for("the freeze is said", lambda: self.condition(c := self.certificate(edge.name), "Ready").get("reason") == "Frozen" and c)
        self.assertIn("freeze black-friday (CHG0041) lasts until", self.condition(certificate, "Ready")["message"])
        self.assertEqual(self.condition(certificate, "Issued")["status"], "True", "the certificate is there in time")
        self.wait_condition("RotationPolicy", "default", "Frozen", "True")
        self.assertEqual(self.kube.get("RotationPolicy", self.namespace, "default")["status"]["state"], "Frozen")
        self.annotate(edge.name, "rotate-requested-at", "now")
        wait_for("the request is looked at", lambda: any(line.get("rule") == "revision_delivered" for line in self.operator.lines()))
        self.assertEqual(self.sim.uploads(edge), [], "no annotation breaks a freeze")
        self.assertNotIn("delivery", status)
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"freezes": None}})
        self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual(len(self.sim.uploads(edge)), 1)
        wait_for("the policy is open", lambda: self.kube.get("RotationPolicy", self.namespace, "default")["status"]["state"] == "Open")


class Approved(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "approval": {"required": True}}

    def test_each_revision_needs_an_approval_of_its_own(self) -> None:
        edge = self.new_edge()
        reason = lambda: self.condition(self.certificate(edge.name), "Ready").get("reason")
        self.wait_phase(edge.name, "AwaitingApproval")
        self.annotate(edge.name, "approve", "yes please")
        wait_for("the annotation is refused", lambda: reason() == "ApprovalInvalid")
        self.annotate(edge.name, "approve", json.dumps({"revision": 7}))
        wait_for("an approval of another revision is void", lambda: reason() == "ApprovalVoid")
        self.assertEqual(self.sim.uploads(edge), [])
        self.annotate(edge.name, "approve", json.dumps({"revision": 1, "change": "CHG0045123", "by": "ada"}))
        status = self.wait_phase(edge.name, "Ready", 1)
        self.assertEqual((status["history"][0]["change"], status["history"][0]["approvedBy"]), ("CHG0045123", "ada"))
        self.renew(edge.name)
        self.wait_phase(edge.name, "AwaitingApproval")
        self.assertEqual(reason(), "ApprovalVoid", "the first approval is not for the second revision")
        self.assertEqual(self.condition(self.certificate(edge.name), "Ready")["status"], "True", "a good certificate is live")
        self.assertEqual(len(self.sim.uploads(edge)), 1)
        self.annotate(edge.name, "approve", json.dumps({"revision": 2}))
        status = self.wait_phase(edge.name, "Ready", 2)
        self.assertEqual(len(self.sim.uploads(edge)), 2)
        self.assertIn("Approved", {event["reason"] for event in self.kube.events(self.namespace)})
