"""A PinPolicy that only reports, on the simulator's cloud endpoint while its certificate changes."""

import os
import subprocess
from typing import Any

from harness import OperatorTest, env, wait_for


class ReportOnly(OperatorTest):
    """One test, for the endpoint is everybody's."""

    def cloud(self) -> Any:
        return self.sim.call("GET", "/sim/v1/cloud")

    def rotate(self, **how: bool) -> None:
        self.sim.call("POST", "/sim/v1/cloud/rotate", how)

    def policy_now(self) -> Any:
        return self.kube.get("PinPolicy", self.namespace, "cloud")

    def change(self, **spec: Any) -> Any:
        """Another spec is looked at at once; the policy as it was found by that look."""
        generation = self.kube.patch("PinPolicy", self.namespace, "cloud", {"spec": spec})["metadata"]["generation"]
        return wait_for("the policy is looked at", lambda: (p := self.policy_now())["status"]["observedGeneration"] == generation and p)

    def said(self, policy: Any, kind: str) -> tuple[str, str]:
        condition = self.condition(policy, kind)
        return condition["status"], condition["reason"]

    def test_it_says_what_is_presented_announced_and_changed(self) -> None:
        host, port = env("STACK_CLOUD_ADDR").split(":")
        first = self.cloud()["fingerprint"]
        roots = self.folder / "cloud-roots.pem"
        roots.write_text(self.cloud()["caPem"])
        self.secret("cloud-roots", {"ca.crt": roots.read_text()})
        self.make_edge(self.sim.add_edges(1)[0], "edge01")
        self.make(
            "PinPolicy",
            "cloud",
            {
                "endpoint": {"host": host, "port": int(port), "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}},
                "edges": ["edge01"],
                "pins": {"static": [first]},
                "rotation": {"overlap": "1h"},
            },
        )
        policy = wait_for("it is ready", lambda: self.condition(p := self.policy_now(), "Ready").get("status") == "True" and p)
        self.assertEqual(self.said(policy, "PinsCurrent"), ("True", "Matched"))
        self.assertEqual(self.said(policy, "HandshakeValid"), ("True", "Validated"))
        self.assertEqual(policy["status"]["observed"][0]["fingerprint"], first)
        wait_for("the Edge is counted", lambda: self.policy_now()["status"]["matchedOfTotal"] == "0/1")

        self.rotate(notify=True)
        policy = self.change(rotation={"overlap": "2h"})
        announced = self.cloud()["nextFingerprint"]
        self.assertEqual([pin["fingerprint"] for pin in policy["status"]["next"]], [announced])
        self.assertEqual(policy["status"]["pins"], "2, 1 next")

        self.rotate()
        policy = self.change(rotation={"overlap": "3h"})
        self.assertEqual(policy["status"]["observed"][0]["fingerprint"], announced)
        self.assertEqual(self.said(policy, "PinsCurrent"), ("True", "Matched"), "it was accepted ahead")
        self.assertEqual({pin["origin"] for pin in policy["status"]["current"]}, {"Status"})

        self.rotate()
        policy = self.change(rotation={"overlap": "4h"})
        unannounced = self.cloud()["fingerprint"]
        self.assertEqual(self.said(policy, "PinsCurrent"), ("False", "Unconfirmed"))
        self.assertEqual(self.said(policy, "HandshakeValid"), ("True", "Validated"))
        self.assertIn(unannounced, self.condition(policy, "Ready")["message"])
        wait_for("it is an Event", lambda: "Unconfirmed" in {event["reason"] for event in self.kube.events(self.namespace)})
        wait_for("it is a metric", lambda: 'edgetrust_pin_policy_current{name="cloud",namespace="%s"} 0' % self.namespace in self.operator.metrics())

        # What a person does then: look from elsewhere, compare, declare.
        shown = subprocess.run(
            [env("EDGETRUST"), "pin", "show", f"{host}:{port}", "--ca-file", str(roots)], capture_output=True, text=True, check=True, env={**os.environ, "KUBECONFIG": "/nowhere"}
        ).stdout
        self.assertIn(f"Certificate  {unannounced}", shown)
        policy = self.change(pins={"static": [first, unannounced]})
        self.assertEqual(self.said(policy, "Ready"), ("True", "Ready"))

        refused = subprocess.run([env("EDGETRUST"), "pin", "show", f"{host}:{port}"], capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 1, "by the public roots it does not validate")
        self.assertIn("nothing of it should be pinned", refused.stdout)

        policy = self.change(trustedIntermediaries=[{"name": "proxy", "caRef": {"name": "cloud-roots", "key": "ca.crt"}, "until": "2099-01-01T00:00:00Z"}])
        self.assertEqual(self.said(policy, "Ready"), ("True", "Ready"))
        self.assertNotIn("pins", self.kube.get("Edge", self.namespace, "edge01").get("status", {}), "nothing is written to an Edge")
