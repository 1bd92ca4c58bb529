"""Lists copied from AWS: each says where it is from; a misspelling of a name is refused, a newer name is not."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws_lists import FOLDER, aws_list
from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.policy_types import PolicyType
from toolkit.regions import GLOBAL_REGION, PARTITION_OF, SDK_REGIONS, TRIED_PARTITIONS, opt_in, partition_of
from toolkit.rendering.render import render
from toolkit.terraform.mirror import choose

REPOSITORY = Path(__file__).parents[2]
LISTS = sorted(file.stem for file in FOLDER.glob("*.json"))
PACKAGED = [name for name in LISTS if aws_list(name).renew.startswith(f"scripts/renew_lists.py {name}: ")]
"""Those that need no account."""
EXECUTABLES = ("regions", "backend_regions")
"""Those taken from the provider's and Terraform's executable."""
TODAY = "2026-12-31"


@pytest.fixture(scope="module")
def script() -> Any:
    sys.path.insert(0, str(REPOSITORY / "scripts"))
    try:
        import renew_lists  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    return renew_lists


@pytest.mark.parametrize("name", LISTS)
def test_every_list_says_where_it_is_from_and_how_it_is_renewed(name: str, script: Any) -> None:
    found = aws_list(name)
    assert found.title
    assert found.source
    assert found.url.startswith("https://")
    assert date(2026, 1, 1) <= date.fromisoformat(found.date)
    assert found.items
    assert found.renew.startswith((f"scripts/renew_lists.py {name}", "by hand: "))
    assert (name in {**script.OFFLINE, **script.FROM_AWS}) == found.renew.startswith("scripts/")
    assert sorted(found.names) == list(found.names) or name == "regions"


def test_every_renewal_has_its_list(script: Any) -> None:
    assert {*script.OFFLINE, *script.FROM_AWS} <= set(LISTS)
    assert set(script.OFFLINE) == set(PACKAGED)


def test_what_a_module_reads_says_where_it_is_from() -> None:
    facts = json.loads((REPOSITORY / "modules" / "shared" / "privileges.json").read_text("utf-8"))
    assert facts["source"]
    assert facts["url"].startswith("https://")
    assert date(2026, 1, 1) <= date.fromisoformat(facts["date"])
    assert facts["renew"]


NAMES_IN_CODE = {
    "modules/activity_alarms/patterns.tf": "events that CIS and FSBP name, checked by test_activity_alarms_patterns.py",
    "modules/iam_groups/privileges.tf": "our choice of actions, checked against botocore's by tests/policies",
    "modules/iam_roles/boundary.tf": "our choice of actions, checked against botocore's by tests/policies",
    "modules/organization/variables.tf": "policy types that the pinned provider accepts",
    "toolkit/audit/checks/keys.py": "condition keys that say who calls: of another one, no limit is believed",
    "toolkit/aws/inventory.py": "error codes: an unknown one means that the call failed",
    "toolkit/permissions/facts.py": "calls that our own code makes, compared with it by tests/unit/permissions",
    "toolkit/regions.py": "regions before March 2019: no other joins",
    "toolkit/reports/asff.py": "types of ASFF called as Terraform's, compared with botocore's by test_audit_schemas.py",
    "toolkit/sandbox/control.py": "variables of the environment",
}
"""File with a long literal of names that look like AWS's → why it is no list of toolkit/aws_lists."""

_AWS_NAME = re.compile(
    r"[a-z]{2}(?:-gov)?-[a-z]+-[0-9]"  # a region
    r"|[a-z0-9-]+:[A-Z*][A-Za-z*]*"  # an action
    r"|AWS::\w+::\w+"
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"  # of an enumeration, or the identifier of a rule
    r"|[a-z0-9.-]+\.amazonaws\.com"
    r"|[A-Z][a-z]+[A-Z][A-Za-z0-9]+"  # an operation or a policy
)
_QUOTED = re.compile(rf"""["'](?:{_AWS_NAME.pattern})["']""")
_LONG = 8


def _literals(file: Path) -> Iterator[list[str]]:
    text = file.read_text("utf-8")
    if len(_QUOTED.findall(text)) < _LONG:
        return  # most files, which need not be parsed
    if file.suffix == ".tf":
        for inner in re.findall(r"[\[{]([^\[\]{}]*)[\]}]", text):
            yield re.findall(r'"((?:[^"\\]|\\.)*)"', inner)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Tuple | ast.Set | ast.List):
            found = node.elts
        elif isinstance(node, ast.Dict):
            found = [key for key in node.keys if key is not None]
        else:
            continue
        yield [e.value for e in found if isinstance(e, ast.Constant) and isinstance(e.value, str)]


def test_no_list_of_aws_hides_in_code() -> None:
    """Without source and date, nobody could tell how old it is."""
    files = [*(REPOSITORY / "toolkit").rglob("*.py"), *(REPOSITORY / "modules").rglob("*.tf")]
    long = {
        file.relative_to(REPOSITORY).as_posix()
        for file in files
        if ".terraform" not in file.parts
        and any(sum(bool(_AWS_NAME.fullmatch(name)) for name in literal) >= _LONG for literal in _literals(file))
    }
    assert long - set(NAMES_IN_CODE) == set(), "move it to toolkit/aws_lists, or say here why it is none"
    assert all((REPOSITORY / file).is_file() for file in NAMES_IN_CODE), "no longer there"


@pytest.mark.parametrize("name", [name for name in PACKAGED if name not in EXECUTABLES])
def test_lists_are_those_of_the_pinned_packages(name: str, script: Any) -> None:
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    assert script.renewed(text, script.OFFLINE[name](Path()), TODAY) == text, f"run scripts/renew_lists.py {name}"


def test_regions_are_those_of_the_provider(script: Any) -> None:
    if choose(None, os.environ).mirror is None:
        pytest.skip("no unpacked provider in a mirror")
    text = (FOLDER / "regions.json").read_text("utf-8")
    assert script.renewed(text, script.regions(script.provider_file(None)), TODAY) == text


def test_regions_of_the_backend_are_those_of_terraform(script: Any) -> None:
    try:
        terraform = script.terraform_file(None)
    except SystemExit as reason:
        pytest.skip(f"the Terraform that the list is taken from is not here: {reason}")
    text = (FOLDER / "backend_regions.json").read_text("utf-8")
    assert script.renewed(text, script.backend_regions(terraform), TODAY) == text


def test_only_what_differs_gets_a_new_date(script: Any) -> None:
    text = (FOLDER / "guardduty_features.json").read_text("utf-8")
    facts = json.loads(text)
    later = json.loads(script.renewed(text, script.Taken("botocore 9.0", facts["items"]), TODAY))
    assert (later["date"], later["source"], later["items"]) == (TODAY, "botocore 9.0", facts["items"])
    assert (later["title"], later["renew"]) == (facts["title"], facts["renew"])


def test_the_script_checks_and_renews(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "guardduty_features"
    file = tmp_path / f"{name}.json"
    current = (FOLDER / file.name).read_text("utf-8")
    old = json.dumps({**json.loads(current), "items": ["S3_DATA_EVENTS"], "date": "2020-01-01"})
    file.write_text(old)
    monkeypatch.setattr(script, "TARGET", tmp_path)
    assert script.main([name, "--check"]) == 3
    assert file.read_text() == old
    assert script.main([name]) == 0
    assert json.loads(file.read_text())["items"] == json.loads(current)["items"]
    assert json.loads(file.read_text())["date"] > "2026-01-01"
    assert script.main([name, "--check"]) == 0
    told = capsys.readouterr().out
    assert [line.split(" (")[0] for line in told.splitlines()] == [
        f"{name}: differs",
        f"{name}: renewed",
        f"{name}: unchanged",
    ]
    with pytest.raises(SystemExit):
        script.main(["nothing"])


def test_every_policy_type_is_decided_upon() -> None:
    """A renewed list fails here until toolkit.policy_types says which provider accepts each type, if that is known."""
    known = {kind for part in get_args(PolicyType) for kind in (get_args(part) or (part,))}
    assert known == set(aws_list("organization_policy_types").names)


ANSWERS: dict[str, tuple[str, str, dict[str, Any], Any]] = {
    "managed_policies": (
        "iam",
        "list_policies",
        {
            "Policies": [
                {"Arn": "arn:aws:iam::aws:policy/job-function/Billing"},
                {"Arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ],
            "IsTruncated": False,
        },
        ["AdministratorAccess", "job-function/Billing"],
    ),
    "security_hub_standards": (
        "securityhub",
        "describe_standards",
        {
            "Standards": [
                {"StandardsArn": "arn:aws:securityhub:eu-central-1::standards/pci-dss/v/9.0.0"},
                {"StandardsArn": "arn:aws:securityhub:eu-central-1::standards/pci-dss/v/4.0.1"},
                {"StandardsArn": "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"},
            ]
        },
        {
            "cis-aws-foundations-benchmark/v/1.2.0": "cis-1.2",
            "pci-dss/v/4.0.1": "pci-dss-4.0.1",
            "pci-dss/v/9.0.0": None,
        },
    ),
}
"""List → the service, its call, AWS's answer in the form of the API reference, and what the list becomes."""


@pytest.mark.parametrize("name", ANSWERS)
def test_lists_from_aws_itself(name: str, script: Any) -> None:
    """No account is at hand: the answers have the form that botocore's model of the API admits."""
    service, call, answer, expected = ANSWERS[name]
    client: Any = boto3.Session().client(  # type: ignore[call-overload]
        service, region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(client) as stub:
        stub.add_response(call, answer)
        assert script.FROM_AWS[name](lambda _: client).items == expected


NEAR = [
    ("managed_policies", "AdministratorAcces", "AdministratorAccess"),
    ("managed_policies", "readonlyaccess", "ReadOnlyAccess"),
    ("managed_policies", "SecurityAudits", "SecurityAudit"),
    ("config_rules", "IAM_PASWORD_POLICY", "IAM_PASSWORD_POLICY"),
    ("config_rules", "INCOMING_SSH_DISABLE", "INCOMING_SSH_DISABLED"),
    ("config_rules", "VPC_FLOW_LOG_ENABLED", "VPC_FLOW_LOGS_ENABLED"),
    ("config_rules", "ROOT_ACCOUNT_MFA_ENALBED", "ROOT_ACCOUNT_MFA_ENABLED"),
    ("config_resource_types", "AWS::EC2::Instances", "AWS::EC2::Instance"),
    ("config_resource_types", "AWS::Ec2::Instance", "AWS::EC2::Instance"),
]
"""(list, what was written, what was meant)."""


@pytest.mark.parametrize(("name", "written", "meant"), NEAR)
def test_a_misspelling_is_near_a_listed_name(name: str, written: str, meant: str) -> None:
    assert aws_list(name).nearest(written) == meant


FAR = [
    ("managed_policies", "AmazonBedrockFutureFullAccess"),
    ("managed_policies", "AWSCompromisedKeyQuarantineV9"),
    ("config_rules", "EC2_QUANTUM_INSTANCE_CHECK"),
    ("security_hub_standards", "cis-aws-foundations-benchmark/v/9.0.0"),
    ("security_hub_standards", "pci-dss/v/4.0.10"),
    ("config_resource_types", "AWS::QuantumLedger::Vault"),
]


@pytest.mark.parametrize(("name", "written"), FAR)
def test_a_newer_name_is_near_none(name: str, written: str) -> None:
    assert aws_list(name).nearest(written) is None


@pytest.mark.parametrize("name", ["managed_policies", "config_rules", "config_resource_types"])
def test_hardly_a_name_of_aws_looks_like_a_misspelling_of_another(name: str) -> None:
    """Each name in turn as if the list were older than it: AWS's own names differ in few letters, too."""
    known = aws_list(name)
    items = tuple(n for n in known.names if not n.startswith("aws-service-role/"))
    tried = items[::7]
    mistaken = [one for one in tried if replace(known, items=tuple(n for n in items if n != one)).nearest(one)]
    assert len(mistaken) <= len(tried) * 0.03, mistaken


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("ap-southeast-6", "aws"),
        ("sa-west-1", "aws"),
        ("cn-south-1", "aws-cn"),
        ("us-gov-central-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eusc-fr-west-1", None),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-west-1", "aws-iso-b"),
        ("eu-isoe-south-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("us-isog-south-1", None),
        ("eu-cental-1", None),
        ("eu-moon-1", None),
        ("eu-central-11", None),
        ("eu-central-1a", None),
        ("EU-CENTRAL-1", None),
        ("", None),
        (7, None),
    ],
)
def test_a_region_is_told_by_its_looks(region: object, partition: str | None) -> None:
    assert partition_of(region) == partition


def test_every_partition_has_its_facts() -> None:
    """Those of the AWS SDK: a region of each is accepted, none of another is."""
    assert {partition_of(region) for region in SDK_REGIONS} == set(GLOBAL_REGION)
    assert set(TRIED_PARTITIONS) < set(GLOBAL_REGION)
    assert set(PARTITION_OF) <= SDK_REGIONS
    for partition, region in GLOBAL_REGION.items():
        assert PARTITION_OF[region] == partition


REGION_WARNINGS = [
    ("ap-southeast-6", "and is accepted as newer; botocore 1.44.5 knows it; Terraform's own check of it is off; "),
    ("eu-central-9", "and is accepted as newer; the nearest region that is known is eu-central-1; "),
    ("cn-south-1", "and is accepted as newer; the nearest region that is known is cn-north-1; "),
]


@pytest.mark.parametrize(("region", "expected"), REGION_WARNINGS)
def test_a_newer_region_is_reported_with_what_is_known_of_it(region: str, expected: str) -> None:
    home = "cn-north-1" if region.startswith("cn-") else "eu-central-1"
    text = f'account_id: "123456789012"\nregions: {{home: {home}, active: [{home}, {region}]}}\ncomponents: {{}}\n'
    (warning,) = load_text(text, name="x", shown_as="environment.yaml").warnings("environment.yaml")
    assert warning.startswith(f"environment.yaml:2: regions.active[1]: '{region}' is not in the list of the AWS ")
    assert expected in warning
    assert "partition" not in warning


@pytest.mark.parametrize("region", sorted(set(GLOBAL_REGION.values()) | {"us-isob-west-1", "eusc-de-west-1"}))
def test_a_partition_that_was_never_tried_is_reported(region: str) -> None:
    text = f'account_id: "123456789012"\nregions: {{home: {region}}}\ncomponents: {{}}\n'
    environment = load_text(text, name="x", shown_as="environment.yaml")
    partition = partition_of(region)
    found = environment.warnings("environment.yaml")
    if partition in TRIED_PARTITIONS:
        assert found == ()
        return
    (warning,) = found
    assert warning.startswith("environment.yaml:2: regions.home: ")
    assert f"nothing of the toolkit was tried in its partition, {partition}" in warning
    assert ("is accepted as newer" in warning) == (region not in PARTITION_OF)


@pytest.mark.parametrize("region", sorted(set(GLOBAL_REGION.values()) - {"us-east-1"}))
def test_every_component_renders_or_says_why_not_in_every_partition(region: str) -> None:
    for name in REGISTRY:
        text = f'account_id: "123456789012"\nregions: {{home: {region}}}\ncomponents: {{{name}: {{}}}}\n'
        try:
            environment = load_text(text, name="x", shown_as="environment.yaml")
        except EnvironmentFileError as error:
            assert str(error.detail).startswith("environment.yaml:")
        else:
            assert render(environment)


def test_only_old_regions_are_on_by_default() -> None:
    assert all(partition_of(region) == partition for region, partition in PARTITION_OF.items())
    assert not opt_in("us-east-1")
    assert not opt_in("cn-north-1")
    assert opt_in("af-south-1")
    assert opt_in("ap-southeast-6")


FILE = """\
account_id: "123456789012"
regions:
  home: eu-central-1
  active: [eu-central-1, {region}]
components:
  iam_groups:
    groups:
      team:
        managed_policies:
          - {policy}
  config:
    additional_rules:
      newest:
        identifier: {rule}
        input_parameters:
          {parameter}: "1"
        resource_types: [{type}]
"""
KNOWN = {
    "region": "us-east-1",
    "policy": "ReadOnlyAccess",
    "rule": "ACCESS_KEYS_ROTATED",
    "parameter": "maxAccessKeyAge",
    "type": "AWS::IAM::User",
}


def load(**values: str) -> Environment:
    return load_text(FILE.format(**KNOWN | values), name="x", shown_as="environment.yaml")


def test_nothing_is_said_of_listed_names() -> None:
    assert load().newer == ()


@pytest.mark.parametrize(
    ("values", "line", "path", "name"),
    [
        ({"region": "ap-southeast-6"}, 4, "regions.active[1]", "regions"),
        ({"policy": "AmazonBedrockFutureFullAccess"}, 10, "components.iam_groups.groups.team.", "managed_policies"),
        ({"rule": "QUANTUM_KEYS_ROTATED"}, 14, "components.config.additional_rules.newest.identifier", "config_rules"),
        (
            {"parameter": "futureSwitch"},
            15,
            "components.config.additional_rules.newest.input_parameters",
            "config_rules",
        ),
        ({"type": "AWS::Quantum::Key"}, 17, "components.config.additional_rules.", "config_resource_types"),
    ],
)
def test_a_newer_name_is_accepted_and_reported_with_its_place(
    values: dict[str, str], line: int, path: str, name: str
) -> None:
    environment = load(**values)
    (warning,) = environment.warnings("environment.yaml")
    assert warning.startswith(f"environment.yaml:{line}: {path}")
    (value,) = values.values()
    assert f"{value!r} is not in the list of " in warning
    assert f"(taken on {aws_list(name).date} from {aws_list(name).source}) and is accepted as newer; " in warning
    tree = render(environment)
    assert any(value in text for text in tree.values())


def test_newer_names_do_not_hide_each_other_or_an_error() -> None:
    newer = {"region": "ap-southeast-6", "rule": "QUANTUM_KEYS_ROTATED", "policy": "AmazonBedrockFutureFullAccess"}
    assert [problem.line for problem in load(**newer).newer] == [4, 10, 14]
    with pytest.raises(EnvironmentFileError) as caught:
        load(**newer, type="ec2")
    (told,) = str(caught.value.detail).splitlines()
    assert told.startswith("environment.yaml:17: components.config.additional_rules.newest.resource_types[0]")


@pytest.mark.parametrize(
    ("values", "line", "expected"),
    [
        ({"region": "eu-cental-1"}, 4, "an AWS region, like eu-central-1 (did you mean 'eu-central-1'?)"),
        ({"policy": "ReadOnlyAcess"}, 10, "(did you mean 'ReadOnlyAccess'?)"),
        ({"rule": "ACCES_KEYS_ROTATED"}, 14, "(did you mean 'ACCESS_KEYS_ROTATED'?)"),
        ({"parameter": "maxAccesKeyAge"}, 15, "(did you mean 'maxAccessKeyAge'?)"),
        ({"type": "AWS::IAM::Users"}, 17, "(did you mean 'AWS::IAM::User'?)"),
    ],
)
def test_a_misspelling_is_an_error_with_the_name_that_is_meant(
    values: dict[str, str], line: int, expected: str
) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load(**values)
    (told,) = str(caught.value.detail).splitlines()
    assert told.startswith(f"environment.yaml:{line}: ")
    assert told.endswith(expected)


def test_terraform_does_not_refuse_a_newer_region() -> None:
    """It would: "invalid AWS Region". https://hashicorp.github.io/terraform-provider-aws/add-a-new-region/"""
    backend = "backend: {type: s3, bucket: example-state, region: ap-southeast-6}\n"
    text = FILE.format(**KNOWN | {"region": "ap-southeast-6"}) + backend
    tree = render(load_text(text, name="x", shown_as="environment.yaml"))
    known, newer = re.findall(r'provider "aws" \{\n.*?^\}\n', tree["providers.tf"], re.M | re.S)
    assert "skip_region_validation" not in known
    assert "skip_region_validation = true" in " ".join(newer.split())
    assert "skip_region_validation = true" in " ".join(tree["backend.tf"].split())
    assert not [file for file, text in render(load()).items() if "skip_region_validation" in text]


@pytest.mark.parametrize(
    ("region", "skipped"),
    [("eu-central-1", False), ("mx-central-1", False), ("ap-east-2", True), ("ap-southeast-6", True)],
)
def test_the_backend_s_own_check_is_off_where_terraform_would_refuse_the_region(region: str, skipped: bool) -> None:
    """Terraform 1.11.4 is older than provider 5.100.0: it refuses ap-east-2 ("Invalid region value")."""
    backend = f"backend: {{type: s3, bucket: example-state, region: {region}}}\n"
    tree = render(load_text(FILE.format(**KNOWN) + backend, name="x", shown_as="environment.yaml"))
    assert ("skip_region_validation" in tree["backend.tf"]) == skipped


def test_a_newer_region_needs_a_region_for_iam() -> None:
    """AWS Config records IAM's types in no region that is newer than February 2022."""
    text = FILE.format(**KNOWN | {"region": "ap-southeast-6"}).replace("home: eu-central-1", "home: ap-southeast-6")
    with pytest.raises(EnvironmentFileError, match="error") as caught:
        load_text(text, name="x", shown_as="environment.yaml")
    assert "`iam_region: eu-central-1`" in str(caught.value.detail)
