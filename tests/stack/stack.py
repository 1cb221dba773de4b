#!/usr/bin/env python3
"""The local test stack: a real control plane, an ACME server, a name server and the Genesys simulator, on loopback. README.md tells more."""
import argparse
import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import environment
import launcher
import ports
from certificates import Authority, OpensslFailed, make_key_pair
from components import KINDS, ZONE, Component, KubeApiserver, components
from folder import Edge, Folder, Settings, StackError
from kubernetes_access import service_account_token, write_token_kubeconfig

HERE = Path(__file__).resolve().parent
STACKS = HERE.parent.parent / ".stack"
ATTEMPTS = 3  # a port may be taken by another process between its choice and its use
NOT_RUNNING = 3
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# -- up


def built_tools() -> list[str]:
    done = subprocess.run([HERE / "tools" / "build", "--where"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(done.stderr.strip())
    return done.stdout.split()


def fleet(count: int, sip_ports: dict[str, int]) -> list[Edge]:
    """Edges with ids and names that do not change from run to run; the first two stand in one site, the third in another, and so on."""
    sites = ("new-york", "new-york", "dublin")
    return [
        Edge(f"00000000-0000-4000-8000-{n:012d}", f"edge{n:02d}", sites[(n - 1) % 3], sip_ports[f"sip-{n}"], f"edge{n:02d}.{ZONE}")
        for n in range(1, count + 1)
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
    cluster.issue_server("kube-apiserver", ["localhost", "kubernetes.default.svc"], [ports.LOOPBACK])
    cluster.issue_client("admin", "system:masters")
    make_key_pair(tls / "service-accounts.key", tls / "service-accounts.pub")
    for name in ("pebble", "genesys"):
        web.issue_server(name, ["localhost"], [ports.LOOPBACK])


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


# -- down


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


# -- single components


def part_of(folder: Folder, name: str) -> Component:
    for part in components(folder, folder.load()):
        if part.name == name:
            return part
    raise StackError(f"{name} is no part of the stack in {folder.path}")


def start_part(part: Component) -> None:
    if launcher.is_running(part):
        tell(f"{part.name} is already running")
    else:
        launcher.start([part], tell)


def status(folder: Folder) -> int:
    parts = components(folder, folder.load())
    for part in parts:
        process = folder.process(part.name)
        running = launcher.is_running(part)
        print(f"{part.name:<15} {'running' if running else 'down':<8} {process.pid if process and running else '-':>8}   {part.address() if running else '-'}")
    print(f"logs in {folder.path / 'logs'}")
    return 0 if all(launcher.is_running(part) for part in parts) else NOT_RUNNING


def token(folder: Folder, account: str, duration: str, kubeconfig: Path | None) -> None:
    part = part_of(folder, KubeApiserver.name)
    minted = service_account_token(part.tool("kubectl"), folder, account, duration)
    if kubeconfig is None:
        print(minted)
    else:
        write_token_kubeconfig(folder, f"https://{part.address()}", minted, kubeconfig)


# -- run: a stack for one command


@contextmanager
def guarded(folder: Folder) -> Iterator[None]:
    """Starts a process that takes the stack down if this one dies without doing so (a test that is killed at its time limit); it learns of that by the end of a pipe."""
    ours, writing = os.pipe()
    subprocess.run(
        ["setsid", "--fork", sys.executable, __file__, "guard", "--dir", folder.path], stdin=ours, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    os.close(ours)
    try:
        yield
    finally:
        os.close(writing)


def run_command(command: list[str], values: dict[str, str]) -> int:
    """The command's exit status as a shell gives it; signals sent to this process reach the command."""
    try:
        child = subprocess.Popen(command, env=values)
    except OSError as error:
        raise StackError(f"{command[0]} cannot be run: {error.strerror}") from None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in INTERRUPTIONS}
    try:
        ended = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return ended if ended >= 0 else 128 - ended


def run(folder: Folder, simulator: str | None, edge_count: int, command: list[str]) -> int:
    if folder.holds_stack():
        raise StackError(f"there is a stack in {folder.path}; 'run' wants one of its own")
    with guarded(folder):
        try:
            with folder.locked(tell):
                up(folder, simulator, edge_count)
            settings = folder.load()
            values = environment.applied(environment.variables(folder, settings), settings.tools, os.environ)
            return run_command(command, values)
        finally:
            with uninterrupted():
                down(folder)


def guard(folder: Folder) -> None:
    sys.stdin.buffer.read()
    down(folder)


# -- the command line


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stack.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--dir", type=Path, help="the stack's folder (default: $STACK_DIR, or .stack/default in the checkout)")
        return added

    for name, text in (("up", "start a stack, and return when all of it is ready"), ("run", "start a stack, run a command on it, take it down")):
        starter = command(name, text)
        starter.add_argument("--genesys-sim", metavar="PATH", default=os.environ.get("GENESYS_SIM") or None, help="the simulator's program (default: $GENESYS_SIM, or none)")
        starter.add_argument("--edges", type=int, default=3, metavar="N", help="how many Edges the simulator starts with (default: 3)")
        if name == "run":
            starter.add_argument("argv", nargs="+", metavar="-- ARGUMENT")
    command("down", "end all of a stack and remove its folder")
    command("env", 'print the environment, for eval "$(stack.py env)"')
    command("status", f"list the components; ends with {NOT_RUNNING} if one is down")
    for name, text in (("stop", "kill a component at once"), ("start", "start it again, on the same port"), ("restart", "both")):
        command(name, text).add_argument("component", choices=[kind.name for kind in KINDS])
    minter = command("token", "print a token of a service account, or write a kubeconfig that holds one")
    minter.add_argument("account", metavar="NAMESPACE/NAME")
    minter.add_argument("--duration", default="24h", help="default: 24h")
    minter.add_argument("--kubeconfig", type=Path, metavar="FILE")
    commands.add_parser("guard").add_argument("--dir", type=Path, required=True)
    return parser.parse_args(arguments)


def folder_of(options: argparse.Namespace) -> Folder:
    if options.dir is not None:
        return Folder(options.dir)
    if options.command == "run":
        return Folder(STACKS / f"run-{os.getpid()}")
    given = os.environ.get("STACK_DIR")
    return Folder(Path(given) if given else STACKS / "default")


def execute(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    match options.command:
        case "run":
            return run(folder, find_simulator(options.genesys_sim), options.edges, options.argv)
        case "guard":
            guard(folder)
        case "down":
            down(folder)
        case "up":
            simulator = find_simulator(options.genesys_sim)
            with folder.locked(tell):
                up(folder, simulator, options.edges)
        case "env":
            settings = folder.load()
            print(environment.render(environment.variables(folder, settings), settings.tools), end="")
        case "status":
            return status(folder)
        case "token":
            token(folder, options.account, options.duration, options.kubeconfig)
        case _:
            with folder.locked(tell):
                part = part_of(folder, options.component)
                if options.command in ("stop", "restart"):
                    launcher.kill(part)
                if options.command in ("start", "restart"):
                    start_part(part)
    return 0


def interrupted(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    for number in INTERRUPTIONS:
        signal.signal(number, interrupted)
    try:
        return execute(parse(sys.argv[1:]))
    except (StackError, OpensslFailed, ports.NoFreePort) as error:
        tell(f"stack: {error}")
        return 1
    finally:
        with suppress(OSError):  # it holds a stack, or was never made
            STACKS.rmdir()


if __name__ == "__main__":
    sys.exit(main())
