"""What `audit --fix` writes, what it shows before, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.audit.fixes import Kind
from toolkit.audit.model import Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError
from toolkit.findings import Status, Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.paths import Project
from toolkit.reports.audit import audit_data, audit_lines, audit_markdown, fix_lines, fixed_lines
from toolkit.workflows import fix as workflow
from toolkit.workflows.scratch import only_one
from toolkit.workflows.workspace import Access

HOME = "eu-central-1"
FILE = (
    b"\xef\xbb\xbf# Acme\r\naccount_id: '123456789012'\r\nregions: {home: eu-central-1}\r\nsimulator: moto\r\n\r\n"
    b"components:\r\n  # ours\r\n  password_policy:\r\n    minimum_password_length: 8   # for now\r\n"
    b"    require_symbols: false\r\n# the end\r\n"
)
LENGTH, SYMBOL, DETECTOR = "iam_password_policy_minimum_length_14", "iam_password_policy_symbol", "guardduty_is_enabled"


def audit(*failed: str, region: str = HOME, status: Status = Status.FAIL, **fields: Any) -> Audit:
    results = tuple(Result(checks()[check], region, (Outcome(status, "example"),), ()) for check in failed)
    return Audit(
        account_id="123456789012",
        caller="arn:aws:iam::123456789012:user/audit",
        environment="acme",
        simulated=True,
        taken=datetime(2026, 11, 29, tzinfo=UTC),
        home=HOME,
        regions=(HOME,),
        off=(),
        frameworks=(),
        results=results,
        waivers=fields.pop("waivers", ()),
        calls=1,
        max_calls=100,
        **fields,
    )


class Acme:
    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        self.file = folder / "environments" / "acme" / "environment.yaml"
        self.file.parent.mkdir(parents=True)
        (folder / "modules").mkdir()
        self.file.write_bytes(FILE)
        self.asked: list[workflow.Fixed] = []
        self.answer = True

    def fix(self, *failed: str, access: Access | None = None, found: Audit | None = None) -> workflow.Fixed:
        def agreed(result: workflow.Fixed) -> bool:
            self.asked.append(result)
            return self.answer

        return workflow.fix(self.project, "acme", access or Access(environ={}), found or audit(*failed), agreed=agreed)

    @property
    def rendered(self) -> Path:
        return self.file.parent / "rendered"


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    return Acme(tmp_path)


def test_it_writes_the_edits_and_renders(acme: Acme):
    result = acme.fix(LENGTH, SYMBOL, DETECTOR)
    expected = (
        FILE.replace(b"length: 8 ", b"length: 14 ")
        .replace(b"symbols: false", b"symbols: true")
        .replace(b"# the end", b"  guardduty: {}\r\n# the end")
    )
    assert acme.file.read_bytes() == expected
    assert "minimum_password_length = 14" in (acme.rendered / "password_policy.tf").read_text()
    assert (acme.rendered / "guardduty.tf").exists()
    assert acme.asked == [result]
    assert [one.check for one in result.fixes] == [DETECTOR, LENGTH, SYMBOL], "the worst first"
    assert "+    minimum_password_length: 14   # for now" in result.diff
    assert "+  minimum_password_length = 14" in result.rendered
    assert "environments/acme/rendered/guardduty.tf" in result.rendered


def test_once_is_enough(acme: Acme):
    acme.fix(LENGTH)
    written = acme.file.read_bytes()
    again = acme.fix(LENGTH)
    assert (again.diff, again.rendered, again.fixes) == ("", "", ())
    assert [one.kind for one in again.others] == [Kind.ALREADY_SET]
    assert acme.file.read_bytes() == written
    assert len(acme.asked) == 1, "there is nothing to ask about"


def test_with_nothing_to_fix_nothing_is_written(acme: Acme):
    result = acme.fix("iam_root_mfa_enabled", "macie_is_enabled")
    assert result.diff == ""
    assert [(one.check, one.kind) for one in result.others] == [("macie_is_enabled", Kind.BY_HAND)]
    assert acme.file.read_bytes() == FILE
    assert not acme.rendered.exists()
    assert acme.asked == []


@pytest.mark.parametrize("status", [Status.PASS, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.ATTESTED])
def test_only_what_failed_is_fixed(acme: Acme, status: Status):
    assert acme.fix(found=audit(LENGTH, status=status)).diff == ""
    assert acme.file.read_bytes() == FILE


def test_what_is_waived_is_not_fixed(acme: Acme):
    waiver = Waiver(UNCOVERED, "cis-5.0:1.7", "example", date(2026, 12, 24))
    assert acme.fix(found=audit(LENGTH, waivers=(waiver,))).diff == ""


def test_what_fails_elsewhere_alone_is_not_fixed(acme: Acme):
    result = acme.fix(found=audit(DETECTOR, region="us-west-2"))
    assert result.diff == ""
    assert "us-west-2: not an active region" in str(result.others[0].note)


def test_without_approval_nothing_is_written(acme: Acme):
    acme.answer = False
    with pytest.raises(RefusedError, match=r"not approved; nothing was written$"):
        acme.fix(LENGTH)
    assert acme.file.read_bytes() == FILE
    assert not acme.rendered.exists()


def test_a_file_that_was_edited_meanwhile_is_not_overwritten(acme: Acme, monkeypatch: pytest.MonkeyPatch):
    def agreed(_: workflow.Fixed) -> bool:
        acme.file.write_bytes(FILE + b"# another\r\n")
        return True

    with pytest.raises(ToolkitError, match="was edited meanwhile"):
        workflow.fix(acme.project, "acme", Access(environ={}), audit(LENGTH), agreed=agreed)
    assert acme.file.read_bytes() == FILE + b"# another\r\n"


def test_another_command_that_edits_it_goes_first(acme: Acme):
    with only_one(acme.project.environment("acme"), "adopt"), pytest.raises(LockedError, match="toolkit adopt"):
        acme.fix(LENGTH)
    assert acme.file.read_bytes() == FILE


def test_the_embedded_aws_says_nothing_about_a_real_account(acme: Acme):
    acme.file.write_bytes(FILE.replace(b"simulator: moto\r\n", b""))
    with pytest.raises(UsageError, match="is for a real account"):
        acme.fix(LENGTH, access=Access(sandbox=True, environ={}))


def test_what_is_in_the_way_of_rendering_stops_it_before_anything_is_written(acme: Acme):
    acme.rendered.mkdir()
    (acme.rendered / "own.tf").write_text("# mine\n")
    with pytest.raises(ToolkitError, match=r"own\.tf"):
        acme.fix(LENGTH)
    assert acme.file.read_bytes() == FILE
    assert acme.asked == []


def test_an_audit_gets_the_fixes_of_what_failed(acme: Acme):
    found = workflow.proposed(acme.project, "acme", audit(LENGTH, DETECTOR, "iam_root_mfa_enabled"))
    by_check = {one.check: one for one in found.fixes}
    assert set(by_check) == {LENGTH, DETECTOR}
    assert by_check[LENGTH].diff.startswith("--- a/environments/acme/rendered/password_policy.tf\n")
    assert "guardduty" not in by_check[LENGTH].diff, "each by itself"
    assert replace(found, fixes=()) == audit(LENGTH, DETECTOR, "iam_root_mfa_enabled")
    assert acme.file.read_bytes() == FILE
    assert not acme.rendered.exists()


BROKEN = {
    "a module that is released, and whose component is on": (
        b"released: [module.password_policy]\r\ncomponents:",
        "module.password_policy is released, and a component of this environment calls it",
    ),
    "an import into a module that is not called": (
        b"imports:\r\n  module.guardduty_eu_central_1.aws_guardduty_detector.this: a\r\ncomponents:",
        "module.guardduty_eu_central_1",
    ),
    "a file that was edited during the audit": (b"component:", "component"),
}


@pytest.mark.parametrize(("before", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_an_audit_is_reported_though_its_file_cannot_be_rendered(acme: Acme, before: bytes, reason: str):
    """The first two load: until all calls of AWS are made, nothing says that they do not render."""
    acme.file.write_bytes(FILE.replace(b"components:", before))
    found = workflow.proposed(acme.project, "acme", audit(LENGTH, "iam_root_mfa_enabled"))
    assert replace(found, no_fixes=()) == audit(LENGTH, "iam_root_mfa_enabled")
    assert any(reason in line for line in found.no_fixes), found.no_fixes
    text = [line for line, _ in audit_lines(found, verbose=False)]
    assert "No fixes are proposed: environment.yaml cannot be rendered." in text
    assert f"  {found.no_fixes[0]}" in text
    assert "environment.yaml cannot be rendered" in audit_markdown(found)
    assert audit_data(found)["no_fixes"] == list(found.no_fixes)
    with pytest.raises(ToolkitError):
        acme.fix(found=found)
    assert acme.asked == []


def test_what_is_set_already_may_lack_what_no_plan_shows(acme: Acme):
    """An alarm whose subscriber has not confirmed: the plan is empty, and the check fails on."""
    acme.fix(LENGTH)
    (other,) = acme.fix(LENGTH).others
    shown = "\n".join(line for line, _ in (*fixed_lines((), (other,)), *fix_lines(other)))
    assert shown.count("if `toolkit plan` shows no change, do what the finding says") == 2
    assert "a plan shows what the account lacks" not in shown


def test_a_check_is_explained_whatever_the_account_has(acme: Acme):
    explained = workflow.explained(acme.project, "acme", checks()[LENGTH])
    assert explained is not None
    assert (explained.kind, explained.settings[0].value) == (Kind.EDIT, 14)
    assert workflow.explained(acme.project, "acme", checks()["iam_root_mfa_enabled"]) is None
