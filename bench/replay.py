"""Runs a program of Python whose calls of AWS are answered from a recording, each after the same latency.

    python bench/replay.py record FILE MODULE:FUNCTION ARGUMENT …          answers come from moto, and are written down
    python bench/replay.py replay FILE LATENCY MODULE:FUNCTION ARGUMENT …  answers come from FILE, LATENCY seconds later

Needs nothing but botocore (and moto to record), so that it runs in the environment of whatever is measured. The last
line that it prints on stderr: seconds, those of CPU time, those of CPU time that answering took of them, the number of
calls, of distinct ones, and the peak of its memory in MiB.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pickle
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

HOME = "eu-central-1"
ACCOUNT = "123456789012"
REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
_MARKER = re.compile(rb"&Marker=[^&]*")
"""Of IAM; pages of one list are several answers of one request, in their order."""
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.%A]+Z?|\d{10}(\.\d+)?|\d{8}T\d{6}Z")
"""What differs from one run to the next."""

Key = tuple[str, str, str, bytes]
Answer = tuple[int, dict[str, str], bytes]


def key(request: Any) -> Key:
    """What tells one request from another; moments do not."""
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    if hasattr(request.body, "seek"):
        request.body.seek(0)
    body = body.encode() if isinstance(body, str) else bytes(body)
    target = request.headers.get("X-Amz-Target") or b""
    url = _MOMENT.sub(b"T", request.url.encode()).decode()
    return (
        request.method,
        url,
        target.decode() if isinstance(target, bytes) else str(target),
        (_MARKER.sub(b"", _MOMENT.sub(b"T", body))),
    )


def _anywhere(asked: Key) -> Key:
    """A request without its region."""
    method, url, target, body = asked
    return method, re.sub(r"\b[a-z]{2}-[a-z]+-\d\b", "REGION", url), target, body


def seed() -> None:
    """An account that is neither empty nor secure, so that checks have both verdicts to give."""
    import boto3

    def client(service: str, region: str = HOME) -> Any:
        return boto3.client(service, region_name=region)  # type: ignore[call-overload]

    iam = client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireNumbers=True, PasswordReusePrevention=24)
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    own = iam.create_policy(PolicyName="anything", PolicyDocument=json.dumps(anything))["Policy"]["Arn"]
    iam.create_group(GroupName="developers")
    iam.attach_group_policy(GroupName="developers", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    for number in range(50):
        name = f"user-{number}"
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="developers", UserName=name)
        if number % 2:
            iam.create_access_key(UserName=name)
        if number % 5 == 0:
            iam.create_login_profile(UserName=name, Password="An-Example-0nly")
        if number % 10 == 0:
            iam.attach_user_policy(UserName=name, PolicyArn=own)
    kms = client("kms")
    kms.enable_key_rotation(KeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    kms.create_key()
    for region in REGIONS:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client("s3", region).create_bucket(Bucket=f"example-{region}", **place)
        ec2 = client("ec2", region)
        if region.startswith("eu-"):
            ec2.enable_ebs_encryption_by_default()
            client("guardduty", region).create_detector(Enable=True)
        if region.endswith("-1"):
            vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
            group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
            anywhere = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[anywhere])
        rules = client("events", region)
        for number in range(3):
            rules.put_rule(Name=f"rule-{number}", EventPattern='{"source": ["aws.signin"]}')
    trail = client("cloudtrail")
    trail.create_trail(
        Name="main", S3BucketName=f"example-{HOME}", IsMultiRegionTrail=True, EnableLogFileValidation=True
    )
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}  # as AWS has it, and moto has not
    trail.put_event_selectors(TrailName="main", EventSelectors=[everything])
    trail.start_logging(Name="main")


class Recording:
    """Requests and their answers: several of one request in their order, the last one again and again."""

    def __init__(self, answers: dict[Key, list[Answer]]) -> None:
        self.answers = answers
        self.asked: Counter[Key] = Counter()
        self.answering = 0.0
        """Seconds of CPU time that replaying took."""
        self._lock = threading.Lock()
        self._elsewhere = {_anywhere(one): found for one, found in answers.items()}
        self._without_body = {one[:3]: found for one, found in answers.items()}

    def add(self, asked: Key, answer: Answer) -> None:
        with self._lock:
            self.asked[asked] += 1
            self.answers.setdefault(asked, []).append(answer)

    def took(self, seconds: float) -> None:
        with self._lock:
            self.answering += seconds

    def get(self, asked: Key) -> Answer:
        """Raises ConnectionError for what is not on record."""
        with self._lock:
            number = self.asked[asked]
            self.asked[asked] += 1
        # Which region is asked about a trail of all regions may depend on which answered first.
        found = self.answers.get(asked) or self._elsewhere.get(_anywhere(asked)) or self._without_body.get(asked[:3])
        if not found:
            raise ConnectionError(f"not on record: {asked}")
        return found[min(number, len(found) - 1)]


def response(url: str, answer: Answer) -> Any:
    """An answer as botocore gets it from its connection."""
    from botocore.awsrequest import AWSResponse

    class Raw(io.BytesIO):
        def stream(self, **_: Any) -> Any:
            yield self.read()

    status, headers, content = answer
    return AWSResponse(url, status, headers, Raw(content))


def record(recording: Recording, run: Any) -> None:
    """Answer from moto."""
    # Else every region has hundreds of snapshots that no account has, and who asks about each of them looks slow.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto import mock_aws
    from moto.core.models import BotocoreStubber

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from toolkit.sandbox import patches

    patches.apply()
    original = BotocoreStubber.__call__

    def call(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
        asked = key(request)
        try:
            answer = original(self, event_name, request, **kwargs)
        except Exception:  # moto has neither the call nor an answer; its server says so, too
            answer = None
        held: Answer = (answer.status_code, dict(answer.headers), answer.content) if answer else (501, {}, b"")
        recording.add(asked, held)
        return response(request.url, held)

    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        seed()
        BotocoreStubber.__call__ = call  # type: ignore[method-assign]
        try:
            run()
        finally:
            BotocoreStubber.__call__ = original  # type: ignore[method-assign]


def replay(recording: Recording, latency: float, run: Any) -> None:
    """Answer from the recording."""
    from botocore.httpsession import URLLib3Session

    def send(_self: Any, request: Any) -> Any:
        time.sleep(latency)
        before = time.thread_time()
        answer = response(request.url, recording.get(key(request)))
        recording.took(time.thread_time() - before)
        return answer

    URLLib3Session.send = send  # type: ignore[method-assign]
    run()


def _peak() -> float:
    """The most memory that this process had, in MiB (Linux). `getrusage` tells the parent's where that had more."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    mode, file, *rest = sys.argv[1:]
    latency = float(rest.pop(0)) if mode == "replay" else 0.0
    module, _, function = rest[0].partition(":")
    sys.argv = [module, *rest[1:]]
    os.environ.update(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="example")
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    recording = Recording(pickle.loads(Path(file).read_bytes()) if mode == "replay" else {})

    def run() -> None:
        with contextlib.suppress(SystemExit):
            getattr(importlib.import_module(module), function)()

    started, worked = time.perf_counter(), time.process_time()
    replay(recording, latency, run) if mode == "replay" else record(recording, run)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    if mode == "record":
        Path(file).write_bytes(pickle.dumps(recording.answers))
    took = f"{seconds:.2f} {work:.2f} {recording.answering:.2f}"
    print(f"\n{took} {sum(recording.asked.values())} {len(recording.asked)} {_peak():.0f}", file=sys.stderr)


if __name__ == "__main__":
    main()
