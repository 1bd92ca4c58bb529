"""AWS's published examples (published.yaml): what each page says of its own policies, none differs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate

ENDS = {
    "allow": Decision.ALLOW,
    "explicit-deny": Decision.EXPLICIT_DENY,
    "implicit-deny": Decision.IMPLICIT_DENY,
}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PAGES: list[dict[str, Any]] = yaml.load(Path(__file__).with_name("published.yaml").read_text("utf-8"), LOADER)


def principal(who: str, account: str) -> str | None:
    """As the data names it: user/NAME and so on, a service's name, anonymous."""
    if who == "anonymous":
        return None
    if who.endswith(".amazonaws.com"):
        return who
    service = "sts" if who.startswith(("assumed-role/", "federated-user/")) else "iam"
    return f"arn:aws:{service}::{account}:{who}"


def verdicts() -> Iterator[tuple[str, str, Decision, Decision]]:
    """(page, question, as published, as evaluated)."""
    for page in PAGES:

        def read(name: str, kind: PolicyKind, page: dict[str, Any] = page) -> PolicyDocument:
            written = page["policies"][name]
            statements = written if isinstance(written, list) else [written]
            if name.startswith("trust"):
                kind = PolicyKind.TRUST
            return PolicyDocument.parse({"Version": "2012-10-17", "Statement": statements}, kind=kind)

        for case in page["cases"]:
            account = case.get("account", page.get("account", "123456789012"))
            owner = case.get("owner", page.get("owner"))
            boundary, session, resource = case.get("boundary"), case.get("session"), case.get("resource")
            caller = principal(case["who"], account)
            policies = Policies(
                identity=tuple(read(name, PolicyKind.IDENTITY) for name in case.get("identity", ())),
                boundary=read(boundary, PolicyKind.IDENTITY) if boundary else None,
                session=tuple(read(name, PolicyKind.IDENTITY) for name in session) if session else None,
                scps=tuple(tuple(read(name, PolicyKind.SCP) for name in level) for level in case.get("scps", ())),
                resource=read(resource, PolicyKind.RESOURCE) if resource else None,
            )
            for action, arn, context, end in case["verdicts"]:
                request = Request(caller, action, arn, context, case.get("tags", {}), resource_account=owner)
                question = f"{case['who']} {action} on {arn} {context}"
                yield page["page"], question, ENDS[end], evaluate(request, policies).decision


def test_no_published_verdict_differs() -> None:
    found = list(verdicts())
    assert len(found) >= 200
    differing = [f"{page}: {question}: {is_}" for page, question, expected, is_ in found if is_ is not expected]
    assert not differing, "\n".join(differing)


def test_every_page_was_opened() -> None:
    assert all(page["opened"] and str(page["opened"][0]) >= "2026-11-30" for page in PAGES)
