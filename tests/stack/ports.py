"""Ports that are free on loopback, for UDP and TCP alike.

They are taken from below the kernel's range for outgoing connections. A port inside that range can be lost between two starts of a server: a client
that reconnects to it may be given the very port as its own, and on loopback even be connected with itself.
"""
import random
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 10_000
RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NoFreePort(Exception):
    """No free port was found."""


def candidates(range_text: str) -> range:
    """The ports to choose from, given the kernel's range for outgoing connections as it prints it."""
    outgoing = int(range_text.split()[0])
    return range(LOWEST, outgoing) if outgoing - LOWEST >= 1_000 else range(LOWEST, 65_536)


def is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:  # as servers do: what is left of closed connections is no hindrance
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def choose(names: Iterable[str], free: Callable[[int], bool] = is_free, among: range | None = None) -> dict[str, int]:
    """A port of its own for each name. Another process may still take one before it is used: the caller then starts over."""
    pool = among if among is not None else candidates(RANGE_FILE.read_text())
    order = random.sample(pool, len(pool))
    chosen: dict[str, int] = {}
    for name in names:
        while name not in chosen:
            if not order:
                raise NoFreePort(f"no port between {pool.start} and {pool.stop - 1} is free on {LOOPBACK}")
            port = order.pop()
            if free(port):
                chosen[name] = port
    return chosen
