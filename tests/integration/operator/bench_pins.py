"""How a PinPolicy converges on many Edges, each with an SSH server and a file tree of its own; and what it costs to look at many more of them each interval. Prints figures;
`make bench-pins` runs it. BENCH_EDGES and BENCH_LOOKED_AT say how many.
"""

import concurrent.futures
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from edge_machine import EdgeMachine
from harness import ALWAYS_OPEN, OperatorTest, wait_for
from own_simulator import OwnSimulator

EDGES = int(os.environ.get("BENCH_EDGES", "200"))
LOOKED_AT = int(os.environ.get("BENCH_LOOKED_AT", "1000"))


class Sessions:
    """How many connections to these ports there are, and were at most; until it is closed."""

    def __init__(self, ports: set[int]) -> None:
        self.ports = ports
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        established = "01"
        while not self._over.wait(0.1):
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            now = sum(row[3] == established and int(row[2].split(":")[1], 16) in self.ports for row in rows)
            self.most = max(self.most, now)


class Bench(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "budget": {"maxConcurrent": 50, "maxConcurrentPerSite": 1}}
    start_operator = False

    def prepare(self) -> None:
        super().prepare()
        self.own = OwnSimulator(self.folder)
        self.addCleanup(self.own.close)
        self.cloud = self.own.call("GET", "/sim/v1/cloud")
        self.secret("cloud-roots", {"ca.crt": self.cloud["caPem"]})

    def make_machines(self, count: int) -> None:
        """Their keys are the same, so that one Secret does for all."""
        first = EdgeMachine(self.folder / "edge0")
        self.addCleanup(first.close)

        def start(number: int) -> EdgeMachine:
            return EdgeMachine(self.folder / f"edge{number}", keys=first)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            others = list(pool.map(start, range(1, count)))
        for machine in others:
            self.addCleanup(machine.close)
        self.machines = [first, *others]
        self.secret("edge-ssh", {"ssh-privatekey": first.login_key})

    def start(self) -> None:
        self.operator.start()
        wait_for("the operator is there", lambda: "edgetrust_" in self.operator.metrics(), 60)
        self.sessions = Sessions({machine.port for machine in self.machines})
        self.addCleanup(self.sessions.close)

    def pin(self, **spec: Any) -> None:
        endpoint = {"host": "127.0.0.1", "port": self.own.cloud_port, "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}}
        self.make("PinPolicy", "cloud", {"endpoint": endpoint, "edgeSelector": {"matchLabels": {}}, "pins": {"static": [self.cloud["fingerprint"]], "next": [":".join(["AB"] * 32)]}, **spec})

    def of_operator(self, file: str) -> str:
        assert self.operator.process is not None
        return Path(f"/proc/{self.operator.process.pid}/{file}").read_text()

    def memory(self, field: str) -> float:
        """MiB of the operator, by /proc/PID/status."""
        return next(int(line.split()[1]) for line in self.of_operator("status").splitlines() if line.startswith(field)) / 1024

    def cpu(self) -> float:
        """Seconds of the operator so far."""
        fields = self.of_operator("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def opened(self) -> int:
        """Sessions so far."""
        return sum(machine.sessions() for machine in self.machines)

    def wait_all(self, state: str, count: int, seconds: float) -> None:
        """Says now and then how far it is."""
        said = time.monotonic()

        def is_over() -> bool:
            nonlocal said
            summary = self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}).get("summary") or {}
            if time.monotonic() > said + 30:
                said = time.monotonic()
                print({key: value for key, value in summary.items() if value}, flush=True)
            return summary.get(state) == count

        wait_for(f"every Edge is {state}", is_over, seconds, every=1)

    def say(self, what: str) -> None:
        print(f"bench-pins: {what}, {self.sessions.most} at once at most; operator {self.memory('VmRSS'):.0f} MiB, {self.memory('VmHWM'):.0f} at most; load {os.getloadavg()[0]:.0f}", flush=True)


class Converge(Bench):
    def test_one_policy_converges(self) -> None:
        self.make_machines(EDGES)
        for number, (appliance, machine) in enumerate(zip(self.sim.add_edges(EDGES), self.machines, strict=True)):
            self.make_edge(appliance, f"bench{number}", site=f"site{number}", ssh=machine.ssh("edge-ssh"))
        self.start()
        self.say("at first no session")
        began, cpu = time.monotonic(), self.cpu()
        self.pin(mode="Enforce")
        self.wait_all("matched", EDGES, 60 + 10 * EDGES)
        took, opened = time.monotonic() - began, self.opened()
        self.assertEqual({machine.restarts() for machine in self.machines}, {1}, "one restart for one change")
        self.assertEqual({machine.leftovers() == [] and machine.mode() == "0:0 600" for machine in self.machines}, {True})
        lost = [line for line in self.operator.lines() if line.get("effect") == "ClaimSlots" and line.get("error", {}).get("kind") == "Conflict"]
        self.assertEqual(lost, [], "no two reach for one slot of the budget")
        self.say(f"{EDGES} Edges matched in {took:.0f} s with {self.cpu() - cpu:.0f} s of the operator's CPU, {opened} sessions ({opened / EDGES:.1f} an Edge)")


class LookedAt(Bench):
    """ReportOnly writes nothing, so that some machines can stand for many Edges."""

    MACHINES = 20
    INTERVAL = 300  # seconds; the default of a policy

    def test_edges_are_looked_at_each_interval(self) -> None:
        self.make_machines(self.MACHINES)
        for number in range(LOOKED_AT):
            ssh = self.machines[number % self.MACHINES].ssh("edge-ssh")
            self.make("Edge", f"bench{number}", {"connectionRef": {"name": "prod"}, "edgeId": str(uuid.uuid4()), "sip": {"host": "127.0.0.1", "port": 1, "probe": "None"}, "site": "lab", "ssh": ssh})
        self.start()
        self.say("at first no session")
        self.pin(mode="ReportOnly", observeFrom=["Operator", "Edge"])
        self.wait_all("drifted", LOOKED_AT, 1200)
        self.interval("")
        hanging = self.machines[0]
        hanging.hang()
        try:
            self.interval(f", while {LOOKED_AT // self.MACHINES} hang")
        finally:
            hanging.hang(False)

    def interval(self, how: str) -> None:
        opened, cpu, self.sessions.most = self.opened(), self.cpu(), 0
        time.sleep(self.INTERVAL)
        opened = self.opened() - opened
        self.say(f"{LOOKED_AT} Edges looked at for {self.INTERVAL} s{how}: {self.cpu() - cpu:.1f} s of the operator's CPU, {opened} sessions ({opened / LOOKED_AT:.1f} an Edge)")
