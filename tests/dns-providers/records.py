"""The stack's BIND, as the stand-ins write to it and the tests look at it."""

from __future__ import annotations

import os
import shlex
import subprocess


class Bind:
    """Updates by nsupdate with the stack's key, questions by dig. Any number of threads."""

    def __init__(self, environment: dict[str, str] | os._Environ[str] = os.environ) -> None:
        self.host, port = environment["STACK_DNS_ADDR"].split(":")
        self.port = port
        self.zone = environment["STACK_DNS_ZONE"]
        self.key = f"key hmac-sha256:{environment['STACK_DNS_TSIG_NAME']} {environment['STACK_DNS_TSIG_SECRET']}"

    def update(self, *lines: str) -> None:
        """One update: all of its lines or none."""
        script = "\n".join([f"server {self.host} {self.port}", f"zone {self.zone}", self.key, *lines, "send"]) + "\n"
        done = subprocess.run(["nsupdate", "-v"], input=script, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"nsupdate: {done.stdout}{done.stderr}")

    def add(self, name: str, value: str) -> None:
        self.update(f'update add {name}. 1 TXT "{value}"')

    def remove(self, name: str, value: str) -> None:
        self.update(f'update delete {name}. TXT "{value}"')

    def replace(self, name: str, values: list[str]) -> None:
        """The whole set, at once."""
        self.update(f"update delete {name}. TXT", *(f'update add {name}. 1 TXT "{value}"' for value in values))

    def alias(self, name: str, target: str) -> None:
        self.update(f"update delete {name}. CNAME", f"update add {name}. 1 CNAME {target}.")

    def unalias(self, name: str) -> None:
        self.update(f"update delete {name}. CNAME")

    def txt(self, name: str, server: str | None = None) -> list[str]:
        """The values at a name (not behind an alias), sorted."""
        host, port = (server or f"{self.host}:{self.port}").split(":")
        command = ["dig", f"@{host}", "-p", port, "+tcp", "+noall", "+answer", "+time=5", "TXT", f"{name}."]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        rows = [shlex.split(line) for line in answer.splitlines()]
        return sorted("".join(row[4:]) for row in rows if len(row) > 4 and row[3] == "TXT" and row[0] == f"{name}.")
