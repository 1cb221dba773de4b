"""Questions to a running server; an answer, not an open port, is what tells that it is ready."""
import http.client
import secrets
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TYPE_SOA, CLASS_IN = 6, 1
FLAG_RESPONSE, FLAG_AUTHORITATIVE, MASK_RCODE = 0x8000, 0x0400, 0x000F


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def get(url: str, ca_file: Path | None = None, client: tuple[Path, Path] | None = None, timeout: float = 2.0) -> Answer:
    """Raises OSError or http.client.HTTPException when there is no answer, as `put` does."""
    return _ask("GET", url, None, ca_file, client, timeout)


def put(url: str, body: bytes, timeout: float = 10.0) -> Answer:
    return _ask("PUT", url, body, None, None, timeout)


def _ask(method: str, url: str, body: bytes | None, ca_file: Path | None, client: tuple[Path, Path] | None, timeout: float) -> Answer:
    """One request, by no proxy."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        if client is not None:
            context.load_cert_chain(*client)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path or "/", body, headers={"User-Agent": "edgetrust-stack"})  # RFC 8555 section 6.1 wants a User-Agent
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def soa_query(zone: str, number: int) -> bytes:
    """RFC 1035 section 4: a header, and one question."""
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in zone.rstrip(".").split("."))
    return struct.pack(">6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", TYPE_SOA, CLASS_IN)


def is_authoritative_answer(reply: bytes, number: int) -> bool:
    if len(reply) < 12:
        return False
    replied, flags, _questions, answers = (int(field) for field in struct.unpack(">4H", reply[:8]))
    return replied == number and flags & FLAG_RESPONSE != 0 and flags & FLAG_AUTHORITATIVE != 0 and flags & MASK_RCODE == 0 and answers > 0


def serves_zone(address: tuple[str, int], zone: str, timeout: float = 1.0) -> bool:
    """True when the server answers for the zone with authority, by UDP and by TCP; raises OSError when it does not answer."""
    number = secrets.randbelow(0x10000)
    query = soa_query(zone, number)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(timeout)
        datagrams.connect(address)
        datagrams.send(query)
        by_udp = is_authoritative_answer(datagrams.recv(4096), number)
    with socket.create_connection(address, timeout=timeout) as stream, stream.makefile("rwb") as file:
        file.write(struct.pack(">H", len(query)) + query)
        file.flush()
        (length,) = struct.unpack(">H", file.read(2).rjust(2, b"\0"))
        return by_udp and is_authoritative_answer(file.read(length), number)
