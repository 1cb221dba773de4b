"""Starts moto_route53.py with the interpreter that has moto."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "support"))
import pinned  # noqa: E402


class MotoServer:
    """Route 53 and STS. `keys` are those of its users, `role` is what may be assumed, `token` the file with the web identity token that proves it."""

    def __init__(self, folder: Path) -> None:
        self.interpreter = pinned.python(HERE / "sdk" / "aws.txt")
        certificate = json.loads((Path(os.environ["STACK_DIR"]) / "genesys-sim" / "config.json").read_text())["api"]
        self.token = folder / "token"
        self.token.write_text("header.web-identity-token-of-the-pod.signature\n")
        self.log = folder / "moto.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(self.interpreter), str(HERE / "moto_route53.py"), certificate["certFile"], certificate["keyFile"], str(self.token)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"moto did not start:\n{self.log.read_text()[-3000:]}")
        serves = json.loads(said)
        self.url = f"https://127.0.0.1:{serves['port']}"
        self.zone: str = serves["zone"]
        self.keys: dict[str, dict[str, str]] = serves["keys"]
        self.role: str = serves["role"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
