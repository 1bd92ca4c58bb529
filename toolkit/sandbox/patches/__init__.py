"""Corrections to moto where a call of a service that moto simulates is wrong or missing: one file for each service.

In: nothing. Out: moto's classes, changed in this process. Only the server process and the tests import this package.
Each patch names AWS's behaviour, which is its specification, and has a test in tests/unit/sandbox/patches that fails as
soon as moto itself behaves so, which is the moment to delete the patch. A service that moto lacks is never imitated
here: it is tested with mocks and said to be so.
"""

from __future__ import annotations

from typing import Any

from toolkit.sandbox.patches import (
    account,
    cloudtrail,
    config,
    ec2,
    guardduty,
    iam,
    kms,
    logs,
    macie,
    organizations,
    resourcegroupstaggingapi,
    s3,
    securityhub,
    sns,
    ssm,
    sts,
)
from toolkit.sandbox.patches.base import Patch, Route

PATCHES: tuple[Patch, ...] = (
    *account.PATCHES,
    *cloudtrail.PATCHES,
    *config.PATCHES,
    *ec2.PATCHES,
    *guardduty.PATCHES,
    *iam.PATCHES,
    *kms.PATCHES,
    *logs.PATCHES,
    *macie.PATCHES,
    *organizations.PATCHES,
    *resourcegroupstaggingapi.PATCHES,
    *s3.PATCHES,
    *securityhub.PATCHES,
    *sns.PATCHES,
    *ssm.PATCHES,
    *sts.PATCHES,
)
"""Those of one method apply in this order."""

ROUTES: tuple[Route, ...] = (*account.ROUTES, *guardduty.ROUTES)


def apply() -> None:
    """Change moto in this process, for good; the server calls it once, before moto builds its routes."""
    for patch in PATCHES:
        setattr(patch.owner, patch.method, patch.correct(getattr(patch.owner, patch.method, _missing)))
    for route in ROUTES:
        route.paths.setdefault(route.pattern, route.dispatch)


def _missing(*_args: Any, **_kwargs: Any) -> None:
    raise NotImplementedError("moto has no such method; the patch that adds one must not call it")
