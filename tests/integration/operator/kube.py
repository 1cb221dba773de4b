"""The Kubernetes API for tests: plain REST with the admin's client certificate of the stack's kubeconfig."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

GROUP = "/apis/edgetrust.io/v1alpha1"
PLURALS = {
    "EdgeCertificate": "edgecertificates",
    "Edge": "edges",
    "RotationPolicy": "rotationpolicies",
    "AcmeIssuer": "acmeissuers",
    "GenesysConnection": "genesysconnections",
    "PinPolicy": "pinpolicies",
}


class ApiError(Exception):
    def __init__(self, status: int, body: str):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Kube:
    def __init__(self) -> None:
        view = json.loads(subprocess.run(["kubectl", "config", "view", "--raw", "--minify", "-o", "json"], capture_output=True, check=True).stdout)
        cluster = view["clusters"][0]["cluster"]
        self.cluster = view["clusters"][0]
        user = view["users"][0]["user"]
        self.address = urlsplit(cluster["server"]).netloc
        self.tls = ssl.create_default_context(cadata=self._pem(cluster, "certificate-authority").decode())
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "c", Path(folder) / "k"
            certificate.write_bytes(self._pem(user, "client-certificate"))
            key.write_bytes(self._pem(user, "client-key"))
            self.tls.load_cert_chain(certificate, key)

    def anonymous_tls(self) -> ssl.SSLContext:
        """For whoever says by other means who he is."""
        return ssl.create_default_context(cadata=self._pem(self.cluster["cluster"], "certificate-authority").decode())

    @staticmethod
    def _pem(entry: dict[str, Any], name: str) -> bytes:
        return base64.b64decode(entry[f"{name}-data"]) if f"{name}-data" in entry else Path(entry[name]).read_bytes()

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """A server that wants to be asked later (the store of a kind is being opened) is asked later, for a while."""
        for _ in range(10):
            try:
                return self._call(method, path, body, content_type)
            except ApiError as error:
                if error.status != 429:
                    raise
                time.sleep(1)
        return self._call(method, path, body, content_type)

    def _call(self, method: str, path: str, body: Any, content_type: str) -> Any:
        connection = http.client.HTTPSConnection(self.address, context=self.tls, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type, "Accept": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status >= 300:
            raise ApiError(response.status, text)
        return json.loads(text) if text else None

    @staticmethod
    def path(kind: str, namespace: str, name: str = "") -> str:
        core = {"Secret": "secrets", "ConfigMap": "configmaps", "ServiceAccount": "serviceaccounts"}
        rbac = {"Role": "roles", "RoleBinding": "rolebindings"}
        if kind in core:
            base = f"/api/v1/namespaces/{namespace}/{core[kind]}"
        elif kind in rbac:
            base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/{rbac[kind]}"
        elif kind == "Lease":
            base = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        else:
            base = f"{GROUP}/namespaces/{namespace}/{PLURALS[kind]}"
        return f"{base}/{name}" if name else base

    def create_namespace(self, name: str) -> None:
        self.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def token(self, namespace: str, account: str) -> str:
        """A token of a service account."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        return self.call("POST", self.path("ServiceAccount", namespace, account) + "/token", request)["status"]["token"]

    def create(self, thing: dict[str, Any]) -> Any:
        return self.call("POST", self.path(thing["kind"], thing["metadata"]["namespace"]), thing)

    def get(self, kind: str, namespace: str, name: str) -> Any:
        return self.call("GET", self.path(kind, namespace, name))

    def find(self, kind: str, namespace: str, name: str) -> Any | None:
        try:
            return self.get(kind, namespace, name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: str, namespace: str) -> list[Any]:
        return self.call("GET", self.path(kind, namespace))["items"]

    def events(self, namespace: str) -> list[Any]:
        return self.call("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]

    def patch(self, kind: str, namespace: str, name: str, body: Any) -> Any:
        return self.call("PATCH", self.path(kind, namespace, name), body, "application/merge-patch+json")

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.call("DELETE", self.path(kind, namespace, name))
