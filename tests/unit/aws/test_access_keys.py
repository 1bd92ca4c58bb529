"""Access keys of users: which there are, how old they are, and when they were last used; no secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.resources import iam
from toolkit.resources.reading import Live

from .conftest import ENVIRONMENT, REGION, client

KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
DAY = datetime(2026, 1, 1, tzinfo=UTC)
REPORTED = datetime(2026, 11, 29, 8, tzinfo=UTC)
ANNA, BEN = "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"
HEADER = "user,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date," + (
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service"
)
NONE = "false,N/A,N/A,N/A,N/A"
USED = "2026-11-20T10:00:00+00:00"
S3 = (datetime(2026, 11, 20, 10, tzinfo=UTC), "s3", "eu-west-1")


class Iam(AwsSession):
    """Two users with a key each, and a credential report; the calls about one key are counted."""

    def __init__(self, report: str | None, *, status: str = "Active", made: datetime = DAY) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client("iam", REGION, **KEYS)  # type: ignore[call-overload]
        self.asked: list[str] = []
        stub = Stubber(self.one)

        def users(*names: str) -> list[dict[str, Any]]:
            more = {"Path": "/", "UserId": "AIDACKCEVSQ6C2EXAMPLE", "CreateDate": DAY}
            return [{"UserName": n, "Arn": f"arn:aws:iam::123456789012:user/{n}", **more} for n in names]

        stub.add_response("list_users", {"Users": users("anna"), "IsTruncated": False})
        key = {"UserName": "anna", "AccessKeyId": ANNA, "Status": status, "CreateDate": made}
        second = {**key, "AccessKeyId": BEN, "CreateDate": made + timedelta(days=2)}
        stub.add_response("list_access_keys", {"AccessKeyMetadata": [key, second], "IsTruncated": False})
        if report is None:
            stub.add_client_error("generate_credential_report", "AccessDenied", "no")
        else:
            stub.add_response("generate_credential_report", {"State": "COMPLETE"})
            answer = {"Content": report.encode(), "ReportFormat": "text/csv", "GeneratedTime": REPORTED}
            stub.add_response("get_credential_report", answer)
        self.stub = stub

    def ask_about(self, times: int) -> None:
        """How many keys are asked about one by one."""
        for _ in range(times):
            last = {"LastUsedDate": S3[0], "ServiceName": S3[1], "Region": S3[2]}
            self.stub.add_response("get_access_key_last_used", {"UserName": "anna", "AccessKeyLastUsed": last})
        self.stub.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        return self.one


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, "_FEW", 1)
    # One answer after the other, as they are recorded.
    monkeypatch.setattr(Inventory, "side_by_side", lambda _, ask, about: tuple(map(ask, about)))


def report(first: str, second: str) -> str:
    return f"{HEADER}\nanna,{first},{second}\n"


FIRST = f"true,2026-01-01T00:00:00+00:00,{USED},eu-west-1,s3"
SECOND = "true,2026-01-03T00:00:00+00:00,N/A,N/A,N/A"
SAME = f"true,2026-01-01T00:00:00+00:00,{USED},us-east-1,ec2"
CASES: dict[str, tuple[str | None, int]] = {
    # Name → the report, and how many keys are asked about.
    "the report has both": (report(FIRST, SECOND), 0),
    "the report has them in another order": (report(SECOND, FIRST), 0),
    "a key is newer than the report": (report(FIRST, NONE), 1),
    "a key was changed since it was made": (report(FIRST, SECOND.replace("01-03", "05-05")), 1),
    "a key was switched off since the report": (report(FIRST, SECOND.replace("true", "false")), 1),
    "two keys were made in the same second": (report(FIRST, SAME), 2),
    "the user is not in the report": (report(FIRST, SECOND).replace("anna", "ben"), 2),
    "no report may be read": (None, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_the_last_use_is_taken_from_the_report_only_where_it_is_beyond_doubt(case: str):
    text, times = CASES[case]
    clients = Iam(text)
    clients.ask_about(times)
    found = list(Inventory(clients).every(["aws_iam_access_key"], [REGION]))
    clients.stub.assert_no_pending_responses()
    assert [one.import_id for one in found if isinstance(one, Live)] == [ANNA, BEN]
    first, second = (one.values for one in found if isinstance(one, Live))
    assert (first["user"], first["status"], first["create_date"]) == ("anna", "Active", DAY)
    assert tuple(first[name] for name in iam._USED) == S3
    by_report = second["last_used_reported"] == REPORTED
    assert second["last_used_date"] == (None if by_report else S3[0])
    assert by_report == (times == 0)


def test_keys_of_an_account(aws: None):
    one = client("iam")
    one.create_user(UserName="anna")
    made = one.create_access_key(UserName="anna")["AccessKey"]
    one.update_access_key(UserName="anna", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    (key,) = Inventory(AwsSession(ENVIRONMENT, {})).every(["aws_iam_access_key"], [REGION])
    assert isinstance(key, Live)
    assert (key.key, key.values["status"]) == ({"id": made["AccessKeyId"]}, "Inactive")
    assert key.values["last_used_date"] is None
    assert made["SecretAccessKey"] not in repr(key)
