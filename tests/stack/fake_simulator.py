#!/usr/bin/env python3
"""Stands for the simulator in the stack's own tests: listens on its ports, says so, and writes down which roots it is told to trust."""
import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

config_file = Path(sys.argv[sys.argv.index("--config") + 1])
config = json.loads(config_file.read_text())
trusted = config_file.with_name("trusted.pem")
trusted.write_text(Path(config["sbcTrustFile"]).read_text())


class Control(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/sim/v1/sbc-trust":
            trusted.write_bytes(body)
        self.send_response(204 if self.path == "/sim/v1/sbc-trust" else 404)
        self.end_headers()


listeners = {name: socket.create_server(("127.0.0.1", config[name]["port"])) for name in ("api", "cloud")}
control = HTTPServer(("127.0.0.1", config["control"]["port"]), Control)
print(json.dumps({"ready": True, "control": control.server_port} | {name: listener.getsockname()[1] for name, listener in listeners.items()}), flush=True)
control.serve_forever()
