"""AWS Organizations, corrected."""

from __future__ import annotations

from typing import Any, get_args

from moto.organizations.exceptions import PolicyTypeAlreadyEnabledException
from moto.organizations.models import FakePolicy, FakeRoot, FakeServiceAccess
from moto.organizations.utils import TAG_POLICY_ARN_FORMAT

from toolkit.policy_types import AnyManagementType
from toolkit.sandbox.patches.base import Method, Patch


def _trusted_service(original: Method) -> Method:
    def trusted_service(service_principal: str) -> bool:
        return service_principal == "iam.amazonaws.com" or bool(original(service_principal))

    # moto calls it on the class and on instances alike.
    return staticmethod(trusted_service)


def _is_policy_type(original: Method) -> Method:
    def supported_policy_type(policy_type: str) -> bool:
        return policy_type in _POLICY_TYPES or bool(original(policy_type))

    return staticmethod(supported_policy_type)


def _make_policy(original: Method) -> Method:
    def create(self: FakePolicy, organization: Any, **kwargs: Any) -> None:
        kind = kwargs.get("Type", "")
        original(self, organization, **{**kwargs, **({"Type": "TAG_POLICY"} if kind in _POLICY_TYPES else {})})
        if kind in _POLICY_TYPES:
            self.type = kind
            self._arn_format = TAG_POLICY_ARN_FORMAT.replace("tag_policy", kind.lower())

    return create


def _enable_policy_type(original: Method) -> Method:
    def add_policy_type(self: FakeRoot, policy_type: str) -> None:
        if policy_type not in _POLICY_TYPES:
            original(self, policy_type)
            return
        if any(enabled["Type"] == policy_type for enabled in self.policy_types):
            raise PolicyTypeAlreadyEnabledException
        self.policy_types.append({"Type": policy_type, "Status": "ENABLED"})

    return add_policy_type


_POLICY_TYPES = {*get_args(AnyManagementType)} - {"TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"}
_TYPES = (
    "moto knows four types of organization policies, and enables a fifth. Organizations API, CreatePolicy and "
    "EnablePolicyType: there are more, which are created, listed and attached like tag policies."
)

PATCHES = (
    Patch("organizations-policy-types", FakePolicy, "supported_policy_type", _TYPES, _is_policy_type),
    Patch("organizations-create-policy", FakePolicy, "__init__", _TYPES, _make_policy),
    Patch("organizations-enable-policy-type", FakeRoot, "add_policy_type", _TYPES, _enable_policy_type),
    Patch(
        name="organizations-trusts-iam",
        owner=FakeServiceAccess,
        method="trusted_service",
        reason="moto's list of services that an organization can trust lacks IAM. Organizations API, "
        "EnableAWSServiceAccess: iam.amazonaws.com is one, for the central management of root (IAM User Guide).",
        correct=_trusted_service,
    ),
)
