"""How a saved plan gets from the job that plans to the job that applies, and what the second demands of it.

In: what --out, --plan and the environment say. Out: a bundle in S3; or one that was read, with what is proven of it.
What an environment demands is demanded again where it is applied (`demand_proven`): no way leads past it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.aws.keys import KmsPublicKey, KmsSigner
from toolkit.aws.session import AwsSession
from toolkit.aws.stored import BundleStore
from toolkit.environment import Environment
from toolkit.errors import BadPlanError, ToolkitError, UsageError
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import EnvironmentPaths, Project
from toolkit.signing import (
    KeyFile,
    KmsKey,
    PublicKey,
    Signed,
    Signer,
    Workflow,
    read_private_key,
    read_public_key,
    required_signature,
)
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import NO_KEYS, Keys, is_sealed
from toolkit.terraform.stored import Stored, is_reference, is_stored, referenced, stored
from toolkit.variables import SIGNING_PASSPHRASE
from toolkit.workflows.attestation import demand_attested
from toolkit.workflows.checkout import known_tree
from toolkit.workflows.observer import Observer
from toolkit.workflows.pipeline_run import VARIABLE, pipeline_run
from toolkit.workflows.scratch import own_folder, scratch_folder
from toolkit.workflows.workspace import Access, aws_environ, read_environment, sources

THIS = "this"
"""As --require-run: the run that applies."""
ENCRYPTED, SAME_RUN = "encrypted", "planned in this run"
_SETTING = "bundle.{} in environment.yaml"
_GIT = (
    "git must be on PATH, and the clone must belong to the user that runs the toolkit (in a container, "
    "`git config --global --add safe.directory DIR`)"
)
_AGAIN = "nothing was applied; plan again and review the new plan"


@dataclass(frozen=True)
class Demands:
    """What options demand of a saved plan, on top of what its environment does."""

    signature: str | None = None
    """Whose signature, as --require-signature names it."""
    run: str | None = None
    """Which run, as --require-run names it."""


def check(demands: Demands) -> None:
    """Demand that options can be understood, before anything is read.

    Raises:
        UsageError: One cannot.
    """
    if demands.signature is not None:
        required_signature(demands.signature, option="--require-signature")
    if demands.run is not None and demands.run != THIS and ":" not in demands.run:
        raise UsageError(
            f"--require-run: {demands.run!r} is not a run of a pipeline",
            hint="expected this (the run that applies), or the URL of a run like "
            "https://github.com/OWNER/REPO/actions/runs/ID, as `toolkit show` prints it",
        )


def session_of(project: Project, name: str, access: Access) -> AwsSession:
    """A session with an environment's credentials, for keys and buckets."""
    paths, environment = read_environment(project, name)
    return AwsSession(environment, aws_environ(project, environment, access, scratch_folder(paths)))


def store_of(session: AwsSession) -> BundleStore:
    """The bucket of an environment's bundles."""
    given = session.environment.bundle
    return BundleStore(session, owner=given.bucket_owner or session.account_id, kms_key=given.bucket_kms_key)


def content_of(
    plan: str, project: Project | None, access: Access, name: str | None = None
) -> tuple[bytes, Path | Stored]:
    """The content of a saved plan, and where it is: a file, an object in S3, or the object that a file refers to.

    Args:
        plan: As the user names it.
        project: Whose environments' credentials read from S3; None: outside of any project.
        access: How AWS is reached.
        name: The environment that it must be for; None: any.

    Raises:
        UsageError: It is no such name.
        BadPlanError: It cannot be read, is not what its name says, or is another environment's.
        ToolkitError: S3 does not give it.
    """
    if is_stored(plan):
        source = stored(plan, option="--plan")
    else:
        content = bundles.read_content(Path(plan))
        if not is_reference(content):
            return content, Path(plan)
        source = referenced(content, plan)
    if name is not None and source.environment != name:
        raise _of_another(source.environment, name, source)
    if project is None:
        raise ToolkitError(
            f"saved in S3, which is read with the credentials of its environment {source.environment!r}",
            where=str(source),
            hint="run the command in the project of that environment (-C DIR)",
        )
    session = session_of(project, source.environment, access)
    return store_of(session).get(source, bundles.MAX_BYTES), source


def save_stored(session: AwsSession, target: Stored, content: bytes, observer: Observer) -> None:
    """Put a bundle into S3.

    Raises:
        ToolkitError: S3 does not take it.
    """
    observer.stage(f"Saving the plan in s3://{target.bucket}")
    try:
        with uninterrupted():
            encryption = store_of(session).put(target, content)
            report(f"the plan is in {target}")
    except ToolkitError as error:
        # Reports are written before: they name the object, by which people find it later.
        said = "the plan was shown and reported, but not saved: reports that name it are of no use"
        error.detail = f"{error.detail}\n{said}" if error.detail else said
        raise
    if encryption is not None and not encryption.startswith("aws:kms") and not is_sealed(content):
        observer.warning(
            f"S3 encrypted the plan with {encryption}, which every reader of the bucket can decrypt: make SSE-KMS the "
            "default encryption of the bucket, or name a key under bundle.bucket_kms_key"
        )


def signer_of(session: AwsSession, key: str, environ: Mapping[str, str]) -> Signer:
    """Who signs, as --sign names it: a KMS key, or a file with a private key.

    Raises:
        UsageError: It is not a key that signs.
        ToolkitError: It cannot be read, or KMS refuses.
    """
    wanted = required_signature(key, option="--sign")
    if isinstance(wanted, Workflow):
        raise UsageError(
            "--sign: a workflow attests a bundle itself, after it was saved",
            hint="add a step with actions/attest-build-provenance to the workflow (docs/hand-over.md)",
        )
    if isinstance(wanted, KmsKey):
        return KmsSigner(session, wanted.id, option="--sign")

    def passphrase() -> bytes | None:
        word = environ.get(SIGNING_PASSPHRASE)
        return word.encode() if word else None

    return read_private_key(Path(wanted.file), passphrase, option="--sign")


def missing_at_plan(
    session: AwsSession, *, sandbox: bool, encrypted: bool, signed: Signed | None, run: str | None, git_tree: str | None
) -> tuple[str, ...]:
    """What `apply` would refuse in a bundle that is planned like this, in words for a note."""
    environment = session.environment
    if not _holds(environment, sandbox=sandbox):
        return ()
    found = []
    demanded = environment.bundle.require_signature
    if demanded is not None:
        setting = _SETTING.format("require_signature")
        if not demanded.startswith("github:"):
            if signed is None:
                found.append(f"not signed ({setting} demands {demanded}): --sign signs it")
            elif problem := _of_another_key(signed, demanded, session):
                found.append(f"{problem} ({setting} demands {demanded})")
        if git_tree is None:
            found.append(f"git names no commit here, which a signed plan needs ({setting}): {_GIT}")
    if environment.bundle.require_encryption and not encrypted:
        found.append(f"not encrypted ({_SETTING.format('require_encryption')})")
    if environment.bundle.require_run and run is None:
        found.append(f"not planned in a run of a pipeline ({_SETTING.format('require_run')})")
    return tuple(found)


def _of_another_key(signed: Signed, demanded: str, session: AwsSession) -> str | None:
    """What is to be said where a plan is not signed with the key that is demanded, or that cannot be compared."""
    option = _SETTING.format("require_signature")
    wanted = required_signature(demanded, option=option)
    if isinstance(wanted, Workflow) or (isinstance(wanted, KmsKey) and wanted.id == signed.kms_key):
        return None
    other = signed.kms_key or signed.public_key_sha256
    try:
        public = _public_key(wanted, lambda: session, option)
    except ToolkitError as e:
        return f"unless {other}, which signs it, is the demanded key, which cannot be compared here: {e}"
    return None if public.fingerprint == signed.public_key_sha256 else f"signed with another key: {other}"


def _public_key(wanted: KmsKey | KeyFile, session: Callable[[], AwsSession], option: str) -> PublicKey:
    if isinstance(wanted, KeyFile):
        return read_public_key(Path(wanted.file), option=option)
    return KmsPublicKey(session(), wanted.id, option=option).key


def refuse_without_bundle(environment: Environment, command: str, *, sandbox: bool) -> None:
    """Demand that a command that makes its own plan may do so.

    Raises:
        BadPlanError: The environment takes saved plans only.
    """
    if _holds(environment, sandbox=sandbox) and (wanted := required_of(environment)):
        raise BadPlanError(
            f"`{command}` makes its own plan, and only a saved one may be applied ({', '.join(wanted.values())})",
            where=f"environments/{environment.name}/environment.yaml",
            hint=f"apply a saved one: toolkit apply {environment.name} --plan BUNDLE"
            if command.startswith("toolkit apply")
            else "a change that is reviewed takes the setting out of environment.yaml first",
        )


def open_content(content: bytes, where: Path | Stored, paths: EnvironmentPaths, keys: Keys = NO_KEYS) -> bundles.Bundle:
    """Read a bundle for an environment, whose files must still be those that it was made from.

    That is asked before the environment is looked at in any other way: files that were changed after the review make
    the plan stale, whatever else may be said about them.

    Args:
        content: The bundle's bytes.
        where: Where they are from.
        paths: The environment's.
        keys: If one is given, it must have sealed the bundle.

    Raises:
        BadPlanError: It is damaged, another environment's, or files have changed since; they are named.
    """
    bundle = bundles.parse(content, where, keys)
    planned = bundle.manifest.environment
    if planned != paths.name:
        raise _of_another(planned, paths.name, where)
    bundle.verify_files(sources(paths))
    return bundle


def open_bundle(
    plan: str,
    project: Project,
    name: str,
    access: Access,
    keys: Keys,
    demands: Demands = Demands(),
) -> bundles.Bundle:
    """Read a saved plan for an environment, and prove what is demanded of it.

    Its files come first: files that were changed after the review make the plan stale, whatever else may be said.

    Raises:
        BadPlanError: It is damaged, another environment's, lacks what is demanded, or files have changed since.
        ToolkitError: It cannot be read, or what proves it cannot be reached.
    """
    check(demands)
    paths = project.environment(name)
    content, where = content_of(plan, project, access, name)
    bundle = open_content(content, where, paths, keys)
    environment = read_environment(project, name)[1]
    held = environment.bundle if _holds(environment, sandbox=access.sandbox) else None
    proven = set()
    if held is not None and held.require_encryption:
        _demand_encrypted(content, keys, str(where))
        proven.add(ENCRYPTED)
    wanted = [(held.require_signature, _SETTING.format("require_signature"))] if held is not None else []
    for text, option in (*wanted, (demands.signature, "--require-signature")):
        if text is not None:
            _demand_signature(bundle, content, text, option, project, name, access, paths)
            proven.add(text)
    if any(text for text, _ in wanted) or demands.signature is not None:
        _demand_commit(bundle, paths)
    if held is not None and held.require_run:
        _demand_run(bundle, THIS, access)
        proven.add(SAME_RUN)
    if demands.run is not None:
        _demand_run(bundle, demands.run, access)
    return replace(bundle, proven=frozenset(proven))


def required_of(environment: Environment) -> dict[str, str]:
    """What an environment demands of a plan: what proves it → how it is called."""
    given = environment.bundle
    found = {}
    if given.require_signature is not None:
        found[given.require_signature] = "bundle.require_signature"
    if given.require_encryption:
        found[ENCRYPTED] = "bundle.require_encryption"
    if given.require_run:
        found[SAME_RUN] = "bundle.require_run"
    return found


def demand_proven(environment: Environment, simulator: str | None, bundle: bundles.Bundle) -> None:
    """Demand of a bundle that is about to be applied that `open_bundle` has proven what its environment demands.

    Raises:
        BadPlanError: It has not.
    """
    if not _holds(environment, sandbox=simulator is not None):
        return
    missing = [called for text, called in required_of(environment).items() if text not in bundle.proven]
    if missing:
        raise BadPlanError(
            f"not proven as {' and '.join(missing)} in environment.yaml demands",
            where=str(bundle.path),
            hint=f"nothing was applied; apply a saved plan that has it: toolkit apply {environment.name} --plan BUNDLE",
        )


def _holds(environment: Environment, *, sandbox: bool) -> bool:
    """Whether what the environment demands holds here: it is for its account, and not for a trial with --sandbox."""
    return environment.simulator is not None or not sandbox


def _of_another(planned: str, name: str, where: Path | Stored) -> BadPlanError:
    return BadPlanError(
        f"a plan for {planned!r}, not for {name!r}",
        where=str(where),
        hint=f"apply it with `toolkit apply {planned} --plan {where}`",
    )


def _demand_encrypted(content: bytes, keys: Keys, where: str) -> None:
    setting = _SETTING.format("require_encryption")
    if not is_sealed(content):
        raise BadPlanError(
            f"not encrypted, though {setting} demands it",
            where=where,
            hint="nothing was applied; plan again with TOOLKIT_BUNDLE_KEY or --kms-key",
        )
    if not keys.seals:
        raise BadPlanError(
            f"{setting} demands an encrypted plan, and no key is given: any other key could have encrypted it",
            where=where,
            hint="nothing was applied; give the key that must have encrypted it: TOOLKIT_BUNDLE_KEY or --kms-key",
        )


def _demand_signature(
    bundle: bundles.Bundle,
    content: bytes,
    text: str,
    option: str,
    project: Project,
    name: str,
    access: Access,
    paths: EnvironmentPaths,
) -> None:
    wanted = required_signature(text, option=option)
    if isinstance(wanted, Workflow):
        with own_folder(scratch_folder(paths), "apply") as own:
            demand_attested(content, bundle.manifest, wanted, access.environ, own, str(bundle.path))
        return
    bundle.demand_signed(text)  # before KMS is called
    public = _public_key(wanted, lambda: session_of(project, name, access), option)
    bundle.verify_signature(public, text)


def _demand_commit(bundle: bundles.Bundle, paths: EnvironmentPaths) -> None:
    """What is signed was planned from the files that are checked out: all of them, as those of one commit."""
    planned = bundle.manifest.git_tree
    if planned is None:
        raise BadPlanError(
            "planned where git named no commit, so it cannot be shown that it was planned from the files that are "
            "checked out",
            where=str(bundle.path),
            hint=f"nothing was applied; plan again in a clone, where `git rev-parse HEAD` answers: {_GIT}",
        )
    try:
        now = known_tree(paths.folder)
    except ToolkitError as e:
        raise BadPlanError(
            f"{e.problem} here, so it cannot be shown that the plan was made from the files that are checked out",
            where=str(bundle.path),
            detail=e.detail,
            hint=f"nothing was applied; apply it in a clone, where `git rev-parse HEAD` answers: {_GIT}",
        ) from e
    if planned != now:
        raise BadPlanError(
            f"planned at the commit {bundle.manifest.git_commit or '(none)'}, whose files are not those of the commit "
            "that is checked out: another pull request's, or the branch has moved since",
            where=str(bundle.path),
            hint=_AGAIN,
        )


def _demand_run(bundle: bundles.Bundle, wanted: str, access: Access) -> None:
    this = pipeline_run(access.environ) if wanted == THIS else wanted.partition("/attempts/")[0]
    if this is None:
        raise BadPlanError(
            "it must be planned in the run of the pipeline that applies it, and this is not a run of a pipeline that "
            "the toolkit knows",
            where=str(bundle.path),
            hint=f"nothing was applied; apply it in the pipeline, or name the run there with {VARIABLE}",
        )
    if bundle.manifest.run != this:
        raise BadPlanError(
            f"planned in another run: {bundle.manifest.run or 'outside of a pipeline'}; demanded is {this}",
            where=str(bundle.path),
            hint="nothing was applied; an older plan is not applied instead of the newest one: plan again in this run",
        )
