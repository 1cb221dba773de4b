"""Machines of Edges: the stand-in of tests/support/edge_host, each with an SSH server, a pin file and a service that really connects to the cloud endpoint.

Each has a mount namespace of its own, which takes root: `needs_machines` skips a test where there can be none.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from authority import Authority
from proxy import Listener

PROGRAM = Path(__file__).resolve().parents[2] / "support" / "edge_host" / "edge-host"
SECURITY = "/etc/purecloud/edge/conf/security"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

WHY_NOT = subprocess.run([PROGRAM, "--why-not"], check=True, capture_output=True, text=True).stdout.strip()
needs_machines = unittest.skipIf(WHY_NOT, WHY_NOT)


class EdgeMachine:
    """`endpoint`: where its service connects to (host, port, serverName, and perhaps online: see bin/purecloud-edge); without one the service only says that it runs.
    `roots`: CA certificates of its trust store, which has no others. `sshd_config`: lines that come before all others, and win. `keys`: a machine that has the same."""

    def __init__(self, folder: Path, endpoint: dict[str, Any] | None = None, roots: str = "", sshd_config: str = "", keys: EdgeMachine | None = None) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        if keys is not None:
            shutil.copytree(keys.folder / "keys", folder / "keys")
        (folder / "anchors").mkdir()
        (folder / "sshd_config.extra").write_text(sshd_config)
        if roots:
            (folder / "anchors" / "vendor.crt").write_text(roots)
        if endpoint is not None:
            (folder / "state" / "endpoint").write_text(json.dumps({"bundle": BUNDLE} | endpoint))
        with (folder / "machine.log").open("wb") as log:
            self.process = subprocess.Popen([str(PROGRAM), str(folder)], env=os.environ | {"EDGE_HOST_KEYS": "ed25519"}, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        if words[:1] != ["ready"]:
            raise AssertionError("the machine of an Edge does not start: " + (folder / "machine.log").read_text())
        self.port, self.pid = int(words[1]), words[2]
        self.root = Path(f"/proc/{self.pid}/root")
        if roots:
            self.run("update-ca-certificates --fresh")
        self.run("systemctl restart purecloud-edge")
        (self.state / "restarts").unlink()

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def run(self, command: str) -> str:
        """A shell's command line on the machine, as root."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(["nsenter", "-t", self.pid, "-m", "-r", "sh", "-c", f"cd /; {command}"], capture_output=True, text=True, env={"PATH": path}, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    # --- for spec.ssh

    @property
    def login_key(self) -> str:
        return (self.folder / "keys/login").read_text()

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "keys/host_ed25519.pub").read_text().split()[:2])

    def ssh(self, secret: str, key: str = "ssh-privatekey", **more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "user": "root", "privateKeyRef": {"name": secret, "key": key}, "hostKeys": [self.host_key], **more}

    # --- the pin file

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def security(self) -> Path:
        return Path(str(self.root) + SECURITY)

    @property
    def file(self) -> Path:
        return self.security / "pinning-config.json"

    def text(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def document(self) -> Any:
        return json.loads(self.text() or "null")

    def pins(self) -> set[str]:
        """The fingerprints that the file accepts, as it writes them; none where it is switched off."""
        pinning = (self.document() or {}).get("certificatePinning", {})
        return {pin["fingerprint"] for pin in pinning.get("fingerprints", [])} if pinning.get("enabled") else set()

    def mode(self) -> str:
        facts = self.file.stat()
        return f"{facts.st_uid}:{facts.st_gid} {facts.st_mode & 0o7777:o}"

    def put(self, text: str) -> None:
        """As an admin would, who edits it by hand."""
        self.file.write_text(text)
        self.file.chmod(0o600)

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.security.iterdir() if path.name != self.file.name)

    @contextlib.contextmanager
    def bad_disk(self, how: str) -> Iterator[None]:
        """`full` or `read-only`, for as long as it is held; the file that is there stays."""
        text = self.text()
        self.run(f"mount -t tmpfs -o size=16k,mode=755 tmpfs {SECURITY}")
        try:
            if text:
                self.put(text)
            self.run(f"dd if=/dev/zero of={SECURITY}/filler bs=1k count=64 2>/dev/null || :" if how == "full" else f"mount -o remount,ro {SECURITY}")
            yield
        finally:
            self.run(f"umount -l {SECURITY}")

    # --- the service

    def restarts(self) -> int:
        log = self.state / "restarts"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def service(self) -> dict[str, Any]:
        """What its service says since its last start: pinned, connected, trouble, handshakes, failed. Empty: nothing yet."""
        try:
            return json.loads((self.state / "service.json").read_text())
        except FileNotFoundError:
            return {}

    def refusals(self) -> list[str]:
        """Why its service's handshakes have failed, each of them and whenever it was started."""
        log = self.state / "failures"
        return log.read_text().splitlines() if log.exists() else []

    def break_service(self, broken: bool = True) -> None:
        """It does not come up at its next start."""
        (self.state / "broken").touch() if broken else (self.state / "broken").unlink(missing_ok=True)

    def reboot(self) -> None:
        """What that does to its service, its timers and /run; SSH stays."""
        self.run("edge-reboot")

    def is_armed(self) -> bool:
        """Whether the timer that restores the previous file runs."""
        return (self.state / "timer").exists() or (self.state / "restoring").exists()

    # --- the clock

    def clock(self, offset: float | None, synchronised: bool = True) -> None:
        """What chrony says of it: so many seconds off. None: there is no chrony."""
        file = self.state / "tracking"
        if offset is None:
            file.unlink(missing_ok=True)
            return
        source = "C0000201,192.0.2.1,3" if synchronised else "00000000,,0"
        file.write_text(f"{source},{time.time():.9f},{offset:.9f},0.0,0.0,-1.0,0.0,0.1,0.01,0.001,64.2,{'Normal' if synchronised else 'Not synchronised'}\n")

    # --- the network

    def trusts(self, certificate: str) -> bool:
        """Whether that CA certificate (PEM) is among those that its programs trust."""
        return certificate.strip() in Path(str(self.root) + BUNDLE).read_text()

    def anchors(self) -> list[str]:
        """The files of its trust store that are ours."""
        return sorted(path.name for path in (self.folder / "anchors").glob("edgetrust-*"))

    def resolve(self, name: str, address: str) -> None:
        """From now on the name has that address there."""
        hosts = self.root / "etc/hosts"
        others = [line for line in hosts.read_text().splitlines() if name not in line.split()[1:]]
        hosts.write_text("\n".join([f"{address} {name}", *others]) + "\n")

    def sessions(self) -> int:
        """How often somebody has logged in."""
        return (self.folder / "sshd.log").read_text().count("Accepted publickey")

    def hang(self, hanging: bool = True) -> None:
        """Its SSH server accepts connections and says nothing."""
        for process in self._servers():
            os.kill(process, signal.SIGSTOP if hanging else signal.SIGCONT)

    def _servers(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if "sshd" in Path(f"/proc/{child}/comm").read_text()]


class Reader:
    """Opens the pin file again and again, as whoever reads it on the Edge would, until it is closed: each time it must be there, whole and private."""

    def __init__(self, machine: EdgeMachine) -> None:
        self.machine = machine
        self.reads = 0
        self.documents: list[str] = []  # each text that was seen, in the order in which they came
        self.problems: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        file = self.machine.file
        while not self._over.wait(0.001):
            try:
                with file.open() as opened:
                    facts = os.fstat(opened.fileno())
                    text = opened.read()
                if (facts.st_uid, facts.st_gid, facts.st_mode & 0o7777) != (0, 0, 0o600):
                    self.problems.append(f"mode {facts.st_mode:o}")
                if not self.documents or self.documents[-1] != text:
                    json.loads(text)
                    self.documents.append(text)
            except (OSError, ValueError) as error:
                self.problems.append(str(error))
            self.reads += 1


class InspectingProxy(Listener):
    """Ends TLS with a certificate of its own CA and carries what is said on: what an inspecting proxy does. Listens on the endpoint's port of another loopback address, so
    that a machine whose name service says so reaches it in place of the endpoint."""

    ADDRESS = "127.0.0.66"

    def __init__(self, folder: Path, host: str, port: int) -> None:
        folder.mkdir()
        self.authority = Authority(folder)
        issued = self.authority.issue(host)
        (folder / "leaf.pem").write_text(issued.key + issued.chain)
        self.leaf = issued.leaf
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "leaf.pem")
        self.upstream = ssl.create_default_context()
        self.upstream.check_hostname, self.upstream.verify_mode = False, ssl.CERT_NONE
        self.port = port
        super().__init__((self.ADDRESS, port))

    def serve(self, client: socket.socket) -> None:
        with self.context.wrap_socket(client, server_side=True) as near, socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
            with self.upstream.wrap_socket(plain) as far:
                back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
                back.start()
                self._carry(near, far)
                back.join()

    @staticmethod
    def _carry(source: ssl.SSLSocket, sink: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
