#!/usr/bin/env python3
"""moto as Route 53, STS and IAM over TLS, with signatures and policies checked. Run by the interpreter that has moto (sdk/aws.txt), inside a stack.

Its hosted zones answer no DNS question, so each change of a TXT record set is copied into the stack's BIND. A web identity token is compared with the one that is
expected, which moto does not do. Arguments: certificate, key, and the file with that token. Says what it serves in one line of JSON on its standard output.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"  # before moto reads it: every action is checked

from moto.core.authorization import ActionAuthenticatorMixin  # noqa: E402
from moto.core.exceptions import _RESTError  # noqa: E402
from moto.iam.access_control import IAMRequest  # noqa: E402
from moto.iam.models import iam_backends  # noqa: E402
from moto.route53.models import Route53Backend, route53_backends  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.sts.responses import TokenResponse  # noqa: E402
from werkzeug.exceptions import Forbidden  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

from records import Bind  # noqa: E402

ACCOUNT, PARTITION = "123456789012", "aws"
# The least that the operator needs, as controller/docs/how-to/dns-route53.md tells it.
LEAST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"},
        {"Effect": "Allow", "Action": ["route53:ListResourceRecordSets", "route53:ChangeResourceRecordSets"], "Resource": "*"},
    ],
}
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def copy_to_bind(bind: Bind) -> None:
    """After moto has taken a batch, BIND has the same."""
    take = Route53Backend.change_resource_record_sets

    def take_and_copy(self: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        changes = [(change["Action"], change["ResourceRecordSet"]["Name"].rstrip("."), list(change["ResourceRecordSet"].get("ResourceRecords", []))) for change in change_list if change["ResourceRecordSet"]["Type"] == "TXT"]
        take(self, zoneid, change_list)
        for action, name, records in changes:
            values = [] if action == "DELETE" else [record["Value"].strip('"') for record in records]
            bind.replace(name, values)

    Route53Backend.change_resource_record_sets = take_and_copy


def check_web_identity(token_file: Path) -> None:
    """AssumeRoleWithWebIdentity is not signed: the token proves it. Everything else is checked by moto."""
    check = ActionAuthenticatorMixin._authenticate_and_authorize_normal_action

    def check_or_compare(self: Any, resource: str = "*") -> None:
        if isinstance(self, TokenResponse) and self._get_action() == "AssumeRoleWithWebIdentity":
            if self._get_param("WebIdentityToken") != token_file.read_text().strip() or self.headers.get("Authorization"):
                raise Forbidden("the token is not the expected one")
            return
        check(self, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = check_or_compare


def sign_without_a_body() -> None:
    """moto takes the query for the body where there is none, and would refuse every GET."""
    check = IAMRequest.check_signature

    def check_body_as_it_came(self: IAMRequest) -> None:
        held = self._data
        if self._method == "GET":
            self._data = {}
        try:
            check(self)
        finally:
            self._data = held

    IAMRequest.check_signature = check_body_as_it_came


def refuse_as_the_vendor() -> None:
    """What moto says when a check fails, in the document that Route 53 and STS give (and boto3 reads)."""

    make = _RESTError.__init__

    def make_document(self: _RESTError, error_type: str, message: str, *rest: Any, **more: Any) -> None:
        make(self, error_type, message, *rest, **more)
        document = Element("ErrorResponse")
        error = SubElement(document, "Error")
        for name, text in (("Type", "Sender"), ("Code", error_type), ("Message", message)):
            SubElement(error, name).text = text
        SubElement(document, "RequestId").text = "0"
        self.description = tostring(document, encoding="unicode")

    _RESTError.__init__ = make_document


def make_users() -> dict[str, Any]:
    """A user with the least rights, one that may only assume the role that has them, and that role."""
    iam = iam_backends[ACCOUNT]["aws"]
    keys = {}
    for name, policy in (("edgetrust", LEAST), ("stranger", ASSUME)):
        iam.create_user(region_name="us-east-1", user_name=name)
        iam.put_user_policy(name, "least", json.dumps(policy))
        key = iam.create_access_key(name)
        keys[name] = {"id": key.access_key_id, "secret": key.secret_access_key}
    role = iam.create_role(role_name="dns", assume_role_policy_document=json.dumps(ASSUME), path="/", permissions_boundary=None, description="", tags=[], max_session_duration="3600")
    iam.put_role_policy("dns", "least", json.dumps(LEAST))
    return {"keys": keys, "role": role.arn}


def main() -> None:
    certificate, key, token_file = sys.argv[1:]
    bind = Bind()
    copy_to_bind(bind)
    check_web_identity(Path(token_file))
    sign_without_a_body()
    refuse_as_the_vendor()
    users = make_users()
    zone = route53_backends[ACCOUNT][PARTITION].create_hosted_zone(f"{bind.zone}.", private_zone=False)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=(certificate, key))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.port, "zone": zone.id, **users}), flush=True)
    sys.stdin.read()  # until whoever has started it goes


main()
