"""A Prometheus and an Alertmanager of a test's own, as the chart would have them: its rules, its way of scraping, its alerts' receiver."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for folder in ("stack", "integration/operator", "integration/chart", "gitops"):
    sys.path.append(str(ROOT / "tests" / folder))
from harness import wait_for  # noqa: E402
from helm import IMAGE, objects, of_kind, template  # noqa: E402
from ports import choose  # noqa: E402

RUNBOOKS = "https://docs.example.com/operations"
RANGE = "20s"  # in place of what the rules look back
Json = dict[str, Any]


def get(url: str, **query: str) -> Any:
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}" if query else url, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url} {query}: {error.read().decode()}") from None


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def hurried(rules: Json) -> Json:
    """The same alerts for a test that has no hours: what must have lasted lasts a second, and looks back 20 seconds."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\[\d+[smhd]\]", f"[{RANGE}]", rule["expr"])
            if "for" in rule:
                rule["for"] = "1s"
    return rules


class Pager:
    """The receiver: what Alertmanager says of each alert, in order."""

    def __init__(self) -> None:
        self.said: list[Json] = []
        pager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pager.said += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def heard(self, status: str, **labels: str) -> Json | None:
        return next((alert for alert in self.said if alert["status"] == status and labels.items() <= alert["labels"].items()), None)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Monitoring:
    def __init__(self, folder: Path, *targets: int) -> None:
        """`targets`: the ports of the operators' metrics."""
        rendered = objects(template("helm4", IMAGE | {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True, "runbooks": RUNBOOKS}}))
        (rules,), (monitor,) = of_kind(rendered, "PrometheusRule"), of_kind(rendered, "ServiceMonitor")
        (endpoint,) = monitor["spec"]["endpoints"]
        ports = choose(("prometheus", "alertmanager"))
        self.prometheus, self.alertmanager = (f"http://127.0.0.1:{ports[name]}" for name in ("prometheus", "alertmanager"))
        self.pager = Pager()
        # JSON is YAML.
        self.write(folder / "rules.yaml", hurried(rules["spec"]))
        self.write(
            folder / "prometheus.yaml",
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(folder / "rules.yaml")],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager.removeprefix("http://")]}]}]},
                "scrape_configs": [{"job_name": "edgetrust", "metrics_path": endpoint["path"], "honor_labels": endpoint["honorLabels"], "static_configs": [{"targets": [f"127.0.0.1:{target}" for target in targets]}]}],
            },
        )
        self.write(
            folder / "alertmanager.yaml",
            {
                "route": {"receiver": "pager", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
                "receivers": [{"name": "pager", "webhook_configs": [{"url": self.pager.url, "send_resolved": True}]}],
            },
        )
        self.log = (folder / "monitoring.log").open("wb")
        address = "--web.listen-address={}".format
        # Without --cluster.listen-address= it would look for others of its kind.
        self.processes = [
            self.run("prometheus-alertmanager", f"--config.file={folder}/alertmanager.yaml", f"--storage.path={folder}/alertmanager", "--cluster.listen-address=", address(self.alertmanager.removeprefix("http://"))),
            self.run("prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/prometheus", address(self.prometheus.removeprefix("http://"))),
        ]
        for server in (self.alertmanager, self.prometheus):
            wait_for(f"{server} is ready", lambda server=server: is_up(f"{server}/-/ready"), 60)

    @staticmethod
    def write(file: Path, content: Json) -> None:
        file.write_text(json.dumps(content))

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)
        self.pager.close()
        self.log.close()

    # --- Prometheus

    def query(self, expr: str) -> list[Json]:
        found: list[Json] = get(f"{self.prometheus}/api/v1/query", query=expr)["data"]["result"]
        return found

    def values_of(self, label: str, match: str = "") -> set[str]:
        return set(get(f"{self.prometheus}/api/v1/label/{label}/values", **({"match[]": match} if match else {}))["data"])

    def firing(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in get(f"{self.prometheus}/api/v1/alerts")["data"]["alerts"] if alert["state"] == "firing"}

    # --- Alertmanager

    def alert(self, **labels: str) -> Json | None:
        """One that is active there, with these labels."""
        found: list[Json] = get(f"{self.alertmanager}/api/v2/alerts")
        return next((alert for alert in found if labels.items() <= alert["labels"].items() and alert["status"]["state"] == "active"), None)
