"""What is known of a Terraform type is in its record: no other file has a table of types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import toolkit

PACKAGE = Path(toolkit.__file__).parent
TYPE = re.compile(r"aws_[a-z0-9]+(_[a-z0-9]+)+")
ELSEWHERE = {
    "aws/session.py": "aws_access_key_id and the like are parameters of boto3",
    "components/base.py": "what a bucket of logs is made of: a part of components, no fact of each type",
    "plan/access.py": "how principals and policies of several types make one world: one reader per type",
    "plan/own_role.py": "what the principal of a trust policy can be: a part of that one rule",
    "workflows/access.py": "which resource policies an account is read for, of those that plan/access.py knows",
    "workflows/workspace.py": "aws_access_key_id and the like are settings of Terraform's backend",
}
"""File → why its tables are none of types, or stay there."""


def tables(source: str) -> Iterator[int]:
    """Lines of literals with two or more names of types: keys of a dict, entries of a set, tuple or list."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            entries = [key for key in node.keys if key is not None]
        elif isinstance(node, (ast.Set, ast.Tuple, ast.List)):
            entries = node.elts
        else:
            continue
        names = [e.value for e in entries if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        if len([name for name in names if TYPE.fullmatch(name)]) > 1:
            yield node.lineno


def test_a_table_of_types_is_found() -> None:
    assert list(tables('x = {\n"aws_iam_role": 1, "aws_iam_user": 2}')) == [1]
    assert list(tables('x = frozenset({"aws_iam_role", "aws_s3_bucket"})')) == [1]
    assert list(tables('x = ("aws_iam_role", "name")')) == []


def test_what_is_known_of_a_type_is_in_its_record() -> None:
    found = {
        f"{file.relative_to(PACKAGE).as_posix()}:{line}"
        for file in PACKAGE.rglob("*.py")
        if "resources" not in file.relative_to(PACKAGE).parts
        for line in tables(file.read_text("utf-8"))
    }
    assert {one for one in found if one.partition(":")[0] not in ELSEWHERE} == set(), "see toolkit/resources/base.py"
    assert {one.partition(":")[0] for one in found} == set(ELSEWHERE), "take out what no file has any more"
