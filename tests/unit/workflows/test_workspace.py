"""What has to hold before Terraform runs: the order of the checks, and where the way leads in the simulator."""

from __future__ import annotations

import configparser
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit import __version__
from toolkit.aws.session import AwsSession
from toolkit.errors import ExitCode, RefusedError, ToolkitError, WrongAccountError
from toolkit.files import LITTER
from toolkit.paths import data_dir
from toolkit.sandbox.control import Sandbox
from toolkit.terraform.runner import LOCK_FILE
from toolkit.workflows.workspace import Access, Workspace, open_workspace

ACCOUNT = "111122223333"
S3 = "backend: {type: s3, bucket: acme-state, region: eu-west-1, profile: state}"
UNCHECKED_LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.70.0"\n}\n'
LATER = Sandbox("http://127.0.0.1:5555", 43, 5555, ACCOUNT, "2026-01-01T01:00:00+00:00")


def opened(house: Any, **options: Any) -> Workspace:
    access = options.pop("access", None) or house.access()
    return open_workspace(house.project, "prod", access, house, **options)


def test_everything_in_order(house: Any, callers: list[Any]):
    workspace = opened(house)
    assert [call["arguments"][0] for call in house.asked] == ["version", "init"]
    assert [Path(call["cwd"]).name for call in house.asked][-1] == "rendered"
    rendering, checking, initializing, lock = house.told
    assert rendering.startswith("rendered backend.tf (create), ")
    assert checking == "Checking the account of prod"
    assert initializing == "Initializing Terraform for prod"
    assert lock.startswith("wrote .terraform.lock.hcl")
    assert len(callers) == 1
    assert workspace.simulator is None
    assert workspace.called == "prod"
    assert workspace.backend == "local"
    assert workspace.local_state == house.root / "environments" / "prod" / "terraform.tfstate"
    assert workspace.scratch.stat().st_mode & 0o777 == 0o700


# Each thing that is wrong, and what must not have happened yet when it is found.
def _broken_yaml(house: Any) -> None:
    house.write("regoins: {}")


def _broken_file_in_the_way(house: Any) -> None:
    (house.render() / "own.tf").write_text('resource "x" "y" {}\n')


def _no_module(house: Any) -> None:
    (house.root / "modules" / "password_policy" / "main.tf").unlink()
    (house.root / "modules" / "password_policy").rmdir()


def _no_terraform(house: Any) -> None:
    (house.tools / "terraform").unlink()


def _old_terraform(house: Any) -> None:
    (house.tools / "version").write_text("1.9.8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_broken_yaml, "1 error in the environment file"),
        (_broken_file_in_the_way, "rendered/ contains Terraform files that are not generated: own.tf"),
        (_no_module, "lacks the module of password_policy"),
        (_no_terraform, "not on PATH"),
        (_old_terraform, "too old"),
    ],
)
def test_what_is_wrong_here_is_found_before_the_account_is_asked(
    house: Any, callers: list[Any], spoil: Callable[[Any], None], said: str
):
    spoil(house)
    with pytest.raises(ToolkitError, match=said):
        opened(house)
    assert callers == []
    assert house.commands == []


def test_a_file_out_of_date_is_refused_where_nothing_may_be_written(house: Any, callers: list[Any]):
    rendered = house.render()
    before = (rendered / "password_policy.tf").read_text()
    house.write(components="{password_policy: {minimum_password_length: 20}}")
    with pytest.raises(ToolkitError, match=r"out of date: password_policy.tf \(update\)") as caught:
        opened(house, may_render=False)
    assert caught.value.exit_code is ExitCode.OUT_OF_DATE
    assert (rendered / "password_policy.tf").read_text() == before
    assert callers == []
    opened(house)
    assert "20" in (rendered / "password_policy.tf").read_text()


@pytest.mark.parametrize(
    "name",
    [
        "own.tf", "own.tf.json", "own_override.tf", "override.tf.json", "x.auto.tfvars", "x.auto.tfvars.json",
        "terraform.tfvars", "terraform.tfvars.json", "o.tofu", "o.tofu.json", "x.tftest.hcl", "x.tftest.json",
        "tests/x.tftest.hcl", "tests/x.tftest.json", "x.tofutest.hcl", "tests/x.tofutest.json",
    ],
)  # fmt: skip
def test_nothing_that_terraform_or_opentofu_would_load_slips_in(house: Any, callers: list[Any], name: str):
    file = house.render() / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")
    with pytest.raises(ToolkitError, match=f"that are not generated: {name}"):
        opened(house)


@pytest.mark.parametrize(
    "name",
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3", "AWS_STS_ENDPOINT", "AWS_S3_ENDPOINT"],
)
def test_another_endpoint_for_a_real_account_is_refused(house: Any, callers: list[Any], name: str):
    with pytest.raises(RefusedError, match=f"{name} is set: .* pretend to be account {ACCOUNT}") as caught:
        opened(house, access=house.access(**{name: "http://127.0.0.1:1"}))
    assert caught.value.exit_code is ExitCode.REFUSED
    assert callers == []
    assert house.commands == []


@pytest.mark.parametrize(
    "name",
    ["TF_AWS_IAM_ENDPOINT", "TF_AWS_STS_ENDPOINT", "TF_AWS_DEFAULT_TAGS_team", "TF_AWS_IGNORE_TAGS_KEYS", "AWS_NEW"],
)
def test_what_could_lead_the_provider_elsewhere_is_refused_before_anything_runs(
    house: Any, callers: list[Any], name: str, running: Callable[[Any], None]
):
    """The provider would write to another endpoint than boto3 has asked, or tags that no report has shown."""
    access = house.access(**{name: "http://127.0.0.1:1"})
    with pytest.raises(RefusedError, match=f"^environments/prod: {name} is set: ") as caught:
        opened(house, access=access)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "unset it" in str(caught.value.hint)
    assert callers == []
    assert house.asked == [], "not even for its version"

    workspace = opened(house, access=replace(access, sandbox=True))
    assert name not in workspace.environ
    assert all(name not in call["environ"] for call in house.asked)
    assert {call["arguments"][0] for call in house.asked} == {"version", "init"}


def test_two_profiles_are_refused_before_anything_runs(house: Any, callers: list[Any]):
    with pytest.raises(RefusedError, match="AWS_PROFILE=one and AWS_DEFAULT_PROFILE=two: the AWS provider takes"):
        opened(house, access=house.access(AWS_PROFILE="one", AWS_DEFAULT_PROFILE="two"))
    assert (callers, house.asked) == ([], [])


@pytest.mark.parametrize("file", ["credentials: {profile: admin}", S3.replace("profile: state", "profile: admin")])
def test_a_profile_that_the_two_sides_read_differently_is_refused(house: Any, callers: list[Any], file: str):
    house.write(file)
    (house.root / ".aws").mkdir()
    (house.root / ".aws" / "config").write_text(
        "[profile admin]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
    )
    opened(house)
    house.forget()
    (house.root / ".aws" / "credentials").write_text("[admin]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with pytest.raises(
        RefusedError, match='would take sso of profile "admin", and the AWS provider aws_access_key_id of'
    ):
        opened(house)
    assert house.commands == []
    assert len(callers) == 1


@pytest.mark.usefixtures("callers")
def test_the_environment_file_names_more_variables_for_helpers(house: Any):
    house.write("toolkit: {pass_environment: [ACME_TOKEN, AWS_ACME]}")
    access = house.access(ACME_TOKEN="t", AWS_ACME="a", OTHER="o", TOOLKIT_BUNDLE_KEY="k")
    workspace = opened(house, access=access)
    assert set(workspace.environ) - set(house.environ) == {
        "ACME_TOKEN",
        "AWS_ACME",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    }
    assert house.asked[-1]["environ"]["AWS_ACME"] == "a"
    assert [name for asked in house.asked for name in asked["environ"] if name.startswith("TOOLKIT_")] == []


@pytest.mark.usefixtures("callers", "running")
@pytest.mark.parametrize("sandbox", [False, True])
def test_boto3_in_this_process_sees_what_terraform_gets(house: Any, monkeypatch: pytest.MonkeyPatch, sandbox: bool):
    for name, value in house.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("WHO", "other")
    opened(house, access=Access(sandbox=sandbox, process=True))
    assert "AWS_RETRY_MODE" not in os.environ
    assert ("AWS_ACCESS_KEY_ID" in os.environ) != sandbox
    assert ("WHO" in os.environ) == sandbox


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize("named", ["missing.pem", "."])
def test_certificates_that_cannot_be_read_are_an_error_before_anything_runs(
    house: Any, callers: list[Any], sandbox: bool, named: str
):
    """For the embedded AWS, too: the AWS provider reads the file wherever it connects to."""
    with pytest.raises(ToolkitError, match="AWS_CA_BUNDLE names a file that cannot be read") as caught:
        opened(house, access=house.access(sandbox=sandbox, AWS_CA_BUNDLE=str(house.root / named)))
    assert caught.value.where == str(house.root / named)
    assert "unset it" in str(caught.value.hint)
    assert callers == []
    assert house.asked == []


def test_endpoints_of_the_aws_configuration_are_switched_off(house: Any, callers: list[dict[str, str]]):
    workspace = opened(house)
    for environ in (workspace.environ, callers[0], house.asked[-1]["environ"]):
        assert environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"
        assert environ["AWS_ACCESS_KEY_ID"] == "AKIAIOSFODNN7EXAMPLE"


def test_the_wrong_account_stops_before_terraform(house: Any, monkeypatch: pytest.MonkeyPatch):
    def wrong(*_: object) -> None:
        raise WrongAccountError("other account")

    monkeypatch.setattr("toolkit.workflows.workspace.check_account", wrong)
    with pytest.raises(WrongAccountError):
        opened(house)
    assert house.commands == []


@pytest.mark.usefixtures("callers")
def test_terraform_is_initialized_again_only_when_something_changed(house: Any):
    opened(house)
    assert house.asked[-1]["arguments"].count("-lockfile=readonly") == 0
    house.forget()
    opened(house)
    assert house.commands == []

    def again(what: str) -> None:
        house.forget()
        opened(house)
        assert house.commands == ["init"], what
        assert "-lockfile=readonly" in house.asked[-1]["arguments"], "a lock file that is there is the team's"

    house.write(components="{password_policy: {minimum_password_length: 20}}")
    again("rendered files")
    (house.root / "modules" / "password_policy" / "main.tf").write_text("# another\n")
    again("a module")
    (house.root / "environments/prod/rendered/.terraform.lock.hcl").write_text("# another\n")
    again("the lock file")
    (house.tools / "version").write_text("1.12.0")
    again("Terraform's version")
    house.forget()
    opened(house, initialize=False)
    assert house.commands == []


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize("before", [None, UNCHECKED_LOCK])
def test_a_refused_version_leaves_no_lock_file_of_it(house: Any, before: str | None):
    terraform = house.tools / "terraform"
    terraform.write_text(
        f"{terraform.read_text()}\nif 'init' in arguments:\n"
        f"    pathlib.Path('.terraform.lock.hcl').write_text({UNCHECKED_LOCK!r})\n"
    )
    house.write("terraform: {unchecked_versions: refuse}")
    lock = house.render() / LOCK_FILE
    if before:
        lock.write_text(before)
    with pytest.raises(RefusedError, match=r"The AWS provider 6\.70\.0 is newer"):
        opened(house)
    assert house.commands == ["init"]
    assert (lock.read_text() if lock.exists() else None) == before
    assert not any(told.startswith("wrote") for told in house.told)


@pytest.mark.usefixtures("callers")
def test_the_digest_is_of_what_terraform_reads(house: Any):
    workspace = opened(house)
    before = workspace.sources()
    module = house.root / "modules" / "password_policy"
    (module / ".terraform" / "modules").mkdir(parents=True)
    (module / ".terraform" / "modules" / "x.tf").write_text("x")
    (workspace.paths.rendered / "notes.txt").write_text("x")
    assert workspace.sources() == before
    for place in ("password_policy", "password_policy/sub", "shared/log_bucket", "own/tests"):
        folder = house.root / "modules" / place
        folder.mkdir(parents=True, exist_ok=True)
        # Code, and what code may read by file(), templatefile() or jsondecode().
        for read in ("x.tf", "x.tf.json", "x.tofu", "x.tofu.json", "policy.json", "policy.tftpl", "README.md", ".x"):
            (folder / read).write_text("x")
            assert workspace.sources() != before, read
            (folder / read).unlink()
    assert workspace.sources() == before
    assert workspace.lock_digest() != ""


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize("name", sorted(LITTER))
def test_what_a_file_manager_leaves_in_modules_makes_no_plan_stale(house: Any, name: str):
    workspace = opened(house)
    before = workspace.sources()
    for folder in ("modules", "modules/password_policy"):
        (house.root / folder / name).write_text("x")
    assert workspace.sources() == before


@pytest.mark.usefixtures("callers")
def test_modules_of_another_release_are_reported_with_the_command(house: Any):
    """Installing a release changes no project, so a plan would silently be made of the old modules."""
    shutil.copytree(data_dir("modules"), house.root / "modules", dirs_exist_ok=True)
    opened(house)
    assert house.warnings == []
    file = house.root / "modules" / "password_policy" / "main.tf"
    file.write_text(f"{file.read_text()}# of an earlier release\n")
    (house.root / "modules" / "cloudtrail" / "main.tf").write_text("# not called by this environment\n")
    (house.root / "modules" / "password_policy" / "README.md").write_text("Terraform does not read it.\n")
    opened(house)
    (warning,) = house.warnings
    assert warning.startswith(f"1 file in modules/ differs from toolkit {__version__}, e.g. password_policy/main.tf")
    assert "`toolkit init . --upgrade`" in warning


@pytest.mark.usefixtures("callers")
def test_a_local_state_that_s3_would_not_see_is_refused(house: Any):
    opened(house)
    state = {"version": 4, "serial": 3, "lineage": "a", "outputs": {}, "resources": [{"instances": [{}]}]}
    house.root.joinpath("environments/prod/terraform.tfstate").write_text(json.dumps(state))
    house.write(S3)
    house.forget()
    with pytest.raises(RefusedError, match="a local state with 1 resources") as caught:
        opened(house)
    assert "toolkit bootstrap prod" in str(caught.value.hint)
    assert house.commands == []
    house.root.joinpath("environments/prod/terraform.tfstate").unlink()
    opened(house)
    assert house.commands == ["init"]
    assert "-reconfigure" in house.asked[-1]["arguments"]


# The simulator.


@pytest.mark.usefixtures("callers")
def test_without_a_running_simulator_nothing_happens(house: Any, running: Callable[[Any], None]):
    running(None)
    house.write("simulator: moto")
    with pytest.raises(ToolkitError, match="the embedded AWS is not running") as caught:
        opened(house)
    assert f"toolkit sandbox up --account-id {ACCOUNT}" in str(caught.value.hint)
    assert house.commands == []


LEADING_OUT = {
    "AWS_PROFILE": "real",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
    "AWS_ROLE_ARN": "real",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://real",
    "AWS_CONFIG_FILE": "/real",
    "AWS_SHARED_CREDENTIALS_FILE": "/real",
    "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("sandbox", [True, False], ids=["--sandbox", "simulator: moto"])
def test_the_simulator_never_gets_real_credentials(house: Any, callers: list[dict[str, str]], sandbox: bool):
    if not sandbox:
        house.write("simulator: moto")
    workspace = opened(house, access=house.access(sandbox=sandbox, **LEADING_OUT))
    assert workspace.simulator == "moto"
    for environ in (workspace.environ, callers[0], house.asked[-1]["environ"]):
        assert not any("real" in value for name, value in environ.items() if name != "PATH"), environ
        aws = {name for name in environ if name.startswith("AWS_")}
        assert aws == {
            "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
            "AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
        }  # fmt: skip
        assert environ["AWS_ENDPOINT_URL"] == environ["HTTP_PROXY"] == "http://127.0.0.1:5555"
        assert environ["AWS_ACCESS_KEY_ID"] == environ["AWS_SECRET_ACCESS_KEY"] == "sandbox"
        assert environ["AWS_REGION"] == "eu-central-1"
        assert not {"NO_PROXY", "no_proxy"} & set(environ)


@pytest.mark.usefixtures("callers", "running")
def test_a_real_environment_tried_out_has_its_own_state_and_data(house: Any):
    house.write("credentials: {profile: admin}")
    real = house.root / "environments" / "prod" / "terraform.tfstate"
    real.write_text("real")
    workspace = opened(house, access=house.access(sandbox=True))
    own = house.root / "environments" / "prod" / ".toolkit" / "sandbox"
    assert workspace.scratch == own
    assert workspace.called == "prod --sandbox"
    assert workspace.local_state == own / "terraform.tfstate"
    init = house.asked[-1]
    assert f"-backend-config=path={own / 'terraform.tfstate'}" in init["arguments"]
    assert "-reconfigure" in init["arguments"]
    assert init["environ"]["TF_DATA_DIR"].startswith(str(own))
    assert real.read_text() == "real"


@pytest.mark.usefixtures("callers", "running")
def test_profiles_lead_to_the_simulators_own_keys(house: Any):
    house.write(f"credentials: {{profile: admin}}\n{S3}")
    workspace = opened(house, access=house.access(sandbox=True))
    file = Path(workspace.environ["AWS_CONFIG_FILE"])
    assert file == workspace.scratch / "aws-config"
    assert file.stat().st_mode & 0o777 == 0o600
    config = configparser.ConfigParser()
    config.read(file)
    assert {s: dict(config[s]) for s in config.sections()} == {
        name: {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        for name in ("profile admin", "profile state")
    }


@pytest.mark.usefixtures("callers", "running")
def test_a_profile_of_another_account_leads_there_in_the_simulator_too(house: Any, monkeypatch: pytest.MonkeyPatch):
    """Dummy keys are of one account; a role of the owner stands for the profile."""
    roles: list[str | None] = []

    def keys(clients: AwsSession) -> dict[str, str]:
        role = clients.environment.credentials.assume_role
        roles.append(role and role.role_arn)
        return {"aws_access_key_id": "theirs"}

    monkeypatch.setattr(AwsSession, "keys", keys)
    for more, role, written in (
        ("", None, "theirs"),
        ('account_id: "999999999999"', "arn:aws:iam::999999999999:role/state", "theirs"),
        ('account_id: "999999999999", role_arn: "arn:aws:iam::999999999999:role/x"', "not asked", "sandbox"),
    ):
        roles.clear()
        house.write(S3.replace("}", f", {more}}}" if more else "}"))
        workspace = opened(house, access=house.access(sandbox=True))
        config = configparser.ConfigParser()
        config.read(workspace.environ["AWS_CONFIG_FILE"])
        assert config["profile state"]["aws_access_key_id"] == written
        assert roles == ([] if role == "not asked" else [role])


@pytest.mark.usefixtures("callers")
def test_paths_in_the_file_start_at_the_project(house: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    mirrors: list[Path | None] = []
    monkeypatch.setattr("toolkit.workflows.workspace.cli_config", lambda mirror, *_, **__: mirrors.append(mirror) or {})
    house.write("terraform: {binary: tools/terraform, provider_mirror: mirror}")
    access = house.access(PATH="/nowhere")
    assert opened(house, access=access).binary.path == house.tools / "terraform"
    assert mirrors == [house.root / "mirror"]
    # What the command line names starts where the command was given, as any path there.
    opened(house, access=replace(access, provider_mirror=Path("other")))
    assert mirrors[-1] == Path("other")
    house.write(f"terraform: {{binary: {house.tools}/terraform, provider_mirror: ~/mirror}}")
    monkeypatch.setenv("HOME", "/home/ann")
    opened(house, access=access)
    assert mirrors[-1] == Path("/home/ann/mirror")


@pytest.mark.usefixtures("callers")
def test_a_state_in_s3_gets_its_bucket_in_the_simulator_only(
    house: Any, running: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []
    monkeypatch.setattr(
        "toolkit.workflows.workspace.ensure_simulated_bucket", lambda _, backend, environ: made.append(backend.bucket)
    )
    house.write(S3)
    workspace = opened(house)
    assert made == []
    assert workspace.backend == "s3 acme-state/prod/baseline.tfstate in eu-west-1"
    opened(house, access=house.access(sandbox=True))
    assert made == ["acme-state"]


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize("sandbox", [True, False], ids=["--sandbox", "simulator: moto"])
def test_the_state_of_a_simulator_that_ended_is_set_aside(house: Any, running: Callable[[Any], None], sandbox: bool):
    if not sandbox:
        house.write("simulator: moto")
    access = house.access(sandbox=sandbox)
    state = opened(house, access=access).local_state
    state.write_text("of the first")
    aside = state.with_name("terraform.tfstate.ended-sandbox")
    opened(house, access=access)
    assert state.read_text() == "of the first", "it still runs"
    running(LATER)
    house.forget()
    opened(house, access=access)
    assert not state.exists()
    assert aside.read_text() == "of the first"
    assert any("set aside" in told for told in house.told)
    state.write_text("of the second")
    opened(house, access=access)
    assert state.read_text() == "of the second"
