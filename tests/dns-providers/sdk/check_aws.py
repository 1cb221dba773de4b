"""boto3 against moto as the tests run it. Environment: AWS_API (its address), ZONE, NAME in it, ZONE_ID, ROLE, a user's AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, another's STRANGER_ID and
STRANGER_SECRET, and TOKEN_FILE."""

import os
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

API, ZONE, NAME = os.environ["AWS_API"], os.environ["ZONE"], f"{os.environ['NAME']}.{os.environ['ZONE']}."


def client(service: str, **keys: str):
    return boto3.client(service, endpoint_url=API, region_name="us-east-1", verify=os.environ["AWS_CA_BUNDLE"], **keys)


def change(route53, *changes: tuple[str, list[str]]) -> None:
    batch = [{"Action": action, "ResourceRecordSet": {"Name": NAME, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": f'"{value}"'} for value in values]}} for action, values in changes]
    route53.change_resource_record_sets(HostedZoneId=os.environ["ZONE_ID"], ChangeBatch={"Changes": batch})


def values(route53) -> list[str]:
    sets = route53.list_resource_record_sets(HostedZoneId=os.environ["ZONE_ID"], StartRecordName=NAME, StartRecordType="TXT", MaxItems="1")["ResourceRecordSets"]
    return [record["Value"] for found in sets if found["Name"] == NAME for record in found["ResourceRecords"]]


def refused(code: str, call) -> None:
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"{code} was expected")


route53 = client("route53")
zones = route53.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"]
assert [zone["Name"] for zone in zones] == [f"{ZONE}."], zones
change(route53, ("CREATE", ["one"]))
change(route53, ("DELETE", ["one"]), ("CREATE", ["one", "two"]))
assert values(route53) == ['"one"', '"two"']
change(route53, ("DELETE", ["one", "two"]))
assert values(route53) == []
refused("SignatureDoesNotMatch", client("route53", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong").list_hosted_zones_by_name)
refused("AccessDenied", route53.list_health_checks)  # beyond the least rights
sts = client("sts")
token = Path(os.environ["TOKEN_FILE"]).read_text().strip()
held = sts.assume_role_with_web_identity(RoleArn=os.environ["ROLE"], RoleSessionName="sdk", WebIdentityToken=token)["Credentials"]
with_role = client("route53", aws_access_key_id=held["AccessKeyId"], aws_secret_access_key=held["SecretAccessKey"], aws_session_token=held["SessionToken"])
assert with_role.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"]
stranger = client("sts", aws_access_key_id=os.environ["STRANGER_ID"], aws_secret_access_key=os.environ["STRANGER_SECRET"])
assert stranger.assume_role(RoleArn=os.environ["ROLE"], RoleSessionName="sdk")["Credentials"]["SessionToken"]
refused("AccessDenied", lambda: sts.assume_role(RoleArn=os.environ["ROLE"], RoleSessionName="sdk"))
