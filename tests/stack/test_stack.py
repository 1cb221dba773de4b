#!/usr/bin/env python3
"""Stacks that really run. `python3 tests/stack/test_stack.py [-v] [RunningStack.test]`; `make setup` comes first."""
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import folder as folders  # noqa: E402
import probes  # noqa: E402
import processes  # noqa: E402
import stack  # noqa: E402
from support import TemporaryFolder, eventually  # noqa: E402

FAKE_SIMULATOR = HERE / "fake_simulator.py"


class RunningStack(TemporaryFolder):
    """Real servers. Each test leaves no process and no file, which is checked at its end."""

    def setUp(self) -> None:
        super().setUp()
        self.paths: list[Path] = []
        self.addCleanup(self.nothing_is_left)

    def path(self, name: str) -> Path:
        self.paths.append(self.root / name)
        return self.paths[-1]

    def nothing_is_left(self) -> None:
        folders_left = [path.name for path in self.paths if path.exists()]
        processes_left = [process for path in self.paths for process in processes.marked(path)]
        for path in self.paths:
            self.stack("down", path)
        self.assertEqual((folders_left, processes_left), ([], []))

    def command(self, name: str, folder: Path, *arguments: str | Path) -> list[str]:
        return [sys.executable, str(HERE / "stack.py"), name, "--dir", str(folder), *map(str, arguments)]

    def variables(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STACK_") and name != "GENESYS_SIM"}
        return inherited | {"PEBBLE_VA_NOSLEEP": "1"} | more  # which must not reach Pebble

    def stack(self, name: str, folder: Path, *arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.command(name, folder, *arguments), capture_output=True, text=True, check=False, env=self.variables())
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def environment_of(self, folder: Path) -> dict[str, str]:
        script = self.stack("env", folder).stdout + "env -0"
        done = subprocess.run(["bash", "-c", script], env=self.variables(), capture_output=True, text=True, check=True)
        return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    def in_stack(self, values: dict[str, str], command: str, typed: str = "") -> str:
        done = subprocess.run(shlex.split(command), env=values, input=typed, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def update(self, values: dict[str, str], line: str) -> subprocess.CompletedProcess[str]:
        host, port = values["STACK_DNS_ADDR"].split(":")
        key = f"key hmac-sha256:{values['STACK_DNS_TSIG_NAME']} {values['STACK_DNS_TSIG_SECRET']}"
        return subprocess.run(["nsupdate"], input=f"server {host} {port}\n{key}\n{line}\nsend\n", capture_output=True, text=True, check=False)

    def look_up(self, values: dict[str, str], question: str) -> str:
        host, port = values["STACK_DNS_ADDR"].split(":")
        return self.in_stack(values, f"dig +short +norecurse @{host} -p {port} {question}")

    def directory_status(self, values: dict[str, str]) -> int:
        return probes.get(values["STACK_ACME_DIRECTORY"], Path(values["STACK_ACME_CA_FILE"])).status

    def check_control_plane(self, values: dict[str, str], folder: Path) -> None:
        self.assertIn("v1.36.3", self.in_stack(values, "kubectl version"))
        self.in_stack(values, "kubectl create serviceaccount operator")
        kubeconfig = folder.parent / "operator.kubeconfig"
        self.stack("token", folder, "default/operator", "--kubeconfig", kubeconfig)
        self.addCleanup(kubeconfig.unlink)
        as_operator = values | {"KUBECONFIG": str(kubeconfig)}
        self.assertIn("system:serviceaccount:default:operator", self.in_stack(as_operator, "kubectl auth whoami"))
        allowed = subprocess.run(["kubectl", "auth", "can-i", "list", "secrets"], env=as_operator, capture_output=True, text=True, check=False)
        self.assertEqual(allowed.stdout.strip(), "no", "RBAC must be on")

    def check_name_server(self, values: dict[str, str]) -> None:
        self.assertEqual(self.look_up(values, "edges.test NS"), "ns1.edges.test.")
        for name in ("ns1", "edge01", "edge250", "some.other"):
            self.assertEqual(self.look_up(values, f"{name}.edges.test A"), "127.0.0.1", name)
        self.assertEqual(self.update(values, 'update add _acme-challenge.edge01.edges.test 1 TXT "hello"').returncode, 0)
        for refused, other in (
            ("update add x.edges.test 1 A 127.0.0.9", {}),
            ('update add x.edges.test 1 TXT "no"', {"STACK_DNS_TSIG_SECRET": "AAAA"}),
            ('update add x.example.test 1 TXT "no"', {}),
        ):
            self.assertNotEqual(self.update(values | other, refused).returncode, 0, refused)
        self.assertEqual(self.look_up(values, "edge01.edges.test A"), "127.0.0.1", "a TXT below a name must not hide it")

    def check_restarts(self, values: dict[str, str], folder: Path) -> None:
        for name in ("etcd", "kube-apiserver", "bind", "pebble"):
            before = folders.Folder(folder).process(name)
            self.stack("restart", folder, name)
            self.assertNotEqual(folders.Folder(folder).process(name), before, name)
        self.assertEqual({name: value for name, value in self.environment_of(folder).items() if name != "_"}, {name: value for name, value in values.items() if name != "_"})
        self.in_stack(values, "kubectl get serviceaccount operator")
        self.assertEqual(self.look_up(values, "_acme-challenge.edge01.edges.test TXT"), '"hello"')
        self.assertEqual(self.directory_status(values), 200)
        self.assertEqual(Path(values["STACK_ACME_ROOTS_FILE"]).read_text().count("BEGIN CERTIFICATE"), 2)

    def check_stop_and_start(self, values: dict[str, str], folder: Path) -> None:
        self.stack("stop", folder, "pebble")
        with self.assertRaises(ConnectionRefusedError):
            self.directory_status(values)
        self.assertIn("down", self.stack("status", folder, expect=stack.NOT_RUNNING).stdout)
        self.assertIn("without pebble", self.stack("up", folder, expect=1).stderr)
        self.stack("start", folder, "pebble")
        self.assertEqual(self.directory_status(values), 200)
        self.assertIn("already running", self.stack("up", folder).stderr)

    def check_simulator_learns_new_roots(self, folder: Path) -> None:
        trusted = folder / "genesys-sim" / "trusted.pem"
        before = trusted.read_text()
        self.assertEqual(before.count("BEGIN CERTIFICATE"), 1)
        self.stack("restart", folder, "pebble")
        self.assertEqual(trusted.read_text().count("BEGIN CERTIFICATE"), 2)
        self.assertTrue(trusted.read_text().startswith(before), "what was issued before is still trusted")

    def test_works_beside_another_and_goes_without_a_trace(self) -> None:
        first, second = self.path("first"), self.path("second")
        starting = subprocess.Popen(self.command("up", second, "--genesys-sim", FAKE_SIMULATOR, "--edges", "5"), stderr=subprocess.PIPE, text=True, env=self.variables())
        self.stack("up", first)
        _, said = starting.communicate()
        self.assertEqual(starting.returncode, 0, said)

        values, others = self.environment_of(first), self.environment_of(second)
        self.check_control_plane(values, first)
        self.check_name_server(values)
        self.check_restarts(values, first)
        self.check_stop_and_start(values, first)
        self.assertEqual(self.look_up(others, "_acme-challenge.edge01.edges.test TXT"), "")
        self.assertNotIn("STACK_SIM_ADMIN", values)
        for log in (first / "logs" / "pebble.log", second / "logs" / "pebble.log"):
            self.assertIn("reject 5% of good nonces", log.read_text())
            self.assertNotIn("Disabling random VA sleeps", log.read_text())

        self.assertIn("is down", self.stack("down", first).stderr)
        self.assertFalse(first.exists())
        self.assertEqual(processes.marked(first), [])
        self.assertIn("no stack", self.stack("down", first).stderr)
        self.stack("env", first, expect=1)
        self.assertFalse(first.exists())

        self.assertEqual(self.directory_status(others), 200)
        self.in_stack(others, "kubectl get namespace default")
        host, port = others["STACK_CLOUD_ADDR"].split(":")
        socket.create_connection((host, int(port)), timeout=5).close()
        self.check_simulator_learns_new_roots(second)
        self.assertEqual(len(json.loads((second / "genesys-sim" / "config.json").read_text())["edges"]), 5)
        self.stack("down", second)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=5)

    def test_that_fails_to_start_says_why_and_leaves_nothing(self) -> None:
        folder = self.path("failing")
        simulator = self.root / "simulator"
        simulator.write_text("#!/bin/sh\necho cannot read the fleet >&2\nexit 7\n")
        simulator.chmod(0o755)
        said = self.stack("up", folder, "--genesys-sim", simulator, expect=1).stderr
        self.assertIn("genesys-sim ended with status 7", said)
        self.assertIn("cannot read the fleet", said)
        self.assertFalse(folder.exists())

    def test_of_a_killed_start_is_replaced_by_the_next(self) -> None:
        folder = self.path("killed")
        starting = subprocess.Popen(self.command("up", folder), stderr=subprocess.DEVNULL, env=self.variables())
        self.assertTrue(eventually(lambda: len(processes.marked(folder)) >= 2))
        starting.kill()
        starting.wait()
        self.assertIn("cut off", self.stack("up", folder).stderr)
        self.assertEqual(len(processes.marked(folder)), 4)
        self.stack("down", folder)

    def test_for_one_command_gives_it_the_environment_and_its_status_back(self) -> None:
        folder = self.path("run")
        script = 'kubectl get namespace default -o name && test -d "$STACK_DIR" && echo "$STACK_DNS_ZONE" && exit 5'
        done = self.stack("run", folder, "--", "bash", "-c", script, expect=5)
        self.assertEqual(done.stdout.split(), ["namespace/default", "edges.test"])
        self.assertFalse(folder.exists())

    def running_command(self, folder: Path) -> tuple[subprocess.Popen[str], processes.Identity]:
        """A runner, and the command that it runs."""
        command = self.command("run", folder, "--", "bash", "-c", "echo $$; exec sleep 600")
        runner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.variables())
        assert runner.stdout is not None
        self.addCleanup(runner.stdout.close)
        run = processes.identify(int(runner.stdout.readline()))
        assert run is not None
        self.addCleanup(processes.end, [run])
        self.assertEqual(len(processes.marked(folder)), 4)
        return runner, run

    def test_for_one_command_ends_with_it_on_a_signal(self) -> None:
        folder = self.path("signalled")
        runner, run = self.running_command(folder)
        runner.terminate()
        self.assertEqual(runner.wait(), 128 + signal.SIGTERM)
        self.assertFalse(processes.is_running(run))
        self.assertFalse(folder.exists())

    def test_for_one_command_is_taken_down_even_if_the_runner_is_killed(self) -> None:
        folder = self.path("orphan")
        runner, _ = self.running_command(folder)
        runner.kill()
        runner.wait()
        self.assertTrue(eventually(lambda: not folder.exists()), "the guard must take it down")


if __name__ == "__main__":
    unittest.main()
