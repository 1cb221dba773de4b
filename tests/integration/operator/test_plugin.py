"""`kubectl edgetrust`: the plugin as kubectl runs it, against the operator at work."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import ALWAYS_OPEN, PATIENT, OperatorTest, env, wait_for

SOURCE = Path(__file__).resolve().parents[3]


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Running:
    """A program and what it prints, as it comes: into a pipe, or on a terminal at which one can type."""

    def __init__(self, words: list[str], variables: dict[str, str], on_terminal: bool) -> None:
        self.ours, its = pty.openpty() if on_terminal else os.pipe()
        ends: dict[str, Any] = {"stdin": its, "stderr": its, "start_new_session": True} if on_terminal else {"stdin": subprocess.DEVNULL}
        self.process = subprocess.Popen(words, env=variables, stdout=its, **ends)
        os.close(its)
        self.unread = b""

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def read(self, seconds: float = 60) -> bool:
        """Waits for more; no when it has ended."""
        if not select.select([self.ours], [], [], max(0.0, seconds))[0]:
            raise AssertionError(f"it prints no more, and has printed {self.unread!r}")
        try:
            more = os.read(self.ours, 65536)
        except OSError:  # EIO: nobody has the other end of the terminal any more
            more = b""
        self.unread += more
        return more != b""

    def says(self, what: str) -> str:
        """What it prints up to that, and that."""
        deadline = time.monotonic() + 90
        while what.encode() not in self.unread:
            if not self.read(deadline - time.monotonic()):
                raise AssertionError(f"it ended without {what!r}: {self.unread!r}")
        before, found, self.unread = self.unread.partition(what.encode())
        return (before + found).decode()

    def rest(self) -> str:
        """What it prints until it ends."""
        while self.read():
            pass
        rest, self.unread = self.unread.decode(), b""
        return rest


class PluginTest(OperatorTest):
    def path(self) -> dict[str, str]:
        folders = [str(Path(env("KUBECTL_EDGETRUST")).parent), str(SOURCE / "controller" / "plugin"), os.environ["PATH"]]
        return os.environ | {"PATH": ":".join(folders)}

    def ask(self, *words: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["kubectl", "edgetrust", *words, "-n", self.namespace], env=self.path() | (variables or {}), capture_output=True, text=True, timeout=120, check=False)

    def start(self, *words: str, variables: dict[str, str] | None = None, on_terminal: bool = False) -> Running:
        return self.run_program(["kubectl", "edgetrust", *words, "-n", self.namespace], variables or {}, on_terminal)

    def run_program(self, words: list[str], variables: dict[str, str], on_terminal: bool) -> Running:
        running = Running(words, self.path() | variables, on_terminal)
        self.addCleanup(running.end)
        return running

    def grant(self, who: str, role: str, rules: list[dict[str, list[str]]]) -> None:
        metadata = {"name": role, "namespace": self.namespace}
        self.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": who, "namespace": self.namespace}
        of = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
        self.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata, "subjects": [subject], "roleRef": of})

    def somebody(self, who: str) -> dict[str, str]:
        """The environment of somebody who has no rights yet."""
        self.kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": who, "namespace": self.namespace}})
        user = {"name": who, "user": {"token": self.kube.token(self.namespace, who)}}
        context = {"name": who, "context": {"cluster": self.kube.cluster["name"], "user": who}}
        config = self.folder / f"{who}.json"
        config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": who, "clusters": [self.kube.cluster], "users": [user], "contexts": [context]}))
        return {"KUBECONFIG": str(config)}

    def told(self, *words: str) -> str:
        done = self.ask(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"{words}\n{done.stdout}")
        return done.stdout

    def document(self, *words: str) -> Any:
        return json.loads(self.told(*words, "-o", "json"))

    def refused(self, *words: str) -> str:
        done = self.ask(*words)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def assert_in_order(self, words: Iterable[str], text: str) -> None:
        at = 0
        for word in words:
            found = text.find(word, at)
            self.assertGreaterEqual(found, 0, f"{word} does not come after what is before it in\n{text}")
            at = found


class Looking(PluginTest):
    def test_a_fleet_and_a_rotation_are_shown_as_they_go(self) -> None:
        edge = self.sim.add_edges(1)[0]
        self.make_edge(edge, site="dublin")
        watch = self.start("list", "--watch")
        self.assertEqual(watch.says("\n"), "No EdgeCertificates found.\n")
        self.make_certificate(edge)
        self.wait_phase(edge.name, "Ready", 1)
        seen = next(line for line in iter(lambda: watch.says("\n"), "") if line.split()[:4] == [edge.name, edge.name, "True", "Ready"])
        self.assertIn("[####################]", seen, "its life has just begun")

        status = self.status(edge.name)
        table = self.told("list", "-o", "wide")
        self.assertIn(status["serialNumber"], table)
        self.assertIn("dublin", table)
        self.assertNotIn("\x1b", table, "no colours where no terminal is")
        self.assertIn("\x1b[32m", self.told("list", "--color", "always"))
        [row] = self.document("list")["certificates"]
        self.assertEqual((row["name"], row["ready"], row["notAfter"]), (edge.name, "True", status["notAfter"]))
        self.assertIn(f"name: {edge.name}", self.told("list", "-o", "yaml"))
        self.assertIn(self.namespace, self.told("list", "-A"))

        wait_for("the Event of the proof is there", lambda: any(moment["what"] == "Rotated" for moment in self.document("status", edge.name)["happened"]))

        def told_until_its_renewal() -> str | None:
            renewal = self.status(edge.name)["renewalTime"]  # which the CA may bring forward in between
            text = self.told("status", edge.name)
            return text if f"the renewal, until {renewal}" in text else None

        text = wait_for("the renewal is told", told_until_its_renewal)
        self.assert_in_order(["Phase    Ready", "WHAT HAPPENED", "Delivering", "Installed", "Rotated", "WAITS FOR", "the renewal, until "], text)
        self.assertIn("1 of 1 EdgeCertificates", self.told("status"))
        self.assertIn(f"SHA-256  {self.status(edge.name)['fingerprintSha256']}\n", self.told("status", edge.name, "-o", "wide"))

        self.assertIn(f'there is no EdgeCertificate "{edge.name}x" in namespace {self.namespace}; did you mean {edge.name}?', self.refused("status", edge.name + "x"))

    def test_a_plan_is_the_operators_own(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        plan = self.document("plan", "--until", "90d")
        self.assertEqual([(r["certificate"], r["revision"]) for r in plan["rotations"]][:1], [(edge.name, 2)])
        self.assertTrue(self.told("plan", "--until", "90d", "-o", "ics").startswith("BEGIN:VCALENDAR"))
        self.assertIn("is no time to come", self.refused("plan", "--until", "soon"))

    def test_what_a_secret_holds_is_shown_without_its_key(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.serving(edge.name)
        text = self.told("inspect", "secret", f"{edge.name}-tls")
        self.assertIn("Private key  fits the certificate", text)
        self.assertIn(f"EdgeCertificate {edge.name} (spec.secretName", text)
        self.assertIn(edge.host, text)
        view = self.document("inspect", "secret", f"{edge.name}-tls")
        self.assertEqual(view["chain"][0]["fingerprintSha256"], self.status(edge.name)["fingerprintSha256"])
        for secret in (text, json.dumps(view)):
            self.assertNotIn("PRIVATE", secret)
        self.assertIn(f"did you mean {edge.name}-tls", self.refused("inspect", "secret", f"{edge.name}-tsl"))


class Asking(PluginTest):
    def test_renew_roll_back_hold_and_suspend(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        self.assertIn("nothing to return to", self.refused("rollback", edge.name))
        self.assertIn("renew", self.refused("rotate", edge.name))
        self.assertIn("waits for an approval", self.refused("approve", edge.name))
        self.assertIn("asked for a new certificate", self.told("renew", edge.name))
        self.wait_phase(edge.name, "Ready", 2)

        self.assertIn("revision 1 is put back at once", self.told("rollback", edge.name))
        status = self.wait_phase(edge.name, "RolledBack")
        self.assertEqual(status["revision"], 1)

        self.assertIn("held EdgeCertificate", self.told("hold", edge.name, "--until", "2h", "--reason", "vendor call"))
        self.wait_phase(edge.name, "Held")
        [wait] = self.document("status", edge.name)["waitsFor"]
        self.assertEqual((wait["what"], wait["command"]), ("the end of the hold", f"kubectl edgetrust hold {edge.name} -n {self.namespace} --release"))
        self.assertIn("--release` first", self.refused("renew", edge.name))
        self.assertIn("--until is missing", self.refused("hold", edge.name))
        self.told("hold", edge.name, "--release")
        wait_for("it is held no longer", lambda: self.status(edge.name)["phase"] != "Held")

        self.told("suspend", edge.name)
        self.wait_phase(edge.name, "Held")
        self.assertTrue(self.certificate(edge.name)["spec"]["suspend"])
        self.assertIn("suspended already", self.refused("suspend", edge.name))
        self.told("resume", edge.name)
        wait_for("it goes on", lambda: self.status(edge.name)["phase"] != "Held")
        self.assertIn("RotationPolicy", self.refused("resume", "--policy", "default"))


class Approving(PluginTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "approval": {"required": True}}

    def test_an_approval_says_who_gave_it(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "AwaitingApproval")
        [wait] = self.document("status", edge.name)["waitsFor"]
        self.assertEqual(wait["what"], "an approval of revision 1")
        self.assertIn("not 2", self.refused("approve", edge.name, "--revision", "2"))
        self.assertIn("approved revision 1", self.told("approve", edge.name, "--change", "CHG0045123"))
        [entry] = self.wait_phase(edge.name, "Ready", 1)["history"]
        me = json.loads(subprocess.run(["kubectl", "auth", "whoami", "-o", "json"], capture_output=True, check=True).stdout)
        self.assertEqual((entry["change"], entry["approvedBy"]), ("CHG0045123", me["status"]["userInfo"]["username"]))


class Frozen(PluginTest):
    policy = {"windows": ALWAYS_OPEN, "observe": PATIENT, "freezes": [{"name": "black-friday", "from": in_hours(-1), "to": in_hours(48), "reason": "CHG0041"}]}

    def test_a_freeze_is_told_with_its_end(self) -> None:
        edge = self.new_edge()
        wait_for("the freeze is said", lambda: self.condition(self.certificate(edge.name), "Ready").get("reason") == "Frozen")
        [wait] = self.document("status", edge.name)["waitsFor"]
        self.assertEqual((wait["what"], wait["until"]), ("the end of the freeze black-friday (CHG0041)", self.policy["freezes"][0]["to"]))


class Pins(PluginTest):
    def test_pins_override_and_what_breaks_the_glass(self) -> None:
        ssh = {"host": "10.0.0.5", "port": 2222, "user": "root", "privateKeyRef": {"name": "k", "key": "k"}, "hostKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
        self.make_edge(self.sim.add_edges(1)[0], "edge01", ssh=ssh)
        host, port = env("STACK_CLOUD_ADDR").split(":")
        self.make("PinPolicy", "cloud", {"endpoint": {"host": host, "port": int(port)}, "edges": ["edge01"], "pins": {"static": ["AA:" * 31 + "AA"]}})
        wait_for("it is looked at", lambda: self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}).get("observedGeneration") == 1)
        self.assertIn(f"{host}:{port}", self.told("pins"))
        self.assertIn("CONDITIONS", self.told("pins", "cloud"))
        wait_for("the Edge is counted by its state", lambda: "0/1 match; 1 " in self.told("pins", "cloud", "-o", "wide"))
        self.assertIn("0/1 match\n", self.told("pins", "cloud"))
        self.assertIn("did you mean cloud?", self.refused("pins", "clod"))

        self.assertIn("wants a reason", self.refused("override", "cloud", "--until", "1h"))
        self.told("override", "cloud", "--until", "1h", "--reason", "a proxy inspects")
        self.assertEqual(self.kube.get("PinPolicy", self.namespace, "cloud")["spec"]["emergencyOverride"]["reason"], "a proxy inspects")
        self.assertIn("Override until", self.told("pins", "cloud"))
        self.told("override", "cloud", "--end")
        self.assertNotIn("emergencyOverride", self.kube.get("PinPolicy", self.namespace, "cloud")["spec"])

        page = self.told("breakglass", "edge01")
        self.assertIn("  ssh -p 2222 root@10.0.0.5\n", page)
        self.assertIn(f"  kubectl edgetrust override cloud -n {self.namespace} --until ", page)


class Watching(PluginTest):
    def who_reads(self, kind: str, command: str) -> dict[str, str]:
        """The environment of one who may read that kind alone, which is what the command shows: to watch another one is refused."""
        who = self.somebody("reader")
        self.grant("reader", kind, [{"apiGroups": ["edgetrust.io"], "resources": [kind], "verbs": ["get", "list", "watch"]}])
        wait_for("what was granted holds", lambda: self.ask(command, variables=who).returncode == 0, 20)
        return who

    def test_a_rotation_is_printed_again_as_it_goes_on(self) -> None:
        edge = self.new_edge(suspend=True)
        self.wait_phase(edge.name, "Held")
        who = self.who_reads("edgecertificates", "status")
        one, all_of_them = self.start("status", edge.name, "--watch", variables=who), self.start("status", "--watch", variables=who)
        shown = one.says("Phase    Held, Suspended") + all_of_them.says("0 of 1 EdgeCertificates")
        self.told("resume", edge.name)
        shown += one.says("Phase    Ready\n") + all_of_them.says("1 of 1 EdgeCertificates")
        self.assertNotIn("\x1b", shown, "a pipe is no screen that could be cleared")

    def test_pins_are_printed_again_when_they_change(self) -> None:
        edge = self.sim.add_edges(1)[0]
        self.make_edge(edge)
        host, port = env("STACK_CLOUD_ADDR").split(":")
        self.make("PinPolicy", "cloud", {"endpoint": {"host": host, "port": int(port)}, "edges": [edge.name], "pins": {"static": ["AA:" * 31 + "AA"]}})
        wait_for("it is looked at", lambda: self.kube.get("PinPolicy", self.namespace, "cloud").get("status", {}).get("observedGeneration") == 1)
        who = self.who_reads("pinpolicies", "pins")
        one, all_of_them = self.start("pins", "cloud", "--watch", variables=who), self.start("pins", "--watch", variables=who)
        one.says("PinPolicy ")
        all_of_them.says("cloud ")
        self.told("override", "cloud", "--until", "1h", "--reason", "a proxy inspects")
        one.says(": a proxy inspects\n")
        until = wait_for("the operator says until when", lambda: self.kube.get("PinPolicy", self.namespace, "cloud")["status"].get("override"))
        all_of_them.says(until)


class Doctor(PluginTest):
    def findings(self, *words: str) -> tuple[int, dict[tuple[str, str], dict[str, str]]]:
        done = self.ask("doctor", "-o", "json", *words)
        self.assertEqual(done.stderr, "")
        return done.returncode, {(finding["area"], finding["subject"]): finding for finding in json.loads(done.stdout)["findings"]}

    def test_it_finds_what_is_wrong_and_nothing_else(self) -> None:
        edge = self.new_edge()
        self.wait_phase(edge.name, "Ready", 1)
        wait_for("the Edge is looked at", lambda: self.kube.get("Edge", self.namespace, edge.name).get("status", {}).get("observedGeneration") == 1)
        wait_for("the connection is ready", lambda: self.condition(self.kube.get("GenesysConnection", self.namespace, "prod"), "Ready").get("status") == "True")
        status, found = self.findings()
        self.assertEqual(status, 0, json.dumps(list(found.values()), indent=1))
        for area, subject in (("cluster", "edgetrust.io/v1alpha1"), ("clock", "this machine"), ("permissions", "you"), ("permissions", f"{self.namespace}:edgetrust"), ("issuer", "AcmeIssuer pebble"), ("genesys", "GenesysConnection prod"), ("edge", f"Edge {edge.name}"), ("dns", edge.host)):
            self.assertEqual(found[(area, subject)]["verdict"], "ok", found[(area, subject)])

        self.kube.patch("GenesysConnection", self.namespace, "prod", {"spec": {"certificateUpload": None}})
        self.wait_condition("GenesysConnection", "prod", "EndpointsAvailable", "False")
        [endless] = [finding for finding in json.loads(self.ask("doctor", "-o", "json").stdout)["findings"] if "EndpointsAvailable" in finding["what"]]
        self.assertIn("NoDeliveryChannel", endless["what"])
        self.assertEqual(endless["todo"], "set spec.certificateUpload", "no permission is missing")

        self.kube.patch("AcmeIssuer", self.namespace, "pebble", {"spec": {"caBundleRef": None}})
        self.operator.stop()
        self.kube.patch("Edge", self.namespace, edge.name, {"spec": {"sip": {"port": 1}}})
        self.kube.delete("RoleBinding", self.namespace, "edgetrust")
        status, found = self.findings()
        self.assertEqual(status, 2)
        self.assertEqual(found[("issuer", "AcmeIssuer pebble")]["verdict"], "wrong", "its CA is a private one")
        self.assertEqual(found[("edge", f"Edge {edge.name}")]["verdict"], "wrong")
        self.assertEqual(found[("permissions", f"{self.namespace}:edgetrust")]["verdict"], "wrong")
        self.assertTrue(any("no operator has looked" in finding["what"] for finding in found.values()))
        table = self.ask("doctor").stdout
        self.assertTrue(table.startswith("wrong"), "what is wrong comes first")

    def test_it_asks_for_the_role_of_a_lease_that_is_elsewhere(self) -> None:
        home = f"{self.namespace}-home"
        self.kube.create_namespace(home)
        account = f"{home}:edgetrust"
        subject = {"kind": "ServiceAccount", "name": "edgetrust", "namespace": home}

        def said(*words: str) -> list[tuple[str, str]]:
            done = self.ask("doctor", "-o", "json", "--service-account", account, *words)
            self.assertEqual(done.stderr, "")
            return [(finding["verdict"], finding["what"]) for finding in json.loads(done.stdout)["findings"] if (finding["area"], finding["subject"]) == ("permissions", account)]

        lacks = [("warning", f"may not create leases.coordination.k8s.io in {home}"), ("warning", f'may not get, patch leases.coordination.k8s.io "edgetrust" in {home}')]
        self.assertEqual([one for one in said() if one[1].endswith(f"in {home}")], lacks)
        metadata = {"name": "edgetrust", "namespace": home}
        rules = [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]}, {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["edgetrust"], "verbs": ["get", "patch"]}]
        self.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules})
        self.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata, "subjects": [subject], "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "edgetrust"}})
        wait_for("what was granted holds", lambda: ("ok", f"may do what it takes to lead in {home}") in said(), 20)
        self.assertEqual([verdict for verdict, what in said("--leader-elect-namespace", "default") if what.endswith("in default")], ["warning", "warning"])

    def test_it_asks_for_the_verbs_of_the_admission_policies_too(self) -> None:
        """As somebody who may edit, and then as somebody who may approve and override as well."""
        ada = self.somebody("ada")

        def missing() -> list[str]:
            done = self.ask("doctor", "-o", "json", variables=ada)
            self.assertEqual(done.stderr, "")
            about_rights = [finding for finding in json.loads(done.stdout)["findings"] if (finding["area"], finding["subject"]) == ("permissions", "you")]
            return [finding["what"] for finding in about_rights if finding["verdict"] == "warning"]

        self.grant(
            "ada",
            "editor",
            [
                {"apiGroups": ["edgetrust.io"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch"]},
                {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["list"]},
                {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
            ],
        )
        self.assertEqual(missing(), [f"may not {verb} {kind}.edgetrust.io in {self.namespace}" for verb, kind in (("approve", "edgecertificates"), ("override", "pinpolicies"))])
        rule = lambda verb, kind: {"apiGroups": ["edgetrust.io"], "resources": [kind], "verbs": [verb]}
        self.grant("ada", "leader", [rule("approve", "edgecertificates"), rule("override", "pinpolicies")])
        wait_for("what was granted holds", lambda: missing() == [], 20)


class Connecting(PluginTest):
    start_operator = False

    def test_credentials_may_come_from_a_program(self) -> None:
        program = self.folder / "login"
        answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": self.token}}
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
        program.chmod(0o755)
        config = json.loads(Path(self.operator.kubeconfig).read_text())
        config["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never"}}
        file = self.folder / "exec.json"
        file.write_text(json.dumps(config))
        for how in ({"KUBECONFIG": str(file)}, {}):
            done = self.ask("list", *([] if how else ["--kubeconfig", str(file)]), variables=how)
            self.assertEqual((done.returncode, done.stdout), (0, "No EdgeCertificates found.\n"), done.stderr)
        self.assertIn('there is no context "nowhere"', self.refused("list", "--context", "nowhere"))
        program.write_text("#!/bin/sh\nexit 1\n")
        done = self.ask("list", "--kubeconfig", str(file))
        self.assertEqual(done.returncode, 1)
        self.assertIn("login failed", done.stderr)

    def test_kubectl_completes_commands_and_names(self) -> None:
        self.make("EdgeCertificate", "edge01", {"edgeRef": {"name": "edge01"}, "issuerRef": {"name": "pebble"}, "dnsNames": ["a.example"]})
        complete = lambda *words: subprocess.run(["kubectl", "__complete", "edgetrust", *words], env=self.path(), capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(complete("ro"), ["rotate", "rollback", ":4"])
        self.assertEqual(complete("status", "-n", self.namespace, ""), ["edge01", ":4"])
        self.assertIn(self.namespace, complete("status", "-n", self.namespace[:8]))

    def test_bash_zsh_and_fish_complete_commands_and_names(self) -> None:
        self.make("EdgeCertificate", "edge01", {"edgeRef": {"name": "edge01"}, "issuerRef": {"name": "pebble"}, "dnsNames": ["a.example"]})
        home = {"HOME": str(self.folder)}
        command, name = "kubectl-edgetrust sta", f"kubectl-edgetrust status -n {self.namespace} "

        bash = "source <(kubectl-edgetrust completion bash)\n" + "".join(
            f"COMP_WORDS=({words}); COMP_CWORD={at}; _kubectl_edgetrust; echo \"${{COMPREPLY[*]}}\"\n" for words, at in ((command, 1), (name + "''", 4))
        )
        self.assertEqual(subprocess.run(["bash", "--norc", "-c", bash], env=self.path() | home, capture_output=True, text=True, check=True).stdout, "status\nedge01\n")

        fish = "kubectl-edgetrust completion fish | source\n" + "".join(f"complete --do-complete '{words}'\n" for words in (command, name))
        self.assertEqual(subprocess.run(["fish", "--no-config", "-c", fish], env=self.path() | home, capture_output=True, text=True, check=True).stdout, "status\nedge01\n")

        # Its line editor wants a terminal. One that is dumb is given the characters alone, and no orders to put them somewhere.
        (self.folder / ".zshrc").write_text("PS1='ready> '\nbindkey -e\nautoload -Uz compinit\ncompinit -D -u\nsource <(kubectl-edgetrust completion zsh)\n")
        zsh = self.run_program(["zsh", "-d", "-i"], home | {"ZDOTDIR": str(self.folder), "TERM": "dumb"}, on_terminal=True)
        for words, completed in ((command, "kubectl-edgetrust status "), (name, name + "edge01 ")):
            zsh.says("ready> ")
            zsh.type(words + "\t")
            zsh.says(completed)
            zsh.type("\x07")  # Ctrl-G: this line is given up, and the next begins

    def test_it_paints_on_a_terminal_and_clears_the_screen_there(self) -> None:
        certificate = {"edgeRef": {"name": "edge01"}, "issuerRef": {"name": "pebble"}, "dnsNames": ["a.example"]}
        self.make("EdgeCertificate", "edge01", certificate)
        yellow, clear = "\x1b[33m", "\x1b[H\x1b[2J"

        def on_terminal(*words: str, no_color: str = "") -> str:
            return self.start("list", *words, variables={"NO_COLOR": no_color}, on_terminal=True).rest()

        self.assertIn(yellow, on_terminal(), "no operator has looked at it yet")
        self.assertNotIn(clear, on_terminal())
        for plain in (on_terminal(no_color="1"), on_terminal("--color", "never"), self.told("list")):
            self.assertIn("edge01", plain)
            self.assertNotIn("\x1b", plain)
        for painted in (on_terminal("--color", "always", no_color="1"), self.told("list", "--color", "always")):
            self.assertIn(yellow, painted)

        on_screen = self.start("list", "--watch", variables={"NO_COLOR": "1"}, on_terminal=True)
        in_pipe = self.start("list", "--watch")
        first = on_screen.says("edge01")
        self.assertTrue(first.startswith(clear), first)
        in_pipe.says("edge01")
        self.make("EdgeCertificate", "edge02", certificate)
        self.assertEqual(on_screen.says("edge02").count("\x1b"), 2, "it is cleared once more, and no colour is set")
        self.assertNotIn("\x1b", in_pipe.says("edge02"))

    def test_its_help_and_its_mistakes(self) -> None:
        self.assertIn("breakglass", self.told("--help"))
        self.assertIn("kubectl-edgetrust", self.told("version"))
        self.assertIn("--output", self.refused("list", "-o", "ics"))
        self.assertNotEqual(self.refused(), "")
