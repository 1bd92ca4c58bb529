"""Rules by their ids: registered once, found without loading every guard, and all of them with what users need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import toolkit
from toolkit.findings import Consent, Names, Rule, Severity, Source, register, rule_of, rules
from toolkit.findings.registry import _DECLARING
from toolkit.findings.rules import WEAKENS

PACKAGE = Path(toolkit.__file__).parent
IDS = {
    "destroys-protected": (Consent("--allow-destroy", "ADDRESS"), Names.RESOURCE),
    "gains-access": (Consent("--allow-gain", "ADDRESS.ATTRIBUTE"), Names.RESOURCE),
    "weakens": (Consent("--allow-weaker", "ADDRESS.ATTRIBUTE"), Names.RESOURCE),
    "collides": (None, None),
    "imports-differ": (None, None),
    "exceeds-quota": (None, None),
    "releases-protected": (Consent("--allow-release", "ADDRESS"), Names.RESOURCE),
    "locks-out-caller": (None, None),
    "locks-out-last-administrator": (None, None),
    "opens-role-to-others": (None, None),
    "locks-out-users": (Consent("--acknowledge-lockout", None), Names.RESOURCE),
    "advice": (None, None),
    "uncovered": (None, Names.REQUIREMENT),
    "deleted-outside-terraform": (None, None),
    "weakened-outside-terraform": (None, None),
    "changed-outside-terraform": (None, None),
}
"""Ids are for ever: reports, waivers and bundles of earlier versions carry them. None may be taken out or change."""


def test_ids_stay_what_they_are():
    assert {rule.id: (rule.consent, rule.waiver) for rule in rules()} == IDS


def test_two_rules_cannot_have_one_id():
    with pytest.raises(ValueError, match="two rules have the id 'weakens'"):
        register(Rule("weakens", "Something else.", Severity.NOTE, refused="this", instead="that"))
    assert rule_of("weakens") is WEAKENS


def test_every_module_that_registers_rules_is_listed():
    registering = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^\w+ = register\(", file.read_text("utf-8"), re.M)
    }
    assert registering == set(_DECLARING)


@pytest.mark.parametrize("rule", rules(), ids=str)
def test_a_rule_tells_what_it_is_about(rule: Rule):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert re.match(r"[A-Z].*\.$", rule.explanation)
    assert rule.refused
    assert rule.instead
    assert rule.source in Source


def test_a_waived_rule_is_found_without_loading_a_guard():
    """environment.yaml is read by every command, and must not make it start later."""
    code = (
        "import sys; from toolkit.findings import rule_of; "
        "assert all(rule_of(i) for i in ('weakens', 'uncovered', 'destroys-protected', 'locks-out-users')); "
        "print([m for m in sys.modules if m.startswith(('toolkit.plan', 'toolkit.components', 'toolkit.iam'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_rule_that_does_not_exist_is_none():
    assert rule_of("weaken") is None
