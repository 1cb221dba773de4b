"""Stands in for a server that speaks lego's httpreq protocol (go-acme.github.io/lego/dns/httpreq), its default mode."""

from __future__ import annotations

import base64

from records import Bind
from service import Refused, Reply, Request, Service, only

USERNAME = "edgetrust"
PASSWORD = "httpreq-password-of-the-test"


class HttpReq(Service):
    def __init__(self, bind: Bind) -> None:
        super().__init__()
        self.bind = bind
        self.endpoint = self.url + "/httpreq"

    def handle(self, request: Request) -> Reply:
        expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != expected:
            raise Refused(401, {"error": "unauthorized"}, WWW_Authenticate='Basic realm="httpreq"')
        if request.method != "POST" or request.path not in ("/httpreq/present", "/httpreq/cleanup"):
            raise Refused(404, {"error": "not found"})
        body = request.json()
        only(body, {"fqdn", "value"}, "member")
        name = body.get("fqdn", "")
        if not name.endswith(f".{self.bind.zone}.") or not body.get("value"):
            raise Refused(400, {"error": f"no name of the zone, with its last dot: {name}"})
        change = self.bind.add if request.path.endswith("present") else self.bind.remove
        change(name.removesuffix("."), body["value"])
        return Reply(200)
