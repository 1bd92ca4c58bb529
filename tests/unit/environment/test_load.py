"""environment.yaml: what is accepted, and that every mistake is told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.environment import LocalBackend, S3Backend, load_environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import ToolkitError
from toolkit.findings import matches

GOOD = """\
account_id: "123456789012"
regions:
  home: eu-central-1
components:
  password_policy: {}
"""


def load(text: str):
    return load_text(text, name="x", shown_as="environment.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(text)
    assert caught.value.detail is not None
    return caught.value.detail.splitlines()


def test_smallest_file_has_secure_defaults():
    environment = load(GOOD)
    assert environment.account_id == "123456789012"
    assert environment.regions.active == ("eu-central-1",)
    assert environment.regions.partition == "aws"
    assert isinstance(environment.backend, LocalBackend)
    assert [c.component.name for c in environment.components] == ["password_policy"]
    assert environment.components[0].settings.model_dump()["minimum_password_length"] == 14


def test_nothing_after_a_component_means_its_defaults():
    assert load(GOOD.replace("password_policy: {}", "password_policy:")).components == load(GOOD).components


def test_an_unquoted_account_id_is_taken_as_meant():
    assert load(GOOD.replace('"123456789012"', "123456789012")).account_id == "123456789012"


def test_an_account_id_with_leading_zeros_survives():
    assert load(GOOD.replace('"123456789012"', "012345678901")).account_id == "012345678901"


def test_components_come_in_the_registrys_order():
    text = GOOD.replace("  password_policy: {}", "  guardduty: {}\n  password_policy: {}")
    assert [c.component.name for c in load(text).components] == ["password_policy", "guardduty"]


def test_every_error_is_told_at_once_in_the_files_order():
    found = problems(
        """\
account_id: 12345
regions: {home: eu-centrl-1, retiring: eu-west-1}
components:
  password_policy:
    minimum_password_lenght: 4
    hard_expiry: 1
  gardduty: {}
"""
    )
    assert [line.split(": ")[0] for line in found] == [
        "environment.yaml:1",
        "environment.yaml:2",
        "environment.yaml:2",
        "environment.yaml:5",
        "environment.yaml:6",
        "environment.yaml:7",
    ]


S3 = "backend: {type: s3, bucket: some-bucket, region: eu-west-1"

DETECTOR = "module.guardduty_eu_west_1.aws_guardduty_detector.this"
RECORDED = [
    change["address"]
    for file in sorted((Path(__file__).parents[2] / "plans" / "components").glob("*.json"))
    for change in json.loads(file.read_text("utf-8"))["resource_changes"]
]
TOO_WIDE = (
    *("*", "**", "module.*", "m*", "mod*", "*ule*", "*.this*", "*e*", "aws_*", "module.*.aws_guardduty_detector.this"),
    *(
        "module.guardduty*",
        "module.guardduty_eu_west_1",
        "module.guardduty_eu_west_1.*",
        f"{DETECTOR}*",
        f"*{DETECTOR}",
    ),
    *("module.guardduty_eu_west_1.aws_*.this", "module.guardduty_eu_west_1.aws_guardduty_detector.*", "aws_x.this"),
    *("module.cloudtrail.module.*.aws_s3_bucket.this", "cis-5.0:1.5"),
)
"""Waivers that name no resource, or more than one."""

BROKEN = {
    # what is wrong: (text, what the error says)
    "empty file": ("", "1: the file is empty"),
    "only a comment": ("# nothing\n", "1: the file is empty"),
    "a list at the top": ("- a\n", "1: a list at the top; expected keys like `account_id`"),
    "a word at the top": ("hello\n", '1: "hello" at the top'),
    "two documents": (GOOD + "---\n" + GOOD, "1: 2 YAML documents in one file"),
    "a tab as indentation": ("regions:\n\thome: x\n", "2: not valid YAML: found character '\\t'"),
    "an unclosed bracket": ("regions: [\n", "not valid YAML"),
    "a forbidden character": ("a: \x01\n", "1: not valid YAML: special characters are not allowed"),
    "a key twice": (GOOD + "account_id: '111122223333'\n", "6: account_id: the key is repeated (first in line 1)"),
    "an alias": (GOOD + "default_tags: &t {a: b}\nx: *t\n", "a YAML alias"),
    "a merge": (GOOD + "default_tags: {<<: {a: b}}\n", "6: default_tags: a YAML merge (`<<`)"),
    "a tag": (GOOD + "default_tags: {a: !!python/name:os.system ''}\n", "a YAML tag (tag:yaml.org,2002:python/"),
    "a key that is a list": (GOOD + "default_tags: {[a]: b}\n", "6: default_tags: a key that is not text"),
    "half a surrogate": (GOOD + 'default_tags: {a: "\\ud800"}\n', "6: default_tags.a: half a surrogate pair"),
    "unknown key": (GOOD + "regoins: {}\n", "6: regoins: unknown key 'regoins'; expected one of account_id, regions"),
    "unknown key's nearest": (GOOD + "backnd: {}\n", "(did you mean 'backend'?)"),
    "no account": ("regions: {home: eu-west-1}\ncomponents: {}\n", "account_id: missing; expected the account"),
    "short account": (GOOD.replace("9012", ""), '1: account_id: "12345678"; expected 12 digits, in quotes'),
    "account as a list": (GOOD.replace('"123456789012"', "[1]"), "1: account_id: a list; expected text"),
    "no home": (GOOD.replace("home:", "hom:"), "2: regions.home: missing; expected region of global services"),
    "misspelt region": (GOOD.replace("eu-central-1", "eu-centrall-1"), "(did you mean 'eu-central-1'?)"),
    "home not active": (
        GOOD.replace("home: eu-central-1", "home: eu-central-1\n  active: [eu-west-1]"),
        "2: regions: active lacks the home region eu-central-1",
    ),
    "active and retiring": (
        GOOD.replace("home: eu-central-1", "home: eu-central-1\n  retiring: [eu-central-1]"),
        "2: regions: eu-central-1 is both active and retiring",
    ),
    "region twice": (
        GOOD.replace("home: eu-central-1", "home: eu-central-1\n  active: [eu-central-1, eu-central-1]"),
        "2: regions: active names eu-central-1 twice",
    ),
    "two partitions": (
        GOOD.replace("home: eu-central-1", "home: eu-central-1\n  active: [eu-central-1, cn-north-1]"),
        "regions of 2 partitions (aws, aws-cn)",
    ),
    "unknown component": (GOOD + "  clodtrail: {}\n", "6: components.clodtrail: unknown component 'clodtrail'"),
    "unknown setting": (
        GOOD.replace("{}", "{minimum_password_lenght: 8}"),
        "(did you mean 'minimum_password_length'?)",
    ),
    "setting out of bounds": (
        GOOD.replace("{}", "{minimum_password_length: 5}"),
        "5: components.password_policy.minimum_password_length: 5; expected at least 6",
    ),
    "setting of the wrong type": (
        GOOD.replace("{}", "{minimum_password_length: '14'}"),
        '5: components.password_policy.minimum_password_length: "14"; expected a whole number',
    ),
    "YAML 1.1's yes": (
        GOOD.replace("{}", "{require_numbers: yes}"),
        '5: components.password_policy.require_numbers: "yes"; expected true or false',
    ),
    "settings that contradict": (
        GOOD.replace("{}", "{hard_expiry: true, max_password_age: null}"),
        "5: components.password_policy: hard_expiry: true needs a max_password_age",
    ),
    "block where a list is due": (
        GOOD.replace("home: eu-central-1", "home: eu-central-1\n  retiring: {}"),
        "4: regions.retiring: a block of keys and values; expected a list",
    ),
    "component that lacks another": (
        GOOD + "  mfa_enforcement: {}\n",
        "6: components.mfa_enforcement: needs the component iam_groups, which is off; expected `iam_groups: {}`",
    ),
    "unknown backend": (GOOD + "backend: {type: gcs}\n", "6: backend.type: 'gcs' is none of the kinds"),
    "backend without type": (GOOD + "backend: {}\n", '6: backend.type: missing; expected "local" or "s3"'),
    "backend without bucket": (
        GOOD + "backend: {type: s3, region: eu-west-1}\n",
        "6: backend.bucket: missing; expected bucket of the state",
    ),
    "bad bucket": (
        GOOD + "backend: {type: s3, bucket: My_Bucket, region: eu-west-1}\n",
        '6: backend.bucket: "My_Bucket"; expected an S3 bucket name',
    ),
    "alias of a state key": (GOOD + f"{S3}, kms_key_id: alias/state}}\n", "6: backend.kms_key_id"),
    "state key of a misspelt partition": (
        GOOD + f"{S3}, kms_key_id: 'arn:awz:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'}}\n",
        "expected the id of a key or its ARN, not of an alias, such as arn:aws:kms:",
    ),
    "key that leaves its folder": (GOOD + f"{S3}, key: /x}}\n", "6: backend.key"),
    "backend key of local": (GOOD + "backend: {type: local, bucket: x}\n", "6: backend.bucket: unknown key 'bucket'"),
    "state role elsewhere": (
        GOOD + f"{S3}, role_arn: 'arn:aws:iam::111122223333:role/x'}}\n",
        "backend.role_arn is in account 111122223333, but the bucket belongs to 123456789012",
    ),
    "role of another account": (
        GOOD + "credentials: {assume_role: {role_arn: 'arn:aws:iam::111122223333:role/x'}}\n",
        "credentials.assume_role.role_arn is in account 111122223333, but account_id is 123456789012",
    ),
    "no role ARN": (GOOD + "credentials: {assume_role: {role_arn: admin}}\n", "expected a role's ARN"),
    "simulator with credentials": (
        GOOD + "simulator: moto\ncredentials: {profile: x}\n",
        "simulator: moto takes no credentials",
    ),
    "unknown simulator": (GOOD + "simulator: motto\n", '6: simulator: "motto"; expected "moto" (did you mean'),
    "no version constraint": (
        GOOD + "terraform: {required_version: latest}\n",
        '6: terraform.required_version: "latest"; expected a Terraform version constraint',
    ),
    **{
        f"waiver ({rule}) of {pattern}": (
            GOOD + f"waivers: [{{rule: {rule}, subject: '{pattern}', reason: because of it, expires: '2026-01-01'}}]\n",
            f'6: waivers[0].subject: "{pattern}"; expected the address of a component\'s resource, like module.',
        )
        for rule in ("weakens", "destroys-protected", "locks-out-users")
        for pattern in TOO_WIDE
    },
    "waiver of several, one of them too wide": (
        GOOD + f"waivers: [{{rule: weakens, subject: [{DETECTOR}, '*ule*'], reason: because of it, "
        "expires: '2026-01-01'}]\n",
        "6: waivers[0].subject: has '*ule*'; expected the address of a component's resource",
    ),
    "waiver of nothing": (
        GOOD + "waivers: [{rule: weakens, subject: [], reason: because of it, expires: '2026-01-01'}]\n",
        "6: waivers[0].subject: a list; expected at least 1 entry",
    ),
    "waiver of no text": (
        GOOD + "waivers: [{rule: weakens, subject: [1], reason: because of it, expires: '2026-01-01'}]\n",
        "6: waivers[0].subject[0]: 1; expected text",
    ),
    **{
        f"waiver of requirements {pattern}": (
            GOOD
            + f"waivers: [{{rule: uncovered, subject: '{pattern}', reason: because of it, expires: '2026-01-01'}}]\n",
            f'6: waivers[0].subject: "{pattern}"; expected a requirement of a framework',
        )
        for pattern in ("cis-5.0:*", "cis-5.0", "cis-*", "*:*", "mod*", "*")
    },
    **{
        f"waiver of the rule {rule!r}": (
            GOOD + f"waivers: [{{rule: {json.dumps(rule)}, subject: {DETECTOR}, reason: because of it, "
            "expires: '2026-01-01'}]\n",
            f'6: waivers[0].rule: {json.dumps(rule)}; expected "destroys-protected", "gains-access", '
            f'"locks-out-users", "releases-protected", "weakens" or "uncovered"{guess}',
        )
        for rule, guess in {
            "weakness": " (did you mean 'weakens'?)",
            "destroy-protected": " (did you mean 'destroys-protected'?)",
            "locks-out-caller": "",
            "collides": "",
            "": "",
            5: "",
        }.items()
    },
    "waiver without end": (
        GOOD + "waivers: [{rule: weakens, subject: module.x.aws_y.z, reason: because of it, expires: '9999-12-31'}]\n",
        '6: waivers[0].expires: "9999-12-31"; expected a day within a year',
    ),
    "waiver without date": (
        GOOD + "waivers: [{rule: weakens, subject: module.x.aws_y.z, reason: because of it, expires: soon}]\n",
        '6: waivers[0].expires: "soon"; expected a day, like 2027-03-31',
    ),
    **{
        f"{where} on the day {day}": (GOOD + text.format(day), f'6: {where}: "{day}"; expected a day, like 2027-03-31')
        for where, text in {
            "waivers[0].expires": "waivers: [{{rule: weakens, subject: module.x.aws_y.z, reason: because of it, "
            "expires: '{}'}}]\n",
            "attestations[0].on": "attestations: [{{control: cis-7.0:2.1.4, by: Alice, until: 2026-12-01, "
            "on: '{}'}}]\n",
            "attestations[0].until": "attestations: [{{control: cis-7.0:2.1.4, by: Alice, on: 2026-01-31, "
            "until: '{}'}}]\n",
        }.items()
        # The first three are days to Python; as texts they are later than any day of the same year.
        for day in ("20260201", "2026-W05-7", "2026W057", "2026-2-1", "2026-02-30", " 2026-02-01", "2026-02-01T00:00")
    },
    "reserved tag": (GOOD + "default_tags: {'aws:x': y}\n", "6: default_tags.aws:x"),
    "tag that is a number": (GOOD + "default_tags: {CostCenter: 4711}\n", "4711; expected text (in quotes"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_files_say_what_and_where(text: str, said: str):
    found = problems(text)
    assert any(said in line for line in found), "\n".join(found)
    assert all(line.startswith("environment.yaml:") for line in found)


NAMED = (
    DETECTOR,
    f"{DETECTOR}.finding_publishing_frequency",
    'module.iam_groups.aws_iam_group_policy_attachment.guardrail["developers"]',
    "module.config_eu_west_1.aws_config_config_rule.this[*",
    'module.config_eu_west_1.aws_config_config_rule.this["*"].input_parameters',
    "module.cloudtrail.module.access_log_bucket[0].aws_s3_bucket.this.*",
    'module.trusted_advisor_us_east_1.module.alerts["topic"].aws_sns_topic_policy.this.policy',
)


def waived(subject: object) -> tuple[str, ...]:
    entry = {"rule": "weakens", "subject": subject, "reason": "because of it", "expires": "2026-01-01"}
    (waiver,) = load(GOOD + f"waivers: [{json.dumps(entry)}]\n").waivers
    return waiver.subject


@pytest.mark.parametrize("subject", NAMED)
def test_a_waiver_names_a_resource_or_several(subject: str):
    assert waived(subject) == (subject,)
    assert waived([subject, DETECTOR]) == (subject, DETECTOR)


def test_what_is_in_a_module_within_a_module_can_be_imported():
    nested = [address for address in RECORDED if ".module." in address]
    assert any('"].aws_' in address for address in nested)
    assert dict(load(GOOD + f"imports: {json.dumps(dict.fromkeys(nested, 'an-id'))}\n").imports).keys() == set(nested)


@given(st.data())
@settings(max_examples=300)
def test_an_accepted_waiver_consents_to_findings_of_one_resource(data: st.DataObject):
    """Addresses with `*` put over any stretch of them: refused, or nothing that another resource has is matched."""
    addresses = sorted({address.partition("[")[0] for address in RECORDED})
    meant = data.draw(st.sampled_from(addresses))
    start = data.draw(st.integers(0, len(meant)))
    end = data.draw(st.integers(start, len(meant)))
    subject = f"{meant[:start]}*{meant[end:]}"
    try:
        (pattern,) = waived(subject)
    except EnvironmentFileError:
        return
    assert {a for a in RECORDED if matches(pattern, a)} <= {a for a in RECORDED if a.partition("[")[0] == meant}


def test_a_secret_like_value_is_not_repeated():
    text = GOOD + "credentials: {assume_role: {role_arn: 'arn:aws:iam::123456789012:role/x', external_id: 'se cret'}}\n"
    assert not any("se cret" in line for line in problems(text))


def test_a_state_role_of_the_buckets_owner_is_accepted():
    text = GOOD + f"{S3}, account_id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/x'}}\n"
    backend = load(text).backend
    assert isinstance(backend, S3Backend)
    assert backend.account_id == "111122223333"


def test_a_deeply_nested_file_is_refused_without_a_traceback():
    assert problems("a: " + "[" * 5000 + "\n")
    assert any("nested too deeply" in p for p in problems("a: " + "[" * 200 + "]" * 200 + "\n"))


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path):
    file = tmp_path / "environment.yaml"
    file.write_bytes(b"account_id: '1'\nx: \xff\n")
    with pytest.raises(ToolkitError, match="not UTF-8") as caught:
        load_environment(file, name="x", shown_as="e.yaml")
    assert caught.value.where == "e.yaml:2"


def test_a_huge_file_is_refused(tmp_path: Path):
    file = tmp_path / "environment.yaml"
    file.write_text("#" * (1 << 20) + "\n" + GOOD)
    with pytest.raises(ToolkitError, match="larger than"):
        load_environment(file, name="x")


def test_text_is_normalized_to_nfc():
    text = GOOD + 'default_tags: {a: "e\\u0301"}\n'
    assert load(text).default_tags["a"] == "\u00e9"


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_any_text_gives_an_environment_or_told_problems(text: str):
    try:
        load(text)
    except EnvironmentFileError as e:
        assert e.problems
        assert all(p.line >= 1 for p in e.problems)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = ["account_id", "regions", "backend", "credentials", "default_tags", "components", "terraform"]


@given(_VALUES, st.sampled_from(_KEYS))
@settings(max_examples=300)
def test_any_value_under_a_known_key_is_accepted_or_told(value: object, key: str):
    text = GOOD.replace(f"{key}:", f"_{key}:") + f"{json.dumps(key)}: {json.dumps(value)}\n"
    try:
        load(text)
    except EnvironmentFileError as e:
        assert e.problems
