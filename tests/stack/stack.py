#!/usr/bin/env python3
"""The local test stack: a real control plane, an ACME server, a name server and the Genesys simulator, on loopback. README.md tells more."""
import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

import environment
import launcher
from certificates import OpensslFailed
from component import Component
from components import KINDS, components
from control_plane import KubeApiserver
from folder import Folder, StackError
from kubernetes_access import service_account_token, write_token_kubeconfig
from lifecycle import HERE, INTERRUPTIONS, down, find_simulator, tell, up
from ports import NoFreePort
from runner import guard, run

STACKS = HERE.parent.parent / ".stack"
NOT_RUNNING = 3


def part_of(folder: Folder, name: str) -> Component:
    for part in components(folder, folder.load()):
        if part.name == name:
            return part
    raise StackError(f"{name} is no part of the stack in {folder.path}")


def start_part(folder: Folder, part: Component) -> None:
    if launcher.is_running(part):
        tell(f"{part.name} is already running")
        return
    launcher.start([part], tell)
    for other in components(folder, folder.load()):
        if part.name in other.after and launcher.is_running(other):
            other.dependency_restarted()


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
                    start_part(folder, part)
    return 0


def interrupted(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    for number in INTERRUPTIONS:
        signal.signal(number, interrupted)
    try:
        return execute(parse(sys.argv[1:]))
    except (StackError, OpensslFailed, NoFreePort) as error:
        tell(f"stack: {error}")
        return 1
    finally:
        with suppress(OSError):  # it holds a stack, or was never made
            STACKS.rmdir()


if __name__ == "__main__":
    sys.exit(main())
