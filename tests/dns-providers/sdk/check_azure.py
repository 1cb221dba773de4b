"""Microsoft's own SDK against the stand-in of Azure. Environment: AZURE_API (its address), and the names in azure.py as AZURE_…, ZONE, and NAME in it. REQUESTS_CA_BUNDLE trusts it."""

import os

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.dns import DnsManagementClient
from azure.mgmt.dns.models import RecordSet, TxtRecord

API, GROUP, ZONE, NAME = os.environ["AZURE_API"], os.environ["AZURE_GROUP"], os.environ["ZONE"], os.environ["NAME"]


def client(secret: str) -> DnsManagementClient:
    credential = ClientSecretCredential(os.environ["AZURE_TENANT"], os.environ["AZURE_CLIENT"], secret, authority=API, disable_instance_discovery=True)
    return DnsManagementClient(credential, os.environ["AZURE_SUBSCRIPTION"], base_url=API, credential_scopes=["https://management.azure.com/.default"], retry_total=0)


def refused(kind: type[HttpResponseError], status: int, call) -> None:
    try:
        call()
    except kind as error:
        assert error.status_code == status or status == 0, error
    else:
        raise AssertionError(f"{kind.__name__} was expected")


def values(found: RecordSet) -> list[str]:
    return sorted("".join(record.value) for record in found.txt_records)


def one(*texts: str) -> RecordSet:
    return RecordSet(ttl=60, txt_records=[TxtRecord(value=[text]) for text in texts])


sets = client(os.environ["AZURE_SECRET"]).record_sets
refused(ResourceNotFoundError, 404, lambda: sets.get(GROUP, ZONE, NAME, "TXT"))
first = sets.create_or_update(GROUP, ZONE, NAME, "TXT", one("one"), if_none_match="*")
assert values(sets.get(GROUP, ZONE, NAME, "TXT")) == ["one"]
refused(HttpResponseError, 412, lambda: sets.create_or_update(GROUP, ZONE, NAME, "TXT", one("two"), if_none_match="*"))
second = sets.create_or_update(GROUP, ZONE, NAME, "TXT", one("one", "two"), if_match=first.etag)
assert values(second) == ["one", "two"] and second.etag != first.etag
refused(HttpResponseError, 412, lambda: sets.create_or_update(GROUP, ZONE, NAME, "TXT", one("three"), if_match=first.etag))
refused(HttpResponseError, 412, lambda: sets.delete(GROUP, ZONE, NAME, "TXT", if_match=first.etag))
sets.delete(GROUP, ZONE, NAME, "TXT", if_match=second.etag)
refused(ResourceNotFoundError, 404, lambda: sets.get(GROUP, "another.test", NAME, "TXT"))
refused(ClientAuthenticationError, 0, lambda: client("wrong").record_sets.get(GROUP, ZONE, NAME, "TXT"))
