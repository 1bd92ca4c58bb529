"""Decides which environment variables Terraform, boto3 and every other child process get.

In: an environment. Out: an `Admitted` one, or a refusal that names the variable. One table, first match decides; a name
in no row is refused if it is Terraform's or AWS's (`TF_*`, `AWS_*`), and dropped otherwise. So a variable that a later
provider learns to read cannot lead it to another place than the one that boto3 has checked.

What reads what:
https://developer.hashicorp.com/terraform/cli/config/environment-variables
https://registry.terraform.io/providers/hashicorp/aws/latest/docs#environment-variables
https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html#using-environment-variables
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

from toolkit.errors import RefusedError

BUNDLE_KEY = "TOOLKIT_BUNDLE_KEY"
"""With the key of plan bundles: 32 random bytes in base64. No child process gets it."""

SIGNING_PASSPHRASE = "TOOLKIT_SIGNING_PASSPHRASE"  # noqa: S105 - a name
"""With the passphrase of the private key that signs evidence packs. No child process gets it."""
_SECRETS = (BUNDLE_KEY, SIGNING_PASSPHRASE)

Fate = Literal["kept", "dropped", "reported", "refused"]
"""kept: passed on. dropped: not passed on. reported: not passed on, and the user is told so. refused: for a real
account, nothing runs; where no real account is meant, as "reported"."""


@dataclass(frozen=True)
class Rule:
    """What happens to the variables of one row."""

    fate: Fate
    why: str
    """A clause for users, after "NAME is set: "; the account's number is added where it ends with "be account"."""
    names: tuple[str, ...]
    """Whole names, or beginnings that end with an asterisk."""
    hint: str = "unset it"
    paths: Literal["one", "list"] | None = None
    """Whether values name a file or folder, or several with colons between them."""


def _rule(
    fate: Fate, why: str, names: str, hint: str = "unset it", paths: Literal["one", "list"] | None = None
) -> Rule:
    return Rule(fate, why, tuple(names.split()), hint, paths)


_SANDBOX = "unset it; the embedded AWS is entered with --sandbox or by `simulator: moto` in the environment file"

RULES = (
    # Refused: it would lead elsewhere, or change what was reviewed.
    _rule(
        "refused",
        "another endpoint could pretend to be account",
        "AWS_ENDPOINT_URL* AWS_S3_ENDPOINT AWS_IAM_ENDPOINT AWS_STS_ENDPOINT AWS_SSO_ENDPOINT AWS_DYNAMODB_ENDPOINT "
        "TF_AWS_IAM_ENDPOINT TF_AWS_STS_ENDPOINT TF_AWS_S3_ENDPOINT TF_AWS_DYNAMODB_ENDPOINT",
        _SANDBOX,
    ),
    _rule(
        "refused",
        "the provider would change tags that no review has shown",
        "TF_AWS_DEFAULT_TAGS_* TF_AWS_IGNORE_TAGS_*",
        "unset it; tags belong into `default_tags` of the environment file",
    ),
    _rule("refused", "the AWS provider would read it, and boto3, which checks the account, would not", "TF_AWS_*"),
    _rule(
        "refused",
        "only the AWS provider reads it, and boto3, which checks the account, does not",
        "AWS_METADATA_URL AWS_SHARED_CONFIG_FILE AWS_SDK_GO_CLIENT_TLS_CERT AWS_SDK_GO_CLIENT_TLS_KEY",
        "unset it; AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_CONFIG_FILE are read by both",
    ),
    _rule(
        "refused",
        "only boto3 reads it, and the AWS provider, which signs the changes, does not",
        "AWS_CREDENTIAL_FILE AWS_DATA_PATH AWS_LOGIN_CACHE_DIRECTORY",
        "unset it; AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE are read by both",
    ),
    _rule("refused", "the state would be encrypted by another key than the file names", "AWS_SSE_CUSTOMER_KEY"),
    _rule("refused", "the state would be encrypted in another way than the file says", "TF_ENCRYPTION"),
    _rule("refused", "Terraform would talk to the provider unencrypted", "TF_DISABLE_PLUGIN_TLS"),
    # Not passed on, and said: people set these on purpose.
    _rule("reported", "it would change what Terraform does here", "TF_CLI_ARGS* TF_VAR_* TF_DATA_DIR TERRAFORM_CONFIG"),
    # It names a provider that runs already, whatever the lock file says.
    _rule("reported", "it would change what Terraform does here", "TF_REATTACH_PROVIDERS"),
    # Dropped: the toolkit sets these itself, or decides them otherwise.
    _rule(
        "dropped",
        "the toolkit sets it itself",
        "TF_WORKSPACE TF_IN_AUTOMATION TF_INPUT TF_PLUGIN_MAGIC_COOKIE CHECKPOINT_* "
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ),
    _rule("dropped", "the toolkit sets retries itself (terraform.max_retries)", "AWS_MAX_ATTEMPTS AWS_RETRY_MODE"),
    _rule("dropped", "it is the toolkit's own and may hold a key", "TOOLKIT_*"),
    # Aliases, of which only one side reads one; `_refuse_pairs` has looked at them before they are dropped.
    _rule("dropped", "boto3 and the provider read it differently", "AWS_ACCESS_KEY AWS_SECRET_KEY AWS_SECURITY_TOKEN"),
    # Dropped: harmless, common in shells and CI, and of no use here. What only one side reads, neither reads then.
    _rule(
        "dropped",
        "it is for the AWS CLI, Lambda, CodeBuild and other tools",
        "AWS_PAGER AWS_CLI_* AWS_DEFAULT_OUTPUT AWS_OUTPUT AWS_COMPLETER_* AWS_LAMBDA_* AWS_XRAY_* AWS_BATCH_* "
        "AWS_CSM_* AWS_EXECUTION_ENV AWS_SDK_LOAD_CONFIG AWS_SDK_UA_APP_ID AWS_ACCOUNT_ID AWS_ACCOUNT "
        "AWS_BEARER_TOKEN_* AWS_CDK_* AWS_SAM_* AWS_PARTITION AWS_MFA_SERIAL AWS_TOOLS_*",
    ),
    _rule(
        "dropped",
        "it only says when credentials expire",
        "AWS_SESSION_EXPIRATION AWS_CREDENTIAL_EXPIRATION AWS_SESSION_TOKEN_EXPIRATION AWS_CREDENTIALS_EXPIRATION",
    ),
    _rule(
        "dropped",
        "it tunes requests that this toolkit does not make, or how they are sent",
        "AWS_STS_REGIONAL_ENDPOINTS AWS_S3_* AWS_DEFAULTS_MODE AWS_ENABLE_ENDPOINT_DISCOVERY "
        "AWS_ENDPOINT_DISCOVERY_ENABLED AWS_ACCOUNT_ID_ENDPOINT_MODE AWS_DISABLE_REQUEST_COMPRESSION "
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES AWS_REQUEST_CHECKSUM_CALCULATION AWS_RESPONSE_CHECKSUM_VALIDATION "
        "AWS_SIGV4A_SIGNING_REGION_SET AWS_AUTH_SCHEME_PREFERENCE AWS_DISABLE_HOST_PREFIX_INJECTION "
        "AWS_METADATA_SERVICE_TIMEOUT AWS_METADATA_SERVICE_NUM_ATTEMPTS AWS_IMDS_USE_IPV6",
    ),
    _rule(
        "dropped",
        "it is for other backends, for tests of providers, or tunes what is decided here",
        "TF_HTTP_* TF_CLOUD_* TF_FORCE_LOCAL_BACKEND TF_ACC TF_ACC_* TF_APPEND_USER_AGENT TF_STATE_PERSIST_INTERVAL "
        "TF_WARN_OUTPUT_ERRORS TF_SCHEMA_PANIC_ON_ERROR TF_TEMP_LOG_PATH TF_IGNORE "
        # With it, `init` takes a cached provider without asking for the checksums that the registry signs.
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    ),
    # What pipelines and tools put into every shell of theirs, under names that look like Terraform's or AWS's: Azure
    # Pipelines (TF_BUILD), tfswitch, GitLab's template, TensorFlow, the AWS SDK for JavaScript, and usual names of
    # variables that workflow files pass to actions/setup-terraform and aws-actions/configure-aws-credentials.
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables, https://tfswitch.warrensbox.com
    _rule(
        "dropped",
        "it is for pipelines and other programs",
        "TF_BUILD TF_VERSION TF_DEFAULT_VERSION TF_PRODUCT TF_ARCH TF_BINARY_PATH TF_INSTALL_PATH TF_ROOT TF_DIR "
        "TF_WORKING_DIR TF_STATE_NAME TF_ADDRESS TF_USERNAME TF_PASSWORD TF_API_TOKEN TF_CPP_* TF_ENABLE_ONEDNN_OPTS "
        "TF_FORCE_GPU_ALLOW_GROWTH TF_XLA_FLAGS TF_USE_LEGACY_KERAS AWS_ROLE_TO_ASSUME AWS_SDK_JS_* "
        "AWS_NODEJS_CONNECTION_REUSE_ENABLED",
    ),
    _rule(
        "dropped",
        "it would change how programs are loaded or run",
        "LD_* DYLD_* GLIBC_TUNABLES GCONV_PATH MALLOC_* BASH_ENV ENV IFS SHELLOPTS BASHOPTS GODEBUG GOTRACEBACK "
        "PLUGIN_* BOTO_CONFIG",
    ),
    # Kept.
    _rule("kept", "who and where the user is", "USER LOGNAME SHELL HOSTNAME"),
    _rule("kept", "homes and temporary files", "HOME TMPDIR", paths="one"),
    _rule("kept", "programs, their settings and certificates", "PATH XDG_* SSL_CERT_DIR", paths="list"),
    _rule(
        "kept",
        "language and terminal",
        "LANG LANGUAGE LC_* TZ TERM COLORTERM COLUMNS LINES NO_COLOR FORCE_COLOR",
    ),
    _rule(
        "kept",
        "the way to the network",
        "HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy",
    ),
    _rule(
        "kept",
        "whose certificates are trusted",
        "SSL_CERT_FILE AWS_CA_BUNDLE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS",
        paths="one",
    ),
    _rule("kept", "memory and processors of Terraform", "GOGC GOMEMLIMIT GOMAXPROCS"),
    _rule("kept", "logs and plugins of Terraform", "TF_LOG_PATH TF_CLI_CONFIG_FILE TF_PLUGIN_CACHE_DIR", paths="one"),
    _rule(
        "kept",
        "logs, patience and tokens for registries",
        "TF_LOG TF_LOG_* TF_REGISTRY_DISCOVERY_RETRY TF_REGISTRY_CLIENT_TIMEOUT TF_TOKEN_*",
    ),
    _rule(
        "kept",
        "version managers and the wrapper of setup-terraform: they choose which Terraform runs",
        "TFENV_* TOFUENV_* ASDF_* MISE_* TERRAFORM_CLI_PATH GITHUB_OUTPUT",
    ),
    _rule(
        "kept",
        "credentials and regions, which boto3 and the provider read alike",
        "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ROLE_ARN "
        "AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI "
        "AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_V1_DISABLED "
        "AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_REGION AWS_DEFAULT_REGION "
        "AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT",
    ),
    _rule(
        "kept",
        "files with credentials, which boto3 and the provider read alike",
        "AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_WEB_IDENTITY_TOKEN_FILE "
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        paths="one",
    ),
    # Programs behind `credential_process`, keyrings and browsers; neither SDK reads these.
    _rule(
        "kept",
        "helpers that fetch credentials",
        "AWS_VAULT AWS_VAULT_* AWS_SSO AWS_SSO_* AWS_OKTA_* AWSUME_* SAML2AWS_* GRANTED_* OP_* "
        "DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY SSH_AUTH_SOCK GPG_TTY GNUPGHOME KRB5CCNAME KRB5_CONFIG "
        "BROWSER",
    ),
)  # fmt: skip

_UNKNOWN = "the toolkit does not know it, and it could lead Terraform elsewhere or change what was reviewed"
_UNLISTED = {
    "TF_": Rule("refused", _UNKNOWN, ()),
    "AWS_": Rule(
        "refused",
        _UNKNOWN,
        (),
        "unset it; a variable that only a credential_process helper reads can be named under "
        "`toolkit.pass_environment` in the environment file",
    ),
}
_OTHER = Rule("dropped", "the toolkit does not know it", ())


@cache
def rule(name: str) -> Rule:
    """What is decided about a variable."""
    return decided(name) or next((row for start, row in _UNLISTED.items() if name.startswith(start)), _OTHER)


def decided(name: str) -> Rule | None:
    """The row of the table that names this variable, if one does."""
    for row in RULES:
        for pattern in row.names:
            if name == pattern or (pattern[-1] == "*" and name.startswith(pattern[:-1])):
                return row
    return None


def why_not_passed(name: str) -> str | None:
    """Why an environment file must not have this variable passed on; None if it may."""
    found = decided(name)
    if found is not None:
        return None if found.fate == "kept" else found.why
    return "Terraform and its providers read TF_*" if name.startswith("TF_") else None


class Admitted(dict[str, str]):
    """The complete environment of a child process; only `admit` makes one, and `|` adds what the toolkit sets."""

    reported: tuple[str, ...] = ()
    """Variables that were left out and that the user is told of."""

    def __or__(self, other: Mapping[str, str]) -> Self:  # type: ignore[override]
        joined = type(self)({**self, **other})
        joined.reported = self.reported
        return joined


def admit(
    environ: Mapping[str, str], *, account_id: str | None = None, where: str | None = None, more: Collection[str] = ()
) -> Admitted:
    """What of an environment child processes get; what has been admitted already stays as it is.

    Paths become absolute, since Terraform runs in another folder than boto3: both must read the same file. A variable
    without a value is left out: Terraform and the provider take it as unset, botocore as a profile called "".

    Args:
        environ: The user's environment.
        account_id: The real account that is meant; None where none is (the embedded AWS, or nothing asks AWS).
        where: The environment, for errors.
        more: Names that the environment file passes on.

    Raises:
        RefusedError: A variable would lead Terraform elsewhere or change what it does; or, for a real account, the AWS
            provider and boto3 would read it differently.
    """
    if isinstance(environ, Admitted):
        return environ
    if environ.get("TF_WORKSPACE", "default") not in ("", "default"):
        raise RefusedError(
            f"TF_WORKSPACE={environ['TF_WORKSPACE']} would select another state than the environment's",
            hint="Unset TF_WORKSPACE; an environment is chosen by its name.",
        )
    if account_id is not None:
        _refuse(sorted(n for n in environ if n not in more and rule(n).fate == "refused"), account_id, where)
        _refuse_pairs(environ, where)
    return kept(environ, more)


def kept(environ: Mapping[str, str], more: Collection[str] = ()) -> Admitted:
    """`admit` where nothing is refused: for child processes that are not Terraform."""
    fates = {name: "kept" if name in more else rule(name).fate for name in environ}
    admitted = Admitted({n: _value(n, v) for n, v in environ.items() if fates[n] == "kept" and (v or n in more)})
    admitted.reported = tuple(
        sorted(n for n, fate in fates.items() if fate == "reported" or (fate == "refused" and decided(n)))
    )
    if "AWS_WEB_IDENTITY_TOKEN_FILE" not in admitted:
        # botocore would use these with a token file of the profile, which has its own.
        admitted.pop("AWS_ROLE_ARN", None)
        admitted.pop("AWS_ROLE_SESSION_NAME", None)
    if admitted.get("AWS_REGION"):
        admitted["AWS_DEFAULT_REGION"] = admitted["AWS_REGION"]  # which the provider prefers, and botocore ignores
    return admitted


def inhabit(admitted: Admitted) -> None:
    """Make an admitted environment this process's own, but for the toolkit's variables and Python's.

    boto3 reads os.environ, and so do the `credential_process` helpers that it starts: they must not act for another
    user than the same helpers do under Terraform, nor get the toolkit's own secrets.
    """
    for name in set(os.environ) - set(admitted):
        if name in _SECRETS or not name.startswith(("TOOLKIT_", "PYTHON", "COVERAGE_", "PYTEST_")):
            del os.environ[name]
    os.environ.update(admitted)


def forget_aws() -> None:
    """Take AWS's variables, and the toolkit's own secrets, out of this process.

    Clients of the embedded AWS get all that they need by arguments.

    AWS_CA_BUNDLE, a retry mode or a region that botocore does not know would stop it.
    """
    for name in [name for name in os.environ if name.startswith("AWS_") or name in _SECRETS]:
        del os.environ[name]


def _refuse(names: list[str], account_id: str, where: str | None) -> None:
    if not names:
        return
    first = rule(names[0])
    alike = [name for name in names if rule(name) is first]
    raise RefusedError(
        f"{', '.join(alike)} {'is' if len(alike) == 1 else 'are'} set: {first.why}"
        + (f" {account_id}" if first.why.endswith("be account") else ""),
        where=where,
        hint=first.hint.replace("unset it", "unset them", 1) if len(alike) > 1 else first.hint,
    )


_ALIASES = (
    ("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "only the AWS provider reads AWS_ACCESS_KEY"),
    ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "only the AWS provider reads AWS_SECRET_KEY"),
    ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "only boto3 reads AWS_SECURITY_TOKEN"),
)
"""Each alias, the name that both sides read, and the difference. Go:
https://github.com/aws/aws-sdk-go-v2/blob/main/config/env_config.go, botocore:
https://github.com/boto/botocore/blob/develop/botocore/credentials.py (EnvProvider)"""


def _refuse_pairs(environ: Mapping[str, str], where: str | None) -> None:
    """Two variables of one meaning, of which boto3 takes one and the AWS provider the other.

    Profiles: botocore looks at AWS_DEFAULT_PROFILE first, aws-sdk-go-v2 at AWS_PROFILE first (the sources above, and
    https://github.com/boto/botocore/blob/develop/botocore/configprovider.py).
    """
    one, two = environ.get("AWS_PROFILE"), environ.get("AWS_DEFAULT_PROFILE")
    if one and two and one != two:
        raise RefusedError(
            f"AWS_PROFILE={one} and AWS_DEFAULT_PROFILE={two}: the AWS provider takes the first, and boto3, which "
            "checks the account, the second",
            where=where,
            hint="unset AWS_DEFAULT_PROFILE, or name the profile under `credentials.profile` and unset both",
        )
    for alias, name, difference in _ALIASES:
        value = environ.get(alias)
        if value and value != environ.get(name):
            also = f" and differs from {name}" if environ.get(name) else ""
            raise RefusedError(
                f"{alias} is set{also}: {difference}; both read {name}",
                where=where,
                hint=f"unset {alias}; put the value that is meant into {name}",
            )
    pair = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if all(environ.get(name) for name in pair):
        raise RefusedError(
            f"{' and '.join(pair)} are set: the AWS provider and boto3 need not choose the same one",
            where=where,
            hint="unset the one that is not meant",
        )


def _value(name: str, value: str) -> str:
    paths = rule(name).paths
    if not paths or not value:
        return value
    if paths == "list":
        return os.pathsep.join(
            part if part.startswith("/") else str(Path(part).absolute()) for part in value.split(os.pathsep)
        )
    # botocore expands variables and ~ in the names of its files, Terraform's side does not.
    return str(Path(os.path.expandvars(value)).expanduser().absolute())
