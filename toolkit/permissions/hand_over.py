"""What the hand-over of saved plans needs: of S3, and of the key that signs them.

In: an environment's `bundle`. Out: statements. Pure. `toolkit.iam.hand_over` has what they say.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.environment import Environment
from toolkit.iam.hand_over import PlanStore, get_only, key_arn, put_only, sign_only, verify_only
from toolkit.permissions.model import Purpose, Statement
from toolkit.signing import KmsKey, required_signature


def plan_store(environment: Environment) -> PlanStore | None:
    """Where `bundle.store` says that an environment's plans are kept; None: not in S3."""
    given, regions = environment.bundle, environment.regions
    if given.store is None:
        return None
    bucket, _, prefix = given.store.removeprefix("s3://").partition("/")
    key = given.bucket_kms_key
    # S3 takes an id or alias as one of the caller's account, in the region of the bucket, which is not known here.
    arn = None if key is None else key_arn(key, environment.account_id, "*", regions.partition)
    return PlanStore(bucket, given.bucket_owner or environment.account_id, prefix, arn, regions.partition)


def signing_key(environment: Environment) -> str | None:
    """ARN of the KMS key, or of its alias, whose signature `bundle.require_signature` demands; None: of no such key."""
    wanted = environment.bundle.require_signature
    found = None if wanted is None else required_signature(wanted, option="", files=False)
    if not isinstance(found, KmsKey):
        return None
    regions = environment.regions
    return key_arn(found.id, environment.account_id, regions.home, regions.partition)


def hand_over_statements(environment: Environment, purpose: Purpose, *, signs: bool) -> Iterator[Statement]:
    """What a purpose needs to pass a saved plan on, or to take it.

    Args:
        environment: The environment.
        purpose: A plan puts and signs, an apply gets and verifies.
        signs: Whether the one who plans may sign: not if pull requests plan with the same role.
    """
    store, key = plan_store(environment), signing_key(environment)
    wanted: list[dict[str, object]] = []
    if purpose is Purpose.PLAN:
        wanted += put_only(store, environment.name) if store is not None else ()
        wanted += sign_only(key) if key is not None and signs else ()
    if purpose is Purpose.APPLY:
        wanted += get_only(store, environment.name) if store is not None else ()
        wanted += verify_only(key) if key is not None else ()
    for one in wanted:
        actions, resource, conditions = one["Action"], one["Resource"], one.get("Condition", {})
        assert isinstance(resource, str)
        assert isinstance(conditions, dict)
        several = (actions,) if isinstance(actions, str) else tuple(actions)  # type: ignore[arg-type]
        yield Statement(str(one["Sid"]), several, (resource,), conditions)
