"""Bundles that somebody wrote by hand, with sums that fit: each ends in the documented error, which names the field."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.cli import console
from toolkit.cli.main import run
from toolkit.errors import BadPlanError
from toolkit.terraform import bundle as bundles

RECORDED = Path(__file__).parents[2] / "plans" / "reports"
FACTS: dict[str, Any] = json.loads((RECORDED.parents[1] / "unit" / "reports" / "manifest.json").read_text())
FINDING: dict[str, Any] = {
    "rule": "weakens",
    "severity": "high",
    "address": "module.password_policy.aws_iam_account_password_policy.this",
    "attribute": "minimum_password_length",
    "summary": "s",
    "evidence": "24 → 14",
    "remedy": "r",
    "consent": "--allow-weaker X",
    "component": "password_policy",
    "region": "eu-central-1",
    "consented_by": "--allow-weaker X",
}
PLAN: dict[str, Any] = json.loads((RECORDED / "later.json").read_text())


def bundle_of(folder: Path, **changed: Any) -> Path:
    """A bundle with these members (without ".json") and the sums that belong to them."""
    state = io.BytesIO()
    with zipfile.ZipFile(state, "w") as archive:
        archive.writestr("tfstate", "{}")
    members = {"manifest": FACTS, "plan": PLAN, "findings": [FINDING], "access": {}} | changed
    files = {
        f"{name}.json": content if isinstance(content, bytes) else json.dumps(content).encode()
        for name, content in members.items()
    }
    files["plan.tfplan"] = state.getvalue()
    summed = ("manifest.json", "plan.tfplan", "plan.json", "findings.json", "access.json")
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in summed).encode()
    path = folder / "made.tfbundle"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "environments" / "sandbox"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_bytes((RECORDED / "later.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOOLKIT_BUNDLE_KEY", raising=False)
    yield tmp_path
    console.Settings.chdir = None


def refused(project: Path, capsys: pytest.CaptureFixture[str], **changed: Any) -> str:
    """The one error with which every command that reads bundles ends."""
    path = bundle_of(project, **changed)
    told = []
    for command in (
        ["show", str(path)],
        ["controls", "--plan", str(path)],
        ["apply", "sandbox", "--plan", str(path)],
    ):
        assert run(command) == 7
        out, err = capsys.readouterr()
        assert out == ""
        told.append(err)
    assert len(set(told)) == 1
    assert told[0].startswith(f"Error: {path}: ")
    return told[0]


def test_what_is_whole_is_shown(project: Path, capsys: pytest.CaptureFixture[str]):
    """Else every refusal below would prove nothing."""
    assert run(["show", str(bundle_of(project))]) == 0
    assert "24 → 14" in capsys.readouterr().out


def test_whoever_has_a_key_takes_no_bundle_without_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TOOLKIT_BUNDLE_KEY", base64.b64encode(bytes(32)).decode())
    assert "not encrypted, though the key of TOOLKIT_BUNDLE_KEY is given" in refused(project, capsys)


@pytest.mark.parametrize("command", [["show"], ["controls", "--plan"], ["apply", "sandbox", "--plan"]])
def test_whoever_names_a_kms_key_takes_no_bundle_without_it(
    project: Path, capsys: pytest.CaptureFixture[str], command: list[str]
):
    assert run([*command, str(bundle_of(project)), "--kms-key", "alias/plans"]) == 7
    assert "not encrypted, though the KMS key alias/plans is given" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["controls", "sandbox"], ["apply", "sandbox", "--auto-approve"]])
def test_a_kms_key_is_of_a_saved_plan(project: Path, capsys: pytest.CaptureFixture[str], command: list[str]):
    assert run([*command, "--kms-key", "alias/plans"]) == 64
    assert "--plan BUNDLE" in capsys.readouterr().err


MANIFESTS = {
    "expires is a number": ({"expires": 5}, "manifest.json cannot be read: expires: a number; expected a valid string"),
    "expires is no time": ({"expires": "tomorrow"}, "expires: text; expected a time with its zone"),
    "expires without a zone": ({"expires": "2999-01-01T00:00:00"}, "expires: text; expected a time with its zone"),
    "a serial that is text": ({"state_serial": "7"}, "state_serial: text; expected a valid integer"),
    "a serial that is true": ({"state_serial": True}, "state_serial: true; expected a valid integer"),
    "destroy that is text": ({"destroy": "false"}, "destroy: text; expected a valid boolean"),
    "another simulator": ({"simulator": "localstack"}, "simulator: text; "),
    "consents as text": ({"consents": "--allow-destroy=*"}, "consents: text; expected a valid array"),
    "a consent that is a number": ({"consents": [1]}, "consents[0]: a number; expected a valid string"),
    "no consent at all": ({"consents": ["--force"]}, "consents[0]: text; expected a consent as an option"),
    "an account that is none": ({"account_id": "12"}, "account_id: text; "),
    "files that are a list": ({"files": []}, "files: a list; expected an object"),
    "a sum that is a number": ({"files": {"a": 1}}, "files.a: a number; expected a valid string"),
    "a field of a later version": ({"later": 1}, "later is unknown"),
    "a field that speaks to the terminal": ({"a\n\x1b[2J": 1}, "a\\n\\x1b[2J is unknown"),
    "a name that leads out": ({"environment": "../x"}, "environment: text; expected the name of an environment"),
    "a format that is true": ({"format": True}, "format: true; expected a valid integer"),
    "a format that is a list": ({"format": []}, "format: a list; expected a valid integer"),
}


@pytest.mark.parametrize(("change", "said"), MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_manifest_with_an_odd_field(
    project: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], said: str
):
    assert said in refused(project, capsys, manifest={**FACTS, **change})


OTHERS = {
    "a manifest that is a list": ({"manifest": []}, "its manifest.json cannot be read: a list; expected an object"),
    "a manifest that is no JSON": ({"manifest": b"{"}, "its manifest.json cannot be read: not JSON"),
    "a manifest without end": ({"manifest": b"[" * 100_000}, "its manifest.json cannot be read: not JSON, or nested"),
    "a manifest of bytes": ({"manifest": b"\xff\xfe"}, "its manifest.json cannot be read: not JSON"),
    "a manifest without account": (
        {"manifest": {k: v for k, v in FACTS.items() if k != "account_id"}},
        "account_id is missing",
    ),
    "a plan that is a list": ({"plan": []}, "its plan.json cannot be read: a list; expected an object"),
    "a plan without end": ({"plan": b'{"a":' * 100_000}, "its plan.json cannot be read: not JSON, or nested"),
    "a plan of another format": ({"plan": {"format_version": "2.0"}}, "its plan.json cannot be read: format_version"),
    "changes that are a number": (
        {"plan": {**PLAN, "resource_changes": 5}},
        "resource_changes: a number; expected a valid array",
    ),
    "a change without actions": (
        {"plan": {**PLAN, "resource_changes": [{**PLAN["resource_changes"][0], "change": {}}]}},
        "resource_changes[0].change.actions is missing",
    ),
    "findings that are an object": ({"findings": {}}, "its findings.json cannot be read: an object; "),
    "a rule that is none": (
        {"findings": [FINDING, {**FINDING, "rule": "weaknes"}]},
        "findings.json cannot be read: [1].rule: 'weaknes'; expected 'collides', ",
    ),
    "a severity that is a list": ({"findings": [{**FINDING, "severity": []}]}, "[0].severity: []; expected 'critical'"),
    "a finding without address": (
        {"findings": [{k: v for k, v in FINDING.items() if k != "address"}]},
        "[0].address is missing",
    ),
    "gains that are text": ({"access": {"gains": "x"}}, "its access.json cannot be read: gains: text; expected"),
    "a gain that is neither": (
        {"access": {"gains": [{"turn": "up", "principals": [], "names": [], "items": []}]}},
        "gains[0].turn: 'up'; expected 'gain' or 'loss'",
    ),
}


@pytest.mark.parametrize(("changed", "said"), OTHERS.values(), ids=OTHERS.keys())
def test_a_member_with_an_odd_shape(
    project: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], said: str
):
    assert said in refused(project, capsys, **changed)


def test_values_of_a_plan_are_not_told(project: Path, capsys: pytest.CaptureFixture[str]):
    change = {**PLAN["resource_changes"][0], "change": {"actions": ["create"], "after": "hunter2"}}
    said = refused(project, capsys, plan={**PLAN, "resource_changes": [change]})
    assert "resource_changes[0].change.after: text; expected an object" in said
    assert "hunter2" not in said


PLACES = (
    "its project",
    "a project without its environment",
    "a project whose environment of that name has another account",
    "no project",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_plan_is_shown_in_any_folder(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
):
    path = bundle_of(project)
    name = FACTS["environment"]
    file = project / "environments" / name / "environment.yaml"

    def printed(*command: str) -> Any:
        assert run(command) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    show, controls = ("show", str(path), "--json"), ("controls", "--plan", str(path), "--format", "json")
    here = printed(*show), printed(*controls)
    assert "Waivers are not included" not in here[1]["limits"]
    if place == "a project without its environment":
        file.parent.rename(file.parent.with_name("elsewhere"))
    elif place.startswith("a project whose"):
        file.write_text(file.read_text().replace(FACTS["account_id"], "444455556666"))
    elif place == "no project":
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert printed(*show) == here[0]
    found = printed(*controls)
    assert {k: v for k, v in found.items() if k != "limits"} == {k: v for k, v in here[1].items() if k != "limits"}
    assert ("Waivers are not included" in found["limits"]) == (place != "its project")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, whole: Any) -> Any:
    """Some JSON, in which one thing at any depth was replaced, dropped or added."""
    here = json.loads(json.dumps(whole))
    top = {"top": here}
    holder: Any = top
    key: Any = "top"
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 4)):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    match draw(st.sampled_from(["replace", "drop", "add"])):
        case "drop" if holder is not top:
            del holder[key]
        case "add" if isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(JSON)
        case _:
            holder[key] = draw(JSON)
    return top.get("top")


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(manifest=mutated(FACTS), findings=mutated([FINDING]))
@settings(max_examples=300, suppress_health_check=SLOW, deadline=None)
def test_whatever_stands_in_a_manifest_it_is_read_or_refused(
    tmp_path: Path, manifest: Any, findings: list[Mapping[str, Any]]
):
    path = bundle_of(tmp_path, manifest=manifest, findings=findings, plan={"format_version": "1.2"})
    try:
        bundle = bundles.read(path)
        bundle.verify(dataclasses.asdict(bundle.manifest))
        bundle.verify_files({})
    except BadPlanError as e:
        assert e.where == str(path)
        assert "\n" not in e.problem


@given(member=st.sampled_from(["manifest", "findings", "plan"]), data=st.data())
@settings(max_examples=50, suppress_health_check=SLOW, deadline=None)
def test_whatever_stands_in_a_bundle_the_command_ends_as_documented(
    project: Path, capsys: pytest.CaptureFixture[str], member: str, data: st.DataObject
):
    whole = {"manifest": FACTS, "findings": [FINDING], "plan": {**PLAN, "prior_state": {}, "planned_values": {}}}
    path = bundle_of(project, **{member: data.draw(mutated(whole[member]))})
    code = run(["show", str(path), "--report", f"html={project}/x.html", "--report", f"sarif={project}/x.sarif"])
    out, err = capsys.readouterr()
    assert code in (0, 7), err
    assert (out == "") == (code == 7)
    assert run(["controls", "--plan", str(path)]) == code, capsys.readouterr().err
    capsys.readouterr()
