#!/usr/bin/env python3
"""The parts of the stack, without a server. `python3 tests/stack/test_parts.py [-v] [Class[.test]]`."""
import json
import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bind  # noqa: E402
import certificates  # noqa: E402
import components  # noqa: E402
import environment  # noqa: E402
import folder as folders  # noqa: E402
import genesys_sim  # noqa: E402
import launcher  # noqa: E402
import lifecycle  # noqa: E402
import pebble  # noqa: E402
import ports  # noqa: E402
import probes  # noqa: E402
import processes  # noqa: E402
import runner  # noqa: E402
from support import TemporaryFolder, eventually  # noqa: E402


class Ports(unittest.TestCase):
    def test_lie_below_the_range_of_outgoing_connections(self) -> None:
        self.assertEqual(ports.candidates("32768\t60999\n"), range(10_000, 32_768))

    def test_lie_anywhere_high_where_that_range_leaves_no_room(self) -> None:
        self.assertEqual(ports.candidates("1024\t65535\n"), range(10_000, 65_536))

    def test_differ_and_are_free(self) -> None:
        chosen = ports.choose(["a", "b", "c"], free=lambda port: port % 2 == 0, among=range(10_000, 10_006))
        self.assertEqual(sorted(chosen.values()), [10_000, 10_002, 10_004])

    def test_that_are_all_taken_are_an_error(self) -> None:
        with self.assertRaises(ports.NoFreePort):
            ports.choose(["a", "b"], free=lambda port: port == 10_000, among=range(10_000, 10_003))

    def test_taken_by_a_listener_are_not_free(self) -> None:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with self.subTest(kind=kind), socket.socket(socket.AF_INET, kind) as taken:
                (port,) = ports.choose(["p"]).values()
                self.assertTrue(ports.is_free(port))
                taken.bind((ports.LOOPBACK, port))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                self.assertFalse(ports.is_free(port))


class Processes(TemporaryFolder):
    def sleeper(self, **variables: str) -> tuple[subprocess.Popen[bytes], processes.Identity]:
        child = subprocess.Popen(["sleep", "600"], env=os.environ | variables)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        identity = processes.identify(child.pid)
        assert identity is not None
        return child, identity

    def stat(self, state: str, threads: int) -> str:
        return f"7 (a) Z 1) {state} " + " ".join(str(threads if n == 20 else n) for n in range(4, 53))

    def test_start_time_is_found_behind_a_name_with_brackets(self) -> None:
        self.assertEqual(processes.start_time(self.stat("R", 1)), 22)

    def test_runs_until_its_last_thread_has_ended(self) -> None:
        self.assertEqual(processes.start_time(self.stat("Z", 2)), 22)
        self.assertIsNone(processes.start_time(self.stat("Z", 1)))

    def test_that_has_ended_but_is_not_collected_does_not_run(self) -> None:
        child, identity = self.sleeper()
        child.kill()
        self.assertTrue(eventually(lambda: not processes.is_running(identity)))
        self.assertTrue((processes.PROC / str(child.pid)).exists(), "the child must not have been collected yet")

    def test_identity_survives_its_file(self) -> None:
        _, identity = self.sleeper()
        self.assertEqual(processes.Identity.parse(identity.render()), identity)

    def test_with_the_same_pid_but_another_start_or_boot_is_left_alone(self) -> None:
        child, real = self.sleeper()
        for other in (processes.Identity(real.pid, real.start + 1, real.boot), processes.Identity(real.pid, real.start, "another boot")):
            self.assertEqual(processes.end([other], grace=0.01), [])
            self.assertTrue(processes.is_running(real))
        self.assertEqual(processes.end([real]), [])
        self.assertEqual(child.wait(), -signal.SIGKILL)

    def test_is_given_time_to_end_by_itself(self) -> None:
        child, identity = self.sleeper()
        self.assertEqual(processes.end([identity], grace=30), [])
        self.assertEqual(child.wait(), -signal.SIGTERM)

    def test_are_found_by_the_mark_of_their_folder_alone(self) -> None:
        _, ours = self.sleeper(**{processes.MARK: str(self.root)})
        self.sleeper(**{processes.MARK: f"{self.root}-2"})
        self.assertTrue(eventually(lambda: processes.marked(self.root) == [ours]))

    def test_inherit_nothing_that_changes_how_they_behave(self) -> None:
        inherited = {"PATH": "/bin", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "https_proxy": "x", "GODEBUG": "y", "UBSAN_OPTIONS": "z"}
        given = processes.environment(self.root, inherited)
        self.assertEqual(set(given), {"PATH", "UBSAN_OPTIONS", "HOME", "TMPDIR", "LANG", processes.MARK})


def some_settings(simulator: str | None = None) -> folders.Settings:
    names = [name for kind in components.KINDS for name in kind.port_names]
    return folders.Settings({name: 20_000 + n for n, name in enumerate(names)}, "c2VjcmV0", "client-secret", ["/tools/a b", "/tools/c"], simulator)


class Environment(TemporaryFolder):
    def values(self, ready_line: str | None = None) -> dict[str, str]:
        folder = folders.Folder(self.root)
        if ready_line is not None:
            folder.of("genesys-sim").mkdir()
            (folder.of("genesys-sim") / "output").write_text(ready_line + "\n")
        return environment.variables(folder, some_settings(None if ready_line is None else "/sim"))

    def test_names_what_the_stack_offers(self) -> None:
        values = self.values()
        self.assertEqual(values["STACK_ACME_DIRECTORY"], f"https://127.0.0.1:{some_settings().ports['pebble']}/dir")
        self.assertEqual(values["STACK_DNS_ADDR"], f"127.0.0.1:{some_settings().ports['bind']}")
        self.assertEqual(values["STACK_DNS_ZONE"], "edges.test")
        self.assertEqual(values["KUBECONFIG"], str(self.root / "kubeconfig"))
        self.assertEqual([name for name in environment.SIMULATOR if name in values], [])

    def test_takes_the_simulators_ports_from_its_ready_line(self) -> None:
        values = self.values('{"ready": true, "api": 1, "login": 2, "control": 3, "cloud": 4}')
        self.assertEqual(values["STACK_GENESYS_API"], "https://127.0.0.1:1")
        self.assertEqual(values["STACK_GENESYS_LOGIN"], "https://127.0.0.1:2")
        self.assertEqual(values["STACK_SIM_ADMIN"], "http://127.0.0.1:3")
        self.assertEqual(values["STACK_CLOUD_ADDR"], "127.0.0.1:4")
        self.assertEqual([name for name in environment.SIMULATOR if name not in values], [])

    def test_is_what_a_shell_reads_whatever_the_characters(self) -> None:
        values = {"STACK_DIR": "/a b/$HOME/'\"`;", "STACK_DNS_ZONE": "edges.test"}
        tools = ["/tools/a b", "/tools/c"]
        script = environment.render(values, tools) + 'printf "%s\\n" "$STACK_DIR" "$STACK_DNS_ZONE" "$PATH" "${STACK_SIM_ADMIN-none}"'
        done = subprocess.run(["bash", "-c", script], env={"PATH": "/bin:/usr/bin", "STACK_SIM_ADMIN": "old"}, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.splitlines(), [values["STACK_DIR"], "edges.test", "/tools/a b:/tools/c:/bin:/usr/bin", "none"])

    def test_of_a_command_drops_an_earlier_stacks(self) -> None:
        given = environment.applied({"STACK_DNS_ZONE": "edges.test"}, ["/tools"], {"PATH": "/bin", "STACK_SIM_ADMIN": "old", "HOME": "/root"})
        self.assertEqual(given, {"PATH": "/tools:/bin", "STACK_DNS_ZONE": "edges.test", "HOME": "/root"})


class Configuration(TemporaryFolder):
    def test_of_bind_is_accepted_by_its_own_checks(self) -> None:
        (self.root / "edges.test.zone").write_text(bind.render_zone())
        config = self.root / "named.conf"
        config.write_text(bind.render_named_config(self.root, 20_053, "c2VjcmV0"))
        for command in (["named-checkconf", "-z", str(config)], ["named-checkzone", "edges.test", str(self.root / "edges.test.zone")]):
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_of_pebble_listens_on_loopback_alone_and_softens_nothing(self) -> None:
        config = json.loads(pebble.render_pebble_config(some_settings(), self.root))["pebble"]
        for name in ("listenAddress", "managementListenAddress"):
            self.assertEqual(config[name].split(":")[0], "127.0.0.1")
        self.assertEqual(config["retryAfter"], {"authz": 3, "order": 5})
        self.assertEqual(sorted(config["profiles"]), ["default", "shortlived"])

    def test_of_the_simulator_holds_its_fleet_and_is_private(self) -> None:
        settings = some_settings("/sim")
        settings.edges = lifecycle.fleet(3, {"sip-1": 11, "sip-2": 12, "sip-3": 13})
        folder = folders.Folder(self.root)
        folder.of("genesys-sim").mkdir()
        genesys_sim.GenesysSim(folder, settings).prepare()
        file = folder.of("genesys-sim") / "config.json"
        self.assertEqual(file.stat().st_mode & 0o077, 0)
        edges = json.loads(file.read_text())["edges"]
        self.assertEqual([edge["sipPort"] for edge in edges], [11, 12, 13])
        self.assertEqual([edge["site"] for edge in edges], ["dublin", "dublin", "new-york"])
        self.assertEqual(edges[0]["id"], "00000000-0000-4000-8000-000000000001")
        self.assertEqual((edges[0]["name"], edges[0]["host"]), ("edge01", "edge01.edges.test"))
        self.assertEqual((edges[0]["site"], edges[0]["timeZone"]), ("dublin", "Europe/Dublin"))

    def test_of_a_certificate_verifies_for_loopback_only(self) -> None:
        authority = certificates.Authority(self.root, "ca")
        authority.create()
        authority.issue_server("server", ["localhost"], ["127.0.0.1"])
        for check, expected in ((["-verify_ip", "127.0.0.1"], 0), (["-verify_hostname", "localhost"], 0), (["-verify_ip", "127.0.0.2"], 2)):
            command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *check, "-CAfile", str(authority.certificate), str(self.root / "server.crt")]
            self.assertEqual(subprocess.run(command, capture_output=True, check=False).returncode, expected, check)
        self.assertEqual(authority.key.stat().st_mode & 0o077, 0)

    def test_settings_survive_their_file(self) -> None:
        settings = some_settings("/sim")
        settings.edges = lifecycle.fleet(1, {"sip-1": 11})
        self.assertEqual(folders.Settings.from_json(settings.to_json()), settings)


class ReadyLine(unittest.TestCase):
    def test_is_found_among_other_output(self) -> None:
        said = genesys_sim.parse_ready_line('starting\n{"level": "info"}\n{not json}\n{"ready": true, "api": 1, "control": 2}\n')
        self.assertEqual(said, genesys_sim.SimulatorPorts(api=1, login=1, control=2, cloud=None))

    def test_is_not_read_before_it_is_whole(self) -> None:
        self.assertIsNone(genesys_sim.parse_ready_line('{"ready": true, "api": 1, "control": 2}'))

    def test_without_a_needed_port_is_an_error_that_names_it(self) -> None:
        with self.assertRaisesRegex(folders.StackError, "control"):
            genesys_sim.parse_ready_line('{"ready": true, "api": 1}\n')


class DnsProbe(unittest.TestCase):
    GOOD = bytes.fromhex("0007 8400 0001 0001 0000 0000")

    def test_asks_for_the_soa(self) -> None:
        expected = bytes.fromhex("0007 0000 0001 0000 0000 0000") + b"\x05edges\x04test\x00" + bytes.fromhex("0006 0001")
        self.assertEqual(probes.soa_query("edges.test.", 7), expected)

    def test_believes_an_authoritative_answer_alone(self) -> None:
        self.assertTrue(probes.is_authoritative_answer(self.GOOD, 7))
        bad = {"other id": "0008 8400 0001 0001", "a query": "0007 0400 0001 0001", "not authoritative": "0007 8000 0001 0001", "refused": "0007 8405 0001 0001", "empty": "0007 8400 0001 0000"}
        for name, head in bad.items():
            self.assertFalse(probes.is_authoritative_answer(bytes.fromhex(head) + bytes(4), 7), name)
        self.assertFalse(probes.is_authoritative_answer(self.GOOD[:11], 7))


class Folders(TemporaryFolder):
    def test_of_others_is_refused_and_untouched(self) -> None:
        (self.root / "thesis.txt").write_text("mine")
        folder = folders.Folder(self.root)
        with folder.locked(self.fail), self.assertRaisesRegex(folders.StackError, "thesis.txt"):
            folder.create()
        self.assertEqual([entry.name for entry in self.root.iterdir()], ["thesis.txt"])

    def test_keeps_what_was_put_into_it(self) -> None:
        folder = folders.Folder(self.root / "stack")
        with folder.locked(self.fail):
            folder.create()
            folder.save(some_settings())
            (folder.path / "notes.txt").write_text("mine")
            self.assertEqual(folder.remove(), ["notes.txt"])
        self.assertEqual([entry.name for entry in folder.path.iterdir()], ["notes.txt"])

    def test_is_gone_when_nothing_came_to_be_in_it(self) -> None:
        folder = folders.Folder(self.root / "stack")
        with folder.locked(self.fail):
            self.assertTrue(folder.path.exists())
        self.assertFalse(folder.path.exists())

    def test_lock_holds_off_a_second_command_even_when_the_first_removes_the_folder(self) -> None:
        folder = folders.Folder(self.root / "stack")
        script = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from folder import Folder
folder = Folder(Path({str(folder.path)!r}))
with folder.locked(lambda line: print(line, flush=True)):
    print("holds the folder:", folder.path.exists(), flush=True)
"""
        with folder.locked(self.fail):
            folder.create()
            folder.save(some_settings())
            second = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
            self.addCleanup(second.wait)
            self.addCleanup(second.kill)
            assert second.stdout is not None
            self.addCleanup(second.stdout.close)
            self.assertIn("waiting", second.stdout.readline())
            folder.remove()
        self.assertEqual(second.stdout.readline(), "holds the folder: True\n")
        self.assertEqual(second.wait(), 0)
        self.assertFalse(folder.path.exists())

    def test_settings_of_another_version_are_an_error_not_a_crash(self) -> None:
        folder = folders.Folder(self.root)
        folder.settings_file.write_text('{"edges": [], "colour": "blue"}')
        with self.assertRaisesRegex(folders.StackError, "another version"):
            folder.load()


class Runner(unittest.TestCase):
    def test_gives_a_signal_to_the_command_even_while_that_is_being_started(self) -> None:
        start = subprocess.Popen

        def start_and_be_signalled(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
            child = start(*arguments, **named)
            os.kill(os.getpid(), signal.SIGTERM)
            return child

        with mock.patch.object(subprocess, "Popen", start_and_be_signalled):
            self.assertEqual(runner.run_command(["sleep", "600"], dict(os.environ)), 128 + signal.SIGTERM)

    def test_tells_of_a_command_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(folders.StackError, "no-such-command cannot be run"):
            runner.run_command(["no-such-command"], dict(os.environ))


class Tools(unittest.TestCase):
    def test_a_node_is_of_the_version_of_its_api_server(self) -> None:
        modules = [(HERE / "tools" / name / "go.mod").read_text() for name in ("kubernetes", "node")]
        versions = [{line.strip() for line in module.splitlines() if line.strip().startswith("k8s.io/kubernetes v")} for module in modules]
        self.assertEqual((len(versions[0]), versions[1]), (1, versions[0]))
        self.assertEqual(*[(HERE / "tools" / name / "ldflags").read_text() for name in ("kubernetes", "node")])


class PortClash(unittest.TestCase):
    def start(self, logs: list[str]) -> tuple[bool, int]:
        """A start whose attempts fail with these logs, and then would succeed: whether it came up, and how often what had started was ended."""
        component = mock.Mock()
        failures = [launcher.ComponentFailed(component, "ended", log) for log in logs]
        with (
            mock.patch.object(lifecycle, "start_new", side_effect=[*failures, None]),
            mock.patch.object(launcher, "stop_all") as ended,
            mock.patch.object(lifecycle, "tell"),
        ):
            try:
                lifecycle.start_on_free_ports(mock.Mock(), None, 0)
            except launcher.ComponentFailed:
                return False, ended.call_count
            return True, ended.call_count

    def test_is_answered_by_other_ports(self) -> None:
        self.assertEqual(self.start(["listen tcp: bind: address already in use", "creating IPv4 interface lo failed: address in use"]), (True, 2))

    def test_is_not_answered_without_end(self) -> None:
        self.assertEqual(self.start(["address already in use"] * 3), (False, 2))

    def test_is_told_from_other_failures(self) -> None:
        self.assertEqual(self.start(["no such file"]), (False, 0))


if __name__ == "__main__":
    unittest.main()
