"""The vendor's Python SDK against the simulator; started by run.py with SIM_PORT, SIM_CA_FILE, SIM_CLIENT_ID, SIM_CLIENT_SECRET, SIM_EDGE."""
import os
import sys

import PureCloudPlatformClientV2 as sdk
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.configuration import Configuration
from PureCloudPlatformClientV2.rest import ApiException

EDGE = os.environ["SIM_EDGE"]
UNKNOWN = "outdated_sdk_version"  # what this SDK makes of a value outside the published enum


def expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        sys.exit(f"{what}: {seen!r} instead of {wanted!r}")
    print(f"  {what}: {seen}")


def published_values_only(model: object, path: str = "") -> None:
    """No field of the answer may have become the SDK's word for a value it does not know."""
    if isinstance(model, list):
        for item in model:
            published_values_only(item, path)
    elif hasattr(model, "swagger_types"):
        for name in model.swagger_types:
            published_values_only(getattr(model, name), f"{path}.{name}")
    elif model == UNKNOWN:
        sys.exit(f"a value outside the published enum at {path}")


def client() -> ApiClient:
    Configuration().ssl_ca_cert = os.environ["SIM_CA_FILE"]
    made = ApiClient()
    made.set_gateway("127.0.0.1", "https", int(os.environ["SIM_PORT"]), "", "")
    return made


def refused(call, status: int) -> None:
    try:
        call()
    except ApiException as error:
        expect("refusal", error.status, status)
    else:
        sys.exit(f"no refusal with {status}")


def main() -> None:
    api_client = client()
    refused(lambda: api_client.get_client_credentials_token(os.environ["SIM_CLIENT_ID"], "wrong"), 401)
    refused(lambda: api_client.get_client_credentials_token("nobody", "wrong"), 400)
    api_client.get_client_credentials_token(os.environ["SIM_CLIENT_ID"], os.environ["SIM_CLIENT_SECRET"])
    api = sdk.TelephonyProvidersEdgeApi(api_client)

    edges = api.get_telephony_providers_edges(page_size=100, managed=False, show_cloud_media=False)
    expect("Edges", edges.total, 2)
    edge = api.get_telephony_providers_edge(EDGE, expand=["site"])
    expect("Edge", (edge.name, edge.online_status, edge.status_code, edge.state), ("edge01", "ONLINE", "ACTIVE", "active"))
    expect("its site's zone", edge.site.edge_auto_update_config.time_zone, "America/New_York")
    sites = api.get_telephony_providers_edges_sites()
    expect("sites", sorted(site.name for site in sites.entities), ["Dublin", "New York"])
    trunks = api.get_telephony_providers_edge_trunks(EDGE, trunk_type="EXTERNAL")
    trunk = trunks.entities[0]
    expect("trunk", (trunk.trunk_type, trunk.options_enabled_status, trunk.options_status[0].option_state), ("EXTERNAL", "ENABLED", False))
    expect("trunk by id", api.get_telephony_providers_edges_trunk(trunk.id).name, trunk.name)
    metrics = api.get_telephony_providers_edges_trunk_metrics(trunk.id)
    expect("calls", metrics.calls.inbound_call_count, 0)
    all_metrics = api.get_telephony_providers_edges_trunks_metrics(trunk.id)
    expect("metrics of trunks", len(all_metrics), 1)
    edge_metrics = api.get_telephony_providers_edge_metrics(EDGE)
    expect("uptime is told", edge_metrics.up_time_msec >= 0, True)
    authorities = api.get_telephony_providers_edges_certificateauthorities()
    expect("authorities", [one.type for one in authorities.entities], ["MANAGED"])
    root = authorities.entities[0].certificate
    made = api.post_telephony_providers_edges_certificateauthorities({"name": "sbc-ca", "type": "REMOTE", "services": ["SIP"], "certificate": root})
    expect("made authority", (made.type, made.services, made.version, made.certificate_details[0].expired), ("REMOTE", ["SIP"], 1, False))
    changed = {"name": "sbc-ca", "type": "REMOTE", "services": ["SIP", "PROVISION"], "certificate": root, "version": 1}
    expect("its services", api.put_telephony_providers_edges_certificateauthority(made.id, changed).services, ["SIP", "PROVISION"])
    refused(lambda: api.put_telephony_providers_edges_certificateauthority(made.id, changed), 409)
    refused(lambda: api.delete_telephony_providers_edges_certificateauthority(authorities.entities[0].id), 400)
    api.delete_telephony_providers_edges_certificateauthority(made.id)
    utilities = sdk.UtilitiesApi(api_client)
    details = utilities.post_certificate_details({"certificate": root})
    told = details.certificate_details[0]
    expect("details of a certificate", (len(details.certificate_details), told.valid, told.signature_valid, told.expired), (1, True, True, False))
    refused(lambda: utilities.post_certificate_details({"certificate": "no PEM"}), 400)
    all_trunks = api.get_telephony_providers_edges_trunks(page_size=100, trunk_type="EXTERNAL")
    expect("trunks of all Edges", sorted(one.edge.name for one in all_trunks.entities), ["edge01", "edge02"])
    own_client = sdk.OAuthApi(api_client).get_oauth_client(os.environ["SIM_CLIENT_ID"])
    expect("OAuth client", (own_client.state, own_client.authorized_grant_type), ("active", "CLIENT-CREDENTIALS"))
    for answer in (edges, edge, sites, trunks, all_trunks, metrics, all_metrics, edge_metrics, authorities, made, details, own_client):
        published_values_only(answer)

    body = {"inService": False, "callDrainingWaitTimeSeconds": 5}
    expect("service state", api.post_telephony_providers_edge_statuscode(EDGE, body=body), "OK")
    edge = api.get_telephony_providers_edge(EDGE)
    expect("out of service", (edge.status_code, edge.call_draining_state), ("INACTIVE", "COMPLETE"))
    published_values_only(edge)
    expect("its trunk", api.get_telephony_providers_edge_trunks(EDGE).entities[0].enabled, False)
    expect("back", api.post_telephony_providers_edge_statuscode(EDGE, body={"inService": True}), "OK")
    edge = api.get_telephony_providers_edge(EDGE)
    expect("in service", (edge.status_code, edge.call_draining_state), ("ACTIVE", "NONE"))
    refused(lambda: api.put_telephony_providers_edge(EDGE, {"name": "edge01", "version": edge.version + 1}), 409)
    refused(lambda: api.get_telephony_providers_edge("nobody"), 404)


main()
