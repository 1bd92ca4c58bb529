"""Managed policies: AWS's by name, as people know them from the console, customers' by ARN."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from toolkit.aws_lists import AwsList, aws_list
from toolkit.regions import ARN, PARTITION
from toolkit.settings.listed import misspelt, report_newer

_NAME = re.compile(r"(?:[A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}")
_CUSTOMER_POLICY_ARN = re.compile(ARN + r":iam::[0-9]{12}:policy/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+")
_AWS_POLICY_ARN = re.compile(rf"arn:({PARTITION}):iam::aws:policy/(.+)")


@cache
def _by_bare_name() -> AwsList:
    """The list by names without paths; where two differ in their paths alone, the shorter path's."""
    known = aws_list("managed_policies")
    return replace(known, items={name.rsplit("/", 1)[-1]: name for name in sorted(known.names, reverse=True)})


def aws_managed_policy(name: str, info: ValidationInfo, *, path_needed: bool = False) -> str:
    """`path/name` of a policy, as behind `policy/` in its ARN; a name that is newer than the list as it stands.

    Args:
        name: With or without its path.
        info: Of the validator.
        path_needed: Whether a name without its path is refused.

    Raises:
        ValueError: No policy has such a name, or AWS lets nobody attach it.
        PydanticCustomError: It is a misspelling, or is to be reported as newer.
    """
    known, bare = aws_list("managed_policies"), _by_bare_name()
    last = name.rsplit("/", 1)[-1]
    found = name if name in known else None if "/" in name else bare.items.get(name)
    if found is None or (path_needed and found != name):
        meant = last if last in bare else bare.nearest(last)
        if meant:
            expected = "the name of an AWS managed policy, with its path, as in job-function/Billing"
            raise misspelt(expected, bare.items[meant])
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of a managed policy: expected letters, digits and _+=,.@-")
        report_newer(name, known, info, then="check the spelling: what it allows is not known here")
        found = name
    if found.startswith("aws-service-role/"):
        raise ValueError(f"{name!r} belongs to a service-linked role: AWS allows attaching it to no other identity")
    return found


def _managed_policy(policy: str, info: ValidationInfo) -> str:
    """`path/name` of an AWS managed policy, or a customer managed policy's ARN; raises ValueError for anything else."""
    if _CUSTOMER_POLICY_ARN.fullmatch(policy):
        return policy
    arn = _AWS_POLICY_ARN.fullmatch(policy)
    if arn and arn[1] != "aws":
        return policy  # the list of names is the `aws` partition's; others differ in a few
    if policy.startswith("arn:") and not arn:
        raise ValueError(f"{policy!r} is not the ARN of a managed policy: expected arn:aws:iam::ACCOUNT:policy/NAME")
    # A bare name is enough where people know it from the console; ARNs and paths have to be right as they stand.
    return aws_managed_policy(arn[2] if arn else policy, info, path_needed=bool(arn))


ManagedPolicy = Annotated[str, AfterValidator(_managed_policy)]
