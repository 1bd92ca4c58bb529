"""Who is responsible: contacts of the account, users that nobody reviews, sign-in by an identity provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from toolkit.audit.checks.organizations import Organization
from toolkit.audit.facts import CredentialReport, Every, Fact, users
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.components.iam_users import IamUsers, User
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_KINDS = ("BILLING", "OPERATIONS", "SECURITY")


def _contacts(scope: Scope) -> Iterator[Every]:
    yield Every("aws_account_alternate_contact", scope.region)


def _contacts_judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    (wanted,) = _contacts(scope)
    found = {one.values["alternate_contact_type"]: one for one in answers[wanted]}
    for kind in _KINDS:
        if kind not in found:
            yield Outcome(Status.FAIL, f"there is no alternate contact {kind}", part=kind)
    first: dict[str, str] = {}
    for kind, one in sorted(found.items()):
        address = one.values["email_address"].lower()
        if address in first:
            yield Outcome(Status.FAIL, f"{one.called} has the email address of {first[address]}", one)
        else:
            first[address] = kind
            yield Outcome(Status.PASS, f"{one.called} has an address of its own", one)


@dataclass(frozen=True)
class SamlProviders(Fact):
    """Every SAML provider, also that of IAM Identity Center, which makes one in each account.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSAMLProviders.html
    """

    named = "every SAML provider"
    calls = ("iam:ListSAMLProviders",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The providers and until when their metadata is valid."""
        answer = source.call("iam", "list_saml_providers", source.home_region) or {}
        return tuple(
            Live(
                {"arn": one["Arn"]},
                {"valid_until": one.get("ValidUntil")},
                f"the SAML provider {one['Arn'].rsplit('/', 1)[-1]}",
                one["Arn"],
                arn=one["Arn"],
                region=source.home_region,
                type="aws_iam_saml_provider",
            )
            for one in answer["SAMLProviderList"]
        )


def _federation_needs(_: Scope) -> Iterator[Fact]:
    yield from (SamlProviders(), Organization())


def _federation(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    every = answers[SamlProviders()]
    for one in every:
        until = one.values["valid_until"]
        if until is not None and until <= scope.now:
            yield Outcome(Status.FAIL, f"the metadata of {one.called} expired on {until:%Y-%m-%d}", one)
        else:
            yield Outcome(Status.PASS, f"there is {one.called}", one)
    if every:
        return
    if answers[Organization()]:
        yield Outcome(Status.FAIL, "no identity provider: users of the organization sign in to each account by itself")
    else:
        # CIS 5.0 1.20 and CIS 7.0 2.19 are about environments of several accounts.
        yield Outcome(Status.NOT_APPLICABLE, "the account is in no organization, so there is one place to sign in")


def _report(_: Scope) -> Iterator[Fact]:
    yield CredentialReport()


def _known(scope: Scope) -> dict[str, User] | None:
    """Users of environment.yaml; None: there is no file, or it leaves users alone."""
    own = scope.environment.enabled("iam_users") if scope.environment is not None else None
    return dict(own.settings.users) if own is not None and isinstance(own.settings, IamUsers) else None


def _each(
    said: Callable[[Live, User | None, Scope], str | None], well: str
) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges each IAM user by its entry in environment.yaml, where there is one.

    Args:
        said: What is wrong with a user; None: nothing.
        well: What holds of all users where nothing is; `{}` is how many there are.
    """

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        every = users(answers[CredentialReport()])
        if (known := _known(scope)) is None:
            yield Outcome(Status.NOT_APPLICABLE, "there is no environment file with `components.iam_users`")
            return
        wrong = [(user, said(user, known.get(user.values["user"]), scope)) for user in every]
        failed = [Outcome(Status.FAIL, problem, user) for user, problem in wrong if problem is not None]
        yield from failed
        if not failed:
            yield Outcome(Status.PASS, well.format(f"{len(every):,}"))

    return judge


def _absent(user: Live, entry: User | None, _: Scope) -> str | None:
    if entry is None:
        return f"{user.called} is not in environment.yaml"
    return f"{user.called} has `status: removed`, but exists" if entry.status == "removed" else None


def _overdue(user: Live, entry: User | None, scope: Scope) -> str | None:
    if entry is None or date.fromisoformat(entry.review_date) >= scope.now.date():
        return None
    return f"{user.called} was to be reviewed by {entry.owner} on {entry.review_date}"


CHECKS = (
    Check(
        "account_maintain_different_contact_details_to_security_billing_and_operations",
        "Security, billing and operations have alternate contacts of their own.",
        Severity.MEDIUM,
        "account",
        _contacts,
        _contacts_judge,
        Remedy("set `components.account_contacts` in environment.yaml", "account_contacts"),
        why="AWS otherwise sends all notices to root's email address.",
        source="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",
    ),
    Check(
        "iam_check_saml_providers_sts",
        "People sign in through an identity provider.",
        Severity.NOTE,
        "iam",
        _federation_needs,
        _federation,
        Remedy("connect an identity provider, best by IAM Identity Center (docs/identity-center.md)"),
        why="A user who leaves loses access in one place, instead of in each account.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html",
    ),
    Check(
        "iam_user_in_environment",
        "Each IAM user is in environment.yaml.",
        Severity.MEDIUM,
        "iam",
        _report,
        _each(_absent, "each of {} users is in environment.yaml"),
        Remedy(
            "add the user to `components.iam_users.users` (`toolkit adopt` does), or delete it", "iam_users", "users"
        ),
        why="A user that no file knows has no owner and is never reviewed.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    ),
    Check(
        "iam_user_review_date",
        "No review date of an IAM user has passed.",
        Severity.MEDIUM,
        "iam",
        _report,
        _each(_overdue, "no review date has passed"),
        Remedy("confirm with the owner: set a later `review_date`, or `status: suspended`", "iam_users", "users"),
        why="Without reviews, users keep permissions that they no longer need.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    ),
)
