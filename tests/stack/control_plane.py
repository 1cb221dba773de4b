"""etcd and the Kubernetes API server: real ones, without controllers, scheduler or nodes."""
import probes
from component import Component
from kubernetes_access import admin_kubeconfig
from ports import LOOPBACK


class Etcd(Component):
    name = "etcd"
    port_names = ("etcd", "etcd-peer")

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('etcd')}"

    def command(self) -> list[str]:
        client, peer = f"http://{self.address()}", f"http://{LOOPBACK}:{self.port('etcd-peer')}"
        return [
            self.tool("etcd"),
            f"--data-dir={self.home / 'data'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # a crash of the machine ends the stack anyway; a crash of etcd loses nothing
            "--log-level=warn",
        ]

    def answers(self) -> bool:
        return probes.get(f"http://{self.address()}/readyz").status == 200


class KubeApiserver(Component):
    name = "kube-apiserver"
    port_names = ("kube-apiserver",)

    def address(self) -> str:
        return f"{LOOPBACK}:{self.port('kube-apiserver')}"

    def prepare(self) -> None:
        admin_kubeconfig(self.folder, f"https://{self.address()}")

    def command(self) -> list[str]:
        tls = self.folder.tls
        return [
            self.tool("kube-apiserver"),
            f"--etcd-servers=http://{LOOPBACK}:{self.port('etcd')}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={self.port('kube-apiserver')}",
            "--endpoint-reconciler-type=none",  # a loopback address may not stand in an EndpointSlice
            f"--cert-dir={self.home}",
            f"--tls-cert-file={tls / 'kube-apiserver.crt'}",
            f"--tls-private-key-file={tls / 'kube-apiserver.key'}",
            f"--client-ca-file={tls / 'cluster-ca.crt'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={tls / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={tls / 'service-accounts.key'}",
            "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
        ]

    def answers(self) -> bool:
        tls = self.folder.tls
        # The namespace `default` is made by the server itself, a moment after it calls itself ready.
        return all(
            probes.get(f"https://{self.address()}{path}", tls / "cluster-ca.crt", (tls / "admin.crt", tls / "admin.key")).status == 200
            for path in ("/readyz", "/api/v1/namespaces/default")
        )
