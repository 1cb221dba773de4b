"""A real Prometheus and a real Alertmanager on the operator: a rollback pages and the page ends, and the dashboards show what happens meanwhile."""

import json
import re
import sys
import time
import unittest
from typing import Any

from monitoring import ROOT, RUNBOOKS, Monitoring  # puts the operator's harness on the path

from health import judged
from harness import ALWAYS_OPEN, LITERAL, PATIENT, Operator, env, wait_for
from test_limits import LimitedTest

sys.path.append(str(ROOT / "charts"))
from dashboards import DASHBOARDS  # noqa: E402


# What a PinPolicy that enforces has, on Edges whose machine is reached, and nobody else: no sample here.
OF_ENFORCE = {
    "edgetrust_edge_clock_in_sync",
    "edgetrust_edge_clock_offset_seconds",
    "edgetrust_edge_pin_state",
    "edgetrust_edge_pins_enforced",
    "edgetrust_pin_policy_intercepted",
    "edgetrust_pin_policy_override_active",
}
OF_A_SINK = {"edgetrust_audit_sink_backlog"}


class Monitored(LimitedTest):
    """Behind a CA that can be made to refuse; one rollback halts the policy."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"haltAfterRollbacks": 1}}
    connection = {"discovery": {"mode": "Report"}}
    start_operator = False

    def setUp(self) -> None:
        super().setUp()
        self.edge = self.new_edge()  # before the operator lists those that Genesys has
        # As by default: one works, the other stands by.
        elect = ("--leader-elect", "--leader-elect-namespace", self.namespace)
        kubeconfig = self.operator.kubeconfig
        self.operator, self.standby = (Operator(self.namespace, self.folder, kubeconfig, *elect, log=f"{name}.log") for name in ("operator", "standby"))
        self.addCleanup(self.standby.kill)
        self.operator.start()
        wait_for("it leads", lambda: "edgetrust_leader 1" in self.operator.metrics().splitlines())
        self.standby.start()
        self.monitoring = Monitoring(self.folder, self.operator.port(), self.standby.port())
        self.addCleanup(self.monitoring.close)

    def arrives(self, alert: str, **labels: str) -> Any:
        """At Alertmanager, and from there at the pager."""
        found = wait_for(f"{alert} arrives", lambda: self.monitoring.alert(alertname=alert, **labels), 60)
        wait_for(f"{alert} pages", lambda: self.monitoring.pager.heard("firing", alertname=alert, **labels), 20)
        return found

    def ends(self, alert: str, **labels: str) -> None:
        wait_for(f"the page of {alert} ends", lambda: self.monitoring.pager.heard("resolved", alertname=alert, **labels), 60)
        self.assertIsNone(self.monitoring.alert(alertname=alert, **labels))

    def is_rolled_back(self) -> None:
        edge = self.edge
        self.wait_phase(edge.name, "Ready", 1)
        self.wait_condition("Edge", edge.name, "SipHealthy", "True")
        # The simulator has Edges of other tests, which nobody manages here.
        wait_for("a fleet that is well pages nobody", lambda: self.monitoring.firing() <= {"EdgetrustUnmanagedEdges"} and self.monitoring.query("edgetrust_leader == 1"), 90)
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"observe": LITERAL}})
        self.sim.slow_status(edge, 2.5)
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        self.wait_phase(edge.name, "RolledBack", 1)

    def waits_for_a_window(self) -> str:
        freeze = {"name": "until-tomorrow", "from": "2026-01-01T00:00:00Z", "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))}
        self.make("RotationPolicy", "frozen", self.policy | {"freezes": [freeze]})
        edge = self.sim.add_edges(1)[0]
        self.make_edge(edge)
        self.make_certificate(edge, policyRef={"name": "frozen"})
        wait_for("it waits for the end of the freeze", lambda: self.status(edge.name).get("nextWindow"), 90)
        return edge.name

    def looks_at_pins(self) -> None:
        host, port = env("STACK_CLOUD_ADDR").split(":")
        self.secret("cloud-roots", {"ca.crt": self.sim.call("GET", "/sim/v1/cloud")["caPem"]})
        self.make("PinPolicy", "cloud", {"endpoint": {"host": host, "port": int(port), "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}}, "edgeSelector": {}})
        wait_for("its Edges are counted", lambda: "summary" in self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}))

    def is_limited(self) -> None:
        self.ca.closed_for = 30
        edge = self.sim.add_edges(1)[0]
        self.make_edge(edge)
        self.make_certificate(edge)

    def test_a_rollback_pages_until_it_is_mended_and_the_dashboards_show_it(self) -> None:
        self.is_rolled_back()
        edge = self.edge
        certificate = {"namespace": self.namespace, "name": edge.name, "phase": "RolledBack"}
        policy = {"namespace": self.namespace, "name": "default"}
        halted = self.arrives("EdgetrustPolicyHalted", **policy)
        self.assertEqual(halted["labels"]["severity"], "critical")
        self.assertIn(f"RotationPolicy {self.namespace}/default starts nothing more", halted["annotations"]["description"])
        self.assertEqual(halted["annotations"]["runbook_url"], f"{RUNBOOKS}#edgetrustpolicyhalted")
        self.assertEqual(judged([self.kube.get("RotationPolicy", self.namespace, "default")]), ["Failed"], "GitOps tools see it too")
        self.assertEqual(self.arrives("EdgetrustCertificateStopped", **certificate)["labels"]["severity"], "warning")
        self.assertTrue(self.monitoring.pager.heard("firing", alertname="EdgetrustRollback", job="edgetrust", result="rolled_back", severity="warning"))

        waiting = self.waits_for_a_window()
        self.looks_at_pins()
        self.is_limited()
        self.arrives("EdgetrustIssuerLimited", namespace=self.namespace, name="pebble")
        self.the_dashboards_show(edge.name, waiting)

        self.sim.patch(edge, onApply="ok")
        self.sim.slow_status(edge, 0)
        self.ca.closed_for = 0
        self.kube.patch("RotationPolicy", self.namespace, "default", {"metadata": {"annotations": {"edgetrust.io/resume-requested-at": "now"}}, "spec": {"observe": PATIENT}})
        self.renew(edge.name)
        self.wait_phase(edge.name, "Ready", 3, 150)
        self.ends("EdgetrustPolicyHalted", **policy)
        self.ends("EdgetrustCertificateStopped", **certificate)
        self.ends("EdgetrustIssuerLimited", namespace=self.namespace, name="pebble")
        self.ends("EdgetrustRollback", result="rolled_back")
        self.nothing_waits_where_nobody_works()

    def nothing_waits_where_nobody_works(self) -> None:
        of_standby = f'{{instance="127.0.0.1:{self.standby.port()}"}}'
        self.assertEqual([sample["value"][1] for sample in self.monitoring.query(f"max_over_time(edgetrust_leader{of_standby}[10m])")], ["0"])
        for metric in ("edgetrust_queue_depth", "edgetrust_queue_oldest_seconds"):
            longest = self.monitoring.query(f"max_over_time({metric}{of_standby}[10m])")
            self.assertEqual({sample["metric"]["queue"]: sample["value"][1] for sample in longest}, {"certificates": "0", "pins": "0", "others": "0"}, metric)

    # --- the dashboards

    def asked(self, text: str, edge: str) -> str:
        """A query as Grafana would send it."""
        for name, value in {"namespace": self.namespace, "certificate": edge, "edge": edge, "client": ".*", "__rate_interval": "30s", "__range": "5m"}.items():
            text = re.sub(rf"\${name}\b", value, text)
        self.assertNotIn("$", text)
        return text

    def the_dashboards_show(self, *edges: str) -> None:
        """Each panel has something to show for one of these."""
        known = self.monitoring.values_of("__name__")
        program = (ROOT / "controller" / "telemetry" / "src" / "metrics.cpp").read_text()
        for metric in OF_ENFORCE | OF_A_SINK:
            self.assertIn(f'"{metric}"', program)
        for dashboard in DASHBOARDS:
            stored = json.loads((ROOT / "charts" / "edgetrust" / "files" / "dashboards" / f"{dashboard.name}.json").read_text())
            for variable in stored["templating"]["list"]:
                if variable["type"] == "query":
                    with self.subTest(dashboard.name, variable=variable["name"]):
                        self.offers(variable["query"]["query"], edges[0])
            for panel in stored["panels"]:
                with self.subTest(dashboard.name, panel=panel["title"]):
                    queries = [self.asked(target["expr"], edge) for target in panel["targets"] for edge in edges]
                    for metric in re.findall(r"\b(?:edgetrust_\w+|ALERTS)", " ".join(queries)):
                        self.assertIn(metric, known | OF_ENFORCE | OF_A_SINK)
                    # Not each, for some count what did not happen here; a query that Prometheus cannot read ends the test.
                    shown = [bool(self.monitoring.query(query)) for query in queries]
                    self.assertTrue(any(shown), queries)

    def offers(self, query: str, edge: str) -> None:
        """A variable has something to choose."""
        found = re.fullmatch(r"label_values\((\S+?), (\w+)\)", self.asked(query, edge))
        assert found is not None, query
        self.assertTrue(self.monitoring.values_of(found.group(2), found.group(1)))


if __name__ == "__main__":
    unittest.main()
