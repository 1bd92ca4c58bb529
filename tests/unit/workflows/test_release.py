"""What `release` does to the file, what it names, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.addresses import label_of
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError
from toolkit.files import write_atomically
from toolkit.paths import Project
from toolkit.plan.model import Attribution
from toolkit.rendering.render import module_labels, render
from toolkit.terraform.state_resources import StateResource, StateResources
from toolkit.workflows import edited
from toolkit.workflows import release as workflow
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import only_one
from toolkit.workflows.workspace import Access

FILE = (
    b"\xef\xbb\xbf# Acme\r\naccount_id: '123456789012'\r\n"
    b"regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}\r\nsimulator: moto\r\n\r\n"
    b"imports:\r\n  module.cloudtrail.aws_cloudtrail.this: its-arn\r\n\r\n"
    b"components:\r\n  password_policy: {}   # CIS\r\n  cloudtrail:\r\n    name: baseline   # ours\r\n"
    b"  guardduty: {}\r\n  # last\r\n  siem_export:\r\n    findings:\r\n"
    b"      event_bus_arn: arn:aws:events:eu-central-1:111122223333:event-bus/siem\r\n"
)
TRAIL = StateResource("module.cloudtrail.aws_cloudtrail.this", "aws_cloudtrail", "", {"name": "baseline"})
BUCKET = StateResource(
    "module.cloudtrail.module.log_bucket.aws_s3_bucket.this", "aws_s3_bucket", "", {"bucket": "logs"}
)
POLICY = StateResource(
    "module.password_policy.aws_iam_account_password_policy.this", "aws_iam_account_password_policy", "", {"id": "it"}
)
OLD = StateResource("module.guardduty_export.aws_kms_key.this", "aws_kms_key", "", {"key_id": "1234"})


class Acme:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project, self.state = Project(folder), [TRAIL, BUCKET, POLICY, OLD]
        self.file = folder / "environments" / "acme" / "environment.yaml"
        self.file.parent.mkdir(parents=True)
        (folder / "modules").mkdir()
        self.file.write_bytes(FILE)
        self.asked: list[workflow.Release] = []
        self.answer, self.lineage = True, "5d3c1a2b"
        monkeypatch.setattr(workflow, "open_workspace", self._open)

    def _open(self, *_: Any, **__: Any) -> Any:
        labels = frozenset(label for one in self.state if (label := label_of(one.address)))
        state = StateResources(self.lineage, 1, tuple(self.state), labels)
        runner = SimpleNamespace(state_resources=lambda _: state)
        attribution = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
        return SimpleNamespace(
            runner=runner, attribution=attribution, paths=self.project.environment("acme"), called="acme"
        )

    def release(self, *components: str, access: Access | None = None, **options: Any) -> workflow.Release:
        def agreed(result: workflow.Release) -> bool:
            self.asked.append(result)
            return self.answer

        return workflow.release(
            self.project, "acme", components, access or Access(environ={}), Observer(), agreed=agreed, **options
        )

    @property
    def rendered(self) -> set[str]:
        return {f.name for f in (self.file.parent / "rendered").glob("*")}


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    return Acme(tmp_path, monkeypatch)


def test_a_component_and_its_imports_leave_the_file_and_its_module_is_named(acme: Acme):
    result = acme.release("cloudtrail")
    kept = FILE.replace(b"  cloudtrail:\r\n    name: baseline   # ours\r\n", b"")
    imports = b"imports:\r\n  module.cloudtrail.aws_cloudtrail.this: its-arn\r\n"
    assert acme.file.read_bytes() == kept.replace(imports, b"").replace(
        b"components:", b"released:\r\n  - module.cloudtrail\r\n\r\ncomponents:"
    )
    assert (result.modules, result.done, result.empty, result.also) == (("module.cloudtrail",), (), False, ())
    assert [(one.address, one.name, one.bills is not None) for one in result.stays] == [
        (TRAIL.address, "baseline", True),
        (BUCKET.address, "logs", True),
    ]
    assert result.consents == ("--allow-release 'module.cloudtrail.*'",)
    assert {"removed.tf"} <= acme.rendered
    assert not {"imports.tf", "cloudtrail.tf"} & acme.rendered
    assert "from = module.cloudtrail\n" in (acme.file.parent / "rendered" / "removed.tf").read_text()
    # A second time, it is not there any more.
    with pytest.raises(UsageError, match="'cloudtrail' is not on"):
        acme.release("cloudtrail")


def test_every_module_is_named_that_the_file_or_the_state_has(acme: Acme):
    """Also one that was switched off and not applied yet: it was managed, and would be deleted."""
    result = acme.release("guardduty", "siem_export", dry_run=True)
    assert result.modules[:3] == (
        "module.guardduty_eu_central_1",
        "module.guardduty_us_east_1",
        "module.guardduty_export",
    )
    assert acme.file.read_bytes() == FILE
    assert {one.component for one in result.stays} == {"guardduty"}
    # The state has nothing of siem_export, until another run applies the file as it was.
    assert result.not_in_state == ("siem_export",)
    assert result.modules[3:] == (
        "module.siem_export",
        "module.siem_export_findings_eu_central_1",
        "module.siem_export_findings_us_east_1",
    )
    assert not acme.asked


def test_a_state_that_is_not_there_says_nothing(acme: Acme):
    """As where `backend` names another place: no line is done, and no resource can be listed."""
    acme.release("cloudtrail")
    before = acme.file.read_bytes()
    acme.state, acme.lineage = [], ""
    with pytest.raises(RefusedError, match="has no state, which says what lines under `released` are done"):
        acme.release(done=True)
    assert acme.file.read_bytes() == before
    result = acme.release("guardduty")
    assert (result.done, result.stays, result.has_state, result.not_in_state) == ((), (), False, ("guardduty",))
    assert b"  - module.cloudtrail\r\n  - module.guardduty_eu_central_1\r\n" in acme.file.read_bytes()


def test_administrators_need_a_consent_of_their_own(acme: Acme):
    def attached(policy: str) -> StateResource:
        kind = "aws_iam_group_policy_attachment"
        address = f"module.iam_groups.{kind}.managed"
        return StateResource(address, kind, "", {"group": "operators", "policy_arn": f"arn:aws:iam::{policy}"})

    acme.file.write_bytes(FILE.replace(b"components:", b"components:\r\n  iam_groups: {}"))
    # None of what protects in this component.
    acme.state = [attached("123456789012:policy/AdministratorAccess")]
    assert acme.release("iam_groups", dry_run=True).consents == ()
    acme.state = [attached("aws:policy/AdministratorAccess")]
    assert acme.release("iam_groups", dry_run=True).consents == ("--acknowledge-lockout",)
    assert acme.release(dry_run=True).consents == ("--allow-release '*'", "--acknowledge-lockout")


def test_all_of_an_environment(acme: Acme):
    result = acme.release()
    assert result.empty
    assert result.consents == ("--allow-release '*'",)
    assert b"components: {}" in acme.file.read_bytes()
    assert acme.rendered == {"versions.tf", "backend.tf", "providers.tf", "removed.tf"}
    with pytest.raises(UsageError, match="nothing to release"):
        acme.release()


def test_lines_are_deleted_once_the_state_has_nothing_of_the_module(acme: Acme):
    acme.release("cloudtrail", "password_policy")
    before = acme.file.read_bytes()
    assert acme.release(done=True).diff == ""
    acme.state = [POLICY]
    result = acme.release(done=True)
    assert result.done == ("module.cloudtrail",)
    assert acme.file.read_bytes() == before.replace(b"  - module.cloudtrail\r\n", b"")
    acme.state = []
    acme.release(done=True)
    assert b"released" not in acme.file.read_bytes()
    assert "removed.tf" not in acme.rendered


def test_another_release_keeps_lines_that_may_not_be_applied_yet(acme: Acme):
    """A component that is not in the state yet: its line holds whatever another run creates before the apply."""
    acme.state = [POLICY]
    first = acme.release("cloudtrail")
    assert first.not_in_state == ("cloudtrail",)
    second = acme.release("password_policy")
    assert second.done == ()
    assert b"  - module.cloudtrail\r\n  - module.password_policy\r\n" in acme.file.read_bytes()
    acme.state = []
    assert acme.release(done=True).done == ("module.cloudtrail", "module.password_policy")


def test_what_another_component_needs_is_refused_with_its_name(acme: Acme):
    subscription = (
        b"    log_subscription:\r\n      destination_arn: arn:aws:logs:eu-central-1:111122223333:destination:siem\r\n"
    )
    acme.file.write_bytes(FILE + subscription)
    with pytest.raises(RefusedError, match="nothing was written") as error:
        acme.release("cloudtrail")
    assert "siem_export" in str(error.value.detail)
    assert "toolkit release acme cloudtrail siem_export" in str(error.value.hint)


def test_nothing_is_written_unless_it_is_agreed_to_or_where_another_command_edits(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
):
    acme.answer = False
    with pytest.raises(RefusedError, match="not approved"):
        acme.release("cloudtrail")
    with pytest.raises(UsageError, match="did you mean 'cloudtrail'"):
        acme.release("cloudtrial")
    with (
        only_one(acme.project.environment("acme"), "adopt"),
        pytest.raises(LockedError, match="another `toolkit adopt`"),
    ):
        acme.release("cloudtrail")
    acme.answer = True
    monkeypatch.setattr(edited, "write_atomically", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        acme.release("cloudtrail")
    assert acme.file.read_bytes() == FILE
    monkeypatch.setattr(edited, "write_atomically", write_atomically)

    def edit(_: workflow.Release) -> bool:
        acme.file.write_bytes(FILE + b"# edited\r\n")
        return True

    with pytest.raises(ToolkitError, match="edited meanwhile"):
        workflow.release(acme.project, "acme", ["cloudtrail"], Access(environ={}), Observer(), agreed=edit)
    assert acme.file.read_bytes() == FILE + b"# edited\r\n"


def test_the_embedded_aws_does_not_decide_about_a_real_accounts_file(acme: Acme):
    acme.file.write_bytes(FILE.replace(b"simulator: moto\r\n", b""))
    access = Access(environ={}, sandbox=True)
    with pytest.raises(UsageError, match="is for a real account"):
        acme.release("cloudtrail", access=access)
    assert acme.release("cloudtrail", access=access, dry_run=True).modules


def test_a_module_cannot_be_released_and_called():
    text = FILE.decode("utf-8-sig").replace("components:", "released: [module.cloudtrail, module.gone]\ncomponents:")
    with pytest.raises(EnvironmentFileError) as error:
        render(load_text(text, name="acme", shown_as="environment.yaml"))
    (problem,) = error.value.problems
    assert str(problem).startswith("released[0]: module.cloudtrail is released, and a component")


@pytest.mark.parametrize("module", ["cloudtrail", "module.a.b", "module.a[0]", "module.a\nx", "module.${x}"])
def test_only_addresses_of_modules_can_be_released(module: str):
    text = f'account_id: "123456789012"\nregions: {{home: eu-central-1}}\nreleased: [{module!r}]\ncomponents: {{}}\n'
    with pytest.raises(EnvironmentFileError) as error:
        load_text(text, name="acme", shown_as="environment.yaml")
    (problem,) = error.value.problems
    assert problem.path == "released[0]"


def test_labels_are_those_of_the_rendered_calls():
    environment = load_text(FILE.decode("utf-8-sig"), name="acme", shown_as="environment.yaml")
    files = render(environment)
    for component, labels in module_labels(environment).items():
        assert tuple(re.findall(r'^module "(\w+)"', files[f"{component}.tf"], re.MULTILINE)) == labels
