"""Types of organization policies, by the names of the Organizations API, and the provider versions that accept them.

`AuthorizationType` and `ManagementType` are together what version 5.100 of the AWS provider accepts, which rendered
roots pin: tests/provider5/schema.json records its answer. `NewerType` and `UnconfirmedType` are the others of AWS's
list (Organizations API Reference, CreatePolicy, as botocore 1.44.5 has it, read 2026-11-28). The provider takes its
list from the AWS SDK for Go: its pull requests 45274 (2025-11-26) and 45488 (2025-12-08) tested the types of
`NewerType` on the branch that version 6.26.0 (2025-12-10) was made of.
"""

from __future__ import annotations

from typing import Literal, get_args

AuthorizationType = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
"""What accounts may do, and what others may do with their resources."""

ManagementType = Literal[
    "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY", "CHATBOT_POLICY", "DECLARATIVE_POLICY_EC2"
]
"""How services are set up in accounts."""

NewerType = Literal["SECURITYHUB_POLICY", "INSPECTOR_POLICY", "UPGRADE_ROLLOUT_POLICY", "S3_POLICY", "BEDROCK_POLICY"]
"""Management types that AWS added since."""

UnconfirmedType = Literal["NETWORK_SECURITY_DIRECTOR_POLICY", "GUARDDUTY_POLICY", "SECURITYHUB_CSPM_POLICY"]
"""Others of which it is not known which version of the provider accepts them first."""

NEWER_PROVIDER = "6.26"
"""A version of the provider that accepts each `NewerType`."""

UNCONFIRMED = frozenset[str](get_args(UnconfirmedType))

NEWER_TYPES = frozenset[str](get_args(NewerType)) | UNCONFIRMED
"""What the pinned version of the provider does not accept."""

PolicyType = Literal[AuthorizationType, ManagementType, NewerType, UnconfirmedType]

AnyManagementType = Literal[ManagementType, NewerType, UnconfirmedType]
