"""The chart's alerts, by promtool: each one fires on what it is for, and keeps still on what looks like it."""

import json
import re
import subprocess
import tempfile
import unittest
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from helm import CHART, ROOT, objects

FILE = CHART / "files" / "alerts.yaml"
DAY = 86400
NOW = 90 * 60  # when most are asked, in seconds from the first reading
OBJECT = {"namespace": "voice", "name": "edge01"}
Series = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One reading a minute, from the Unix time 0 on, in promtool's notation: `1x90` is 1 at 91 moments, `0+1x90` counts up."""

    fires: Series
    quiet: Series
    labels: dict[str, str] = field(default_factory=lambda: dict(OBJECT))
    value: str = ""  # as the description says it
    at: int = NOW


def certificate(name: str, value: str, more: str = "", instance: str = "a") -> Series:
    return {f'edgetrust_{name}{{namespace="voice",name="edge01",job="edgetrust",instance="{instance}"{more}}}': value}


def of_both(name: str, value: str, more: str = "") -> Series:
    """As both operators of a release say it: still one alert."""
    return certificate(name, value, more) | certificate(name, value, more, "b")


def leaders(*values: str, namespace: str = "voice") -> Series:
    return {f'edgetrust_leader{{namespace="{namespace}",job="edgetrust",instance="{instance}"}}': value for instance, value in zip("ab", values, strict=False)}


def of_one(instance: str, series: Series) -> Series:
    """Without what the other operator of the release says."""
    return {name: values for name, values in series.items() if f'instance="{instance}"' in name or "instance=" not in name}


def date(name: str, days: float) -> Series:
    """So many days from now."""
    return of_both(f"certificate_{name}_timestamp_seconds", f"{NOW + days * DAY:.0f}x90")


def dates(expiry: float, renewal: float) -> Series:
    return date("expiry", expiry) | date("renewal", renewal)


def passes(failed: str, done: str) -> Series:
    name = 'edgetrust_reconcile_total{job="edgetrust",kind="Edge",result='
    return {f'{name}"failed"}}': failed, f'{name}"done"}}': done}


def requests(code: str, bad: str, good: str) -> Series:
    name = 'edgetrust_api_requests_total{job="edgetrust",client="acme",verb="post",code='
    return {f'{name}"{code}"}}': bad, f'{name}"2xx"}}': good}


def rotations(result: str, value: str) -> Series:
    return {f'edgetrust_rotations_total{{job="edgetrust",result="{result}"}}': value}


def pin_state(state: str, value: str) -> Series:
    return of_both("edge_pin_state", value, f',state="{state}"')


def queue(name: str, value: str) -> Series:
    return {f'edgetrust_{name}{{job="edgetrust",queue="pins"}}': value}


def audit(name: str, value: str) -> Series:
    return {f'edgetrust_audit_{name}{{job="edgetrust",pod="{pod}"}}': value for pod in ("a", "b")}


def silence(a: str, b: str) -> Series:
    return {f'edgetrust_watch_silence_seconds{{namespace="voice",job="edgetrust",pod="{pod}"}}': value for pod, value in (("a", a), ("b", b))}


JOB = {"job": "edgetrust"}
RELEASE = {"namespace": "voice", "job": "edgetrust"}
OTHER_RELEASE = leaders("1x90", "0x90", namespace="lab")  # of the same name
PINS = {"job": "edgetrust", "queue": "pins"}
ACME = {"job": "edgetrust", "client": "acme"}
KNOWN_LAB = {f'edgetrust_connection_credentials_{name}{{namespace="lab",name="prod"}}': "1x90" for name in ("known", "valid")}
CASES: dict[str, list[Case]] = {
    "EdgetrustAbsent": [Case({}, {'edgetrust_build_info{version="1"}': "1x90"}, {})],
    "EdgetrustNoLeader": [
        Case(leaders("0x90", "0x90"), leaders("0x90", "1x90"), RELEASE),
        Case(leaders("0x90", "0x90") | OTHER_RELEASE, leaders("1x90", "0x90") | OTHER_RELEASE, RELEASE),  # the other's leads there alone
    ],
    "EdgetrustSeveralLeaders": [
        Case(leaders("1x90", "1x90"), leaders("1x45 0x45", "0x45 1x45"), RELEASE, value="2"),
        Case(leaders("1x90", "1x90") | OTHER_RELEASE, leaders("1x90", "0x90") | OTHER_RELEASE, RELEASE, value="2"),  # each has one
    ],
    "EdgetrustClusterSilent": [Case(silence("0x30 900x60", "0x90"), silence("0x30 900x4 0x55", "599x90"), RELEASE)],
    "EdgetrustCertificateExpired": [Case(dates(-1, -6), dates(1, -6))],
    "EdgetrustCertificateExpiresInDays": [
        Case(dates(2, -6), dates(3.1, -6), value="2d 0h 0m 0s"),
        Case(dates(2, -6), dates(2, 0.5), value="2d 0h 0m 0s"),  # of a short life, and not due yet
        Case(dates(2, -6), dates(-1, -6), value="2d 0h 0m 0s"),  # it has expired: another alert says so
        Case(date("expiry", 2), date("expiry", 4), value="2d 0h 0m 0s"),  # somebody else renews it, and nobody knows when
    ],
    "EdgetrustCertificateExpiresSoon": [Case(dates(9, -6), dates(15, -6), value="9d 0h 0m 0s"), Case(dates(9, -6), dates(9, 1), value="9d 0h 0m 0s")],
    "EdgetrustRenewalOverdue": [Case(dates(90, -8), dates(90, -6), value="8d 0h 0m 0s")],
    "EdgetrustCertificateNotReady": [Case(of_both("certificate_ready", "0x90"), of_both("certificate_ready", "0x40 1x10 0x40"))],
    "EdgetrustCertificateStopped": [
        Case(of_both("certificate_phase", "1x90", f',phase="{phase}"'), of_both("certificate_phase", "1x90", ',phase="Waiting"'), OBJECT | {"phase": phase})
        for phase in ("Failed", "Held", "RolledBack")
    ],
    "EdgetrustRotationStuck": [
        Case(
            of_both("certificate_phase", "1x90", f',phase="{phase}"'),
            of_both("certificate_phase", "_x40 1x50", f',phase="{phase}"') | of_both("certificate_phase", "1x90", ',phase="AwaitingApproval"'),
            OBJECT | {"phase": phase},
        )
        for phase in ("Draining", "Delivering", "Observing", "RollingBack")
    ],
    "EdgetrustCertificateInfeasible": [Case(of_both("certificate_infeasible", "1x90"), of_both("certificate_infeasible", "0x90"))],
    "EdgetrustRollback": [
        Case(rotations("rolled_back", "0x60 1x30"), rotations("active", "0+1x90") | rotations("rolled_back", "1x90"), {"job": "edgetrust", "result": "rolled_back"}),
        Case(rotations("rejected", "0x60 1x30"), rotations("rejected", "0x10 1x80"), {"job": "edgetrust", "result": "rejected"}),  # it was long ago
    ],
    "EdgetrustPolicyHalted": [Case(of_both("policy_halted", "1x90"), of_both("policy_halted", "0x90"))],
    "EdgetrustEdgeOffline": [Case(of_both("edge_online", "0x90"), of_both("edge_online", "0x80 1x10"))],
    "EdgetrustEdgeSipDown": [Case(of_both("edge_sip_up", "0x90"), of_both("edge_sip_up", "1x85 0x5"))],
    "EdgetrustPinsNotCurrent": [Case(of_both("pin_policy_current", "0x90"), of_both("pin_policy_current", "1x80 0x10"))],
    "EdgetrustPinHandshakeInvalid": [Case(of_both("pin_policy_handshake_valid", "0x90"), of_both("pin_policy_handshake_valid", "1x80 0x10"))],
    "EdgetrustIntercepted": [Case(of_both("pin_policy_intercepted", "1x90"), of_both("pin_policy_intercepted", "0x90"))],
    "EdgetrustOverrideLasts": [Case(of_both("pin_policy_override_active", "1x4400"), of_both("pin_policy_override_active", "0x2200 1x2200"), at=73 * 3600)],
    "EdgetrustEdgeClockOff": [Case(of_both("edge_clock_in_sync", "0x90"), of_both("edge_clock_in_sync", "0x40 1x10 0x40"))],
    "EdgetrustPinsRolledBack": [Case(pin_state("RolledBack", "1x90"), pin_state("Matched", "1x90") | pin_state("RolledBack", "_x86 1x4"))],
    "EdgetrustPinsRefusing": [Case(pin_state("Refusing", "1x90"), pin_state("Matched", "1x90") | pin_state("Refusing", "_x86 1x4"))],
    "EdgetrustPinsBlocked": [
        Case(pin_state("Blocked", "1x1500"), pin_state("Drifted", "1x1500"), at=25 * 3600),
        Case(pin_state("Blocked", "1x1500"), pin_state("Blocked", "_x300 1x1200"), at=25 * 3600),
    ],
    "EdgetrustPinsOutOfReach": [
        Case(of_both("edge_pins_enforced", "1x400") | pin_state("Unreachable", "1x400"), quiet, at=390 * 60)
        for quiet in (
            of_both("edge_pins_enforced", "0x400") | pin_state("Unreachable", "1x400"),  # nothing pins there
            of_both("edge_pins_enforced", "1x400") | pin_state("Matched", "1x400"),
            of_both("edge_pins_enforced", "1x400") | pin_state("Unreachable", "_x100 1x300"),  # for five hours
        )
    ],
    "EdgetrustPinsSwitchingOff": [Case(of_both("pin_policy_switching_off", "1x4400"), of_both("pin_policy_switching_off", "0x2200 1x2200"), at=73 * 3600)],
    "EdgetrustCredentialsRefused": [Case(of_both("connection_credentials_valid", "0x90"), of_both("connection_credentials_valid", "1x90"))],
    "EdgetrustCredentialsUnknown": [
        Case(of_both("connection_credentials_known", "0x90") | KNOWN_LAB, of_both("connection_credentials_known", "1x90")),  # one of two
        Case(of_both("connection_credentials_known", "0x90"), of_both("connection_credentials_known", "0x40 1x10 0x40")),
    ],
    "EdgetrustStandbyCredentialsInUse": [Case(of_both("connection_standby_in_use", "1x90"), of_both("connection_standby_in_use", "0x90"))],
    "EdgetrustCredentialsDeleted": [
        Case(of_both("connection_credentials_deletion_timestamp_seconds", f"{NOW + 13 * DAY}x90"), of_both("connection_credentials_deletion_timestamp_seconds", f"{NOW + 15 * DAY}x90"), value="13d 0h 0m 0s"),
    ],
    "EdgetrustUnmanagedEdges": [Case(of_both("connection_unmanaged_edges", "4x90"), of_both("connection_unmanaged_edges", "0x90"), value="4")],
    "EdgetrustIssuerLimited": [
        Case(of_both("issuer_limited_until_timestamp_seconds", f"{2 * DAY}x1500"), of_both("issuer_limited_until_timestamp_seconds", f"_x600 {2 * DAY}x900"), value="23h 0m 0s", at=25 * 3600),
        Case(of_both("issuer_limited_until_timestamp_seconds", f"{2 * DAY}x1500"), of_both("issuer_limited_until_timestamp_seconds", f"{DAY}x1500"), value="23h 0m 0s", at=25 * 3600),
    ],
    "EdgetrustPassesFail": [
        Case(passes("0+2x90", "0+1x90"), passes("0+1x90", "0+2x90"), {"job": "edgetrust", "kind": "Edge"}),
        Case(passes("0+2x90", "0+1x90"), passes("7x90", "3x90"), {"job": "edgetrust", "kind": "Edge"}),  # it was long ago
    ],
    "EdgetrustPeerFails": [
        *(Case(requests(code, "0+2x90", "0+1x90"), requests(code, "0+1x90", "0+2x90"), ACME) for code in ("none", "5xx", "429")),
        Case(requests("5xx", "0+2x90", "0+1x90"), requests("4xx", "0+2x90", "0+1x90"), ACME),  # an answer is an answer
    ],
    "EdgetrustWorkWaits": [Case(queue("queue_oldest_seconds", "0+30x90"), queue("queue_oldest_seconds", "299x80 400x10"), PINS)],
    "EdgetrustPassHangs": [Case(queue("reconcile_longest_running_seconds", "0+60x90"), queue("reconcile_longest_running_seconds", "60x90"), PINS, value="1h 30m 0s")],
    "EdgetrustAuditNotWritten": [
        Case(audit("write_failures_total", "0x85 1x5"), audit("write_failures_total", "0x60 1x30"), JOB),  # it was long ago
    ],
    "EdgetrustAuditWaits": [
        Case(audit("waiting", "0x10 1x80"), audit("waiting", "0x10 1x70 0x10"), JOB, value="2"),  # one that came long ago still waits
        Case(audit("waiting", "1x90"), audit("late_total", "0x85 1x5"), JOB, value="2"),  # it was late, and is written
    ],
    "EdgetrustAuditSinkBehind": [
        Case(audit("sink_oldest_timestamp_seconds", "600x90"), audit("sink_oldest_timestamp_seconds", f"{NOW - 3000}x90"), JOB, value="1h 20m 0s"),
        Case(audit("sink_oldest_timestamp_seconds", "600x90"), audit("sink_backlog", "0x90"), JOB, value="1h 20m 0s"),  # all is taken
    ],
}


def groups() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = objects(FILE.read_text())[0]["groups"]
    return found


RULES = [rule for group in groups() for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = [rule for rule in RULES if "record" in rule]
OF_OBJECTS = {alert: CASES[alert] for alert, rule in ALERTS.items() if "by (namespace, name" in rule["expr"]}


def said(text: str, case: Case) -> str:
    """An annotation with its labels and its value put in."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: case.labels[found.group(1)], text)
    return re.sub(r"\{\{ \$value( \| humanizeDuration)? \}\}", case.value, text)


def promtool_test(alert: str, case: Case, fires: bool) -> dict[str, Any]:
    rule = ALERTS[alert]
    expected = {"exp_labels": rule["labels"] | case.labels, "exp_annotations": {name: said(text, case) for name, text in rule["annotations"].items()}}
    series = case.fires if fires else case.quiet
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{case.at}s", "alertname": alert, "exp_alerts": [expected] if fires else []}],
    }


def promtool(tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Each alert by itself: promtool would reckon all of them for each moment of each test, which takes minutes."""
    by_alert: dict[str, list[dict[str, Any]]] = {}
    for test in tests:
        by_alert.setdefault(test["alert_rule_test"][0]["alertname"], []).append(test)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for alert, its_tests in by_alert.items():
            rules, file = (Path(folder) / f"{alert}.{part}.yaml" for part in ("rules", "tests"))
            rules.write_text(json.dumps({"groups": [{"name": "edgetrust", "rules": [*RECORDED, ALERTS[alert]]}]}))
            file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": its_tests}))
            files.append(file)
        return subprocess.run(["promtool", "test", "rules", *files], capture_output=True, text=True, check=False)


class Alerts(unittest.TestCase):
    def test_promtool_accepts_the_rules(self) -> None:
        done = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", FILE], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_fires_on_what_it_is_for(self) -> None:
        done = promtool([promtool_test(alert, case, fires=True) for alert, cases in CASES.items() for case in cases])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_keeps_still_on_what_looks_like_it(self) -> None:
        done = promtool([promtool_test(alert, case, fires=False) for alert, cases in CASES.items() for case in cases])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_the_leader_says_of_an_object_counts_and_not_what_a_standby_does(self) -> None:
        """The watches of one that stands by may be silent, and what it says then is of long ago."""
        self.assertGreater(len(OF_OBJECTS), 20)
        tests = []
        for alert, cases in OF_OBJECTS.items():
            for case in cases:
                lead = leaders("1x4400", "0x4400", namespace="operators")
                tests.append(promtool_test(alert, replace(case, fires=of_one("a", case.fires) | of_one("b", case.quiet) | lead), fires=True))
                tests.append(promtool_test(alert, replace(case, quiet=of_one("a", case.quiet) | of_one("b", case.fires) | lead), fires=False))
        done = promtool(tests)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_where_none_leads_what_any_of_them_says_of_an_object_counts(self) -> None:
        """Before there is a leader, and between two: an alert does not begin anew. And where the leader's own watches are silent."""
        both = of_both("edge_sip_up", "0x90")
        one_goes = certificate("edge_sip_up", "0x84 stale") | certificate("edge_sip_up", "0x90", instance="b")
        def silent(*seconds: str) -> Series:
            return {series.replace("edgetrust_leader", "edgetrust_watch_silence_seconds"): value for series, value in leaders(*seconds).items()}

        at_odds = certificate("edge_sip_up", "1x90") | certificate("edge_sip_up", "0x90", instance="b")
        for said_so, lead in (
            (both, leaders("0x90", "0x90")),
            (both, leaders("0x90", "0x90") | OTHER_RELEASE),
            (one_goes, leaders("1x84 stale", "0x86 1x3")),
            (certificate("edge_sip_up", "0x90"), leaders("1x90")),  # one by itself, without an election
            (at_odds, leaders("1x90", "0x90") | silent("601x90", "0x90")),
            (both, leaders("1x90", "0x90") | silent("601x90", "601x90")),
        ):
            with self.subTest(lead=lead):
                done = promtool([promtool_test("EdgetrustEdgeSipDown", Case(said_so | lead, {}), fires=True)])
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_sees_an_alert_that_should_not_be(self) -> None:
        wrong = promtool_test("EdgetrustPolicyHalted", Case(CASES["EdgetrustPolicyHalted"][0].quiet, CASES["EdgetrustPolicyHalted"][0].fires), fires=False)
        self.assertNotEqual(promtool([wrong]).returncode, 0)

    def test_each_alert_has_its_cases(self) -> None:
        self.assertEqual(set(CASES), set(ALERTS))

    def test_each_alert_says_what_is_wrong_and_how_bad_it_is(self) -> None:
        for name, rule in ALERTS.items():
            with self.subTest(name):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"))
                self.assertEqual(set(rule["annotations"]), {"summary", "description"})

    def test_each_alert_has_a_heading_in_the_runbooks(self) -> None:
        headings = re.findall(r"^### (Edgetrust\w+)$", (ROOT / "controller" / "docs" / "operations.md").read_text(), re.M)
        self.assertEqual(headings, list(ALERTS))

    def test_each_metric_is_one_of_the_program(self) -> None:
        program = (ROOT / "controller" / "telemetry" / "src" / "metrics.cpp").read_text()
        for name, rule in ALERTS.items():
            for metric in re.findall(r"edgetrust_\w+", rule["expr"]):
                with self.subTest(name, metric=metric):
                    self.assertIn(f'"{metric}"', program)

    def test_each_phase_is_one_of_an_edgecertificate(self) -> None:
        schema = objects((ROOT / "crds" / "edgecertificates.edgetrust.io.yaml").read_text())[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        phases = schema["properties"]["status"]["properties"]["phase"]["enum"]
        named = [phase for rule in ALERTS.values() for found in re.findall(r'phase=~"([^"]+)"', rule["expr"]) for phase in found.split("|")]
        self.assertTrue(named)
        self.assertLessEqual(set(named), set(phases))


if __name__ == "__main__":
    unittest.main()
