"""Stands in for Azure: the login (OAuth 2.0, v2.0 endpoints) and the record sets of Azure DNS (2018-05-01), as learn.microsoft.com describes them."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from records import Bind
from service import Refused, Reply, Request, Service

TENANT = "2f6c2a3e-6d8b-4a4e-9d3c-8b1f0f1f7a11"
CLIENT = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
SECRET = "Qx8~edgetrust-azure-client-secret"
SUBSCRIPTION = "b3c7a1de-5f6b-4a0e-8c7f-1d2e3f4a5b6c"
GROUP = "dns"
SCOPE = "https://management.azure.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERSIONS = {"2018-05-01", "2023-07-01-preview"}


def refused(status: int, code: str, message: str, **headers: str) -> Refused:
    return Refused(status, {"error": {"code": code, "message": message}}, **headers)


def login_refused(error: str, number: int, message: str) -> Refused:
    text = f"AADSTS{number}: {message} Trace ID: {uuid.uuid4()} Correlation ID: {uuid.uuid4()} Timestamp: 2026-11-22 12:00:00Z"
    return Refused(401 if error == "invalid_client" else 400, {"error": error, "error_description": text, "error_codes": [number]})


class Azure(Service):
    def __init__(self, bind: Bind) -> None:
        super().__init__()
        self.bind = bind
        self.sets: dict[str, dict[str, Any]] = {}  # by relative name
        self.tokens: set[str] = set()
        self.federated = ""  # the pod's token that the tenant trusts
        self.before_write: Any = lambda: None

    def handle(self, request: Request) -> Reply:
        path = request.path.strip("/").split("/")
        if path[1:] == ["oauth2", "v2.0", "token"]:
            return self.log_in(request, path[0])
        if path[1:] == ["v2.0", ".well-known", "openid-configuration"]:
            base = f"{self.url}/{path[0]}"
            return Reply(200, {"issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize", "token_endpoint": f"{base}/oauth2/v2.0/token"})
        return self.manage(request, path)

    # --- the login

    def log_in(self, request: Request, tenant: str) -> Reply:
        if request.method != "POST":
            raise Refused(405, {"error": "invalid_request"})
        form = request.form()
        if tenant != TENANT:
            raise login_refused("invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials" or form.get("scope") != SCOPE:
            raise login_refused("invalid_scope", 1002012, "The provided value for scope is not valid.")
        if form.get("client_id") != CLIENT:
            raise login_refused("unauthorized_client", 700016, "Application was not found in the directory.")
        by_secret = form.get("client_secret") == SECRET
        by_pod = bool(self.federated) and form.get("client_assertion_type") == ASSERTION and form.get("client_assertion") == self.federated
        if not by_secret and not by_pod:
            raise login_refused("invalid_client", 7000215, "Invalid client secret provided.")
        token = secrets.token_urlsafe(300)
        self.tokens.add(token)
        return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})

    # --- record sets

    def manage(self, request: Request, path: list[str]) -> Reply:
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise refused(401, "InvalidAuthenticationToken", "The access token is invalid.", WWW_Authenticate="Bearer")
        if request.query.keys() != {"api-version"} or request.query["api-version"] not in VERSIONS:
            raise refused(400, "InvalidApiVersionParameter", "The api-version is invalid.")
        names = [part.lower() for part in path]
        if len(path) != 10 or names[0] != "subscriptions" or names[2] != "resourcegroups" or names[4:7] != ["providers", "microsoft.network", "dnszones"] or path[8] != "TXT":
            raise refused(404, "InvalidResourceType", f"The resource type could not be found: {request.path}")
        if path[1] != SUBSCRIPTION:
            raise refused(404, "SubscriptionNotFound", f"The subscription '{path[1]}' could not be found.")
        if path[3] != GROUP:
            raise refused(404, "ResourceGroupNotFound", f"Resource group '{path[3]}' could not be found.")
        if path[7] != self.bind.zone:
            raise refused(404, "ParentResourceNotFound", f"Can not perform requested operation on nested resource. Parent resource '{path[7]}' not found.")
        name = path[9]
        match request.method:
            case "GET":
                if name not in self.sets:
                    raise Refused(404, {"code": "NotFound", "message": f"The resource record '{name}' does not exist in resource group '{GROUP}' of subscription '{SUBSCRIPTION}'."})
                return Reply(200, self.shown(name))
            case "PUT":
                return self.put(request, name)
            case "DELETE":
                return self.delete(request, name)
        raise refused(405, "MethodNotAllowed", request.method)

    def shown(self, name: str) -> dict[str, Any]:
        held = self.sets[name]
        where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/dnszones/{self.bind.zone}/TXT/{name}"
        properties = {"metadata": {}, "fqdn": f"{name}.{self.bind.zone}.", **held["properties"], "provisioningState": "Succeeded"}
        return {"id": where, "name": name, "type": "Microsoft.Network/dnszones/TXT", "etag": held["etag"], "properties": properties}

    def check(self, request: Request, name: str) -> None:
        self.before_write()
        match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
        held = self.sets.get(name)
        if (match and match != "*" and (held is None or held["etag"] != match)) or (none == "*" and held is not None):
            raise refused(412, "PreconditionFailed", f"The condition '{match or none}' in the request is not satisfied.")

    def put(self, request: Request, name: str) -> Reply:
        body = request.json()
        properties = body.get("properties", {})
        unknown = set(body) - {"properties", "etag"} | set(properties) - {"TTL", "metadata", "TXTRecords"}
        records = properties.get("TXTRecords")
        if unknown or not isinstance(properties.get("TTL"), int) or not records:
            raise refused(400, "BadRequest", f"The properties are not those of a TXT record set ({', '.join(sorted(unknown))}).")
        for record in records:
            if set(record) != {"value"} or not all(isinstance(part, str) and len(part) <= 255 for part in record["value"]):
                raise refused(400, "BadRequest", "A TXT record is a list of strings of at most 255 characters.")
        self.check(request, name)
        status = 200 if name in self.sets else 201
        self.bind.replace(f"{name}.{self.bind.zone}", ["".join(record["value"]) for record in records])
        self.sets[name] = {"etag": str(uuid.uuid4()), "properties": properties}
        return Reply(status, self.shown(name))

    def delete(self, request: Request, name: str) -> Reply:
        self.check(request, name)
        if name not in self.sets:
            return Reply(204)
        self.bind.replace(f"{name}.{self.bind.zone}", [])
        del self.sets[name]
        return Reply(200)
