"""Readers of what detects: GuardDuty, Security Hub, Access Analyzer, Macie, Inspector, Detective."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _detector(clients: ClientFactory, change: Change) -> Existing | None:
    identifiers = clients.listed("guardduty", "list_detectors", "DetectorIds", change.region)
    if not identifiers:
        return None
    return Existing({}, False, identifiers[0], f"a GuardDuty detector in {change.region}")


def _detector_feature(clients: ClientFactory, change: Change) -> Existing | None:
    """GuardDuty's UpdateDetector sets what stands: a plan that somebody switched on may go off."""
    guardduty = clients.client("guardduty", change.region)
    identifiers = clients.listed("guardduty", "list_detectors", "DetectorIds", change.region)
    name = named(change, "name")
    if not identifiers:
        return None
    detector = guardduty.get_detector(DetectorId=identifiers[0])
    feature = next((f for f in detector.get("Features", ()) if f["Name"] == name), None)
    if feature is None:
        return None
    values: dict[str, Any] = {"status": feature["Status"]}
    planned = [one.get("name") for one in change.after.get("additional_configuration") or ()]
    parts = {part["Name"]: part["Status"] for part in feature.get("AdditionalConfiguration", ())}
    # Of what the plan does not name, nothing changes.
    values["additional_configuration"] = [{"name": n, "status": parts.get(n, "DISABLED")} for n in planned]
    what = f"{name} of the GuardDuty detector in {change.region}"
    return overwriting(change, values, None, what, default=_since_creation(detector, feature))


def _since_creation(detector: Mapping[str, Any], feature: Mapping[str, Any]) -> bool:
    """Whether a plan is as AWS made it with the detector: AWS switches most of them on by itself."""
    updated = feature.get("UpdatedAt")
    if updated is None:
        return True
    created = datetime.fromisoformat(detector["CreatedAt"].replace("Z", "+00:00"))
    return bool(updated - created < timedelta(minutes=1))


def _publishing_destination(clients: ClientFactory, change: Change) -> Existing | None:
    guardduty = clients.client("guardduty", change.region)
    identifiers = clients.listed("guardduty", "list_detectors", "DetectorIds", change.region)
    if not identifiers:
        return None
    kind = named(change, "destination_type")
    destinations = guardduty.list_publishing_destinations(DetectorId=identifiers[0])["Destinations"]
    # A detector has one of each type.
    same = next((d["DestinationId"] for d in destinations if d["DestinationType"] == kind), None)
    if same is None:
        return None
    return Existing({}, False, f"{identifiers[0]}:{same}", f"an export of GuardDuty's findings in {change.region}")


def _analyzer(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "analyzer_name")
    pages = clients.client("accessanalyzer", change.region).get_paginator("list_analyzers").paginate()
    if not any(analyzer["name"] == name for page in pages for analyzer in page["analyzers"]):
        return None
    return Existing({}, False, str(name), f"the analyzer {name!r} in {change.region}")


def _archive_rule(clients: ClientFactory, change: Change) -> Existing | None:
    analyzer, rule = named(change, "analyzer_name"), named(change, "rule_name")
    analyzers = clients.client("accessanalyzer", change.region)
    try:
        analyzers.get_archive_rule(analyzerName=analyzer, ruleName=rule)
    except analyzers.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, f"{analyzer}/{rule}", f"the archive rule {rule!r} of the analyzer {analyzer!r}")


def _hub(clients: ClientFactory, change: Change) -> Existing | None:
    hub = clients.client("securityhub", change.region)
    try:
        hub.describe_hub()
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        return None
    return Existing({}, False, clients.account_id, f"Security Hub in {change.region}")


def _finding_aggregator(clients: ClientFactory, change: Change) -> Existing | None:
    hub = clients.client("securityhub", change.region)
    try:
        found = hub.list_finding_aggregators()["FindingAggregators"]
    except hub.exceptions.InvalidAccessException:
        return None
    if not found:
        return None
    arn = found[0]["FindingAggregatorArn"]
    return Existing({}, False, arn, "a finding aggregator of Security Hub")


def _control_association(clients: ClientFactory, change: Change) -> Existing | None:
    """BatchUpdateStandardsControlAssociations sets what stands: a control that is on by itself may go off."""
    control, standard = named(change, "security_control_id"), named(change, "standards_arn")
    hub = clients.client("securityhub", change.region)
    try:
        pages = list(hub.get_paginator("list_standards_control_associations").paginate(SecurityControlId=control))
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        # No hub, or no such control in any enabled standard.
        return None
    found = [one for page in pages for one in page["StandardsControlAssociationSummaries"]]
    one = next((one for one in found if one["StandardsArn"] == standard), None)
    if one is None:
        return None
    values, what = {"association_status": one["AssociationStatus"]}, f"the control {control} in {change.region}"
    # Enabling a standard switches its controls on; whoever switches one gives a reason.
    return overwriting(change, values, None, what, default=not one.get("UpdatedReason"))


def _macie(clients: ClientFactory, change: Change) -> Existing | None:
    macie = clients.client("macie2", change.region)
    try:
        macie.get_macie_session()
    except (macie.exceptions.AccessDeniedException, macie.exceptions.ResourceNotFoundException) as e:
        # AWS's answer where it is off is "Macie is not enabled", with the code of a missing right.
        if "not enabled" in str(e) or isinstance(e, macie.exceptions.ResourceNotFoundException):
            return None
        raise
    return Existing({}, False, clients.account_id, f"Macie in {change.region}")


def _inspector(clients: ClientFactory, change: Change) -> Existing | None:
    account = clients.account_id
    inspector = clients.client("inspector2", change.region)
    found = inspector.batch_get_account_status(accountIds=[account])["accounts"]
    states = found[0]["resourceState"] if found else {}
    names = {"ec2": "EC2", "ecr": "ECR", "lambda": "LAMBDA", "lambdaCode": "LAMBDA_CODE"}
    types = [names[kind] for kind in names if states.get(kind, {}).get("status") in ("ENABLED", "ENABLING")]
    if not types:
        return None
    # The provider's create enables what the settings name, and disables whatever else is scanned.
    return overwriting(change, {"resource_types": sorted(types)}, None, f"Inspector in {change.region}")


def _macie_export(clients: ClientFactory, change: Change) -> Existing | None:
    macie = clients.client("macie2", change.region)
    try:
        found = macie.get_classification_export_configuration().get("configuration", {}).get("s3Destination")
    except macie.exceptions.AccessDeniedException as e:
        if "not enabled" in str(e):
            return None
        raise
    if not found:
        return None
    destination = {
        "bucket_name": found["bucketName"],
        "key_prefix": found.get("keyPrefix"),
        "kms_key_arn": found["kmsKeyArn"],
    }
    return overwriting(change, {"s3_destination": [destination]}, None, f"Macie's export in {change.region}")


def _detective_members(clients: ClientFactory, change: Change) -> Existing | None:
    graph = named(change, "graph_arn")
    if graph is None:
        # Of a graph that is still to be made nobody has set anything.
        return None
    found = clients.client("detective", change.region).describe_organization_configuration(GraphArn=graph)
    values = {"auto_enable": found.get("AutoEnable", False)}
    return overwriting(change, values, graph, f"what Detective does with new members in {change.region}")


def _detective(clients: ClientFactory, change: Change) -> Existing | None:
    graphs = clients.client("detective", change.region).list_graphs()["GraphList"]
    return Existing({}, False, graphs[0]["Arn"], f"Detective in {change.region}") if graphs else None


READERS: dict[str, Reader] = {
    "aws_guardduty_detector": _detector,
    "aws_guardduty_detector_feature": _detector_feature,
    "aws_guardduty_publishing_destination": _publishing_destination,
    "aws_accessanalyzer_analyzer": _analyzer,
    "aws_accessanalyzer_archive_rule": _archive_rule,
    "aws_securityhub_account": _hub,
    "aws_securityhub_finding_aggregator": _finding_aggregator,
    "aws_securityhub_standards_control_association": _control_association,
    "aws_macie2_account": _macie,
    "aws_inspector2_enabler": _inspector,
    "aws_macie2_classification_export_configuration": _macie_export,
    "aws_detective_graph": _detective,
    "aws_detective_organization_configuration": _detective_members,
}
