"""What pipeline.yaml and environment.yaml say of saved plans: what contradicts, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.environment import load_environment
from toolkit.fleet.pipeline import PipelineFileError, parse_pipeline
from toolkit.paths import Project
from toolkit.workflows.pipeline import pipeline_files
from toolkit.workflows.pipeline_bundle import contradictions
from toolkit.workflows.validate import validate_environment

FILE = "environments/prod/environment.yaml"
HEAD = 'account_id: "111122223333"\nregions: {home: eu-west-1}\n'
ROLES = """\
  iam_roles:
    deployers:
      ci: {provider: github, repository: example/accounts, owner_id: "1", repository_id: "2", pipeline: {}}
"""
KEY, OTHER = (f"arn:aws:kms:eu-west-1:111122223333:key/{digit * 8}-1111-1111-1111-111111111111" for digit in "12")
OURS = "github:example/accounts/.github/workflows/baseline.yml@refs/heads/main"


def found(tmp_path: Path, bundle: str, pipeline: str, *, roles: bool = False, signs: bool = False) -> list[str]:
    file = tmp_path / "environment.yaml"
    own = f"bundle:\n  {bundle}\n" if bundle else ""
    components = f"components:\n{ROLES}" if roles else "components: {}\n"
    file.write_text(HEAD + own + components)
    environment = load_environment(file, name="prod", shown_as=FILE)
    written = parse_pipeline(f"# settings\n{pipeline}\n" if pipeline else "branch: main\n")
    problems = contradictions(written, environment, signs=signs)
    return [f"{where}:{problem.line}: {problem}" for where, problem in problems]


TO = "bundle: {to: 's3://plans/ci/'}"


@pytest.mark.parametrize(
    ("bundle", "pipeline", "roles", "says"),
    [
        ("store: s3://plans/ci/", TO, True, None),
        ("store: s3://plans/ci/", "", True, None),
        ("", TO, False, None),
        ("store: s3://plans/x/", TO, False, 'bundle.store: "s3://plans/x/", and pipeline.yaml:2 passes plans on '
         "through s3://plans/ci/: the policies for the roles have no rights for it; expected s3://plans/ci/"),
        ("require_run: true", TO, True, "bundle.store: missing: pipeline.yaml:2 passes plans on through "
         "s3://plans/ci/, and ci-plan and ci-apply get no rights for it; expected s3://plans/ci/"),
        ("require_encryption: true", "bundle: {to: 's3://plans/ci/', kms_key: alias/bundles}", False, None),
        ("require_encryption: true", "", False, None),
        ("require_encryption: false", TO, False, None),
        ("require_encryption: true", TO, False, "bundle.require_encryption: true, and pipeline.yaml:2 passes plans on "
         "through s3://plans/ci/ without a key: `apply` would refuse plans that are not encrypted; expected false, or "
         "`bundle.kms_key` in pipeline.yaml"),
        # Two keys for two purposes.
        ("bucket_kms_key: alias/s3", "bundle: {kms_key: alias/bundles}", True, None),
        (f"require_signature: {KEY}", f"bundle: {{sign: kms, signing_key: '{KEY}'}}", False, None),
        # A key by its id is one of the environment's account and home region.
        (f"require_signature: {KEY}", f"bundle: {{sign: kms, signing_key: '{KEY.partition('key/')[2]}'}}", False, None),
        (f"require_signature: {KEY}", "bundle: {sign: kms, signing_key: alias/plans}", False, None),
        (f"require_signature: {KEY}", f"bundle: {{sign: kms, signing_key: '{OTHER}'}}", False,
         f'bundle.require_signature: "{KEY}", and pipeline.yaml:2 signs plans with {OTHER}: `apply` would refuse every '
         f"plan; expected {OTHER}"),
        ("require_signature: alias/plans", "bundle: {sign: kms, signing_key: alias/plan}", False,
         'bundle.require_signature: "alias/plans", and pipeline.yaml:2 signs plans with alias/plan; expected '
         "alias/plan"),
        (f"require_signature: {OURS}", "bundle: {sign: github}", False, None),
        (f"require_signature: {OURS.replace('example', 'Example')}", "repository: example/accounts\n"
         "bundle: {sign: github}", False, None),
        (f"require_signature: {OURS}", "branch: trunk\nbundle: {sign: github}", False,
         f'bundle.require_signature: "{OURS}", and pipeline.yaml:3 has GitHub attest plans of '
         ".github/workflows/baseline.yml on trunk: `apply` would refuse every plan; expected "
         f"{OURS.replace('main', 'trunk')}"),
        (f"require_signature: {OURS}", "repository: example/others\nbundle: {sign: github}", False,
         f'bundle.require_signature: "{OURS}", and pipeline.yaml:3 has GitHub attest plans of '
         ".github/workflows/baseline.yml on main: `apply` would refuse every plan; expected "
         f"{OURS.replace('accounts', 'others')}"),
        (f"require_signature: {KEY}", "bundle: {sign: github}", False,
         f'bundle.require_signature: "{KEY}", and pipeline.yaml:2 has GitHub attest plans of '
         ".github/workflows/baseline.yml on main: `apply` would refuse every plan; expected null, or a signature that "
         "`bundle.sign` of pipeline.yaml makes"),
        (f"require_signature: {OURS}", "bundle: {sign: kms, signing_key: alias/plans}", False,
         f'bundle.require_signature: "{OURS}", and pipeline.yaml:2 signs plans with alias/plans: `apply` would refuse '
         "every plan; expected null, or a signature that `bundle.sign` of pipeline.yaml makes"),
    ],
)  # fmt: skip
def test_what_cannot_both_hold_is_named_with_both_places(
    tmp_path: Path, bundle: str, pipeline: str, roles: bool, says: str | None
):
    line = 4 if bundle.startswith(("store", "require_signature", "require_encryption")) else 3
    assert found(tmp_path, bundle, pipeline, roles=roles) == ([] if says is None else [f"{FILE}:{line}: {says}"])


def test_an_unsigned_plan_is_an_error_only_where_nothing_else_could_sign_it(tmp_path: Path):
    """A workflow of the user's own may sign, and read the environments of pipeline.yaml."""
    assert found(tmp_path, f"require_signature: {KEY}", "") == []
    (problem,) = found(tmp_path, f"require_signature: {KEY}", "", signs=True)
    assert problem.startswith(f'{FILE}:4: bundle.require_signature: "{KEY}", and the pipeline does not sign plans: ')


def test_neither_a_pipeline_nor_a_validation_passes_over_it(house: Any):
    house.render()
    folder = house.root / "environments" / "prod"
    (house.root / "pipeline.yaml").write_text(TO + "\n")
    file = folder / "environment.yaml"
    file.write_text(file.read_text() + "bundle: {store: 's3://plans/x/'}\n")
    for attempt in (
        lambda: pipeline_files(Project(house.root), "github"),
        lambda: validate_environment(house.project, "prod", house.access(), house),
    ):
        with pytest.raises(PipelineFileError) as caught:
            attempt()
        assert (caught.value.where, (caught.value.detail or "").partition(" bundle.")[2][:5]) == (FILE, "store")
    assert house.commands == []
    # Not of the pipeline, or not of an account that it plans: its plans are kept elsewhere.
    (house.root / "pipeline.yaml").write_text(TO + "\nwhere: {tier: prod}\n")
    file.write_text(file.read_text() + "labels: {tier: test}\n")
    house.render()
    (house.tools / "validate.json").write_text('{"format_version": "1.0", "valid": true, "diagnostics": []}')
    assert validate_environment(house.project, "prod", house.access(), house).warnings == ()
