"""A node and what makes a cluster of it: containerd, kubelet, scheduler and controllers, each a process that ends with the namespaces of `run`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "stack"), str(HERE.parent / "integration" / "operator")]
import kubernetes_access  # noqa: E402
from certificates import Authority  # noqa: E402
from folder import Folder  # noqa: E402
from harness import wait_for  # noqa: E402

FOLDER = Path(os.environ["NODE_FOLDER"])
BRIDGE, PODS, NODE_ADDRESS = "cni0", "10.99.0.0/24", "10.99.0.1"
CLUSTER_ADDRESS = "10.0.0.1"  # of the Service `kubernetes`: the first of the API server's range
NAME = NODE_ADDRESS  # no server knows a name of it
PAUSE = "edgetrust.invalid/pause"


def orders() -> int:
    """How many the CA has, as it tells itself."""
    said = re.findall(r"There are now (\d+) orders in the db", (Path(os.environ["STACK_DIR"]) / "logs" / "pebble.log").read_text())
    return int(said[-1]) if said else 0


class NotPossible(Exception):
    """The machine refused; with its words."""


def run(*command: str | Path, output: bool = True, **more: Any) -> str:
    """What it prints. Without `output` none is read: a container that it starts would hold the pipe."""
    piped = subprocess.PIPE if output else subprocess.DEVNULL
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=piped, stderr=piped, text=True, check=False, **more)
    if done.returncode != 0:
        raise NotPossible(f"{' '.join(map(str, command))} ended with {done.returncode}: {(done.stderr or done.stdout or '').strip()}")
    return done.stdout or ""


class Program:
    """A server with a log."""

    def __init__(self, *command: str | Path, log: str | None = None) -> None:
        self.name = log or Path(command[0]).name
        self.log = FOLDER / f"{self.name}.log"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def running(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.last()}")
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def last(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def written(name: str, text: str) -> Path:
    file = FOLDER / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def forward(listen: str, target: str, protocol: str = "TCP") -> Program:
    """The stack listens on loopback; the pods reach it by the node's address, as they would reach a server elsewhere. `listen`, `target`: host:port."""
    (host, port), kind = listen.rsplit(":", 1), protocol.upper()
    return Program("socat", f"{kind}4-LISTEN:{port},bind={host},fork,reuseaddr", f"{kind}4:{target}", log=f"socat-{kind}-{host}-{port}")


def started(test: unittest.TestCase, repository: str) -> Node:
    """A node with the built image, under `repository`, that ends with the test."""
    node = Node()
    test.addCleanup(node.end)
    try:
        node.start()
    except AssertionError as error:
        raise AssertionError(f"{error}\n{node.said()}") from None
    (image,) = Path(os.environ["IMAGE"]).glob("edgetrust-*.tar")
    node.take(image, repository)
    return node


class Node:
    def __init__(self) -> None:
        self.socket = FOLDER / "containerd.sock"
        self.stack = Folder(Path(os.environ["STACK_DIR"]))
        self.programs: list[Program] = []

    # --- images

    def ctr(self, *arguments: str | Path) -> str:
        return run("ctr", "--address", self.socket, "--namespace", "k8s.io", *arguments)

    def take(self, archive: Path, repository: str) -> None:
        """An image in an OCI archive, by its tag and by its digest."""
        self.ctr("images", "import", "--base-name", repository, "--digests", "--snapshotter", "overlayfs", archive)

    def make_pause_image(self) -> Path:
        layout, layer, archive = FOLDER / "pause" / "layout", FOLDER / "pause" / "layer.tar", FOLDER / "pause" / "image.tar"
        image = f"{layout}:1"
        run("tar", "--create", "--file", layer, "--directory", FOLDER / "pause" / "rootfs", "pause")
        run("umoci", "init", "--layout", layout)
        run("umoci", "new", "--image", image)
        run("umoci", "raw", "add-layer", "--image", image, layer)
        run("umoci", "config", "--image", image, "--config.entrypoint", "/pause", "--config.user", "65532:65532")
        run("tar", "--create", "--file", archive, "--directory", layout, ".")
        return archive

    # --- the node

    def start(self) -> None:
        self._containerd()
        self.take(self.make_pause_image(), PAUSE)
        server = json.loads(run("kubectl", "config", "view", "--raw", "--output=json"))["clusters"][0]["cluster"]["server"]
        # What kube-proxy does for the only Service that the pods use.
        self.programs.append(forward(f"{CLUSTER_ADDRESS}:443", urlsplit(server).netloc))
        self._controllers()
        self._kubelet(server)
        wait_for("the node is ready", self._is_ready, 120)

    def end(self) -> None:
        """The containers end with the namespaces."""
        for program in reversed(self.programs):
            program.end()

    def reachable(self, address: str, *protocols: str) -> str:
        """Where the pods find a server of loopback."""
        port = address.rsplit(":", 1)[1]
        for protocol in protocols or ("TCP",):
            self.programs.append(forward(f"{NODE_ADDRESS}:{port}", address, protocol))
        return f"{NODE_ADDRESS}:{port}"

    def _containerd(self) -> None:
        cri = 'plugins."io.containerd.grpc.v1.cri"'
        config = written(
            "containerd.toml",
            f"""version = 2
root = "{FOLDER / "containerd-root"}"
state = "{FOLDER / "containerd-state"}"
[grpc]
  address = "{self.socket}"
[{cri}]
  sandbox_image = "{PAUSE}:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [{cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [{cri}.containerd.runtimes.runc.options]
      SystemdCgroup = false
  [{cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{FOLDER / "cni"}"
""",
        )
        ipam = {"type": "host-local", "ranges": [[{"subnet": PODS, "gateway": NODE_ADDRESS}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": str(FOLDER / "addresses")}
        bridge = {"cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipam": ipam}
        written("cni/10-pods.conf", json.dumps(bridge))
        containerd = Program("containerd", "--config", config)
        self.programs.append(containerd)

        def answers() -> bool:
            containerd.running()
            return subprocess.run(["ctr", "--address", self.socket, "version"], capture_output=True, check=False).returncode == 0

        wait_for("containerd answers", answers, 60)

    def _controllers(self) -> None:
        tls, common = self.stack.tls, (f"--kubeconfig={self.stack.kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1")
        wanted = (
            "deployment-controller",
            "replicaset-controller",
            "serviceaccount-controller",
            "root-ca-certificate-publisher-controller",
            "node-lifecycle-controller",
            "namespace-controller",
            "garbage-collector-controller",
            "disruption-controller",
        )
        self.programs += [
            Program(
                "kube-controller-manager",
                *common,
                f"--controllers={','.join(wanted)}",
                f"--root-ca-file={tls / 'cluster-ca.crt'}",
                f"--service-account-private-key-file={tls / 'service-accounts.key'}",
                f"--cert-dir={FOLDER / 'kube-controller-manager'}",
            ),
            Program("kube-scheduler", *common, f"--cert-dir={FOLDER / 'kube-scheduler'}"),
        ]

    def _kubelet(self, server: str) -> None:
        user = f"system:node:{NAME}"
        Authority(self.stack.tls, "cluster-ca").issue_client(user, "system:nodes")
        credentials = {f"client-{what}-data": kubernetes_access.encoded((self.stack.tls / f"{user}.{file}").read_bytes()) for what, file in (("certificate", "crt"), ("key", "key"))}
        kubeconfig = written("kubelet.kubeconfig", kubernetes_access.render_kubeconfig(server, (self.stack.tls / "cluster-ca.crt").read_bytes(), "node", credentials))
        config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "resolvConf": str(written("resolv.conf", "nameserver 127.0.0.1\n")),
            # The API server of the stack has no client certificate for kubelets; nobody else is in this network.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            # As much as is allowed on every machine: hierarchies of either version, without the rights of the whole machine.
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{FOLDER.name}",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "localStorageCapacityIsolation": False,
            "oomScoreAdj": 0,
            "imageGCHighThresholdPercent": 100,  # the disk is not the node's alone
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%", "nodefs.inodesFree": "0%"},
        }
        file = written("kubelet.yaml", json.dumps(config))
        self.programs.append(
            Program("kubelet", f"--config={file}", f"--kubeconfig={kubeconfig}", f"--root-dir={FOLDER / 'kubelet'}", f"--cert-dir={FOLDER / 'kubelet-pki'}", f"--node-ip={NODE_ADDRESS}", f"--hostname-override={NAME}")
        )

    def _is_ready(self) -> bool:
        for program in self.programs:
            program.running()
        nodes = json.loads(run("kubectl", "get", "nodes", "--output=json"))["items"]
        ready = [condition["status"] for node in nodes for condition in node["status"].get("conditions", []) if condition["type"] == "Ready"]
        return ready == ["True"] and not any(node["spec"].get("taints") for node in nodes)

    def said(self) -> str:
        """For a failure: the last words of each."""
        return "\n".join(f"--- {program.name}\n{program.last()}" for program in self.programs)
