"""Documents of commands for tests, as docs/output.schema.json has them, and outcomes that carry them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.fleet.outcome import Outcome

MANIFEST = json.loads((Path(__file__).parents[1] / "reports" / "manifest.json").read_text("utf-8"))
ACCOUNT = "123456789012"


def account(number: int) -> str:
    """An account of twelve digits that is nobody's."""
    return f"{111122220000 + number}"


def attribute(path: str, before: Any, after: Any, forces: bool = False) -> dict[str, Any]:
    return {"path": path, "before": before, "after": after, "forces_replacement": forces}


def change(address: str, action: str = "create", region: str = "eu-central-1", *values: Any, **more: Any) -> Any:
    resource = address.partition('["')[0].split(".")
    component = resource[1].split("_eu_")[0].split("_us_")[0] if resource[0] == "module" else None
    return {
        "address": address,
        "type": resource[-2],
        "action": action,
        "component": component,
        "region": region,
        "imported": False,
        "previous_address": None,
        "attributes": list(values),
        **more,
    }


def finding(address: str, attribute: str | None = None, **more: Any) -> dict[str, Any]:
    subject = f"{address}.{attribute}" if attribute else address
    return {
        "rule": "weakens" if attribute else "destroys-protected",
        "severity": "high" if attribute else "critical",
        "status": "fail",
        "address": address,
        "attribute": attribute,
        "type": None,
        "arn": None,
        "account_id": None,
        "region": "eu-central-1",
        "component": "password_policy",
        "setting": None,
        "summary": f"{attribute} becomes weaker." if attribute else f"The plan deletes {address}.",
        "evidence": "14 → 8" if attribute else "it protects",
        "calls": [],
        "controls": [],
        "remedy": "set what it was",
        "consent": f"--allow-weaker {subject}" if attribute else f"--allow-destroy {subject}",
        "consented_by": None,
        "subject": subject,
        "blocks": True,
        **more,
    }


def plan(name: str, number: int, *changes: Any, home: str = "eu-central-1", **more: Any) -> dict[str, Any]:
    """A plan's document."""
    facts = {key: value for key, value in MANIFEST.items() if key not in ("format", "empty", "files")}
    actions = [c["action"] for c in changes]
    return {
        "schema_version": 1,
        "kind": "plan",
        "bundle": "plan.tfbundle",
        **facts,
        "environment": name,
        "account_id": account(number),
        "region": home,
        "changes_pending": bool(changes),
        "summary": {
            "add": actions.count("create"),
            "change": actions.count("update"),
            "destroy": actions.count("delete"),
            **dict.fromkeys(("replace", "import", "forget", "move"), 0),
            "unchanged": 40,
        },
        "changes": list(changes),
        "findings": [],
        "irreversible": [],
        "refused": any(f["blocks"] for f in more.get("findings", ())),
        "cost": {"currency": "USD", "period": "month", "as_of": "2026-11-01", "fixed": 0.0, "lines": []},
        "outputs": [],
        **more,
    }


def planned(document: dict[str, Any]) -> Outcome:
    """The outcome of a plan that was made."""
    code = 4 if document["refused"] else 2 if document["changes"] else 0
    return Outcome(document["environment"], "plan", code, document, None, 7.5)


def failed(name: str, message: str, code: str = "error", exit_code: int = 1, **more: Any) -> Outcome:
    """The outcome of a command that failed."""
    error = {"schema_version": 1, "kind": "error", "code": code, "exit_code": exit_code, "message": message}
    return Outcome(name, "plan", exit_code, None, {**error, "where": None, "detail": None, "next": None, **more}, 1.5)


def usual(name: str, number: int, home: str = "eu-central-1", others: tuple[str, ...] = ("eu-west-1",)) -> Any:
    """Changes that many environments have: in each region, in each account."""
    changes = [
        change(
            "module.password_policy.aws_iam_account_password_policy.this",
            "update",
            home,
            attribute("minimum_password_length", 14, 24),
        ),
        change(
            f'module.siem_export.aws_s3_bucket.logs["{name}-logs"]',
            "create",
            home,
            attribute("bucket", None, f"{name}-logs-{account(number)}"),
            attribute("tags", None, {"Environment": name, "Home": home}),
        ),
    ]
    for region in (home, *others):
        label = region.replace("-", "_")
        changes.append(
            change(
                f"module.guardduty_{label}.aws_guardduty_detector.this",
                "create",
                region,
                attribute("arn", None, "(known after apply)"),
                attribute("policy", None, f"arn:aws:guardduty:{region}:{account(number)}:*"),
            )
        )
    return changes


def odd_fleet(size: int, regions: tuple[str, ...] = ("eu-central-1", "eu-west-1")) -> list[Outcome]:
    """A fleet in which three environments are odd: one is refused, one deletes what no other does, one lacks one."""
    outcomes = []
    for number in range(size):
        name, home = f"acct-{number:03}", regions[number % len(regions)]
        others = tuple(region for region in regions if region != home)
        changes = usual(name, number, home, others)
        found: list[Any] = []
        if number == size // 4:
            address = "module.password_policy.aws_iam_account_password_policy.this"
            changes[0] = change(address, "update", home, attribute("minimum_password_length", 14, 8))
            found = [finding(address, "minimum_password_length", region=home)]
        if number == size // 2:
            changes.append(change(f"module.cloudtrail_{home.replace('-', '_')}.aws_cloudtrail.this", "delete", home))
        if number == size - 2:
            del changes[1]
        outcomes.append(planned(plan(name, number, *changes, home=home, findings=found)))
    return outcomes
