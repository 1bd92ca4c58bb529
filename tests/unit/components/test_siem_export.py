from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.siem_export import COMPONENT, SiemExport
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

BUS = "arn:aws:events:eu-west-1:111122223333:event-bus/siem"
STREAM = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/siem"
READER = {"principal_arns": ["arn:aws:iam::111122223333:role/siem"], "external_id": "example-id"}
REGIONS = "{home: eu-central-1, active: [eu-central-1, us-east-1]}"


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        SiemExport.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def rendered(components: str) -> str:
    text = f'account_id: "123456789012"\nregions: {REGIONS}\ncomponents: {{{components}}}\n'
    return render(load_text(text, name="x", shown_as="x"))["siem_export.tf"]


def sources(text: str) -> dict[str, str]:
    """Module label → its sources, as rendered."""
    calls = re.findall(r'^module "(siem_export_findings_\w+)" \{\n(.*?)^\}', text, re.M | re.S)
    return {label: re.findall(r"sources += \[(.*?)\]", call, re.S)[0] for label, call in calls}


@pytest.mark.parametrize(
    "settings",
    [
        {"findings": {"event_bus_arn": BUS}},
        {"findings": {"event_bus_arn": "arn:aws:events:eu-west-1:111122223333:event-bus/default"}},
        {"log_subscription": {"destination_arn": STREAM}},
        {"log_subscription": {"destination_arn": "arn:aws:kinesis:eu-central-1:123456789012:stream/siem"}},
        {"log_subscription": {"destination_arn": "arn:aws:logs:eu-west-1:111122223333:destination:siem"}},
        {"trail_reader": READER},
        {"trail_reader": {**READER, "principal_arns": ["arn:aws:iam::111122223333:root"]}},
    ],
    ids=str,
)
def test_each_way_by_itself(settings: dict[str, Any]) -> None:
    assert set(SiemExport.model_validate(settings).model_dump(exclude_none=True)) == {"name", *settings}
    assert COMPONENT.settings is SiemExport


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ": siem_export must have at least one of findings, log_subscription and trail_reader"),
        ({"findings": {"event_bus_arn": STREAM}}, "findings.event_bus_arn: expected the ARN of an event bus"),
        ({"findings": {"event_bus_arn": BUS, "sources": []}}, "findings.sources: expected at least one value"),
        ({"findings": {"event_bus_arn": BUS, "sources": ["all"]}}, "findings.sources.0: Input should be 'guardduty'"),
        (
            {"findings": {"event_bus_arn": BUS, "sources": ["macie", "macie"]}},
            "findings.sources: expected each value once",
        ),
        (
            {"log_subscription": {"destination_arn": BUS}},
            "log_subscription.destination_arn: expected the ARN of a Fire",
        ),
        (
            {"log_subscription": {"destination_arn": STREAM, "filter_pattern": "x" * 1025}},
            "log_subscription.filter_pattern: String should have at most 1024",
        ),
        ({"trail_reader": {**READER, "principal_arns": ["*"]}}, "trail_reader.principal_arns.0: expected the ARN of a"),
        (
            {"trail_reader": {**READER, "principal_arns": ["arn:aws:iam::111122223333:role/*"]}},
            "trail_reader.principal_arns.0: expected the ARN of a",
        ),
        ({"trail_reader": {**READER, "principal_arns": []}}, "trail_reader.principal_arns: expected at least one"),
        ({"trail_reader": {**READER, "external_id": "x"}}, "trail_reader.external_id: expected 2 to 1224"),
        ({"trail_reader": {"principal_arns": READER["principal_arns"]}}, "trail_reader.external_id: Field required"),
        ({"trail_reader": {**READER, "max_session_hours": 13}}, "trail_reader.max_session_hours: Input should be less"),
        ({"trail_reader": READER, "name": "x" * 45}, "name: expected 1 to 44 letters"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize(
    ("block", "needs"),
    [
        (f"log_subscription: {{destination_arn: '{STREAM}'}}", True),
        ("trail_reader: {principal_arns: ['arn:aws:iam::111122223333:root'], external_id: example-id}", True),
        (f"findings: {{event_bus_arn: '{BUS}'}}", False),
    ],
)
def test_a_trail_is_needed_where_it_is_handed_over(block: str, needs: bool) -> None:
    if not needs:
        assert 'module "siem_export"' in rendered(f"siem_export: {{{block}}}")
        return
    with pytest.raises(ToolkitError) as caught:
        rendered(f"siem_export: {{{block}}}")
    setting = block.split(":", maxsplit=1)[0]
    expected = f"components.siem_export.{setting}: needs the component cloudtrail, which is off"
    assert expected in str(caught.value.detail)
    assert "module.cloudtrail." in rendered(f"cloudtrail: {{}}, siem_export: {{{block}}}")


def test_what_another_region_hands_over_is_not_handed_over_twice() -> None:
    block = f"siem_export: {{findings: {{event_bus_arn: '{BUS}', sources: [security_hub, guardduty]}}}}"
    assert sources(rendered(block)) == {
        "siem_export_findings_eu_central_1": '"security_hub", "guardduty"',
        "siem_export_findings_us_east_1": '"security_hub", "guardduty"',
    }
    # With the component on, the home region's hub has the other regions' findings, too.
    assert sources(rendered(f"config: {{}}, security_hub: {{}}, {block}")) == {
        "siem_export_findings_eu_central_1": '"security_hub", "guardduty"',
        "siem_export_findings_us_east_1": '"guardduty"',
    }
    off = "config: {}, security_hub: {finding_aggregation: false}"
    assert '"security_hub", "guardduty"' in sources(rendered(f"{off}, {block}"))["siem_export_findings_us_east_1"]
    alone = block.replace(", guardduty", "")
    assert set(sources(rendered(f"config: {{}}, security_hub: {{}}, {alone}"))) == {"siem_export_findings_eu_central_1"}
