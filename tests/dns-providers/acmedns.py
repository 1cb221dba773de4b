"""Stands in for acme-dns (github.com/joohoi/acme-dns, its README): accounts, each with the two values that were written last."""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Any

from records import Bind
from service import Refused, Reply, Request, Service, only


class AcmeDns(Service):
    def __init__(self, bind: Bind) -> None:
        super().__init__()
        self.bind = bind
        self.domain = f"auth-{uuid.uuid4().hex[:8]}.{bind.zone}"
        self.accounts: dict[str, dict[str, Any]] = {}
        self.values: dict[str, list[str]] = {}

    def register(self) -> dict[str, Any]:
        subdomain = str(uuid.uuid4())
        account = {"allowfrom": [], "fulldomain": f"{subdomain}.{self.domain}", "password": secrets.token_urlsafe(30), "subdomain": subdomain, "username": str(uuid.uuid4())}
        self.accounts[subdomain] = account
        self.values[subdomain] = ["", ""]
        return account

    def handle(self, request: Request) -> Reply:
        match request.method, request.path:
            case "POST", "/register":
                return Reply(201, self.register())
            case "POST", "/update":
                return self.update(request)
            case "GET", "/health":
                return Reply(200)
        raise Refused(404, {"error": "not_found"})

    def update(self, request: Request) -> Reply:
        body = request.json()
        only(body, {"subdomain", "txt"}, "member")
        account = self.accounts.get(body.get("subdomain", ""))
        if account is None or (request.headers.get("X-Api-User"), request.headers.get("X-Api-Key")) != (account["username"], account["password"]):
            raise Refused(401, {"error": "forbidden"})
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", body.get("txt", "")):
            raise Refused(400, {"error": "bad_txt"})
        values = self.values[account["subdomain"]]
        values.append(body["txt"])
        del values[0]
        self.bind.replace(account["fulldomain"], [value for value in values if value])
        return Reply(200, {"txt": body["txt"]})
