"""Fixes: every edit meets its check once rendered, makes nothing weaker, and keeps the file's other bytes."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.audit import fixes as module
from toolkit.audit.fixes import Fix, Kind, fix_of
from toolkit.audit.registry import checks
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Claim, claims
from toolkit.environment import Environment, load_text
from toolkit.environment.source import parse
from toolkit.errors import ToolkitError
from toolkit.rendering import hcl
from toolkit.rendering.render import render
from toolkit.typed import dotted

HEAD = 'account_id: "123456789012"\nregions: {home: eu-central-1, active: [eu-central-1, us-east-1]}\n'
EMPTY = HEAD + "components: {}\n"
WEAK = (
    HEAD
    + """
components:
  # ours
  password_policy:            # IAM users
    minimum_password_length: 8
    password_reuse_prevention: 3   # for now
    max_password_age: null
    require_symbols: false
    require_numbers: false
    require_lowercase_characters: false
    require_uppercase_characters: false
    hard_expiry: false

  account_defaults:
    block_s3_public_access: false
    ebs_encryption_by_default: false
    ebs_snapshot_public_access: unblocked
    ssm_document_public_sharing: Enable
    instance_metadata_defaults: null
  # detection
  guardduty:
    protection: {}
  cloudtrail:
    data_events:
      - s3_read   # the bucket of invoices
    insights: [ApiErrorRateInsight]
  activity_alarms:
    subscribers: {email_addresses: [security@example.com]}
    monitors:
      root_use:
        enabled: false
      vpc_changes: {enabled: true, threshold: 20}
      iam_policy_changes:
        threshold: 7
  ecr_defaults:
    scan_on_push_filters: ["prod/*"]
# the end
"""
)
TWO_SPACES_LESS = WEAK.replace("\n      - s3_read", "\n    - s3_read")
FILES = {
    "empty": EMPTY,
    "without components": HEAD + "components:\n",
    "weak": WEAK,
    "lists at the key": TWO_SPACES_LESS,
    "CRLF": WEAK.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + WEAK,
    "no last line end": WEAK.removesuffix("\n"),
}


@cache
def _outcome(raw: bytes) -> Environment | ToolkitError:
    try:
        environment = load_text(raw.decode("utf-8-sig"), name="prod", shown_as="environment.yaml")
        render(environment)
    except ToolkitError as e:
        return e
    return environment


def read(raw: bytes) -> Environment:
    """As the audit reads it, each content once: most trials of thousands are of the same."""
    found = _outcome(raw)
    if isinstance(found, ToolkitError):
        raise found.with_traceback(None)
    return found


def tried(check: str, text: str, **options: Any) -> tuple[Fix, str] | None:
    """What is proposed, and the text with it."""
    found = fix_of(checks()[check], text.encode(), read, "environment.yaml", **options)
    return None if found is None else (found[0], found[1].decode())


fixed = cache(tried)
"""The same, tried once for each check and text."""


def one(check: str, text: str, **options: Any) -> tuple[Fix, str]:
    found = fixed(check, text, **options)
    assert found is not None
    return found


CHECKS = tuple(check.id for check in checks().values() if check.remedy.component)


def files(check: str, kind: Kind) -> tuple[str, ...]:
    """Those for which the check proposes settings; found out by a test, not by each worker that collects the tests."""
    found = {name: fixed(check, text) for name, text in FILES.items()}
    return tuple(name for name, fix in found.items() if fix and fix[0].settings and fix[0].kind is kind)


@cache
def edited() -> tuple[tuple[str, str], ...]:
    return tuple((name, check) for check in CHECKS for name in files(check, Kind.EDIT))


def test_there_is_something_to_try():
    by_hand = {check for check in CHECKS if files(check, Kind.BY_HAND)}
    assert {"macie_is_enabled", "ec2_vpc_block_public_access"} <= by_hand
    assert len({check for _, check in edited()}) >= 30
    assert {name for name, _ in edited()} == set(FILES)


def test_nothing_else_is_proposed():
    """Of the checks that are not tried below."""
    others = set(checks()) - set(CHECKS)
    assert others
    assert {
        check for check in others for text in FILES.values() if (found := fixed(check, text)) and found[0].settings
    } == set()


def _claimed(check: str) -> Iterator[Claim]:
    found = checks()[check]
    own = claims(str(found.remedy.component))
    topics = (found.id, *found.topics)
    wanted = [claim for claim in own if claim.topic in topics]
    yield from wanted or [claim for claim in own if claim.setting == found.remedy.setting]


def _value(environment: Environment, component: str, setting: str) -> Any:
    enabled = environment.enabled(component)
    assert enabled is not None
    value: Any = enabled.settings.model_dump()
    for step in setting.split("."):
        value = None if value is None else value[step]
    return value


@pytest.mark.parametrize("check", CHECKS)
def test_the_edit_meets_the_claim_once_it_is_rendered(check: str, subtests: pytest.Subtests):
    for name in (*files(check, Kind.EDIT), *files(check, Kind.BY_HAND)):
        with subtests.test(file=name):
            meets_the_claim(name, check)


def meets_the_claim(name: str, check: str) -> None:
    fix, text = one(check, FILES[name])
    environment = read(text.encode())
    wanted = list(_claimed(check))
    assert wanted
    rendered_files = render(environment)
    for claim in wanted:
        if claim.setting is None:
            assert f'module "{fix.component}' in rendered_files[f"{fix.component}.tf"]
            continue
        value = _value(environment, fix.component, claim.setting)
        assert claim.met_by(value), claim
        # The rendered file says so, too: the value stands there.
        *_, last = claim.setting.split(".")
        rendered = re.compile(rf"^ +{last} += {re.escape(hcl.literal(value))}$", re.M)
        if "\n" not in hcl.literal(value):
            assert rendered.search(rendered_files[f"{fix.component}.tf"]), claim
    # There is no more to do then.
    again, same = one(check, text)
    assert again.kind is Kind.ALREADY_SET
    assert same == text


@pytest.mark.parametrize("check", CHECKS)
def test_the_edit_changes_its_keys_alone(check: str, subtests: pytest.Subtests):
    """All other data is as it was; every other line too, but for empty mappings that get entries."""
    for name in files(check, Kind.EDIT):
        with subtests.test(file=name):
            changes_its_keys_alone(name, check)


def changes_its_keys_alone(name: str, check: str) -> None:
    before = FILES[name]
    fix, after = one(check, before)
    intended = json.loads(json.dumps(parse(before.removeprefix("\ufeff")).data))
    for setting in fix.settings:
        here = intended
        for step in setting.path[:-1]:
            here[step] = here = here.get(step) or {}
        here[setting.path[-1]] = setting.value
    assert parse(after.removeprefix("\ufeff")).data == intended
    touched = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]
    keys = {setting.path[-1] for setting in fix.settings} | {"components", "protection", "instance_metadata_defaults"}
    for line in touched:
        key = line[2:].strip().partition(":")[0]
        assert key in keys or line.strip().startswith("- "), line
    assert [c for c in re.findall("#.*", before) if c.strip() not in after] == []
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    assert ("\r\n" in after) == ("\r\n" in before)


@pytest.mark.parametrize("name", FILES)
def test_all_edits_together_weaken_nothing(name: str):
    """What is met before any edit is met after all of them, whatever their order."""
    text = FILES[name]
    for check in checks():
        found = fixed(check, text)
        text = found[1] if found is not None and found[0].kind is Kind.EDIT else text
    before, after = read(FILES[name].encode()), read(text.encode())
    for enabled in before.components:
        component = enabled.component.name
        for claim in claims(component):
            if claim.setting is not None and claim.met_by(_value(before, component, claim.setting)):
                assert claim.met_by(_value(after, component, claim.setting)), claim
    for check in checks():
        found = fixed(check, text)
        assert found is None or found[0].kind is not Kind.EDIT


@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_order_of_the_edits_decides_nothing(data: st.DataObject):
    order = data.draw(st.permutations([check for name, check in edited() if name == "weak"]))
    text = WEAK
    for check in order:
        text = one(check, text)[1]
    expected = WEAK
    for check in sorted(order):
        expected = one(check, expected)[1]
    found, other = (json.dumps(_sorted(parse(t).data), sort_keys=True) for t in (text, expected))
    assert found == other


def _sorted(data: Any) -> Any:
    """Of lists, what is in them: several entries were added to one."""
    if isinstance(data, dict):
        return {key: _sorted(value) for key, value in data.items()}
    return sorted(data) if isinstance(data, list) and all(isinstance(one, str) for one in data) else data


def test_what_is_in_a_list_stays():
    fix, text = one("cloudtrail_s3_dataevents_write_enabled", WEAK)
    assert [(s.path[-1], s.value) for s in fix.settings] == [("data_events", ["s3_read", "s3_write"])]
    assert "\n      - s3_read   # the bucket of invoices\n      - s3_write\n" in text
    fix, _ = one("cloudtrail_insights_exist", WEAK)
    assert fix.settings[-1].value == ["ApiErrorRateInsight", "ApiCallRateInsight"]


def test_a_stronger_value_is_not_lowered(monkeypatch: pytest.MonkeyPatch):
    """Whatever a claim says: a value that went to its weaker side is no fix."""
    text = HEAD + "components:\n  password_policy:\n    minimum_password_length: 24\n"
    check = "iam_password_policy_minimum_length_14"
    assert one(check, text)[0].kind is Kind.ALREADY_SET
    real = claims("password_policy")
    exact = tuple(
        Claim(c.topic, c.resource, c.attribute, {"equals": 14}, c.setting) if c.topic == check else c for c in real
    )
    monkeypatch.setattr(
        module, "claims", lambda component: exact if component == "password_policy" else claims(component)
    )
    found = tried(check, text)
    assert found is not None
    assert (found[0].kind, found[1]) == (Kind.BY_HAND, text)


def test_what_another_claim_needs_is_not_given_up(monkeypatch: pytest.MonkeyPatch):
    text = HEAD + "components:\n  password_policy:\n    max_password_age: 300\n"
    check = "iam_password_policy_expires_passwords_within_90_days_or_less"
    assert one(check, text)[0].kind is Kind.EDIT
    (own,) = [c for c in claims("password_policy") if c.topic == check]
    other = Claim("iam_password_policy_symbol", own.resource, own.attribute, {"at_least": 200}, own.setting)
    both = (*claims("password_policy"), other)
    monkeypatch.setattr(
        module, "claims", lambda component: both if component == "password_policy" else claims(component)
    )
    found = tried(check, text)
    assert found is not None
    assert found[0].kind is Kind.BY_HAND


@pytest.mark.parametrize(
    ("check", "text", "note", "would_do"),
    [
        (
            "macie_is_enabled",
            EMPTY,
            "`components.macie` is in no profile of `toolkit new`",
            [("components.macie", {})],
        ),
        (
            "ec2_vpc_block_public_access",
            EMPTY,
            "`components.account_defaults.vpc_block_public_access` (expected: ",
            [
                ("components.account_defaults", {}),
                ("components.account_defaults.vpc_block_public_access", "block-ingress"),
            ],
        ),
        (
            "ec2_vpc_block_public_access",
            WEAK,
            'expected: one of ["block-ingress", "block-bidirectional"]',
            [("components.account_defaults.vpc_block_public_access", "block-ingress")],
        ),
        ("cloudwatch_log_metric_filter_root_usage", EMPTY, "components.activity_alarms.subscribers: missing", []),
        (
            "account_security_contact_information_is_registered",
            EMPTY,
            "components.account_contacts.root_email_address: missing",
            [],
        ),
        ("iam_support_role_created", EMPTY, "`components.iam_roles` is in no profile of `toolkit new`", []),
        (
            "iam_password_policy_symbol",
            HEAD + "components:\n  password_policy: {require_symbols: false}\n",
            "components.password_policy",
            [],
        ),
        (
            "guardduty_is_enabled",
            HEAD + "components: {}\nreleased: [module.guardduty_eu_central_1]\n",
            "module.guardduty_eu_central_1 is released",
            [],
        ),
    ],
)
def test_what_only_people_can_decide_is_left_to_them(check: str, text: str, note: str, would_do: list[tuple[str, Any]]):
    fix, after = one(check, text)
    assert fix.kind is Kind.BY_HAND
    assert note in str(fix.note)
    assert "\n" not in str(fix.note)
    assert [(dotted(one.path), one.value) for one in fix.settings] == would_do
    assert (after == text) == (not would_do)


@pytest.mark.parametrize(
    "check", ["iam_root_mfa_enabled", "kms_cmk_rotation_enabled", "iam_user_mfa_enabled_console_access"]
)
def test_what_no_component_does_has_no_fix(check: str):
    assert fixed(check, EMPTY) is None


def test_needed_components_are_switched_on_first():
    fix, text = one("securityhub_enabled", EMPTY)
    assert [s.path for s in fix.settings] == [("components", "config"), ("components", "security_hub")]
    assert list(yaml.safe_load(text)["components"]) == ["config", "security_hub"]


@pytest.mark.parametrize(
    ("failed_in", "kind", "note"),
    [
        (("eu-central-1",), Kind.EDIT, None),
        (("eu-central-1", "eu-west-1"), Kind.EDIT, "eu-west-1: not an active region"),
        (("eu-west-1",), Kind.BY_HAND, "eu-west-1: not an active region"),
    ],
)
def test_regions_that_are_not_active_stay_as_they_are(failed_in: tuple[str, ...], kind: Kind, note: str | None):
    fix, _ = one("guardduty_is_enabled", EMPTY, failed_in=failed_in)
    assert fix.kind is kind
    assert (note is None and fix.note is None) or str(note) in str(fix.note)


def test_costs_are_what_the_records_say_and_unknown_usage_is_unknown():
    fix, _ = one("guardduty_s3_protection_enabled", WEAK)
    (cost,) = fix.costs
    assert (cost.what, cost.monthly_usd) == ("GuardDuty protection plan, in 2 regions", None)
    assert cost.driver
    assert one("iam_password_policy_symbol", WEAK)[0].costs == ()
    whole = one("guardduty_is_enabled", EMPTY)[0].costs
    assert [c.what for c in whole] == ["component guardduty", "GuardDuty detector, in 2 regions"]
    assert whole[0].driver == REGISTRY["guardduty"].bills
