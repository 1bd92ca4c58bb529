"""Each format of an audit validates against its public schema (tests/schemas), also with hostile names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.audit.model import Outcome, about, verdict
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.controls.catalogue import frameworks
from toolkit.findings import Finding, Severity, Status
from toolkit.reports.asff import RESOURCE_TYPES, security_findings
from toolkit.reports.audit_registry import FORMATS
from toolkit.reports.junit import render as junit_of_plan
from toolkit.reports.sarif import render as sarif_of_plan
from toolkit.reports.view import PlanView
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES
from toolkit.visible import one_line

from .audits import ACCOUNT, HOME, audit, check, every, live, result

FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
SCHEMAS = Path(__file__).parents[2] / "schemas"


def loaded(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text("utf-8"))


SARIF = jsonschema.Draft4Validator(loaded("sarif-2.1.0.json"))
OCSF = jsonschema.Draft202012Validator(loaded("ocsf-1.6.0-compliance_finding.json"))


@cache
def junit_schema() -> Any:
    """Not at import: it takes half a second of each process that collects tests."""
    import xmlschema

    return xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")


@cache
def hub() -> Any:
    """The model of Security Hub."""
    return botocore.session.get_session().get_service_model("securityhub")


def validate_sarif(text: str) -> None:
    SARIF.validate(json.loads(text))
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        (location,) = one["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["properties"]["tags"]) <= 20, "GitHub refuses the file"


def validate_junit(text: str) -> None:
    """Valid but for one attribute that GitLab reads."""
    said = {f"{error.path}: {error.reason}" for error in junit_schema().iter_errors(text)}
    assert {one for one in said if "'file' attribute not allowed" not in one} == set()


def validate_ocsf(text: str) -> None:
    events = json.loads(text)
    for event in events:
        OCSF.validate(event)
    uids = [event["finding_info"]["uid"] for event in events]
    assert len(set(uids)) == len(uids)


def validate_asff(text: str) -> None:
    """botocore's own shape; and what only the API Reference says: lengths, patterns, sizes."""
    found = json.loads(text)
    shape = hub().operation_model("BatchImportFindings").input_shape
    for at in range(0, len(found), 100):
        report = ParamValidator().validate({"Findings": found[at : at + 100]}, shape)
        assert not report.has_errors(), report.generate_report()
    ids = [one["Id"] for one in found]
    assert len(set(ids)) == len(ids)
    for one in found:
        _enums(one, hub().shape_for("AwsSecurityFinding"))
        assert len(json.dumps(one)) < 240 << 10
        limits = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024}
        assert all(0 < len(one[key]) <= limit for key, limit in limits.items())
        assert 0 < len(one["Remediation"]["Recommendation"]["Text"]) <= 512
        assert len(one["ProductFields"]) <= 50
        assert len(one["Compliance"].get("RelatedRequirements", ())) <= 32
        assert all(len(key) <= 128 and len(value) <= 2048 for key, value in one["ProductFields"].items())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["UpdatedAt"])


def _enums(value: Any, shape: Any) -> None:
    """ParamValidator checks types, required members and lengths, but neither enumerations nor patterns."""
    if shape.type_name == "structure":
        for key, inner in value.items():
            _enums(inner, shape.members[key])
    elif shape.type_name == "list":
        for inner in value:
            _enums(inner, shape.member)
    elif shape.type_name == "map":
        for key, inner in value.items():
            _enums(key, shape.key)
            _enums(inner, shape.value)
    elif shape.type_name == "string":
        assert not getattr(shape, "enum", None) or value in shape.enum, (shape.name, value)
        assert re.fullmatch(shape.metadata.get("pattern", ".*"), value), (shape.name, value)


def validate_csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len({len(row) for row in rows}) == 1
    assert not [one for row in rows for one in row if one.startswith(FORMULA)]
    assert text.count("\r\n") == len(rows), "RFC 4180: a line is a record"


VALIDATE: dict[str, Callable[[str], None]] = {
    "sarif": validate_sarif,
    "junit": validate_junit,
    "ocsf": validate_ocsf,
    "asff": validate_asff,
    "csv": validate_csv,
}


def said_by_sarif(text: str) -> dict[str, str]:
    (run,) = json.loads(text)["runs"]
    said = dict(run["properties"]["verdicts"])
    for one in run["results"]:
        if one["suppressions"]:
            assert said[one["ruleId"]] == "fail"
            said[one["ruleId"]] = "waived"
        elif one.get("kind", "fail") != "fail":
            assert (one["kind"], one["level"]) == ("open", "none")
            assert said[one["ruleId"]] == "unknown"
        else:
            assert said[one["ruleId"]] == "fail"
    assert {one["ruleId"] for one in run["results"]} == {
        name for name, word in said.items() if word in ("fail", "waived", "unknown")
    }
    return said


def said_by_junit(text: str) -> dict[str, str]:
    said = {}
    for case in ET.fromstring(text).iter("testcase"):
        tags = [one.tag for one in case]
        assert len(tags) == 1
        word = (case[0].text or "").partition(":")[0]
        tag = {"fail": "failure", "unknown": "error", "waived": "skipped", "not-applicable": "skipped"}
        assert tags == [tag.get(word, "system-out")]
        said[case.get("classname", "").partition(".")[2]] = word
    return said


def said_by_ocsf(text: str) -> dict[str, str]:
    said = {}
    for event in json.loads(text):
        word = event["status_code"]
        compliance = {"pass": 1, "attested": 1, "unknown": 2, "fail": 3, "waived": 3, "not-applicable": 99}
        assert event["compliance"]["status_id"] == compliance[word]
        assert event.get("status_id") == {"fail": 1, "unknown": 1, "waived": 3}.get(word)
        said[event["metadata"]["event_code"]] = word
    return said


def said_by_asff(text: str) -> dict[str, str]:
    said = {}
    for one in json.loads(text):
        word = one["ProductFields"]["aws-baseline-toolkit/verdict"]
        status = {"pass": "PASSED", "attested": "PASSED", "unknown": "WARNING", "not-applicable": "NOT_AVAILABLE"}
        assert one["Compliance"]["Status"] == status.get(word, "FAILED")
        assert (one["RecordState"] == "ARCHIVED") == (word in ("waived", "not-applicable"))
        assert "Workflow" not in one, "a suppressed finding is no longer updated: it would outlast its waiver"
        said[one["GeneratorId"].partition("/")[2]] = word
    return said


def said_by_csv(text: str) -> dict[str, str]:
    return {row["check"]: row["verdict"] for row in csv.DictReader(io.StringIO(text, newline=""))}


SAID: dict[str, Callable[[str], dict[str, str]]] = {
    "sarif": said_by_sarif,
    "junit": said_by_junit,
    "ocsf": said_by_ocsf,
    "asff": said_by_asff,
    "csv": said_by_csv,
}
WORDS = {"markdown", "json", "text", "html"}
"""Formats for people, and our own JSON, which other tests read."""


def test_every_format_is_judged_here() -> None:
    assert set(VALIDATE) == set(SAID) == set(FORMATS) - WORDS


@pytest.mark.parametrize("environment", ["prod", None])
@pytest.mark.parametrize("name", VALIDATE)
def test_every_verdict_with_every_severity_is_there_and_valid(name: str, environment: str | None) -> None:
    found = every() if environment else replace(every(), environment=None, lines={})
    text = FORMATS[name].render(found)
    VALIDATE[name](text)
    said = SAID[name](text)
    assert said == {finding.rule.id: verdict(finding) for finding in found.findings}
    assert len(said) == len(found.findings) == 48


def said_by_json(text: str) -> dict[str, str]:
    return {one["rule"]: "waived" if one["consented_by"] else one["status"] for one in json.loads(text)["findings"]}


def test_our_own_json_has_every_verdict() -> None:
    found = every()
    assert said_by_json(FORMATS["json"].render(found)) == {one.rule.id: verdict(one) for one in found.findings}


@pytest.mark.parametrize("name", ["text", "html"])
def test_formats_for_people_name_every_check(name: str) -> None:
    text = FORMATS[name].render(every())
    assert [one.rule.id for one in every().findings if one.rule.id not in text] == []


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("name", VALIDATE)
def test_every_check_of_ours_is_valid(name: str, status: Status) -> None:
    """Their real titles, reasons, sources and up to 82 requirements."""
    found = audit([result(one, Outcome(status, "evidence")) for one in checks().values()])
    text = FORMATS[name].render(found)
    VALIDATE[name](text)
    assert set(SAID[name](text).values()) == {status.value}


def test_security_hub_gets_the_requirements_of_the_framework_that_was_asked_for() -> None:
    one = checks()["cloudtrail_multi_region_enabled"]
    framework = next(framework for framework in frameworks() if framework.name == "cis-7.0")
    (sent,) = security_findings(audit([result(one, Outcome(Status.FAIL, "evidence"))], frameworks=(framework,)))
    assert sent["Compliance"]["RelatedRequirements"][0].startswith("cis-7.0:")
    assert len(one.requirements) > len(sent["Compliance"]["RelatedRequirements"]) == 32


SEVERITIES: dict[str, Callable[[str], dict[str, str]]] = {
    "sarif": lambda text: {
        rule["id"]: rule["properties"]["security-severity"]
        for rule in json.loads(text)["runs"][0]["tool"]["driver"]["rules"]
    },
    "ocsf": lambda text: {one["metadata"]["event_code"]: one["severity"] for one in json.loads(text)},
    "asff": lambda text: {
        one["GeneratorId"].partition("/")[2]: one["FindingProviderFields"]["Severity"]["Original"]
        for one in json.loads(text)
    },
    "csv": lambda text: {row["check"]: row["severity"] for row in csv.DictReader(io.StringIO(text, newline=""))},
}


@pytest.mark.parametrize("name", SEVERITIES)
def test_severities_are_told_apart(name: str) -> None:
    said = SEVERITIES[name](FORMATS[name].render(every()))
    by_severity = {
        severity: {said[f.rule.id] for f in every().findings if f.severity is severity} for severity in Severity
    }
    assert all(len(words) == 1 for words in by_severity.values())
    assert len(set.union(*by_severity.values())) == len(Severity)


def test_what_needs_no_work_is_not_counted_as_severe() -> None:
    for one in security_findings(every()):
        label = one["FindingProviderFields"]["Severity"]["Label"]
        word = one["ProductFields"]["aws-baseline-toolkit/verdict"]
        assert (label == "INFORMATIONAL") == (word in ("pass", "attested", "not-applicable"))


def test_junit_says_how_severe_a_failure_is() -> None:
    root = ET.fromstring(FORMATS["junit"].render(every()))
    assert {one.get("type") for one in root.iter("failure")} == {severity.value for severity in Severity}


BROKEN: dict[str, tuple[str, str]] = {
    "sarif": ('"version": "2.1.0"', '"version": "2.2"'),
    "junit": ("<testsuite name=", "<testsuite nom="),
    "ocsf": ('"class_uid": 2003', '"class_uid": 2004'),
    "asff": ('"RecordState": "ACTIVE"', '"RecordState": "OPEN"'),
    "csv": ("account,environment", "account,environment,more"),
}


@pytest.mark.parametrize("name", VALIDATE)
def test_what_is_wrong_is_refused(name: str) -> None:
    text = FORMATS[name].render(every())
    right, wrong = BROKEN[name]
    assert right in text
    with pytest.raises(Exception):  # noqa: B017 - each library has its own
        VALIDATE[name](text.replace(right, wrong, 1))


@pytest.mark.parametrize("member", ["Title", "ProductArn", "Resources", "SchemaVersion"])
def test_an_asff_finding_without_what_aws_requires_is_refused(member: str) -> None:
    (one, *_) = security_findings(every())
    del one[member]
    with pytest.raises(AssertionError, match=member):
        validate_asff(json.dumps([one]))


def test_plans_validate_as_well(first: PlanView, later: PlanView) -> None:
    for view in (first, later):
        validate_sarif(sarif_of_plan(view))
        validate_junit(junit_of_plan(view))


def test_resource_types_are_those_of_asff_that_are_called_alike() -> None:
    known = set(hub().shape_for("ResourceDetails").members)
    assert {"".join(word.title() for word in kind.split("_")) for kind in RESOURCES} & known == RESOURCE_TYPES


def test_a_failure_leads_to_the_line_of_its_setting() -> None:
    results = json.loads(FORMATS["sarif"].render(every()))["runs"][0]["results"]
    places = {json.dumps(one["locations"][0]["physicalLocation"], sort_keys=True) for one in results}
    file = {"uri": "environments/prod/environment.yaml", "uriBaseId": "%SRCROOT%"}
    assert [json.loads(place) for place in places] == [{"artifactLocation": file, "region": {"startLine": 5}}]
    nearer = replace(every(), lines={("components", "password_policy", "require_lowercase_characters"): 9})
    assert {nearer.line(one) for one in nearer.findings} == {9}


# What people and attackers name things: controls, bidirectional marks, lone surrogates, formulas, markup, spaces.
HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\x1b\x7f\x85\u202e\u2066\u2028\ufeff\ufffe\ud800\U000e0041<>&\"'`=+-@,;|\t\r\n\\{}$%]"),
    ),
    max_size=40,
)


def cell(text: str) -> str:
    return one_line(f"'{text}" if text.startswith(FORMULA) else text)


def xml(text: str) -> str:
    return re.sub("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", one_line(text))


def read_sarif(text: str, finding: Finding) -> None:
    (run,) = json.loads(text)["runs"]
    for one in run["results"]:
        assert one_line(finding.evidence) in one["message"]["text"].split("\n")[1]


def read_junit(text: str, finding: Finding) -> None:
    (case,) = ET.fromstring(text).iter("testcase")
    first, *_ = (case[0].text or "").split("\n")
    assert first == xml(f"{finding.status.value}: {HOME}: {about(finding)}: {finding.evidence}")


def read_ocsf(text: str, finding: Finding) -> None:
    (event,) = json.loads(text)
    assert event["message"] == finding.evidence
    assert event["compliance"]["status_details"] == list(finding.facts or ())
    assert event["resources"][0]["uid"] == about(finding)


def read_asff(text: str, finding: Finding) -> None:
    (one,) = json.loads(text)
    assert one["Description"] == (one_line(finding.evidence) if finding.evidence.strip() else "-")
    assert one["Resources"][0]["Id"] == one_line(about(finding) or "")


def read_csv(text: str, finding: Finding) -> None:
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["evidence"] == cell(finding.evidence)
    assert row["resource"] == cell(about(finding) or "")


READ: dict[str, Callable[[str, Finding], None]] = {
    "sarif": read_sarif,
    "junit": read_junit,
    "ocsf": read_ocsf,
    "asff": read_asff,
    "csv": read_csv,
}


@pytest.mark.parametrize("name", VALIDATE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidence=HOSTILE, user=HOSTILE, status=st.sampled_from(Status), fact=HOSTILE)
def test_hostile_words_are_data(name: str, evidence: str, user: str, status: Status, fact: str) -> None:
    """The parsed value equals the input, or what the documentation says that it becomes."""
    one = Outcome(status, evidence, live(None, user), facts=(fact,))
    found = audit([result(check("c", Severity.HIGH), one)])
    text = FORMATS[name].render(found).encode("utf-8", "backslashreplace").decode()
    VALIDATE[name](text)
    READ[name](text, found.findings[0])


@pytest.mark.parametrize("name", ["ocsf", "asff"])
@settings(max_examples=40, deadline=None)
@given(said=st.lists(st.tuples(st.sampled_from(Status), st.sampled_from("abc")), min_size=1, max_size=6))
def test_findings_with_one_id_are_told_apart(name: str, said: list[tuple[Status, str]]) -> None:
    """None takes the place of another, and the order in which they are found decides nothing."""
    one = check("c", Severity.HIGH)
    found = audit([result(one, *(Outcome(status, evidence) for status, evidence in said))])
    turned = audit([result(one, *(Outcome(status, evidence) for status, evidence in reversed(said)))])
    VALIDATE[name](FORMATS[name].render(found))

    def named(whose: Audit) -> set[tuple[str, str, str]]:
        return {(uid, finding.status.value, finding.evidence) for uid, finding in whose.unique}

    assert named(found) == named(turned)
    assert len(found.unique) == len(said)


def test_a_fact_about_the_account_is_about_no_resource() -> None:
    account = Live({}, {}, "the account", None, region=HOME)
    found = audit([result(check("c", Severity.HIGH), Outcome(Status.FAIL, "evidence", account))])
    assert security_findings(found)[0]["Resources"][0]["Type"] == "AwsAccount"
    (event,) = json.loads(FORMATS["ocsf"].render(found))
    assert event["resources"][0]["uid"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_what_is_too_long_is_cut_for_security_hub() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{'x' * 3000}"
    found = audit([result(check("c", Severity.HIGH), Outcome(Status.FAIL, "é" * 300_000, live(arn)))])
    validate_asff(FORMATS["asff"].render(found))
    (one,) = security_findings(found)
    assert one["Description"].endswith("…")
    other = audit([result(check("c", Severity.HIGH), Outcome(Status.FAIL, "short", live(arn + "y")))])
    assert security_findings(other)[0]["Id"] != one["Id"]
