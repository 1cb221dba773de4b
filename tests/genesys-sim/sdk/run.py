#!/usr/bin/env python3
"""run.py (python | javascript) --simulator PATH: starts the simulator, and the vendor's SDK of that language against it.

The SDK is installed once, see tests/support/pinned.py.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))
import pinned  # noqa: E402

EDGE = "7f3c0000-0000-4000-8000-000000000001"
CONFIG = {
    "credentials": {"clientId": "sdk-check", "clientSecret": "sdk-check-secret"},
    "edges": [
        {"id": EDGE, "name": "edge01", "site": "ny", "siteName": "New York", "timeZone": "America/New_York", "host": "edge01.edges.test"},
        {"id": EDGE[:-1] + "2", "name": "edge02", "site": "du", "siteName": "Dublin", "timeZone": "Europe/Dublin", "host": "edge02.edges.test"},
    ],
}


def command(language: str) -> tuple[list[str], dict[str, str]]:
    if language == "python":
        return [str(pinned.python(HERE / "requirements.txt")), str(HERE / "check_python.py")], {"PYTHONDONTWRITEBYTECODE": ""}  # compiled once: the SDK has thousands of modules
    return [str(pinned.node() / "bin" / "node"), str(HERE / "check_javascript.mjs")], {"SDK_FOLDER": str(pinned.javascript(HERE / "package-lock.json"))}


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
