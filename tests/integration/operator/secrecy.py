"""What must not be seen outside of Secrets, and how to look for it."""

from __future__ import annotations

import base64
from typing import Any

PIECE = 32
SHORTEST = 12  # what is shorter could be a word of a message


def pieces(value: bytes) -> list[str]:
    """Parts of a secret that a log would show if it showed the secret: itself where it is short, else runs of it, as text and as base64. The beginning of a key's PEM
    and of its DER is the same for all, so a run from there does not count."""
    encoded = base64.b64encode(value).decode().rstrip("=")
    if len(value) < SHORTEST:
        return []
    if len(value) <= PIECE:
        return [value.decode(errors="replace"), encoded]
    text = "".join(line for line in value.decode(errors="replace").splitlines() if "-----" not in line)
    first = PIECE if b"-----BEGIN" in value else 0
    return [encoded[len(encoded) // 2 :][:PIECE], *(text[at : at + PIECE] for at in range(first, len(text) - PIECE + 1, PIECE))]


def of_secrets(secrets: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Pieces of everything in these Secrets that is no certificate and no record of orders, by "name/key"."""
    found: dict[str, list[str]] = {}
    for secret in secrets:
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        for key, value in data.items():
            if b"BEGIN CERTIFICATE" not in value and key not in ("clientId", "orders") and (parts := pieces(value)):
                found[f"{secret['metadata']['name']}/{key}"] = parts
        if "clientSecret" in data:  # as HTTP Basic says it
            found[f"{secret['metadata']['name']} as Basic"] = [base64.b64encode(data["clientId"] + b":" + data["clientSecret"]).decode().rstrip("=")]
    return found


def leaks(canaries: dict[str, list[str]], places: dict[str, str]) -> list[str]:
    """"secret in place" for each that is seen; never the secret itself."""
    return [f"{name} in the {place}" for name, parts in canaries.items() for place, text in places.items() if any(part in text for part in parts)]
