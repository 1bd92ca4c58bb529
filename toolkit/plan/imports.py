"""Whether a plan imports what `imports` says, and nothing else.

In: `show -json` of a plan and the lines under `imports`. Out: findings. Pure. Terraform can leave out an import without
an error: 1.16.0 keeps one of several blocks for a `for_each` resource and plans to create the others
(https://github.com/hashicorp/terraform/issues/39068). A create that looks like any other is then made over what the
account has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.findings import Finding, Resource, Rule, Severity, register
from toolkit.plan.model import Attribution

IMPORTS_DIFFER = register(
    Rule(
        "imports-differ",
        "The plan does not import exactly what `imports` in the environment file has.",
        Severity.CRITICAL,
        refused="Terraform 1.16.0 plans to create a group that `imports` has a line for",
        instead="install a Terraform release that imports it, and plan again",
    )
)


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
        if address in in_state or (address in planned and written == found):
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
        component, region = attribution.of(address)
        yield Finding(
            rule=IMPORTS_DIFFER,
            severity=Severity.CRITICAL,
            resource=Resource(address, region),
            attribute=None,
            summary=summary,
            evidence=evidence,
            remedy=remedy,
            consent=None,
            component=component,
            setting="imports" if written is None else f"imports.{address}",
        )
