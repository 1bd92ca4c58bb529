"""The S3 bucket that holds Terraform's state: made, checked, and brought up to what a state needs.

In: an environment with an S3 backend and the process environment. Out: what the bucket lacks, as frozen facts, and
calls that set exactly one of them. Every call names the account that must own the bucket, so that a bucket of the
same name in somebody else's account is refused by S3 itself. Never deletes anything, and never replaces what it did not
write: policies and lifecycle rules of others stay.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.identity import CallerIdentity, caller_identity
from toolkit.aws.session import AwsSession
from toolkit.environment import AssumeRole, Credentials, Environment, S3Backend, default_state_key
from toolkit.errors import RefusedError, ToolkitError, WrongAccountError
from toolkit.regions import partition_of

NONCURRENT_DAYS = 90
"""How long an old version of the state is kept once a newer one has replaced it."""

_RULE = "aws-baseline-toolkit-old-state-versions"
_SID = "DenyWithoutTls"
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")


@dataclass(frozen=True)
class Lack:
    """Something that a state bucket should have and this one has not."""

    name: str
    """ "versioning", "encryption", "public access block", "object ownership", "TLS-only policy", "lifecycle"."""
    found: str
    """What it has instead, for people."""
    wanted: str


def state_key(environment: Environment, backend: S3Backend) -> str:
    """The key of the environment's state in its bucket."""
    return backend.key or default_state_key(environment.name)


def state_owner(environment: Environment, backend: S3Backend) -> str:
    """The account that owns the bucket, which may be a central one."""
    return backend.account_id or environment.account_id


def state_clients(environment: Environment, backend: S3Backend, environ: Mapping[str, str]) -> AwsSession:
    """Clients with the credentials that Terraform's backend uses, which are not those of the environment's provider."""
    role_arn = backend.role_arn
    owner = state_owner(environment, backend)
    if "AWS_ENDPOINT_URL" in environ and backend.profile and not role_arn and owner != environment.account_id:
        # On the embedded AWS, a profile of another account has only dummy keys to stand for it: a role leads there.
        role_arn = f"arn:aws:iam::{owner}:role/state"
    role = AssumeRole(role_arn=role_arn) if role_arn else None
    credentials = Credentials(profile=backend.profile or environment.credentials.profile, assume_role=role)
    return AwsSession(dataclasses.replace(environment, credentials=credentials), environ)


def check_state_account(environment: Environment, backend: S3Backend, clients: AwsSession) -> CallerIdentity:
    """The caller, if it is in the account that owns the state.

    Raises:
        WrongAccountError: No usable credentials, or another account's.
    """
    caller = caller_identity(clients, environment.name)
    owner = state_owner(environment, backend)
    if caller.account_id != owner:
        raise WrongAccountError(
            f"the backend's credentials belong to account {caller.account_id} ({caller.arn}), but the state is owned "
            f"by account {owner}",
            where=f"environments/{environment.name}/environment.yaml:{environment.lines.get(('backend',), 1)}",
            hint="set backend.profile or backend.role_arn to reach the account that owns the state, or correct "
            "backend.account_id; nothing was read or changed in the other account",
        )
    return caller


class StateBucket:
    """One bucket, asked and changed through one S3 client."""

    def __init__(self, client: Any, backend: S3Backend, *, key: str, owner: str) -> None:
        """Args:
        client: boto3 S3 client in the backend's region.
        key: Key of the state, for telling which rules of the bucket reach it.
        owner: Account that must own the bucket.
        """
        self._client = client
        self._backend = backend
        self._key = key
        self._owner = owner

    @property
    def _bucket(self) -> dict[str, str]:
        return {"Bucket": self._backend.bucket, "ExpectedBucketOwner": self._owner}

    def exists(self) -> bool:
        """Whether the bucket is there, in the right account and region.

        Raises:
            WrongAccountError: It is another account's, or hidden from these credentials.
            ToolkitError: It is in another region, or S3 does not answer.
        """
        import botocore.exceptions

        name = self._backend.bucket
        try:
            answer = self._client.head_bucket(**self._bucket)
        except botocore.exceptions.ClientError as e:
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            region = e.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
            if status == 404:
                return False
            if status in (301, 400) and region and region != self._backend.region:
                raise self._elsewhere(region) from e
            if status == 403:
                raise WrongAccountError(
                    f"the bucket {name} exists, but is not owned by account {self._owner}, or these credentials may "
                    "not see it",
                    where=name,
                    hint="bucket names are unique over all accounts: choose another backend.bucket, or correct "
                    "backend.account_id; if it is your bucket, the credentials need s3:ListBucket on it",
                ) from e
            raise ToolkitError(f"s3:HeadBucket failed: {e}", where=name) from e
        except botocore.exceptions.BotoCoreError as e:
            raise ToolkitError(f"s3:HeadBucket failed: {e}", where=name) from e
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        found = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
        if found and found != self._backend.region:
            raise self._elsewhere(found)
        return True

    def create(self) -> None:
        """Make the bucket; `wait` before it is used.

        Raises:
            ToolkitError: It cannot be made.
        """
        import botocore.exceptions

        region = self._backend.region
        # us-east-1 is the one region that must not be named here.
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._client.create_bucket(Bucket=self._backend.bucket, **place)
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            return  # another run was faster; what it lacks is asked next
        except self._client.exceptions.BucketAlreadyExists as e:
            raise WrongAccountError(
                f"another account has a bucket named {self._backend.bucket}",
                where=self._backend.bucket,
                hint="bucket names are unique over all accounts: choose another backend.bucket",
            ) from e
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as e:
            raise ToolkitError(
                f"the state bucket cannot be created: {e}",
                where=self._backend.bucket,
                hint="the credentials need s3:CreateBucket in the account that owns the state",
            ) from e

    def wait(self) -> None:
        """Until S3 knows the bucket everywhere.

        Raises:
            ToolkitError: It does not for a minute.
        """
        waiter = self._client.get_waiter("bucket_exists")
        asked("s3:HeadBucket", lambda: waiter.wait(**self._bucket, WaiterConfig={"Delay": 2, "MaxAttempts": 30}))

    def lacking(self) -> tuple[Lack, ...]:
        """What the bucket lacks, in the order in which it should be set.

        Raises:
            RefusedError: A lifecycle rule of others would delete or archive the state itself.
            ToolkitError: Something could not be read; unknown is never taken for present.
        """
        checks = (
            self._lacks_access_block,
            self._lacks_ownership,
            self._lacks_encryption,
            self._lacks_versioning,
            self._lacks_tls,
            self._lacks_lifecycle,
        )
        return tuple(lack for check in checks if (lack := check()) is not None)

    def supply(self, lack: Lack) -> None:
        """Set what is lacking.

        Raises:
            ToolkitError: S3 refused; what was there before is unchanged.
        """
        write = {
            "public access block": self._put_access_block,
            "object ownership": self._put_ownership,
            "encryption": self._put_encryption,
            "versioning": self._put_versioning,
            "TLS-only policy": self._put_policy,
            "lifecycle": self._put_lifecycle,
        }[lack.name]
        try:
            asked(f"setting the {lack.name} of {self._backend.bucket}", write)
        except ToolkitError as e:
            if "InvalidBucketAclWithObjectOwnership" in str(e):
                e.hint = "the bucket's ACL grants access to others: replace those grants by a bucket policy first"
            raise

    def _elsewhere(self, region: str) -> ToolkitError:
        return RefusedError(
            f"the bucket {self._backend.bucket} is in {region}, but backend.region is {self._backend.region}",
            where=self._backend.bucket,
            hint=f"set backend.region to {region}, or choose another backend.bucket",
        )

    def _read(self, operation: str, absent: str | None = None) -> dict[str, Any]:
        """The answer to a GetBucket… call; {} where S3 says `absent`."""
        import botocore.exceptions

        def ask() -> dict[str, Any]:
            try:
                return dict(getattr(self._client, operation)(**self._bucket))
            except botocore.exceptions.ClientError as e:
                if absent is not None and e.response["Error"]["Code"] == absent:
                    return {}
                raise

        return asked(f"s3 {operation} of {self._backend.bucket}", ask)

    def _lacks_access_block(self) -> Lack | None:
        answer = self._read("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        found = answer.get("PublicAccessBlockConfiguration", {})
        missing = [name for name in _BLOCKS if found.get(name) is not True]
        if not missing:
            return None
        return Lack("public access block", f"off: {', '.join(missing)}", "all four public access blocks on")

    def _put_access_block(self) -> None:
        self._client.put_public_access_block(
            **self._bucket, PublicAccessBlockConfiguration=dict.fromkeys(_BLOCKS, True)
        )

    def _lacks_ownership(self) -> Lack | None:
        answer = self._read("get_bucket_ownership_controls", "OwnershipControlsNotFoundError")
        rules = answer.get("OwnershipControls", {}).get("Rules", [])
        found = rules[0]["ObjectOwnership"] if rules else "none (ACLs are in force)"
        if found == "BucketOwnerEnforced":
            return None
        return Lack("object ownership", found, "BucketOwnerEnforced (no ACLs)")

    def _put_ownership(self) -> None:
        self._client.put_bucket_ownership_controls(
            **self._bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )

    def _lacks_encryption(self) -> Lack | None:
        answer = self._read("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
        algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
        found = f"{algorithm} with {key}" if key else algorithm or "none"
        wanted = self._backend.kms_key_id
        if wanted is None:
            # Encryption with a KMS key is more than was asked for: nothing to mend.
            return None if algorithm else Lack("encryption", found, "AES256 (keys of S3)")
        if algorithm in ("aws:kms", "aws:kms:dsse") and key and _same_key(key, wanted):
            return None
        return Lack("encryption", found, f"aws:kms with {wanted}")

    def _put_encryption(self) -> None:
        key = self._backend.kms_key_id
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
        rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": default}
        if key:
            rule["BucketKeyEnabled"] = True
        self._client.put_bucket_encryption(**self._bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _lacks_versioning(self) -> Lack | None:
        found = self._read("get_bucket_versioning").get("Status", "never enabled")
        return None if found == "Enabled" else Lack("versioning", found, "every version of the state is kept")

    def _put_versioning(self) -> None:
        self._client.put_bucket_versioning(**self._bucket, VersioningConfiguration={"Status": "Enabled"})

    def _policy(self) -> dict[str, Any]:
        text = self._read("get_bucket_policy", "NoSuchBucketPolicy").get("Policy")
        return json.loads(text) if text else {"Version": "2012-10-17", "Statement": []}

    def _lacks_tls(self) -> Lack | None:
        statements = _listed(self._policy()["Statement"])
        if any(_denies_plain_http(s, self._arn) for s in statements):
            return None
        found = f"{len(statements)} statements, none of which denies plain HTTP" if statements else "no policy"
        return Lack("TLS-only policy", found, "requests without TLS are denied")

    def _put_policy(self) -> None:
        policy = self._policy()
        # A statement of this name that no longer denies is replaced; everything else stays.
        others = [s for s in _listed(policy["Statement"]) if s.get("Sid") != _SID]
        ours = {
            "Sid": _SID,
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [self._arn, f"{self._arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        self._client.put_bucket_policy(**self._bucket, Policy=json.dumps({**policy, "Statement": [*others, ours]}))

    @property
    def _arn(self) -> str:
        return f"arn:{partition_of(self._backend.region)}:s3:::{self._backend.bucket}"

    def _rules(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        answer = self._read("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
        kept = {k: v for k, v in answer.items() if k == "TransitionDefaultMinimumObjectSize"}
        return answer.get("Rules", []), kept

    def _lacks_lifecycle(self) -> Lack | None:
        rules = [r for r in self._rules()[0] if r.get("Status") == "Enabled" and _reaches(r, self._key)]
        for rule in rules:
            if harm := _harm(rule):
                raise RefusedError(
                    f"the lifecycle rule {rule.get('ID', '(unnamed)')!r} {harm}, {self._key} among them",
                    where=self._backend.bucket,
                    hint="end that rule, or limit it to a prefix without the state; nothing was changed in this bucket",
                )
        if any(_expires_old(rule) for rule in rules):
            return None
        return Lack(
            "lifecycle",
            "old versions are kept forever",
            f"old versions are deleted {NONCURRENT_DAYS} days after a newer one; the current one never",
        )

    def _put_lifecycle(self) -> None:
        rules, kept = self._rules()
        ours = {
            "ID": _RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
            # Each released lock leaves a delete marker; once the versions below it are gone it is nothing but litter.
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
        others = [r for r in rules if r.get("ID") != _RULE]
        self._client.put_bucket_lifecycle_configuration(
            **self._bucket, LifecycleConfiguration={"Rules": [*others, ours]}, **kept
        )


def ensure_simulated_bucket(environment: Environment, backend: S3Backend, environ: Mapping[str, str]) -> None:
    """Create the state bucket in the embedded AWS, where nobody could have made it beforehand.

    Raises:
        ToolkitError: The environ leads to real AWS (a defect), or the bucket cannot be made.
    """
    if "AWS_ENDPOINT_URL" not in environ:
        raise ToolkitError("a simulated state bucket was requested outside of the embedded AWS")
    client = state_clients(environment, backend, environ).client("s3", backend.region)
    owner = state_owner(environment, backend)
    bucket = StateBucket(client, backend, key=state_key(environment, backend), owner=owner)
    if not bucket.exists():
        bucket.create()


def _same_key(found: str, wanted: str) -> bool:
    # An id and the ARN that ends in it are the same key; an alias is only ever equal to itself.
    return found == wanted or found.rsplit("/", 1)[-1] == wanted.rsplit("/", 1)[-1] != ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _denies_plain_http(statement: Mapping[str, Any], arn: str) -> bool:
    """Whether a statement denies everybody every call on the whole bucket without TLS, and is limited by nothing."""
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS", [])))
    condition = statement.get("Condition", {})
    (operator, tests), *more = list(condition.items()) or [("", {})]
    plain = (
        not more
        and operator.lower() == "bool"
        and {k.lower(): [str(v).lower() for v in _listed(vs)] for k, vs in tests.items()}
        == {"aws:securetransport": ["false"]}
    )
    actions = {a.lower() for a in _listed(statement.get("Action", []))}
    resources = set(_listed(statement.get("Resource", [])))
    return (
        statement.get("Effect") == "Deny"
        and everybody
        and plain
        and bool(actions & {"s3:*", "*"})
        and ("*" in resources or f"{arn}*" in resources or {arn, f"{arn}/*"} <= resources)
    )


def _reaches(rule: Mapping[str, Any], key: str) -> bool:
    """Whether a lifecycle rule applies to the state; the state has no tags, so that rules by tag do not."""
    chosen = rule.get("Filter", {})
    chosen = {**chosen, **chosen.get("And", {})}
    if "Tag" in chosen or "Tags" in chosen:
        return False
    return key.startswith(chosen.get("Prefix", rule.get("Prefix", "")))


def _harm(rule: Mapping[str, Any]) -> str | None:
    expiration = rule.get("Expiration", {})
    if "Days" in expiration or "Date" in expiration:
        return "deletes current objects"
    if any(t.get("StorageClass") in _ARCHIVES for t in rule.get("Transitions", [])):
        return "archives current objects, from where Terraform cannot read them"
    return None


def _expires_old(rule: Mapping[str, Any]) -> bool:
    chosen = rule.get("Filter", {})
    sized = {"ObjectSizeGreaterThan", "ObjectSizeLessThan"} & {*chosen, *chosen.get("And", {})}
    return "NoncurrentDays" in rule.get("NoncurrentVersionExpiration", {}) and not sized
