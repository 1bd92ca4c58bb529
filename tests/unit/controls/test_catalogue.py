"""Claims: what meets them, what is none, and how requirements are named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from toolkit.controls import catalogue
from toolkit.controls.catalogue import Claim, requirement_ids

IDS: dict[str, Any] = json.loads((Path(catalogue.__file__).parent / "framework_ids.json").read_text("utf-8"))
TOPIC = "iam_password_policy_minimum_length_14"


@pytest.mark.parametrize(
    ("expect", "met", "unmet"),
    [
        ({"equals": True}, [True], [False, None, "true"]),
        ({"equals": None}, [None], [0, "", False]),
        ({"at_least": 14}, [14, 15], [13, 0, None]),
        ({"at_most": 90}, [90, 0], [91, None]),
        # A password age of 0 is "never expires", which is why there is `between`.
        ({"between": [1, 90]}, [1, 90], [0, 91, None]),
        ({"one_of": ["a", "b"]}, ["a", "b"], ["c", None]),
        ({"contains": "s3_read"}, [["s3_read"], ["x", "s3_read"]], [[], ["s3"], None]),
        ({"not_empty": True}, ["x", {"x": 1}, [0]], ["", {}, [], None]),
        ({}, [None, 0, "anything"], []),
    ],
    ids=str,
)
def test_what_meets_an_expectation(expect: dict[str, Any], met: list[Any], unmet: list[Any]):
    claim = Claim(TOPIC, "x.y", "attribute", expect, None)
    assert [v for v in met if not claim.met_by(v)] == []
    assert [v for v in unmet if claim.met_by(v)] == []


def test_each_topic_has_a_title_and_no_title_is_left_over():
    """The sentences are this project's own; nothing of a benchmark's text is among them."""
    texts = json.loads((Path(catalogue.__file__).parent / "texts.json").read_text("utf-8"))
    assert texts.keys() == {topic.name for topic in catalogue.topics()}
    assert list(texts) == sorted(texts)
    titles = [topic.title for topic in catalogue.topics()]
    assert len(set(titles)) == len(titles)
    assert all(said.endswith(".") and said.count(".") == 1 and said[0].isupper() for said in titles)
    assert not [said for said in titles if said.lower().startswith(("ensure", "enable", "check"))]
    assert all(set(one) <= {"title", "why", "attested"} for one in texts.values())
    attested = [topic for topic in catalogue.topics() if topic.attested]
    assert attested
    assert all(topic.why and str(topic.attested).endswith(".") for topic in attested)


def _numbered(**sections: int) -> list[str]:
    return [f"{section[1:].replace('_', '.')}.{n + 1}" for section, count in sections.items() for n in range(count)]


# How many requirements each section has: prowler 5.46, compliance/aws/cis_*_aws.json.
CIS = {
    "cis-3.0": {"s1": 22, "s2_1": 4, "s2_2": 1, "s2_3": 3, "s2_4": 1, "s3": 9, "s4": 16, "s5": 6},
    "cis-5.0": {"s1": 21, "s2_1": 4, "s2_2": 4, "s2_3": 1, "s3": 9, "s4": 16, "s5_1": 2, "s5": 7},
    "cis-6.0": {"s2": 21, "s3_1": 4, "s3_2": 4, "s3_3": 1, "s4": 9, "s5": 16, "s6_1": 2, "s6": 7},
    "cis-7.0": {"s2_1": 6, "s2": 21, "s3_1": 4, "s3_2": 4, "s3_3": 1, "s4": 10, "s5": 16, "s6_1": 2, "s6": 8},
}
GROUPS = {"cis-3.0": set[str](), "cis-5.0": {"5.1"}, "cis-6.0": {"6.1"}, "cis-7.0": {"2.1", "6.1"}}
"""Headings that are numbered as requirements are."""


@pytest.mark.parametrize(("name", "count"), [("cis-3.0", 62), ("cis-5.0", 63), ("cis-6.0", 63), ("cis-7.0", 70)])
def test_every_requirement_of_the_benchmark_is_known(name: str, count: int):
    expected = set(_numbered(**CIS[name])) - GROUPS[name]
    assert len(expected) == count
    (framework,) = [one for one in catalogue.frameworks() if one.name == name]
    assert {requirement for requirement, _ in catalogue.requirements(framework)} == expected


IDS_OF = {
    "cis_": r"\d+(\.\d+){1,2}", "fsbp": r"[A-Za-z0-9]+\.\d+", "nist_800": r"[A-Z]{2}-\d+(\(\w+\))*",
    "pci": r"A?\d+(\.\d+)+", "iso": r"A\.\d+\.\d+", "soc2": r"[a-z]+(_[a-z\d]+)+", "nist_csf": r"[a-z]{2}(_[a-z\d]+)+",
}  # fmt: skip


@pytest.mark.parametrize("begins", IDS_OF)
def test_ids_have_the_form_of_their_framework(begins: str):
    ids = [
        one
        for facts in IDS["topics"].values()
        for framework, of in facts["frameworks"].items()
        if framework.startswith(begins)
        for one in of
    ]
    assert ids
    assert [one for one in ids if not re.fullmatch(IDS_OF[begins], one)] == []


GOOD = f"controls:\n  - {{topic: {TOPIC}, resource: x.y"


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD}, setings: minimum_password_length}}",
        f"{GOOD}, attribute: a, expect: {{at_least: 1, at_most: 2}}}}",
        f"{GOOD}, attribute: a, expect: {{more_than: 1}}}}",
        "controls:\n  - {topic: no_such_topic, resource: x.y}",
    ],
)
def test_what_is_no_claim_is_a_defect_told_with_its_file(tmp_path: Path, text: str):
    file = tmp_path / "controls.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match="not a claim") as caught:
        catalogue._claims(file)
    assert str(file) in str(caught.value)


def test_a_claim_as_written(tmp_path: Path):
    file = tmp_path / "controls.yaml"
    file.write_text(f"{GOOD}, attribute: a, expect: {{at_least: 14}}, setting: s}}")
    assert catalogue._claims(file) == (Claim(TOPIC, "x.y", "a", {"at_least": 14}, "s"),)


def test_requirements_are_named_once_in_the_order_people_count():
    topics = IDS["topics"]
    both = [t for t, facts in topics.items() if {"cis_7.0", "fsbp"} <= set(facts["frameworks"])]
    assert both
    for topic in both:
        text = requirement_ids((topic, topic))
        cis, fsbp = text.split("; ")
        assert cis.startswith("CIS 7.0 ")
        assert fsbp.startswith("FSBP ")
        ids = cis.removeprefix("CIS 7.0 ").split(", ")
        assert ids == sorted(set(ids), key=lambda i: [int(p) for p in i.split(".")])
    every = requirement_ids(tuple(topics)).split("; ")[0].removeprefix("CIS 7.0 ").split(", ")
    assert every.index("2.1.6") < every.index("2.9") < every.index("2.10") < every.index("3.1.1")


def test_other_frameworks_are_left_out_of_comments():
    unnamed = [t for t, facts in IDS["topics"].items() if not {"cis_7.0", "fsbp"} & set(facts["frameworks"])]
    assert unnamed
    assert requirement_ids((unnamed[0],)) == ""
    assert requirement_ids(()) == ""


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "scripts"))
    import derive_topics  # type: ignore[import-not-found]

    return derive_topics


def test_topics_that_modules_declare_are_topics_like_any_other(derived: Any):
    assert derived.derive().keys() == json.loads(derived.TARGET.read_text("utf-8")).keys()
    (topic,) = [t for t in catalogue.topics() if t.name == "ssm_documents_public_sharing_blocked"]
    assert topic.requirements == {"fsbp": ("SSM.7",)}
    assert requirement_ids((topic.name,)) == "FSBP SSM.7"


FACTS = "{service: x, severity: low, frameworks: {fsbp: [X.1]}, terraform: aws_x}"


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        (f"{TOPIC}: {FACTS}", f"modules/x/controls.yaml: topics.{TOPIC}: the topic exists already"),
        ("new: {service: x, frameworks: {fsbp: [X.1]}}", "topics.new: expected the keys frameworks, service, severity"),
        (f"new: {FACTS.replace('fsbp', 'fsbq')}", "topics.new: fsbq is not a framework; expected: cis_3.0"),
    ],
)
def test_a_declared_topic_is_new_and_has_ids_of_known_frameworks(
    derived: Any, tmp_path: Path, topics: str, expected: str
):
    file = tmp_path / "modules" / "x" / "controls.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"topics:\n  {topics}\ncontrols: []\n")
    with pytest.raises(SystemExit) as caught:
        derived.derive(tmp_path / "modules")
    assert expected in str(caught.value)
