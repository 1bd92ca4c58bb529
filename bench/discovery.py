"""A scan of an account as ratios: `bench/run.py --scan`.

side by side   17 regions read as `toolkit discover` does, against one list after the other. A hook of botocore
               answers from a recording of moto, after the same latency for every call (aim: a ratio of 8)
once           calls against distinct calls (aim: at most 1.2)
memory         peak of a scan of IAM with 2,500, 5,000 and 10,000 users, who have two access keys each, every number
               in a process of its own (aim: linear)
"""

from __future__ import annotations

import base64
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from growth import COUNTS, print_growth
from moto import mock_aws
from moto.core.models import botocore_stubber
from replay import REGIONS, response

from toolkit.__main__ import GARBAGE
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.resources.reading import Live
from toolkit.sandbox import patches
from toolkit.snapshots import Snapshot, snapshot_data
from toolkit.workflows import discover as scan
from toolkit.workflows.discover import AT_ONCE, Account, discover
from toolkit.workflows.observer import Observer

LATENCY = 0.1
"""Seconds that each call waits; AWS takes 0.03 to 0.3, by region and service."""
ENVIRON = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\nsimulator: moto\ncomponents: {}\n',
    name="bench",
    shown_as="bench",
)
Answer = Callable[[AWSPreparedRequest], AWSResponse]


class Hooked(AwsSession):
    """Clients whose requests are answered by a function instead of AWS."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(ENVIRONMENT, ENVIRON)
        self._answer = answer
        self.asked: Counter[tuple[Any, ...]] = Counter()

    def _client(self, session: Any, service: str, region: str) -> Any:
        client = super()._client(session, service, region)
        client.meta.events.register_first("before-send", self._send)
        return client

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.asked[key(request)] += 1
        return self._answer(request)


def key(request: AWSPreparedRequest) -> tuple[Any, ...]:
    """What tells one request from another: where it goes, and what it says."""
    body = request.body
    read = body.read() if hasattr(body, "read") else body
    return request.method, request.url, request.headers.get("X-Amz-Target"), str(read)


def scanned(answer: Answer, at_once: int) -> tuple[float, Snapshot, Counter[tuple[Any, ...]]]:
    """Seconds of a scan, what it found, and what it asked."""
    scan.AT_ONCE = at_once
    clients = Hooked(answer)
    caller = CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/bench")
    with tempfile.TemporaryDirectory() as folder:
        account = Account(ENVIRONMENT, clients, caller, "bench", Path(folder), has_file=True)
        started = time.perf_counter()
        found = discover(account, REGIONS, Observer())
        return time.perf_counter() - started, found, clients.asked


def seed(region: str) -> None:
    """Something in a region: an account that is in use has more in each."""

    def client(service: str) -> Any:
        keys = (ENVIRON["AWS_ACCESS_KEY_ID"], ENVIRON["AWS_SECRET_ACCESS_KEY"])
        return boto3.Session(*keys).client(service, region)  # type: ignore[call-overload]

    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client("s3").create_bucket(Bucket=f"bench-{region}", **place)
    topics, logs, rules = client("sns"), client("logs"), client("events")
    for number in range(5):
        topics.create_topic(Name=f"topic-{number}")
        logs.create_log_group(logGroupName=f"log-{number}")
        rules.put_rule(Name=f"rule-{number}", EventPattern='{"source": ["aws.signin"]}')


def regions() -> None:
    """17 regions side by side, against one list after the other."""
    patches.apply()
    recorded: dict[tuple[Any, ...], tuple[int, Any, bytes]] = {}

    def record(request: AWSPreparedRequest) -> AWSResponse:
        found = botocore_stubber("before-send", request)
        recorded[key(request)] = found.status_code, found.headers, found.content
        return response(request.url, recorded[key(request)])

    def replay(request: AWSPreparedRequest) -> AWSResponse:
        time.sleep(LATENCY)
        return response(request.url, recorded[key(request)])

    with mock_aws():
        for region in REGIONS:
            seed(region)
        scanned(record, 1)
    one_by_one, first, _ = scanned(replay, 1)
    before = time.process_time()
    together, second, asked = scanned(replay, AT_ONCE)
    cpu = time.process_time() - before
    assert first.digest == second.digest, "what is found must not depend on the order of reading"
    calls, distinct, found = sum(asked.values()), len(asked), len(first.resources)
    print(
        f"discover {len(REGIONS)} regions, {AT_ONCE} calls at a time, {LATENCY * 1000:.0f} ms each:   "
        f"{one_by_one / together:.1f} x faster than one by one ({together:.1f} against {one_by_one:.1f} s here)"
    )
    print(f"  of which {cpu:.1f} s are CPU time: without it, it would take {calls * LATENCY / AT_ONCE:.1f} s")
    print(f"  {calls:,} calls, {calls / distinct:.2f} x the {distinct:,} distinct ones; {found:,} resources")


KEY = "<AccessKeyId>{key}</AccessKeyId><Status>Active</Status><CreateDate>2026-0{month}-01T00:00:00Z</CreateDate>"
SLOT = "true,2026-0{month}-01T00:00:00+00:00,2026-11-20T10:00:00+00:00,eu-west-1,s3"


def result(action: str, content: str) -> str:
    """An answer of IAM."""
    return f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"


def keys(user: str) -> str:
    """The two access keys of a user."""
    each = (
        f"<member><UserName>{user}</UserName>{KEY.format(key=f'AKIAEXAMPLE{month}{user}', month=month)}</member>"
        for month in (1, 2)
    )
    listed = f"<AccessKeyMetadata>{''.join(each)}</AccessKeyMetadata><IsTruncated>false</IsTruncated>"
    return result("ListAccessKeys", listed)


def report(count: int) -> str:
    """The credential report of as many users, with the columns that are looked at."""
    columns = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
    header = ",".join(("user", *(f"access_key_{slot}_{column}" for slot in (1, 2) for column in columns)))
    slots = ",".join(SLOT.format(month=month) for month in (1, 2))
    return "\n".join((header, *(f"user-{n},{slots}" for n in range(count))))


def users(count: int) -> None:
    """Print the peak of what a scan of IAM with so many users allocates, its snapshot included, in MiB."""
    item = (
        "<member><UserName>user-{n}</UserName><Path>/</Path><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>"
        "<Arn>arn:aws:iam::123456789012:user/user-{n}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>{more}</member>"
    )
    more = "<GroupList><member>developers</member></GroupList><AttachedManagedPolicies/><UserPolicyList/>"

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        asked = parse_qs(request.body.decode() if isinstance(request.body, bytes) else str(request.body))
        action = asked["Action"][0]
        if action == "GetLoginProfile":
            error = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>"
            return response(request.url, (404, {}, error.encode()))
        if action == "ListAccessKeys":
            return response(request.url, (200, {}, keys(asked["UserName"][0]).encode()))
        if action == "GenerateCredentialReport":
            return response(request.url, (200, {}, result(action, "<State>COMPLETE</State>").encode()))
        if action == "GetCredentialReport":
            text = base64.b64encode(report(count).encode()).decode()
            made = f"<Content>{text}</Content><GeneratedTime>2026-11-29T08:00:00Z</GeneratedTime>"
            return response(request.url, (200, {}, result(action, made).encode()))
        start = int(asked.get("Marker", ["0"])[0])
        end = min(start + 1000, count)
        name = "Users" if action == "ListUsers" else "UserDetailList"
        items = "".join(item.format(n=n, more=more if name == "UserDetailList" else "") for n in range(start, end))
        marker = f"<Marker>{end}</Marker>" if end < count else ""
        text = f"<{name}>{items}</{name}><IsTruncated>{str(end < count).lower()}</IsTruncated>{marker}"
        return response(request.url, (200, {}, result(action, text).encode()))

    clients = Hooked(answer)
    clients.client("iam")
    tracemalloc.start()
    of_users = ("user", "user_login_profile", "user_group_membership", "user_policy_attachment", "access_key")
    kinds = tuple(f"aws_iam_{name}" for name in of_users)
    inventory = Inventory(clients, at_once=AT_ONCE)
    found = list(inventory.every(kinds, REGIONS[:1]))
    # A user, groups, and two keys each.
    assert sum(isinstance(one, Live) for one in found) == 4 * count, found[:3]
    facts = {"account_id": "123456789012", "caller": "x", "environment": None, "simulator": None, "calls": 0}
    now = datetime.now(UTC)
    snapshot = Snapshot.of(found, **facts, taken=now, home=REGIONS[0], regions=REGIONS[:1], types=kinds)
    size = len(json.dumps(snapshot_data(snapshot)))
    print(f"{tracemalloc.get_traced_memory()[1] / 2**20:.1f} {size / 2**20:.1f} {inventory.calls}")


def memory() -> None:
    """The peaks for two numbers of users, each in a process of its own."""
    peaks = []
    for count in COUNTS:
        command = [sys.executable, __file__, "--users", str(count)]
        most, size, calls = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        peaks.append(float(most))
        print(
            f"discover {count:,} users with {2 * count:,} access keys: {most} MiB at the peak, "
            f"snapshot {size} MiB, {int(calls):,} calls"
        )
    print_growth(peaks)


if __name__ == "__main__":
    os.environ.update(ENVIRON)
    gc.set_threshold(GARBAGE)  # as the command does
    if "--users" in sys.argv:
        users(int(sys.argv[-1]))
    else:
        regions()
        memory()
