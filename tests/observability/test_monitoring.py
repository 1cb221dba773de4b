"""A real Prometheus and a real Alertmanager on the operator: a rollback pages and the page ends, and the dashboards show what happens meanwhile."""

import json
import re
import sys
import unittest
from typing import Any

from monitoring import ROOT, RUNBOOKS, Monitoring  # puts the operator's harness on the path

from audit_sink import AuditSink
from edge_machine import WHY_NOT
from health import judged
from harness import ALWAYS_OPEN, LITERAL, PATIENT, Operator, env, wait_for
from pin_harness import PinTest, ahead
from simulator import leaf_of
from test_ari import set_renewal_info
from test_limits import LimitedTest

sys.path.append(str(ROOT / "charts"))
from dashboards import DASHBOARDS  # noqa: E402


# What is known of an Edge by its machine: no sample where there can be none.
OF_A_MACHINE = {"edgetrust_edge_clock_in_sync", "edgetrust_edge_clock_offset_seconds", "edgetrust_edge_pin_state", "edgetrust_edge_pins_enforced"} if WHY_NOT else set()

# Silent where nothing went wrong in the last half minute.
OF_TROUBLE = {"edgetrust_watch_restarts_total", "edgetrust_audit_sink_failures_total"}


class Monitored(LimitedTest, PinTest):
    """Behind a CA that can be made to refuse, with a sink of audit records; one rollback halts the policy."""

    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "budget": {"haltAfterRollbacks": 1}}
    connection = {"discovery": {"mode": "Report"}}
    start_operator = False

    def setUp(self) -> None:
        super().setUp()
        self.edge = self.new_edge()  # before the operator lists those that Genesys has
        # As by default: one works, the other stands by.
        arguments = ("--leader-elect", "--leader-elect-namespace", self.namespace, *self.audited())
        kubeconfig = self.operator.kubeconfig
        self.operator, self.standby = (Operator(self.namespace, self.folder, kubeconfig, *arguments, log=f"{name}.log") for name in ("operator", "standby"))
        self.addCleanup(self.standby.kill)
        self.operator.start()
        wait_for("it leads", lambda: "edgetrust_leader 1" in self.operator.metrics().splitlines())
        self.standby.start()
        self.monitoring = Monitoring(self.folder, self.operator.port(), self.standby.port())
        self.addCleanup(self.monitoring.close)

    def audited(self) -> tuple[str, ...]:
        key = self.folder / "audit-key"
        key.write_text("a key that both sides know")
        self.sink = AuditSink(key.read_text())
        self.addCleanup(self.sink.close)
        self.sink.takes = True
        return ("--audit-log", str(self.folder / "audit.log"), "--audit-sink", self.sink.url, "--audit-sink-key-file", str(key), "--audit-sink-ca-file", env("STACK_GENESYS_CA_FILE"))

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
        self.has_pins()  # a policy that is halted changes none
        self.kube.patch("RotationPolicy", self.namespace, "default", {"spec": {"observe": LITERAL}})
        self.sim.slow_status(edge, 2.5)
        self.sim.patch(edge, onApply="sip-down")
        self.renew(edge.name)
        self.wait_phase(edge.name, "RolledBack", 1)

    # --- what the dashboards count

    def frozen(self, until: str) -> dict[str, Any]:
        return {"freezes": [{"name": "no-changes", "from": "2026-01-01T00:00:00Z", "to": until}]}

    def waits_for_a_window(self) -> str:
        self.make("RotationPolicy", "frozen", self.policy | self.frozen(ahead(days=1)))
        edge = self.new_edge(policyRef={"name": "frozen"})
        wait_for("it waits for the end of the freeze", lambda: self.status(edge.name).get("nextWindow"), 90)
        return edge.name

    def is_due_and_infeasible(self) -> None:
        """Its CA would have it renewed by now, and no start is left before it expires."""
        self.make("RotationPolicy", "closed", self.policy | {"approval": {"required": True}})
        edge = self.new_edge(policyRef={"name": "closed"})
        self.wait_phase(edge.name, "AwaitingApproval")
        set_renewal_info(leaf_of(self.kube.get("Secret", self.namespace, f"{edge.name}-r1")), -7200, -3600)
        self.annotate(edge.name, "approve", json.dumps({"revision": 1}))
        wait_for("it is live", lambda: self.status(edge.name).get("revision") == 1, 90)
        self.kube.patch("RotationPolicy", self.namespace, "closed", {"spec": self.frozen("2099-01-01T00:00:00Z")})
        self.wait_condition("EdgeCertificate", edge.name, "Infeasible", "True")

    def is_not_well(self) -> str:
        edge = self.sim.add_edges(1)[0]
        self.sim.patch(edge, online=False, sip="DOWN")
        return self.make_edge(edge)

    def has_pins(self) -> None:
        """On a machine, where there can be one."""
        if not WHY_NOT:
            self.machine = self.add_machine()
            self.kube.patch("Edge", self.namespace, "edge01", {"metadata": {"labels": {"pins": "yes"}}})
        self.pin(edgeSelector={"matchLabels": {"pins": "yes"}}, emergencyOverride={"disablePinning": False, "until": ahead(hours=1), "reason": "not needed yet"})
        wait_for("its Edges are counted", lambda: "summary" in self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}))
        if not WHY_NOT:
            self.wait_state("Matched")

    def has_a_wrong_clock(self) -> None:
        if not WHY_NOT:
            self.machine.clock(3600.0)
            self.look()
            self.wait_condition("Edge", "edge01", "ClockInSync", "False")

    def is_limited(self) -> None:
        self.ca.closed_for = 30
        self.new_edge()

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

        self.sink.takes = False
        offline = self.is_not_well()
        waiting = self.waits_for_a_window()
        self.is_due_and_infeasible()
        self.has_a_wrong_clock()
        for condition in ("Online", "SipHealthy"):
            self.wait_condition("Edge", offline, condition, "False", 150)  # a listing of before may be looked at first
        self.is_limited()
        self.arrives("EdgetrustIssuerLimited", namespace=self.namespace, name="pebble")
        self.the_dashboards_show(edge.name, waiting, "edge01")

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
        """Each query has something to show for one of these."""
        known = self.monitoring.values_of("__name__")
        program = (ROOT / "controller" / "telemetry" / "src" / "metrics.cpp").read_text()
        for metric in OF_A_MACHINE:
            self.assertIn(f'"{metric}"', program)
        for dashboard in DASHBOARDS:
            stored = json.loads((ROOT / "charts" / "edgetrust" / "files" / "dashboards" / f"{dashboard.name}.json").read_text())
            for variable in stored["templating"]["list"]:
                if variable["type"] == "query":
                    with self.subTest(dashboard.name, variable=variable["name"]):
                        self.offers(variable["query"]["query"], edges[0])
            for panel in stored["panels"]:
                for target in panel["targets"]:
                    with self.subTest(dashboard.name, panel=panel["title"], query=target["expr"]):
                        queries = [self.asked(target["expr"], edge) for edge in edges]
                        metrics = set(re.findall(r"\b(?:edgetrust_\w+|ALERTS)", queries[0]))
                        self.assertLessEqual(metrics, known | OF_A_MACHINE)
                        shown = [self.monitoring.query(query) for query in queries]  # one that Prometheus cannot read fails
                        self.assertTrue(any(shown) or metrics & (OF_A_MACHINE | OF_TROUBLE))
                        if target["expr"].endswith(" or vector(0)"):
                            self.counts(panel["title"], target["legendFormat"], queries[0])

    def counts(self, panel: str, of: str, query: str) -> None:
        """As many as there are; a query that finds nothing says 0, so there has to be one."""

        def compared() -> tuple[int, int]:
            return int(self.monitoring.query(query)[0]["value"][1]), self.there_are(panel, of)

        def is_right() -> bool:
            shown, there = compared()
            return shown == there and (there > 0 or bool(WHY_NOT))

        try:
            wait_for(f"{panel} is right", is_right, 20)
        except AssertionError as error:
            raise AssertionError(f"{error}: {compared()}") from None

    def there_are(self, panel: str, of: str) -> int:
        """How many objects are what the panel counts, as their statuses say."""
        certificates, edges, policies = (self.kube.list(kind, self.namespace) for kind in ("EdgeCertificate", "Edge", "RotationPolicy"))

        def said(things: list[Any], condition: str, status: str) -> int:
            return sum(self.condition(thing, condition).get("status") == status for thing in things)

        return {
            "EdgeCertificates": len(certificates),
            "Not ready": len(certificates) - said(certificates, "Ready", "True"),
            "Infeasible": said(certificates, "Infeasible", "True"),
            "Halted policies": said(policies, "Halted", "True"),
            "Edges that are not well": said(edges, "Online" if of == "offline" else "SipHealthy", "False"),
            "Edges by their pins": sum(edge.get("status", {}).get("pins", {}).get("enforced", False) for edge in edges),
            "Clocks": said(edges, "ClockInSync", "False"),
            "Certificates that are due": sum(certificate.get("status", {}).get("renewalTime", "9") < ahead() for certificate in certificates),
        }[panel]

    def offers(self, query: str, edge: str) -> None:
        """A variable has something to choose."""
        found = re.fullmatch(r"label_values\((\S+?), (\w+)\)", self.asked(query, edge))
        assert found is not None, query
        self.assertTrue(self.monitoring.values_of(found.group(2), found.group(1)))


if __name__ == "__main__":
    unittest.main()
