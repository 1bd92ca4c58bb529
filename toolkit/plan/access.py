"""Who can do what before a plan and after it: the principals and policies of its resources.

In: resources as the plan leaves them, or as they are before it, and texts of AWS managed policies. Out: a World
(`toolkit.access`). Pure. A text that is known only after the apply is not guessed: it may say anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.access.judging import NO_ACCOUNT, STRANGER
from toolkit.access.model import Guarded, Holding, Kind, Principal, World, unknown_document
from toolkit.addresses import Address
from toolkit.iam import PolicyDocument, PolicyError, PolicyKind, Principals, Statement
from toolkit.iam.evaluate import Layer, is_service_linked
from toolkit.plan.boundaries import boundary_of
from toolkit.plan.managed_policies import ALLOW_EVERYTHING, DENY_EVERYTHING, is_administrator, is_deny_all, is_of_aws
from toolkit.plan.model import Action, Plan, Resource

Values = Mapping[str, Any]
Parsed = dict[tuple[str, str, PolicyKind], PolicyDocument]
"""(text, name, kind) → the policy."""
Texts = Callable[[str], "tuple[str, str] | None"]
"""ARN of a managed policy that no resource has → its text, and which text that is; None: not known."""

_SERVICE_POLICIES = {
    "aws_s3_bucket_policy": "bucket",
    "aws_kms_key": "arn",
    "aws_kms_key_policy": "key_id",
    "aws_sns_topic_policy": "arn",
    "aws_sqs_queue_policy": "queue_url",
    "aws_sqs_queue": "arn",
}
"""Types that give a resource a policy → what names the resource."""
PLACES = frozenset(
    {
        *("aws_s3_bucket", "aws_sns_topic", "aws_cloudtrail", "aws_config_delivery_channel"),
        *("aws_cloudwatch_event_rule", "aws_cloudwatch_log_group"),
    }
)
"""Types that have no policy: what they are is asked about, not what they say."""
TYPES = PLACES.union(
    {
        *_SERVICE_POLICIES,
        *(f"aws_iam_{owner}" for owner in ("group", "user", "role", "policy", "policy_attachment")),
        *(f"aws_iam_{owner}_policy{how}" for owner in ("group", "user", "role") for how in ("", "_attachment")),
        *("aws_iam_user_group_membership", "aws_iam_group_membership", "aws_ssoadmin_permission_set"),
        *("aws_ssoadmin_permission_set_inline_policy", "aws_ssoadmin_managed_policy_attachment"),
        *("aws_ssoadmin_customer_managed_policy_attachment", "aws_ssoadmin_permissions_boundary_attachment"),
        *("aws_organizations_policy", "aws_organizations_policy_attachment", "aws_cloudwatch_log_resource_policy"),
    }
)
"""Terraform types that a world is read from."""


_UNREAD = {"aws_s3_bucket": "s3:::*", "aws_sns_topic_policy": "sns:*:{account}:*"}
"""Types of which one that could not be read may have a policy → its ARN. A key's policy must allow in any case, and
a bucket's is the bucket's that has none."""


def unknown_texts(_: str) -> None:
    """Texts, where none is known but those that the plan has."""
    return


def before(plan: Plan, outcome: Iterable[Resource]) -> tuple[Resource, ...]:
    """What there is before a plan is applied, as the state has it; what the plan leaves alone is in `outcome`."""
    changed = {change.address for change in plan.changes}
    kept = (one for one in outcome if one.address not in changed)
    was = (
        Resource(change.previous_address or change.address, change.type, change.component, change.region, change.before)
        for change in plan.changes
        if change.before and change.action is not Action.CREATE
    )
    return (*kept, *was)


def world_of(
    resources: Iterable[Resource],
    *,
    source: str,
    account_id: str,
    partition: str = "aws",
    home: str,
    texts: Texts = unknown_texts,
    organization_id: str | None = None,
    more_gaps: Iterable[str] = (),
    unread: Iterable[str] = (),
    targets: Iterable[str] = (),
    parsed: Parsed | None = None,
) -> World:
    """The world of an account that has these resources.

    Args:
        resources: What there is.
        source: What it is known by, for people.
        account_id: The account.
        partition: Of its ARNs.
        home: Home region.
        texts: Of managed policies that the resources lack.
        organization_id: Of the account's organization; None: not known.
        more_gaps: What else could not be taken into account, as sentences.
        unread: Terraform types of which something there is could not be read: it may be any of them.
        targets: Roots, units and accounts of the organization that are asked about, whatever is attached to them.
        parsed: Policies that were read for another world: a text that both have is the same document in both.
    """
    reader = _Reader(tuple(resources), source, account_id, partition, home, texts, organization_id, frozenset(unread))
    if parsed is not None:
        reader.parsed = parsed
    found = reader.world(targets)
    return replace(found, gaps=(*found.gaps, *more_gaps))


@dataclass(frozen=True)
class _Text:
    """Where a policy's text is, or why it is not known."""

    document: PolicyDocument
    address: str | None
    attribute: str
    note: str = ""


class _Reader:
    def __init__(
        self,
        resources: tuple[Resource, ...],
        source: str,
        account_id: str,
        partition: str,
        home: str,
        texts: Texts,
        organization_id: str | None,
        unread: frozenset[str],
    ) -> None:
        self._source, self._account, self._partition, self._home = source, account_id, partition, home
        self._texts, self._organization_id, self._unread = texts, organization_id, unread
        self._by_type: dict[str, list[Resource]] = {}
        for one in resources:
            self._by_type.setdefault(one.type, []).append(one)
        self.parsed: Parsed = {}
        self._named: dict[tuple[str, str], dict[str, list[Resource]]] = {}
        self._managed: dict[str, _Text] = {}
        self._gaps: dict[str, None] = {}
        self._iam = f"arn:{partition}:iam::{account_id}"

    def world(self, targets: Iterable[str]) -> World:
        groups, roles = list(self._groups()), list(self._roles())
        principals = [*groups, *self._users(groups), *roles, *self._permission_sets(), *self._targets(targets)]
        guarded = tuple(self._guarded(roles))
        principals += self._strangers((*roles, *principals), guarded)
        return World(
            source=self._source,
            account_id=self._account,
            partition=self._partition,
            principals=tuple(principals),
            guarded=guarded,
            places=self._places(),
            organization_id=self._organization_id,
            gaps=tuple(self._gaps),
        )

    def _all(self, *kinds: str) -> Iterator[Resource]:
        for kind in kinds:
            yield from self._by_type.get(kind, ())

    def _naming(self, kind: str, attribute: str, name: str) -> Sequence[Resource]:
        """Resources of a type whose attribute names this, found without looking at all of them each time."""
        if (kind, attribute) not in self._named:
            index = self._named[kind, attribute] = {}
            for one in self._all(kind):
                index.setdefault(str(one.values.get(attribute)), []).append(one)
        return self._named[kind, attribute].get(name, ())

    def _arn(self, kind: str, values: Values) -> str:
        arn, path = values.get("arn"), values.get("path")
        if isinstance(arn, str):
            return arn
        return f"{self._iam}:{kind}{path if isinstance(path, str) else '/'}{values.get('name')}"

    def _read(self, text: object, name: str, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument:
        """A policy; one that is not known, or cannot be read, may say anything."""
        if not isinstance(text, str) or not text:
            return unknown_document(f"{name} (known after apply)", kind)
        key = (text, name, kind)
        if key not in self.parsed:
            try:
                self.parsed[key] = PolicyDocument.parse(text, name=name, kind=kind)
            except PolicyError as e:
                self._gaps[f"{name} cannot be read as a policy: {e.problem}"] = None
                self.parsed[key] = unknown_document(name, kind)
        return self.parsed[key]

    def _policy(self, arn: str) -> _Text:
        """A managed policy."""
        if arn not in self._managed:
            self._managed[arn] = self._find_policy(arn)
        return self._managed[arn]

    def _find_policy(self, arn: str) -> _Text:
        name = arn.rsplit("/", 1)[-1]
        for one in self._all("aws_iam_policy"):
            if self._arn("policy", one.values) == arn:
                return _Text(self._read(one.values.get("policy"), name), one.address, "policy")
        if is_administrator(arn):
            return _Text(self._read(ALLOW_EVERYTHING, name), None, "")
        if is_deny_all(arn):
            return _Text(self._read(DENY_EVERYTHING, name), None, "")
        found = self._texts(arn)
        if found is None:
            whose = "AWS's policy" if is_of_aws(arn) else "the policy"
            return _Text(unknown_document(f"{whose} {name}"), None, "")
        return _Text(self._read(found[0], name), None, "", found[1])

    def _attached(
        self, arn: object, address: str, layer: Layer = Layer.IDENTITY, attribute: str = "policy_arn"
    ) -> Holding:
        if not isinstance(arn, str):
            return Holding(layer, unknown_document("a policy that is known after apply"), address, attribute)
        text = self._policy(arn)
        carriers = ((address, attribute),) if text.address else ()
        return Holding(
            layer, text.document, text.address or address, text.attribute or attribute, text.note, arn, carriers
        )

    def _attached_arn(self, one: Resource) -> object:
        """The ARN that an attachment names.

        One that is known after apply is of a policy that the plan makes. In the modules it is the one of the
        attachment's name (tests/unit/plan/test_access.py); elsewhere that is taken for it only if it is made, too.
        """
        arn = one.values.get("policy_arn")
        if isinstance(arn, str) or arn is None:
            return arn
        own = Address.parse(one.address)
        for policy in self._all("aws_iam_policy"):
            made = Address.parse(policy.address)
            if (made.module, made.name) == (own.module, own.name) and not isinstance(policy.values.get("arn"), str):
                return self._arn("policy", policy.values)
        return arn

    def _held(self, kind: str, name: str) -> Iterator[Holding]:
        """The policies of a group, user or role."""
        for one in self._naming(f"aws_iam_{kind}_policy", kind, name):
            called = one.values.get("name")
            text = self._read(one.values.get("policy"), called if isinstance(called, str) else "an inline policy")
            yield Holding(Layer.IDENTITY, text, one.address)
        for one in self._naming(f"aws_iam_{kind}_policy_attachment", kind, name):
            yield self._attached(self._attached_arn(one), one.address)
        for one in self._all("aws_iam_policy_attachment"):
            if name in _names(one.values.get(f"{kind}s")):
                yield self._attached(one.values.get("policy_arn"), one.address)

    def _bounded(self, one: Resource) -> Iterator[Holding]:
        boundary = boundary_of(one.type, one.values)
        if boundary is not None:
            known = boundary if isinstance(one.values.get("permissions_boundary"), str) else None
            yield self._attached(known, one.address, Layer.BOUNDARY, "permissions_boundary")

    def _groups(self) -> Iterator[Principal]:
        for one in self._all("aws_iam_group"):
            name = str(one.values.get("name"))
            stranger = f"{self._iam}:user/{STRANGER}"
            yield Principal(Kind.GROUP, name, stranger, tuple(self._held("group", name)), address=one.address)

    def _users(self, groups: Iterable[Principal]) -> Iterator[Principal]:
        by_name = {group.name: group for group in groups}
        for one in self._all("aws_iam_user"):
            name = str(one.values.get("name"))
            for membership in self._naming("aws_iam_user_group_membership", "user", name):
                written = membership.values.get("groups")
                if not isinstance(written, list) or len(_names(written)) < len(written):
                    self._gaps[f"the groups of {membership.address} are known after apply"] = None
            joined = {
                group: (membership.address, "groups")
                for membership in self._naming("aws_iam_user_group_membership", "user", name)
                for group in _names(membership.values.get("groups"))
            }
            for membership in self._all("aws_iam_group_membership"):
                if name in _names(membership.values.get("users")):
                    joined.setdefault(str(membership.values.get("group")), (membership.address, "users"))
            held = [*self._held("user", name)]
            for group, by in joined.items():
                if group in by_name:
                    held += (replace(one, carriers=(*one.carriers, by), group=group) for one in by_name[group].held)
                else:
                    held.append(Holding(Layer.IDENTITY, unknown_document(f"the group {group}"), one.address, "groups"))
            held += self._bounded(one)
            tags = _tags(one.values)
            yield Principal(
                Kind.USER,
                name,
                self._arn("user", one.values),
                tuple(held),
                tags,
                groups=tuple(joined),
                address=one.address,
            )

    def _roles(self) -> Iterator[Principal]:
        for one in self._all("aws_iam_role"):
            name, arn = str(one.values.get("name")), self._arn("role", one.values)
            held = [*self._held("role", name)]
            given = {h.name for h in held}
            written = one.values.get("inline_policy")
            for inline in written if isinstance(written, list) else ():
                called = str(inline.get("name")) if isinstance(inline, Mapping) else ""
                if called and called not in given:
                    text = self._read(inline.get("policy"), called)
                    held.append(Holding(Layer.IDENTITY, text, one.address, "inline_policy"))
            held += self._bounded(one)
            trusted = self._read(one.values.get("assume_role_policy"), f"trust policy of {name}", PolicyKind.TRUST)
            trust = Holding(Layer.RESOURCE, trusted, one.address, "assume_role_policy")
            yield Principal(
                Kind.ROLE,
                name,
                arn,
                tuple(held),
                trust=trust,
                address=one.address,
                linked=is_service_linked(arn),
            )

    def _permission_sets(self) -> Iterator[Principal]:
        for one in self._all("aws_ssoadmin_permission_set"):
            name = str(one.values.get("name"))
            held = []
            for other in self._all(
                "aws_ssoadmin_permission_set_inline_policy",
                "aws_ssoadmin_managed_policy_attachment",
                "aws_ssoadmin_customer_managed_policy_attachment",
                "aws_ssoadmin_permissions_boundary_attachment",
            ):
                if _is_for(other, one):
                    held.append(self._of_permission_set(other))
            reserved = f"{self._iam}:role/aws-reserved/sso.{'amazonaws.com'}/AWSReservedSSO_{name}_0123456789abcdef"
            yield Principal(Kind.PERMISSION_SET, name, reserved, tuple(held), address=one.address)

    def _of_permission_set(self, one: Resource) -> Holding:
        values = one.values
        if one.type == "aws_ssoadmin_permission_set_inline_policy":
            text = self._read(values.get("inline_policy"), "inline policy")
            return Holding(Layer.IDENTITY, text, one.address, "inline_policy")
        if one.type == "aws_ssoadmin_managed_policy_attachment":
            return self._attached(values.get("managed_policy_arn"), one.address, attribute="managed_policy_arn")
        if one.type == "aws_ssoadmin_permissions_boundary_attachment":
            boundary = boundary_of(one.type, values) or ""
            arn = boundary.replace("arn:aws:iam::account:policy", f"{self._iam}:policy")
            return self._attached(arn, one.address, Layer.BOUNDARY, "permissions_boundary")
        block = values.get("customer_managed_policy_reference")
        inner = block[0] if isinstance(block, list) and block and isinstance(block[0], Mapping) else {}
        arn = f"{self._iam}:policy{inner.get('path') or '/'}{inner.get('name')}"
        return self._attached(arn, one.address, attribute="customer_managed_policy_reference")

    def _targets(self, more: Iterable[str]) -> Iterator[Principal]:
        """What an organization's service control policies leave to administrators of the accounts below a target."""
        attached: dict[str, list[Holding]] = {}
        for one in self._all("aws_organizations_policy_attachment"):
            target, policy = self._organization(one)
            if policy is not None:
                attached.setdefault(target, []).append(policy)
        for target in dict.fromkeys((*attached, *more)):
            levels = [attached[above] for above in _above(target) if above in attached]
            full = Holding(Layer.SCP, self._read(ALLOW_EVERYTHING, "FullAWSAccess", PolicyKind.SCP))
            yield Principal(
                Kind.TARGET,
                target,
                f"{self._iam}:role/administrator",
                levels=tuple((full, *level) for level in levels),
            )

    def _organization(self, one: Resource) -> tuple[str, Holding | None]:
        """(target, service control policy) of an attachment."""
        values, address = one.values, Address.parse(one.address)
        key = address.key if isinstance(address.key, str) else ""
        target = key.partition("/")[2] or str(values.get("target_id"))
        for policy in self._all("aws_organizations_policy"):
            own = policy.values
            same = isinstance(values.get("policy_id"), str) and values.get("policy_id") == own.get("id")
            by_key = key.partition("/")[0] == own.get("name") and _module(policy) == _module(one)
            if (same or by_key) and own.get("type") == "SERVICE_CONTROL_POLICY":
                text = self._read(own.get("content"), str(own.get("name")), PolicyKind.SCP)
                return target, Holding(
                    Layer.SCP, text, policy.address, "content", carriers=((one.address, "policy_id"),)
                )
        return target, None

    def _guarded(self, roles: Iterable[Principal]) -> Iterator[Guarded]:
        yield from (Guarded(role.arn, role.trust, self._account) for role in roles)
        with_policy = set[str]()
        buckets = {
            f"arn:{self._partition}:s3:::{b.values.get('bucket')}": b.address for b in self._all("aws_s3_bucket")
        }
        for kind, by in _SERVICE_POLICIES.items():
            for one in self._all(kind):
                arn = self._guarded_arn(one, one.values.get(by))
                if arn is None:
                    self._gaps[f"the resource of {one.address} is known after apply"] = None
                    continue
                text = one.values.get("policy")
                if (kind == "aws_sqs_queue" and not isinstance(text, str)) or arn in with_policy:
                    continue
                with_policy.add(arn)
                name = f"policy of {arn.rsplit(':', 1)[-1]}"
                held = Holding(Layer.RESOURCE, self._read(text, name, PolicyKind.RESOURCE), one.address)
                own = one.address if kind in ("aws_kms_key", "aws_sqs_queue") else buckets.get(arn)
                yield Guarded(arn, held, self._account, one.region, own)
        if not any(self._all("aws_cloudwatch_log_resource_policy")):
            for one in self._all("aws_cloudwatch_log_group"):
                if isinstance(one.values.get("name"), str):
                    yield Guarded(self._log_group(one), None, self._account, one.region, one.address)
        for one in self._all("aws_s3_bucket"):
            arn = f"arn:{self._partition}:s3:::{one.values.get('bucket')}"
            if arn not in with_policy:
                unread = "aws_s3_bucket_policy" in self._unread
                yield Guarded(arn, self._not_read(arn) if unread else None, self._account, one.region, one.address)
        for kind in sorted(self._unread & _UNREAD.keys()):
            arn = f"arn:{self._partition}:{_UNREAD[kind].format(account=self._account)}"
            yield Guarded(arn, self._not_read(arn), self._account)

    def _not_read(self, arn: str) -> Holding:
        return Holding(Layer.RESOURCE, unknown_document(f"the policy of {arn} (not read)", PolicyKind.RESOURCE))

    def _guarded_arn(self, one: Resource, name: object) -> str | None:
        if one.type == "aws_s3_bucket_policy":
            return f"arn:{self._partition}:s3:::{name}" if isinstance(name, str) else None
        if isinstance(name, str) and name.startswith("arn:"):
            return name
        if one.type in ("aws_kms_key", "aws_kms_key_policy"):
            key = name if isinstance(name, str) else one.address
            return f"arn:{self._partition}:kms:{one.region}:{self._account}:key/{key}"
        if one.type == "aws_sns_topic_policy":
            return self._made("sns", "aws_sns_topic", one)
        return self._made("sqs", "aws_sqs_queue", one)

    def _log_group(self, one: Resource) -> str:
        name = one.values["name"]
        return f"arn:{self._partition}:logs:{one.region}:{self._account}:log-group:{name}:*"

    def _made(self, service: str, kind: str, policy: Resource) -> str | None:
        """The ARN of the one thing of a type that the policy's own module makes."""
        near = [one for one in self._all(kind) if _module(one) == _module(policy)]
        same = [one for one in near if Address.parse(one.address).name == Address.parse(policy.address).name]
        found = same if len(same) == 1 else near
        if len(found) != 1 or not isinstance(found[0].values.get("name"), str):
            return None
        one = found[0]
        return f"arn:{self._partition}:{service}:{one.region}:{self._account}:{one.values['name']}"

    def _strangers(self, principals: Iterable[Principal], guarded: Sequence[Guarded]) -> Iterator[Principal]:
        """Principals of other accounts whom a policy here names; those that are of no account are a gap.

        So is what S3 Block Public Access leaves of a bucket's policy that lets everyone in: Amazon S3 User Guide,
        "Blocking public access to your Amazon S3 storage". Its settings are the bucket's, the account's and the
        organization's, of which a plan does not have all.
        """
        of_buckets = {one.policy for one in guarded if ":s3:::" in one.arn}
        names: dict[str, None] = {}
        others: dict[str, None] = {}
        everyone = False
        for policy in dict.fromkeys(one.policy for one in guarded if one.policy is not None and not one.policy.unknown):
            for statement in policy.document.statements:
                if statement.effect == "Allow" and _names_others(statement):
                    self._gaps[f"whom {policy.document.name}, {statement.label} lets in: it names no ARN"] = None
                if statement.effect == "Allow" and statement.principals is not None:
                    names.update(dict.fromkeys(_foreign(statement.principals, self._account)))
                    others.update(dict.fromkeys((*statement.principals.federated, *statement.principals.service)))
                    everyone |= statement.principals.everyone
                    if statement.principals.everyone and policy in of_buckets:
                        name = policy.document.name
                        self._gaps[f"whether S3 Block Public Access overrides {name}, which allows everyone"] = None
        if others:
            self._gaps[
                f"what services of AWS and identity providers can do that policies name: {', '.join(others)}"
            ] = None
        if everyone:
            yield Principal(Kind.ANYONE, "anywhere", f"arn:{self._partition}:iam::{NO_ACCOUNT}:root")
        for name in names:
            whole = name if name.startswith("arn:") else f"arn:{self._partition}:iam::{name}:root"
            account = whole.split(":")[4]
            yield Principal(Kind.ACCOUNT, account if whole.endswith(":root") else whole, whole)

    def _places(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}

        def put(place: str, arn: str) -> None:
            found.setdefault(place, {})[arn] = None

        at = f"{{}}:{self._account}"
        for one in self._all("aws_cloudtrail"):
            arn, name = one.values.get("arn"), one.values.get("name")
            made = f"arn:{self._partition}:cloudtrail:{at.format(one.region)}:trail/{name}"
            put("trail", arn if isinstance(arn, str) else made)
            key, group = one.values.get("kms_key_id"), one.values.get("cloud_watch_logs_group_arn")
            if isinstance(key, str) and key.startswith("arn:"):
                put("log key", key)
            if isinstance(group, str) and group.startswith("arn:"):
                put("log group", group)
        for one in self._all("aws_cloudtrail", "aws_config_delivery_channel"):
            bucket = one.values.get("s3_bucket_name")
            if isinstance(bucket, str):
                put("log bucket", f"arn:{self._partition}:s3:::{bucket}")
                put("log object", f"arn:{self._partition}:s3:::{bucket}/AWSLogs/{self._account}/any")
        # What encrypts and takes logs is made by the module that makes what delivers them.
        trails = {_module(one) for one in self._all("aws_cloudtrail") if _made_by_terraform(one)}
        delivering = trails | {
            _module(one) for one in self._all("aws_config_delivery_channel") if _made_by_terraform(one)
        }
        for one in self._all("aws_kms_key"):
            key = self._guarded_arn(one, one.values.get("arn"))
            if key is not None and _made_by_terraform(one) and _module(one) in delivering:
                put("log key", key)
        for one in self._all("aws_cloudwatch_log_group"):
            known = isinstance(one.values.get("name"), str) and _made_by_terraform(one)
            if known and _module(one) in trails:
                put("log group", self._log_group(one))
        for one in self._all("aws_sns_topic"):
            if isinstance(one.values.get("name"), str):
                put("alert topic", f"arn:{self._partition}:sns:{at.format(one.region)}:{one.values['name']}")
        for one in self._all("aws_cloudwatch_event_rule"):
            if one.values.get("event_bus_name") in (None, "default"):
                put("default event bus", f"arn:{self._partition}:events:{at.format(one.region)}:event-bus/default")
        return {place: tuple(arns) for place, arns in found.items()}


def _names(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _tags(values: Values) -> Mapping[str, str]:
    """A user's own tags. Default tags are in `tags_all`, which is known where they are."""
    tags = values.get("tags_all") if isinstance(values.get("tags_all"), Mapping) else values.get("tags")
    return {str(key): value for key, value in (tags or {}).items() if isinstance(value, str)}


def _made_by_terraform(one: Resource) -> bool:
    """Whether its address is Terraform's; what was read from an account has its ARN there."""
    try:
        Address.parse(one.address)
    except ValueError:
        return False
    return True


def _module(one: Resource) -> str:
    return Address.parse(one.address).module


def _is_for(part: Resource, owner: Resource) -> bool:
    """Whether a policy is a permission set's: by its ARN, or by the key of its address where that is not known yet."""
    arn = owner.values.get("arn")
    if isinstance(arn, str) and isinstance(part.values.get("permission_set_arn"), str):
        return bool(part.values["permission_set_arn"] == arn)
    key, own = Address.parse(part.address).key, Address.parse(owner.address).key
    return isinstance(key, str) and key.partition("/")[0] == own and _module(part) == _module(owner)


def _above(target: str) -> list[str]:
    """The root, each unit on the way, and the target."""
    if target == "root" or target.startswith(("r-", "ou-")) or target.isdigit():
        return list(dict.fromkeys(("root", target)))
    steps = target.split("/")
    return ["root", *("/".join(steps[: count + 1]) for count in range(len(steps)))]


def _names_others(statement: Statement) -> bool:
    """Whether it names principals by what they are not, or by an id that no policy says whose it is."""
    named = statement.principals
    ids = (one for one in (named.aws if named is not None else ()) if not (one.startswith("arn:") or one.isdigit()))
    return statement.not_principals is not None or any(
        (*(named.canonical_user if named is not None else ()), *(one for one in ids if one != "*"))
    )


def _foreign(principals: Principals, account_id: str) -> Iterator[str]:
    for entry in principals.aws:
        account = entry.split(":")[4] if entry.startswith("arn:") else entry
        if account != account_id and account.isdigit():
            yield entry
