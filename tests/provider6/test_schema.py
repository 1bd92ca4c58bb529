"""The schema of version 6 that is committed, and what the provider that has it makes of it: no Terraform runs here."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.provider6 import extract, provider
from tests.unit.resources.test_records import bare, declared
from toolkit.resources.registry import RESOURCES, is_regional

REPOSITORY = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = provider.schema()
FIVE: dict[str, Any] = json.loads((REPOSITORY / "tests" / "provider5" / "schema.json").read_text("utf-8"))["types"]


def of(kind: str) -> dict[str, str]:
    """Path → what version 6 has there."""
    return dict(extract.provider5.attributes(SCHEMA["resource_schemas"][kind]["block"]))


def test_it_says_where_it_is_from():
    assert re.fullmatch(r"6\.\d+\.\d+", SCHEMA["provider_version"])
    assert SCHEMA["source"].startswith(f"{extract.PACKAGE} {extract.VERSION} ")
    notice = (REPOSITORY / "NOTICE").read_text("utf-8")
    for word in ("tests/provider6/schema.json.gz", SCHEMA["licence"], extract.PACKAGE):
        assert word in notice


def test_it_has_every_type_in_use_and_no_other():
    cure = "run `python tests/provider6/extract.py`"
    assert sorted(SCHEMA["resource_schemas"]) == extract.provider5.every(), cure
    assert sorted(SCHEMA["data_source_schemas"]) == extract.data_sources(), cure


def test_what_is_known_of_version_6_was_extracted():
    """Differences that the provider's upgrade guide and changelog name, read from them and not from the schema.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
    """
    assert "auto_enable" in FIVE["aws_guardduty_organization_configuration"]
    assert "auto_enable" not in of("aws_guardduty_organization_configuration")
    assert of("aws_guardduty_organization_configuration")["auto_enable_organization_members"] == "string required"
    assert "log_group_name" in FIVE["aws_flow_log"]
    assert "log_group_name" not in of("aws_flow_log")
    assert of("aws_config_configuration_recorder")["region"] == "string optional computed"
    assert "region" not in of("aws_iam_policy")  # IAM is global


def test_most_of_it_is_as_in_version_5():
    """Every path of version 5, but for those above and few more: an extraction that loses some would lose many."""
    other, all_paths = [], 0
    for kind, paths in FIVE.items():
        now = of(kind)
        all_paths += len(paths)
        other += [f"{kind}.{path}" for path, what in paths.items() if now.get(path) != what]
    assert all_paths > 1_000
    assert len(other) <= 12, other


def test_limits_and_secrets_of_version_5_are_kept():
    trail = SCHEMA["resource_schemas"]["aws_cloudtrail"]["block"]["block_types"]
    assert trail["event_selector"]["max_items"] == 5
    assert "max_items" not in trail["advanced_event_selector"]
    password = SCHEMA["resource_schemas"]["aws_iam_user_login_profile"]["block"]["attributes"]["password"]
    assert password == {"type": "string", "computed": True, "sensitive": True} | password
    assert SCHEMA["resource_schemas"]["aws_s3_bucket"]["block"]["attributes"]["acl"]["deprecated"] is True


REMOVED = {("aws_flow_log", "log_group_name"), ("aws_guardduty_organization_configuration", "auto_enable")}
"""Declared for version 5; version 6 has another attribute for it, which is declared, too."""


def test_every_declaration_of_strength_names_what_version_6_has():
    """One that names nothing would guard nothing."""
    paths = {
        (record.name, bare(path))
        for record in RESOURCES.values()
        if record.name in SCHEMA["resource_schemas"]
        for path in (*(s.attribute for s in record.strengths), *declared(record))
    }
    assert len(paths) > 500
    assert {(kind, path) for kind, path in paths if path not in of(kind)} == REMOVED


def test_no_declaration_depends_on_the_order_of_a_set():
    """The entries of a set are found by their key, wherever they are; a first one is named only where there is one."""
    seen = set()
    for record in RESOURCES.values():
        for strength in record.strengths:
            for match in re.finditer(r"\[(0|\*)\]", strength.attribute):
                path = bare(strength.attribute[: match.start()])
                kind = of(record.name)[path]
                seen.add(kind.split()[1])
                if match[1] == "*":
                    assert path in record.keys
                else:
                    assert kind.split()[-1] == "1" or path in record.single, f"{record.name}.{path}"
    assert seen == {"list", "set"}


BOTH = {kind: (FIVE.get(kind, {}), of(kind)) for kind in SCHEMA["resource_schemas"]}
"""Type → path → what it is, in version 5 and in version 6."""


def has_places(kind: str, path: str) -> bool:
    """Whether it is a list or a set of blocks or objects in either version, which may have several entries."""
    found = [version[path] for version in BOTH[kind] if path in version]
    return path not in RESOURCES[kind].single and any(
        (what.startswith(("block list", "block set")) and what.split()[-1] != "1")
        or (what.startswith(("list(object)", "set(object)")) and what.split()[1:] != ["computed"])
        for what in found
    )


def is_set(kind: str, path: str) -> bool:
    return any(version.get(path, "").startswith(("block set", "set(object)")) for version in BOTH[kind])


def paths(kind: str) -> set[str]:
    return {path for version in BOTH[kind] for path in version}


def test_every_set_of_either_version_is_declared():
    """Reports pair the entries of what a record calls a set, or has a key for: of any other list, the order counts."""
    for kind in BOTH:
        record = RESOURCES[kind]
        sets = {path for path in paths(kind) if is_set(kind, path) and has_places(kind, path)}
        assert sets - set(record.keys) == set(record.sets), kind
        assert len(record.sets) == len(set(record.sets))


def test_a_list_that_is_a_set_in_version_6_has_a_key():
    """Judged, and reported, the same with both: a recorded plan has them in one order, another version's in another."""
    became = {
        (kind, path)
        for kind, (five, six) in BOTH.items()
        for path in five.keys() & six.keys()
        if five[path].split()[:2] != six[path].split()[:2] and is_set(kind, path)
    }
    assert became == {("aws_guardduty_detector_feature", "additional_configuration")}
    assert all(path in RESOURCES[kind].keys for kind, path in became)


def positions(file: Path) -> Iterator[str]:
    """Paths with a position, and names of what a position is read of, in a file of Python."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"\w+(\[\d+\]|\.\w+)*", node.value) and "[" in node.value:
                yield node.value
        elif isinstance(node, ast.Subscript) and re.fullmatch(r"-?\d+", ast.unparse(node.slice)):
            # values["x"][0], values.get("x")[0], (values.get("x") or …)[0]
            here = node.value.values[0] if isinstance(node.value, ast.BoolOp) else node.value
            name = here.slice if isinstance(here, ast.Subscript) else (*getattr(here, "args", ()), None)[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield f"{name.value}[0]"


def test_no_code_reads_a_place_of_what_may_have_several():
    """The first of several is another one in version 6: guards, readers and reports find an entry by its key."""
    read = {(file, path) for file in (REPOSITORY / "toolkit").rglob("*.py") for path in positions(file)}
    places = 0
    for file, path in sorted(read):
        for match in re.finditer(r"\[\d+\]", path):
            holder, whole = (re.sub(r"\[\d+\]", "", text) for text in (path[: match.start()], path))
            kinds = [kind for kind in BOTH if any(f".{p}".endswith(f".{whole}") for p in paths(kind))]
            for kind in kinds:
                held = [p for p in paths(kind) if f".{p}".endswith(f".{holder}")]
                places += len(held)
                assert not any(has_places(kind, p) for p in held), f"{file.name}: {path} of {kind}"
    assert places > 100


def test_types_with_a_region_are_known():
    """Of these alone, an import id may end with one."""
    assert {kind for kind in BOTH if is_regional(kind)} == {kind for kind in BOTH if "region" in of(kind)}


STATEMENT = dict.fromkeys(("sid", "effect", "actions", "not_actions", "resources", "not_resources"), None) | {
    "principals": [],
    "not_principals": [],
    "condition": [],
}
DOCUMENT = {
    "version": None,
    "policy_id": None,
    "source_policy_documents": None,
    "override_policy_documents": None,
    "statement": [],
}


def document(*statements: dict[str, Any], **given: Any) -> Any:
    return provider.policy_document(DOCUMENT | given | {"statement": [STATEMENT | s for s in statements]})


def test_a_policy_document_is_what_the_real_data_source_writes():
    condition = {"test": "StringEquals", "variable": "aws:username", "values": ["&{aws:username}"]}
    found = document(
        {
            "sid": "A",
            "actions": ["s3:GetObject", "s3:PutObject"],
            "resources": ["*"],
            "principals": [{"type": "AWS", "identifiers": ["*"]}],
            "condition": [condition],
        },
        {"effect": "Deny", "not_actions": ["iam:*"], "principals": [{"type": "*", "identifiers": ["*"]}]},
    )
    assert found == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "A",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:GetObject"],
                "Resource": "*",
                "Principal": {"AWS": "*"},
                "Condition": {"StringEquals": {"aws:username": "${aws:username}"}},
            },
            {"Effect": "Deny", "NotAction": "iam:*", "Principal": "*"},
        ],
    }


@pytest.mark.parametrize("where", ["source_policy_documents", "override_policy_documents"])
def test_other_documents_are_joined_by_their_sid(where: str):
    other = json.dumps({"Statement": {"Sid": "A", "Effect": "Deny"}})
    found = document({"sid": "A"}, {"sid": "B"}, **{where: [other]})["Statement"]
    assert [(s["Sid"], s["Effect"]) for s in found] == [
        ("A", "Allow" if where == "source_policy_documents" else "Deny"),
        ("B", "Allow"),
    ]
