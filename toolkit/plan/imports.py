"""Whether a plan imports what `imports` says, and nothing else.

In: `show -json` of a plan and the lines under `imports`. Out: findings. Pure. Terraform can leave out an import without
an error: 1.16.0 keeps one of several blocks for a `for_each` resource and plans to create the others
(https://github.com/hashicorp/terraform/issues/39068). A create that looks like any other is then made over what the
account has.

Version 6 of the provider reads the region from the end of an id (`ID@REGION`). Ids are written here without it: the
module that imports has the provider of its region. With another region at the end, the provider would keep the resource
where it is (the region of a state wins over the provider's), and it would be managed as if it were in the module's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.addresses import Address
from toolkit.findings import Finding, Resource, Rule, Severity, register
from toolkit.plan.model import Attribution
from toolkit.resources.registry import is_regional

IMPORTS_DIFFER = register(
    Rule(
        "imports-differ",
        "The plan does not import exactly what `imports` in the environment file has.",
        Severity.CRITICAL,
        refused="Terraform 1.16.0 plans to create a group that `imports` has a line for",
        instead="install a Terraform release that imports it, and plan again",
    )
)


_WITH_REGION = re.compile(r"(.+)@([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})", re.S)
"""As the provider has it (importRegion in internal/provider/sdkv2/region.go of hashicorp/terraform-provider-aws 6).

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support
"""


def import_region(kind: str, import_id: str) -> tuple[str, str | None]:
    """An import id as version 6 of the provider reads it: the resource's own id, and the region that follows it.

    A resource without a region has none in its id, whatever that ends with: a user may be called "ops@eu-west-1".

    Args:
        kind: Terraform type.
        import_id: As a plan or the environment file has it.
    """
    match = _WITH_REGION.fullmatch(import_id) if is_regional(kind) else None
    return (match[1], match[2]) if match else (import_id, None)


def judge_imports(data: Mapping[str, Any], imports: Mapping[str, str], attribution: Attribution) -> Iterator[Finding]:
    """One finding for each address whose import is not the one that is written; none where the state has the address.

    Args:
        data: `show -json` of a plan of the whole environment that destroys nothing on purpose.
        imports: Address → import id, as the environment file has them.
        attribution: Of addresses.
    """
    entries = {e["address"]: e["change"] for e in data.get("resource_changes", ()) if e.get("mode") == "managed"}
    planned = {address: c["importing"].get("id") for address, c in entries.items() if c.get("importing") is not None}
    # Terraform ignores an import of what the state has, also where somebody has deleted it in AWS since.
    in_state = {address for address, c in entries.items() if c.get("before") is not None} - planned.keys()
    in_state |= {e["address"] for e in data.get("resource_drift", ())} - planned.keys()
    version = data.get("terraform_version", "an unknown version")
    for address in sorted(imports.keys() | planned.keys()):
        written, found = imports.get(address), planned.get(address)
        if address in in_state:
            continue
        if address in planned and written == found:
            yield from _elsewhere(address, str(found), entries[address], attribution)
            continue
        if written is None:
            summary = f"The plan imports {address}, which `imports` does not have."
            evidence = f"Terraform {version} imports the id {found!r}"
            remedy = f"delete the import block of {address} from the rendered folder, or put it under `imports`"
        elif address in planned:
            summary = f"The plan imports {address} with another id than `imports` has."
            evidence = f"`imports` has {written!r}, Terraform {version} imports {found!r}"
            remedy = "render again, then plan again"
        else:
            happens = "plans to create it instead" if address in entries else "does not plan it at all"
            summary = f"Terraform has lost the import of {address} and {happens}."
            evidence = f"`imports` has the id {written!r}; Terraform {version} does not import it"
            remedy = (
                "install a Terraform release that imports it, then plan again: 1.16.0 drops all but one import of a "
                "`for_each` resource (hashicorp/terraform#39068), 1.15.9 does not"
            )
        yield _finding(address, summary, evidence, remedy, attribution, "imports" if written is None else None)


def _elsewhere(address: str, import_id: str, change: Mapping[str, Any], attribution: Attribution) -> Iterator[Finding]:
    """A finding about an import from another region than the module's, with a provider that has regions in its ids."""
    own, region = import_region(Address.parse(address).type, import_id)
    here = attribution.of(address)[1]
    if region in (None, here) or "region" not in (change.get("after") or {}):
        return
    yield _finding(
        address,
        f"The plan imports {address} from {region}, and its module is in {here}.",
        f"`imports` has {import_id!r}: version 6 of the AWS provider reads the region from the end of an id",
        f"put {own!r} under `imports` if it is in {here}, or '{import_id}@{here}' where '@{region}' is in its name; "
        f"a resource of {region} is imported at an address of that region",
        attribution,
    )


def _finding(
    address: str, summary: str, evidence: str, remedy: str, attribution: Attribution, setting: str | None = None
) -> Finding:
    component, region = attribution.of(address)
    return Finding(
        rule=IMPORTS_DIFFER,
        severity=Severity.CRITICAL,
        resource=Resource(address, region),
        attribute=None,
        summary=summary,
        evidence=evidence,
        remedy=remedy,
        consent=None,
        component=component,
        setting=setting or f"imports.{address}",
    )
