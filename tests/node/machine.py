"""Makes of fresh namespaces a machine that can be a node, tries a container on it, and runs the story on a stack there. Started by `run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from node import BRIDGE, CLUSTER_ADDRESS, FOLDER, NODE_ADDRESS, NotPossible, run

HERE = Path(__file__).resolve().parent
SKIPPED = 77


def own_places() -> None:
    """What the packages' programs write outside their given folders goes to the node's folder, and is seen by nobody else."""
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    for place in ("/var/lib", "/var/log"):
        upper, work = (FOLDER / "over" / f"{Path(place).name}-{part}" for part in ("upper", "work"))
        upper.mkdir(parents=True)
        work.mkdir()
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", place)


def own_network() -> None:
    """A loopback with the address of the Service `kubernetes`, and the bridge of the pods, which has the node's address."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{CLUSTER_ADDRESS}/32", "dev", "lo")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    # What a CNI plugin will do for each pod.
    run("ip", "link", "add", "trial0", "type", "veth", "peer", "name", "trial1")
    run("ip", "link", "delete", "trial0")


def make_pause() -> None:
    root = FOLDER / "pause" / "rootfs"
    root.mkdir(parents=True)
    run("gcc", "-static", "-Os", "-s", "-o", root / "pause", HERE / "pause.c")


def try_container() -> None:
    """A container as runc makes it: what the machine refuses is told by runc."""
    bundle = FOLDER / "pause"
    run("runc", "spec", "--bundle", bundle)
    config = json.loads((bundle / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/pause"]}
    config["process"]["user"] = {"uid": 65532, "gid": 65532}
    config["linux"]["cgroupsPath"] = f"/{FOLDER.name}/trial"
    config["linux"]["resources"]["memory"] = {"limit": 64 * 1024 * 1024}
    (bundle / "config.json").write_text(json.dumps(config))
    runc = ("runc", "--root", FOLDER / "trial")
    run(*runc, "create", "--bundle", bundle, "trial", output=False)
    try:
        run(*runc, "start", "trial")
        run(*runc, "exec", "trial", "/pause", "once")  # in a chroot a container starts, and nothing more can be started in it
    finally:
        run(*runc, "delete", "--force", "trial")


def main() -> int:
    try:
        own_places()
        own_network()
        make_pause()
        try_container()
    except NotPossible as reason:
        print(f"skipped: this machine cannot run a node: {reason}")
        return SKIPPED
    stack = [HERE.parent / "stack" / "stack.py", "run", "--dir", FOLDER / "stack", "--", sys.executable, "-m", "unittest", "-v", os.environ["STORY"]]
    return subprocess.run(stack, cwd=HERE, check=False, env=os.environ).returncode


if __name__ == "__main__":
    sys.exit(main())
