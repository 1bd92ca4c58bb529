"""Types of organization policies, by the names of the Organizations API, and the provider versions that accept them.

`AuthorizationType` and `ManagementType` are together what version 5.100 of the AWS provider accepts, which rendered
roots pin: tests/provider5/schema.json records its answer. `NewerType` are the others of AWS's list (Organizations API
Reference, CreatePolicy, read 2026-11-28). The provider takes its list from the AWS SDK for Go: its pull requests 45274
(2025-11-26) and 45488 (2025-12-08) tested these types on the branch that version 6.26.0 (2025-12-10) was made of.
"""

from __future__ import annotations

from typing import Literal, get_args

AuthorizationType = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
"""What accounts may do, and what others may do with their resources."""

ManagementType = Literal[
    "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY", "CHATBOT_POLICY", "DECLARATIVE_POLICY_EC2"
]
"""How services are set up in accounts."""

NewerType = Literal[
    "SECURITYHUB_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "S3_POLICY",
    "BEDROCK_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
]
"""The management types that AWS added since."""

NEWER_TYPES = frozenset[str](get_args(NewerType))

NEWER_PROVIDER = "6.26"
"""A version of the provider that accepts them, but for those of `UNCONFIRMED`."""

UNCONFIRMED = frozenset({"NETWORK_SECURITY_DIRECTOR_POLICY"})
"""Types of which it is not known which version of the provider accepts them first."""

PolicyType = Literal[AuthorizationType, ManagementType, NewerType]

AnyManagementType = Literal[ManagementType, NewerType]
