"""A stack comes up, and goes down."""
import base64
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import launcher
import ports
from bind import ZONE
from certificates import Authority, make_key_pair
from components import KINDS, components
from folder import Edge, Folder, Settings, StackError

HERE = Path(__file__).resolve().parent
ATTEMPTS = 3  # a port may be taken by another process between its choice and its use
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def built_tools() -> list[str]:
    done = subprocess.run([HERE / "tools" / "build", "--where"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(done.stderr.strip())
    return done.stdout.split()


def fleet(count: int, sip_ports: dict[str, int]) -> list[Edge]:
    """Edges with ids and names that do not change from run to run; of each three, two stand in one site and one in another, as in manifests/samples."""
    sites = (("dublin", "Europe/Dublin"), ("dublin", "Europe/Dublin"), ("new-york", "America/New_York"))
    return [
        Edge(f"00000000-0000-4000-8000-{n:012d}", f"edge{n:02d}", *sites[(n - 1) % 3], sip_ports[f"sip-{n}"], f"edge{n:02d}.{ZONE}") for n in range(1, count + 1)
    ]


def choose_settings(simulator: str | None, edge_count: int) -> Settings:
    sip_names = [f"sip-{n}" for n in range(1, edge_count + 1)] if simulator else []
    chosen = ports.choose([name for kind in KINDS for name in kind.port_names] + sip_names)
    return Settings(
        ports=chosen,
        tsig_secret=base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
        client_secret=secrets.token_urlsafe(32),
        tools=built_tools(),
        simulator=simulator,
        edges=fleet(edge_count, chosen) if simulator else [],
    )


def make_certificates(tls: Path) -> None:
    cluster, web = Authority(tls, "cluster-ca"), Authority(tls, "web-ca")
    cluster.create()
    web.create()
    # As pods reach it, on a node: by the address of the Service `kubernetes`, the first of the range.
    cluster.issue_server("kube-apiserver", ["localhost", "kubernetes.default.svc"], [ports.LOOPBACK, "10.0.0.1"])
    cluster.issue_client("admin", "system:masters")
    make_key_pair(tls / "service-accounts.key", tls / "service-accounts.pub")
    for name in ("pebble", "genesys"):
        web.issue_server(name, ["localhost", f"{name}.test", f"*.{name}.test"], [ports.LOOPBACK])


def start_new(folder: Folder, simulator: str | None, edge_count: int) -> None:
    settings = choose_settings(simulator, edge_count)
    folder.create()
    folder.save(settings)
    parts = components(folder, settings)
    make_certificates(folder.tls)
    for part in parts:
        part.prepare()
    launcher.start(parts, tell)
    settings.complete = True
    folder.save(settings)


def start_on_free_ports(folder: Folder, simulator: str | None, edge_count: int) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            start_new(folder, simulator, edge_count)
            return
        except launcher.ComponentFailed as failure:
            if not failure.is_port_clash or attempt == ATTEMPTS:
                raise
            tell("a port was taken by another process meanwhile: starting again with others")
            launcher.stop_all(folder)


def find_simulator(path: str | None) -> str | None:
    if path is None:
        return None
    found = shutil.which(path)
    if found is None:
        raise StackError(f"the simulator {path} is not there, or not to be executed")
    return str(Path(found).absolute())


def up(folder: Folder, simulator: str | None, edge_count: int) -> None:
    if folder.holds_stack():
        settings = folder.load()
        if settings.complete:
            down_parts = [part.name for part in components(folder, settings) if not launcher.is_running(part)]
            if down_parts:
                raise StackError(f"the stack in {folder.path} is up, but without {', '.join(down_parts)}: 'stack.py start' it, or 'stack.py down' first")
            tell(f"the stack in {folder.path} is already running")
            return
        tell(f"an earlier start in {folder.path} was cut off: taking away what it left")
        launcher.stop_all(folder)
    began = time.monotonic()
    tell(f"starting a stack in {folder.path}")
    try:
        start_on_free_ports(folder, simulator, edge_count)
    except BaseException:
        if folder.holds_stack():
            take_down(folder)
        raise
    tell(f"ready after {time.monotonic() - began:.1f} s")


@contextmanager
def uninterrupted() -> Iterator[None]:
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def take_down(folder: Folder) -> None:
    with uninterrupted():
        launcher.stop_all(folder)
        left = folder.remove()
    if left:
        tell(f"{folder.path} holds what is not the stack's, and stays: {', '.join(left)}")


def down(folder: Folder) -> None:
    if folder.path.exists():
        with folder.locked(tell):
            if folder.holds_stack():
                take_down(folder)
                tell(f"the stack in {folder.path} is down")
                return
    tell(f"no stack in {folder.path}")
