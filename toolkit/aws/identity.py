"""Who the credentials belong to, asked of STS before anything may touch an account.

In: an environment's credentials and the process environment. Out: a CallerIdentity, or an error that says whose
credentials these are. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.aws.session import AwsSession
from toolkit.errors import WrongAccountError


@dataclass(frozen=True)
class CallerIdentity:
    """Answer of STS GetCallerIdentity."""

    account_id: str
    arn: str


def check_account(session: AwsSession) -> CallerIdentity:
    """The caller, if it is in the environment's account.

    Raises:
        WrongAccountError: No usable credentials, STS does not answer, or another account answers.
    """
    environment = session.environment
    caller = caller_identity(session, environment.name)
    if caller.account_id != environment.account_id:
        switch = (
            f"`toolkit sandbox up --account-id {environment.account_id}` adds that account to it; nothing was read or "
            "changed"
            if session.simulated
            else "switch to credentials of the environment's account (AWS_PROFILE, credentials.profile or "
            "credentials.assume_role), or correct account_id; nothing was read or changed in the other account"
        )
        what = "the embedded AWS that runs is" if session.simulated else "these credentials belong to"
        raise WrongAccountError(
            f"{what} account {caller.account_id} ({caller.arn}), but the environment is for account "
            f"{environment.account_id}",
            where=f"environments/{environment.name}/environment.yaml:{environment.lines.get(('account_id',), 1)}",
            hint=switch,
        )
    return caller


def principal_arn(session: AwsSession, caller: CallerIdentity) -> str:
    """The caller as policies see it (aws:PrincipalArn).

    Of a role's session that is the role's ARN with its path, which the session's own ARN lacks: roles of IAM Identity
    Center are below aws-reserved/sso.amazonaws.com/, and a pattern without that does not match them.

    Raises:
        ToolkitError: The role cannot be read.
    """
    from toolkit.aws.gather import gather
    from toolkit.aws.inventory import Inventory
    from toolkit.iam import role_session
    from toolkit.plan.own_role import RoleWanted

    found = role_session(caller.arn)
    if found is None:
        return caller.arn
    wanted = RoleWanted(found[0])
    role = gather([wanted], Inventory(session))[wanted]
    return role.arn if role else caller.arn


def caller_identity(session: AwsSession, name: str) -> CallerIdentity:
    """Whoever the credentials belong to; raises WrongAccountError where STS does not say."""
    import botocore.exceptions as e
    from botocore.parsers import ResponseParserError

    try:
        answer = session.client("sts").get_caller_identity()
        return CallerIdentity(answer["Account"], answer["Arn"])
    except (e.NoCredentialsError, e.PartialCredentialsError, e.CredentialRetrievalError) as error:
        raise WrongAccountError(
            f"no usable AWS credentials: {error}",
            where=name,
            hint="sign in (`aws sso login`, AWS_PROFILE, AWS_ACCESS_KEY_ID …) or name a profile or role under "
            "`credentials` in the environment file",
        ) from error
    except e.ProfileNotFound as error:
        raise WrongAccountError(
            str(error), where=name, hint="`aws configure list-profiles` shows what the AWS configuration has"
        ) from error
    except e.ClientError as error:
        details = error.response.get("Error", {})
        raise WrongAccountError(
            f"AWS refuses these credentials: {details.get('Code', '')} {details.get('Message', '')}".rstrip(),
            where=name,
            hint="renew the session or keys; with assume_role, check the role's trust policy and external id",
        ) from error
    except (e.BotoCoreError, ValueError) as error:
        raise WrongAccountError(
            f"sts:GetCallerIdentity failed: {error}",
            where=name,
            hint="check the network, proxy and the AWS configuration",
        ) from error
    except (ResponseParserError, KeyError) as error:
        # A proxy's own page, for instance; its text would fill the screen.
        raise WrongAccountError(
            "sts:GetCallerIdentity failed: the response is not from STS",
            where=name,
            hint="check the network, proxy and the AWS configuration; a proxy may require a sign-in",
        ) from error
