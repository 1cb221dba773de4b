"""`edgetrust plan`: what will happen, told by the rules that act, without touching anything."""

from __future__ import annotations

import json
import subprocess
import unittest
from datetime import datetime, timedelta
from typing import Any

from harness import OperatorTest, env, wait_for


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Plan(OperatorTest):
    def plan(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """With the rights of the operator's own service account."""
        command = [env("EDGETRUST"), "plan", "--kubeconfig", self.operator.kubeconfig, "--namespaces", self.namespace, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def told(self, *arguments: str) -> Any:
        done = self.plan("-o", "json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "", "nothing but the plan")
        return json.loads(done.stdout)

    def versions(self) -> dict[str, str]:
        kinds = ("EdgeCertificate", "Edge", "AcmeIssuer", "GenesysConnection", "RotationPolicy", "Secret", "Lease")
        return {f"{kind}/{item['metadata']['name']}": item["metadata"]["resourceVersion"] for kind in kinds for item in self.kube.list(kind, self.namespace)}

    def test_a_plan_says_what_comes_and_changes_nothing(self) -> None:
        quiet, suspended = self.sim.add_edges(2)
        for appliance in (quiet, suspended):
            self.make_edge(appliance, site="dublin")
        self.make_certificate(quiet)
        self.make_certificate(suspended, suspend=True)
        wait_for("one is Ready", lambda: self.status(quiet.name).get("phase") == "Ready")
        wait_for("the other says that it is suspended", lambda: self.status(suspended.name).get("phase"))
        self.operator.stop()
        before = self.versions()
        uploads = len(self.sim.uploads(quiet))

        status = self.status(quiet.name)
        plan = self.told("--until", status["notAfter"])
        [rotation] = [r for r in plan["rotations"] if r["revision"] == 2]
        self.assertEqual((rotation["certificate"], rotation["site"], rotation["policy"]), (quiet.name, "dublin", "default"))
        late = moment(rotation["starts"]) - moment(status["renewalTime"])
        self.assertTrue(timedelta(0) <= late <= timedelta(hours=1), f"{late} after it is due, with a window that is always open")
        self.assertEqual([u["certificate"] for u in plan["unfinished"]], [suspended.name])
        self.assertEqual(plan["unfinished"][0]["reason"], "Suspended")
        self.assertEqual(plan["expiries"], [])

        self.assertEqual(self.told("--until", "1h")["rotations"], [], "it is not due in an hour")
        self.assertEqual(self.versions(), before, "nothing was written")
        self.assertEqual(len(self.sim.uploads(quiet)), uploads)
        self.operator.start()  # so that what is public is looked at in the end
        wait_for("it is up again", lambda: sum(line.get("msg") == "started" for line in self.operator.lines()) == 2)

    def test_it_is_printed_for_people_and_for_calendars(self) -> None:
        [appliance] = self.sim.add_edges(1)
        self.make_edge(appliance)
        self.make_certificate(appliance)
        wait_for("it is Ready", lambda: self.status(appliance.name).get("phase") == "Ready")
        table = self.plan("--until", "90d")
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertIn("ROTATIONS\nSTART (UTC)", table.stdout)
        self.assertIn(f"{self.namespace}/{appliance.name}", table.stdout)
        calendar = self.plan("--until", "90d", "-o", "ics")
        self.assertTrue(calendar.stdout.startswith("BEGIN:VCALENDAR"), calendar.stdout)
        self.assertIn("BEGIN:VEVENT", calendar.stdout)

        wrong = self.plan("--until", "soon")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn('"soon" is no time to come: write 30d', wrong.stderr)
        self.assertEqual(wrong.stdout, "")


if __name__ == "__main__":
    unittest.main()
