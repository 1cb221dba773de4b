"""Stands in for Cloudflare's API v4: zones and DNS records, as developers.cloudflare.com/api describes them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from records import Bind
from service import Refused, Reply, Request, Service

TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
BASE = "/client/v4"
ZONE_FILTERS = {"name", "status", "account.id", "account.name", "page", "per_page", "order", "direction", "match"}
RECORD_FILTERS = {"type", "name", "name.exact", "content", "content.exact", "page", "per_page", "order", "direction", "match", "search", "proxied"}
RECORD_MEMBERS = {"type", "name", "content", "ttl", "comment", "proxied", "tags", "settings"}


def refused(status: int, code: int, message: str, **headers: str) -> Refused:
    return Refused(status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}, **headers)


def known(given: Any, names: set[str], what: str) -> None:
    if unknown := set(given) - names:
        raise refused(400, 1004, f"DNS Validation Error: unknown {what} {', '.join(sorted(unknown))}")


class Cloudflare(Service):
    def __init__(self, bind: Bind) -> None:
        super().__init__()
        self.bind = bind
        self.zones = {uuid.uuid4().hex: bind.zone}
        self.records: dict[str, dict[str, Any]] = {}
        self.api = self.url + BASE

    def handle(self, request: Request) -> Reply:
        given = request.headers.get("Authorization") or ""
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40}", given):
            raise refused(400, 6003, "Invalid request headers")
        if given != f"Bearer {TOKEN}":
            raise refused(403, 9109, "Invalid access token")
        if not request.path.startswith(BASE + "/zones"):
            raise refused(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")
        return self.route(request, request.path.removeprefix(BASE + "/zones").strip("/").split("/"))

    def route(self, request: Request, path: list[str]) -> Reply:
        if path == [""]:
            return self.list_zones(request)
        zone = path[0]
        if zone not in self.zones or path[1:2] != ["dns_records"]:
            raise refused(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")
        match request.method, path[2:]:
            case "GET", []:
                return self.list_records(request)
            case "POST", []:
                return self.create(request, zone)
            case "GET" | "DELETE", [record]:
                return self.one(request.method, record)
        raise refused(405, 10405, f"{request.method} not allowed")

    @staticmethod
    def page(everything: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        page, size = int(query.get("page", 1)), int(query.get("per_page", 100))
        if page < 1 or not 1 <= size <= 50_000:
            raise refused(400, 1004, "DNS Validation Error: page or per_page")
        part = everything[(page - 1) * size : page * size]
        info = {"page": page, "per_page": size, "count": len(part), "total_count": len(everything), "total_pages": -(-len(everything) // size)}
        return Reply(200, {"success": True, "errors": [], "messages": [], "result": part, "result_info": info})

    def list_zones(self, request: Request) -> Reply:
        if request.method != "GET":
            raise refused(405, 10405, f"{request.method} not allowed")
        known(request.query, ZONE_FILTERS, "filter")
        name = request.query.get("name")
        return self.page([{"id": zone, "name": held, "status": "active"} for zone, held in self.zones.items() if name in (None, held)], request.query)

    def list_records(self, request: Request) -> Reply:
        known(request.query, RECORD_FILTERS, "filter")
        wanted = {name.removesuffix(".exact"): value for name, value in request.query.items() if name.removesuffix(".exact") in ("type", "name", "content")}
        return self.page([record for record in self.records.values() if all(record[name] == value for name, value in wanted.items())], request.query)

    def create(self, request: Request, zone: str) -> Reply:
        body = request.json()
        known(body, RECORD_MEMBERS, "member")
        name, content = body.get("name", ""), body.get("content", "")
        if body.get("type") != "TXT" or not content or not (body.get("ttl") == 1 or 60 <= body.get("ttl", 1) <= 86400):
            raise refused(400, 1004, "DNS Validation Error: a TXT record with content and a ttl of 1, or 60 to 86400, is wanted")
        if not name.endswith("." + self.zones[zone]) or name.endswith("."):
            raise refused(400, 1004, f"DNS Validation Error: {name} is not in the zone")
        if any(record["name"] == name and record["content"] == content for record in self.records.values()):
            raise refused(400, 81058, "An identical record already exists.")
        record = {"id": uuid.uuid4().hex, "zone_id": zone, "proxied": False, **body}
        self.bind.add(name, content.strip('"'))
        self.records[record["id"]] = record
        return Reply(200, {"success": True, "errors": [], "messages": [], "result": record})

    def one(self, method: str, record: str) -> Reply:
        if record not in self.records:
            raise refused(404, 81044, "Record does not exist.")
        found = self.records[record]
        if method == "DELETE":
            self.bind.remove(found["name"], found["content"].strip('"'))
            del self.records[record]
            found = {"id": record}
        return Reply(200, {"success": True, "errors": [], "messages": [], "result": found})
