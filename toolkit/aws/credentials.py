"""Whether boto3, which checks the account, and the AWS provider, which changes it, would take the same credentials.

In: an admitted environment and a profile. Out: nothing, or a refusal that names what each of them would take. Calls no
AWS. Where the two agree, each still fetches and renews its own, so that none expires in the middle of an apply.

botocore: https://github.com/boto/botocore/blob/develop/botocore/credentials.py (create_credential_resolver,
ProfileProviderBuilder.providers, AssumeRoleProvider). session.py takes out its two places of boto 2 (`~/.boto`,
AWS_CREDENTIAL_FILE).
Provider and S3 backend: https://github.com/hashicorp/aws-sdk-go-base/blob/main/credentials.go leaves the choice to
https://github.com/aws/aws-sdk-go-v2/blob/main/config/resolve_credentials.go (resolveCredentialChain,
resolveCredsFromProfile) and …/config/shared_config.go (setFromIniSections).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import RefusedError

Profile = Mapping[str, Any]
Chain = tuple[tuple[str, str], ...]
"""Where credentials come from: setting (or variable) and profile, a role before what it is assumed with."""

_ENVIRONMENT = ""
_ELSEWHERE: Chain = (("the container or instance", _ENVIRONMENT),)
_KEY = "aws_access_key_id"
_TOKEN_FILE = "web_identity_token_file"  # noqa: S105  # the name of a setting
_SSO = ("sso_session", "sso_account_id", "sso_role_name", "sso_region", "sso_start_url")


class _LoudError(Exception):
    """botocore itself ends with an error here, before the provider is asked."""


def refuse_ambiguous(environ: Mapping[str, str], profile: str | None, where: str) -> None:
    """Refuse what the two sides would read differently.

    Args:
        environ: The environment of both, as `variables.admit` has let it through.
        profile: The profile that the environment file names; None leaves it to `environ`.
        where: The environment, for errors.

    Raises:
        RefusedError: They would take different credentials, or a file from another folder.
    """
    files = _Files.read(environ)
    name = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    try:
        ours = _boto3(files, environ, name, explicit=profile is not None)
    except _LoudError:
        return
    theirs = _provider(files, environ, name, explicit=profile is not None)
    if ours != theirs:
        raise RefusedError(
            f"boto3, which checks the account, would take {_text(ours)}, and the AWS provider {_text(theirs)}",
            where=where,
            hint="keep the one that is meant and take out the other, or name another profile under "
            "`credentials.profile` in the environment file",
        )
    for setting, used in ours:
        _refuse_elsewhere(files, setting, used, where)


def _text(chain: Chain) -> str:
    return ", with ".join(f'{setting} of profile "{name}"' if name else setting for setting, name in chain)


@dataclass(frozen=True)
class _Files:
    """The AWS configuration and credentials files, as botocore parses them."""

    profiles: Mapping[str, Profile]
    """Both files' profiles; what the credentials file says comes before what the configuration says, on both sides."""
    credentials: Mapping[str, Profile]
    doubled_default: bool
    """Whether the configuration has both `[default]` and `[profile default]`."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> _Files:
        import botocore.configloader
        import botocore.exceptions

        home = Path(environ.get("HOME") or "~").expanduser() / ".aws"

        def raw(name: str, default: str) -> dict[str, Any]:
            path = environ.get(name) or str(home / default)
            try:
                found: dict[str, Any] = botocore.configloader.raw_config_parse(path)
            except botocore.exceptions.ConfigNotFound:
                return {}
            except botocore.exceptions.ConfigParseError as e:
                raise RefusedError(
                    "the AWS configuration cannot be parsed",
                    where=path,
                    detail=str(e),
                    hint="fix the file: credentials that cannot be compared are not used",
                ) from e
            return found

        config = raw("AWS_CONFIG_FILE", "config")
        profiles: dict[str, dict[str, Any]] = {
            name: dict(found) for name, found in botocore.configloader.build_profile_map(config)["profiles"].items()
        }
        credentials = raw("AWS_SHARED_CREDENTIALS_FILE", "credentials")
        for name, found in credentials.items():
            profiles.setdefault(name, {}).update(found)
        return cls(profiles, credentials, {"default", "profile default"} <= set(config))


def _boto3(files: _Files, environ: Mapping[str, str], name: str, *, explicit: bool) -> Chain:
    """What botocore takes; an explicit profile switches the variables off."""
    if not explicit and environ.get("AWS_ACCESS_KEY_ID"):
        if not environ.get("AWS_SECRET_ACCESS_KEY"):
            raise _LoudError
        return (("AWS_ACCESS_KEY_ID", _ENVIRONMENT),)
    if _boto3_assumes(files.profiles.get(name, {})):
        return _boto3_role(files, name, (name,))
    if not explicit and environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return (("AWS_WEB_IDENTITY_TOKEN_FILE", _ENVIRONMENT),)
    return _boto3_profile(files, name) or _ELSEWHERE


def _boto3_assumes(profile: Profile) -> bool:
    return "role_arn" in profile and _TOKEN_FILE not in profile


def _boto3_role(files: _Files, name: str, visited: tuple[str, ...]) -> Chain:
    profile = files.profiles[name]
    role = ("role_arn", name)
    source = profile.get("source_profile")
    if (source is None) == ("credential_source" not in profile) or (
        source is not None and source not in files.profiles
    ):
        raise _LoudError
    if source is None:
        return role, (f"credential_source {profile['credential_source']}", name)
    base = files.profiles[source]
    static = _KEY in base or "aws_secret_access_key" in base
    if source in visited and (source != name or not static):
        raise _LoudError
    if static or not _boto3_assumes(base):
        found = _boto3_profile(files, source)
        if not found:
            raise _LoudError
        return role, *found
    return role, *_boto3_role(files, source, (*visited, source))


def _boto3_profile(files: _Files, name: str) -> Chain:
    """What a profile offers by itself, in botocore's order."""
    profile = files.profiles.get(name, {})
    offers = (
        (_TOKEN_FILE, _TOKEN_FILE in profile),
        ("sso", "sso_account_id" in profile or "sso_role_name" in profile),
        (_KEY, _KEY in files.credentials.get(name, {})),
        ("login_session", "login_session" in profile),
        ("credential_process", "credential_process" in profile),
        (_KEY, _KEY in profile),
    )
    return next((((setting, name),) for setting, there in offers if there), ())


def _provider(files: _Files, environ: Mapping[str, str], name: str, *, explicit: bool) -> Chain:
    """What aws-sdk-go-v2 takes; an explicit profile comes before the variables."""
    if not explicit and environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return (("AWS_ACCESS_KEY_ID", _ENVIRONMENT),)
    if not explicit and environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return (("AWS_WEB_IDENTITY_TOKEN_FILE", _ENVIRONMENT),)
    return _provider_profile(files, name, ())


def _provider_profile(files: _Files, name: str, visited: tuple[str, ...]) -> Chain:
    profile = dict(files.profiles.get(name, {}))
    keys = bool(profile.get(_KEY) and profile.get("aws_secret_access_key"))
    if visited and keys:  # of a source profile, its keys are taken, whatever else it says
        return ((_KEY, name),)
    if name in visited:
        for setting in ("role_arn", "source_profile"):
            profile.pop(setting, None)
    if profile.get("source_profile"):
        base = _provider_profile(files, profile["source_profile"], (*visited, name))
    elif keys:
        base = ((_KEY, name),)
    elif profile.get("credential_source"):
        base = ((f"credential_source {profile['credential_source']}", name),)
    elif profile.get(_TOKEN_FILE):
        return ((_TOKEN_FILE, name),)
    elif any(profile.get(setting) for setting in _SSO):
        base = (("sso", name),)
    elif profile.get("credential_process"):
        base = (("credential_process", name),)
    else:
        base = _ELSEWHERE
    return (("role_arn", name), *base) if profile.get("role_arn") else base


def _refuse_elsewhere(files: _Files, setting: str, name: str, where: str) -> None:
    """What a profile says that means two things: to boto3, here and without a shell; to the provider, in rendered/."""
    profile = files.profiles.get(name, {}) if name else {}
    problem = None
    if name == "default" and files.doubled_default:
        problem = "is there as [default] and as [profile default]", "keep one of the two"
    elif profile.get("aws_security_token", profile.get("aws_session_token")) != profile.get("aws_session_token"):
        problem = "has an aws_security_token, which only boto3 reads", "call it aws_session_token"
    elif setting == _TOKEN_FILE and not Path(profile[_TOKEN_FILE]).is_absolute():
        problem = f"has a relative {_TOKEN_FILE}, which Terraform reads in another folder", "write its full path"
    elif setting == "credential_process" and (found := _two_meanings(profile["credential_process"])):
        problem = f"has a credential_process {found}", "put the command into a script, and name it by its full path"
    if problem:
        raise RefusedError(
            f'profile "{name}" {problem[0]}', where=where, hint=f"{problem[1]}, in the AWS configuration"
        )


def _two_meanings(command: str) -> str | None:
    """Why boto3, which splits a command into words, runs another one than the provider, which gives it to `sh -c`."""
    program = command.lstrip().partition(" ")[0].strip("\"'")
    if "/" in program and not Path(program).is_absolute():
        return "with a relative path, which Terraform starts in another folder"
    if Path(program).name not in ("sh", "bash") and any(_for_a_shell(command)):
        return "that means something else to a shell: boto3 starts it without one, and the AWS provider with one"
    return None


def _for_a_shell(command: str) -> Iterator[str]:
    unquoted = re.sub(r"\\.|'[^']*'", "", command)
    yield from re.findall(r"[$`]", unquoted)
    yield from re.findall(r"[|&;<>()*?#~]", re.sub(r'"[^"]*"', "", unquoted))
