#!/usr/bin/env python3
"""Stands for the simulator in the stack's own tests: takes its configuration, listens on its ports and says so, and does nothing else."""
import json
import socket
import sys


def listen(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


with open(sys.argv[sys.argv.index("--config") + 1], encoding="utf-8") as file:
    config = json.load(file)
with open(config["sbcTrustFile"], encoding="utf-8") as file:
    assert "BEGIN CERTIFICATE" in file.read()
servers = {name: listen(port) for name, port in {"api": config["api"]["port"], "control": config["control"]["port"], "cloud": 0}.items()}
print(json.dumps({"ready": True} | {name: server.getsockname()[1] for name, server in servers.items()}), flush=True)
servers["api"].accept()
