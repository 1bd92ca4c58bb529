"""Whom `toolkit explain` asks about: the principals of rendered files, of a plan bundle, or of an account.

In: an environment or a bundle. Out: a Subject: its World, and where in environment.yaml a policy comes from. Of AWS's
own policies the text is that of the latest live read that is kept, else the embedded AWS's, and the answer says which.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.access import Ground, Holding, Judge, World, questions
from toolkit.access.questions import Found, Named
from toolkit.environment import Environment
from toolkit.errors import ToolkitError, UsageError
from toolkit.files import read_regular, refuse_links, write_atomically
from toolkit.iam import PolicyDocument
from toolkit.paths import EnvironmentPaths, Project
from toolkit.plan.access import world_of
from toolkit.plan.model import Resource, parse_outcome
from toolkit.plan.settings import deciding, steps
from toolkit.regions import partition_of
from toolkit.resources.reading import Live, Unreadable
from toolkit.typed import dotted
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access, attribution

if TYPE_CHECKING:
    from toolkit.aws.inventory import Inventory
    from toolkit.terraform.sealing import Keys
    from toolkit.workflows.discover import Account

_KEPT = "managed-policies.json"
_LARGEST = 64 << 20
_LIVE_TYPES = (
    *("aws_s3_bucket", "aws_s3_bucket_policy", "aws_kms_key", "aws_sns_topic", "aws_sns_topic_policy"),
    *("aws_cloudtrail", "aws_config_delivery_channel"),
)


@dataclass(frozen=True)
class Subject:
    """Whom a question is about.

    Attributes:
        world: Everybody.
        environment: Its environment file; None where there is none here.
        shown: That file, as errors name it.
    """

    world: World
    environment: Environment | None = None
    shown: str = ""

    def place(self, holding: Holding) -> str:
        """The setting that a policy comes from, with file and line; else its address or ARN; "" where none is known."""
        address = holding.address
        if address is None or self.environment is None or address.startswith("arn:"):
            return address or ""
        component, _ = attribution(self.environment).of(address)
        enabled = self.environment.enabled(component) if component else None
        if component is None or enabled is None:
            return address
        keys = deciding(address, component, holding.attribute)
        path: tuple[str | int, ...] = steps(keys[0], address) if keys else ("components", component)
        while path and path not in self.environment.lines:
            path = path[:-1]
        line = self.environment.lines.get(path, enabled.line) if len(path) > 1 else enabled.line
        return f"{self.shown}:{line} {dotted(path if len(path) > 1 else ('components', component))}"

    def ground(self, ground: Ground) -> str:
        """A statement, for people."""
        note = f" ({ground.holding.note})" if ground.holding.note else ""
        place = self.place(ground.holding)
        return f"{ground}{note}{f', from {place}' if place else ''}"


def rendered(project: Project, name: str, access: Access, observer: Observer) -> Subject:
    """What an environment's rendered files give.

    Raises:
        ToolkitError: As `rendered_values`.
    """
    from toolkit.workflows.rendered_values import rendered_values

    paths, environment, data = rendered_values(project, name, access, observer)
    return of_values(project, paths, environment, data, f"the rendered files of {name}")


def of_values(
    project: Project, paths: EnvironmentPaths, environment: Environment, data: Mapping[str, Any], source: str
) -> Subject:
    """What an environment has once a plan is applied.

    Args:
        project: Where texts of AWS's policies are kept.
        paths: The environment's.
        environment: The environment.
        data: The plan, as `show -json` has it.
        source: What it is, for people.
    """
    world = world_of(
        parse_outcome(data, attribution(environment)),
        source=source,
        account_id=environment.account_id,
        partition=partition_of(environment.regions.home) or "aws",
        home=environment.regions.home,
        texts=texts(project),
    )
    return Subject(world, environment, paths.shown)


def planned(bundle: str, project: Project | None, access: Access, keys: Keys) -> Subject:
    """What there is once a plan bundle is applied; calls neither AWS, unless the plan is there, nor Terraform.

    Raises:
        BadPlanError: As `show_bundle`.
    """
    from toolkit.workflows.show import attribution_of, read_bundle

    read, environment = read_bundle(bundle, project, access, keys)
    manifest = read.manifest
    world = world_of(
        parse_outcome(read.plan_json, attribution_of(manifest)),
        source=f"the plan {bundle}",
        account_id=manifest.account_id,
        partition=partition_of(manifest.region) or "aws",
        home=manifest.region,
        texts=texts(project),
    )
    shown = project.paths(manifest.environment).shown if project is not None and environment is not None else ""
    return Subject(world, environment, shown)


def texts(project: Project | None) -> Callable[[str], tuple[str, str] | None]:
    """Texts of AWS's policies: kept ones of an account, else those of the embedded AWS."""
    from toolkit.sandbox import managed_policies

    kept = _kept(project) if project is not None else {}

    def text(arn: str) -> tuple[str, str] | None:
        found = kept.get(arn)
        if found is not None:
            return found["document"], f"{found['version']}, read on {found['read']}"
        return managed_policies.text(arn)

    return text


def _file(project: Project) -> Path:
    return project.root / ".toolkit" / _KEPT


def _kept(project: Project) -> Mapping[str, Mapping[str, str]]:
    try:
        found = json.loads(read_regular(_file(project), _LARGEST, follow=False))
        return {str(arn): {key: str(one[key]) for key in ("document", "version", "read")} for arn, one in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _keep(project: Project, read: Mapping[str, Mapping[str, str]]) -> None:
    file = _file(project)
    refuse_links(project.root, file)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(file, json.dumps({**_kept(project), **read}, indent=1) + "\n", mode=0o600)


def live(project: Project, name: str, access: Access, observer: Observer) -> Subject:
    """What an account has now.

    Raises:
        WrongAccountError: The credentials are another account's.
        ToolkitError: Its users, groups, roles and policies cannot be read.
    """
    from toolkit.aws.inventory import Inventory
    from toolkit.workflows.discover import Meter, open_environment

    account = open_environment(project, name, access, observer)
    observer.stage(f"Reading who may do what in account {account.environment.account_id}")
    inventory = Inventory(account.clients, on_call=Meter(observer).count)
    resources, read, gaps = _identities(inventory)
    if read and not inventory.simulated:
        _keep(project, read)
    unread: set[str] = set()
    for one in inventory.every(_LIVE_TYPES, account.environment.regions.active):
        if isinstance(one, Unreadable):
            gaps.append(f"not read: {one}")
            # Without a type, a whole region, of which nothing is listed.
            unread |= {one.type} if one.type else {"aws_s3_bucket", "aws_sns_topic_policy"}
        else:
            resources.append(_resource(one))
    gaps.append("policies of SQS queues are not read")
    organization, found = _organization(inventory, account)
    gaps += found
    world = world_of(
        resources,
        source=f"account {account.environment.account_id}, read on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        account_id=account.environment.account_id,
        partition=partition_of(account.environment.regions.home) or "aws",
        home=account.environment.regions.home,
        texts=lambda arn: (
            (read[arn]["document"], f"{read[arn]['version']}, as the account has it") if arn in read else None
        ),
        organization_id=organization,
        more_gaps=gaps,
        unread=unread,
    )
    return Subject(world)


def _resource(one: Live) -> Resource:
    arn = {"arn": one.arn} if one.arn else {}
    return Resource(one.arn or one.called, one.type, None, one.region, {**one.key, **arn, **one.values})


def _identities(inventory: Inventory) -> tuple[list[Resource], dict[str, dict[str, str]], list[str]]:
    """Users, groups, roles and their policies as resources; AWS's own policies; what could not be read."""
    found: list[Resource] = []
    policies: dict[str, dict[str, str]] = {}
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    home = inventory.home_region

    def details(kind: str, member: str) -> Sequence[Any]:
        answer = inventory.answered(
            lambda source: source.pages(
                "iam", "get_account_authorization_details", member, home, MaxItems=1000, Filter=[kind]
            )
        )
        if isinstance(answer, Unreadable):
            raise ToolkitError(
                f"the account's identities cannot be read: {answer}",
                hint="allow the credentials' user or role iam:GetAccountAuthorizationDetails",
            )
        return answer

    for kind in ("LocalManagedPolicy", "AWSManagedPolicy"):
        for one in details(kind, "Policies"):
            version = next(v for v in one["PolicyVersionList"] if v["IsDefaultVersion"])
            document = json.dumps(version["Document"])
            if kind == "AWSManagedPolicy":
                policies[one["Arn"]] = {"document": document, "version": version["VersionId"], "read": today}
            else:
                values = {"arn": one["Arn"], "name": one["PolicyName"], "path": one["Path"], "policy": document}
                found.append(Resource(one["Arn"], "aws_iam_policy", None, home, values))
    for kind in ("Group", "User", "Role"):
        for one in details(kind, f"{kind}DetailList"):
            found += _identity(kind, one, home)
    return found, policies, []


def _identity(kind: str, one: Mapping[str, Any], home: str) -> Iterator[Resource]:
    name, arn, word = one[f"{kind}Name"], one["Arn"], kind.lower()
    values: dict[str, Any] = {"arn": arn, "name": name, "path": one["Path"]}
    if kind != "Group":
        values["permissions_boundary"] = one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        values["tags_all"] = {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())}
    if kind == "Role":
        values["assume_role_policy"] = json.dumps(one["AssumeRolePolicyDocument"])
    yield Resource(arn, f"aws_iam_{word}", None, home, values)
    for policy in one.get(f"{kind}PolicyList", ()):
        text = {word: name, "name": policy["PolicyName"], "policy": json.dumps(policy["PolicyDocument"])}
        yield Resource(arn, f"aws_iam_{word}_policy", None, home, text)
    for policy in one.get("AttachedManagedPolicies", ()):
        given = {word: name, "policy_arn": policy["PolicyArn"]}
        yield Resource(arn, f"aws_iam_{word}_policy_attachment", None, home, given)
    if kind == "User" and one.get("GroupList"):
        joined = {"user": name, "groups": list(one["GroupList"])}
        yield Resource(arn, "aws_iam_user_group_membership", None, home, joined)


def _organization(inventory: Inventory, account: Account) -> tuple[str | None, list[str]]:
    """Id of the account's organization, and what is not known of its policies."""
    answer = inventory.answered(
        lambda source: source.call(
            "organizations",
            "describe_organization",
            source.home_region,
            absent=("AWSOrganizationsNotInUseException",),
        )
    )
    not_read = "service control and resource control policies of the organization are not read; they only take away"
    if isinstance(answer, Unreadable):
        return None, [f"whether the account is in an organization is not known ({answer})", not_read]
    if answer is None:
        return None, []
    found = answer["Organization"]
    manages = found.get("MasterAccountId") == account.environment.account_id
    return found["Id"], [] if manages else [not_read]


def answered(subject: Subject, question: Named) -> Found:
    """The answer to a question with a name."""
    return questions.answered(Judge(subject.world), question)


def session_policies(files: Sequence[Path]) -> tuple[PolicyDocument, ...]:
    """Session policies from files.

    Raises:
        ToolkitError: One cannot be read.
        PolicyError: One is no policy.
    """
    found = []
    for file in files:
        try:
            text = read_regular(file, _LARGEST).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as e:
            problem = e.strerror if isinstance(e, OSError) else "not UTF-8"
            raise ToolkitError(f"the session policy cannot be read: {problem}", where=str(file)) from e
        found.append(PolicyDocument.parse(text, name=str(file)))
    return tuple(found)


def environment_named(project: Project, name: str | None) -> str:
    """The environment that is meant.

    Raises:
        UsageError: None is named, and the project has not just one.
    """
    if name is not None:
        return name
    if len(project.names) == 1:
        return project.names[0]
    raise UsageError(
        f"the project has {len(project.names)} environments; name one with --env",
        hint=f"environments: {', '.join(project.names[:8])}{', …' if len(project.names) > 8 else ''}",
    )
