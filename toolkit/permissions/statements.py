"""What Terraform and the toolkit do in the environment's account, as statements.

In: an environment, and the actions of the types that its components make. Out: statements, each for resources of the
same kinds. Pure. Reads are allowed on everything, in every region, and of every type that is known: a plan looks for
what is in the way of a new component, and reads what one that was removed has left. Writes are narrowed to the
environment's names and regions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.environment import Environment
from toolkit.permissions import names as kinds
from toolkit.permissions.facts import OF_GUARDS, OF_SCANS
from toolkit.permissions.model import Statement
from toolkit.permissions.names import Names, names
from toolkit.resources import managers
from toolkit.resources.recorded import recorded
from toolkit.resources.registry import RESOURCES, record_of

_GLOBAL = ("account", "budgets", "iam", "organizations", "s3", "shield", "sso", "sts")
"""Prefixes of actions whose requests are not made in a region of the environment, or name a bucket, which is in one."""
_CONTENT = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject")
"""What is in buckets is for the statements of the state alone, and of buckets that Terraform may empty."""
_EMPTIES = ("s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions")
"""What the provider needs to empty a bucket with `force_destroy` before it deletes it."""
_BY_TAG = ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
"""Actions that would take a key away from who uses it: only on keys that have a tag of the environment."""
_OF_ROLES = ("iam:CreateServiceLinkedRole", "iam:PassRole")
"""What `_roles` allows."""
_FREE = ("sts:GetCallerIdentity",)
"""Actions that no policy is needed for.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html (2026-11-29)
"""


def scan_statements() -> Iterator[Statement]:
    """What `toolkit discover` reads."""
    listed = (record.reading for record in RESOURCES.values() if record.reading and record.reading.lists)
    actions = {*OF_SCANS, *managers.actions(), *(action for reading in listed for action in reading.actions)}
    yield Statement("Read", tuple(sorted(actions)), ("*",))


def read_statements() -> Iterator[Statement]:
    """What a plan reads: the toolkit, its guards, and Terraform when it refreshes the state."""
    known = recorded()
    seen = {
        *(action for actions in known.types.values() for action in actions),
        *known.data,
        *known.toolkit,
        *OF_SCANS,
        *OF_GUARDS,
        *managers.actions(),
        *(action for record in RESOURCES.values() if record.reading for action in record.reading.actions),
    }
    documented = {action for record in RESOURCES.values() for action in record.unrecorded} - seen
    yield Statement("Read", _reads(seen), ("*",))
    if never := _reads(documented):
        yield Statement("NeverRecordedRead", never, ("*",), recorded=False)


def _reads(actions: Iterable[str]) -> tuple[str, ...]:
    known = recorded().actions
    return tuple(sorted(a for a in actions if known[a].reads and a not in (*_CONTENT, *_FREE)))


def own_statements(environment: Environment, also: tuple[Environment, ...] = ()) -> Iterator[Statement]:
    """What an apply changes of the pipeline's own roles and policies: the same, whichever components are on."""
    called = _together(map(names, (environment, *also)))
    own = Names(called.own)
    grouped: dict[tuple[str, tuple[str, ...], bool], list[str]] = defaultdict(list)
    for action, was_seen in _writes(("iam_roles",)):
        on = recorded().actions[action].on
        if action not in _OF_ROLES and (arns := _resources(on, own, environment, kinds.ROLE, kinds.POLICY)):
            grouped[_service(action, on), arns, was_seen].append(action)
    for (service, arns, was_seen), actions in grouped.items():
        yield Statement(f"{'' if was_seen else 'NeverRecorded'}Own{service}", tuple(actions), arns, recorded=was_seen)


def _writes(components: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Actions that change what the components make, sorted, and whether each was recorded."""
    known = recorded()
    types = dict.fromkeys(kind for name in components for kind in known.components.get(name, ()))
    seen = {action for actions in known.types.values() for action in actions}
    wanted = {action for kind in types for action in (*known.types.get(kind, ()), *record_of(kind).unrecorded)}
    for action in sorted(wanted):
        if not known.actions[action].reads and action not in _CONTENT:
            yield action, action in seen


def _resources(on: Iterable[str], called: Names, environment: Environment, *of: str) -> tuple[str, ...]:
    """ARNs of what an action is about, of some kinds alone if any are given."""
    return tuple(sorted({arn for form in on if not of or form in of for arn in _arns(form, called, environment)}))


def write_statements(environment: Environment, also: tuple[Environment, ...] = ()) -> Iterator[Statement]:
    """What an apply changes, but for what `own_statements` has.

    Args:
        environment: The environment.
        also: Others of the same account whose components and names are covered, too.
    """
    everything = (environment, *also)
    together = _together(map(names, everything))
    others = {
        kind: tuple(n for n in found if n not in together.own.get(kind, ())) for kind, found in together.of.items()
    }
    called = replace(together, of=others)
    components = dict.fromkeys(c.component.name for one in everything for c in one.components)
    regions = tuple(sorted({region for one in everything for region in one.place.regions}))
    grouped: dict[tuple[str, tuple[str, ...], str, bool], list[str]] = defaultdict(list)
    for action, was_seen in _writes(components):
        on = recorded().actions[action].on
        if action not in _OF_ROLES and (resources := _resources(on, called, environment)):
            grouped[_service(action, on), resources, _kind_of_condition(action), was_seen].append(action)
    used: dict[str, int] = defaultdict(int)
    for (service, resources, condition, was_seen), actions in grouped.items():
        sid = f"{'' if was_seen else 'NeverRecorded'}Write{service}"
        used[sid] += 1
        number = str(used[sid]) if used[sid] > 1 else ""
        conditions = _conditions(condition, environment, regions)
        yield Statement(f"{sid}{number}", tuple(actions), resources, conditions, recorded=was_seen)
    if objects := tuple(_arns(kinds.OBJECT, called, environment)):
        buckets = (arn.removesuffix("/*") for arn in objects)
        yield Statement("EmptyBuckets", _EMPTIES, tuple(sorted({*objects, *buckets})))
    yield from _roles(called, environment)


def _together(several: Iterable[Names]) -> Names:
    of: dict[str, dict[str, None]] = defaultdict(dict)
    own: dict[str, dict[str, None]] = defaultdict(dict)
    passed: dict[tuple[str, str], None] = {}
    linked: dict[str, None] = {}
    for one in several:
        for into, given in ((of, one.of), (own, one.own)):
            for kind, found in given.items():
                into[kind].update(dict.fromkeys(found))
        passed.update(dict.fromkeys(one.passed))
        linked.update(dict.fromkeys(one.linked))
    return Names(kinds.in_order(of), tuple(passed), tuple(sorted(linked)), kinds.in_order(own))


def _arns(form: str, called: Names, environment: Environment) -> Iterator[str]:
    """ARNs of a kind: by its names, or everything of the kind in the account."""
    if form == "*":
        yield form
        return
    text = form.replace("${Partition}", environment.regions.partition).replace("${Account}", environment.account_id)
    text = text.replace("${Region}", "*")
    if form not in kinds.NARROWED:
        yield re.sub(r"\$\{\w+\}", "*", text)
        return
    for name in called.of.get(form, ()):
        start, _, _ = text.partition("${")
        yield f"{start}{name}"
        if form == kinds.LOG_GROUP:
            # Most actions are about the group's streams as well:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
            yield f"{start}{name}:*"


def _service(action: str, on: tuple[str, ...]) -> str:
    """For a Sid: "IamRole", or "Regional" for what is of no resource."""
    prefix = action.partition(":")[0]
    if on == ("*",):
        return "Global" if prefix in _GLOBAL else "Regional"
    parts = [re.split(r"[:/]", form.split(":", 5)[5])[0] for form in on] if len(on) == 1 else []
    words = [prefix, *(part for part in parts if not part.startswith("$"))]
    return "".join(word.capitalize() for text in words for word in re.split(r"[^A-Za-z0-9]", text))


def _kind_of_condition(action: str) -> str:
    if action in _BY_TAG:
        return "tag"
    return "none" if action.partition(":")[0] in _GLOBAL else "region"


def _conditions(kind: str, environment: Environment, regions: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
    if kind == "none":
        return {}
    equals: dict[str, Any] = {"aws:RequestedRegion": regions[0] if len(regions) == 1 else list(regions)}
    if kind == "tag" and (key := own_tag(environment)) is not None:
        equals[f"aws:ResourceTag/{key}"] = environment.default_tags[key]
    return {"StringEquals": equals}


def own_tag(environment: Environment) -> str | None:
    """Key of the default tag that tells the environment's resources from others; None: it sets none."""
    return next(
        (key for key in ("ManagedBy", *sorted(environment.default_tags)) if key in environment.default_tags), None
    )


def _roles(called: Names, environment: Environment) -> Iterator[Statement]:
    """Roles that services get: those that Terraform passes on, and those that are linked to a service."""
    known = recorded()
    start = f"arn:{environment.regions.partition}:iam::{environment.account_id}:role/"
    passed: dict[str, list[str]] = defaultdict(list)
    for service, role in called.passed:
        passed[service].append(f"{start}{role}")
    for service, roles in sorted(passed.items()):
        seen = service in known.passed
        word = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]", service.partition(".amazonaws")[0]))
        sid = f"{'' if seen else 'NeverRecorded'}PassRoleTo{word}"
        equals = {"StringEquals": {"iam:PassedToService": service}}
        yield Statement(sid, ("iam:PassRole",), tuple(sorted(roles)), equals, recorded=seen)
    for sid, services in (
        ("LinkedRoles", tuple(s for s in called.linked if s in known.linked)),
        ("NeverRecordedLinkedRoles", tuple(s for s in called.linked if s not in known.linked)),
    ):
        if services:
            # AWS makes most of these by itself, with the permission of who switches the service on.
            resources = tuple(f"{start}aws-service-role/{service}/*" for service in services)
            linked = {"StringEquals": {"iam:AWSServiceName": services[0] if len(services) == 1 else list(services)}}
            actions = ("iam:CreateServiceLinkedRole",)
            yield Statement(sid, actions, resources, linked, recorded=sid == "LinkedRoles")
