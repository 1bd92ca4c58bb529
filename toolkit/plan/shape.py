"""The shape of `terraform show -json PLAN`, as far as model.py reads it.

Terraform keeps to it by itself; this is for JSON that was stored and may have been edited since.
https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.addresses import Address

_Object = dict[str, Any]
_Marks = Literal[False] | _Object
"""Of a resource as a whole Terraform says only that nothing is marked; what is, is marked inside."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)


def _address(text: str) -> str:
    return str(Address.parse(text))


class _ValueChange(_Part):
    actions: list[str]
    before: _Object | None = None
    after: _Object | None = None
    before_sensitive: _Marks = False
    after_sensitive: _Marks = False
    after_unknown: _Marks = False
    importing: _Object | None = None
    replace_paths: list[list[str | int]] = []


class _ResourceChange(_Part):
    address: Annotated[str, AfterValidator(_address)]
    mode: str
    type: str
    name: str
    change: _ValueChange
    previous_address: str | None = None
    action_reason: str | None = None


class _OutputChange(_Part):
    actions: list[str]


class PlanShape(_Part):
    """What the JSON of a plan has; other keys may stand beside these."""

    format_version: Annotated[str, Field(pattern=r"^1\.")]
    terraform_version: str = ""
    resource_changes: list[_ResourceChange] = []
    resource_drift: list[_ResourceChange] = []
    output_changes: dict[str, _OutputChange] = {}
    configuration: _Object = {}
