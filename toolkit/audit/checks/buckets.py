"""Each S3 bucket of the account: blocks of public access, the transport that its policy insists on, MFA delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolkit.audit.facts import Every, Fact, each
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import PolicyDocument, PolicyError, PolicyKind, Statement
from toolkit.iam.matching import pattern, resource_matches
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ACCOUNTS = "aws_s3_account_public_access_block"
_OWN = "aws_s3_bucket_public_access_block"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
_HTTPS = "https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-ssl-requests-only.html"


@dataclass(frozen=True)
class OwnBlocks(Fact):
    """The blocks of public access of each bucket in a region; none is read where the account's own has all four.

    "Amazon S3 uses the most restrictive combination of the bucket-level and account-level settings."
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
    """

    region: str

    named = "the blocks of public access of every bucket in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """As the types' records declare them."""
        return _actions(_ACCOUNTS, _OWN)

    def read(self, source: Source) -> tuple[Live, ...]:
        """A `Live` per bucket with the four settings; one without a configuration has none of them."""
        if any(whole(one) for one in source.live(_ACCOUNTS, source.home_region)):
            return ()
        unset = dict.fromkeys(_BLOCKS, False)
        return _beside(
            source, self.region, _OWN, lambda found: {name: found.values[name] for name in _BLOCKS} if found else unset
        )


@dataclass(frozen=True)
class BesideBuckets(Fact):
    """What is set on each bucket in a region, as an attribute of a type that stands beside it; None: nothing is."""

    kind: str
    attribute: str
    region: str

    named = "every {kind} in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """As the types' records declare them."""
        return _actions(self.kind)

    def read(self, source: Source) -> tuple[Live, ...]:
        """A `Live` per bucket."""
        name = self.attribute
        return _beside(source, self.region, self.kind, lambda found: {name: found.values[name] if found else None})


def bucket_policies(region: str) -> BesideBuckets:
    """The policy of each bucket."""
    return BesideBuckets("aws_s3_bucket_policy", "policy", region)


def _versioning(region: str) -> BesideBuckets:
    return BesideBuckets("aws_s3_bucket_versioning", "versioning_configuration", region)


def _actions(*kinds: str) -> tuple[str, ...]:
    wanted = (Every(kind, "") for kind in ("aws_s3_bucket", *kinds))
    return tuple(dict.fromkeys(action for one in wanted for action in one.actions))


def _beside(
    source: Source, region: str, kind: str, values: Callable[[Live | None], Mapping[str, Any]]
) -> tuple[Live, ...]:
    """Each bucket in a region with the values that come of what stands beside it; None: nothing does."""
    reading = RESOURCES[kind].reading
    assert reading is not None and reading.finds is not None, f"{kind} is not found by its key"
    finds = reading.finds

    def read(bucket: Live) -> Live:
        return replace(bucket, values=values(finds(source, region, bucket.key)), type="aws_s3_bucket")

    return each(source, read, source.live("aws_s3_bucket", region), lambda bucket: bucket.called)


def whole(block: Live) -> bool:
    """Whether all four settings are on."""
    return all(block.values[name] for name in _BLOCKS)


def _blocks_needs(scope: Scope) -> Iterator[Fact]:
    yield from (Every(_ACCOUNTS, scope.region), OwnBlocks(scope.region))


def _blocks(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    accounts = answers[Every(_ACCOUNTS, scope.region)]
    everywhere = next((one for one in accounts if whole(one)), None)
    if everywhere is not None:
        yield Outcome(Status.PASS, "the account's block of public access is in force for every bucket", everywhere)
        return
    for bucket in answers.each(OwnBlocks(scope.region)):
        lacking = [
            name for name in _BLOCKS if not bucket.values[name] and not any(one.values[name] for one in accounts)
        ]
        if lacking:
            yield Outcome(Status.FAIL, f"{bucket.called} lacks {', '.join(lacking)}", bucket, facts=tuple(lacking))
        else:
            yield Outcome(Status.PASS, f"{bucket.called} blocks public access", bucket)


def _transport_needs(scope: Scope) -> Iterator[Fact]:
    yield bucket_policies(scope.region)


def _transport(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for bucket in answers.each(bucket_policies(scope.region)):
        text, called = bucket.values["policy"], f"the policy of {bucket.called}"
        if text is None:
            yield Outcome(Status.FAIL, f"{bucket.called} has no policy", bucket)
            continue
        try:
            document = PolicyDocument.parse(text, name=called, kind=PolicyKind.RESOURCE)
        except PolicyError as e:
            yield Outcome(Status.UNKNOWN, f"{called} cannot be understood: {e}", bucket)
            continue
        open_ = [what for what, path in _PARTS if not _denied(document, f"{bucket.key['bucket']}{path}")]
        if open_:
            yield Outcome(Status.FAIL, f"{called} does not deny HTTP for {' and '.join(open_)}", bucket)
        else:
            yield Outcome(Status.PASS, f"{called} denies HTTP", bucket)


_PARTS = (("the bucket", ""), ("its objects", "/*"))


def _denied(document: PolicyDocument, name: str) -> bool:
    return any(
        _denies_http(one) and any(_covers(resource, name) for resource in one.resources) for one in document.statements
    )


def _denies_http(statement: Statement) -> bool:
    """Whether it denies every action to every principal on no other condition than that the request is not HTTPS."""
    everyone = statement.principals is not None and (statement.principals.everyone or "*" in statement.principals.aws)
    every_action = any(one.lower() in ("*", "s3:*") for one in statement.actions)
    if statement.effect != "Deny" or not everyone or not every_action or len(statement.conditions) != 1:
        return False
    (condition,) = statement.conditions
    return (
        condition.operator.name == "Bool"
        and condition.key.lower() == "aws:securetransport"
        and [value.lower() for value in condition.values] == ["false"]
    )


def _covers(resource: str, name: str) -> bool:
    """Whether a Resource entry covers a bucket, or all its objects ("bucket/*"), in whichever partition."""
    partition = resource.split(":")[1] if ":" in resource else "aws"
    # Objects have names of any length, so that nothing but a `*` at the end covers all of them.
    whole = resource.endswith("*") or not name.endswith("/*")
    return whole and resource_matches(pattern(resource, variables=False), f"arn:{partition}:s3:::{name}")


def _deletion_needs(scope: Scope) -> Iterator[Fact]:
    yield _versioning(scope.region)


def _deletion(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for bucket in answers.each(_versioning(scope.region)):
        has = bucket.values["versioning_configuration"]
        # "This element is only returned if the bucket has been configured with MFA delete" (GetBucketVersioning).
        if has and has[0].get("mfa_delete") == "Enabled":
            yield Outcome(Status.PASS, f"{bucket.called} has MFA delete", bucket)
        else:
            yield Outcome(Status.FAIL, f"{bucket.called} has no MFA delete", bucket)


CHECKS = (
    Check(
        "s3_bucket_level_public_access_block",
        "Public access to each bucket is blocked.",
        Severity.HIGH,
        "s3",
        _blocks_needs,
        _blocks,
        Remedy(
            "set `components.account_defaults.block_s3_public_access` in environment.yaml",
            "account_defaults",
            "block_s3_public_access",
        ),
        why="One policy or ACL makes a bucket public where no block takes its effect away.",
        regional=True,
        source=_GUIDE,
    ),
    Check(
        "s3_bucket_secure_transport_policy",
        "The policy of each bucket denies requests over HTTP.",
        Severity.MEDIUM,
        "s3",
        _transport_needs,
        _transport,
        Remedy("add a statement to the bucket's policy that denies s3:* where aws:SecureTransport is false"),
        why="Over HTTP, objects and signatures of requests can be read on their way.",
        regional=True,
        source=_HTTPS,
    ),
    Check(
        "s3_bucket_no_mfa_delete",
        "Each bucket deletes versions of objects only with MFA.",
        Severity.MEDIUM,
        "s3",
        _deletion_needs,
        _deletion,
        Remedy(
            "sign in as root and run `aws s3api put-bucket-versioning` with MFADelete=Enabled and --mfa; or waive it "
            "for buckets with Object Lock, or whose lifecycle must delete versions"
        ),
        why="Stolen credentials are otherwise enough to delete every version of an object.",
        regional=True,
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html",
    ),
)
