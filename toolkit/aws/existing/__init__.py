"""What the account has already of what a plan would create. Reads only.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
One file per topic has a table READERS: resource type → what asks for it. Every type that a module makes has one, or a
reason in NOTHING_TO_OVERWRITE why it needs none.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.aws.existing import (
    account,
    alerts,
    compute,
    detection,
    iam,
    identity_center,
    members,
    organization,
    perimeter,
    records,
    storage,
)
from toolkit.aws.existing.reader import Reader
from toolkit.aws.facts import asked, side_by_side
from toolkit.aws.session import ClientFactory
from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan

READERS: Mapping[str, Reader] = {
    **iam.READERS,
    **identity_center.READERS,
    **account.READERS,
    **storage.READERS,
    **compute.READERS,
    **records.READERS,
    **alerts.READERS,
    **detection.READERS,
    **organization.READERS,
    **members.READERS,
    **perimeter.READERS,
}
"""Every topic's readers: resource type → what asks for it."""

NOTHING_TO_OVERWRITE: Mapping[str, str] = {
    "aws_ec2_image_block_public_access": "the module only ever blocks, which lets through no more than what is there",
    "aws_kms_key": "a new key has a new id",
    "aws_securityhub_standards_subscription": "enabling a standard that is enabled leaves its controls as they are",
    "aws_shield_drt_access_log_bucket_association": "it adds a bucket to those that there are",
    "aws_ssoadmin_account_assignment": "assigning a set that is assigned already changes nothing",
    "aws_ssoadmin_customer_managed_policy_attachment": "it adds a policy to those that the set has",
    "aws_sns_topic_subscription": "subscribing an address that is subscribed already answers that subscription; with "
    "other attributes SNS refuses it",
}
"""Resource type → why a create of it can neither overwrite nor meet anything."""

NOT_SIMULATED = frozenset(resource for component in REGISTRY.values() for resource in component.lacking)
"""Types that the embedded AWS lacks: nothing can be in their way there, and asking gets no answer of AWS's."""


_OWNERS = {
    "aws_guardduty_detector_feature": "aws_guardduty_detector",
    "aws_s3_bucket_lifecycle_configuration": "aws_s3_bucket",
    "aws_securityhub_standards_control_association": "aws_securityhub_account",
}
"""Types beside an owner with which AWS gives them a value by itself."""


def read_existing(plan: Plan, clients: ClientFactory) -> dict[str, Existing]:
    """Address of a create → what is there already.

    Raises:
        ToolkitError: It could not be asked.
    """
    creates = [
        change
        for change in plan.changes
        if change.type in READERS
        and change.action is Action.CREATE
        and not (clients.simulated and change.type in NOT_SIMULATED)
    ]

    def read(change: Change) -> Existing | None:
        reader = READERS[change.type]
        return asked(f"what {change.address} would overwrite", lambda: reader(clients, change))

    # The first plan of an account with many regions asks for hundreds of things.
    answers = side_by_side(read, creates)
    return {
        change.address: existing
        for change, existing in zip(creates, answers, strict=True)
        # What AWS gave a new thing by itself stands there after an interrupted apply, and is nobody's choice.
        if existing is not None and (not existing.default or _comes_in(change, plan))
    }


def _comes_in(change: Change, plan: Plan) -> bool:
    """Whether what the change stands beside is not in the state yet: the plan imports it, or would make another."""
    return any(
        owner.type == _OWNERS[change.type]
        and (owner.imported or owner.action is Action.CREATE)
        and owner.region == change.region
        and owner.after.get("bucket") == change.after.get("bucket")
        for owner in plan.changes
    )
