"""One session with an account: an environment's credentials, and boto3 clients that use them.

boto3 reads os.environ by itself; a toolkit that may talk to a simulator must decide what it reads. So endpoint, proxy
and region are taken from `environ` and passed explicitly, and credentials are found in a process environment that was
made the same as Terraform's (variables.inhabit).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any

from toolkit.aws.facts import AT_ONCE
from toolkit.environment import Environment
from toolkit.environment.model import AssumeRole
from toolkit.errors import WrongAccountError

_NO_PROFILE: dict[str, Any] = {"profile": (None, None, None, None)}
"""Where credentials are given, AWS_PROFILE of the shell is not asked: it may name a profile that is not there."""


def _only_what_the_provider_reads(core: Any) -> None:
    """Take out of a botocore session where only botocore looks: boto 2's files, and service models under ~/.aws.

    Models hold endpoints; and credentials of ~/.boto could pass the account check in place of the provider's.
    """
    from botocore.loaders import Loader

    resolver = core.get_component("credential_provider")
    for method in ("ec2-credentials-file", "boto-config"):
        resolver.remove(method)
    builtin = [Loader.BUILTIN_DATA_PATH]
    core.register_component("data_loader", Loader(extra_search_paths=builtin, include_default_search_paths=False))


def _new_session(**arguments: Any) -> Any:
    """A session of botocore, whose clients share what they can."""
    import botocore.session

    try:
        from toolkit.aws.clients import new_session
    except (ImportError, AttributeError):  # a botocore that lacks one of the names that this takes
        return botocore.session.Session(**arguments)
    return new_session(**arguments)


def configured_region(profile: str | None, environ: Mapping[str, str]) -> str | None:
    """The region that the AWS profile or the shell names; None where neither does, or there is no such profile."""
    import botocore.exceptions
    import botocore.session

    named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if profile is None and named:
        return named
    try:
        found: str | None = botocore.session.Session(profile=profile).get_scoped_config().get("region")
    except (botocore.exceptions.ProfileNotFound, botocore.exceptions.ConfigParseError):
        return named
    return found or named


class AwsSession:
    """What one run needs to reach an account, made once: credentials, partition, regions, clients.

    Several threads may use one: boto3's clients are safe for that, its sessions, which make them, are not.
    """

    def __init__(self, environment: Environment, environ: Mapping[str, str], by: AwsSession | None = None) -> None:
        """Args:
        environment: Supplies profile, role and the home region.
        environ: Process environment of the run: credentials, endpoint and proxy are taken from it.
        by: Whose credentials assume the environment's role, in place of those of its profile or of `environ`.
        """
        self.environment = environment
        self.environ = environ
        self._by = by
        self._base: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.RLock()

    @property
    def account_id(self) -> str:
        """The environment's account; commands check that it is the caller's before they ask anything."""
        return self.environment.account_id

    @property
    def home_region(self) -> str:
        """The environment's home region, where global services are called."""
        return self.environment.regions.home

    @property
    def partition(self) -> str:
        """The partition that its regions are in, such as "aws" or "aws-cn"."""
        return self.environment.regions.partition

    @property
    def simulated(self) -> bool:
        """Whether clients ask the embedded AWS, be it by the environment's own word or by --sandbox."""
        return self.environment.simulator is not None or bool(self.environ.get("AWS_ENDPOINT_URL"))

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of `service` in `region` (None: the home region; boto3 ignores AWS_REGION, so it is explicit)."""
        key = service, region or self.environment.regions.home
        made = self._clients.get(key)  # without the lock: a scan makes hundreds, and others must not wait for each
        if made is not None:
            return made
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._client(self._boto3(), *key)
            return self._clients[key]

    def shapes(self, service: str, operation: str, region: str) -> tuple[Any, Any]:
        """botocore's shapes of what a call takes and of what it answers; None where a client has no model."""
        meta = getattr(self.client(service, region), "meta", None)
        if meta is None:
            return None, None
        model = meta.service_model.operation_model(meta.method_to_api_mapping[operation])
        return model.input_shape, model.output_shape

    def has_session_token(self) -> bool:
        """Whether these are temporary credentials, rather than a long-lived access key."""
        credentials = self._boto3().get_credentials()
        return bool(credentials and credentials.token)

    def keys(self) -> dict[str, str]:
        """The credentials as a profile of the AWS configuration has them; of the embedded AWS, they are no secret."""
        found = self._boto3().get_credentials().get_frozen_credentials()
        token = {"aws_session_token": found.token} if found.token else {}
        return {"aws_access_key_id": found.access_key, "aws_secret_access_key": found.secret_key, **token}

    def _boto3(self) -> Any:
        with self._making:
            if self._base is None:
                self._base = self._session()
            return self._base

    def _client(self, session: Any, service: str, region: str) -> Any:
        from botocore.config import Config

        endpoint = self.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            # STS is asked first, and an AWS that cannot be reached is told soon. What comes later is asked several at a
            # time, and may be throttled: adaptive mode slows down by itself then (boto3 Guide, "Retries").
            retries={"mode": "standard", "total_max_attempts": 3}
            if service == "sts"
            else {"mode": "adaptive", "total_max_attempts": 6},
            # As many connections as questions that wait for AWS at a time; botocore drops what exceeds its pool.
            max_pool_connections=AT_ONCE,
            connect_timeout=5,
            read_timeout=30,
            # The embedded AWS serves as its own proxy; account-prefixed host names find it only that way.
            proxies={"http": endpoint} if endpoint else self._proxies,
            # An endpoint in the AWS configuration could pretend to be the account.
            ignore_configured_endpoint_urls=endpoint is None,  # type: ignore[call-arg] # the stubs lack it
            user_agent_extra="aws-baseline-toolkit",
        )
        return session.client(service, region_name=region, endpoint_url=endpoint, config=config)

    @functools.cached_property
    def _proxies(self) -> dict[str, str] | None:
        """None lets botocore look for each client's; where there are none at all, once will do."""
        from urllib.request import getproxies

        return None if getproxies() else {}

    def _session(self) -> Any:
        import boto3

        role = self.environment.credentials.assume_role
        if self._by is not None and role is not None:
            # Only the session itself may make its clients: several threads may want one. And in its home region: STS
            # in the other's may be in a region that the caller's account has not enabled, and refuses its credentials.
            return _assumed(self._by.client("sts", self._by.home_region), role, self.environment.name)
        endpoint = self.environ.get("AWS_ENDPOINT_URL")
        if endpoint:
            # Dummy credentials of the embedded AWS, whatever the shell or the AWS configuration holds. Roles are
            # assumed there, too: one may lead to another account, which holds the state.
            core = _new_session(session_vars=_NO_PROFILE)
            core.set_credentials(self.environ["AWS_ACCESS_KEY_ID"], self.environ["AWS_SECRET_ACCESS_KEY"])
        else:
            core = _new_session(profile=self.environment.credentials.profile)
            _only_what_the_provider_reads(core)
        base = boto3.Session(botocore_session=core)
        if role is None:
            return base
        return _assumed(self._client(base, "sts", self.home_region), role, self.environment.name)


def _assumed(sts: Any, role: AssumeRole, name: str) -> Any:
    """A boto3 session of a role, which assumes it again before its credentials expire, in whichever thread needs that.

    They live for an hour, and a role that is assumed as another role cannot have them for longer
    (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds).

    Args:
        sts: A client that may assume it.
        role: The role.
        name: The environment, for errors.

    Raises:
        WrongAccountError: It cannot be assumed. Where that happens later, a call fails with botocore's own error.
    """
    import boto3
    import botocore.exceptions
    from botocore.credentials import RefreshableCredentials

    request = {"RoleArn": role.role_arn, "RoleSessionName": role.session_name}
    if role.external_id:
        request["ExternalId"] = role.external_id

    def assume() -> dict[str, str]:
        answer = sts.assume_role(**request)["Credentials"]
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }

    try:
        first = assume()
    except botocore.exceptions.ClientError as e:
        details = e.response.get("Error", {})
        raise WrongAccountError(
            f"cannot assume {role.role_arn}: {details.get('Code', '')} {details.get('Message', '')}".rstrip(),
            where=f"environments/{name}/environment.yaml",
            hint="check the role's trust policy, its external id and MFA condition, and the base credentials",
        ) from e
    core = _new_session(session_vars=_NO_PROFILE)
    # As Session.set_credentials does it, which takes no others than static ones.
    core._credentials = RefreshableCredentials.create_from_metadata(first, assume, "assume-role")
    return boto3.Session(botocore_session=core)
