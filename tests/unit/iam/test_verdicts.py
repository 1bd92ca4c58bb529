"""Recorded verdicts: each combination of policies as AWS's flow charts decide it (verdicts.txt), none differs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate

ACCOUNT, OTHER = "123456789012", "444455556666"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
ACTION = "s3:DeleteBucket"
ENDS = {
    "allow": Decision.ALLOW,
    "explicit-deny": Decision.EXPLICIT_DENY,
    "implicit-deny": Decision.IMPLICIT_DENY,
}
WHO = {
    "user": f"arn:aws:iam::{ACCOUNT}:user/anna",
    "session-of-role": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/s",
    "other-account": f"arn:aws:iam::{OTHER}:user/anna",
}
FILE = Path(__file__).with_name("verdicts.txt")


def recorded() -> Iterator[tuple[str, str]]:
    """(section, line)."""
    section = ""
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("# ") and "|" in line:
            section = line
        elif line and not line.startswith("#"):
            yield section, line


def document(said: str, kind: PolicyKind, **more: Any) -> PolicyDocument:
    """A policy that allows the action, denies it, or says nothing of it."""
    action = ACTION if said != "none" else "s3:ListAllMyBuckets"
    statement = {"Effect": "Deny" if said == "deny" else "Allow", "Action": action, "Resource": "*", **more}
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": [statement]}, kind=kind)


def on_bucket(said: str, caller: str) -> PolicyDocument:
    account = caller.split(":")[4]
    role = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    named = {"user": caller, "session": caller, "role": role, "account": f"arn:aws:iam::{account}:root", "deny": caller}
    return document("deny" if said == "deny" else "allow", PolicyKind.RESOURCE, Principal={"AWS": named[said]})


def decided(line: str) -> tuple[Decision, Decision]:
    """(as recorded, as evaluated)."""
    given, _, ends = line.partition(" -> ")
    who, *words = given.split()
    said = dict(word.split("=") for word in words)
    caller = WHO[who]
    session, boundary, resource = (said.get(kind, "absent") for kind in ("session", "boundary", "resource"))
    policies = Policies(
        identity=(document(said["identity"], PolicyKind.IDENTITY),),
        boundary=None if boundary == "absent" else document(boundary, PolicyKind.IDENTITY),
        session=None if session == "absent" else (document(session, PolicyKind.IDENTITY),),
        scps=levels(said.get("scp", "absent"), PolicyKind.SCP),
        rcps=levels(said.get("rcp", "absent"), PolicyKind.RCP, Principal="*"),
        resource=None if resource == "absent" else on_bucket(resource, caller),
    )
    return ENDS[ends], evaluate(Request(caller, ACTION, BUCKET, resource_account=ACCOUNT), policies).decision


def levels(said: str, kind: PolicyKind, **more: Any) -> tuple[tuple[PolicyDocument, ...], ...]:
    if said == "absent":
        return ()
    # A level with a Deny has AWS's full access beside it, as every target starts.
    full = document("allow", kind, **more)
    return tuple((document(each, kind, **more), *((full,) if each == "deny" else ())) for each in said.split("/"))


def test_no_verdict_differs() -> None:
    lines = list(recorded())
    assert len(lines) >= 300
    assert all("|" in section for section, _ in lines), "each has its source"
    differing = []
    for section, line in lines:
        expected, found = decided(line)
        if found is not expected:
            differing.append(f"{section}\n{line}: {found}")
    assert not differing, "\n".join(differing)


def test_every_way_to_end_is_recorded() -> None:
    ends = [line.partition(" -> ")[2] for _, line in recorded()]
    assert set(ends) == set(ENDS)
    assert min(ends.count(end) for end in ENDS) > 20
