"""Who can do what as ratios: `bench/access.py`.

everybody   1,000 principals, each asked the catalogue of sensitive actions, compiled once, as a ratio to one question
            that the plain evaluator answers (aim: 2 s)
memory      peak with 1,000, 2,000 and 4,000 principals (aim: linear)

Users share the policies of their groups, as in an account; each also has a policy of its own, a third a boundary. Roles
have two policies of their own and a trust policy.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from toolkit.access import Guarded, Holding, Judge, Kind, Principal, World
from toolkit.access.catalogue import questions
from toolkit.iam import PolicyDocument, PolicyKind
from toolkit.iam.evaluate import Layer

ACCOUNT = "123456789012"
PRINCIPALS = 1000
COUNTS = (1000, 2000, 4000)
TRAIL = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/baseline"
BUCKET = "arn:aws:s3:::baseline-cloudtrail"
MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
SERVICES = ("ec2", "s3", "lambda", "sqs", "sns", "logs", "dynamodb", "cloudwatch", "events", "kms")


def held(name: str, *statements: dict[str, object], layer: Layer = Layer.IDENTITY) -> Holding:
    """A policy as somebody has it."""
    kind = PolicyKind.RESOURCE if layer is Layer.RESOURCE else PolicyKind.IDENTITY
    text = {"Version": "2012-10-17", "Statement": list(statements)}
    return Holding(layer, PolicyDocument.parse(text, name=name, kind=kind))


def allow(action: object, resource: object = "*", **more: object) -> dict[str, object]:
    """A statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def made(count: int) -> World:
    """An account with so many principals, half of them users."""
    guardrail = held("guardrail", {**allow(["iam:Put*", "iam:Attach*", "cloudtrail:Stop*"]), "Effect": "Deny"})
    mfa = held("mfa", {"Effect": "Deny", "NotAction": ["iam:*MFADevice"], "Resource": "*", "Condition": MFA})
    groups = [
        (
            held(f"group-{n}", allow([f"{service}:*" for service in SERVICES[n % 5 :]]), allow("iam:Get*")),
            guardrail,
            mfa,
        )
        for n in range(20)
    ]
    boundary = held("boundary", allow([f"{service}:*" for service in SERVICES]), layer=Layer.BOUNDARY)
    people: list[Principal] = []
    for n in range(count):
        service = SERVICES[n % len(SERVICES)]
        own = held(
            f"own-{n}",
            allow([f"{service}:Get*", f"{service}:List*", f"{service}:Delete*"], f"arn:aws:{service}:::thing-{n}/*"),
            allow(["iam:ChangePassword", "iam:CreateAccessKey"], f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"),
        )
        limit = (boundary,) if n % 3 == 0 else ()
        if n % 2:
            policies = (*groups[n % 20], own, *limit)
            people.append(Principal(Kind.USER, f"u{n}", f"arn:aws:iam::{ACCOUNT}:user/u{n}", policies, {}))
        else:
            more = held(f"more-{n}", allow(f"{service}:*"))
            people.append(Principal(Kind.ROLE, f"r{n}", f"arn:aws:iam::{ACCOUNT}:role/r{n}", (own, more, *limit)))
    only_tls = {"Bool": {"aws:SecureTransport": "false"}}
    closed = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": only_tls}
    bucket = held("bucket policy", closed, layer=Layer.RESOURCE)
    return World(
        "a benchmark",
        ACCOUNT,
        "aws",
        tuple(people),
        (Guarded(BUCKET, bucket, ACCOUNT, "eu-central-1"),),
        {"trail": (TRAIL,), "log bucket": (BUCKET,), "log object": (f"{BUCKET}/a",)},
    )


def everybody(world: World) -> tuple[float, float, int]:
    """CPU seconds of all answers, of one by the plain evaluator, and how many there are."""
    asked = [question for _, question in questions(world)]
    began = time.process_time()
    judge = Judge(world)
    for principal in world.principals:
        for question in asked:
            judge.verdict(principal, question)
    took = time.process_time() - began
    some = [(p, q) for p in world.principals[:20] for q in asked[:10]]
    began = time.process_time()
    for principal, question in some:
        judge.slowly(principal, question)
    return took, (time.process_time() - began) / len(some), len(world.principals) * len(asked)


def peak(count: int) -> float:
    """MiB that all answers take at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, Path(__file__), str(count)], capture_output=True, text=True, check=True
    )  # ru_maxrss is of a whole process
    return float(json.loads(done.stdout))


def main() -> None:
    """Print the ratios."""
    if len(sys.argv) > 1:
        everybody(made(int(sys.argv[1])))
        sys.stdout.write(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
        return
    took, one, count = everybody(made(PRINCIPALS))
    sys.stdout.write(
        f"access: {count:,} answers in {took:.2f} s of CPU, {1e6 * took / count:.0f} µs each: as long as "
        f"{took / one:,.0f} of the plain evaluator ({1e3 * one:.2f} ms each), a ratio of {one * count / took:.0f}\n"
    )
    peaks = [peak(each) for each in COUNTS]
    grown = [1000 * (b - a) / (n - m) for a, b, m, n in zip(peaks, peaks[1:], COUNTS, COUNTS[1:], strict=False)]
    shown = ", ".join(f"{mib:.0f} MiB with {count:,}" for mib, count in zip(peaks, COUNTS, strict=True))
    sys.stdout.write(
        f"  memory: {shown} principals: a thousand more take {grown[0]:.1f} MiB, then {grown[1]:.1f} MiB\n"
    )


if __name__ == "__main__":
    main()
