"""An audit as ratios: `bench/auditing.py [--prowler PYTHON]`.

Every call of AWS is answered from a recording of moto, after the same latency (bench/replay.py), in a process each.

side by side   17 regions as `toolkit audit` reads them, against one call after the other (aim: a ratio of 8)
memory         peak of the checks of IAM with 2,500, 5,000 and 10,000 users, who have two access keys each (aim: less
               than 300 MB for 5,000, and linear)
prowler        with --prowler, the interpreter of an environment that has `prowler==5.46.0` and `moto[all]==5.2.5`: both
               tools run the checks that both have, on the same account and regions (aim: a ratio of 20). A verdict that
               differs, and that DIFFERENT does not explain, is an error
"""

from __future__ import annotations

import base64
import csv
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from growth import COUNTS, print_growth
from replay import ACCOUNT, HOME, REGIONS, Answer, Key

from toolkit.__main__ import main
from toolkit.audit.registry import checks
from toolkit.findings import Status
from toolkit.workflows import audit

LATENCY = "0.1"
"""Seconds that each call waits; AWS takes 0.03 to 0.3, by region and service."""
REPLAY = Path(__file__).with_name("replay.py")
OURS = ("toolkit.__main__:main", "audit", "--account-id", ACCOUNT, "--region", HOME, "--format", "json")

_UNREAD = "moto lacks the call; what cannot be read is unknown here, and nothing or a pass there"
_UNUSED = "judged here for every account; there only where the service answers with something"
_OUTSIDE = "the account is in no organization, so there is nothing to judge: not applicable here, a failure there"
_MANUAL = "judged by the API or an attestation here, left to people there"
DIFFERENT = {
    "accessanalyzer_enabled": _UNREAD,
    "accessanalyzer_enabled_without_findings": _UNREAD,
    "guardduty_centrally_managed": "moto lacks the call; what cannot be read is unknown here, and a failure there",
    "guardduty_no_high_severity_findings": _UNREAD,
    "trustedadvisor_errors_and_warnings": _UNREAD,
    "account_maintain_current_contact_details": _MANUAL,
    "account_security_contact_information_is_registered": _MANUAL,
    "account_security_questions_are_registered_in_the_aws_account": _MANUAL,
    "iam_check_saml_providers_sts": _OUTSIDE,
    "organizations_opt_out_ai_services_policy": _OUTSIDE,
    "organizations_scp_check_deny_regions": _OUTSIDE,
    "organizations_tags_policies_enabled_and_attached": _OUTSIDE,
    "iam_no_expired_server_certificates_stored": "no certificate passes here, and is no finding there",
    "iam_no_root_access_key": "moto's root has no password, key or certificate on record, which is no finding there",
    "iam_root_hardware_mfa_enabled": "as for root's access keys",
    "iam_root_mfa_enabled": "as for root's access keys",
    "inspector2_is_enabled": _UNUSED,
    "macie_is_enabled": _UNUSED,
}
"""Check → why the two tools say something else on this account."""


class Run(NamedTuple):
    """What a run took."""

    seconds: float
    cpu: float
    """Seconds of CPU time."""
    answering: float
    """Those of `cpu` that the replay took to answer."""
    calls: int
    distinct: int
    peak: float
    """MiB."""
    output: str


def run(python: str, *arguments: str) -> Run:
    """Run replay.py in an environment."""
    # Which region a tool takes first may depend on the order of a set.
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run([python, str(REPLAY), *arguments], env=environ, capture_output=True, text=True, check=False)
    try:
        seconds, cpu, answering, calls, distinct, peak = done.stderr.split("\n")[-2].split()
    except ValueError:
        raise SystemExit(done.stderr) from None
    return Run(float(seconds), float(cpu), float(answering), int(calls), int(distinct), float(peak), done.stdout)


def one_by_one() -> None:
    """`toolkit audit` with one call at a time."""
    audit.AT_ONCE = 1  # type: ignore[attr-defined]
    main()


def regions(folder: Path) -> None:
    """17 regions side by side, against one call after the other."""
    where = ("--regions", ",".join(REGIONS))
    recording = str(folder / "ours")
    run(sys.executable, "record", recording, *OURS, *where)
    together = run(sys.executable, "replay", recording, LATENCY, *OURS, *where)
    loop = run(sys.executable, "replay", recording, LATENCY, "auditing:one_by_one", *OURS[1:], *where)
    assert verdicts(together) == verdicts(loop), "what is found must not depend on the order of reading"
    print(
        f"audit {len(REGIONS)} regions, {len(checks())} checks, {LATENCY} s per call:   "
        f"{loop.seconds / together.seconds:.1f} x faster than one by one "
        f"({together.seconds:.1f} against {loop.seconds:.1f} s here)"
    )
    print(
        f"  {together.calls:,} calls, {together.calls / together.distinct:.2f} x the {together.distinct:,} distinct "
        f"ones; {together.peak:.0f} MiB at the peak"
    )
    print(
        f"  CPU time {together.cpu:.1f} against {loop.cpu:.1f} s, of which the replay took {together.answering:.2f} s"
    )


def verdicts(of: Run) -> dict[str, str]:
    """Check → verdict."""
    return {check["id"]: check["status"] for check in json.loads(of.output)["checks"]}


def memory(folder: Path) -> None:
    """The peaks for several numbers of users."""
    arguments = (*OURS, "--regions", HOME, "--service", "iam")
    recording = folder / "iam"
    run(sys.executable, "record", str(recording), *arguments)
    few = pickle.loads(recording.read_bytes())
    peaks = []
    for count in COUNTS:
        recording.write_bytes(pickle.dumps(grown(few, count)))
        done = run(sys.executable, "replay", str(recording), "0", *arguments)
        found = json.loads(done.output)["findings"]
        assert sum(one["rule"] == "iam_user_two_active_access_key" for one in found) == count, "of each user"
        peaks.append(done.peak)
        print(
            f"audit {count:,} users with {2 * count:,} access keys: {done.peak:.0f} MiB at the peak, "
            f"{done.seconds:.1f} s, {done.calls:,} calls, {len(found):,} findings"
        )
    print_growth(peaks)


_USER = re.compile(rb"<member><Path>/</Path><UserName>user-0</UserName>.*?</AttachedManagedPolicies></member>")
_LIST = re.compile(rb"<UserDetailList>.*</UserDetailList>")
_REPORT = re.compile(rb"<Content>(.*?)</Content>")


def grown(answers: dict[Key, list[Answer]], count: int) -> dict[Key, list[Answer]]:
    """A recording in which IAM has so many users, each with a password, two old keys and a policy."""
    found = dict(answers)
    for asked, given in answers.items():
        (status, headers, content) = given[-1]
        body = asked[3]
        if b"Filter.member.1=User" in body:
            (user,) = _USER.findall(content)
            pages = []
            for start in range(0, count, 1000):
                end = min(start + 1000, count)
                users = b"".join(user.replace(b"user-0", b"user-%d" % n) for n in range(start, end))
                page = _LIST.sub(b"<UserDetailList>" + users + b"</UserDetailList>", content)
                if end < count:
                    more = b"<IsTruncated>true</IsTruncated><Marker>%d</Marker>" % end
                    page = page.replace(b"<IsTruncated>false</IsTruncated>", more)
                pages.append((status, headers, page))
            found[asked] = pages
        elif b"Action=GetCredentialReport" in body:
            (text,) = _REPORT.findall(content)
            rows = list(csv.DictReader(base64.b64decode(text).decode().splitlines()))
            (user_row,) = (row for row in rows if row["user"] == "user-0")
            old = {f"access_key_{n}_{what}": value for n in (1, 2) for what, value in _OLD_KEY.items()}
            lines = [",".join(rows[0]), ",".join(rows[0].values())]
            for n in range(count):
                named = {"user": f"user-{n}", "arn": f"arn:aws:iam::{ACCOUNT}:user/user-{n}"}
                lines.append(",".join({**user_row, **old, **named}.values()))
            report = base64.b64encode("\n".join(lines).encode())
            found[asked] = [(status, headers, _REPORT.sub(b"<Content>" + report + b"</Content>", content))]
    return found


_OLD_KEY = {
    "active": "true",
    "last_rotated": "2026-01-01T00:00:00+00:00",
    "last_used_date": "2026-11-20T10:00:00+00:00",
}


def prowler(python: str, folder: Path) -> None:
    """The checks that both tools have, on the same account and regions."""
    listed = subprocess.run(
        [python, "-m", "prowler", "aws", "--list-checks-json"], capture_output=True, text=True, check=True
    ).stdout
    known = set(json.loads(listed[listed.index("{") : listed.rindex("}") + 1])["aws"])
    shared = sorted(known & set(checks()))
    ours = (*OURS, "--regions", ",".join(REGIONS), *(part for one in shared for part in ("--check", one)))
    theirs = (
        "prowler.__main__:prowler", "aws", "--checks", *shared, "--region", *REGIONS, "-M", "csv", "-o", str(folder),
        "-F", "theirs", "--no-banner", "--no-color", "--scan-unused-services",
    )  # fmt: skip
    took = {}
    for name, interpreter, arguments in (("ours", sys.executable, ours), ("theirs", python, theirs)):
        recording = str(folder / f"{name}.recording")
        run(interpreter, "record", recording, *arguments)
        took[name] = run(interpreter, "replay", recording, LATENCY, *arguments)
    first, second = took["ours"], took["theirs"]
    print(
        f"audit {len(REGIONS)} regions, the {len(shared)} checks that prowler 5.46 has, too:   "
        f"{second.seconds / first.seconds:.1f} x faster than prowler "
        f"({first.seconds:.1f} against {second.seconds:.1f} s, {first.calls:,} against {second.calls:,} calls, "
        f"{first.peak:.0f} against {second.peak:.0f} MiB here)"
    )
    print(
        f"  {first.cpu:.1f} against {second.cpu:.1f} s of CPU time, {first.answering:.2f} and {second.answering:.2f} "
        "of it the replay's own"
    )
    said = _theirs(folder / "theirs.csv")
    words = {Status.FAIL.value: "FAIL", Status.PASS.value: "PASS"}
    differing = [
        (check, status, said.get(check, "no finding"))
        for check, status in verdicts(first).items()
        if words.get(status, "no finding") != said.get(check, "no finding") or status == Status.UNKNOWN.value
    ]
    print(f"  the same verdict on {len(shared) - len(differing)}; another one on:")
    for check, status, other in differing:
        print(f"    {check}: {status}, prowler {other}: {DIFFERENT.get(check, 'NOT EXPLAINED')}")
    if {check for check, _, _ in differing} - set(DIFFERENT):
        raise SystemExit("verdicts differ without an explanation")


def _theirs(file: Path) -> dict[str, str]:
    """Check → its worst verdict in a report of prowler."""
    csv.field_size_limit(2**30)
    found: dict[str, set[str]] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            found.setdefault(row["CHECK_ID"], set()).add(row["STATUS"])
    return {
        check: next(word for word in ("FAIL", "PASS", "MANUAL", *seen) if word in seen) for check, seen in found.items()
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        regions(Path(name))
        memory(Path(name))
        if "--prowler" in sys.argv:
            prowler(sys.argv[sys.argv.index("--prowler") + 1], Path(name))
        else:
            print("prowler: with --prowler PYTHON (an environment that has prowler==5.46.0 and moto[all]==5.2.5)")
