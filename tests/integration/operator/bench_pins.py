"""How a PinPolicy converges on many Edges, each with an SSH server and a file tree of its own. Prints figures; `make bench-pins` runs it. BENCH_EDGES says how many."""

import concurrent.futures
import os
import time
from pathlib import Path
from typing import Any

from edge_machine import EdgeMachine
from harness import ALWAYS_OPEN, OperatorTest, env, wait_for
from own_simulator import OwnSimulator

EDGES = int(os.environ.get("BENCH_EDGES", "200"))


class Converge(OperatorTest):
    policy = {"windows": ALWAYS_OPEN, "budget": {"maxConcurrent": 50, "maxConcurrentPerSite": 1}}
    start_operator = False

    def machines(self) -> list[EdgeMachine]:
        """Their keys are the same: making them would take longer than all the rest."""
        first = EdgeMachine(self.folder / "edge0")
        self.addCleanup(first.close)

        def start(number: int) -> EdgeMachine:
            return EdgeMachine(self.folder / f"edge{number}", keys=first)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            others = list(pool.map(start, range(1, EDGES)))
        for machine in others:
            self.addCleanup(machine.close)
        return [first, *others]

    def memory(self, field: str) -> float:
        """MiB of the operator, by /proc/PID/status."""
        assert self.operator.process is not None
        lines = Path(f"/proc/{self.operator.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    def summary(self) -> Any:
        return self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}).get("summary") or {}

    def test_one_policy_converges(self) -> None:
        own = OwnSimulator(self.folder)
        self.addCleanup(own.process.wait)
        self.addCleanup(own.process.terminate)
        cloud = own.call("GET", "/sim/v1/cloud")
        machines = self.machines()
        self.secret("edge-ssh", {"ssh-privatekey": machines[0].login_key})
        self.secret("cloud-roots", {"ca.crt": cloud["caPem"]})
        for number, (appliance, machine) in enumerate(zip(self.sim.add_edges(EDGES), machines, strict=True)):
            self.make_edge(appliance, f"bench{number}", site=f"site{number}", ssh=machine.ssh("edge-ssh"))
        self.operator.start()
        wait_for("the operator is there", lambda: "edgetrust_" in self.operator.metrics(), 60)
        idle = self.memory("VmRSS")
        began = time.monotonic()
        self.make(
            "PinPolicy",
            "cloud",
            {
                "endpoint": {"host": "127.0.0.1", "port": own.cloud_port, "caBundleRef": {"name": "cloud-roots", "key": "ca.crt"}},
                "edgeSelector": {"matchLabels": {}},
                "mode": "Enforce",
                "pins": {"static": [cloud["fingerprint"]], "next": [":".join(["AB"] * 32)]},
            },
        )
        wait_for("every Edge is matched", lambda: self.summary().get("matched") == EDGES, 60 + 10 * EDGES, every=1)
        took = time.monotonic() - began
        sessions = sum(machine.sessions() for machine in machines)
        restarts = [machine.restarts() for machine in machines]
        self.assertEqual(set(restarts), {1}, "one restart for one change")
        self.assertEqual({machine.leftovers() == [] and machine.mode() == "0:0 600" for machine in machines}, {True})
        print(
            f"bench-pins: {EDGES} Edges matched in {took:.0f} s, {sessions} sessions ({sessions / EDGES:.1f} an Edge), "
            f"operator {self.memory('VmHWM'):.0f} MiB at most, {idle:.0f} MiB before",
            flush=True,
        )
