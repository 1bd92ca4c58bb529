"""What `toolkit audit --organization` does: the same checks in every account of an organization."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.cli.discover_commands import account_of
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from toolkit.audit.model import Check
    from toolkit.controls.catalogue import Framework
    from toolkit.findings import Severity
    from toolkit.workflows.audit_organization import Chosen, Role

Organization = Annotated[
    bool,
    typer.Option(
        "--organization",
        help="Audit every active account of the organization, each as a role in it (--role-name). ENV or the "
        "credentials are those of the management account or a delegated administrator.",
    ),
]
RoleName = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="The role to assume in each account, with its path. Default: security-audit.",
    ),
]
ExternalId = Annotated[
    str | None, typer.Option("--external-id", metavar="TEXT", help="External id that the role's trust policy requires.")
]
Accounts = Annotated[
    str | None,
    typer.Option(
        "--accounts", metavar="LIST", help="Only these accounts of the organization: ids or names, commas between them."
    ),
]
Units = Annotated[
    list[str] | None,
    typer.Option(
        "--ou", metavar="ID", help="Only accounts below this organizational unit or root (ou-…, r-…); repeatable."
    ),
]
Exclude = Annotated[
    str | None,
    typer.Option("--exclude", metavar="LIST", help="Not these accounts of the organization: ids or names."),
]
MaxMinutes = Annotated[
    int | None,
    typer.Option(
        "--max-minutes", metavar="N", min=1, help="How long the audit of an organization takes at most. Default: 180."
    ),
]


@dataclass(frozen=True)
class OrganizationOptions:
    """What the command's options for an organization say; a field is called as its option."""

    role_name: str | None
    external_id: str | None
    accounts: str | None
    ou: list[str] | None
    exclude: str | None
    max_minutes: int | None

    def refuse(self) -> None:
        """Demand that none is given, since there is no --organization.

        Raises:
            UsageError: One is.
        """
        for field in fields(self):
            if getattr(self, field.name) is not None:
                option = f"--{field.name.replace('_', '-')}"
                raise UsageError(f"{option} is for an organization", hint=f"add --organization, or leave out {option}")

    def role(self) -> Role:
        """The role to assume.

        Raises:
            UsageError: Its name or external id cannot be one.
        """
        from toolkit.workflows.audit_organization import ROLE, Role

        name, external_id = self.role_name or ROLE, self.external_id
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
        if not re.fullmatch(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", name, re.ASCII):
            raise UsageError(
                f"--role-name: {name!r} is not a role's name",
                hint="expected 1 to 64 letters, digits or +=,.@_-, and its path before it (audit/reader)",
            )
        if external_id is not None and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external_id, re.ASCII):
            raise UsageError(
                "--external-id: not an external id",
                hint="expected 2 to 1224 letters, digits or +=,.@:/- (STS AssumeRole)",
            )
        return Role(name, external_id)

    def chosen(self) -> Chosen:
        """Which accounts are meant.

        Raises:
            UsageError: Both --accounts and --ou are given, or something that is no organizational unit.
        """
        from toolkit.workflows.audit_organization import Chosen

        if self.accounts is not None and self.ou:
            raise UsageError("--accounts and --ou both choose accounts", hint="leave out one of the two")
        for unit in self.ou or ():
            # https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
            if not re.fullmatch(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}", unit):
                raise UsageError(
                    f"--ou: {unit!r} is not the id of an organizational unit or root",
                    hint="expected one like ou-examplerootid111-exampleouid111 or r-examplerootid111",
                )
        return Chosen(_listed("--accounts", self.accounts), tuple(self.ou or ()), _listed("--exclude", self.exclude))


def _listed(option: str, text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(one.strip() for one in (text or "").split(",") if one.strip()))
    if text is not None and not names:
        raise UsageError(f"{option}: no account", hint="expected ids or names of accounts, with commas between them")
    return names


def print_policies(
    given: OrganizationOptions, wanted: Sequence[Check], env: str | None, account_id: str | None, region: str | None
) -> int:
    """Print the policies of the caller and of the role, and the role's trust policy."""
    from toolkit.regions import GLOBAL_REGION
    from toolkit.workflows.audit_organization import organization_policies
    from toolkit.workflows.new import check_answer
    from toolkit.workflows.workspace import read_environment

    home = region or GLOBAL_REGION["aws"]
    if env is not None:
        environment = read_environment(options.project(), env)[1]
        account_id, home = environment.account_id, environment.regions.home
    if account_id is None:
        raise UsageError(
            "--organization --print-policy needs the account that the roles trust",
            hint="add ENV, or --account-id with the id of the management account or the delegated administrator",
        )
    check_answer("account_id", account_id, "--account-id")
    check_answer("region", home, "--region")
    console.print_value(organization_policies(wanted, account_id, given.role(), home, units=bool(given.ou)))
    return ExitCode.OK


def run(
    given: OrganizationOptions,
    wanted: Sequence[Check],
    frameworks: Sequence[Framework],
    threshold: Severity,
    *,
    env: str | None,
    aws_profile: str | None,
    account_id: str | None,
    region: str | None,
    regions: str,
    history: Path | None,
    with_latest: bool,
    report: list[str] | None,
    max_calls: int | None,
    output_format: str,
    sandbox: bool,
) -> int:
    """Audit the organization, and show the report."""
    from toolkit.reports.organization import FORMATS, organization_data, organization_lines, organization_markdown
    from toolkit.workflows.audit_organization import MAX_MINUTES, audit_organization, environments_by_account
    from toolkit.workflows.discover import regions_wanted
    from toolkit.workflows.report import targets

    where = regions_wanted(regions)
    if where == "active":
        raise UsageError(
            "--regions active: only accounts with an environment file have active regions",
            hint="expected enabled, or names like eu-central-1,us-east-1",
        )
    role, chosen = given.role(), given.chosen()
    reports = targets(FORMATS, report, taken={}, as_json=output_format != "text") if report else ()
    with console.Progress() as progress:
        account = account_of(progress, env, aws_profile, account_id, region, sandbox, command="audit")
        project = options.project_if_any()
        simulated = account.clients.simulated
        found = audit_organization(
            account,
            wanted,
            where,
            frameworks,
            progress,
            role=role,
            chosen=chosen,
            environments=environments_by_account(project, env, simulated=simulated, observer=progress),
            max_calls=max_calls,
            max_minutes=given.max_minutes or MAX_MINUTES,
            history=history,
            with_latest=with_latest,
        )
    options.write(found, reports)
    if output_format == "json":
        console.print_json(organization_data(found))
    elif output_format == "markdown":
        console.document(organization_markdown(found))
    else:
        lines = organization_lines(found, verbose=console.Settings.verbose)
        console.show(lines, to_stderr=options.printed(reports))
    if found.interrupted:
        return ExitCode.INTERRUPTED
    if found.failed(threshold):
        return ExitCode.CHANGES
    return ExitCode.ERROR if found.problems or found.unknown(threshold) else ExitCode.OK
