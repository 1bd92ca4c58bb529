"""What groups, roles, permission sets and targets are granted and denied, whatever policies carry it.

A table over kinds of owners and what may become of their policies, and drawn layouts of the same statements: what only
moves is silent, what is granted more or denied less is found.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.iam import Policies, PolicyDocument, Request, evaluate
from toolkit.plan.guards import judge
from toolkit.plan.managed_policies import ManagedPolicies
from toolkit.plan.model import Attribution, parse_drift, parse_outcome, parse_plan
from toolkit.plan.owners import judge_owners, referenced_policies

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ACCOUNT = "arn:aws:iam::123456789012"
RECORDED = Path(__file__).parents[2] / "plans" / "components"
AWS = "arn:aws:iam::aws:policy"
Values = dict[str, Any]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """How policies of an owner stand in a plan."""

    component: str
    inline: str
    managed: str
    own: str
    """Type of the owner itself."""
    owner_key: str
    policy_key: str = "policy"
    managed_key: str = "policy_arn"


KINDS = {
    "group": Kind("iam_groups", "aws_iam_group_policy", "aws_iam_group_policy_attachment", "aws_iam_group", "group"),
    "role": Kind("iam_roles", "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_role", "role"),
    "user": Kind("iam_users", "aws_iam_user_policy", "aws_iam_user_policy_attachment", "aws_iam_user", "user"),
    "permission set": Kind(
        "identity_center",
        "aws_ssoadmin_permission_set_inline_policy",
        "aws_ssoadmin_managed_policy_attachment",
        "aws_ssoadmin_permission_set",
        "permission_set_arn",
        "inline_policy",
        "managed_policy_arn",
    ),
}


def statement(actions: str | list[str], effect: str = "Allow", resource: str = "*", **more: Any) -> Values:
    return {"Effect": effect, "Action": actions, "Resource": resource, **more}


def document(*statements: Values) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
READ = statement("s3:GetObject", Sid="Read", resource="arn:aws:s3:::logs/*")
LOOK = statement(["ec2:Describe*", "ec2:GetConsoleOutput"], Sid="Look")
START = statement("ec2:StartInstances", Sid="Start", Condition=MFA)
STAY = statement(["iam:*", "organizations:*"], "Deny", Sid="Stay")
HOME = statement("ec2:*", "Deny", Sid="Home", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}})
STATEMENTS = (READ, LOOK, START, STAY, HOME)
OPEN = statement("*")
WIDER: dict[str, list[Values]] = {
    "another action": [*STATEMENTS, statement("s3:PutObject")],
    "everything": [*STATEMENTS, OPEN],
    "a wildcard": [statement("s3:*", resource="arn:aws:s3:::logs/*"), *STATEMENTS[1:]],
    "another resource": [{**READ, "Resource": "*"}, *STATEMENTS[1:]],
    "a condition less": [READ, LOOK, statement("ec2:StartInstances"), STAY, HOME],
    "a denial less": [READ, LOOK, START, HOME],
    "a narrower denial": [READ, LOOK, START, statement("iam:*", "Deny"), HOME],
    "a denial with a condition more": [READ, LOOK, START, {**STAY, "Condition": MFA}, HOME],
}
NARROWER: dict[str, list[Values]] = {
    "the same": list(STATEMENTS),
    "in another order": list(reversed(STATEMENTS)),
    "an action less": [READ, statement("ec2:Describe*"), START, STAY, HOME],
    "a grant less": [LOOK, STAY, HOME],
    "another denial": [*STATEMENTS, statement("s3:DeleteBucket", "Deny")],
    "a condition more": [{**READ, "Condition": MFA}, LOOK, START, STAY, HOME],
}


def address(kind: Kind, resource: str, name: str, key: str) -> str:
    return f'module.{kind.component}.{resource}.{name}["{key}"]'


def entry(where: str, before: Values | None, after: Values | None, **more: Any) -> Entry:
    if before is not None and before == after:
        actions = ["no-op"]
    else:
        actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    resource, name = where.split("[", maxsplit=1)[0].rsplit(".", 2)[-2:]
    change = {"actions": actions, "before": before, "after": after, **more}
    return {"address": where, "mode": "managed", "type": resource, "name": name, "change": change}


def judged(*entries: Entry, texts: dict[str, str] | None = None, drift: Sequence[Entry] = ()) -> list[Finding]:
    """As toolkit/workflows/judge.py puts it together; deletions of what denies are refused for themselves."""
    data = {"format_version": "1.2", "resource_changes": list(entries), "resource_drift": list(drift)}
    plan, outcome = parse_plan(data, ATTRIBUTION), parse_outcome(data, ATTRIBUTION)
    found = list(judge(plan, REGISTRY, {}))
    return judge_owners(plan, outcome, ManagedPolicies(plan, outcome, texts), found, parse_drift(data, ATTRIBUTION))


def weakenings(*entries: Entry, texts: dict[str, str] | None = None) -> list[Finding]:
    return [f for f in judged(*entries, texts=texts) if f.rule is WEAKENS]


# What an owner has: name of an inline policy, or ARN of a managed one → its statements.
Layout = dict[str, Sequence[Values]]


def changes(kind: Kind, before: Layout, after: Layout, owner: str = "staff", moved: bool = False) -> list[Entry]:
    """The plan in which an owner goes from one layout to another, Terraform's key being the policy's name."""

    def values(layout: Layout, name: str) -> Values | None:
        if name not in layout:
            return None
        if name.startswith("arn:"):
            return {kind.owner_key: owner, kind.managed_key: name}
        return {kind.owner_key: owner, "name": name, kind.policy_key: document(*layout[name])}

    found = []
    for name in dict.fromkeys([*before, *after]):
        resource, label = (kind.managed, "managed") if name.startswith("arn:") else (kind.inline, "inline")
        old, new = values(before, name), values(after, name)
        where = address(kind, resource, label, f"{owner}/{name}")
        if moved and old is not None and new is not None:
            found += [entry(where, old, None), entry(address(kind, resource, "other", name), None, new)]
        else:
            found.append(entry(where, old, new))
    return found


def texts(*layouts: Layout) -> dict[str, str]:
    return {name: document(*s) for layout in layouts for name, s in layout.items() if name.startswith("arn:")}


OWN, OTHER = f"{ACCOUNT}:policy/own", f"{ACCOUNT}:policy/other"
INLINE: Layout = {"limits": STATEMENTS}
BECOMES: dict[str, tuple[Layout, Callable[[list[Values]], Layout], bool]] = {
    "renamed": (INLINE, lambda s: {"limits2": s}, False),
    "moved": (INLINE, lambda s: {"limits": s}, True),
    "split": (INLINE, lambda s: {"one": s[::2], "two": s[1::2]}, False),
    "split in place": (INLINE, lambda s: {"limits": s[:2], "more": s[2:]}, False),
    "merged": ({"one": STATEMENTS[:2], "two": STATEMENTS[2:]}, lambda s: {"both": s}, False),
    "merged in place": ({"one": STATEMENTS[:2], "two": STATEMENTS[2:]}, lambda s: {"one": s}, False),
    "shuffled": ({"one": STATEMENTS[:2], "two": STATEMENTS[2:]}, lambda s: {"one": s[2:], "two": s[:2]}, False),
    "replaced by a managed one": (INLINE, lambda s: {OWN: s}, False),
    "replaced by an inline one": ({OWN: STATEMENTS}, lambda s: {"limits": s}, False),
    "replaced by another managed one": ({OWN: STATEMENTS}, lambda s: {OTHER: s}, False),
    "managed, split": ({OWN: STATEMENTS}, lambda s: {OTHER: s[:2], "rest": s[2:]}, False),
}


@pytest.mark.parametrize(("before", "becomes", "moved"), BECOMES.values(), ids=BECOMES)
def test_what_only_changes_its_carrier_is_no_weakening(
    before: Layout, becomes: Callable[[list[Values]], Layout], moved: bool
):
    wrong = {}
    for (name, after), (owner, kind) in itertools.product(NARROWER.items(), KINDS.items()):
        then = becomes(after)
        if found := weakenings(*changes(kind, before, then, moved=moved), texts=texts(before, then)):
            wrong[name, owner] = found
    assert wrong == {}


@pytest.mark.parametrize(("before", "becomes", "moved"), BECOMES.values(), ids=BECOMES)
def test_what_is_granted_more_or_denied_less_is_found_whatever_carries_it(
    before: Layout, becomes: Callable[[list[Values]], Layout], moved: bool
):
    wrong = {}
    for (name, after), (owner, kind) in itertools.product(WIDER.items(), KINDS.items()):
        then = becomes(after)
        found = judged(*changes(kind, before, then, moved=moved), texts=texts(before, then))
        blocking = [f for f in found if f.blocks]
        if not blocking or not all(f.consent and f.address in f.consent for f in blocking):
            wrong[name, owner] = blocking
    assert wrong == {}


ADMINISTRATOR = f"{AWS}/AdministratorAccess"
ADDED: dict[str, Layout] = {"inline": {"more": [OPEN]}, "managed": {OWN: [OPEN]}, "of AWS": {ADMINISTRATOR: [OPEN]}}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("has", [INLINE, {f"{AWS}/ReadOnlyAccess": ()}], ids=["an inline policy", "one of AWS's"])
def test_what_an_owner_is_granted_beside_what_it_has_is_refused(kind: Kind, added: Layout, has: Layout):
    entries = changes(kind, has, {**has, **added})
    (found,) = weakenings(*entries, texts=texts(added))
    assert (found.severity, found.blocks) == (Severity.HIGH, True)
    assert found.consent == f"--allow-weaker '{found.address}.{found.attribute}'"
    assert found.evidence.startswith("+ ")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_granted_already_or_only_denied_beside_is_no_finding(kind: Kind):
    assert weakenings(*changes(kind, INLINE, {**INLINE, "more": [READ]})) == []
    assert weakenings(*changes(kind, INLINE, {**INLINE, "more": [statement("s3:*", "Deny")]})) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("has", [{}, {"limits": [STAY]}], ids=["nothing", "a denial"])
def test_what_an_owner_without_rights_is_granted_is_said_and_not_refused(kind: Kind, added: Layout, has: Layout):
    """That is how an interrupted apply leaves it."""
    (found,) = weakenings(*changes(kind, has, {**has, **added}), texts=texts(added))
    assert (found.severity, found.blocks, found.consent) == (Severity.NOTE, False, None)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_what_somebody_took_by_hand_is_given_back(kind: Kind, added: Layout):
    entries = changes(kind, INLINE, {**INLINE, **added})
    (made,) = [e for e in entries if e["change"]["actions"] == ["create"]]
    gone = {**made, "change": {"actions": ["delete"], "before": made["change"]["after"], "after": None}}
    assert [f for f in judged(*entries, texts=texts(added), drift=[gone]) if f.blocks] == []
    wider = {
        **gone,
        "change": {**gone["change"], "before": {**gone["change"]["before"], kind.policy_key: document(READ)}},
    }
    if "more" in added:
        assert [f.blocks for f in judged(*entries, texts=texts(added), drift=[wider])] == [True]


def test_enforcing_mfa_on_groups_that_are_there_already_is_no_grant():
    """What its policy allows is about one's own devices, and stands in the module."""
    (attached,) = changes(KINDS["group"], {}, {OWN: [OPEN]})
    enforced = {**attached, "address": 'module.mfa_enforcement.aws_iam_group_policy_attachment.this["staff"]'}
    has = changes(KINDS["group"], INLINE, INLINE)
    assert weakenings(*has, enforced, texts={OWN: document(OPEN)}) == []
    assert [f.blocks for f in weakenings(*has, attached, texts={OWN: document(OPEN)})] == [True]


def test_self_service_that_is_switched_on_is_a_grant_that_wants_consent():
    """As recorded, for groups that are there; switched off again, nobody's rights grow."""
    recorded = json.loads((RECORDED / "core.json").read_text("utf-8"))["resource_changes"]
    module = [one for one in recorded if one["address"].startswith("module.iam_groups.")]
    deny, rotate = f"{ACCOUNT}:policy/deny", f"{ACCOUNT}:policy/rotate"

    def standing(one: Entry, action: str, arn: str) -> Entry:
        values = {"policy_arn": arn, "arn": arn, **one["change"]["after"]}
        change = {"actions": [action], "before": values, "after": None if action == "delete" else values}
        return {**one, "change": change}

    served = [one for one in module if ".self_service[" in one["address"]]
    others = [standing(one, "no-op", deny) for one in module if one not in served]
    found = [f for f in judged(*others, *served) if f.blocks]
    on = "module.iam_groups.aws_iam_group_policy_attachment.self_service"
    groups = ("auditors", "billing", "developers", "operators", "support")
    assert {f.address for f in found} == {f'{on}["{name}"]' for name in groups}
    assert all(f.consent == f"--allow-weaker '{f.address}.policy_arn'" for f in found)
    assert all("AllowRotatingOwnAccessKeysWithMfa" in f.evidence for f in found)
    assert [f for f in judged(*others, *(standing(one, "delete", rotate) for one in served)) if f.blocks] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        (
            {"limits": [READ]},
            {f"{AWS}/PowerUserAccess": ()},
            "limits → PowerUserAccess: what PowerUserAccess allows is ",
        ),
        ({"limits": [READ]}, {f"{AWS}/AdministratorAccess": ()}, "limits → AdministratorAccess: grants more: "),
        ({f"{AWS}/ReadOnlyAccess": ()}, {"limits": [READ]}, "ReadOnlyAccess → limits: grants more: Read"),
        ({"limits": [READ]}, {OWN: ()}, "limits → own: what own allows is not known here"),
        ({f"{AWS}/AWSDenyAll": (), "limits": [READ]}, {"limits": [READ]}, "- AWSDenyAll: denies less: DenyAll"),
        ({OWN: (), "limits": [READ]}, {"limits": [READ]}, "- own: what own denies is not known here"),
    ],
)
def test_what_is_not_known_does_not_take_anothers_place(kind: Kind, before: Layout, after: Layout, evidence: str):
    (found,) = weakenings(*changes(kind, before, after))
    assert found.blocks
    assert found.evidence.startswith(evidence)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({f"{AWS}/AdministratorAccess": ()}, {"limits": [READ]}),
        ({f"{AWS}/AdministratorAccess": ()}, {f"{AWS}/PowerUserAccess": ()}),
        ({f"{AWS}/ReadOnlyAccess": (), "limits": [READ]}, {f"{AWS}/ReadOnlyAccess": ()}),
        ({"limits": [OPEN]}, {f"{AWS}/PowerUserAccess": ()}),
        ({"limits": [READ]}, {}),
    ],
)
def test_what_is_known_to_be_less_may(kind: Kind, before: Layout, after: Layout):
    assert [f for f in weakenings(*changes(kind, before, after)) if f.blocks] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_owner_that_is_left_without_any_policy_is_denied_less(kind: Kind):
    layout: Layout = {OWN: [STAY, READ]}
    (found,) = weakenings(*changes(kind, layout, {}), texts=texts(layout))
    assert (found.evidence, found.blocks) == ("- own: denies less: Stay", True)
    assert weakenings(*changes(kind, layout, {}), owner_entry(kind, "staff", "delete"), texts=texts(layout)) == []


@pytest.mark.parametrize(
    "text",
    [
        "what is this",
        "[]",
        '{"Version": "2012-10-17", "Statement": []}',
        document({**OPEN, "Effect": "allow"}),
        document(OPEN).replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"'),
        document({k: v for k, v in OPEN.items() if k != "Effect"}),
    ],
)
def test_a_text_that_is_no_policy_may_say_anything(text: str):
    """Nothing of it is left out, as a statement would be whose effect is neither of the two."""
    for kind in KINDS.values():
        unreadable = changes(kind, {}, {"odd": [READ]})
        unreadable[0]["change"]["after"][kind.policy_key] = text
        (found,) = weakenings(*changes(kind, {"limits": [READ]}, {}), *unreadable)
        assert (found.evidence, found.blocks) == ("limits → odd: what odd allows is not known here", True)


def test_variables_of_another_language_version_are_not_mixed():
    """In 2008-10-17, `${aws:username}` is plain text (IAM User Guide, "IAM policy elements: Variables and tags")."""
    group, home = KINDS["group"], statement("s3:*", resource="arn:aws:s3:::home/${aws:username}/*")
    gone = changes(group, {"a": [home], "b": [READ]}, {})
    gone[0]["change"]["before"]["policy"] = document(home).replace("2012-10-17", "2008-10-17")
    (found,) = weakenings(*gone, *changes(group, {}, {"c": [home, READ]}))
    assert found.blocks


def test_a_policy_that_is_removed_and_created_wider_under_another_name():
    (found,) = judged(*changes(KINDS["group"], {"limits": [READ]}, {"limits2": [OPEN]}))
    assert (found.rule, found.blocks) == (WEAKENS, True)
    assert found.subject == 'module.iam_groups.aws_iam_group_policy.inline["staff/limits2"].policy'
    assert found.summary == "The group staff would be granted more than before."
    assert found.evidence == "limits → limits2: grants more: statement 1"


# Owners that take another one's place.


def owner_entry(kind: Kind, name: str, action: str, component: str | None = None) -> Entry:
    attribute = "arn" if kind.own == "aws_ssoadmin_permission_set" else "name"
    values = {attribute: name}
    where = f'module.{component or kind.component}.{kind.own}.this["{name}"]'
    return entry(where, values if action == "delete" else None, values if action == "create" else None)


def renamed(kind: Kind, before: Layout, after: Layout) -> list[Entry]:
    return [
        owner_entry(kind, "staff", "delete"),
        owner_entry(kind, "people", "create"),
        *changes(kind, before, {}, "staff"),
        *changes(kind, {}, after, "people"),
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("after", NARROWER.values(), ids=NARROWER)
def test_an_owner_that_is_renamed_with_what_it_has(kind: Kind, after: list[Values]):
    assert weakenings(*renamed(kind, INLINE, {"limits": after})) == []
    assert weakenings(*renamed(kind, INLINE, {OWN: after}), texts={OWN: document(*after)}) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("after", WIDER.values(), ids=WIDER)
def test_an_owner_that_takes_the_place_of_another_and_has_more(kind: Kind, after: list[Values]):
    found = [f for f in weakenings(*renamed(kind, INLINE, {"limits": after})) if f.blocks]
    assert found
    assert all(", which replaces " in f.summary and "staff" in f.summary for f in found)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_owner_that_is_new_takes_nobodys_place(kind: Kind):
    new = [owner_entry(kind, "people", "create"), *changes(kind, {}, {"limits": [OPEN], OWN: ()}, "people")]
    assert weakenings(*new) == []
    # Nor does it take that of one in another module.
    other = "iam_roles" if kind.component != "iam_roles" else "iam_groups"
    assert weakenings(*new, owner_entry(kind, "staff", "delete", other)) == []


def test_owners_that_iam_does_not_tell_apart_are_one():
    group = KINDS["group"]
    lower, upper = changes(group, {"a": [READ]}, {}, "staff"), changes(group, {}, {"b": [OPEN]}, "Staff")
    assert [f.blocks for f in weakenings(*lower, *upper)] == [True]


def test_an_owner_that_only_the_apply_names():
    """A permission set that is created has no ARN yet."""
    kind = KINDS["permission set"]
    new = owner_entry(kind, "people", "create")
    new["change"].update(after={"name": "people"}, after_unknown={"arn": True})
    (policy,) = changes(kind, {}, {"limits": [OPEN]}, "people")
    del policy["change"]["after"][kind.owner_key]
    policy["change"]["after_unknown"] = {kind.owner_key: True}
    assert weakenings(new, policy) == []
    gone = [owner_entry(kind, "staff", "delete"), *changes(kind, INLINE, {}, "staff")]
    assert {f.attribute for f in weakenings(new, policy, *gone) if f.blocks} == {"inline_policy"}


def test_a_policy_of_which_only_the_apply_tells_the_arn():
    kind = KINDS["group"]

    def attached(text: Any, **unknown: bool) -> list[Finding]:
        (attachment,) = changes(kind, {}, {OWN: ()})
        del attachment["change"]["after"]["policy_arn"]
        attachment["change"]["after_unknown"] = {"policy_arn": True}
        made = entry("module.iam_groups.aws_iam_policy.new", None, {"name": "new", "policy": text})
        made["change"]["after_unknown"] = {"arn": True, **unknown}
        return [f for f in weakenings(*changes(kind, {"limits": [READ]}, {}), attachment, made) if f.blocks]

    assert attached(document(READ)) == []
    assert attached(document(OPEN))[0].evidence == "limits → a policy that the plan makes: grants more: statement 1"
    assert attached(None, policy=True)[0].evidence.endswith(
        "what a policy that the plan makes allows is not known here"
    )


# An organization's policies.


def target(kind: str, before: Layout, after: Layout) -> list[Entry]:
    """A unit goes from one set of policies to another; their ids are their names."""
    principal = {"Principal": "*"} if kind == "RESOURCE_CONTROL_POLICY" else {}
    found = []
    for name in dict.fromkeys([*before, *after]):

        def values(layout: Layout, name: str = name) -> tuple[Values | None, Values | None]:
            if name not in layout:
                return None, None
            content = document(*({**principal, **statement} for statement in layout[name]))
            policy = {"id": f"p-{name}", "name": name, "type": kind, "content": content}
            return policy, {"target_id": "ou-1", "policy_id": f"p-{name}"}

        (old, on), (new, still_on) = values(before), values(after)
        found.append(entry(f'module.organization.aws_organizations_policy.control["{name}"]', old, new))
        where = f'module.organization.aws_organizations_policy_attachment.this["{name}"]'
        found.append(entry(where, on, still_on))
    return found


CONTROL = "SERVICE_CONTROL_POLICY"


@pytest.mark.parametrize("kind", [CONTROL, "RESOURCE_CONTROL_POLICY"])
def test_a_target_is_denied_as_much_whatever_policies_deny_it(kind: str):
    def told(before: Layout, after: Layout) -> list[str]:
        # That what protects is deleted is another finding, which a consent may have let through.
        return [f.evidence for f in weakenings(*target(kind, before, after)) if f.blocks]

    assert told({"a": [STAY, HOME]}, {"b": [STAY, HOME]}) == []
    assert told({"a": [STAY], "b": [HOME]}, {"c": [HOME, STAY]}) == []
    assert told({"a": [STAY, HOME]}, {"b": [STAY], "c": [HOME]}) == []


@pytest.mark.parametrize("kind", [CONTROL, "RESOURCE_CONTROL_POLICY"])
def test_a_target_that_is_denied_less_is_found(kind: str):
    def told(before: Layout, after: Layout) -> list[str]:
        entries = target(kind, before, after)
        data = {"format_version": "1.2", "resource_changes": entries}
        plan, outcome = parse_plan(data, ATTRIBUTION), parse_outcome(data, ATTRIBUTION)
        return [f.evidence for f in judge_owners(plan, outcome, ManagedPolicies(plan, outcome), ())]

    assert told({"a": [STAY, HOME]}, {"b": [STAY]}) == ["- a: denies less: Home"]
    assert told({"a": [STAY], "b": [HOME]}, {"b": [HOME]}) == ["- a: denies less: Stay"]
    assert told({"a": [STAY]}, {"a": [STAY], "b": [HOME]}) == []
    assert told({"a": [STAY]}, {"a": [STAY, HOME]}) == []


def test_policies_in_another_language_are_left_to_others():
    before, after = ({name: [OPEN]} for name in ("a", "b"))
    assert [
        f for f in weakenings(*target("TAG_POLICY", before, after)) if f.address.endswith('attachment.this["b"]')
    ] == []


def test_only_policies_that_change_hands_are_read():
    data = {"format_version": "1.2", "resource_changes": changes(KINDS["group"], {OWN: ()}, {"limits": [READ]})}
    assert referenced_policies(parse_plan(data, ATTRIBUTION)) == {OWN}
    data["resource_changes"] = changes(KINDS["group"], {OWN: ()}, {OWN: ()})
    assert referenced_policies(parse_plan(data, ATTRIBUTION)) == set()


# Any layout of any statements.

_NAMES = st.sampled_from(["a", "b", "c", OWN, OTHER])


@st.composite
def layouts(draw: st.DrawFn, statements: Sequence[Values]) -> Layout:
    """The statements, each in some policy or two."""
    found: dict[str, list[Values]] = {}
    for one in statements:
        for name in draw(st.lists(_NAMES, min_size=1, max_size=2, unique=True)):
            found.setdefault(name, []).append(one)
    return found


@given(st.data(), st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_layout_of_the_same_statements_is_no_weakening(data: st.DataObject, name: str):
    before, after = (
        data.draw(layouts(STATEMENTS)),
        data.draw(layouts(data.draw(st.sampled_from(list(NARROWER.values()))))),
    )
    old, new = _apart(before, after)
    assert weakenings(*changes(KINDS[name], old, new), texts=texts(old, new)) == []


@given(st.data(), st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_layout_of_more_is_found(data: st.DataObject, name: str):
    before, after = data.draw(layouts(STATEMENTS)), data.draw(layouts(data.draw(st.sampled_from(list(WIDER.values())))))
    old, new = _apart(before, after)
    found = judged(*changes(KINDS[name], old, new), texts=texts(old, new))
    assert any(f.rule is WEAKENS or f.blocks for f in found)


POOL = (
    *STATEMENTS,
    OPEN,
    statement("s3:*"),
    statement("s3:*", "Deny", resource="arn:aws:s3:::logs/*"),
    statement("ec2:*", Condition=MFA),
    {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"},
    statement("iam:*", "Deny", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
)
REQUESTS = [
    Request(
        f"{ACCOUNT}:user/anna", action, resource, {"aws:MultiFactorAuthPresent": mfa, "aws:RequestedRegion": region}
    )
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::logs/a"),
        ("s3:PutObject", "arn:aws:s3:::other/a"),
        ("ec2:StartInstances", "*"),
        ("ec2:DescribeHosts", "*"),
        ("iam:CreateUser", "*"),
        ("kms:Decrypt", "*"),
    )
    for mfa in (True, False)
    for region in ("eu-central-1", "eu-west-1")
]


def test_nothing_that_the_evaluator_allows_only_afterwards_goes_unseen():
    """Drawn statements in drawn layouts, with AWS's evaluation of requests as the judge of what is granted more."""
    draw = random.Random(20261128)
    widened = 0
    for _ in range(300):
        before, after = (_drawn(draw) for _ in range(2))
        old, new = _apart(before, after)
        was, becomes = (
            Policies(identity=tuple(PolicyDocument.parse(document(*s)) for s in layout.values()))
            for layout in (old, new)
        )
        if any(evaluate(r, becomes).allowed and not evaluate(r, was).allowed for r in REQUESTS):
            widened += 1
            kind = draw.choice(sorted(KINDS))
            found = judged(*changes(KINDS[kind], old, new), texts=texts(old, new))
            # What denies is not deleted at all, for some owners.
            assert any(f.rule is WEAKENS or f.blocks for f in found), (old, new)
    assert widened >= 100, "a third of the drawn pairs are to be real widenings"


def _drawn(draw: random.Random) -> Layout:
    found: dict[str, list[Values]] = {}
    for one in draw.sample(POOL, draw.randint(2, 5)):
        found.setdefault(draw.choice(["a", "b", OWN]), []).append(one)
    return found


def _apart(before: Layout, after: Layout) -> tuple[Layout, Layout]:
    """A managed policy says one thing: of another text it is another one."""
    return before, {
        f"{n}2" if n.startswith("arn:") and n in before and list(before[n]) != list(after[n]) else n: s
        for n, s in after.items()
    }
