"""The Grafana dashboards of the chart, described panel by panel: a dashboard as Grafana stores it is mostly repetition. `generate` writes them into the chart.

What an operator says of an object is said by each operator of a release, so it is taken once, and from the one that leads where that is recorded: as in files/alerts.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH = 24  # columns of Grafana's grid
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    title: str
    description: str
    kind: str  # stat, timeseries, bargauge, state-timeline, table
    queries: Sequence[Query]
    width: int = 12
    height: int = 8
    unit: str = "short"
    bad_from: float | None = None  # red from this value on
    bad_below: float | None = None  # red below this value
    words: dict[str, str] = field(default_factory=dict)  # what a value is called
    stacked: bool = False


@dataclass(frozen=True)
class Variable:
    name: str
    label: str
    query: str
    several: bool = False


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: str
    description: str
    variables: Sequence[Variable]
    panels: Sequence[Panel]


IN_FLEET = 'namespace=~"$namespace"'
OF_CERTIFICATE = 'namespace="$namespace", name="$certificate"'
OF_EDGE = 'namespace="$namespace", name="$edge"'
OF_CLIENT = 'client=~"$client"'
YES_NO = {"0": "no", "1": "yes"}
DAY = 86400


def once(metric: str, labels: str, more: str = "") -> str:
    return f"max by (namespace, name{more}) ({metric}{{{labels}}} unless on (job, instance) edgetrust:standby)"


def counted(expr: str) -> str:
    """How many; none is 0 and no gap."""
    return f"count({expr}) or vector(0)"


def quantile(q: float, histogram: str, labels: str, by: str) -> str:
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({histogram}_bucket{{{labels}}}[$__rate_interval])))"


NAMESPACES = Variable("namespace", "Namespace", "label_values(edgetrust_certificate_ready, namespace)", several=True)
NAMESPACE = Variable("namespace", "Namespace", "label_values(edgetrust_certificate_ready, namespace)")
CERTIFICATE = Variable("certificate", "EdgeCertificate", 'label_values(edgetrust_certificate_ready{namespace="$namespace"}, name)')
EDGE = Variable("edge", "Edge", 'label_values(edgetrust_edge_online{namespace="$namespace"}, name)')
CLIENT = Variable("client", "Peer", "label_values(edgetrust_api_requests_total, client)", several=True)

FLEET = Dashboard(
    "fleet",
    "edgetrust / Fleet",
    "All EdgeCertificates, Edges and policies of the chosen namespaces, and the operator itself.",
    [NAMESPACES],
    [
        Panel("EdgeCertificates", "How many there are.", "stat", [Query(counted(once("edgetrust_certificate_ready", IN_FLEET)))], width=4, height=4),
        Panel("Not ready", "Nothing valid of ours is live, or it does not fit the spec.", "stat", [Query(counted(once("edgetrust_certificate_ready", IN_FLEET) + " == 0"))], width=4, height=4, bad_from=1),
        Panel("Soonest expiry", "Until what is served somewhere expires.", "stat", [Query(f"min({once('edgetrust_certificate_expiry_timestamp_seconds', IN_FLEET)}) - time()")], width=4, height=4, unit="s", bad_below=3 * DAY),
        Panel("Infeasible", "No start is left before the expiry.", "stat", [Query(counted(once("edgetrust_certificate_infeasible", IN_FLEET) + " == 1"))], width=4, height=4, bad_from=1),
        Panel("Halted policies", "They start nothing more until a person resumes them.", "stat", [Query(counted(once("edgetrust_policy_halted", IN_FLEET) + " == 1"))], width=4, height=4, bad_from=1),
        Panel("Operators that work", "One works, the others stand by.", "stat", [Query("sum(edgetrust_leader)")], width=4, height=4, bad_from=2, bad_below=1),
        Panel("Phases", "EdgeCertificates in each phase.", "timeseries", [Query(f"count by (phase) ({once('edgetrust_certificate_phase', IN_FLEET, ', phase')})", "{{phase}}")], stacked=True),
        Panel("Rotations in the last hour", "How they ended.", "timeseries", [Query("sum by (result) (increase(edgetrust_rotations_total[1h]))", "{{result}}")], stacked=True),
        Panel("Time until the expiry", "Of what each Edge serves, the soonest first.", "bargauge", [Query(f"sort({once('edgetrust_certificate_expiry_timestamp_seconds', IN_FLEET)} - time())", "{{namespace}}/{{name}}")], unit="s", bad_below=3 * DAY),
        Panel("Due", "Time until each renewal is due; negative: since when.", "table", [Query(f"sort({once('edgetrust_certificate_renewal_timestamp_seconds', IN_FLEET)} - time())", "{{namespace}}/{{name}}")], unit="s"),
        Panel("Windows", "When the window opens that a stored certificate waits for.", "table", [Query(f"1000 * {once('edgetrust_certificate_window_timestamp_seconds', IN_FLEET)}", "{{namespace}}/{{name}}")], unit="dateTimeFromNow"),
        Panel("Budgets", "How many rotate under each policy, and how many may.", "timeseries", [
            Query(once("edgetrust_policy_rotating", IN_FLEET), "{{namespace}}/{{name}} rotating"),
            Query(once("edgetrust_policy_budget", IN_FLEET), "{{namespace}}/{{name}} may rotate"),
        ]),
        Panel("Edges that are not well", "As Genesys Cloud and the SIP-TLS ports say.", "timeseries", [
            Query(counted(once("edgetrust_edge_online", IN_FLEET) + " == 0"), "offline"),
            Query(counted(once("edgetrust_edge_sip_up", IN_FLEET) + " == 0"), "SIP down"),
        ]),
        Panel("Connections", "Whether Genesys Cloud takes the credentials, and which Edges nobody manages.", "timeseries", [
            Query(once("edgetrust_connection_credentials_valid", IN_FLEET), "{{namespace}}/{{name}} credentials taken"),
            Query(once("edgetrust_connection_standby_in_use", IN_FLEET), "{{namespace}}/{{name}} standby in use"),
            Query(once("edgetrust_connection_unmanaged_edges", IN_FLEET), "{{namespace}}/{{name}} unmanaged Edges"),
        ]),
        Panel("Pins", "Whether the pins accept what the endpoint shows, and on how many Edges all is as the policy says.", "timeseries", [
            Query(once("edgetrust_pin_policy_current", IN_FLEET), "{{namespace}}/{{name}} current"),
            Query(once("edgetrust_pin_policy_handshake_valid", IN_FLEET), "{{namespace}}/{{name}} handshake valid"),
            Query(once("edgetrust_pin_policy_edges_matched", IN_FLEET), "{{namespace}}/{{name}} Edges matched"),
            Query(once("edgetrust_pin_policy_edges", IN_FLEET), "{{namespace}}/{{name}} Edges"),
            Query(once("edgetrust_pin_policy_intercepted", IN_FLEET), "{{namespace}}/{{name}} intercepted"),
            Query(once("edgetrust_pin_policy_override_active", IN_FLEET), "{{namespace}}/{{name}} switched off"),
            Query(once("edgetrust_pin_policy_switching_off", IN_FLEET), "{{namespace}}/{{name}} Edges still pin"),
        ]),
        Panel("Edges by their pins", "How each stands to its PinPolicy, and how many pin by the operator's doing.", "timeseries", [
            Query(f"count by (state) ({once('edgetrust_edge_pin_state', IN_FLEET, ', state')})", "{{state}}"),
            Query(counted(once("edgetrust_edge_pins_enforced", IN_FLEET) + " == 1"), "pin by our doing"),
        ]),
        Panel("Clocks", "How far from the right time, the worst first; and how many are off by more than their PinPolicy allows.", "bargauge", [
            Query(f"sort_desc({once('edgetrust_edge_clock_offset_seconds', IN_FLEET)})", "{{namespace}}/{{name}}"),
            Query(counted(once("edgetrust_edge_clock_in_sync", IN_FLEET) + " == 0"), "Edges with a wrong clock"),
        ]),
        Panel("Errors", "What failed, by class. What waits for a person is in the conditions.", "timeseries", [Query("sum by (what, class) (rate(edgetrust_errors_total[$__rate_interval])) > 0", "{{what}} {{class}}")], unit="ops"),
        Panel("Passes", "Looks at objects, by kind.", "timeseries", [Query("sum by (kind) (rate(edgetrust_reconcile_total[$__rate_interval]))", "{{kind}}")], width=8, unit="ops"),
        Panel("Time of a pass", "95 of 100 take no longer.", "timeseries", [Query(quantile(0.95, "edgetrust_reconcile_duration_seconds", "", "kind"), "{{kind}}")], width=8, unit="s"),
        Panel("Queue", "Keys that wait to be worked on, and watches that had to be read anew.", "timeseries", [
            Query("sum by (job) (edgetrust_queue_depth)", "waiting"),
            Query("sum by (kind) (increase(edgetrust_watch_restarts_total[$__rate_interval])) > 0", "{{kind}} read anew"),
        ], width=8),
        Panel("Wait for a worker", "95 of 100 keys wait no longer; and how long the first in line has waited.", "timeseries", [
            Query(quantile(0.95, "edgetrust_queue_wait_duration_seconds", "", "queue"), "{{queue}}"),
            Query("max by (queue) (edgetrust_queue_oldest_seconds)", "{{queue}}, the first in line"),
        ], width=8, unit="s"),
        Panel("Workers", "Those that have a key, and how long the longest pass has been under way.", "timeseries", [
            Query('sum by (queue) (edgetrust_workers{state="busy"})', "{{queue}} busy"),
            Query("max by (queue) (edgetrust_reconcile_longest_running_seconds)", "{{queue}}, the longest pass in seconds"),
        ], width=8),
        Panel("Audit trail", "Records that were written, that were lost, and that wait for the volume or the sink.", "timeseries", [
            Query("sum by (job) (increase(edgetrust_audit_records_total[$__rate_interval]))", "written"),
            Query("sum by (job) (increase(edgetrust_audit_write_failures_total[$__rate_interval]))", "lost"),
            Query("sum by (class) (increase(edgetrust_audit_sink_failures_total[$__rate_interval])) > 0", "not taken, {{class}}"),
            Query("sum by (job) (edgetrust_audit_waiting)", "wait for the volume"),
            Query("sum by (job) (edgetrust_audit_sink_backlog)", "wait for the sink"),
        ], width=8),
        Panel("Time of a rotation", "From the push to the end; 95 of 100 take no longer.", "timeseries", [Query(quantile(0.95, "edgetrust_rotation_duration_seconds", "", "result"), "{{result}}")], unit="s"),
    ],
)

ONE_EDGE = Dashboard(
    "edge",
    "edgetrust / One Edge",
    "One EdgeCertificate and its Edge.",
    [NAMESPACE, CERTIFICATE, EDGE],
    [
        Panel("Ready", "Something valid of ours is live, and fits the spec.", "stat", [Query(once("edgetrust_certificate_ready", OF_CERTIFICATE))], width=4, height=4, bad_below=1, words=YES_NO),
        Panel("Expires in", "What the Edge serves.", "stat", [Query(once("edgetrust_certificate_expiry_timestamp_seconds", OF_CERTIFICATE) + " - time()")], width=5, height=4, unit="s", bad_below=3 * DAY),
        Panel("Due in", "Negative: since when. None: somebody else renews it.", "stat", [Query(once("edgetrust_certificate_renewal_timestamp_seconds", OF_CERTIFICATE) + " - time()")], width=5, height=4, unit="s"),
        Panel("Window opens", "The one that it waits for.", "stat", [Query(f"1000 * {once('edgetrust_certificate_window_timestamp_seconds', OF_CERTIFICATE)}")], width=5, height=4, unit="dateTimeFromNow"),
        Panel("Infeasible", "No start is left before the expiry.", "stat", [Query(once("edgetrust_certificate_infeasible", OF_CERTIFICATE))], width=5, height=4, bad_from=1, words=YES_NO),
        Panel("Phase", "Where the rotation stands.", "state-timeline", [Query(once("edgetrust_certificate_phase", OF_CERTIFICATE, ", phase"), "{{phase}}")], width=24, height=7, words={"1": "here"}),
        Panel("Edge", "As Genesys Cloud, its SIP-TLS port and its own machine say.", "state-timeline", [
            Query(once("edgetrust_edge_online", OF_EDGE), "online"),
            Query(once("edgetrust_edge_sip_up", OF_EDGE), "SIP up"),
            Query(once("edgetrust_edge_clock_in_sync", OF_EDGE), "clock right"),
            Query(once("edgetrust_edge_pins_enforced", OF_EDGE), "pins by our doing"),
            Query(once("edgetrust_edge_pin_state", OF_EDGE, ", state"), "pins: {{state}}"),
        ], words=YES_NO),
        Panel("Alerts", "Those about this EdgeCertificate or Edge.", "state-timeline", [Query('max by (alertname) (ALERTS{alertname=~"Edgetrust.*", alertstate="firing", namespace="$namespace", name=~"$certificate|$edge"})', "{{alertname}}")], words={"1": "fires"}),
    ],
)

PEERS = Dashboard(
    "ca",
    "edgetrust / CA health",
    "The CA, and all else that the operator asks: DNS, Genesys Cloud, the cluster's API.",
    [CLIENT],
    [
        Panel("Requests", "By peer and class of the answer; none: no answer came.", "timeseries", [Query(f"sum by (client, code) (rate(edgetrust_api_requests_total{{{OF_CLIENT}}}[$__rate_interval])) > 0", "{{client}} {{code}}")], unit="reqps"),
        Panel("Share that fails", "No answer, 429 or a server's error.", "timeseries", [
            Query(f'sum by (client) (rate(edgetrust_api_requests_total{{{OF_CLIENT}, code=~"none|429|5xx"}}[$__rate_interval])) / sum by (client) (rate(edgetrust_api_requests_total{{{OF_CLIENT}}}[$__rate_interval]))', "{{client}}"),
        ], unit="percentunit", bad_from=0.5),
        Panel("Time of an answer", "Half of them take no longer.", "timeseries", [Query(quantile(0.5, "edgetrust_api_duration_seconds", OF_CLIENT, "client"), "{{client}}")], unit="s"),
        Panel("Time of a slow answer", "95 of 100 take no longer.", "timeseries", [Query(quantile(0.95, "edgetrust_api_duration_seconds", OF_CLIENT, "client"), "{{client}}")], unit="s"),
        Panel("Time of each kind of request", "95 of 100 take no longer.", "timeseries", [Query(quantile(0.95, "edgetrust_api_duration_seconds", OF_CLIENT, "client, request"), "{{client}} {{request}}")], unit="s"),
        Panel("Time by outcome", "95 of 100 take no longer, over the chosen time, the slowest first; none: no answer came.", "table", [
            Query(f"sort_desc(histogram_quantile(0.95, sum by (le, client, request, code) (increase(edgetrust_api_duration_seconds_bucket{{{OF_CLIENT}}}[$__range]))))", "{{client}} {{request}} {{code}}"),
        ], unit="s"),
        Panel("Answers by time", "How many took no longer, over the chosen time.", "bargauge", [Query(f"sum by (le) (increase(edgetrust_api_duration_seconds_bucket{{{OF_CLIENT}}}[$__range]))", "{{le}} s")]),
        Panel("Errors", "What was tried and failed, by class.", "timeseries", [Query('sum by (class) (rate(edgetrust_errors_total{what="effect"}[$__rate_interval])) > 0', "{{class}}")], unit="ops"),
        Panel("Issuers that may not order", "Time until the CA takes orders again.", "table", [Query(once("edgetrust_issuer_limited_until_timestamp_seconds", "") + " - time() > 0", "{{namespace}}/{{name}}")], unit="s"),
        Panel("Certificates that are due", "Renewals that have not ended.", "stat", [Query(counted(once("edgetrust_certificate_renewal_timestamp_seconds", "") + " < time()"))], width=6),
        Panel("Questions by http-01", "On the port of the challenges; unknown: anything but an answer that stands in a status.", "timeseries", [Query("sum by (result) (increase(edgetrust_http01_requests_total[$__rate_interval]))", "{{result}}")], width=6),
    ],
)

DASHBOARDS = (FLEET, ONE_EDGE, PEERS)


def thresholds(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    return {"mode": "absolute", "steps": steps}


def options(panel: Panel) -> Json:
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {
        "stat": {"reduceOptions": reduce, "colorMode": "value", "graphMode": "none"},
        "bargauge": {"reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal"},
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "state-timeline": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "mergeValues": True, "showValue": "auto"},
        "table": {"showHeader": True},
    }[panel.kind]


def target(panel: Panel, query: Query, letter: str) -> Json:
    now = panel.kind in ("stat", "bargauge", "table")
    return {"refId": letter, "datasource": SOURCE, "expr": query.expr, "legendFormat": query.legend or "__auto", "instant": now, "range": not now, "format": "table" if panel.kind == "table" else "time_series"}


def drawn(panel: Panel, number: int, x: int, y: int) -> Json:
    defaults: Json = {"unit": panel.unit, "thresholds": thresholds(panel), "color": {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"}}
    if panel.words:
        defaults["mappings"] = [{"type": "value", "options": {value: {"text": word, "index": index} for index, (value, word) in enumerate(panel.words.items())}}]
    if panel.kind == "timeseries":
        defaults["custom"] = {"drawStyle": "line", "fillOpacity": 30 if panel.stacked else 0, "showPoints": "never", "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [target(panel, query, chr(ord("A") + index)) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options(panel),
    }


def laid_out(panels: Sequence[Panel]) -> list[Json]:
    """In rows, from left to right; a panel that does not fit begins the next one."""
    placed: list[Json] = []
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, row = 0, y + row, 0
        placed.append(drawn(panel, number, x, y))
        x, row = x + panel.width, max(row, panel.height)
    return placed


def chooser(variable: Variable) -> Json:
    made: Json = {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": SOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": variable.name},
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "multi": variable.several,
        "includeAll": variable.several,
        "hide": 0,
    }
    return made | ({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if variable.several else {})


def rendered(dashboard: Dashboard) -> Json:
    source: Json = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}
    return {
        "uid": f"edgetrust-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["edgetrust"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source, *(chooser(variable) for variable in dashboard.variables)]},
        "links": [{"type": "dashboards", "title": "edgetrust", "tags": ["edgetrust"], "asDropdown": False, "includeVars": True, "keepTime": True}],
        "panels": laid_out(dashboard.panels),
    }
