"""Ways into the API server: the administrator's kubeconfig, and tokens of service accounts with kubeconfigs of their own."""
import base64
import subprocess
from pathlib import Path

from folder import Folder, StackError, write_private


def render_kubeconfig(server: str, authority: bytes, user: str, credentials: dict[str, str]) -> str:
    """Complete in itself: it names no other file."""
    said = "\n".join(f"    {name}: {value}" for name, value in credentials.items())
    return f"""apiVersion: v1
kind: Config
clusters:
- name: stack
  cluster:
    server: {server}
    certificate-authority-data: {encoded(authority)}
users:
- name: {user}
  user:
{said}
contexts:
- name: stack
  context: {{cluster: stack, user: {user}, namespace: default}}
current-context: stack
"""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def admin_kubeconfig(folder: Folder, server: str) -> None:
    tls = folder.tls
    credentials = {
        "client-certificate-data": encoded((tls / "admin.crt").read_bytes()),
        "client-key-data": encoded((tls / "admin.key").read_bytes()),
    }
    write_private(folder.kubeconfig, render_kubeconfig(server, (tls / "cluster-ca.crt").read_bytes(), "admin", credentials))


def service_account_token(kubectl: str, folder: Folder, account: str, duration: str) -> str:
    """A token of the account NAMESPACE/NAME, which must exist."""
    namespace, _, name = account.partition("/")
    if not namespace or not name:
        raise StackError(f"a service account is named NAMESPACE/NAME, not {account!r}")
    command = [kubectl, f"--kubeconfig={folder.kubeconfig}", "create", "token", name, f"--namespace={namespace}", f"--duration={duration}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"no token for {account}: {done.stderr.strip()}")
    return done.stdout.strip()


def write_token_kubeconfig(folder: Folder, server: str, token: str, target: Path) -> None:
    write_private(target, render_kubeconfig(server, (folder.tls / "cluster-ca.crt").read_bytes(), "service-account", {"token": token}))
