"""Processes that outlive the command that started them, and are ended by later ones without ever hitting a foreign process.

A pid alone is no identity: it is given again after the process has ended. Identity here is pid, start time and boot.
"""
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARK = "EDGETRUST_STACK_FOLDER"  # in the environment of all that a stack starts: finds what no pid file knows of
PASSED_ON = ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")


@dataclass(frozen=True)
class Identity:
    pid: int
    start: int  # ticks since boot
    boot: str

    def render(self) -> str:
        return f"{self.pid} {self.start} {self.boot}\n"

    @staticmethod
    def parse(text: str) -> "Identity":
        pid, start, boot = text.split()
        return Identity(int(pid), int(start), boot)


def start_time(stat: str) -> int | None:
    """The start time in the text of /proc/PID/stat; None for a process that has ended and only waits for its parent.

    A first thread that has ended while others are still ending looks the same but for their number; such a process still holds its ports.
    """
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    threads, start = int(fields[16]), int(fields[18])
    return None if state in "ZX" and threads <= 1 else start


def identify(pid: int) -> Identity | None:
    try:
        start = start_time((PROC / str(pid) / "stat").read_text())
    except OSError:
        return None
    return None if start is None else Identity(pid, start, boot_id())


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def is_running(process: Identity) -> bool:
    return identify(process.pid) == process


def environment(folder: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """A small environment of our own: nothing of the caller's (a proxy, PEBBLE_…, GODEBUG) changes how a component behaves."""
    kept = {name: inherited[name] for name in PASSED_ON if name in inherited}
    return kept | {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "LANG": "C.UTF-8", MARK: str(folder)}


def start(command: list[str], folder: Path, output: Path, errors: Path) -> subprocess.Popen[bytes]:
    with output.open("ab") as out, errors.open("ab") as err:
        return subprocess.Popen(
            command, cwd=folder, env=environment(folder, os.environ), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )


def marked(folder: Path) -> list[Identity]:
    """All processes that were started for this folder, known or not."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(identify(int(entry.name)))
        except OSError:  # ended meanwhile, or not ours to look at
            continue
    return [process for process in found if process is not None]


def wait_ended(processes: Iterable[Identity], seconds: float) -> list[Identity]:
    """Those that still run at the end."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if is_running(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = [process for process in left if is_running(process)]
    return left


def send(process: Identity, which: signal.Signals) -> None:
    """Through a pid descriptor: between the check and the signal the pid cannot become another's."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if is_running(process):
            signal.pidfd_send_signal(descriptor, which)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def end(processes: Iterable[Identity], grace: float = 0.0) -> list[Identity]:
    """Ends them, by SIGTERM first if they are given a grace; those that could not be ended."""
    listed = list(processes)
    if grace > 0:
        for process in listed:
            send(process, signal.SIGTERM)
        listed = wait_ended(listed, grace)
    for process in listed:
        send(process, signal.SIGKILL)
    return wait_ended(listed, 10)
