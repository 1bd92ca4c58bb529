"""Calls of Security Hub as they are sent, with botocore's Stubber, and what becomes of each answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import ANY

from toolkit.aws.security_hub import Imported, Rejected, active_findings, import_findings
from toolkit.errors import ToolkitError

from .conftest import REGION, Stubbed

PRODUCT = f"arn:aws:securityhub:{REGION}:123456789012:product/123456789012/default"


def finding(name: str, description: str = "example") -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": name,
        "ProductArn": PRODUCT,
        "GeneratorId": "aws-baseline-toolkit/x",
        "AwsAccountId": "123456789012",
        "CreatedAt": "2026-11-29T06:30:00Z",
        "UpdatedAt": "2026-11-29T06:30:00Z",
        "Title": "example",
        "Description": description,
        "Resources": [{"Type": "Other", "Id": "example"}],
        "RecordState": "ACTIVE",
    }


def accepted(number: int, *rejected: tuple[str, str, str]) -> dict[str, Any]:
    failed = [{"Id": name, "ErrorCode": code, "ErrorMessage": message} for name, code, message in rejected]
    return {"SuccessCount": number, "FailedCount": len(failed), "FailedFindings": failed}


class Hub(Stubbed):
    """A Security Hub whose requests are asserted."""

    def __init__(self) -> None:
        super().__init__("securityhub")

    def expects(self, findings: list[dict[str, Any]], answer: dict[str, Any]) -> None:
        self.stubber.add_response("batch_import_findings", answer, {"Findings": findings})


def test_batches_have_a_hundred_findings_at_most() -> None:
    hub = Hub()
    findings = [finding(str(number)) for number in range(250)]
    for start, stop in ((0, 100), (100, 200), (200, 250)):
        hub.expects(findings[start:stop], accepted(stop - start))
    assert import_findings(hub, REGION, findings) == Imported(250, ())
    hub.stubber.assert_no_pending_responses()


def test_batches_have_six_megabytes_at_most() -> None:
    hub = Hub()
    findings = [finding(str(number), "x" * 230_000) for number in range(60)]
    for start, stop in ((0, 25), (25, 50), (50, 60)):
        hub.expects(findings[start:stop], accepted(stop - start))
    assert import_findings(hub, REGION, findings).accepted == 60
    hub.stubber.assert_no_pending_responses()


def test_what_is_rejected_is_returned_with_the_reason() -> None:
    hub = Hub()
    findings = [finding("a"), finding("b")]
    hub.expects(findings, accepted(1, ("b", "InvalidInput", "Title is missing")))
    assert import_findings(hub, REGION, findings) == Imported(1, (Rejected("b", "InvalidInput", "Title is missing"),))


def test_active_findings_are_asked_for_by_product_and_generator_in_pages() -> None:
    hub = Hub()
    asked = {
        "Filters": {
            "ProductArn": [{"Value": PRODUCT, "Comparison": "EQUALS"}],
            "GeneratorId": [{"Value": "aws-baseline-toolkit/", "Comparison": "PREFIX"}],
            "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
        },
        "MaxResults": 100,
    }
    other = {**finding("c"), "ProductArn": PRODUCT.replace("default", "other")}
    hub.stubber.add_response("get_findings", {"Findings": [finding("a")], "NextToken": "more"}, asked)
    pages = {"Findings": [finding("b"), other, {**finding("d"), "RecordState": "ARCHIVED"}]}
    hub.stubber.add_response("get_findings", pages, {**asked, "NextToken": "more"})
    found = active_findings(hub, REGION, PRODUCT, "aws-baseline-toolkit/")
    assert [one["Id"] for one in found] == ["a", "b"]
    hub.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "said", "next_step"),
    [
        ("InvalidAccessException", f"Security Hub is not enabled in {REGION}", "components.security_hub"),
        ("AccessDeniedException", "securityhub:BatchImportFindings failed", "--print-policy"),
        ("LimitExceededException", "LimitExceededException", "run it again"),
        ("InternalException", "InternalException", "run it again"),
    ],
)
def test_a_failed_call_says_what_was_accepted_before_it(code: str, said: str, next_step: str) -> None:
    hub = Hub()
    hub.stubber.add_response("batch_import_findings", accepted(100), {"Findings": ANY})
    hub.stubber.add_client_error("batch_import_findings", code, "the reason")
    with pytest.raises(ToolkitError) as failed:
        import_findings(hub, REGION, [finding(str(number)) for number in range(150)])
    assert said in str(failed.value)
    assert "100 of 150 findings had been accepted" in str(failed.value)
    assert failed.value.detail == "the reason"
    assert next_step in (failed.value.hint or "")


def test_where_reading_fails_nothing_is_sent() -> None:
    hub = Stubbed("securityhub", ("get_findings", "InvalidAccessException"))
    with pytest.raises(ToolkitError, match="nothing was sent"):
        active_findings(hub, REGION, PRODUCT, "aws-baseline-toolkit/")
