"""Contacts, identity providers and users of the environment file, in each state that a check tells from another."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from toolkit.audit.checks.organizations import Organization
from toolkit.audit.checks.people import SamlProviders
from toolkit.audit.facts import CredentialReport, Every
from toolkit.audit.model import Scope
from toolkit.environment import load_text
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, NOW, SCOPE, Case, Flip, live
from .recorded_organizations import organization
from .recorded_users import row

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE
CONTACTS = "account_maintain_different_contact_details_to_security_billing_and_operations"
FEDERATION, LISTED, REVIEWED = "iam_check_saml_providers_sts", "iam_user_in_environment", "iam_user_review_date"


def _contacts(expected: Status, *flips: Flip, **addresses: str) -> Case:
    every = tuple(live({"alternate_contact_type": kind, "email_address": one}) for kind, one in addresses.items())
    return Case(CONTACTS, expected, {Every("aws_account_alternate_contact", HOME): every}, flips)


def _federation(expected: Status, *until: datetime | None, member: bool, flips: tuple[Flip, ...] = ()) -> Case:
    providers = tuple(live({"valid_until": one}) for one in until)
    answers = {SamlProviders(): providers, Organization(): organization() if member else ()}
    return Case(FEDERATION, expected, answers, flips)


def _listed(name: str, days: int = 1, status: str = "active") -> dict[str, dict[str, str]]:
    day = f"{NOW + timedelta(days=days):%Y-%m-%d}"
    return {name: {"owner": "a@example.com", "review_date": day, "status": status}}


def _scope(components: str) -> Scope:
    text = f"account_id: '{SCOPE.account_id}'\nregions: {{home: {HOME}}}\ncomponents:\n{components}"
    return replace(SCOPE, environment=load_text(text, name="x", shown_as="x.yaml"))


ENTRIES = {**_listed("alice", 0), **_listed("late", -1), **_listed("gone", status="removed")}
WITH = _scope(f"  iam_groups: {{}}\n  iam_users: {{users: {json.dumps(ENTRIES)}}}\n")
WITHOUT = _scope("  password_policy: {}\n")


def _users(check: str, expected: Status, name: str, *flips: Flip, scope: Scope = WITH) -> Case:
    report: tuple[Live, ...] = (row(name), row("<root_account>"))
    return Case(check, expected, {CredentialReport(): report}, flips, scope)


IS_ROOT = Flip("user", "<root_account>", PASS)
"""Root is no user, and in no file."""

CASES = (
    _contacts(
        PASS,
        Flip("alternate_contact_type", "OTHER", FAIL),
        Flip("email_address", "S@example.com", FAIL),
        BILLING="b@example.com",
        OPERATIONS="o@example.com",
        SECURITY="s@example.com",
    ),
    _contacts(FAIL, BILLING="b@example.com", OPERATIONS="o@example.com"),
    _contacts(
        FAIL,
        Flip("email_address", "s@example.com", PASS, at=2),
        BILLING="b@example.com",
        OPERATIONS="o@example.com",
        SECURITY="B@EXAMPLE.com",
    ),
    _contacts(FAIL),
    _federation(PASS, NOW + timedelta(days=1), member=True, flips=(Flip("valid_until", NOW, FAIL, SamlProviders()),)),
    _federation(PASS, NOW + timedelta(days=1), member=False),
    _federation(PASS, None, member=True),  # metadata without an end
    _federation(FAIL, NOW, member=True),
    _federation(FAIL, member=True),
    _federation(NOT_APPLICABLE, member=False),
    _users(LISTED, PASS, "alice", Flip("user", "mallory", FAIL), Flip("user", "gone", FAIL)),
    _users(LISTED, FAIL, "mallory", IS_ROOT),
    _users(LISTED, FAIL, "gone", IS_ROOT),
    _users(LISTED, NOT_APPLICABLE, "mallory", scope=SCOPE),
    _users(LISTED, NOT_APPLICABLE, "mallory", scope=WITHOUT),
    _users(REVIEWED, PASS, "alice", Flip("user", "late", FAIL)),
    _users(REVIEWED, PASS, "mallory", Flip("user", "late", FAIL)),
    _users(REVIEWED, FAIL, "late", IS_ROOT),
    _users(REVIEWED, NOT_APPLICABLE, "late", scope=SCOPE),
    _users(REVIEWED, NOT_APPLICABLE, "late", scope=WITHOUT),
)
