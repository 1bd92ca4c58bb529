"""The commands that make and verify evidence packs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from toolkit.cli import console, options
from toolkit.cli.discover_commands import account_of, refuse
from toolkit.documents import document
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from toolkit.evidence.pack import Verified
    from toolkit.signing import Signer
    from toolkit.workflows.evidence import Made

_MAKE = "make"


class EvidenceGroup(TyperGroup):
    """`evidence ENV` is `evidence make ENV`: whatever is not the name of one of its commands belongs to that one."""

    default_command = _MAKE

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's; options may come first."""
        return super().parse_args(ctx, self._named(ctx, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click's."""
        return super().resolve_command(ctx, self._named(ctx, args))

    def _named(self, ctx: Any, args: list[str]) -> list[str]:
        known = not args or args[0] in self.commands or args[0] in self.get_help_option_names(ctx)
        return args if known else [_MAKE, *args]


app = typer.Typer(
    cls=EvidenceGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Write and verify evidence of an account, for auditors.

    `toolkit evidence ENV` is short for `toolkit evidence make ENV`. An environment that has the name of a command is
    given by its folder: `toolkit evidence environments/verify -o FILE`.

    \b
    Examples:
      toolkit evidence prod -o prod.zip --private-key key.pem
      toolkit evidence verify prod.zip --public-key key.pub.pem
    """,
)


@app.command()
def make(
    env: options.OptionalEnv = None,
    aws_profile: options.AwsProfile = None,
    account_id: options.AccountId = None,
    region: options.HomeRegion = None,
    regions: options.Regions = options.ALL_REGIONS,
    framework: options.Frameworks = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="The pack, a zip file. An existing file is not replaced."),
    ] = None,
    private_key: Annotated[
        Path | None,
        typer.Option(
            "--private-key",
            metavar="KEY",
            help="Sign with this Ed25519 key (PEM). The passphrase of an encrypted one is read from "
            "TOOLKIT_SIGNING_PASSPHRASE, or in a terminal prompted for.",
        ),
    ] = None,
    kms_key: Annotated[
        str | None,
        typer.Option(
            "--kms-key",
            metavar="ID",
            help="Sign with this asymmetric KMS key (id, ARN or alias; usage SIGN_VERIFY), with the credentials that "
            "read the account.",
        ),
    ] = None,
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the IAM policy that this needs, and read nothing.")
    ] = False,
    max_calls: options.MaxCalls = None,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
) -> int:
    """Audit an account, and pack the report with its facts.

    The pack has the report of `toolkit audit`, each call of AWS with its request id and its answer, IAM's credential
    report, the digest of the rendered files, the git commit, and a manifest with the SHA-256 of each file, which is
    signed if a key is given. Secrets are left out of the answers. Reads only. The exit code is 0 if the pack was
    written, also if checks failed.

    \b
    Examples:
      openssl genpkey -algorithm ed25519 -out key.pem
      toolkit evidence prod -o prod.zip --private-key key.pem
      toolkit evidence prod -o prod.zip --kms-key alias/evidence
      toolkit evidence --account-id 111122223333 -o account.zip
      toolkit evidence --print-policy --kms-key alias/evidence
    """
    from toolkit.audit.registry import checks
    from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
    from toolkit.workflows import evidence
    from toolkit.workflows.audit import chosen
    from toolkit.workflows.coverage import chosen as frameworks
    from toolkit.workflows.discover import MAX_CALLS, regions_wanted

    if private_key is not None and kms_key is not None:
        raise UsageError("--private-key and --kms-key: one of them signs", hint="leave one of them out")
    wanted = chosen(frameworks=frameworks(framework)) if framework else tuple(checks().values())
    if print_policy:
        reading = {
            "ENV": env, "--aws-profile": aws_profile, "--account-id": account_id, "--region": region,
            "--max-calls": max_calls, "--regions": regions if regions != options.ALL_REGIONS else None,
            "--sandbox": sandbox or None, "-o": output, "--private-key": private_key, "--json": as_json or None,
        }  # fmt: skip
        refuse("--print-policy", [name for name, value in reading.items() if value is not None])
        console.print_policies(evidence.policies(wanted, kms=kms_key is not None))
        return ExitCode.OK
    if output is None:
        raise UsageError("-o FILE is missing: where the pack is written", hint="toolkit evidence ENV -o FILE.zip")
    evidence.require_free(output)
    where = regions_wanted(regions)
    signer: Signer | None = None
    if private_key is not None:
        signer = evidence.file_signer(private_key, os.environ, _prompt if console.in_terminal() else None)
    with console.Progress() as progress:
        account = account_of(progress, env, aws_profile, account_id, region, sandbox, command="evidence")
        if kms_key is not None:
            signer = evidence.kms_signer(account, kms_key)
        made = evidence.make_evidence(
            options.project() if env is not None else None,
            account,
            wanted,
            where,
            frameworks(framework or [DEFAULT_FRAMEWORK]),
            progress,
            file=output,
            signer=signer,
            max_calls=MAX_CALLS if max_calls is None else max_calls,
        )
    if as_json:
        console.print_json(document("evidence", evidence.made_data(made)))
    else:
        _show(made)
    return ExitCode.OK


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pack.")],
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key",
            metavar="KEY",
            help="The signer's public key (PEM). Without it, only integrity is checked: anyone can make a pack that is "
            "intact.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Verify a pack: its files and its signature.

    Offline. It names every file that is changed, missing or added. The exit code is 7 then, and if the signature is not
    that of the key. Get the public key from the signer, not together with the pack.

    \b
    Examples:
      toolkit evidence verify prod.zip --public-key key.pub.pem
      toolkit evidence verify prod.zip        integrity only
    """
    from toolkit.evidence.pack import verify_pack
    from toolkit.signing import read_public_key

    found = verify_pack(file, read_public_key(public_key) if public_key is not None else None)
    if as_json:
        console.print_json(document("evidence-verify", found.as_data))
    else:
        _show_verified(file, found)
    return ExitCode.OK if found.intact else ExitCode.BAD_PLAN


def _prompt() -> bytes:
    import getpass

    return getpass.getpass("Passphrase of the private key: ").encode()


def _show(made: Made) -> None:
    from toolkit.evidence.pack import short
    from toolkit.findings import Status

    manifest, statuses = made.manifest, list(made.audit.by_check.values())
    passed, failed, unknown = (statuses.count(one) for one in (Status.PASS, Status.FAIL, Status.UNKNOWN))
    of = f"{manifest.environment}, account {manifest.account_id}" if manifest.environment else manifest.account_id
    embedded = " on the embedded AWS" if manifest.simulator else ""
    console.say(
        f"Evidence of {of}{embedded}, as of {manifest.taken}: {made.file}",
        f"  {len(manifest.names)} files, {made.size / 1024:,.0f} KiB; {manifest.calls:,} calls of AWS",
        f"  Checks: {passed} passed, {failed} failed, {unknown} unknown",
        f"  Secrets left out: {manifest.stripped:,} values",
    )
    if manifest.environment and manifest.rendered is None:
        console.tell("The environment is not rendered yet: the pack has no digest of rendered files.")
    signature = manifest.signature
    if signature is None:
        console.say("  Not signed: it shows what is damaged, not who made it (--private-key, --kms-key)")
        console.tell(f"Next: toolkit evidence verify {made.file}")
        return
    console.say(f"  Signed ({signature.algorithm}) with the key {short(signature.public_key_sha256)}")
    console.tell(f"Next: toolkit evidence verify {made.file} --public-key KEY")


def _show_verified(file: Path, found: Verified) -> None:
    from toolkit.evidence.pack import short

    manifest = found.manifest
    if manifest is not None:
        embedded = " on the embedded AWS" if manifest.simulator else ""
        of = f" ({manifest.environment})" if manifest.environment else ""
        console.say(
            f"Evidence of account {manifest.account_id}{of}{embedded}, as of {manifest.taken}",
            f"Read by {manifest.caller}",
            f"{found.valid}/{found.files} files valid",
        )
    for problem in found.problems:
        name = f"{problem.name}: " if problem.name else ""
        console.say(f"{problem.kind.upper()}: {name}{problem.text}")
    if any(one.kind != "signature" for one in found.problems):
        console.say(f"INVALID: {file} is not as it was made.")
    elif not found.intact:
        console.say(f"INVALID: {file} does not have the signature of the given key.")
    elif found.key is not None:
        console.say(f"VALID: signed ({found.key.algorithm}) with the given key, {short(found.key.fingerprint)}.")
    else:
        signed = manifest is not None and manifest.signature is not None
        console.say(
            "INTEGRITY ONLY: the files are those of the manifest. Who made the pack was not checked: "
            + ("give the signer's --public-key." if signed else "it is not signed.")
        )
