"""Decisions that exclude each other are refused, with both of them, whichever a plan shows first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.errors import UsageError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.reading import Live

TRAIL = "module.cloudtrail.aws_cloudtrail.this"
BUCKET = "module.cloudtrail.module.log_bucket.aws_s3_bucket.this"
RECORDERS = [f"module.config_{region}.aws_config_configuration_recorder.this" for region in ("a", "b")]
CHANNELS = [f"module.config_{region}.aws_config_delivery_channel.this" for region in ("a", "b")]
GROUPS = [f'module.iam_groups.aws_iam_group.this["{name}"]' for name in ("developers", "operators")]


def change(address: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    label = address.split(".")[1]
    component = next(c for c in ("cloudtrail", "config", "iam_groups") if label.startswith(c))
    action = Action.CREATE if before is None else Action.UPDATE
    return Change(
        address, kind, name, action, component, label[-1], (), before or {}, after, imported=before is not None
    )


def met(key: dict[str, str], import_id: str, *, by: str | None = None, **values: Any) -> Existing:
    called = f"{next(iter(key.values()), 'it')!r}"
    live = Live(key, {**key, **values}, called, import_id, managed_by=by)
    return Existing(live.values if values else {}, bool(values), import_id, called, live=live)


def refused(adoption: Adoption, *rounds: tuple[list[Change], dict[str, Existing]]) -> UsageError:
    """The refusal, whichever of the changes is first."""
    with pytest.raises(UsageError) as found:
        for changes, existing in rounds:
            adoption.next(Plan("1.11.4", tuple(changes), (), 0), existing)
        adoption.require_all_used()
    return found.value


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kept", [0, 1])
def test_adopting_in_a_component_that_is_left_out(kept: int, reverse: bool):
    addresses = [RECORDERS[0], CHANNELS[0]]
    given = {address: Choice.KEEP if n == kept else Choice.ADOPT for n, address in enumerate(addresses)}
    changes = [change(address, {"name": "default"}) for address in addresses]
    existing = {address: met({"name": "acme"}, "acme") for address in addresses}
    error = refused(Adoption(given=given), (changes[::-1] if reverse else changes, existing))
    assert str(error).startswith("contradictory decisions: ")
    assert all(f"{given[a].value} for {a}" in str(error) for a in addresses)


def bucket_rounds() -> list[tuple[list[Change], dict[str, Existing]]]:
    """A trail that writes to the account's own bucket: the bucket is met once the trail's is set."""
    trail = {"name": "baseline", "s3_bucket_name": "ours"}
    imported = change(TRAIL, trail, {"name": "baseline", "s3_bucket_name": "theirs"})
    theirs = {**trail, "s3_bucket_name": "theirs"}
    return [
        ([change(TRAIL, trail)], {TRAIL: met({"name": "baseline"}, "arn:trail")}),
        ([imported], {}),
        (
            [change(TRAIL, theirs, theirs), change(BUCKET, {"bucket": "theirs"})],
            {BUCKET: met({"bucket": "theirs"}, "theirs")},
        ),
    ]


def test_keeping_the_bucket_of_a_trail_that_is_adopted():
    error = refused(Adoption(given={TRAIL: Choice.ADOPT, BUCKET: Choice.KEEP}), *bucket_rounds())
    assert str(error) == f"contradictory decisions: adopt for {TRAIL} and keep for {BUCKET}"
    assert error.hint == f"{TRAIL} needs 'theirs'"


def test_the_bucket_alone_decides_where_nothing_else_was_given():
    adoption = Adoption(given={BUCKET: Choice.KEEP})
    for changes, existing in bucket_rounds():
        adoption.next(Plan("1.11.4", tuple(changes), (), 0), existing)
    adoption.require_all_used()


@pytest.mark.parametrize("by", ["CloudFormation", "AWS Control Tower"])
def test_replacing_what_others_manage(by: str):
    recorder = change(RECORDERS[0], {"name": "default"})
    existing = {RECORDERS[0]: met({"name": "default"}, "default", by=by)}
    error = refused(Adoption(given={RECORDERS[0]: Choice.REPLACE}), ([recorder], existing))
    assert str(error) == (
        f"{RECORDERS[0]}: replace is not possible: managed by {by}, which would set its own values again"
    )
    # A person may take it over all the same, with its values.
    Adoption(given={RECORDERS[0]: Choice.ADOPT}).next(Plan("1.11.4", (recorder,), (), 0), existing)


@pytest.mark.parametrize("reverse", [False, True])
def test_two_names_for_one_setting(reverse: bool):
    changes = [change(address, {"name": "default"}) for address in RECORDERS]
    existing = {a: met({"name": name}, name) for a, name in zip(RECORDERS, ("theirs", "acme"), strict=True)}
    given = dict.fromkeys(RECORDERS, Choice.ADOPT)
    error = refused(Adoption(given=given), (changes[::-1] if reverse else changes, existing))
    assert str(error) == f"contradictory decisions: adopt for {RECORDERS[0]} and adopt for {RECORDERS[1]}"
    assert "`components.config.recorder_name` decides about both" in str(error.hint)


@pytest.mark.parametrize("given", RECORDERS)
def test_the_one_that_was_decided_has_its_name(given: str):
    changes = [change(address, {"name": "default"}) for address in RECORDERS]
    existing = {a: met({"name": name}, name) for a, name in zip(RECORDERS, ("theirs", "acme"), strict=True)}
    adoption = Adoption(given={given: Choice.ADOPT})
    adoption.next(Plan("1.11.4", tuple(changes), (), 0), existing)
    (name,) = [e.value for e in adoption.edits if e.path[0] == "components"]
    assert name == existing[given].import_id


@pytest.mark.parametrize("reverse", [False, True])
def test_two_buckets_for_one_setting(reverse: bool):
    given = dict.fromkeys(CHANNELS, Choice.ADOPT)
    ours = {"name": "default", "s3_bucket_name": "ours"}
    creates = [change(address, ours) for address in CHANNELS]
    existing = {address: met({"name": "default"}, "default") for address in CHANNELS}
    buckets = zip(CHANNELS, ("one", "two"), strict=True)
    imported = [change(address, ours, {**ours, "s3_bucket_name": bucket}) for address, bucket in buckets]
    if reverse:
        creates, imported = creates[::-1], imported[::-1]
    error = refused(Adoption(given=given), (creates, existing), (imported, {}))
    assert all(f"adopt for {address}" in str(error) for address in CHANNELS)
    assert "`components.config.bucket.name` decides about both" in str(error.hint)


@pytest.mark.parametrize("reverse", [False, True])
def test_one_resource_under_two_addresses(reverse: bool):
    changes = [
        replace(change(a, {"name": name}), region="eu-central-1")
        for a, name in zip(GROUPS, ("developers", "operators"), strict=True)
    ]
    existing = {address: met({"name": "developers"}, "developers") for address in GROUPS}
    existing = {a: replace(one, overwritten=True, values={"path": "/"}) for a, one in existing.items()}
    given = dict.fromkeys(GROUPS, Choice.ADOPT)
    error = refused(Adoption(given=given), (changes[::-1] if reverse else changes, existing))
    assert str(error) == f"contradictory decisions: adopt for {GROUPS[0]} and adopt for {GROUPS[1]}"
    assert error.hint == "both are the same resource: keep one of them"


@pytest.mark.parametrize("reverse", [False, True])
def test_keeping_and_adopting_what_one_setting_names(reverse: bool):
    """A name that changes for one of them changes for the other."""
    alias, group = "module.cloudtrail.aws_kms_alias.this", "module.cloudtrail.aws_iam_role.delivery"
    changes = [change(alias, {"name": "alias/baseline"}), change(group, {"name": "baseline"})]
    existing = {
        alias: met({"name": "alias/baseline"}, "alias/baseline"),
        group: met({"name": "baseline"}, "baseline"),
    }
    for kept, other in ((alias, group), (group, alias)):
        given = {kept: Choice.KEEP, other: Choice.ADOPT}
        error = refused(Adoption(given=given), (changes[::-1] if reverse else changes, existing))
        assert all(f"{choice.value} for {address}" in str(error) for address, choice in given.items())
