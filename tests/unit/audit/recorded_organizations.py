"""The organization and its policies, in each state that a check tells from another."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.organizations import Organization, Policies
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Case, Flip, live

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE
OTHER = "111122223333"
MEMBER = "organizations_account_part_of_organizations"
SCP, REGIONS = "organizations_scp_attached", "organizations_scp_check_deny_regions"
AI, TAGS = "organizations_opt_out_ai_services_policy", "organizations_tags_policies_enabled_and_attached"
ROOT, DELEGATED = "iam_root_credentials_management_enabled", "organizations_delegated_administrators"


def organization(management: str = SCOPE.account_id) -> tuple[Live, ...]:
    return (live({"management": management}),)


def policy(kind: str, content: Any, *, targets: int = 1, of_aws: bool = False) -> Live:
    return live({"kind": kind, "content": json.dumps(content), "targets": ["r-1"] * targets, "of_aws": of_aws})


def _of_management(
    check: str, wanted: Wanted[Any], good: Live, flips: tuple[Flip, ...], *bad: Live
) -> tuple[Case, ...]:
    """What only the management account knows: good there, bad there, and asked of another account."""
    elsewhere = Flip("management", OTHER, NOT_APPLICABLE, Organization())
    return (
        Case(check, PASS, {Organization(): organization(), wanted: (good,)}, (elsewhere, *flips)),
        Case(check, FAIL, {Organization(): organization(), wanted: ()}, (elsewhere,)),
        *(Case(check, FAIL, {Organization(): organization(), wanted: (one,)}, (elsewhere,)) for one in bad),
        Case(check, NOT_APPLICABLE, {Organization(): organization(OTHER), wanted: ()}),
        Case(check, NOT_APPLICABLE, {Organization(): (), wanted: ()}),
    )


def _of_policies(check: str, kind: str, good: Any, *bad: Any) -> tuple[Case, ...]:
    return _of_management(
        check,
        Policies(),
        policy(kind, good),
        (
            Flip("kind", "BACKUP_POLICY", FAIL, Policies()),
            Flip("of_aws", True, FAIL, Policies()),
            Flip("targets", [], FAIL, Policies()),
            *(Flip("content", json.dumps(one), FAIL, Policies()) for one in bad),
        ),
        policy(kind, good, targets=0),
        *(policy(kind, one) for one in bad),
    )


def _opted(default: str, **others: str) -> dict[str, Any]:
    chosen = {"default": default, **others}
    return {"services": {name: {"opt_out_policy": {"@@assign": one}} for name, one in chosen.items()}}


DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
BY_REGION = {"Condition": {"StringNotEquals": {"aws:RequestedRegion": [HOME]}}}
BY_ORGANIZATION = {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-1"]}}}
FEATURES = Every("aws_iam_organizations_features", HOME)
ADMINISTRATORS = Every("aws_organizations_delegated_administrator", HOME)

CASES = (
    # Whether there is one decides, and nothing that is said of it.
    Case(MEMBER, PASS, {Organization(): organization(OTHER)}),
    Case(MEMBER, FAIL, {Organization(): ()}),
    *_of_policies(SCP, "SERVICE_CONTROL_POLICY", {"Statement": DENY}),
    *_of_policies(
        REGIONS,
        "SERVICE_CONTROL_POLICY",
        {"Statement": [DENY, DENY | BY_REGION]},
        {"Statement": DENY},
        {"Statement": [DENY | BY_ORGANIZATION]},
        {"Statement": DENY | BY_REGION | {"Effect": "Allow"}},
    ),
    *_of_policies(
        AI,
        "AISERVICES_OPT_OUT_POLICY",
        _opted("optOut"),
        _opted("optIn"),
        _opted("optOut", lex="optIn"),
        {"services": {"lex": {"opt_out_policy": {"@@assign": "optOut"}}}},
        {"services": {}},
    ),
    *_of_policies(TAGS, "TAG_POLICY", {"tags": {}}),
    *_of_management(
        ROOT,
        FEATURES,
        live({"enabled_features": ["RootCredentialsManagement", "RootSessions"]}),
        (Flip("enabled_features", ["RootSessions"], FAIL, FEATURES),),
        live({"enabled_features": ["RootSessions"]}),
    ),
    *_of_management(
        DELEGATED,
        ADMINISTRATORS,
        live({"service_principal": "guardduty.amazonaws.com"}),
        (Flip("service_principal", "ram.amazonaws.com", FAIL, ADMINISTRATORS),),
        live({"service_principal": "ram.amazonaws.com"}),
    ),
)
