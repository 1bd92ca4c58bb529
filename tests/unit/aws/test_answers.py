"""An answer from which any one key is missing: never a traceback, and an absence only where it is said to be one.

The answers are made of botocore's models of the services, so that every record is read, whatever moto has.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.provider5.record import types
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
SCHEMA = types()
READ = [record.name for record in RESOURCES.values() if record.reading is not None]
LISTED = [record.name for record in RESOURCES.values() if record.reading is not None and record.reading.lists]
SOME = {
    "HomeRegion": REGION,
    "BucketRegion": REGION,
    "LocationConstraint": REGION,
    "CreatedAt": "2026-01-01T00:00:00Z",
    "ResourceId": "vpc-1",
    "SubscriptionArn": "arn:aws:sns:eu-central-1:123456789012:mine:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
    "State": "COMPLETE",
    "KeyManager": "CUSTOMER",
    "KeyState": "Enabled",
    "ou.Id": "ou-1",
    "Attributes key": "Policy",
    "Policy": '{"Statement": []}',
}
"""Member, or "ou." and the member of an organizational unit → a text that a reader looks into."""
ABSENCES = {
    "aws_fms_admin_account.AdminAccount": "GetAdminAccount: the administrator, if there is one",
    "aws_s3_bucket_logging.LoggingEnabled": "GetBucketLogging has no error for a bucket without logging",
    "aws_s3_bucket_versioning.Status": "GetBucketVersioning: no status where versioning was never set",
    "aws_s3_bucket_object_lock_configuration.ObjectLockConfiguration.Rule": "a lock without a default is no rule",
    "aws_s3_bucket_object_lock_configuration.ObjectLockConfiguration.Rule.DefaultRetention": "the same",
    "aws_macie2_classification_export_configuration.configuration": "Macie answers so where none is set",
    "aws_macie2_classification_export_configuration.configuration.s3Destination": "the same",
    "aws_shield_application_layer_automatic_response.Protection.ApplicationLayerAutomaticResponseConfiguration": (
        "a protection for which the response was never enabled"
    ),
    "aws_shield_drt_access_role_arn_association.RoleArn": "DescribeDRTAccess: the role, if one was given",
    "aws_securityhub_standards_control_association.StandardsControlAssociationDetails.UpdatedReason": (
        "a control that nobody has switched"
    ),
    "aws_ssoadmin_permission_set_inline_policy.InlinePolicy": "a permission set without an inline policy",
}
"""Type and path of a key (not of a list: one that is missing is an empty one) without which there is less, and why."""
TOKENS = {"NextToken", "nextToken", "NextMarker", "Marker", "PaginationToken", "IsTruncated"}
LEFT_OUT = {*TOKENS, "UnprocessedAssociations"}
"""What only an answer that is not whole has."""


@functools.cache
def model(service: str) -> Any:
    return boto3.client(service, REGION, **KEYS).meta  # type: ignore[call-overload]


def example(shape: Any, name: str = "", depth: int = 0) -> Any:
    """One answer of the shape, with everything in it."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members.items() if depth < 7 else ()
        within = "ou." if shape.name == "OrganizationalUnit" else ""
        return {n: example(s, within + n, depth + 1) for n, s in members if n not in LEFT_OUT}
    if kind == "list":
        return [example(shape.member, name, depth + 1)] if depth < 7 else []
    if kind == "map":
        key = SOME.get(f"{name} key", "x")
        return {key: example(shape.value, key, depth + 1)} if depth < 7 else {}
    if kind == "string":
        return SOME.get(name) or (getattr(shape, "enum", None) or ["x"])[0]
    return {"boolean": True, "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "blob": b"x"}.get(kind, 1)


class Answers(AwsSession):
    """Every call is answered whole, but for one key."""

    def __init__(self) -> None:
        super().__init__(ENVIRONMENT, {})
        self.without: tuple[str, str, tuple[str | int, ...]] | None = None
        self.asked: set[tuple[str, str]] = set()

    def client(self, service: str, region: str | None = None) -> Any:
        return Client(self, service)

    def answer(self, service: str, method: str, parameters: dict[str, Any]) -> Any:
        self.asked.add((service, method))
        if parameters.get("ParentId") == "ou-1":
            return {}  # units do not go on for ever
        answer = deepcopy(whole(service, method))
        if self.without is not None and self.without[:2] == (service, method):
            *path, last = self.without[2]
            del functools.reduce(lambda value, step: value[step], path, answer)[last]
        return {**answer, "ResponseMetadata": {"RequestId": "1"}}


class Client:
    def __init__(self, answers: Answers, service: str) -> None:
        self._answers, self._service = answers, service
        self.meta = SimpleNamespace(method_to_api_mapping=model(service).method_to_api_mapping)

    def __getattr__(self, method: str) -> Any:
        return lambda **parameters: self._answers.answer(self._service, method, parameters)

    def can_paginate(self, _method: str) -> bool:
        return True

    def get_paginator(self, method: str) -> Any:
        return SimpleNamespace(
            paginate=lambda **parameters: iter([self._answers.answer(self._service, method, parameters)])
        )


@functools.cache
def whole(service: str, method: str) -> Any:
    operation = model(service).method_to_api_mapping[method]
    shape = model(service).service_model.operation_model(operation).output_shape
    return example(shape) if shape else {}


def paths(answer: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key of an answer."""
    entries = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    for key, value in entries:
        if isinstance(answer, dict):
            yield (*at, key)
        yield from paths(value, (*at, key))


def every(kind: str, answers: Answers) -> list[Live | Unreadable]:
    return list(Inventory(answers).every([kind], [REGION]))


def without_each_key(kind: str, asked: set[tuple[str, str]]) -> Iterator[tuple[str, Any, Answers]]:
    """Path of a key, what was there, and answers without it: for each key of each answer."""
    for service, method in sorted(asked):
        for path in paths(whole(service, method)):
            answers = Answers()
            answers.without = (service, method, path)
            value = functools.reduce(lambda found, step: found[step], path, whole(service, method))
            yield f"{kind}.{'.'.join(step for step in path if isinstance(step, str))}", value, answers


@pytest.mark.parametrize("kind", LISTED)
def test_a_list_from_which_a_key_is_missing_is_unreadable_or_has_everything(kind: str) -> None:
    first = Answers()
    found = every(kind, first)
    assert found
    assert all(isinstance(one, Live) for one in found), found
    for path, value, answers in without_each_key(kind, first.asked):
        less = every(kind, answers)
        if all(isinstance(one, Live) for one in less):
            assert len(less) == len(found) or isinstance(value, list) or path in ABSENCES, path
        else:
            (unread,) = less
            assert isinstance(unread, Unreadable)
            assert "is not in the expected form" in unread.message, path


@pytest.mark.parametrize("kind", READ)
def test_a_search_in_an_answer_from_which_a_key_is_missing_ends_without_a_traceback(kind: str) -> None:
    listed = every(kind, Answers()) if kind in LISTED else []
    key = dict.fromkeys(RESOURCES[kind].key, "x")
    planned = {**key, **(dict(listed[0].values) if listed and isinstance(listed[0], Live) else {})}
    first = Answers()
    found = Inventory(first).find(kind, REGION, planned)
    assert not isinstance(found, Unreadable), found
    assert first.asked
    if found is not None and listed and isinstance(listed[0], Live):
        # A search may say less of a resource than a list, and nothing else.
        assert {name: listed[0].values.get(name) for name in found.values} == found.values
    for path, value, answers in without_each_key(kind, first.asked):
        less = Inventory(answers).find(kind, REGION, planned)
        if found is not None and less is None:
            assert isinstance(value, list) or path in ABSENCES, path


TAGGED = sorted(
    kind for kind, attributes in SCHEMA.items() if "tags" in attributes and kind in {*READ} and kind in {*LISTED}
)


@pytest.mark.parametrize("kind", TAGGED)
def test_what_has_tags_has_the_arn_that_they_are_read_with(kind: str) -> None:
    """Without it nobody learns that another Terraform manages a resource, and `adopt` takes it over."""
    (listed, *_) = every(kind, Answers())
    assert isinstance(listed, Live)
    assert listed.arn
    planned = {**dict.fromkeys(RESOURCES[kind].key, "x"), **dict(listed.values), **dict(listed.key)}
    found = Inventory(Answers()).find(kind, REGION, planned)
    assert isinstance(found, Live)
    assert found.arn == listed.arn


def test_every_absence_is_one() -> None:
    """None stays in the table when its reader has changed."""
    seen = set()
    for kind in {path.partition(".")[0] for path in ABSENCES}:
        first = Answers()
        found = len(every(kind, first))
        seen |= {path for path, _, answers in without_each_key(kind, first.asked) if len(every(kind, answers)) < found}
    assert set(ABSENCES) <= seen
