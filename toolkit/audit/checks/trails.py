"""CloudTrail: what trails log, where they deliver it, and whether they do.

A trail of the organization counts in each account that it reaches. What belongs to another account (the bucket of such
a trail in the log archive) is not judged here, and each verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from toolkit.audit.facts import Fact, each
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
_CONFIG_RULE = "https://docs.aws.amazon.com/config/latest/developerguide/multi-region-cloudtrail-enabled.html"
_STATUS = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html"
_SELECTORS = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html"
_DAY = timedelta(days=1)
"""Deliveries are minutes apart, digest files an hour; GuardDuty, Config and the audit itself cause events all day."""


@dataclass(frozen=True)
class Trails(Fact):
    """Every trail that reaches the account in any of these regions, with its status: a `Live` per trail.

    DescribeTrails answers a trail in each region that it covers ("shadow trails"), and an organization's trail in each
    member account; `regions` has those in which it was answered. GetTrailStatus takes the ARN of a shadow trail.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """

    regions: tuple[str, ...]

    named = "every trail"
    calls = ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The trails."""

        def status(one: tuple[Mapping[str, Any], tuple[str, ...]]) -> Live:
            trail, regions = one
            region, arn = _where(trail, regions), trail["TrailARN"]
            return _trail(trail, regions, source.call("cloudtrail", "get_trail_status", region, Name=arn) or {})

        return source.side_by_side(status, described(source, self.regions))


@dataclass(frozen=True)
class Selectors(Fact):
    """What each trail logs: a `Live` per trail, its `arn` among the values.

    Values: `basic` (of each selector: `kinds`, `management`, `excluded`, `data`) and `advanced` (of each selector:
    field → operator → values).
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html
    """

    regions: tuple[str, ...]

    named = "the event selectors of every trail"
    calls = ("cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The selectors."""

        def selectors(one: tuple[Mapping[str, Any], tuple[str, ...]]) -> Live:
            trail, regions = one
            region, arn = _where(trail, regions), trail["TrailARN"]
            answer = source.call("cloudtrail", "get_event_selectors", region, TrailName=arn) or {}
            values = {
                "basic": [_basic(selector) for selector in answer.get("EventSelectors") or ()],
                "advanced": [_advanced(selector) for selector in answer.get("AdvancedEventSelectors") or ()],
            }
            return _beside(trail, region, values, "what {} logs")

        return source.side_by_side(selectors, described(source, self.regions))


@dataclass(frozen=True)
class Insights(Fact):
    """Which insights each trail has: a `Live` per trail, whose value `types` is empty where it has none.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetInsightSelectors.html
    """

    regions: tuple[str, ...]

    named = "the insights of every trail"
    calls = ("cloudtrail:DescribeTrails", "cloudtrail:GetInsightSelectors")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The insights."""

        def insights(one: tuple[Mapping[str, Any], tuple[str, ...]]) -> Live:
            trail, regions = one
            region, arn = _where(trail, regions), trail["TrailARN"]
            absent = ("InsightNotEnabledException",)
            answer = source.call("cloudtrail", "get_insight_selectors", region, absent=absent, TrailName=arn) or {}
            types = sorted(selector["InsightType"] for selector in answer.get("InsightSelectors") or ())
            return _beside(trail, region, {"types": types}, "insights of {}")

        return source.side_by_side(insights, described(source, self.regions))


def described(source: Source, regions: Iterable[str]) -> tuple[tuple[Mapping[str, Any], tuple[str, ...]], ...]:
    """Each trail, and the regions in which it is answered."""

    def describe(region: str) -> tuple[str, Any]:
        answer = source.call("cloudtrail", "describe_trails", region, includeShadowTrails=True) or {}
        return region, answer["trailList"]

    trails: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, list[str]] = {}
    for region, listed in source.side_by_side(describe, regions):
        for trail in listed:
            trails.setdefault(trail["TrailARN"], trail)
            seen.setdefault(trail["TrailARN"], []).append(region)
    return tuple((trail, tuple(seen[arn])) for arn, trail in trails.items())


def _where(trail: Mapping[str, Any], regions: tuple[str, ...]) -> str:
    """The region to read a trail in: its own, unless that is not audited."""
    home = trail.get("HomeRegion")
    return home if home in regions else regions[0]


def _beside(trail: Mapping[str, Any], region: str, values: Mapping[str, Any], called: str) -> Live:
    arn, name = trail["TrailARN"], f"the trail {trail['Name']!r}"
    return Live({"arn": arn}, {"arn": arn, **values}, called.format(name), None, arn, region=region)


def _trail(trail: Mapping[str, Any], regions: tuple[str, ...], status: Mapping[str, Any]) -> Live:
    values = {
        "arn": trail["TrailARN"],
        "regions": regions,
        "bucket": trail["S3BucketName"],
        "multi_region": trail.get("IsMultiRegionTrail", False),
        "organization": trail.get("IsOrganizationTrail", False),
        "validated": trail.get("LogFileValidationEnabled", False),
        "key": trail.get("KmsKeyId") or None,
        "log_group": trail.get("CloudWatchLogsLogGroupArn") or None,
        "logging": status.get("IsLogging", False),
        "started": status.get("StartLoggingTime"),
        "delivered": status.get("LatestDeliveryTime"),
        "delivery_error": status.get("LatestDeliveryError") or None,
        "digested": status.get("LatestDigestDeliveryTime"),
        "digest_error": status.get("LatestDigestDeliveryError") or None,
        "sent_to_logs": status.get("LatestCloudWatchLogsDeliveryTime"),
        "logs_error": status.get("LatestCloudWatchLogsDeliveryError") or None,
    }
    called = f"the trail {trail['Name']!r}"
    if values["organization"]:
        called = f"the organization's trail {trail['Name']!r}"
    where = _where(trail, regions)
    return Live(
        {"arn": trail["TrailARN"]}, values, called, None, trail["TrailARN"], type="aws_cloudtrail", region=where
    )


READ, WRITE = "read", "write"
_KINDS = {"All": (READ, WRITE), "ReadOnly": (READ,), "WriteOnly": (WRITE,)}
_READ_ONLY = {"true": (READ,), "false": (WRITE,)}


def _basic(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kinds": _KINDS[selector.get("ReadWriteType", "All")],
        "management": selector.get("IncludeManagementEvents", True),
        "excluded": sorted(selector.get("ExcludeManagementEventSources") or ()),
        "data": {one["Type"]: list(one.get("Values") or ()) for one in selector.get("DataResources") or ()},
    }


_OPERATORS = ("Equals", "NotEquals", "StartsWith", "NotStartsWith", "EndsWith", "NotEndsWith")


def _advanced(selector: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    fields: dict[str, dict[str, list[str]]] = {}
    for one in selector["FieldSelectors"]:
        if one["Field"] in fields:
            raise ValueError(f"a selector has the field {one['Field']!r} twice")
        fields[one["Field"]] = {name: list(one[name]) for name in _OPERATORS if one.get(name)}
    return fields


def _kinds_of(fields: Mapping[str, Mapping[str, list[str]]]) -> tuple[str, ...]:
    """What an advanced selector leaves of reads and writes."""
    read_only = fields.get("readOnly")
    if read_only is None:
        return (READ, WRITE)
    if set(read_only) != {"Equals"}:
        return ()
    return tuple(kind for value in read_only["Equals"] for kind in _READ_ONLY[value])


def management_events(selectors: Live) -> frozenset[str]:
    """Which management events a trail logs of every service: reads, writes, both or neither.

    A selector that excludes a source does not count, as for AWS Config: "The rule is NON_COMPLIANT if the
    ExcludeManagementEventSources field is not empty" (multi-region-cloudtrail-enabled).
    """
    found: set[str] = set()
    for selector in selectors.values["basic"]:
        if selector["management"] and not selector["excluded"]:
            found.update(selector["kinds"])
    for fields in selectors.values["advanced"]:
        if fields.get("eventCategory") == {"Equals": ["Management"]} and set(fields) <= {"eventCategory", "readOnly"}:
            found.update(_kinds_of(fields))
    return frozenset(found)


_S3_OBJECT = "AWS::S3::Object"


def _object_events(selectors: Live, kind: str) -> Iterator[tuple[str, ...]]:
    """For each selector of S3's data events of a kind: prefixes of the ARNs that it leaves out, empty for none.

    DataResource: "To log data events for all objects in all S3 buckets in your account, specify the prefix as
    arn:aws:s3". A selector that names buckets, or narrows by anything but leaving buckets out, is not among these.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html
    """
    for selector in selectors.values["basic"]:
        every = any(_every_bucket(arn) for arn in selector["data"].get(_S3_OBJECT, ()))
        if every and kind in selector["kinds"]:
            yield ()
    for fields in selectors.values["advanced"]:
        rest = {name: of for name, of in fields.items() if name not in ("eventCategory", "resources.type", "readOnly")}
        of_objects = (
            fields.get("eventCategory") == {"Equals": ["Data"]}
            and _S3_OBJECT in fields.get("resources.type", {}).get("Equals", ())
            and set(fields["resources.type"]) == {"Equals"}
        )
        # A field without an operator known here may narrow by one that is not: only no field leaves nothing out.
        excluded = rest.pop("resources.ARN", {"NotStartsWith": []})
        if of_objects and kind in _kinds_of(fields) and not rest and set(excluded) == {"NotStartsWith"}:
            yield tuple(excluded["NotStartsWith"])


def _every_bucket(arn: str) -> bool:
    parts = arn.rstrip(":").split(":")
    return len(parts) == 3 and parts[0] == "arn" and parts[2] == "s3"


def _bucket_of(arn: str) -> str:
    """The bucket of an object's ARN; only with the slash, since others may begin with the same name."""
    return arn.rsplit(":", maxsplit=1)[-1].removesuffix("/") if arn.endswith("/") else ""


@dataclass(frozen=True)
class LogBuckets(Fact):
    """A `Live` per bucket that a trail delivers to; `own` is False for another account's, of which nothing is read.

    Of the account's own: `logs_to` (where S3 logs its requests; None: nowhere), `blocks` (the four settings that block
    public access, of the bucket or the account: S3 applies both), `public_policy` (GetBucketPolicyStatus: IsPublic),
    `public_grants` (of its ACL, to all users or to all AWS accounts) and `policy`.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """

    regions: tuple[str, ...]

    named = "every bucket that trails deliver to"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        names = (
            *("ListAllMyBuckets", "GetBucketLocation", "GetBucketLogging", "GetBucketPublicAccessBlock"),
            *("GetAccountPublicAccessBlock", "GetBucketPolicyStatus", "GetBucketPolicy", "GetBucketAcl"),
        )
        return ("cloudtrail:DescribeTrails", *(f"s3:{name}" for name in names))

    def read(self, source: Source) -> tuple[Live, ...]:
        """The buckets."""
        names = dict.fromkeys(trail["S3BucketName"] for trail, _ in described(source, self.regions))
        if not names:
            return ()
        home = source.home_region
        own = {one["Name"]: one for one in source.pages("s3", "list_buckets", "Buckets", home, MaxBuckets=1000)}
        return each(
            source, lambda name: self._bucket(source, name, own.get(name)), names, lambda name: f"the bucket {name!r}"
        )

    def _bucket(self, source: Source, name: str, listed: Mapping[str, Any] | None) -> Live:
        if listed is None:
            return Live({"bucket": name}, {"bucket": name, "own": False}, f"the bucket {name!r}", None)
        region = listed.get("BucketRegion") or _location(source, name)
        blocks = dict.fromkeys(BLOCKS, False)
        unset = ("NoSuchPublicAccessBlockConfiguration",)
        for answer in (
            source.call("s3", "get_public_access_block", region, absent=unset, Bucket=name),
            source.call(
                "s3control",
                "get_public_access_block",
                source.home_region,
                absent=unset,
                AccountId=source.account_id,
            ),
        ):
            found = (answer or {}).get("PublicAccessBlockConfiguration", {})
            blocks = {block: blocks[block] or found.get(block, False) for block in BLOCKS}
        none = ("NoSuchBucketPolicy",)
        policy = source.call("s3", "get_bucket_policy", region, absent=none, Bucket=name)
        status = source.call("s3", "get_bucket_policy_status", region, absent=none, Bucket=name) if policy else None
        logging = source.call("s3", "get_bucket_logging", region, Bucket=name) or {}
        grants = (source.call("s3", "get_bucket_acl", region, Bucket=name) or {})["Grants"]
        values = {
            "bucket": name,
            "own": True,
            "logs_to": logging["LoggingEnabled"]["TargetBucket"] if "LoggingEnabled" in logging else None,
            "blocks": blocks,
            "public_policy": status["PolicyStatus"]["IsPublic"] if status else False,
            "public_grants": sorted(g["Permission"] for g in grants if g["Grantee"].get("URI", "") in _EVERY_USER),
            "policy": policy["Policy"] if policy else None,
        }
        called, arn = f"the bucket {name!r}", f"arn:aws:s3:::{name}"
        return Live({"bucket": name}, values, called, name, arn, type="aws_s3_bucket", region=region)


BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_EVERY_USER = tuple(f"http://acs.amazonaws.com/groups/global/{name}" for name in ("AllUsers", "AuthenticatedUsers"))


def _location(source: Source, bucket: str) -> str:
    """S3 API Reference, GetBucketLocation: null stands for us-east-1, EU for eu-west-1."""
    answer = source.call("s3", "get_bucket_location", source.home_region, Bucket=bucket) or {}
    where = answer.get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if where == "EU" else str(where)


def _trails(scope: Scope) -> Iterator[Fact]:
    yield Trails(scope.regions)


def needs_selectors(scope: Scope) -> Iterator[Fact]:
    """What `complete_trails` wants."""
    yield from (Trails(scope.regions), Selectors(scope.regions))


def _logging(scope: Scope, answers: Answers) -> tuple[Live, ...]:
    return tuple(one for one in answers[Trails(scope.regions)] if one.values["logging"])


def _everywhere(scope: Scope, answers: Answers) -> Iterator[tuple[Live, str | None]]:
    """Each trail, and why it does not log in every audited region; None: it does."""
    for trail in answers[Trails(scope.regions)]:
        lacking = [region for region in scope.regions if region not in trail.values["regions"]]
        if not trail.values["multi_region"]:
            yield trail, "logs one region only"
        elif not trail.values["logging"]:
            yield trail, "does not log"
        elif lacking:
            yield trail, f"does not log {', '.join(lacking)}"
        else:
            yield trail, None


def complete_trails(scope: Scope, answers: Answers) -> Iterator[tuple[Live, str | None]]:
    """Each trail, and why it does not log every management event in every audited region; None: it does."""
    for trail, problem in _everywhere(scope, answers):
        yield trail, problem or _not_managed(_of(trail, answers[Selectors(scope.regions)]))


def _of(trail: Live, found: Iterable[Live]) -> Live:
    of_trail = next((one for one in found if one.values["arn"] == trail.values["arn"]), None)
    if of_trail is None:
        raise LookupError(f"it has nothing of {trail.called}")
    return of_trail


def _not_managed(selectors: Live) -> str | None:
    kinds = management_events(selectors)
    lacking = [f"{kind}s" for kind in (READ, WRITE) if kind not in kinds]
    return f"does not log all management events that are {' or '.join(lacking)}" if lacking else None


def _best(said: list[tuple[Live, str | None]], passed: str) -> Iterator[Outcome]:
    """One trail that does what is expected is enough; else each says why it does not."""
    whole = next((trail for trail, problem in said if problem is None), None)
    if whole is not None:
        yield Outcome(Status.PASS, f"{whole.called} {passed}", whole)
        return
    yield from (Outcome(Status.FAIL, f"{trail.called} {problem}", trail) for trail, problem in said)
    if not said:
        yield Outcome(Status.FAIL, "there is no trail")


def _multi_region(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    count = len(scope.regions)
    where = scope.regions[0] if count == 1 else f"all {count} audited regions"
    yield from _best(list(complete_trails(scope, answers)), f"logs all management events in {where}")


Judgement = Callable[[Live], Outcome]


def _each(judge: Judgement) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges each trail that logs: files of any of them may be needed as evidence."""

    def judge_all(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        logging = _logging(scope, answers)
        yield from (judge(trail) for trail in logging)
        if not logging:
            yield Outcome(Status.FAIL, "no trail logs")

    return judge_all


def _validation(trail: Live) -> Outcome:
    if trail.values["validated"]:
        return Outcome(Status.PASS, f"{trail.called} has log file validation", trail)
    return Outcome(Status.FAIL, f"{trail.called} has no log file validation", trail)


def _encryption(trail: Live) -> Outcome:
    if trail.values["key"]:
        return Outcome(Status.PASS, f"{trail.called} encrypts with {trail.values['key']}", trail)
    return Outcome(Status.FAIL, f"{trail.called} encrypts with no KMS key", trail)


def _delivering(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "the embedded AWS delivers no log files")
        return
    for trail in (logging := _logging(scope, answers)):
        yield from _delivery(scope, trail)
    if not logging:
        yield Outcome(Status.FAIL, "no trail logs")


def _delivery(scope: Scope, trail: Live) -> Iterator[Outcome]:
    has = trail.values
    to = [("log files", "delivered", "delivery_error")]
    to += [("digest files", "digested", "digest_error")] if has["validated"] else []
    to += [("events to CloudWatch Logs", "sent_to_logs", "logs_error")] if has["log_group"] else []
    for what, at, error in to:
        # Log files are there for every trail: what is said of them has the trail's own id.
        part = "" if what == to[0][0] else what
        if has[error]:
            yield Outcome(Status.FAIL, f"{trail.called} cannot deliver {what}: {has[error]}", trail, part=part)
        elif has[at] is None and has["started"] is not None and scope.now - has["started"] < _DAY:
            started = f"{has['started']:%Y-%m-%d %H:%M}"
            yield Outcome(
                Status.UNKNOWN,
                f"{trail.called} has delivered no {what} since it started at {started}",
                trail,
                part=part,
            )
        elif has[at] is None:
            yield Outcome(Status.FAIL, f"{trail.called} has never delivered {what}", trail, part=part)
        elif scope.now - has[at] >= _DAY:
            said = f"{trail.called} last delivered {what} at {has[at]:%Y-%m-%d %H:%M}"
            yield Outcome(Status.FAIL, said, trail, part=part)
        else:
            yield Outcome(Status.PASS, f"{trail.called} delivered {what} at {has[at]:%Y-%m-%d %H:%M}", trail, part=part)


def _to_logs(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    said = [(trail, problem or _not_sent(scope, trail.values)) for trail, problem in _everywhere(scope, answers)]
    whole = any(problem is None for _, problem in said)
    new = [trail for trail, problem in said if problem == _NOT_YET]
    if new and not whole:
        yield from (Outcome(Status.UNKNOWN, f"{trail.called} {_NOT_YET}", trail) for trail in new)
    else:
        yield from _best(said, "sends its events to CloudWatch Logs")


_NOT_YET = "started within the last day, and has sent no events to CloudWatch Logs since"


def _not_sent(scope: Scope, has: Mapping[str, Any]) -> str | None:
    """Why CloudWatch Logs does not get the events, or is not known to."""
    if not has["log_group"]:
        return "sends nothing to CloudWatch Logs"
    if has["logs_error"]:
        return f"cannot send events to CloudWatch Logs: {has['logs_error']}"
    if scope.simulated:
        return None
    if has["sent_to_logs"] is None and has["started"] is not None and scope.now - has["started"] < _DAY:
        return _NOT_YET
    if has["sent_to_logs"] is None or scope.now - has["sent_to_logs"] >= _DAY:
        return "sent no events to CloudWatch Logs in the last day"
    return None


def _insights_needs(scope: Scope) -> Iterator[Fact]:
    yield from (Trails(scope.regions), Insights(scope.regions))


def _insights(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    def problem_of(trail: Live) -> str | None:
        types = _of(trail, answers[Insights(scope.regions)]).values["types"]
        return None if "ApiCallRateInsight" in types else "has no insights on the rate of API calls"

    said = [(trail, problem or problem_of(trail)) for trail, problem in _everywhere(scope, answers)]
    yield from _best(said, "has insights on the rate of API calls")


def _data_needs(scope: Scope) -> Iterator[Fact]:
    yield from (*needs_selectors(scope), LogBuckets(scope.regions))


def _objects(kind: str) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges that a trail logs reads, or writes, of the objects of every bucket.

    The trail's own bucket, and the bucket of its access logs, may be left out: each file that is delivered there would
    cause the next event. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
    """

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        said = [
            (trail, problem or _left_out(trail, kind, scope, answers)) for trail, problem in _everywhere(scope, answers)
        ]
        yield from _best(said, f"logs {kind}s of the objects of every bucket")

    return judge


def _left_out(trail: Live, kind: str, scope: Scope, answers: Answers) -> str | None:
    """Why not every bucket's objects are logged; None: they are."""
    selectors = _of(trail, answers[Selectors(scope.regions)])
    problem = f"does not log {kind}s of the objects of every bucket"
    for prefixes in _object_events(selectors, kind):
        others = {prefix: _bucket_of(prefix) for prefix in prefixes}
        others = {prefix: bucket for prefix, bucket in others.items() if bucket != trail.values["bucket"]}
        if others:
            logs = {one.values["bucket"]: one for one in answers[LogBuckets(scope.regions)]}
            target = logs[trail.values["bucket"]].values.get("logs_to")
            others = {prefix: bucket for prefix, bucket in others.items() if bucket != target}
        if not others:
            return None
        problem = f"leaves out {kind}s of the objects of {', '.join(others)}"
    return problem


def _bucket_needs(scope: Scope) -> Iterator[Fact]:
    yield from (Trails(scope.regions), LogBuckets(scope.regions))


def _each_bucket(
    judge: Callable[[Scope, Live], Iterator[Outcome]], *, none: Status
) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges the bucket of each trail, as far as it is the account's own; of a stopped one, too: it holds log files.

    Args:
        judge: Of one bucket.
        none: What it is where there is no trail.
    """

    def judge_all(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        by_bucket: dict[str, list[Live]] = {}
        for trail in answers[Trails(scope.regions)]:
            by_bucket.setdefault(trail.values["bucket"], []).append(trail)
        if not by_bucket:
            yield Outcome(none, "there is no trail")
            return
        buckets = {one.values["bucket"]: one for one in answers.each(LogBuckets(scope.regions))}
        for name, trails in by_bucket.items():
            if name not in buckets and answers.unread:
                continue
            bucket = buckets[name]
            if bucket.values["own"]:
                yield from judge(scope, bucket)
            elif all(trail.values["organization"] for trail in trails):
                reason = f"{bucket.called} of {trails[0].called} is in another account: audit that account"
                yield Outcome(Status.NOT_APPLICABLE, reason, bucket)
            else:
                reason = (
                    f"{bucket.called} of {trails[0].called} is in another account, where it cannot be read from here"
                )
                yield Outcome(Status.UNKNOWN, f"{reason}: audit that account", bucket)

    return judge_all


def _access_logging(_: Scope, bucket: Live) -> Iterator[Outcome]:
    target = bucket.values["logs_to"]
    if target:
        yield Outcome(Status.PASS, f"S3 logs requests to {bucket.called} in {target!r}", bucket)
    else:
        yield Outcome(Status.FAIL, f"S3 does not log requests to {bucket.called}", bucket)


def _public(_: Scope, bucket: Live) -> Iterator[Outcome]:
    """What S3 calls public, unless a block takes its effect away: RestrictPublicBuckets, IgnorePublicAcls."""
    has = bucket.values
    public = []
    if has["public_policy"] and not has["blocks"]["RestrictPublicBuckets"]:
        public.append("its policy is public")
    if has["public_grants"] and not has["blocks"]["IgnorePublicAcls"]:
        public.append(f"its ACL grants {', '.join(has['public_grants'])} to every user")
    if public:
        yield Outcome(Status.FAIL, f"{bucket.called} is public: {' and '.join(public)}", bucket)
    else:
        yield Outcome(Status.PASS, f"{bucket.called} is not public", bucket)


def _blocked(_: Scope, bucket: Live) -> Iterator[Outcome]:
    has = bucket.values["blocks"]
    lacking = [block for block in BLOCKS if not has[block]]
    if lacking:
        yield Outcome(Status.FAIL, f"{bucket.called} lacks {', '.join(lacking)}", bucket, facts=tuple(lacking))
    else:
        yield Outcome(Status.PASS, f"public access to {bucket.called} is blocked", bucket)


_ON = Remedy("enable the component `cloudtrail` in environment.yaml", "cloudtrail")
_ADOPT = Remedy(
    "enable the component `cloudtrail` in environment.yaml, and stop trails that are no longer needed; an "
    "organization's trail is changed in its management account",
    "cloudtrail",
)
_EVIDENCE = "Log files are the evidence of what was done in the account."


CHECKS = (
    Check(
        "cloudtrail_multi_region_enabled",
        "A trail logs all management events in every audited region.",
        Severity.HIGH,
        "cloudtrail",
        needs_selectors,
        _multi_region,
        _ON,
        why="What no trail logs cannot be investigated: attackers use regions that are not watched.",
        source=_CONFIG_RULE,
        topics=("cloudtrail_multi_region_enabled_logging_management_events",),
    ),
    Check(
        "cloudtrail_log_file_validation_enabled",
        "Each trail has log file validation.",
        Severity.MEDIUM,
        "cloudtrail",
        _trails,
        _each(_validation),
        _ADOPT,
        why=f"{_EVIDENCE} Digest files prove that none was changed or deleted.",
        source=f"{_GUIDE}cloudtrail-log-file-validation-intro.html",
    ),
    Check(
        "cloudtrail_kms_encryption_enabled",
        "Each trail encrypts its log files with a KMS key.",
        Severity.MEDIUM,
        "cloudtrail",
        _trails,
        _each(_encryption),
        _ADOPT,
        why="Without the key's permission, access to the bucket is not enough to read log files.",
        source=f"{_GUIDE}encrypting-cloudtrail-log-files-with-aws-kms.html",
    ),
    Check(
        "cloudtrail_cloudwatch_logging_enabled",
        "A trail sends its events to CloudWatch Logs.",
        Severity.NOTE,
        "cloudtrail",
        _trails,
        _to_logs,
        _ON,
        why="Alarms on activity are metric filters of the log group that receives a trail's events.",
        source=_STATUS,
    ),
    Check(
        "cloudtrail_delivering",
        "Each trail delivered log files, digest files and events in the last day.",
        Severity.HIGH,
        "cloudtrail",
        _trails,
        _delivering,
        Remedy(
            "fix the policy of the bucket, of the KMS key or of the delivery role that the error names", "cloudtrail"
        ),
        why="A trail whose bucket or key refuses it logs nothing, and its status still says that it logs.",
        source=_STATUS,
    ),
    Check(
        "cloudtrail_insights_exist",
        "A trail has insights on the rate of API calls.",
        Severity.NOTE,
        "cloudtrail",
        _insights_needs,
        _insights,
        Remedy("set `components.cloudtrail.insights` in environment.yaml", "cloudtrail", "insights"),
        why="Insights report unusual numbers of calls.",
        source=f"{_GUIDE}logging-insights-events-with-cloudtrail.html",
    ),
    *(
        Check(
            f"cloudtrail_s3_dataevents_{kind}_enabled",
            f"A trail logs {kind}s of the objects of every bucket.",
            Severity.NOTE,
            "cloudtrail",
            _data_needs,
            _objects(kind),
            Remedy(
                f"add `s3_{kind}` to `components.cloudtrail.data_events` in environment.yaml",
                "cloudtrail",
                "data_events",
            ),
            why=f"Without data events no log shows who {'read' if kind == READ else 'changed'} which object.",
            source=_SELECTORS,
        )
        for kind in (READ, WRITE)
    ),
    Check(
        "cloudtrail_logs_s3_bucket_access_logging_enabled",
        "S3 logs requests to the bucket of each trail.",
        Severity.MEDIUM,
        "cloudtrail",
        _bucket_needs,
        _each_bucket(_access_logging, none=Status.FAIL),
        _ADOPT,
        why=f"{_EVIDENCE} Access logs show who read or deleted them.",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html",
    ),
    Check(
        "cloudtrail_logs_s3_bucket_is_not_publicly_accessible",
        "The bucket of each trail is not public.",
        Severity.CRITICAL,
        "cloudtrail",
        _bucket_needs,
        _each_bucket(_public, none=Status.NOT_APPLICABLE),
        _ADOPT,
        why="Log files name users, roles, addresses and resources of the account.",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ),
    Check(
        "cloudtrail_log_bucket_blocks_public_access",
        "Public access to the bucket of each trail is blocked.",
        Severity.MEDIUM,
        "cloudtrail",
        _bucket_needs,
        _each_bucket(_blocked, none=Status.NOT_APPLICABLE),
        _ADOPT,
        why="With all four blocks, no later policy or ACL can make the bucket public.",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ),
)
