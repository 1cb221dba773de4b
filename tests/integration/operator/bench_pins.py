"""How a PinPolicy converges on many Edges, each with an SSH server and a file tree of its own, and what it costs from then on. Prints figures; `make bench-pins` runs it.
BENCH_EDGES says how many."""

import concurrent.futures
import os
import threading
import time
from pathlib import Path
from typing import Any

from edge_machine import EdgeMachine
from harness import ALWAYS_OPEN, OperatorTest, wait_for
from own_simulator import OwnSimulator

EDGES = int(os.environ.get("BENCH_EDGES", "200"))
INTERVAL = 60  # seconds, of the policy


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


class Converge(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "budget": {"maxConcurrent": 50, "maxConcurrentPerSite": 1}}
    start_operator = False

    def machines(self) -> list[EdgeMachine]:
        """Their keys are the same, so that one Secret does for all."""
        first = EdgeMachine(self.folder / "edge0")
        self.addCleanup(first.close)

        def start(number: int) -> EdgeMachine:
            return EdgeMachine(self.folder / f"edge{number}", keys=first)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            others = list(pool.map(start, range(1, EDGES)))
        for machine in others:
            self.addCleanup(machine.close)
        return [first, *others]

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

    def summary(self) -> Any:
        return self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}).get("summary") or {}

    def test_one_policy_converges(self) -> None:
        own = OwnSimulator(self.folder)
        self.addCleanup(own.close)
        cloud = own.call("GET", "/sim/v1/cloud")
        machines = self.machines()
        self.secret("edge-ssh", {"ssh-privatekey": machines[0].login_key})
        self.secret("cloud-roots", {"ca.crt": cloud["caPem"]})
        for number, (appliance, machine) in enumerate(zip(self.sim.add_edges(EDGES), machines, strict=True)):
            self.make_edge(appliance, f"bench{number}", site=f"site{number}", ssh=machine.ssh("edge-ssh"))
        self.operator.start()
        wait_for("the operator is there", lambda: "edgetrust_" in self.operator.metrics(), 60)
        idle, cpu = self.memory("VmRSS"), self.cpu()
        sessions = Sessions({machine.port for machine in machines})
        self.addCleanup(sessions.close)
        began = time.monotonic()
        self.make(
            "PinPolicy",
            "cloud",
            {
                "endpoint": {"host": "127.0.0.1", "port": own.cloud_port, "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}},
                "edgeSelector": {"matchLabels": {}},
                "mode": "Enforce",
                "pins": {"static": [cloud["fingerprint"]], "next": [":".join(["AB"] * 32)]},
                "rotation": {"interval": f"{INTERVAL}s"},
            },
        )
        self.wait_matched(60 + 10 * EDGES)
        took, total = time.monotonic() - began, self.total(machines)
        self.assertEqual({machine.restarts() for machine in machines}, {1}, "one restart for one change")
        self.assertEqual({machine.leftovers() == [] and machine.mode() == "0:0 600" for machine in machines}, {True})
        print(
            f"\nbench-pins: {EDGES} Edges matched in {took:.0f} s with {self.cpu() - cpu:.0f} s of the operator's CPU, {total} sessions ({total / EDGES:.1f} an Edge, {sessions.most} at once at most), "
            f"operator {self.memory('VmHWM'):.0f} MiB at most, {idle:.0f} MiB before; load {os.getloadavg()[0]:.0f}",
            flush=True,
        )
        cpu = self.cpu()
        time.sleep(INTERVAL)
        more = self.total(machines) - total
        self.assertEqual({machine.restarts() for machine in machines}, {1})
        print(f"bench-pins: from then on {more / EDGES:.1f} sessions an Edge and interval ({INTERVAL} s), {self.cpu() - cpu:.1f} s of the operator's CPU in it, operator {self.memory('VmRSS'):.0f} MiB", flush=True)

    @staticmethod
    def total(machines: list[EdgeMachine]) -> int:
        return sum(machine.sessions() for machine in machines)

    def wait_matched(self, seconds: float) -> None:
        """Says now and then how far it is."""
        said = time.monotonic()

        def is_over() -> bool:
            nonlocal said
            summary = self.summary()
            if time.monotonic() > said + 30:
                said = time.monotonic()
                print({key: value for key, value in summary.items() if value}, flush=True)
            return summary.get("matched") == EDGES

        wait_for("every Edge is matched", is_over, seconds, every=1)
