"""A stack for one command, which goes down with it."""
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import environment
from folder import Folder, StackError
from lifecycle import INTERRUPTIONS, down, tell, uninterrupted, up

PROGRAM = Path(__file__).resolve().with_name("stack.py")


@contextmanager
def guarded(folder: Folder) -> Iterator[None]:
    """Starts a process that takes the stack down if this one dies without doing so (a test that is killed at its time limit); it learns of that by the end of a pipe."""
    ours, writing = os.pipe()
    subprocess.run(
        ["setsid", "--fork", sys.executable, PROGRAM, "guard", "--dir", folder.path], stdin=ours, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    os.close(ours)
    try:
        yield
    finally:
        os.close(writing)


def run_command(command: list[str], values: dict[str, str]) -> int:
    """The command's exit status as a shell gives it; signals sent to this process reach the command."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # what came before there was a child to give it to

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in INTERRUPTIONS}
    try:
        child = subprocess.Popen(command, env=values)
        for number in early:
            child.send_signal(number)
        ended = child.wait()
    except OSError as error:
        raise StackError(f"{command[0]} cannot be run: {error.strerror}") from None
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
